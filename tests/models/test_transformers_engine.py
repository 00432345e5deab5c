"""The engine as the broker sees it: opened without weights, fed by an iterator that may block, closed at any moment."""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.engines.transformers import engine as transformers_engine
from alignsuite.models.engines.transformers import memory as transformers_memory
from alignsuite.models.engines.transformers.engine import TransformersModel, open_transformers
from alignsuite.models.engines.transformers.feed import Feed
from alignsuite.models.engines.transformers.floor import batch_floor, usual_requests
from alignsuite.models.protocol import Choose, Chosen, Generate, Generated, Model, Reply, Request
from alignsuite.models.registry import ModelSettings, open_model

from .transformers_folders import change_json


@pytest.fixture(scope="module")
def llama(checkpoint: Callable[..., Path]) -> Path:
    """A folder of a small decoder that chats."""
    return checkpoint("llama", chat=True)


def opened(folder: Path, **options: Any) -> TransformersModel:
    """A model on the CPU with one thread."""
    return open_transformers(folder, **{"cache": folder.parent / "cache", "device": "cpu", "threads": 1, **options})


def test_opening_loads_no_weights(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is known beforehand comes from the configuration, the tokenizer and the hash."""
    monkeypatch.setattr(transformers_engine, "load", lambda *given, **named: pytest.fail("weights were loaded"))
    info = opened(llama).info
    assert isinstance(opened(llama), Model)
    assert (info.can_chat, info.can_choose, info.can_generate, info.context_length) == (True, True, True, 512)
    assert info.engine.startswith("transformers ")
    assert {name: info.details[name] for name in ("architecture", "device", "dtype", "adapter")} == {
        "architecture": "llama", "device": "cpu", "dtype": "float32", "adapter": "",
    }  # fmt: skip


def test_what_changes_answers_changes_the_fingerprint(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights, template, form, type of numbers, versions: each meets a store of its own; a copy elsewhere shares one."""
    first = opened(llama).info.fingerprint
    copy = tmp_path / "copy"
    shutil.copytree(llama, copy)
    assert opened(copy, cache=tmp_path / "cache").info.fingerprint == first
    others = [opened(llama, form="raw").info.fingerprint]
    monkeypatch.setattr(transformers_engine, "pick_dtype", lambda *given: "bfloat16")
    others.append(opened(llama).info.fingerprint)
    monkeypatch.undo()
    monkeypatch.setattr(transformers_engine, "versions", lambda **given: "transformers 99")
    others.append(opened(llama).info.fingerprint)
    monkeypatch.undo()
    (copy / "chat_template.jinja").write_text("{{ messages[0].content }}")
    others.append(opened(copy, cache=tmp_path / "cache").info.fingerprint)
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    others.append(opened(copy, cache=tmp_path / "cache").info.fingerprint)
    assert len({first, *others}) == 6


def test_the_registry_opens_a_folder_with_its_settings(llama: Path, tmp_path: Path) -> None:
    """`--model=FOLDER`: form, device, context and name arrive."""
    settings = ModelSettings(cache=tmp_path / "cache", form="raw", device="cpu", context=100, threads=1)
    info = open_model(str(llama), settings=settings).info
    assert (info.name, info.can_chat, info.context_length, info.details["device"]) == (str(llama), False, 100, "cpu")
    with pytest.raises(ModelError, match="--align-device=gpu: there is no such device"):
        open_model(str(llama), settings=ModelSettings(cache=tmp_path, device="gpu"))


def test_a_batch_does_not_wait_for_requests_that_may_never_come(llama: Path) -> None:
    """The iterator blocks until the first reply is there: a batch that waited to be full would hang for ever."""
    answered = threading.Event()

    def requests() -> Iterator[Request]:
        yield Generate("The baker", max_tokens=2)
        assert answered.wait(60)
        yield Choose("The baker", (" is", " was"))

    model = opened(llama, form="raw")
    kinds = []
    for _, reply in model.answer(requests()):
        kinds.append(type(reply))
        answered.set()
    assert kinds == [Generated, Chosen]


def test_requests_are_read_no_further_ahead_than_can_be_worked_on(llama: Path) -> None:
    """Of ten thousand requests two batches' worth are read before the consumer has taken the first reply."""
    taken = []

    def requests() -> Iterator[Request]:
        for number in range(10_000):
            taken.append(number)
            yield Generate("The baker", max_tokens=1, seed=number)

    model = opened(llama, form="raw")
    replies = model.answer(requests())
    next(replies)
    time.sleep(0.1)
    assert len(taken) <= 64 + 1
    replies.close()  # type: ignore[attr-defined]


def test_every_request_is_answered_once_whatever_its_kind(llama: Path) -> None:
    """Mixed kinds, duplicates in prompt, and failures among them."""
    requests: list[Request] = []
    for number in range(30):
        requests += [
            Generate(f"The baker {number}", max_tokens=1 + number % 3),
            Choose(f"The baker {number}", (" is", " was")),
            Generate("I", max_tokens=0, seed=number),
        ]
    replies = list(opened(llama, form="raw").answer(requests))
    assert sorted(map(repr, requests)) == sorted(repr(request) for request, _ in replies)
    assert sum(isinstance(reply, RequestError) for _, reply in replies) == 30


def test_what_the_iterator_raises_comes_after_the_replies(llama: Path) -> None:
    """Nothing that was given is lost."""

    def requests() -> Iterator[Request]:
        yield Generate("The baker", max_tokens=2)
        raise KeyError("upstream")

    replies = opened(llama, form="raw").answer(requests())
    assert isinstance(next(replies)[1], Generated)
    with pytest.raises(KeyError, match="upstream"):
        next(replies)


def test_closing_ends_an_answer_under_way(llama: Path) -> None:
    """Within two seconds, though the batch would have taken far longer; and the model can be opened by asking again."""
    model = opened(llama, form="raw")
    list(model.answer([Generate("I", max_tokens=1)]))
    threading.Timer(0.3, model.close).start()
    start = time.monotonic()
    with pytest.raises(ModelError, match="was closed while requests were under way"):
        list(model.answer(Generate("The baker", max_tokens=500, seed=seed) for seed in range(200)))
    assert time.monotonic() - start < 2.3
    model.close()
    assert isinstance(next(iter(model.answer([Generate("I", max_tokens=1)])))[1], Generated)


def test_a_reply_s_seconds_add_up_to_the_time_that_was_paid(llama: Path) -> None:
    """A batch's time is shared out over its requests."""
    model = opened(llama, form="raw")
    list(model.answer([Generate("I", max_tokens=1)]))
    start = time.perf_counter()
    replies = [reply for _, reply in model.answer([Generate("I", max_tokens=20, seed=seed) for seed in range(8)])]
    seconds = sum(reply.seconds for reply in replies if isinstance(reply, Reply))
    assert 0 < seconds <= time.perf_counter() - start


def test_the_floor_of_company_is_measured(llama: Path) -> None:
    """On float32 numbers it is a rounding error, not zero by construction: a model that looks at its neighbours shows."""
    floor = opened(llama, form="raw").batch_floor(usual_requests()[::3])
    assert (floor.options, floor.texts) == (15, 5)
    assert 0 <= floor.log_prob < 1e-3
    assert 0 <= floor.text <= 0.2

    def gregarious(requests: Any) -> Iterator[tuple[Request, Reply]]:
        asked = list(requests)
        for request in asked:
            chosen = Chosen((-1.0 - len(asked), -2.0, -3.0))
            yield request, chosen if isinstance(request, Choose) else Generated(str(len(asked)))

    found = batch_floor(gregarious, lambda: None)
    assert (found.log_prob, found.text) == (29.0, 1.0)
    assert math.isnan(batch_floor(gregarious, lambda: None, []).text)


def test_the_length_of_the_context_is_the_model_s(checkpoint: Callable[..., Path]) -> None:
    """T5 counts distances, not positions, so it has no limit of its own; 4 096 is taken."""
    assert opened(checkpoint("t5")).info.context_length == 4096
    assert opened(checkpoint("t5"), context=9000).info.context_length == 9000


def test_main_memory_bounds_a_batch_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full main memory can't be caught: 7B of Llama 2 with 4 096 tokens in 64 GiB is a handful of rows."""
    llama_2: dict[str, object] = {
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "hidden_size": 4096,
        "vocab_size": 32_000,
    }
    monkeypatch.setattr(
        transformers_memory.os, "sysconf", lambda name: {"SC_AVPHYS_PAGES": 1 << 24, "SC_PAGE_SIZE": 4096}[name]
    )
    assert transformers_memory.rows_that_fit(llama_2, 4096, 4) == 3
    assert transformers_memory.rows_that_fit(llama_2, 128, 4) > 90

    def unknown(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(transformers_memory.os, "sysconf", unknown)
    assert transformers_memory.rows_that_fit(llama_2, 4096, 4) > 1000


def test_a_feed_ends_with_its_iterator() -> None:
    """Everything that was read is handed on, and then it says that it ended."""
    feed = Feed([Generate("a"), Generate("b")], 5)
    assert [request.prompt for request in feed.pull(wait=True)] == ["a", "b"]
    assert feed.ended
    assert feed.pull(wait=True) == []


SUITE = '''
from alignsuite import probe

@probe("psychological/self_description", instrument="dark-27", by="trait", unproved="warn")
def test_scale(replies):
    """Any score will do."""
    assert replies.scale(high=5.0)
'''


def outcomes(result: pytest.RunResult) -> dict[str, int]:
    """What became of the items; how many warnings the libraries gave meanwhile is not counted."""
    return {name: count for name, count in result.parseoutcomes().items() if name != "warnings"}


def test_a_session_over_a_folder_asks_and_replays(
    pytester: pytest.Pytester, own_checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pytest --model=FOLDER`: a shipped prompt set is answered, and a second run needs no model to say the same."""
    llama = own_checkpoint("llama", chat=True)
    change_json(llama / "config.json", max_position_embeddings=2048)
    monkeypatch.setenv("ALIGNSUITE_HOME", str(pytester.path / "home"))
    pytester.makepyfile(SUITE)
    arguments = [f"--model={llama}", "--align-tier=smoke", "--stage=finetuning", "-p", "no:cacheprovider"]
    first = pytester.runpytest_inprocess(*arguments)
    assert outcomes(first) == {"invalid": 3}  # random weights give the options next to no probability: it is noticed
    second = pytester.runpytest_inprocess(*arguments, "--align-replay")
    assert outcomes(second) == {"invalid": 3}
    second.stdout.fnmatch_lines(["0 calls made, *"])
