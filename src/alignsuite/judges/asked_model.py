"""Asked model: the broker of a model that a judge asks, what its answers cost, and its name as versions have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

from alignsuite.errors import RequestError
from alignsuite.models.protocol import ModelInfo, Reply, Request

if TYPE_CHECKING:
    from alignsuite.models.broker.broker import Delivery


class AsksModel(Protocol):
    """What is needed of the judging model's broker."""

    @property
    def info(self) -> ModelInfo:
        """What is known of the model."""
        ...

    def get(self, requests: Sequence[Request]) -> Delivery:
        """Replies to requests, in their order."""
        ...


class AskedModel:
    """Model that a judge asks: its broker, and the bill of what was delivered."""

    def __init__(self, broker: AsksModel) -> None:
        self._broker = broker
        self._bill: Counter[str] = Counter()

    @property
    def info(self) -> ModelInfo:
        """What is known of the model."""
        return self._broker.info

    def replies(self, requests: Sequence[Request]) -> list[Reply | RequestError]:
        """Replies to requests, in their order; what they cost goes on the bill.

        Raises:
            ModelError: the model can't be used at all.
            ReplayMissing: in replay, when the store lacks one of them.
        """
        delivery = self._broker.get(requests)
        replies = [reply for reply in delivery.replies if not isinstance(reply, RequestError)]
        self._bill["prompt"] += sum(reply.prompt_tokens for reply in replies)
        self._bill["completion"] += sum(reply.completion_tokens for reply in replies)
        self._bill["calls"] += len(delivery.replies) - delivery.from_store
        self._bill["from_store"] += delivery.from_store
        self._bill["milliseconds"] += round(1000 * delivery.seconds)
        return list(delivery.replies)

    def bill(self) -> Mapping[str, int]:
        """`prompt` and `completion` tokens, `calls`, `from_store` and `milliseconds` since this was last asked."""
        bill, self._bill = self._bill, Counter()
        return bill


def without_folder(model: str) -> str:
    """A model's name without folders: the judge is the same one wherever its files lie."""
    return model if ":" in model else PurePath(model).name or model
