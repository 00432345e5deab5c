"""Engines in this process hand thoughts on: the mark that a template wrote, special tokens, arguments, room on top of a reply's own."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.engines.chat_template import ChatTemplate
from alignsuite.models.engines.llamacpp import engine as llamacpp
from alignsuite.models.engines.llamacpp.gguf import GgufHeader, read_header
from alignsuite.models.engines.transformers.engine import TransformersModel, open_transformers
from alignsuite.models.protocol import Generate, Generated, Message
from alignsuite.models.thoughts import part

from .conftest import CACHE

THINKS = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% else %}<think>\n{% endif %}"
)
ASK = Generate((Message("user", "Why is <think> open?"),), max_tokens=6)


def generated(model: Any, request: Generate = ASK) -> Generated:
    """The reply to one Generate."""
    [(_, reply)] = model.answer([request])
    assert isinstance(reply, Generated), reply
    return reply


def test_a_template_takes_arguments_that_it_reads_and_no_others() -> None:
    """A slip of the pen is told with the names that the template knows."""
    assert ChatTemplate(THINKS).opening(ASK.prompt) == "<think>\n"  # type: ignore[arg-type]
    off = ChatTemplate(THINKS, arguments={"enable_thinking": False})
    assert off.opening(ASK.prompt) == ""  # type: ignore[arg-type]
    assert off.render([Message("user", "Hi")]).endswith("</think>\n\n")
    with pytest.raises(ModelError, match=r"enable_thinkin=.*it reads enable_thinking"):
        ChatTemplate(THINKS, arguments={"enable_thinkin": False})


@pytest.fixture
def thinker(own_checkpoint: Callable[..., Path]) -> Callable[..., TransformersModel]:
    """Opens a tiny checkpoint whose template opens a thought."""
    folder = own_checkpoint("llama", chat=True)
    (folder / "chat_template.jinja").write_text(THINKS)

    def opened(**options: Any) -> TransformersModel:
        return open_transformers(folder, cache=folder.parent / "cache", device="cpu", threads=1, **options)

    return opened


def test_transformers_says_that_the_template_opened_the_thought(thinker: Callable[..., TransformersModel]) -> None:
    """A reply that was cut is known to be thought; with thinking off it is a reply."""
    reply = generated(thinker())
    assert reply.text.startswith("<think>\n")
    assert part(reply.text).text == ""
    assert not generated(thinker(template_arguments={"enable_thinking": False})).text.startswith("<think>")


def test_transformers_gives_room_on_top_of_a_replys_own_tokens(thinker: Callable[..., TransformersModel]) -> None:
    """In batches as well; a request's own limit stays what it was."""
    assert generated(thinker()).completion_tokens <= 6
    assert 6 < generated(thinker(thinking_tokens=20)).completion_tokens <= 26
    [(_, reply)] = thinker(thinking_tokens=1000).answer([ASK])
    assert isinstance(reply, RequestError)
    assert "lower --align-thinking-tokens" in str(reply)


def test_what_was_given_changes_the_fingerprint_and_nothing_else_does(
    thinker: Callable[..., TransformersModel], own_checkpoint: Callable[..., Path]
) -> None:
    """Replies of another way of asking are kept apart."""
    ways: list[dict[str, Any]] = [
        {}, {"template_arguments": {"enable_thinking": False}}, {"template_arguments": {"enable_thinking": True}}, {"thinking_tokens": 9},
    ]  # fmt: skip
    assert len({thinker(**way).info.fingerprint for way in ways}) == len(ways)
    assert thinker(template_arguments={}, thinking_tokens=0).info.fingerprint == thinker().info.fingerprint


def test_arguments_for_a_template_are_refused_where_none_is_used(thinker: Callable[..., TransformersModel]) -> None:
    """A base model is asked in raw text."""
    with pytest.raises(ModelError, match="is asked in raw text, so --align-template-arg would have no effect"):
        thinker(form="raw", template_arguments={"enable_thinking": False})


def test_transformers_leaves_special_tokens_that_mark_a_thought(own_checkpoint: Callable[..., Path]) -> None:
    """Others are dropped as always."""
    from transformers import AutoTokenizer

    folder = own_checkpoint("llama", chat=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": ["[THINK]", "[/THINK]", "<|im_end|>"]})
    from alignsuite.models.engines.transformers.text import TokenText

    text = TokenText(tokenizer, None, pair=False, name="double")
    tokens = tokenizer.encode("[THINK]never[/THINK]always<|im_end|>", add_special_tokens=False)
    prompt = text.prompt("The weather is")
    assert text.answer(prompt, tokens) == "[THINK]never[/THINK]always"


def test_llama_cpp_hands_thoughts_on_too(smollm2_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The template's mark, arguments, room, special tokens that it would drop, and the fingerprint."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("needs alignsuite[llamacpp]")

    def with_template(path: Path) -> GgufHeader:
        return replace(read_header(path), chat_template=THINKS)

    def opened(**options: Any) -> llamacpp.LlamaCppModel:
        return llamacpp.LlamaCppModel(smollm2_path, cache=CACHE, context=128, threads=1, **options)

    plain = opened().info.fingerprint
    monkeypatch.setattr(llamacpp, "read_header", with_template)
    on, off = opened(thinking_tokens=4), opened(template_arguments={"enable_thinking": False})
    assert len({plain, on.info.fingerprint, off.info.fingerprint, opened().info.fingerprint}) == 4
    reply = generated(on)
    assert reply.text.startswith("<think>\n")
    assert 6 < reply.completion_tokens <= 10
    on.close()
    off._kept = ["<|im_start|>"]
    monkeypatch.setattr(
        llamacpp, "_decoding", lambda request: {"temperature": 0.0, "stop": [], "logit_bias": [[1, 100]]}
    )
    assert generated(off).text == "<|im_start|>" * 6
    off.close()
    with pytest.raises(ModelError, match="in raw text"):
        opened(form="raw", template_arguments={"enable_thinking": False})
