"""Generate by a Transformers model: each reply is the one that the request alone would have got."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.engines.transformers import loaded as transformers_loaded
from alignsuite.models.engines.transformers.continuous import write_continuously
from alignsuite.models.engines.transformers.engine import TransformersModel, length_batch, open_transformers
from alignsuite.models.engines.transformers.write import Ends, Job, before_stop, write
from alignsuite.models.protocol import Generate, Generated, Message

from .transformers_folders import Kind, change_json

PROMPTS = (
    "The baker",
    "A lazy dog jumps over the quick brown fox and",
    "Some things",
    "Please answer with the letter of",
    "I",
)


def opened(folder: Path, **options: Any) -> TransformersModel:
    """A model on the CPU with one thread."""
    return open_transformers(folder, cache=folder.parent / "cache", device="cpu", threads=1, **options)


def texts(model: TransformersModel, requests: list[Generate]) -> dict[Generate, str]:
    """The text of each reply; no request fails."""
    found = {}
    for request, reply in model.answer(requests):
        assert isinstance(reply, Generated), reply
        assert isinstance(request, Generate)
        found[request] = reply.text
    return found


@pytest.fixture(scope="module")
def loaded(checkpoint: Callable[..., Path]) -> Callable[[Kind], TransformersModel]:
    """The model of each architecture, loaded once for all tests that change nothing in it."""
    return functools.cache(lambda kind: opened(checkpoint(kind)))


@pytest.mark.parametrize("kind", ["llama", "gpt2", "opt", "bloom", "mamba", "t5"])
def test_a_batch_writes_what_plain_generate_writes_alone(
    checkpoint: Callable[..., Path], loaded: Callable[[Kind], TransformersModel], kind: Kind
) -> None:
    """Prompts of different lengths and limits in one padded batch, against the library's own greedy decoding of each."""
    auto: Any = AutoModelForSeq2SeqLM if kind == "t5" else AutoModelForCausalLM
    plain, tokenizer = auto.from_pretrained(checkpoint(kind)).eval(), AutoTokenizer.from_pretrained(checkpoint(kind))
    requests = [Generate(prompt, max_tokens=4 + 3 * place) for place, prompt in enumerate(PROMPTS)]
    for request, text in texts(loaded(kind), requests).items():
        given = tokenizer(str(request.prompt), return_tensors="pt")
        ids = plain.generate(
            input_ids=given["input_ids"],
            attention_mask=given["attention_mask"],
            max_new_tokens=request.max_tokens,
            do_sample=False,
        )[0]
        start = 1 if kind == "t5" else given["input_ids"].shape[1]
        assert text.strip() == tokenizer.decode(ids[start:], skip_special_tokens=True).strip()


def test_what_the_checkpoint_likes_to_do_is_put_aside(
    loaded: Callable[[Kind], TransformersModel], own_checkpoint: Callable[..., Path]
) -> None:
    """A generation configuration that samples and punishes repetition changes no greedy reply."""
    requests = [Generate(prompt, max_tokens=12) for prompt in PROMPTS]
    expected = texts(loaded("llama"), requests)
    other = own_checkpoint("llama")
    change_json(other / "generation_config.json", do_sample=True, temperature=1.8, repetition_penalty=1.9, top_k=3)
    assert texts(opened(other), requests) == expected


def test_a_sample_depends_on_its_seed_and_not_on_its_neighbours(loaded: Callable[[Kind], TransformersModel]) -> None:
    """Sampled alone, in company, and again: the same text for a seed, other texts for other seeds."""
    model = loaded("llama")
    requests = [Generate("The baker", max_tokens=8, temperature=1.0, seed=seed) for seed in range(6)]
    company: list[Generate] = [*requests, *(Generate(prompt, max_tokens=8) for prompt in PROMPTS)]
    together = texts(model, company)
    alone = {request: text for one in requests for request, text in texts(model, [one]).items()}
    assert {request: together[request] for request in requests} == alone
    assert len(set(alone.values())) > 3


def test_samples_follow_the_model_s_distribution(checkpoint: Callable[..., Path]) -> None:
    """One token, 600 seeds, temperature 2: the shares of the likeliest tokens are the softmax's, within five standard errors."""
    model = opened(checkpoint("gpt2"))
    plain: Any = AutoModelForCausalLM.from_pretrained(checkpoint("gpt2")).eval()
    ids = model._text.prompt("The baker")
    with torch.no_grad():
        shares = (plain(torch.tensor([ids])).logits[0, -1].double() / 2.0).softmax(-1)
    jobs = [Job(Generate("The baker", max_tokens=1, temperature=2.0, seed=seed), ids) for seed in range(600)]
    written = write(plain, jobs, Ends((1,), 1), decode=model._text.decode, stopped=lambda: None)
    for token in shares.topk(5).indices.tolist():
        share = float(shares[token])
        seen = sum(one.tokens == [token] for one in written) / 600
        assert abs(seen - share) < 5 * math.sqrt(share * (1 - share) / 600)


