"""Framing of prompts by whoever asks: another template, and the proof that it shows what it is given.

A template can drop a turn without a word, and a guard that sees no reply calls every reply safe. So a conversation of words that
nobody else would write is rendered once, when the model is opened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.engines.chat_template import ChatTemplate
from alignsuite.models.identity import fingerprint
from alignsuite.models.protocol import Framing, Generated, LearningModel, Message, Model, ModelInfo, Reply, Request

FRAME = "frame"
"""The key in `ModelInfo.details` under which an engine says what is wrong with a framing; empty where nothing is."""

_SIGNS = re.compile(
    r"<(?=\||/?s>|<SYS>|</SYS>|(?:start|end)_of_turn>|(?:bos|eos|pad|unk)>)|\[(?=/?[A-Z_]{2,}\])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Asking:
    """How conversations become prompts: a template, the text that stands for it, and what the card says of it."""

    template: ChatTemplate | None
    source: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


def asking_by(
    framing: Framing, own: str | None, arguments: Mapping[str, object], tokens: Mapping[str, object]
) -> Asking:
    """How to ask by a framing; `own` is the checkpoint's template, `tokens` are its special tokens."""
    template, fault = framed(own, framing, arguments, tokens)
    return Asking(template, identity(own, framing, arguments), {FRAME: fault})


def framed(
    own: str | None, framing: Framing, arguments: Mapping[str, object], tokens: Mapping[str, object]
) -> tuple[ChatTemplate | None, str]:
    """Template to ask with, and what is wrong with it in one sentence; none where there is no template at all."""
    source = framing.template if framing.template is not None else own
    if source is None:
        return None, "it has no chat template"
    try:
        template = ChatTemplate(
            source,
            tokens=tokens,
            arguments={**arguments, **framing.arguments},
            parts=framing.parts,
            generation_prompt=framing.generation_prompt,
        )
        text = template.render(framing.shown) if framing.shown else ""
    except (ModelError, RequestError) as error:
        return None, str(error)
    places = [text.find(word) for word in framing.words]
    lost = [number for number, place in enumerate(places, start=1) if place < 0]
    if lost:
        return template, f"its template drops turn {lost[0]} of {len(places)}"
    return template, "" if places == sorted(places) else "its template turns the order of the turns round"


def identity(own: str | None, framing: Framing, arguments: Mapping[str, object]) -> str:
    """Text that stands for all that a framing and arguments change about a prompt."""
    source = framing.template if framing.template is not None else own
    given = {**arguments, **framing.arguments}
    return json.dumps([source, given, framing.parts, framing.generation_prompt], sort_keys=True, default=str)


class Framed:
    """Model asked with a template of our own: conversations reach it as raw text that was rendered here.

    For servers, whose own chat template can't be replaced. Their tokenizer puts its own beginning before a text, and reads spellings of
    special tokens; inside a conversation these are broken by a space.
    """

    def __init__(self, model: Model, framing: Framing, arguments: Mapping[str, object]) -> None:
        self._model = model
        self._template, self._fault = framed(None, framing, arguments, {})
        self._what = identity(None, framing, arguments)
        self.info = self._described()

    def answer(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply | RequestError]]:
        """Replies of the model to the rendered texts, each beside the request that it answers.

        Raises:
            ModelError: the template refuses a conversation; it showed one when it was opened.
        """
        asked: dict[Request, list[Request]] = {}

        def texts() -> Iterator[Request]:
            for request in requests:
                text = self._rendered(request)
                asked.setdefault(text, []).append(request)
                yield text

        for text, reply in self._model.answer(texts()):
            self.info = self._described()
            request = asked[text].pop()
            yield request, self._opened(request, reply)

    def recall(self, learnt: Mapping[str, str]) -> None:
        """Ask from the start as an earlier session learnt to, where the server's model learns; see `LearningModel`."""
        if isinstance(self._model, LearningModel):
            self._model.recall(learnt)
            self.info = self._described()

    def close(self) -> None:
        """Close the model."""
        self._model.close()

    def _described(self) -> ModelInfo:
        """The server's model under our template."""
        info = self._model.info
        details = {**info.details, FRAME: self._fault}
        return replace(info, fingerprint=fingerprint(info.fingerprint, self._what), can_chat=True, details=details)

    def _opened(self, request: Request, reply: Reply | RequestError) -> Reply | RequestError:
        """Reply behind the mark that opens its thought, where our template wrote one."""
        if self._template is None or isinstance(request.prompt, str) or not isinstance(reply, Generated):
            return reply
        return replace(reply, text=self._template.opening(request.prompt) + reply.text)

    def _rendered(self, request: Request) -> Request:
        if isinstance(request.prompt, str):
            return request
        if self._template is None:
            raise ModelError(self._fault)
        turns = [Message(turn.role, _SIGNS.sub(lambda sign: f"{sign[0]} ", turn.content)) for turn in request.prompt]
        try:
            return replace(request, prompt=self._template.render(turns))
        except RequestError as error:
            raise ModelError(str(error)) from error
