"""Model protocol: `Request` and `Reply` as plain data, `Model` that answers, `Engine` that opens models.

It is the one seam to language models: whether a file on disk, an endpoint or a scripted double answers is known only behind `Model`.
Nothing here imports an engine.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from alignsuite.errors import RequestError

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """Chat message: one turn of a conversation, as plain text."""

    role: Role
    content: str


Prompt = str | tuple[Message, ...]
"""Raw text for a base model to continue, or a conversation that the engine puts into the chat model's own template."""


def last_turn(prompt: Prompt) -> str:
    """What was said last, before the model speaks: the last turn's words, or the raw text."""
    return prompt if isinstance(prompt, str) else prompt[-1].content


def characters_of(prompt: Prompt) -> int:
    """How many characters a prompt has, all turns together."""
    return len(prompt) if isinstance(prompt, str) else sum(len(turn.content) for turn in prompt)


Finish = Literal["stop", "length", "withheld"]
"""How a text ended: by itself, at the limit of tokens, or because somebody kept the rest (or all of it) back."""

_OF_CHOICES = ("logprobs", "top_logprobs")
_NO_HINT: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Generate:
    """Generation request: a `Generated` text is wanted.

    Greedy decoding by default. `seed` numbers the samples of one prompt when `temperature` is above zero; at zero it has no effect but
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
    """Multiple-choice request: the log-likelihood of each option as the prompt's continuation, as `Chosen`.

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
    """Completion: the text that a model wrote, as a user would see it, without its reasoning.

    `finish` is `stop`, `length` (cut off at the limit of tokens) or `withheld`. `thought` is reasoning, in whatever form it came: no judge
    sees it. `withheld` says who kept an answer back, and why, as `WHO: WHY`. `provider: CODE` is a filter's, with the finish `withheld`;
    what was shown before it came stays in `text`. `model: CODE` is the model's own, in a field made for refusals, whose words are `text`.
    """

    text: str
    finish: Finish = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    thought: str = ""
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Log-likelihoods of the options of a `Choose`, natural logarithms in the options' order.

    They are not normalised: their exponentials sum to the option mass (≤ 1), `mass`.

    `-inf` says that the engine could only bound an option from above (an endpoint that shows its top few tokens); `exact` is then False.
    """

    log_probs: tuple[float, ...]
    exact: bool = True
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    @property
    def mass(self) -> float:
        """Option mass: the probability that the options have together, in [0, 1]; the rest is other text."""
        return min(1.0, math.fsum(map(math.exp, self.log_probs)))


Reply = Generated | Chosen


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Model card: name, fingerprint and abilities, known before the model was asked anything.

    `fingerprint` stands for everything that can change an answer: weights, tokenizer, chat template, engine and its version.
    `learnt` is what an endpoint was heard not to take since: a parameter's name, to the name that it goes by there, or to nothing where it
    is left out. `identity` stands for both; `identity_of` a request is what the reply to it is kept under.
    """

    name: str
    fingerprint: str
    engine: str
    can_chat: bool
    can_choose: bool
    can_generate: bool = True
    context_length: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    learnt: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Fingerprint of the model as it is asked by now; `fingerprint` itself as long as nothing was learnt."""
        return self._identity(self.learnt)

    def identity_of(self, request: Request) -> str:
        """Identity without what was learnt of parameters that this request does not have.

        They may be learnt in the middle of a run, and change nothing about the replies that came before.
        """
        absent = {"stream", *(_OF_CHOICES if isinstance(request, Generate) else ())}
        absent |= set() if isinstance(request, Generate) and request.stop else {"stop"}
        return self._identity({name: new for name, new in self.learnt.items() if name not in absent})

    def _identity(self, learnt: Mapping[str, str]) -> str:
        if not learnt:
            return self.fingerprint
        whole = json.dumps([self.fingerprint, dict(learnt)], sort_keys=True)
        return hashlib.sha256(whole.encode("ascii")).hexdigest()[:32]


@runtime_checkable
class Model(Protocol):
    """Language model: an iterator of requests in, replies out. Owned by the broker; never called from a test.

    Opening a model is cheap: `info` needs no weights in memory, they are loaded at the first `answer`.
    """

    info: ModelInfo

    def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
        """Replies to requests, each once and in any order.

        `requests` may block in `next` while no work is waiting, and is read no further ahead than the engine can work on at
        once. One request that fails is a `RequestError` beside the others' replies; `ModelError` is raised only where asking on is
        useless (wrong key, weights that don't load).
        """
        ...

    def close(self) -> None:
        """Free memory, connections and threads. May be called twice."""
        ...


@runtime_checkable
class LearningModel(Model, Protocol):
    """Model that learns while it is asked how it has to be asked.

    `info.learnt` grows before the first reply that was got so is handed out.
    """

    def recall(self, learnt: Mapping[str, str]) -> None:
        """Ask from the start as was learnt in an earlier session; called before the first `answer`."""
        ...


@dataclass(frozen=True, slots=True)
class Framing:
    """How conversations become prompts, where whoever asks knows better than the checkpoint; a guard's adapter does.

    `template` is Jinja in place of the checkpoint's own chat template, with special tokens of its own; `arguments` are what a template is
    given beside the messages. With `typed` parts a message's content is a list of `{"type": "text", "text": …}`. `shown` is a
    conversation whose `words` must stand in the rendered text, in that order: an engine that renders says in the details of its
    `ModelInfo`, under `frame`, what is wrong with it.
    """

    template: str | None = None
    arguments: Mapping[str, object] = field(default_factory=dict)
    parts: Literal["text", "typed"] = "text"
    generation_prompt: bool = True
    shown: tuple[Message, ...] = ()
    words: tuple[str, ...] = ()


Form = Literal["auto", "chat", "raw"]
"""Whether conversations go through the model's chat template; `auto` follows the model."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Model settings: all that opening a model may depend on beside its name.

    `cache` is the folder for downloaded models and remembered hashes. `context` is in tokens. `progress` hears one line at a time;
    without it a bar is drawn on a terminal. `template_arguments` go to the chat template, those of a `framing` before them, `body` are
    further fields of an endpoint's requests, and `thinking_tokens` is what a reply may take on top of its request's `max_tokens`.
    """

    cache: Path
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    form: Form = "auto"
    threads: int | None = None
    context: int | None = None
    progress: Callable[[str], None] | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    device: str | None = None
    adapter: str | None = None
    trust_remote_code: bool = False
    allow_pickle: bool = False
    template_arguments: Mapping[str, object] = field(default_factory=dict)
    body: Mapping[str, object] = field(default_factory=dict)
    thinking_tokens: int = 0
    framing: Framing | None = None


class Engine(Protocol):
    """Inference engine: opens the models of its schemes; `models/registry.py` holds one row for each."""

    @property
    def schemes(self) -> frozenset[str]:
        """Schemes: what may stand before the colon of a model's name."""
        ...

    @property
    def heeds(self) -> frozenset[str]:
        """Options `--align-*` that it heeds; another engine's, given for a model of this one, is refused."""
        ...

    def open(self, target: str, name: str, form: Form, settings: ModelSettings) -> Model:
        """Model of a target (`SCHEME:NAME`, or a path), its weights not loaded yet.

        `name` is what the user wrote, and what reports call it. `form` is what the model table makes of `settings.form`.

        Raises:
            ModelError: there is no such model, it is broken, or a library is missing.
        """
        ...


def ways_of_asking(
    template_arguments: Mapping[str, object], body: Mapping[str, object], thinking_tokens: int
) -> tuple[str, ...]:
    """Parts of a fingerprint for what a model's template and requests got besides; none where nothing was given."""
    given = {"template": dict(template_arguments), "body": dict(body), "thinking": thinking_tokens}
    return tuple(json.dumps({name: value}, sort_keys=True) for name, value in given.items() if value)


def request_key(request: Request) -> str:
    """Content hash of a request: a SHA-256 over everything that can change its answer. Hints don't count."""
    return hashlib.sha256(json.dumps(request_to_json(request), sort_keys=True).encode("ascii")).hexdigest()


def request_to_json(request: Request) -> dict[str, object]:
    """Request as JSON data, without its hint."""
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
    """Reply as JSON data; `-inf` becomes null.

    An empty `thought` or `withheld` is left out: such a reply is written as it was before there were any.
    """
    cost = {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "seconds": reply.seconds,
    }
    if isinstance(reply, Chosen):
        shown = [None if value == float("-inf") else value for value in reply.log_probs]
        return {"kind": "chosen", "log_probs": shown, "exact": reply.exact, **cost}
    apart = {name: value for name in ("thought", "withheld") if (value := getattr(reply, name))}
    return {"kind": "generated", "text": reply.text, "finish": reply.finish, **cost, **apart}


def reply_from_json(data: Mapping[str, object]) -> Reply:
    """Reply from JSON data: the inverse of `reply_to_json`; the store is the only writer of what this reads."""
    fields = {name: value for name, value in data.items() if name != "kind"}
    if data["kind"] == "chosen":
        shown = fields["log_probs"]
        assert isinstance(shown, list)
        fields["log_probs"] = tuple(float("-inf") if value is None else float(value) for value in shown)
        return Chosen(**fields)  # type: ignore[arg-type]
    if fields.get("finish") == "filter":  # as it was called until 0.1
        fields["finish"] = "withheld"
    return Generated(**fields)  # type: ignore[arg-type]