def test_a_stop_string_ends_the_text_before_it(loaded: Callable[[Kind], TransformersModel]) -> None:
    """The text is cut, the finish is `stop`, and no more tokens are paid for than it took."""
    model = loaded("llama")
    whole = texts(model, [Generate("The baker", max_tokens=30)]).popitem()[1]
    stop = whole[6:8]
    ((_, reply), (_, other)) = model.answer(
        [Generate("The baker", max_tokens=30, stop=(stop,)), Generate("The baker", max_tokens=29)]
    )
    assert isinstance(reply, Generated)
    assert reply.text == whole[: whole.index(stop)]
    assert reply.finish == "stop"
    assert reply.completion_tokens < 30
    assert isinstance(other, Generated)
    assert (other.finish, other.completion_tokens) == ("length", 29)


def test_an_end_token_finishes_a_row(own_checkpoint: Callable[..., Path]) -> None:
    """The token that the model writes third is made its end token: three tokens, `stop`."""
    folder = own_checkpoint("llama")
    model = opened(folder)
    ((_, first),) = model.answer([Generate("The baker", max_tokens=12)])
    plain: Any = AutoModelForCausalLM.from_pretrained(folder)
    ids = torch.tensor([model._text.prompt("The baker")])
    third = int(plain.generate(ids, max_new_tokens=3, do_sample=False)[0, -1])
    change_json(folder / "generation_config.json", eos_token_id=[1, third])
    ((_, reply),) = opened(folder).answer([Generate("The baker", max_tokens=12)])
    assert isinstance(first, Generated)
    assert isinstance(reply, Generated)
    assert (first.finish, first.completion_tokens) == ("length", 12)
    assert (reply.finish, reply.completion_tokens <= 3) == ("stop", True)


