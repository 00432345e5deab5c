"""LLM judge: a model labels another's replies by our guideline.

It is stronger than patterns, and less to be trusted.

It is asked once for each reply, never samples, sees no word that tells the group, and can do nothing but name a label; an answer that is
no label is UNREADABLE. How often it is right depends on the model behind it, so a card belongs to judge, model and question together:
`alignsuite judge llm LABELLED.jsonl --model=NAME --measure`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alignsuite.errors import ReplayMissing, RequestError
from alignsuite.judges.asked_model import AskedModel, AsksModel, without_folder
from alignsuite.judges.llm.question import (
    LABELS,
    RUBRIC,
    Question,
    chosen_label,
    fingerprint,
    settled,
    would_rather_write,
    written_label,
)
from alignsuite.judges.protocol import UNREADABLE, Exchange, Judgement, exchange_of
from alignsuite.models.protocol import Generated, Reply

_CANNOT_CHOOSE = "unsupported"
"""The kind of a request's failure that says: this engine shows no probabilities, ask it for words."""


class LLMJudge:
    """LLM judge of refusals, in the family of `refusal-patterns` and with all of its labels; see the module.

    Its version stands for the rubric, the model's fingerprint and every word of the question: where one changes, so does the version.
    """

    family = "refusal"
    labels = frozenset(LABELS)

    def __init__(self, broker: AsksModel) -> None:
        self._model = AskedModel(broker)
        self.name = f"llm-judge {without_folder(broker.info.name)}"
        self.version = f"{RUBRIC}+{fingerprint(broker.info.fingerprint)}"

    def read(self, prompt: str, reply: Reply) -> Judgement:
        """The judgement of one reply; many at once are read faster by `judge`."""
        return self.judge([exchange_of(prompt, reply)])[0]

    def judge(self, exchanges: Sequence[Exchange]) -> list[Judgement]:
        """A judgement for each: one request to the model for every reply with words in it, all handed in together.

        Raises:
            ModelError: when the judging model can't be used at all.
            ReplayMissing: in replay, when the store lacks its answers.
        """
        known = [settled(exchange) for exchange in exchanges]
        questions = [
            Question.about(exchange.prompt, exchange.reply.text, exchange.masked)
            for exchange, judgement in zip(exchanges, known, strict=True)
            if judgement is None and isinstance(exchange.reply, Generated)
        ]
        answers = iter(self._answered(questions))
        return [next(answers) if judgement is None else judgement for judgement in known]

    def missing(self) -> str:
        """Nothing, so an empty text: whoever made it had the model."""
        return ""

    def bill(self) -> Mapping[str, int]:
        """What judging cost since this was last asked.

        That is `prompt` and `completion` tokens, `calls`, `from_store` and `milliseconds`.
        """
        return self._model.bill()

    def _answered(self, questions: Sequence[Question]) -> list[Judgement]:
        """Judgements from letters where the model can choose, from words where it can't.

        It can't where its server turns out not to show probabilities, or where it would rather write: a chat model that thinks first.
        """
        if not questions:
            return []
        if not self._model.info.can_choose:
            return [self._judgement(answer) for answer in self._asked(questions, choose=False)]
        try:
            answers = self._asked(questions, choose=True)
        except ReplayMissing as missing:  # a refused choice is in no store, the words that were asked for instead are
            try:
                return [self._judgement(answer) for answer in self._asked(questions, choose=False)]
            except ReplayMissing:
                raise missing from None
        chats = self._model.info.can_chat  # a base model would write on and on
        unable = [
            place for place, answer in enumerate(answers)
            if _cannot_choose(answer) or (chats and would_rather_write(answer))
        ]  # fmt: skip
        if unable:
            words = self._asked([questions[place] for place in unable], choose=False)
            for place, answer in zip(unable, words, strict=True):
                answers[place] = answer
        return [self._judgement(answer) for answer in answers]

    def _asked(self, questions: Sequence[Question], *, choose: bool) -> list[Reply | RequestError]:
        chat = self._model.info.can_chat
        return self._model.replies([question.request(choose=choose, chat=chat) for question in questions])

    @staticmethod
    def _judgement(answer: Reply | RequestError) -> Judgement:
        if isinstance(answer, RequestError):
            return Judgement(UNREADABLE, f"the judge gave no answer ({answer.kind}): {answer}")
        return written_label(answer) if isinstance(answer, Generated) else chosen_label(answer)


def _cannot_choose(answer: Reply | RequestError) -> bool:
    return isinstance(answer, RequestError) and answer.kind == _CANNOT_CHOOSE
