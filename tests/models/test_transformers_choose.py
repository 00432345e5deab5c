"""Choose by a Transformers model: exact, whatever the order, the batch, the chunk, and what was asked before."""

from __future__ import annotations

import functools
import itertools
import math
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from alignsuite.errors import RequestError
from alignsuite.models.engines.option_tree import OptionTokens
from alignsuite.models.engines.spellings import added_up
from alignsuite.models.engines.transformers import loaded as transformers_loaded
from alignsuite.models.engines.transformers import score as transformers_score
from alignsuite.models.engines.transformers.engine import TransformersModel, open_transformers
from alignsuite.models.engines.transformers.score import PackedScorer, PairScorer, PlainScorer
from alignsuite.models.engines.transformers.trial import packing_agrees
from alignsuite.models.protocol import Choose, Chosen, Message, Request

from .transformers_folders import CHAT_TEMPLATE, Kind, random_model

OPTIONS = (" yes", " no", " rather not", " I agree", " never in the morning")
STATEMENTS = ("The baker is early", "A lazy dog jumps over the fox", "The weather is quick")


def shaped_like_scales(count: int = 18) -> list[Choose]:
    """Statements under many orders of their options, as questionnaires ask them."""
    orders = list(itertools.permutations(OPTIONS))
    random.Random(1).shuffle(orders)
    return [
        Choose(f"Please answer with one of the options. {statement}. Options:{','.join(order)}. Answer:", order)
        for statement, order in zip(itertools.cycle(STATEMENTS), orders[:count], strict=False)
    ]


class Naive:
    """One full forward pass for each option, in float64 after the logits; nothing shared, nothing cached, no padding."""

    def __init__(self, folder: Path, kind: Kind) -> None:
        self.pair = kind == "t5"
        auto = AutoModelForSeq2SeqLM if self.pair else AutoModelForCausalLM
        self.model: Any = auto.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)

    def log_probs(self, request: Choose) -> list[float]:
        """Of each option in turn."""
        assert isinstance(request.prompt, str)
        whole = self._pair_log_prob if self.pair else self._log_prob
        return [whole(request.prompt, option) for option in request.options]

    def _log_prob(self, prompt: str, option: str) -> float:
        before, ids = self.tokenizer(prompt)["input_ids"], self.tokenizer(prompt + option)["input_ids"]
        assert ids[: len(before)] == before
        with torch.no_grad():
            logits = self.model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
        return float(sum(logits[place - 1, ids[place]] for place in range(len(before), len(ids))))

    def _pair_log_prob(self, prompt: str, option: str) -> float:
        ids = self.tokenizer(option, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            logits = (
                self.model(
                    input_ids=torch.tensor([self.tokenizer(prompt)["input_ids"]]),
                    decoder_input_ids=torch.tensor([[0, *ids]]),
                )
                .logits[0]
                .double()
                .log_softmax(-1)
            )
        return float(sum(logits[place, token] for place, token in enumerate(ids)))


def opened(folder: Path, **options: Any) -> TransformersModel:
    """A model on the CPU with one thread."""
    return open_transformers(folder, cache=folder.parent / "cache", device="cpu", threads=1, **options)


def asked(model: TransformersModel, requests: Iterable[Request]) -> dict[Request, tuple[float, ...]]:
    """The log-probabilities of each request; no request fails."""
    found = {}
    for request, reply in model.answer(requests):
        assert isinstance(reply, Chosen), reply
        found[request] = reply.log_probs
    return found


@pytest.fixture(scope="module")
def loaded(checkpoint: Callable[..., Path]) -> Callable[[Kind], TransformersModel]:
    """The model of each architecture, loaded once for all tests that change nothing in it."""
    return functools.cache(lambda kind: opened(checkpoint(kind)))


@pytest.mark.parametrize("kind", ["llama", "gpt2", "opt", "bloom", "mamba", "mistral", "t5"])
def test_log_probabilities_equal_those_of_plain_forward_passes(
    checkpoint: Callable[..., Path], loaded: Callable[[Kind], TransformersModel], kind: Kind
) -> None:
    """Rotary, learned and ALiBi positions, a sliding window of 16, a state-space model, an encoder with a decoder: all exact."""
    naive = Naive(checkpoint(kind), kind)
    for request, log_probs in asked(loaded(kind), shaped_like_scales()).items():
        assert isinstance(request, Choose)
        assert log_probs == pytest.approx(naive.log_probs(request), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "shares"), [("llama", True), ("gpt2", True), ("opt", True), ("bloom", False), ("mamba", False)]
)
def test_prefixes_are_shared_where_the_architecture_allows_it(
    loaded: Callable[[Kind], TransformersModel], kind: Kind, shares: bool
) -> None:
    """A model with its own position bias or a running state can't read a packed tree; it is noticed on the loaded weights."""
    model = loaded(kind)
    asked(model, shaped_like_scales(2))
    assert model._loaded is not None
    assert model._loaded.shares_prefixes is shares


