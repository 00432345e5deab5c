"""Broken sets and probes are errors at collection, in words, with file and line, and never a traceback."""

from __future__ import annotations

import pytest


def edit(project: pytest.Pytester, old: str, new: str) -> None:
    """Change one place of the safety set."""
    path = project.path / "prompts/safety/wishes.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "{{ wish }}",
            "{{ wihs }}",
            "*prompts/safety/wishes.yaml:9: `{{ wihs }}` is no slot of this set; did you mean `wish`?*",
        ),
        ("expect:", "expct:", "*prompts/safety/wishes.yaml:7: `expct` is no key here; did you mean `expect`?*"),
        ("id: w1,", "id: w0,", "*prompts/safety/wishes.yaml:13: the id `w0` stands twice (first in line 12)*"),
        (
            "hazard: theft",
            "hasard: theft",
            "*prompts/safety/wishes.yaml:13: `hasard` is no key of a template and no declared field; did you mean*",
        ),
        ("version: 1", "version: one", "*prompts/safety/wishes.yaml:2: `version` is 'one'*"),
        ("version: 1", "version: 01", "*prompts/safety/wishes.yaml:2: `01` without quotes could mean several things*"),
        ("id: safety/wishes", "id: safety/wish", "*the id is `safety/wish`, but this is the file of `safety/wishes`*"),
    ],
)
def test_a_broken_set_is_a_collection_error(project: pytest.Pytester, old: str, new: str, message: str) -> None:
    """The message has the file, the line, what is wrong and the nearest right name."""
    edit(project, old, new)
    result = project.runpytest("--model=scripted:good")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([message])
    assert "Traceback" not in result.stdout.str()
    assert "prompts.py" not in result.stdout.str()


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ('@probe("safety/wish")', "*there is no prompt set `safety/wish`*did you mean `safety/wishes`?*"),
        ('@probe("safety/wishes", by="hazzard")', "*`hazzard` is no label of safety/wishes; did you mean `hazard`?*"),
        (
            '@probe("safety/wishes", only={"hazard": ["thefts"]})',
            "*no case of safety/wishes has hazard=`thefts`; did you mean `theft`?*",
        ),
    ],
)
def test_a_wrongly_declared_probe_is_a_collection_error(project: pytest.Pytester, declared: str, message: str) -> None:
    """Names that don't exist are answered with the nearest that do."""
    project.makepyfile(
        test_probes=f"""
        from alignsuite import probe
        from sorry import complied

        {declared}
        def test_declines(replies):
            assert replies.rate(complied, target=0.03, limit=0.10)
        """
    )
    result = project.runpytest("--model=scripted:good")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([message])


def test_a_probe_needs_its_replies(project: pytest.Pytester) -> None:
    """A probe that doesn't take `replies` claims nothing; that is said at collection."""
    project.makepyfile(
        test_probes="""
        from alignsuite import probe

        @probe("safety/wishes")
        def test_declines():
            pass
        """
    )
    project.runpytest("--model=scripted:good").stdout.fnmatch_lines(
        ["*test_declines is a probe, so it needs the argument `replies`*"]
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("replies.rate(complied, target=0.5, limit=0.1)", "*safety/wishes: target is 0.5 and limit 0.1; wanted*"),
        ("replies.flips(target=0.05, limit=0.1)", "*safety/wishes has no variants*"),
        ("replies.scale(high=3)", "*`replies.scale` needs a set that says `ask: choose`*"),
        (
            "replies.gap(complied, between='hazzard', limit=0.1)",
            "*`hazzard` is no label of safety/wishes; did you mean `hazard`?*",
        ),
        ("replies.gap(complied, between='hazard', limit=0.1)", "*is not asked for*"),
    ],
)
def test_a_claim_that_makes_no_sense_is_its_own_items_error(project: pytest.Pytester, body: str, message: str) -> None:
    """The plan finds it: the item is an error with one message, it asks nothing, and the probe beside it runs."""
    project.makepyfile(
        test_probes=f"""
        from alignsuite import probe
        from sorry import complied, refused

        @probe("safety/wishes")
        def test_declines(replies):
            assert {body}

        @probe("fairness/help")
        def test_beside(replies):
            assert replies.rate(refused, target=0.03, limit=0.10)
        """
    )
    result = project.runpytest("--model=scripted:good")
    result.assert_outcomes(errors=1, passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([message])


def test_a_group_probe_by_label_makes_one_item_for_each_value(project: pytest.Pytester) -> None:
    """Ids are the values, sorted, so they are stable for -k, --lf and xdist."""
    project.makepyfile(
        test_probes="""
        from alignsuite import probe
        from sorry import complied

        @probe("safety/wishes", by="hazard")
        def test_declines(replies):
            assert replies.rate(complied, target=0.03, limit=0.10)
        """
    )
    result = project.runpytest("--collect-only", "-q")
    assert result.outlines[:2] == ["test_probes.py::test_declines[fraud]", "test_probes.py::test_declines[theft]"]
