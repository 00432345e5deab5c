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
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.protocol import Message

TODAY = datetime(2024, 7, 26)
"""The date that every template sees; Llama 3's own default."""

_MOST_REPEATED = 1 << 16
_CUTS = [chr(0xFDD0 + index) for index in range(32)]  # code points that Unicode keeps free of characters


class ChatTemplate:
    """Compiled chat template.

    A template that refuses a system turn, or silently leaves it out, gets the system's text at the head of the first user turn
    instead, parted by a blank line.

    `arguments` are variables that it is given, before all others. With `typed` parts a message's content is a list of them. It may not
    print a variable that nobody gave it, which Hugging Face's renderer takes for nothing.

    Raises:
        ModelError: the template has a syntax error.
    """

    def __init__(
        self,
        source: str,
        *,
        arguments: Mapping[str, object] | None = None,
        parts: Literal["text", "typed"] = "text",
        **tokens: object,
    ) -> None:
        self._names: dict[str, object] = {
            "bos_token": "", "eos_token": "", **tokens, "tools": None, "documents": None, "add_generation_prompt": True,
            **(arguments or {}),
        }  # fmt: skip
        self._parts = parts
        try:
            self._template = _environment().from_string(source)
        except (TemplateError, RecursionError, MemoryError) as error:
            raise ModelError(
                f"the model's chat template is broken: {error}; convert it again, or run it with raw prompts only"
            ) from error

    def render(self, messages: Sequence[Message]) -> str:
        """Prompt text of a conversation, up to where the assistant begins to speak.

        Raises:
            RequestError: `unsupported`, with the template's own reason (two user turns in a row, for example).
        """
        system = messages[0].content if messages and messages[0].role == "system" else None
        if system is None:
            return self._render(messages)
        try:
            text = self._render(messages)
            if system.strip() in text:
                return text
        except RequestError:
            if len(messages) == 1:
                raise
        return self._render(fold_system(messages))

    def _render(self, messages: Sequence[Message]) -> str:
        turns = [
            {
                "role": one.role,
                "content": [{"type": "text", "text": one.content}] if self._parts == "typed" else one.content,
            }
            for one in messages
        ]
        try:
            return self._template.render({**self._names, "messages": turns})
        except Exception as error:  # whatever a stranger's template raises is the template's refusal
            reason = f"{type(error).__name__}: {error}"[:300]
            roles = ", ".join(message.role for message in messages)
            raise RequestError(
                "unsupported", f"the model's chat template takes no conversation of ({roles}): {reason}"
            ) from error


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


class _Unprintable(Undefined):
    """Variable that nobody gave: a template may ask whether it is there, and not print it."""

    __str__ = Undefined._fail_with_undefined_error


def _environment() -> _Sandbox:
    environment = _Sandbox(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[_Generation, "jinja2.ext.loopcontrols"],
        undefined=_Unprintable,
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = TODAY.strftime
    return environment


def _to_json(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(reason: str) -> str:
    raise TemplateError(reason)
