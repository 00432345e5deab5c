"""Generation at an endpoint: a `Generate` to a `Generated`, by chat or raw completion."""

from __future__ import annotations

from collections.abc import Mapping

from alignsuite.models.engines.endpoint.client import Answer
from alignsuite.models.engines.endpoint.faults import JSON, Fault, as_list, as_object
from alignsuite.models.engines.endpoint.retry import Retrier
from alignsuite.models.protocol import Finish, Generate, Generated, Message

CHAT_PATH, RAW_PATH = "/chat/completions", "/completions"
_NEW_NAME = "max_completion_tokens"


def messages_of(prompt: tuple[Message, ...]) -> list[dict[str, str]]:
    """The conversation as the API wants it."""
    return [{"role": message.role, "content": message.content} for message in prompt]


class Writer:
    """Asks for text, and remembers by what name this server wants the limit on its length."""

    def __init__(self, retrier: Retrier, extra: Mapping[str, object] | None = None, thinking_tokens: int = 0) -> None:
        self._retrier = retrier
        self._extra, self._thinking = dict(extra or {}), thinking_tokens
        self._limit_name = "max_tokens"

    async def generate(self, request: Generate) -> Generated:
        """The text; empty with finish `withheld` where the provider withholds it.

        Raises:
            Fault: if no answer could be had.
            ModelError: if asking on is useless.
        """
        name = self._limit_name
        try:
            return await self._ask(request, name)
        except Fault as fault:
            if fault.kind == "filtered":
                return Generated("", "withheld")
            if fault.kind != "refused_by_server" or _NEW_NAME not in fault.message or name == _NEW_NAME:
                raise
        self._limit_name = _NEW_NAME
        return await self._ask(request, _NEW_NAME)

    async def _ask(self, request: Generate, limit_name: str) -> Generated:
        body: dict[str, object] = {
            **self._extra,
            "model": self._retrier.model,
            "temperature": request.temperature,
            "seed": request.seed,
            limit_name: request.max_tokens + self._thinking,
        }
        if request.stop:
            body["stop"] = list(request.stop)
        if isinstance(request.prompt, str):
            return await self._retrier.ask(RAW_PATH, {**body, "prompt": request.prompt}, _read)
        return await self._retrier.ask(CHAT_PATH, {**body, "messages": messages_of(request.prompt)}, _read)


def _read(answer: Answer) -> Generated:
    choice = answer.choice()
    text, finish = text_of(choice), _finish(choice.get("finish_reason"))
    return Generated(
        text="" if finish == "withheld" else text,
        finish=finish,
        prompt_tokens=answer.tokens("prompt_tokens"),
        completion_tokens=answer.tokens("completion_tokens"),
        seconds=answer.seconds,
    )


def _finish(reason: object) -> Finish:
    if reason == "content_filter":
        return "withheld"
    return "length" if reason == "length" else "stop"


def text_of(choice: JSON) -> str:
    """The reply's text, character for character; null is the empty text.

    Raises:
        Fault: if there is no place for text in the choice; it may be tried again.
    """
    if "text" not in choice and not isinstance(choice.get("message"), dict):
        raise Fault("bad_answer", "the answer's choice holds neither a message nor a text", retry=True)
    text = choice["text"] if "text" in choice else as_object(choice["message"]).get("content")
    if isinstance(text, list):  # content in parts, as some servers send it
        text = "".join(str(as_object(part).get("text") or "") for part in as_list(text))
    if text is not None and not isinstance(text, str):
        raise Fault("bad_answer", f"the reply's text is a {type(text).__name__}", retry=True)
    return text or ""
