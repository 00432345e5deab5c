"""Chat template: a conversation as the text that a chat model was trained on.

A checkpoint carries its own Jinja template. It comes from strangers, so it runs in Jinja's immutable sandbox: it can waste time
but not reach files or code. It sees what Hugging Face's renderer shows it, with one difference: `strftime_now` gives one fixed
date, so that the same request is the same prompt tomorrow.

Replies and prompts are hostile text. A message that spells `<|im_end|>` must not close its own turn, so `SpecialText` cuts such
spellings apart before they are rendered; the pieces between cuts are tokenized one by one, and no piece holds a special token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from jinja2 import TemplateError, Undefined, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.ext import Extension
from jinja2.meta import find_undeclared_variables
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.protocol import Message
from alignsuite.models.thoughts import opening

Parts = Literal["text", "typed"]
"""A turn's `content` as a text, or as a list of typed parts, `[{"type": "text", "text": …}]`."""

TODAY = datetime(2024, 7, 26)
"""The date that every template sees; Llama 3's own default."""

NAMED_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
"""Special tokens by the names that templates use; one that a tokenizer lacks is empty text, as in Hugging Face's renderer."""

BROKEN = (TemplateError, SyntaxError, RecursionError, MemoryError)
"""What Jinja raises for a source that is no template, or one that nests deeper than Python does."""
_REFUSALS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What expressions and filters of a template that runs may raise."""
_MOST_REPEATED = 1 << 16
_CUTS = [chr(0xFDD0 + index) for index in range(32)]  # code points that Unicode keeps free of characters
_ESCAPED_CUT = re.compile(r"((?<!\\)(?:\\\\)*)\\u(fd[de][0-9a-f])")
_SYSTEM, _USER = "4071962358", "8613905742"  # figures: no filter for letters changes them, and no template holds them


class ChatTemplate:
    """Compiled chat template.

    A template that refuses a system turn, or silently leaves it out, gets the system's text at the head of the first user turn
    instead, parted by a blank line. One that shows words only where they come as typed parts gets them so.

    Args:
        source: the Jinja text.
        arguments: further values that the template reads by name, such as `enable_thinking`; they go before all others.
        parts: how `content` is given; None finds out which of the two the template shows.
        generation_prompt: whether the text goes on to where the assistant begins to speak.
        tokens: special tokens by the names that templates use (`pad_token`, a model's own `image_token`), beside these two.

    Raises:
        ModelError: the template has a syntax error, writes a name that nobody gives, reads no variable of an argument's name, or leaves
            out what users say in either form.
    """

    def __init__(
        self,
        source: str,
        *,
        bos_token: str = "",
        eos_token: str = "",
        tokens: Mapping[str, object] | None = None,
        arguments: Mapping[str, object] | None = None,
        parts: Parts | None = None,
        generation_prompt: bool = True,
    ) -> None:
        self._arguments = dict(arguments or {})
        self._names: dict[str, object] = {
            **dict.fromkeys(NAMED_TOKENS, ""), "bos_token": bos_token, "eos_token": eos_token, **(tokens or {}),
            "tools": None, "documents": None, "add_generation_prompt": generation_prompt,
        }  # fmt: skip
        try:
            environment = _environment()
            self._template = environment.from_string(source)
            self._check_arguments(find_undeclared_variables(environment.parse(source)) - environment.globals.keys())
        except BROKEN as error:
            raise ModelError(
                f"the model's chat template is broken: {error}; convert it again, or run it with raw prompts only"
            ) from error
        self._parts: Parts = parts or self._shown_parts()
        tried = self._tried((Message("system", _SYSTEM), Message("user", _USER)), self._parts)
        self._takes_system = tried is not None and _SYSTEM in tried

    def render(self, messages: Sequence[Message]) -> str:
        """Prompt text of a conversation, up to where the assistant begins to speak.

        Raises:
            RequestError: `unsupported`, with the template's own reason (two user turns in a row, for example).
        """
        if messages and messages[0].role == "system" and not self._takes_system:
            messages = fold_system(messages)
        return self._render(messages, self._parts)

    def opening(self, messages: Sequence[Message]) -> str:
        """Mark that opens a thought where the assistant begins to speak; empty where the template opens none."""
        return opening(self.render(messages), messages[-1].content if messages else "")

    def _check_arguments(self, read: set[str]) -> None:
        known = sorted(read - {"messages"} - self._names.keys())
        unknown = [name for name in self._arguments if name not in known]
        if unknown:
            raise ModelError(
                f"--align-template-arg={unknown[0]}=…: the model's chat template reads no such variable; it reads "
                f"{', '.join(known) or 'none but the conversation'}"
            )

    def _shown_parts(self) -> Parts:
        """Form of `content` in which the template shows what a user says; text where it takes no lone question."""
        question = (Message("user", _USER),)
        as_text, as_parts = (self._tried(question, parts) for parts in ("text", "typed"))
        if as_text is None or _USER in as_text:
            return "typed" if as_text is None and as_parts is not None and _USER in as_parts else "text"
        if as_parts is None or _USER not in as_parts:
            raise ModelError(
                "the model's chat template leaves out what the user says, as text and as typed parts: every question would be the same; "
                "take the template that the model was trained with, or run it with raw prompts only"
            )
        return "typed"

    def _tried(self, messages: Sequence[Message], parts: Parts) -> str | None:
        """Rendered text, None where the template refuses.

        Raises:
            ModelError: the template writes a name that nobody gives.
        """
        try:
            return self._render(messages, parts)
        except RequestError as refusal:
            if isinstance(refusal.__cause__, _UnknownNameError):
                raise ModelError(f"the model's chat template {refusal.__cause__}") from refusal
            return None

    def _render(self, messages: Sequence[Message], parts: Parts) -> str:
        turns = [
            {
                "role": turn.role,
                "content": turn.content if parts == "text" else [{"type": "text", "text": turn.content}],
            }
            for turn in messages
        ]
        try:
            return self._template.render({**self._names, **self._arguments, "messages": turns})
        except _REFUSALS as error:  # that conversation is a request that failed, and its reply unread
            reason = f"{type(error).__name__}: {error}"[:300]
            roles = ", ".join(message.role for message in messages)
            raise RequestError(
                "unsupported", f"the model's chat template takes no conversation of ({roles}): {reason}"
            ) from error


def refuse_arguments(name: str, arguments: Mapping[str, object]) -> None:
    """Refuse arguments for a template where a model is asked without one.

    Raises:
        ModelError: there are some.
    """
    if arguments:
        raise ModelError(f"{name}: is asked in raw text, so --align-template-arg would have no effect: leave it out")


def fold_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    r"""Conversation with its leading system text moved to the head of the first user turn.

    >>> fold_system([Message("system", "Be brief."), Message("user", "Hi")])
    (Message(role='user', content='Be brief.\n\nHi'),)
    """
    system, *rest = messages
    for index, message in enumerate(rest):
        if message.role == "user":
            rest[index] = Message("user", f"{system.content}\n\n{message.content}")
            return tuple(rest)
    return (Message("user", system.content), *rest)


class SpecialText:
    """Escaping of special tokens, so that no user's text can spell one.

    `cut` puts a mark behind the first character of every special spelling; `pieces` parts rendered text at the marks. Text without such a
    spelling is left as it is, so that ordinary prompts are tokenized exactly as if they had never passed here.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        texts = sorted((token for token in tokens if len(token) > 1), key=len, reverse=True)
        whole = "|".join(re.escape(text) for text in texts)
        self._pattern = re.compile(f"(?=(?:{whole})).", re.DOTALL) if texts else None

    def mark_for(self, *texts: str) -> str:
        """Separator that none of the texts holds.

        Raises:
            RequestError: `unsupported`: the texts use up all 32 noncharacters, which only an attack would.
        """
        for mark in _CUTS:
            if not any(mark in text for text in texts):
                return mark
        raise RequestError(
            "unsupported", "the prompt holds all of the noncharacters U+FDD0 to U+FDEF; take one of them out"
        )

    def cut(self, text: str, mark: str) -> str:
        """Escaped text: every special spelling is cut apart by the mark."""
        return self._pattern.sub(lambda found: found[0] + mark, text) if self._pattern else text


class _UnknownNameError(UndefinedError):
    """A template writes a name that nobody gives."""


class _Unknown(Undefined):
    """Name that nobody gives: a template may ask whether it is there, and not write it.

    What it writes with it would be lost without a word.
    """

    def __str__(self) -> str:
        if self._undefined_name is not None and self._undefined_obj is missing:
            raise _UnknownNameError(
                f"writes `{self._undefined_name}`, which neither the tokenizer nor anybody else gives; name its value with "
                f"--align-template-arg={self._undefined_name}=…, or take the tokenizer that the template belongs to"
            )
        return super().__str__()


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja sandbox that also refuses to repeat a text into gigabytes."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: object, operator: str, left: object, right: object) -> object:
        sizes = [
            part if isinstance(part, int) else len(part)
            for part in (left, right)
            if isinstance(part, int | str | list | tuple)
        ]
        if any(abs(size) > _MOST_REPEATED for size in sizes) and not (isinstance(left, int) and isinstance(right, int)):
            raise SecurityError("a text is repeated too often")
        if operator == "**":
            raise SecurityError("powers are not allowed")
        return left * right  # type: ignore[operator]


class _Generation(Extension):
    """Jinja tag pair `generation`, with which training code marks the assistant's text; here it only shows its body."""

    tags = {"generation"}  # noqa: RUF012 - Jinja reads a class attribute

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _environment() -> _Sandbox:
    environment = _Sandbox(
        trim_blocks=True, lstrip_blocks=True, undefined=_Unknown, extensions=[_Generation, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = TODAY.strftime
    return environment


def _to_json(
    value: object,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON text, with the arguments of Hugging Face's filter; the marks of `SpecialText` stay marks."""
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    return _ESCAPED_CUT.sub(lambda found: found[1] + chr(int(found[2], 16)), text) if ensure_ascii else text


def _refuse(reason: str) -> str:
    raise TemplateError(reason)