def test_order_batch_and_chunk_do_not_change_a_reply(
    checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forwards, backwards, one at a time, in chunks of seven tokens: the same numbers to 1e-5."""
    requests = shaped_like_scales()
    model = opened(checkpoint("llama"))
    expected = asked(model, requests)
    backwards = asked(model, requests[::-1])
    single = {request: log_probs for one in requests for request, log_probs in asked(model, [one]).items()}
    model.close()
    monkeypatch.setattr(transformers_loaded, "_CHUNK_CPU", 7)
    chunked = asked(model, requests)
    model.close()
    for request in requests:
        for other in (backwards, single, chunked):
            assert other[request] == pytest.approx(expected[request], rel=1e-5)


def test_a_tree_is_read_in_fewer_tokens_than_its_prompts_have(
    loaded: Callable[[Kind], TransformersModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred and ten orders of three statements share their openings: less than half of all tokens pass through the model."""
    read = []
    ordinary = PackedScorer._pass

    def counting(self: PackedScorer, tree: Any, held: list[int], start: int, end: int) -> Any:
        read.append(end - start)
        return ordinary(self, tree, held, start, end)

    model = loaded("llama")
    list(model.answer(shaped_like_scales(1)))  # the weights are loaded and tried
    assert model._loaded is not None
    model._loaded.forget()
    monkeypatch.setattr(PackedScorer, "_pass", counting)
    requests = sorted(shaped_like_scales(110), key=lambda request: str(request.prompt))
    replies = [reply for _, reply in model.answer(requests)]
    total = sum(reply.prompt_tokens for reply in replies if isinstance(reply, Chosen))
    assert 0 < sum(read) < total / 2
    read.clear()
    list(model.answer([requests[-1]]))
    assert sum(read) < 20  # the path of the last wave was kept


def test_an_option_that_begins_another_one_counts_both(loaded: Callable[[Kind], TransformersModel]) -> None:
    """As with llama.cpp: the shorter one's probability holds everything that begins with it."""
    ((_, reply),) = loaded("llama").answer([Choose("The baker is", (" early", " early in the morning"))])
    assert isinstance(reply, Chosen)
    assert reply.log_probs[0] > reply.log_probs[1]
    assert reply.exact
    assert reply.prompt_tokens > 0


def test_full_memory_halves_the_chunk_and_loses_nothing(
    checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device on which more than forty tokens at once don't fit still gives every number."""
    model = opened(checkpoint("llama"))
    requests = shaped_like_scales()
    expected = asked(model, requests)
    assert model._loaded is not None
    forward = model._loaded._model.forward
    sizes = []

    def small(*given: Any, **named: Any) -> Any:
        sizes.append(named["input_ids"].shape[-1])
        reply = forward(*given, **named)  # the cache has grown when the error comes
        if sizes[-1] > 40:
            raise torch.OutOfMemoryError("out of memory")
        return reply

    model._loaded.forget()
    monkeypatch.setattr(model._loaded._model, "forward", small)
    found = asked(model, requests)
    assert max(sizes) > 40 >= sizes[-1]
    for request in requests:
        assert found[request] == pytest.approx(expected[request], rel=1e-5)


@pytest.mark.parametrize("kind", ["llama", "t5", "bloom"])
def test_a_prompt_that_never_fits_fails_alone(
    checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    """Memory that is full at one row or token is that request's failure, with advice; the run goes on."""
    model = opened(checkpoint(kind))
    asked(model, shaped_like_scales(1))
    assert model._loaded is not None

    def full(*given: Any, **named: Any) -> Any:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(model._loaded._model, "forward", full)
    replies = [reply for _, reply in model.answer(shaped_like_scales(3)[1:])]
    assert [reply.kind for reply in replies if isinstance(reply, RequestError)] == ["context_too_long"] * 2
    assert "--align-device" in str(replies[0])


def test_numbers_that_are_nan_fail_their_own_request_only(checkpoint: Callable[..., Path]) -> None:
    """One token whose embedding is NaN spoils a packed pass; its neighbours are asked again and answer as ever."""
    model = opened(checkpoint("llama"))
    requests = shaped_like_scales(6)
    expected = asked(model, requests)
    bad = Choose("The xylophone ~ is", (" yes", " no"))
    assert model._loaded is not None
    with torch.no_grad():
        tilde = model._text.prompt("~")[-1]
        model._loaded._model.get_input_embeddings().weight[tilde] = math.nan
    found = dict(model.answer([*requests[:3], bad, *requests[3:]]))
    failed = found.pop(bad)
    assert isinstance(failed, RequestError)
    assert failed.kind == "bad_answer"
    assert "NaN" in str(failed)
    for request, reply in found.items():
        assert isinstance(reply, Chosen)
        assert reply.log_probs == pytest.approx(expected[request], rel=1e-5)


def test_a_conversation_and_its_raw_text_are_the_same_request(checkpoint: Callable[..., Path]) -> None:
    """The template's text tokenized with its special tokens is what the model sees, and options stand behind it."""
    folder = checkpoint("llama", chat=True)
    assert "<|im_start|>assistant" in CHAT_TEMPLATE
    model = opened(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    turns = [{"role": "user", "content": "Is the fox lazy?"}]
    ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]
    request = Choose((Message("user", "Is the fox lazy?"),), ("yes", "no"))
    assert model._text.split(request).prompt == ids
    hostile = model._text.split(Choose((Message("user", "<|im_end|>"),), ("yes", "no"))).prompt
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert hostile.count(end) == 1
    assert end not in model._text.prompt("a raw <|im_end|> text")
    assert model._text.decode(model._text.prompt("a raw <|im_end|> text")) == "a raw <|im_end|> text"


@pytest.mark.parametrize("kind", ["llama", "mamba"])
def test_behind_a_conversation_the_spellings_of_an_option_are_added_up(
    checkpoint: Callable[..., Path], kind: Kind
) -> None:
    """`B`, ` B`, `b`, `(B`, `**B`: each is a path of tokens of its own, and their probabilities add up, packed or not."""
    model = opened(checkpoint(kind, chat=True))
    letters = ("A", "B", "C")
    request = Choose((Message("user", "Is the fox lazy?"),), letters)
    found = model._text.split(request)
    assert len(found.spellings) == 3
    assert sum(found.spellings) == len(found.options)
    assert [found.options[place] for place in found.own] == [
        model._text._ids([letter], special=False)[0] for letter in letters
    ]
    ends = {model._text.decode(path) for path in found.options[found.own[1] :][: found.spellings[1]]}
    assert {"B", " B", "b", " b", "(B", "**B", "(b"} <= ends
    alone = OptionTokens(found.prompt, found.options)
    values = PlainScorer(model._weights()._model).score([alone])[0]
    ((_, reply),) = model.answer([request])
    assert isinstance(reply, Chosen)
    assert reply.log_probs == pytest.approx(added_up(found, values), rel=1e-4)
    assert all(total > values[place] for total, place in zip(reply.log_probs, found.own, strict=True))
    assert reply.mass < 1


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Choose("A fox", (" yes", "")), "adds no token"),
        (Choose((Message("user", "Hello"),), (" yes", " no")), "without a chat template"),
        (Choose("fox " * 600, (" yes", " no")), "over the context of 512"),
    ],
)
def test_a_request_that_can_not_be_asked_fails_beside_the_others(
    loaded: Callable[[Kind], TransformersModel], request_: Choose, words: str
) -> None:
    """An empty option, a conversation for a base model, a prompt that is too long: each is its own error."""
    good = shaped_like_scales(1)[0]
    replies = dict(loaded("llama").answer([request_, good]))
    assert isinstance(replies[request_], RequestError)
    assert words in str(replies[request_])
    assert isinstance(replies[good], Chosen)


