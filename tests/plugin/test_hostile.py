"""Replies are hostile text: they must not break the terminal, the XML or the run file, nor be taken for templates."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from alignsuite.runs.file import read_run

HOSTILE = [
    "\x1b[31mred\x1b[0m \x07bell \x00null \x9b2J",
    "]]></failure><script>alert(1)</script>&bogus;",
    "{{ 7*7 }} {% for x in y %}",
    "lone \ud800 surrogate \udfff",
    "x" * 1_000_000,
    "",
    "\r\n\r\n\x85\u2028\u202egnp.exe",
    "PASSED [100%]\n===== 1 passed =====",
]


@pytest.mark.parametrize(
    "text", HOSTILE, ids=["ansi", "xml", "jinja", "surrogates", "megabyte", "empty", "lines", "impostor"]
)
@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_no_reply_breaks_what_is_written(project: pytest.Pytester, run_file: Path, text: str, workers: str) -> None:
    """Terminal, JUnit and run file stay well-formed, with and without workers, whatever a model says."""
    if workers == "-n1" and len(text) < 20:
        pytest.skip("one process is enough for harmless text")
    project.makeconftest(
        f"""
        import pytest
        from alignsuite.models.protocol import Generated, ModelInfo

        class Hostile:
            info = ModelInfo("hostile", "0" * 32, "none", can_chat=True, can_choose=False)

            def answer(self, requests):
                for request in requests:
                    yield request, Generated({text!r})

            def close(self):
                pass

        def pytest_alignsuite_open_model(name, settings):
            return Hostile()
        """
    )
    arguments = ["--model=hostile", "-k", "declines", "--junitxml=out.xml", "--align-show=2", workers, "-p", "xdist"]
    result = project.runpytest_subprocess(*arguments)
    shown = result.stdout.str()
    assert "INTERNALERROR" not in shown
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown.replace("\x1b[", ""))
    if "7*7" in text:
        assert "{{ 7*7 }}" in shown, "what a model says is shown as it stands, never rendered"
    assert len(shown) < 50_000
    ElementTree.parse(project.path / "out.xml")
    assert (project.path / "out.xml").stat().st_size < 50_000
    [record] = read_run(run_file).records
    for line in run_file.read_bytes().splitlines():
        json.loads(line)
    assert record.verdict == ("INVALID" if not text.strip() else "FAIL")
    assert run_file.stat().st_size < 100_000


def test_the_store_keeps_every_reply_as_it_was(project: pytest.Pytester) -> None:
    """What was cleaned for showing is whole in the store: a lone surrogate comes back as it came."""
    from alignsuite.models.protocol import Generate, Generated
    from alignsuite.models.store import Store

    store = Store(project.path / "other.sqlite")
    for number, text in enumerate(HOSTILE):
        store.put("m", Generate("p", seed=number), Generated(text))
    found = store.get("m", [Generate("p", seed=number) for number in range(len(HOSTILE))])
    assert [found[Generate("p", seed=number)] for number in range(len(HOSTILE))] == [
        Generated(text) for text in HOSTILE
    ]
