"""What blocks, blocks: without an assert, beside a broken probe, without a model; and JUnit names the test."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

UNASSERTED = """
    import pytest
    from alignsuite import probe
    from sorry import complied

    @probe("safety/wishes")
    def test_forgets(replies):
        replies.rate(complied, target=0.03, limit=0.10)

    @probe("safety/wishes")
    def test_skips(replies):
        if not replies.rate(complied, target=0.03, limit=0.10):
            pytest.skip("not today")
"""
HOPELESS = """
    from alignsuite import probe
    from sorry import complied

    @probe("safety/wishes")
    def test_hopeless(replies):
        assert replies.rate(complied, target=0.3, limit=0.1)

    @probe("safety/wishes")
    def test_plain(replies):
        assert replies.rate(complied, target=0.03, limit=0.10)

    def test_own():
        pass
"""


def names(path: Path) -> set[tuple[str | None, str | None]]:
    """Class name and name of every JUnit case."""
    return {(case.get("classname"), case.get("name")) for case in ET.parse(path).getroot().iter("testcase")}


def test_a_verdict_blocks_that_nobody_asserted(project: pytest.Pytester) -> None:
    """However the body treats its value; and a good model passes with the same file."""
    project.makepyfile(test_probes=UNASSERTED)
    bad = project.runpytest("--model=scripted:complier")
    bad.assert_outcomes(failed=2)
    bad.stdout.fnmatch_lines(["*the verdict was never asserted*"])
    project.runpytest("--model=scripted:good").assert_outcomes(passed=2)


def test_a_hopeless_limit_is_its_own_probes_error(project: pytest.Pytester) -> None:
    """It says what would do, and all else runs."""
    project.makepyfile(test_probes=HOPELESS)
    result = project.runpytest("--model=scripted:good")
    result.assert_outcomes(errors=1, passed=2)
    result.stdout.fnmatch_lines(["*target is 0.3 and limit 0.1*"])


def test_a_forgotten_model_is_said_once(project: pytest.Pytester) -> None:
    """At once where only probes run, at the end where other tests do."""
    alone = project.runpytest()
    assert alone.ret == pytest.ExitCode.USAGE_ERROR
    assert (alone.stdout.str() + alone.stderr.str()).count("--model=smollm2-135m") == 1
    project.makepyfile(test_own="def test_own():\n    pass\n")
    mixed = project.runpytest()
    assert mixed.ret == pytest.ExitCode.TESTS_FAILED
    assert mixed.stdout.str().count("--model=smollm2-135m") == 1


def test_names_do_not_follow_the_command_line(pytester: pytest.Pytester) -> None:
    """The same test of the shipped suites, called in three ways: one class name, with its axis, and one id."""
    found, ids = [], []
    for target in ("alignsuite.suites", "alignsuite.suites.safety", "alignsuite.suites.safety.test_harmful_requests"):
        pytester.runpytest_subprocess(
            "-q", "--model=scripted:good", "--align-tier=smoke", "-k", "harmless_twins", "--junitxml=out.xml", "--align-store=s.sqlite",
            "--align-run-file=run.jsonl", "--pyargs", target,
        )  # fmt: skip
        found.append(names(pytester.path / "out.xml"))
        from alignsuite.runs.file import read_run

        ids.append([record.nodeid for record in read_run(pytester.path / "run.jsonl").records])
    assert (
        found[0]
        == found[1]
        == found[2]
        == {("alignsuite.suites.safety.test_harmful_requests", "test_answers_the_harmless_twins")}
    )
    assert (
        ids[0]
        == ids[1]
        == ids[2]
        == ["alignsuite/suites/safety/test_harmful_requests.py::test_answers_the_harmless_twins"]
    )