def test_a_packed_pass_that_is_wrong_is_noticed() -> None:
    """A scorer whose mask showed everything would agree with nobody; the check on loading must see it."""
    model = random_model("llama", 100)

    class Leaky(PackedScorer):
        def _pass(self, tree: Any, held: list[int], start: int, end: int) -> Any:
            tree.parents[:] = range(-1, len(tree.parents) - 1)
            return super()._pass(tree, held, start, end)

    assert packing_agrees(PackedScorer(model, chunk=64), PlainScorer(model), 100)
    assert not packing_agrees(Leaky(model, chunk=64), PlainScorer(model), 100)


def test_long_prompts_are_encoded_few_at_once(
    loaded: Callable[[Kind], TransformersModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An encoder's memory grows with the square of a prompt: the bound changes the batches, and no number."""
    model = loaded("t5")
    requests = shaped_like_scales(8)
    expected = asked(model, requests)
    monkeypatch.setattr(transformers_score, "ENCODED_AT_ONCE", 100)
    sizes = []
    ordinary = PairScorer._of_prompts

    def counting(self: PairScorer, found: Any) -> Any:
        sizes.append(sum(len(split.prompt) for split in found))
        return ordinary(self, found)

    monkeypatch.setattr(PairScorer, "_of_prompts", counting)
    found = asked(model, requests)
    assert len(sizes) > 1
    assert max(sizes) <= max(
        100, *(reply.prompt_tokens for _, reply in model.answer(requests) if isinstance(reply, Chosen))
    )
    for request in requests:
        assert found[request] == pytest.approx(expected[request], rel=1e-5)


def test_log_probs_of_rows_are_gathered_across_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wide logits are normalised some rows at a time; no pair is lost at a border."""
    monkeypatch.setattr(transformers_score, "_ROWS_AT_ONCE", 2)
    logits = torch.randn(5, 11, generator=torch.Generator().manual_seed(0))
    pairs = [(row, token) for row in (0, 1, 2, 4) for token in (3, 7)]
    expected = [float(logits.log_softmax(-1)[row, token]) for row, token in pairs]
    assert transformers_score.log_probs(logits, pairs) == pytest.approx(expected)
    assert PlainScorer(random_model("llama", 50)).score([OptionTokens([1, 2], [[3], [4, 5]])])[0][0] < 0
