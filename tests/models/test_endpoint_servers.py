"""The endpoint engine against servers that other people wrote: llama.cpp's own, and `transformers serve`."""

from __future__ import annotations

import importlib.util
import math
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.engines.endpoint.engine import open_endpoint
from alignsuite.models.protocol import Choose, Chosen, Generate, Generated, Message, Reply, Request


def chat(text: str, **fields: Any) -> Generate:
    """A conversation of one turn."""
    return Generate((Message("user", text),), **fields)


def letters(text: str, options: tuple[str, ...] = ("A", "B")) -> Choose:
    """A question in chat."""
    return Choose((Message("user", text),), options)


def ask(url: str, model: str, requests: Sequence[Request], **options: Any) -> list[Reply | RequestError]:
    """Replies in the order of the requests."""
    opened = open_endpoint(model, base_url=url, api_key=None, **options)
    try:
        replies = dict(opened.answer(iter(requests)))
    finally:
        opened.close()
    return [replies[request] for request in requests]


def text_of(reply: Reply | RequestError) -> str:
    """The reply's text, which must be one."""
    assert isinstance(reply, Generated), reply
    return reply.text


def values_of(reply: Reply | RequestError) -> tuple[float, ...]:
    """The reply's log-probabilities, which must be there."""
    assert isinstance(reply, Chosen), reply
    return reply.log_probs


# -------------------------------------------------------------------------------- llama.cpp


@pytest.fixture(scope="module")
def llama_url(smollm2_path: Path) -> Iterator[str]:
    """The URL of a llama.cpp server with SmolLM2-135M-Instruct."""
    xllamacpp = pytest.importorskip("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(smollm2_path)
    params.n_ctx, params.n_parallel, params.verbosity = 1024, 2, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server


def test_llama_cpp_writes_and_chooses(llama_url: str) -> None:
    """What the double does is what llama.cpp does: chat, raw text, letters in chat, and raw options without echo."""
    requests = [
        chat("What is the capital of France?", max_tokens=8),
        Generate("The capital of France is", max_tokens=4, stop=("\n",)),
        letters("Answer with one letter, A or B. Which comes first in the alphabet?"),
        Choose("The capital of France is", (" Paris", " London", " Xylophone")),
    ]
    talk, text, letter, city = ask(llama_url, "smollm2", requests)
    assert text_of(talk)
    assert text_of(text).startswith(" Paris")
    assert isinstance(talk, Generated)
    assert (talk.finish, talk.completion_tokens) == ("length", 8)
    assert -math.inf < values_of(letter)[0] < 0  # a model this small may leave B out of its twenty likeliest
    paris, london, xylophone = values_of(city)
    assert 0 > paris > london > xylophone
    assert xylophone == -math.inf


def test_llama_cpp_refuses_what_is_too_long(llama_url: str) -> None:
    """Its own words for it are understood, and one refused request leaves the rest alone."""
    long, short = ask(llama_url, "smollm2", [chat("hello " * 3000), chat("Say hi.", max_tokens=2)])
    assert isinstance(long, RequestError)
    assert long.kind == "context_too_long"
    assert isinstance(short, Generated)


def test_llama_cpp_and_its_own_text_agree(llama_url: str) -> None:
    """Of the letters, the one that greedy decoding writes is the one with the highest log-probability."""
    question = "Answer with one letter. Which is a fruit?\nA. apple\nB. brick\nAnswer:"
    asked = [chat(question, max_tokens=1), letters(question, ("A", "B", "C"))]
    written, chosen = ask(llama_url, "smollm2", asked)
    values = dict(zip(("A", "B", "C"), values_of(chosen), strict=True))
    assert any(value > -math.inf for value in values.values())
    if text_of(written).strip() in values:
        assert max(values, key=lambda letter: values[letter]) == text_of(written).strip()


def test_llama_cpp_answers_forty_at_once_each_with_its_own(llama_url: str) -> None:
    """More connections than it has slots: it queues them, the limiter lets them, and nothing is mixed up or lost."""
    requests = [Generate(f"{n}, {n + 1}, {n + 2},", max_tokens=3) for n in range(40)]
    texts = [text_of(reply) for reply in ask(llama_url, "smollm2", requests)]
    assert sum(str(n + 3) in text for n, text in enumerate(texts)) > 20


def test_one_llama_cpp_under_two_names_is_two_places(llama_url: str) -> None:
    """Several base URLs of real servers, one of them gone: it is left out, and the replies are those of the other."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
    said: list[str] = []
    urls = f"{gone},{llama_url},{llama_url.replace('127.0.0.1', 'localhost')}"
    replies = ask(urls, "smollm2", [Generate(f"Item {n}:", max_tokens=2) for n in range(12)], tell=said.append)
    assert all(isinstance(reply, Generated) for reply in replies)
    assert [line.partition(" is left out")[0] for line in said] == [gone]


# -------------------------------------------------------------------------------- transformers serve


@pytest.fixture(scope="module")
def served_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """URL and name of a tiny random Llama under `transformers serve`, in a process of its own on loopback."""
    for module in ("transformers", "torch", "fastapi", "uvicorn"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"needs {module}: pip install 'transformers[serving]' torch")
    from .transformers_folders import write_folder

    folder = str(write_folder(tmp_path_factory.mktemp("served") / "tiny", "llama", chat=True))
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    tool = shutil.which("transformers", path=str(Path(sys.executable).parent)) or shutil.which("transformers")
    assert tool is not None, "transformers is installed without its command"
    log = tmp_path_factory.mktemp("log") / "serve.log"
    command = [tool, "serve", folder, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with log.open("wb") as written, subprocess.Popen(command, stdout=written, stderr=written) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1", folder
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert process.poll() is None, log.read_text()[-3000:]
            time.sleep(0.3)
    raise AssertionError(f"transformers serve did not start within two minutes: {log.read_text()[-3000:]}")


def test_transformers_serve_writes(served_folder: tuple[str, str]) -> None:
    """Chat and raw text of a checkpoint folder, several at once, the same twice."""
    url, name = served_folder
    requests = [chat("Say something.", max_tokens=5), Generate("The quick brown", max_tokens=5)]
    requests += [chat(f"Say {n}.", max_tokens=3) for n in range(6)]
    once, again = (ask(url, name, requests) for _ in range(2))
    assert [text_of(reply) for reply in once] == [text_of(reply) for reply in again]
    assert all(isinstance(reply, Generated) and reply.prompt_tokens > 0 for reply in once)
    assert len({text_of(reply) for reply in once}) > 1


def test_transformers_serve_shows_no_log_probabilities_and_is_told_so(served_folder: tuple[str, str]) -> None:
    """A choice is `unsupported` with a way out, and not a guess from the text."""
    url, name = served_folder
    for request in (letters("A or B?"), Choose("The lazy", (" dog", " fox"))):
        (reply,) = ask(url, name, [request])
        assert isinstance(reply, RequestError), reply
        assert (reply.kind, "log-prob" in str(reply)) == ("unsupported", True), reply


def test_transformers_serve_lacks_another_model(served_folder: tuple[str, str]) -> None:
    """It is pinned to the checkpoint it was started with; another name ends the run with one message."""
    url, name = served_folder
    with pytest.raises(ModelError, match="has no model `no-such-model`") as caught:
        ask(url, "no-such-model", [chat(f"Say {n}.") for n in range(50)])
    assert name in str(caught.value)