def test_full_memory_halves_the_batch_and_loses_nothing(
    checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device on which more than three rows don't fit answers all the same, and the size stays down."""
    model = opened(checkpoint("llama"))
    requests = [Generate(f"{prompt} {number}", max_tokens=6) for number in range(4) for prompt in PROMPTS]
    expected = texts(model, requests)
    sizes = []

    def small(loaded: Any, jobs: Any, *given: Any, **named: Any) -> Any:
        sizes.append(len(jobs))
        if len(jobs) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return write(loaded, jobs, *given, **named)

    monkeypatch.setattr(transformers_loaded, "write", small)
    assert texts(model, requests) == expected
    assert sizes[0] == len(requests)
    assert sizes[-1] <= 3
    sizes.clear()
    assert texts(model, requests) == expected
    assert max(sizes) <= 3


def test_one_request_that_never_fits_fails_alone(
    checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory that is full with one row is that request's failure; an error of another kind is nobody's to hide."""
    model = opened(checkpoint("llama"))

    def full(loaded: Any, jobs: Any, *given: Any, **named: Any) -> Any:
        if any(job.request.max_tokens > 50 for job in jobs):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return write(loaded, jobs, *given, **named)

    monkeypatch.setattr(transformers_loaded, "write", full)
    requests = [Generate("The baker", max_tokens=tokens) for tokens in (3, 60, 4)]
    replies = dict(model.answer(requests))
    failed = replies[requests[1]]
    assert isinstance(failed, RequestError)
    assert failed.kind == "context_too_long"
    assert all(isinstance(replies[requests[place]], Generated) for place in (0, 2))
    monkeypatch.setattr(transformers_loaded, "write", lambda *given, **named: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(model.answer(requests))


def test_numbers_that_are_nan_are_no_text(checkpoint: Callable[..., Path]) -> None:
    """A row of NaN would decode to some token or other: it is told instead, and the rows beside it stand."""
    model = opened(checkpoint("llama"))
    good = Generate("The baker", max_tokens=4)
    expected = texts(model, [good])
    assert model._loaded is not None
    with torch.no_grad():
        model._loaded._model.get_input_embeddings().weight[model._text.prompt("~")[-1]] = math.nan
    bad = Generate("What ~ is", max_tokens=4)
    replies = dict(model.answer([bad, good]))
    failed, other = replies[bad], replies[good]
    assert isinstance(failed, RequestError)
    assert failed.kind == "bad_answer"
    assert isinstance(other, Generated)
    assert other.text == expected[good]


def test_continuous_batching_writes_the_same(checkpoint: Callable[..., Path]) -> None:
    """What runs on a GPU is tried here on the CPU: the same tokens as padded batches, samples left to them."""
    model = opened(checkpoint("llama"))
    texts(model, [Generate("I", max_tokens=1)])
    assert model._loaded is not None
    weights, ends = model._loaded._model, model._loaded._ends
    requests = [Generate(prompt, max_tokens=3 + place) for place, prompt in enumerate(PROMPTS)]
    jobs = [Job(request, model._text.prompt(request.prompt)) for request in requests]
    sampled = Job(Generate("I", temperature=1.0), model._text.prompt("I"))
    *found, left = write_continuously(weights, [*jobs, sampled], ends, stopped=lambda: None)
    assert left is None
    assert found == write(weights, jobs, ends, decode=model._text.decode, stopped=lambda: None)
    model._loaded.continuous = True
    many = [Generate(f"{prompt} {number}", max_tokens=5) for number in range(2) for prompt in PROMPTS]
    with_it = texts(model, many)
    assert model._loaded.continuous
    model._loaded.continuous = False
    assert with_it == texts(model, many)


def test_continuous_batching_that_breaks_is_left_alone(
    checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attention that it does not know: the padded batches answer, now and from then on."""
    model = opened(checkpoint("llama"))
    requests = [Generate(f"{prompt} {number}", max_tokens=5) for number in range(2) for prompt in PROMPTS]
    expected = texts(model, requests)
    assert model._loaded is not None
    model._loaded.continuous = True

    def broken(*given: Any, **named: Any) -> Any:
        raise ValueError("Implementation eager is not supported for continuous batching.")

    monkeypatch.setattr(transformers_loaded, "write_continuously", broken)
    assert texts(model, requests) == expected
    assert not model._loaded.continuous


def test_a_leading_space_is_the_model_s_own(loaded: Callable[[Kind], TransformersModel]) -> None:
    """The reply continues a raw prompt: prompt and reply side by side are the text that was written."""
    model = loaded("gpt2")
    prompt, tokens = model._text.prompt("The"), model._text.prompt(" baker is")
    assert model._text.answer(prompt, tokens) == " baker is"


def test_a_conversation_is_continued_after_the_assistant_s_opening(checkpoint: Callable[..., Path]) -> None:
    """A system turn goes through the template; the end of a turn is no part of the text."""
    model = opened(checkpoint("llama", chat=True))
    request = Generate((Message("system", "Be brief."), Message("user", "Is the fox lazy?")), max_tokens=6)
    ((_, reply),) = model.answer([request])
    assert isinstance(reply, Generated)
    assert model.info.can_chat
    assert "<|im" not in reply.text
    assert model._text.decode(model._text.prompt(request.prompt)).startswith("system\nBe brief.")


def test_no_tokens_asked_for_is_no_request(checkpoint: Callable[..., Path]) -> None:
    """`max_tokens` of 0 is refused, and so is a prompt that is over the context together with its reply."""
    model = opened(checkpoint("llama"), context=64)
    replies = dict(
        model.answer([Generate("I", max_tokens=0), Generate("I", max_tokens=63), Generate("I", max_tokens=2)])
    )
    kinds = [reply.kind if isinstance(reply, RequestError) else reply.finish for reply in replies.values()]
    assert sorted(kinds) == ["context_too_long", "length", "unsupported"]
    with pytest.raises(ModelError, match="a context of 600 tokens does not fit; 16 to 512 were wanted"):
        opened(checkpoint("llama"), context=600)


def test_a_batch_is_the_oldest_request_with_those_of_like_length() -> None:
    """Nobody waits for ever, and little is padded; a model that reads padding gets equal lengths only."""
    jobs = [Job(Generate(str(length)), [0] * length) for length in (50, 3, 48, 4, 52, 5, 50)]
    assert [len(job.prompt) for job in length_batch(jobs, 3)] == [48, 50, 50]
    assert jobs[0] in length_batch(jobs, 3)
    assert [len(job.prompt) for job in length_batch(jobs[1:], 3)] == [3, 4, 5]
    assert [len(job.prompt) for job in length_batch(jobs, 3, padded=False)] == [50, 50]
    assert len(length_batch(jobs, 30)) == len(jobs)


def test_an_empty_stop_string_stops_nothing() -> None:
    """Every text holds the empty text."""
    assert before_stop("one", [""]) == ("one", False)
