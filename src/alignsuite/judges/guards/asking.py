"""Asking a guard: exchanges in, what it `Said` of each out.

It is a language model behind a broker, or a classifier in this process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from alignsuite.errors import ReplayMissing, RequestError
from alignsuite.judges.asked_model import AskedModel, AsksModel
from alignsuite.judges.choice import likeliest
from alignsuite.judges.guards.frame import joined, messages_of, pair_of, shortened, texts_hash
from alignsuite.judges.guards.grammar import Said, read_choice, read_classes, read_text
from alignsuite.judges.guards.spec import Spec
from alignsuite.judges.protocol import UNREADABLE, Exchange, Judgement
from alignsuite.models.engines.framing import FRAME
from alignsuite.models.protocol import Choose, Chosen, Generate, Generated, Message, Reply, Request

if TYPE_CHECKING:
    from alignsuite.judges.classifiers import SequenceClassifier

_TOO_LONG, _UNSUPPORTED, _LOST = "context_too_long", "unsupported", "not in the store"
_LEAST_REPLY = 200
"""Characters of a reply below which shortening it further leaves nothing to judge."""


class Source(Protocol):
    """Who a guard's judgements come from."""

    @property
    def model(self) -> str:
        """Name of the model, as records have it."""
        ...

    @property
    def identity(self) -> str:
        """Text that stands for everything beside the adapter that can change an answer."""
        ...

    def unfit(self) -> str:
        """What keeps it from being asked, in one sentence; empty where nothing does. Asks nothing."""
        ...

    def said(self, exchanges: Sequence[Exchange]) -> list[Said | Judgement]:
        """What it says of each exchange, or why that is UNREADABLE."""
        ...

    def bill(self) -> Mapping[str, int]:
        """What that cost since this was last asked; see `judges.registry.Paid`."""
        ...


class ModelSource:
    """Guard that is a language model, behind its broker."""

    def __init__(self, spec: Spec, broker: AsksModel) -> None:
        self._spec, self._model = spec, AskedModel(broker)
        self._choices = spec.read.how in ("options", "digits")
        self.model = broker.info.name
        self.identity = f"{broker.info.fingerprint} {texts_hash(spec)}"

    def unfit(self) -> str:
        """What the engine said of the framing, or what the model can't do."""
        info = self._model.info
        if fault := info.details.get(FRAME, ""):
            return f"the exchange doesn't come through to {info.name}: {fault}"
        if not info.can_chat:
            return f"the exchange doesn't come through to {info.name}: it has no chat template"
        if self._spec.read.how == "digits" and not info.can_choose:
            return f"{info.name} shows no probabilities, and this guard is read from those of its digits; run it in process (hf: or gguf:)"
        return ""

    def said(self, exchanges: Sequence[Exchange]) -> list[Said | Judgement]:
        """What it says of each exchange.

        A reply that is too long for the model is shortened in its middle until it fits, where the adapter allows it.
        """
        found: dict[int, Said | Judgement] = {}
        texts = [exchange.reply.text if isinstance(exchange.reply, Generated) else "" for exchange in exchanges]
        room = dict(enumerate(map(len, texts)))
        while waiting := [place for place in room if place not in found]:
            prompts = [messages_of(self._spec, exchanges[at], shortened(texts[at], room[at])) for at in waiting]
            for at, answer in zip(waiting, self._answers(prompts), strict=True):
                if isinstance(answer, RequestError) and answer.kind in (_TOO_LONG, _LOST):
                    room[at] //= 2
                    if room[at] >= _LEAST_REPLY and self._spec.ask.shorten == "reply":
                        continue
                    if answer.kind == _LOST:
                        raise ReplayMissing(str(answer))
                found[at] = self._read(answer)
        return [found[place] for place in range(len(exchanges))]

    def bill(self) -> Mapping[str, int]:
        """Tokens, calls and time since this was last asked."""
        return self._model.bill()

    def _answers(self, prompts: Sequence[tuple[Message, ...]]) -> list[Reply | RequestError]:
        """Choices where the adapter has options and the model can choose; words else.

        Words, too, where no option is the likeliest: a server whose answers can't be begun shows the first token alone, and
        Llama Guard's two begin with the same one.
        """
        read = self._spec.read
        asked: list[Request] = [Generate(prompt, max_tokens=self._spec.ask.max_tokens) for prompt in prompts]
        if not self._choices or not self._model.info.can_choose:
            return self._got(asked)
        answers = self._got([Choose(prompt, tuple(read.options)) for prompt in prompts])
        unable = [at for at, one in enumerate(answers) if _tells_nothing(one)]
        if read.how == "options" and unable:
            for at, answer in zip(unable, self._got([asked[at] for at in unable]), strict=True):
                answers[at] = answer
        return answers

    def _got(self, requests: Sequence[Request]) -> list[Reply | RequestError]:
        """Replies; in replay a request that failed is in no store, and is found out one by one."""
        try:
            return self._model.replies(requests)
        except ReplayMissing as missing:
            if len(requests) == 1:
                return [RequestError(_LOST, str(missing))]
            return [self._got([request])[0] for request in requests]

    def _read(self, answer: Reply | RequestError) -> Said | Judgement:
        if isinstance(answer, RequestError):
            return Judgement(UNREADABLE, f"the guard gave no answer ({answer.kind}): {answer}")
        if isinstance(answer, Chosen):
            return read_choice(self._spec.read, answer)
        return read_text(self._spec.read, answer)


def _tells_nothing(answer: Reply | RequestError) -> bool:
    """Whether a choice came to nothing that words would not tell better."""
    if isinstance(answer, RequestError):
        return answer.kind in (_UNSUPPORTED, _LOST)
    return isinstance(answer, Chosen) and likeliest(answer) is None


class ClassifierSource:
    """Guard that is a sequence classifier, run in this process."""

    def __init__(self, spec: Spec, place: str) -> None:
        self._spec, self.model = spec, place
        self._classifier: SequenceClassifier | None = None

    @property
    def classifier(self) -> SequenceClassifier:
        """Classifier with the positive classes, the activation and the frame that the adapter names."""
        if self._classifier is None:
            from alignsuite.judges.classifiers import SequenceClassifier

            spec, read = self._spec, self._spec.read
            first = next(iter(read.classes.values()))
            self._classifier = SequenceClassifier(
                self.model,
                positive=[name for name, value in read.classes.items() if value == first],
                multi_label=read.multi_label,
                join=None if spec.ask.template != "inline" else lambda prompt, reply: joined(spec, prompt, reply),
                pull=f"alignsuite judge pull {spec.id}",
            )
        return self._classifier

    @property
    def identity(self) -> str:
        """Fingerprint of the checkpoint; empty where it isn't here."""
        return "" if self.classifier.missing() else self.classifier.fingerprint

    def unfit(self) -> str:
        """What the classifier lacks, or which class it doesn't know by that name."""
        if missing := self.classifier.missing():
            return missing
        names = self.classifier.labels
        unknown = [name for name in self._spec.read.classes if name not in names]
        if unknown:
            return (
                f"{self.model} has no class `{unknown[0]}`: its config.json names {', '.join(names)}; put these under "
                "[read.classes] in a TOML of your own"
            )
        return ""

    def said(self, exchanges: Sequence[Exchange]) -> list[Said | Judgement]:
        """What the probabilities say."""
        scores = self.classifier.scores([pair_of(self._spec, exchange) for exchange in exchanges])
        return [read_classes(self._spec.read, one) for one in scores]

    def bill(self) -> Mapping[str, int]:
        """Nothing: no model is asked."""
        return {}
