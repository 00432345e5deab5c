"""The one seam to language models: what is asked, what comes back, who answers.

A request is plain, hashable data. Whether it was answered by a file on disk, an endpoint or a scripted double is known
only behind `Model`. Nothing here imports an engine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from alignsuite.errors import RequestError

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


Prompt = str | tuple[Message, ...]
"""Raw text for a base model to continue, or a conversation that the engine puts into the chat model's own template."""

_NO_HINT: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Generate:
    """Ask for text.

    Greedy by default. `seed` numbers the samples of one prompt when `temperature` is above zero; at zero it has no effect but
    still tells two requests apart. `hint` is what a scripted double may know about the case: no engine reads it, and it
    is no part of the request's identity.
    """

    prompt: Prompt
    max_tokens: int = 64
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    hint: Mapping[str, object] = field(default_factory=lambda: _NO_HINT, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Choose:
    """Ask how likely each option is as the continuation of the prompt.

    The options are appended to the prompt exactly as they stand (a raw prompt that ends in a word wants options that begin
    with a space). They must differ, and there must be two or more. `seed` only tells
    two requests apart: it asks the same again.
    """

    prompt: Prompt
    options: tuple[str, ...]
    seed: int = 0
    hint: Mapping[str, object] = field(default_factory=lambda: _NO_HINT, compare=False, repr=False)


Request = Generate | Choose


@dataclass(frozen=True, slots=True)
class Generated:
    """Text that a model wrote. `finish` is `stop`, `length` (cut off at max_tokens) or `filter` (the provider withheld it)."""

    text: str
    finish: Literal["stop", "length", "filter"] = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Chosen:
    """Natural-log probabilities of the options, in their order: not normalised, so their exponentials sum to the option mass (≤ 1).

    `-inf` says that the engine could only bound an option from above (an endpoint that shows its top few tokens); `exact` is then False.
    """

    log_probs: tuple[float, ...]
    exact: bool = True
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


Reply = Generated | Chosen


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a model before it has said anything.

    `fingerprint` stands for everything that can change an answer: weights, tokenizer, chat template, engine and its version.
    """

    name: str
    fingerprint: str
    engine: str
    can_chat: bool
    can_choose: bool
    can_generate: bool = True
    context_length: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Model(Protocol):
    """Answers requests. Owned by the broker; never called from a test.

    Opening a model is cheap: `info` needs no weights in memory, they are loaded at the first `answer`.
    """

    info: ModelInfo

    def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
        """Answer each request once, in any order.

        `requests` may block in `next` while no work is waiting, and is read no further ahead than the engine can work on at
        once. One request that fails is a `RequestError` beside the others' replies; `ModelError` is raised only where asking on is
        useless (wrong key, weights that don't load).
        """
        ...

    def close(self) -> None:
        """Free memory, connections and threads. May be called twice."""
        ...


def request_key(request: Request) -> str:
    """The identity of a request: a SHA-256 over everything that can change its answer. Hints don't count."""
    return hashlib.sha256(json.dumps(request_to_json(request), sort_keys=True).encode("ascii")).hexdigest()


def request_to_json(request: Request) -> dict[str, object]:
    """The request as plain data, without its hint."""
    prompt: object = request.prompt
    if not isinstance(request.prompt, str):
        prompt = [[message.role, message.content] for message in request.prompt]
    if isinstance(request, Choose):
        again = {"seed": request.seed} if request.seed else {}
        return {"kind": "choose", "prompt": prompt, "options": list(request.options), **again}
    return {
        "kind": "generate",
        "prompt": prompt,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "stop": list(request.stop),
    }


def reply_to_json(reply: Reply) -> dict[str, object]:
    """The reply as plain data; `-inf` becomes null."""
    cost = {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "seconds": reply.seconds,
    }
    if isinstance(reply, Chosen):
        shown = [None if value == float("-inf") else value for value in reply.log_probs]
        return {"kind": "chosen", "log_probs": shown, "exact": reply.exact, **cost}
    return {"kind": "generated", "text": reply.text, "finish": reply.finish, **cost}


def reply_from_json(data: Mapping[str, object]) -> Reply:
    """The inverse of `reply_to_json`; the store is the only writer of what this reads."""
    fields = {name: value for name, value in data.items() if name != "kind"}
    if data["kind"] == "chosen":
        shown = fields["log_probs"]
        assert isinstance(shown, list)
        fields["log_probs"] = tuple(float("-inf") if value is None else float(value) for value in shown)
        return Chosen(**fields)  # type: ignore[arg-type]
    return Generated(**fields)  # type: ignore[arg-type]
