"""Request bodies as a server takes them: what users add, and what it forbids or renames, learnt once.

A server that has no `seed`, takes no `temperature` but its own, or wants `max_completion_tokens`, says so with HTTP 400 or 422. The first
request that is told so finds out how it is taken, while the others wait; what it found is learnt when that request has been answered,
and holds for all from then on. A refusal proves nothing by itself: it may quote the prompt. What the user asked for in so many words
(`--align-body`) is never left out.

What was learnt changes replies (those without a temperature are samples), so it is part of the model's identity (`ModelInfo.learnt`), and
a reply that was under way while something was learnt is asked for again: all that are handed out after it were asked alike.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from alignsuite.errors import SettingsError
from alignsuite.models.engines.endpoint.client import Answer
from alignsuite.models.engines.endpoint.faults import JSON, Fault
from alignsuite.models.engines.endpoint.retry import Outdated, Retrier

T = TypeVar("T")

LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens")
"""Names of the limit on a reply's tokens, in the order in which they are tried."""
_OPTIONAL = ("temperature", "seed", "stop")
_OURS = frozenset(
    {"model", "messages", "prompt", "logprobs", "top_logprobs", "echo", "stream", "n", *_OPTIONAL, *LIMITS}
)
_VALUES = ("stream", "logprobs", "top_logprobs")
"""Parameters of which a value is learnt, and not a name."""
_TEMPLATE = "chat_template_kwargs"

_NOT_TAKEN = re.compile(
    r"unsupported|(?:not|n't|no longer) (?:be )?(?:\w{1,12} ){0,2}(?:support|permit|allow|accept|recogni|compatible)|unknown|unrecogni"
    r"|unexpected|extra (?:inputs?|fields?)|additional propert|forbidden|deprecated|invalid (?:parameter|argument|field)"
    r"|\buse\b[^.]{0,60}\binstead",
    re.IGNORECASE,
)
_OTHER_VALUE = re.compile(r"must be|should be|may only|only (?:the )?(?:default|1\b|supports?)", re.IGNORECASE)
_STREAM_ONLY = re.compile(
    r"\bstream\w{0,3}\b[^.]{0,60}\b(?:only|must|required?|enable)|\b(?:only|must|requires?|enable)\b[^.]{0,60}\bstream",
    re.IGNORECASE,
)


class Parameters:
    """Asks in the way that this server takes; `learnt` is what it was told, as `ModelInfo.learnt` has it."""

    def __init__(self, retrier: Retrier, body: JSON, template_arguments: JSON) -> None:
        self.model = retrier.model
        self.urls = retrier.urls
        self.learnt: dict[str, str] = {}
        self._retrier = retrier
        self._added = merged(body, {_TEMPLATE: template_arguments} if template_arguments else {})
        self._finding_out = asyncio.Lock()

    async def ask(self, path: str, body: JSON, read: Callable[[Answer], T]) -> T:
        """What `read` makes of the answer to a body; see `Retrier.ask`.

        Raises:
            Fault: if no answer could be had.
            ModelError: if asking on is useless.
        """
        while True:
            if self._finding_out.locked():
                async with self._finding_out:
                    pass
            learnt = self.learnt
            try:
                answer = await self._retrier.ask(
                    path, self._spelt(body, learnt), read, partial(self._is_outdated, learnt)
                )
            except Outdated:
                continue
            except Fault as fault:
                found = await self._find_out(path, body, read, learnt, fault)
                if found:
                    return found[0]
                continue
            if self._spelt(body, learnt) == self._spelt(body, self.learnt):
                return answer

    def note(self, name: str, value: str) -> None:
        """Learn the value that a parameter may have here; a request that had it was answered."""
        if self.learnt.get(name) != value:
            self.learnt = {**self.learnt, name: value}

    def _is_outdated(self, asked: Mapping[str, str]) -> bool:
        """Whether a request that has not been sent yet should wait for what is being found out, or be put otherwise."""
        return self._finding_out.locked() or asked is not self.learnt

    async def _find_out(
        self, path: str, body: JSON, read: Callable[[Answer], T], learnt: dict[str, str], fault: Fault
    ) -> tuple[T] | None:
        """The answer to a body without what the server named; None if others learnt something meanwhile.

        What it then names is left out as well, until it names nothing.

        Raises:
            Fault: if the server named nothing that could be left out or renamed.
        """
        trial = dict(learnt)
        change = self._change(fault, self._spelt(body, trial))
        if not change:
            raise fault
        async with self._finding_out:
            if learnt is not self.learnt:
                return None
            while change:
                trial |= change
                try:
                    answer = await self._retrier.ask(path, self._spelt(body, trial), read)
                except Fault as next_fault:
                    fault = next_fault
                    change = self._change(fault, self._spelt(body, trial))
                else:
                    self.learnt = trial
                    return (answer,)
        raise fault

    def _spelt(self, body: JSON, learnt: Mapping[str, str]) -> JSON:
        """The body under the names that the server takes, with what the user adds to it."""
        named = {name if name in _VALUES else learnt.get(name, name): value for name, value in body.items()}
        named.pop("", None)
        if "stream" in learnt:
            named["stream"] = True
        return merged(named, self._added)

    def _change(self, fault: Fault, spelt: JSON) -> dict[str, str]:
        """What a refusal asks to be changed in a body; nothing if it doesn't name a parameter that may be changed."""
        said = fault.said
        if fault.kind != "refused_by_server" or not said:
            return {}
        not_taken = _NOT_TAKEN.search(said)
        for name in _OPTIONAL:
            words = (not_taken or _OTHER_VALUE.search(said)) and re.search(rf"\b{name}\b", said, re.IGNORECASE)
            if name in spelt and (fault.param == name or words):
                return {name: ""}
        limit = next((place for place, name in enumerate(LIMITS) if name in spelt), None)
        if limit is not None and not_taken and re.search(rf"\b{LIMITS[limit]}\b", said):
            later = [name for name in LIMITS[limit + 1 :] if re.search(rf"\b{name}\b", said)]
            return {LIMITS[0]: next(iter(later), LIMITS[1] if limit == 0 else "")}
        return {"stream": "true"} if "stream" not in spelt and _STREAM_ONLY.search(said) else {}


def in_words(learnt: Mapping[str, str]) -> str:
    """What was learnt, for people.

    >>> in_words({"temperature": "", "max_tokens": "max_completion_tokens", "stream": "true"})
    'max_completion_tokens for max_tokens, stream=true, without temperature'
    """
    said = (
        f"{name}={new}" if name in _VALUES else f"{new} for {name}" if new else f"without {name}"
        for name, new in learnt.items()
    )
    return ", ".join(sorted(said))


def check_body(body: JSON) -> None:
    """Whether a user may add these fields to every body.

    Raises:
        SettingsError: if one of them is a field that alignsuite itself fills in, or they are no JSON.
    """
    clash = ", ".join(sorted(_OURS & set(body)))
    if clash:
        raise SettingsError(
            f"--align-body: {clash} can't be set there, since alignsuite fills it in from the prompt and the probe; wanted other fields "
            'of the request, such as {"top_p": 0.9}'
        )
    try:
        json.dumps(dict(body))
    except (TypeError, ValueError) as error:
        raise SettingsError(f'--align-body: {error}; wanted a JSON object such as {{"top_p": 0.9}}') from None


def merged(one: JSON, other: JSON) -> dict[str, object]:
    """Both objects in one, all the way down; where both say something, the other's stands.

    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}})
    {'a': {'b': 1, 'c': 3}}
    """
    whole = dict(one)
    for name, value in other.items():
        there = whole.get(name)
        whole[name] = merged(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return whole
