"""Generation at an endpoint: a `Generate` to a `Generated`, by chat or raw completion."""

from __future__ import annotations

from alignsuite.models.engines.endpoint.client import Answer
from alignsuite.models.engines.endpoint.error_text import Refrains, is_error_text
from alignsuite.models.engines.endpoint.faults import Fault
from alignsuite.models.engines.endpoint.parameters import LIMITS, Parameters
from alignsuite.models.engines.endpoint.reading import read_reply, text_of
from alignsuite.models.protocol import Generate, Generated, Message, last_turn
from alignsuite.text.clean import tidy

__all__ = ["CHAT_PATH", "RAW_PATH", "Writer", "messages_of", "text_of"]

CHAT_PATH, RAW_PATH = "/chat/completions", "/completions"


def messages_of(prompt: tuple[Message, ...]) -> list[dict[str, str]]:
    """The conversation as the API wants it."""
    return [{"role": message.role, "content": message.content} for message in prompt]


class Writer:
    """Asks for text; `thinking_tokens` are allowed on top of each request's own."""

    def __init__(self, parameters: Parameters, thinking_tokens: int = 0) -> None:
        self._parameters = parameters
        self._thinking_tokens = thinking_tokens
        self._refrains = Refrains()

    async def generate(self, request: Generate) -> Generated:
        """The text, with finish `withheld` where the provider withholds it or the rest of it.

        Raises:
            Fault: if no answer could be had.
            ModelError: if asking on is useless.
        """
        body: dict[str, object] = {
            "model": self._parameters.model,
            "temperature": request.temperature,
            "seed": request.seed,
            LIMITS[0]: request.max_tokens + self._thinking_tokens,
        }
        if request.stop:
            body["stop"] = list(request.stop)
        path = RAW_PATH if isinstance(request.prompt, str) else CHAT_PATH
        body |= (
            {"prompt": request.prompt} if isinstance(request.prompt, str) else {"messages": messages_of(request.prompt)}
        )
        doubted: list[Generated] = []
        try:
            return await self._parameters.ask(path, body, lambda answer: self._read(answer, request, doubted))
        except Fault as fault:
            if fault.kind == "filtered":
                return Generated("", "withheld", withheld=f"provider: {fault.why}")
            if fault.kind == "suspect" and not self._refrains.is_refrain(doubted[-1].text):
                return doubted[-1]  # there was no second look to be had
            raise

    def _read(self, answer: Answer, request: Generate, doubted: list[Generated]) -> Generated:
        """The reply, if it is one; a text that may be an error's is looked at twice, to see who else gets it."""
        limit = request.max_tokens + self._thinking_tokens
        reply = read_reply(answer, max_tokens=limit, stop=request.stop)
        prompt = last_turn(request.prompt)
        if reply.finish == "withheld" or reply.withheld:
            return reply
        if is_error_text(reply.text, prompt):
            raise Fault("server_error", f"an error came as the reply's text: `{tidy(reply.text, 200)}`", retry=True)
        if self._refrains.is_suspect(reply.text, prompt):
            doubted.append(reply)
            if len(doubted) == 1 or self._refrains.is_refrain(reply.text):
                said = f"prompts that differ got one and the same text, which speaks of a failure: `{tidy(reply.text, 200)}`"
                raise Fault("suspect", said, retry=True)
        return reply
