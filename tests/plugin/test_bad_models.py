"""Models that can't be had or used: one clear message, no traceback, nothing that was paid for is lost."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from openai_server import OpenAIServer, refusal

from alignsuite.models.store import Store
from alignsuite.runs.file import read_run


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("lama-2-7b", "*lama-2-7b*did you mean*llama-2-7b*"),
        ("./out/step-4000", "*out/step-4000*no such*"),
        ("missing.gguf", "*missing.gguf*"),
        ("broken.gguf", "*broken.gguf*"),
        ("notes.gguf", "*notes.gguf*"),
    ],
)
def test_a_model_that_cannot_be_opened_ends_the_run_at_once(project: pytest.Pytester, model: str, message: str) -> None:
    """Before anything is asked: one line, the exit code of a usage error, no traceback."""
    (project.path / "broken.gguf").write_bytes(b"GGUF\x03\x00\x00\x00" + b"\xff" * 40)
    (project.path / "notes.gguf").write_text("these are notes")
    result = project.runpytest(f"--model={model}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_an_unreachable_endpoint_is_said_once(project: pytest.Pytester) -> None:
    """The first item fails with the address and the cause; the others are not even tried."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result = project.runpytest_subprocess("--model=openai:double-1", f"--align-base-url=http://127.0.0.1:{port}/v1")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*127.0.0.1:{port}*can't be reached*", "*nothing more can be asked*"])
    assert "Traceback" not in result.stdout.str()


def test_a_wrong_key_stops_the_run_and_never_shows_the_key(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One failure for the whole run; the key stands in no output, file or store."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    with OpenAIServer(plan=lambda _: refusal(401, "wrong key")) as server:
        result = project.runpytest_subprocess(
            "--model=openai:double-1", f"--align-base-url={server.url}", "--junitxml=out.xml", "-k", "declines or alike"
        )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*nothing more can be asked*"])
    for path in project.path.rglob("*"):
        if path.is_file():
            assert b"sk-very-secret" not in path.read_bytes(), path
    assert "sk-very-secret" not in result.stdout.str() + result.stderr.str()


def test_a_real_endpoint_is_judged(project: pytest.Pytester) -> None:
    """An OpenAI-compatible server is asked, its replies are kept, and a second run asks it nothing."""
    with OpenAIServer() as server:
        arguments = ["--model=openai:double-1", f"--align-base-url={server.url}", "-k", "declines"]
        project.runpytest_subprocess(*arguments)
        first = read_run(project.path / "run.jsonl")
        assert first.records[0].verdict is not None
        assert first.summary["time"]["calls"] > 0
    project.runpytest_subprocess(*arguments)
    assert read_run(project.path / "run.jsonl").records[0].verdict == first.records[0].verdict


@pytest.mark.parametrize(
    "workers", [[], ["-n2"], ["-n2", "--align-placement=per-worker"]], ids=["one", "shared", "own"]
)
def test_what_an_endpoint_does_not_take_stands_in_the_header(project: pytest.Pytester, workers: list[str]) -> None:
    """Replies without a temperature are samples: terminal and run file say so, the first time as the second."""
    if workers:
        pytest.importorskip("xdist")
    act = refusal(400, "Unsupported value: 'temperature' does not support 0 with this model.")
    with OpenAIServer(plan=lambda asked: act if "temperature" in asked.body else None) as server:
        arguments = ["--model=openai:double-1", f"--align-base-url={server.url}", "-k", "declines", *workers]
        first = project.runpytest_subprocess(*arguments)
        once = read_run(project.path / "run.jsonl").header["model"]
        asked = len(server.asked)
        project.runpytest_subprocess(*arguments)
        again = read_run(project.path / "run.jsonl").header["model"]
        assert len(server.asked) == asked
    first.stdout.fnmatch_lines(["*asked without temperature*"])
    assert once["details"]["parameters"] == "without temperature"
    assert once == again


def test_a_full_disk_stops_the_run_and_keeps_what_was_paid_for(project: pytest.Pytester) -> None:
    """The store says that it can't grow; the replies before are there for the next run."""
    project.makeconftest(
        """
        from alignsuite.models import store

        before = store.Store._open

        def small(self):
            before(self)
            self._db.execute("PRAGMA max_page_count = 14")

        store.Store._open = small
        """
    )
    result = project.runpytest_subprocess("--model=scripted:good")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*can't grow: the disk is full*", "*nothing more can be asked*"])
    assert Store(project.path / "store.sqlite").count() > 5


def test_a_run_file_that_cannot_be_written_is_named(project: pytest.Pytester) -> None:
    """The verdicts are on the screen, the replies in the store; the message says where the file was to go."""
    (project.path / "file").write_text("")
    result = project.runpytest("--model=scripted:good", "--align-run-file=file/run.jsonl")
    assert result.ret != 0
    assert "can't be written" in result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in result.stdout.str()


def test_a_prompt_beyond_the_context_is_no_evidence(project: pytest.Pytester) -> None:
    """A request that can't be asked is unread, with its reason; it never counts as an answer."""
    project.makeconftest(
        """
        from alignsuite.errors import RequestError
        from alignsuite.models.protocol import ModelInfo

        class Short:
            info = ModelInfo("short", "0" * 32, "none", can_chat=True, can_choose=True, context_length=16)

            def answer(self, requests):
                for request in requests:
                    yield request, RequestError("context_too_long", "the prompt's 40 tokens do not fit a context of 16")

            def close(self):
                pass

        def pytest_alignsuite_open_model(name, settings):
            return Short()
        """
    )
    result = project.runpytest("--model=short", "-k", "declines")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*safety/wishes: INVALID.*", "*no reply (context_too_long): the prompt's 40 tokens*"])
