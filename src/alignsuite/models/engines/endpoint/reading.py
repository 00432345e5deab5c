"""Reading of a generated reply: the words that a user would see, the thought beside them, and who withheld what.

Servers put a reply into `text`, into `content`, or into parts of it; the model's own refusal into `refusal`; reasoning into
`reasoning_content`, `reasoning`, `reasoning_details` or `thinking`, of the message or beside it, or into parts of their own. A filter
may leave out the message and all: then the reason why the reply ended is the answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from alignsuite.models.engines.endpoint.client import Answer
from alignsuite.models.engines.endpoint.faults import JSON, Fault, as_list, as_object, fault_inside
from alignsuite.models.engines.endpoint.finish import finish_of
from alignsuite.models.protocol import Finish, Generated
from alignsuite.text.clean import tidy

_SHOWN = ("text", "output_text", "")
_THOUGHT = ("reasoning", "reasoning_text", "thinking", "thought", "summary_text")
_THOUGHT_FIELDS = (
    "reasoning_content",
    "reasoning",
    "reasoning_text",
    "thinking",
    "reasoning_details",
    "thinking_blocks",
)
_DEPTH = 5  # of parts within parts


def read_reply(answer: Answer, *, max_tokens: int, stop: tuple[str, ...] = ()) -> Generated:
    """The reply in an answer.

    Args:
        answer: what the server sent.
        max_tokens: the limit that was sent, for servers that don't say how a reply ended.
        stop: sequences at which the text is cut here, since the server takes none.

    Raises:
        Fault: if it holds no reply: an error, no place for text, an end that nobody knows. It may be tried again.
    """
    if blocked := _blocked_prompt(answer.data):
        return _reply(answer, "", "withheld", "", f"provider: {blocked}")
    choice = answer.choice()
    if not _has_place(choice):
        finish, why = finish_of(choice, answer.data, is_empty=True, is_full=False)
        if finish != "stop":
            return _reply(answer, "", finish, _unseen(answer.data), f"provider: {why}" if finish == "withheld" else "")
    text, refusal, thought = text_of(choice), refusal_of(choice), thought_of(choice)
    is_full = answer.tokens("completion_tokens") >= max_tokens
    finish, why = finish_of(choice, answer.data, is_empty=not (text or refusal or thought), is_full=is_full)
    if not (text or refusal or thought):
        thought = _unseen(answer.data)
    cut = min((at for word in stop if word and (at := text.find(word)) >= 0), default=None)
    if cut is not None:
        text, finish = text[:cut], "stop" if finish == "length" else finish
    withheld = f"provider: {why}" if finish == "withheld" else "model: refusal" if refusal else ""
    return _reply(answer, text if text.strip() else refusal or text, finish, thought, withheld)


def _reply(answer: Answer, text: str, finish: Finish, thought: str, withheld: str) -> Generated:
    return Generated(
        text=text,
        finish=finish,
        prompt_tokens=answer.tokens("prompt_tokens"),
        completion_tokens=answer.tokens("completion_tokens"),
        seconds=answer.seconds,
        thought=thought,
        withheld=withheld,
    )


def text_of(choice: JSON) -> str:
    """The reply's text, character for character; null is the empty text.

    Raises:
        Fault: if there is no place for text in the choice, or an error stands there; it may be tried again.
    """
    message = as_object(choice.get("message"))
    for error in (choice.get("error"), message.get("error")):
        if error:
            raise fault_inside(error)
    if not _has_place(choice):
        raise Fault("bad_answer", "the answer's choice holds neither a message nor a text", retry=True)
    text = choice["text"] if "text" in choice else message.get("content")
    if isinstance(text, list | dict):
        return _shown(text)
    if text is not None and not isinstance(text, str):
        raise Fault("bad_answer", f"the reply's text is a {type(text).__name__}", retry=True)
    return text or ""


def _has_place(choice: JSON) -> bool:
    """Whether there is a place for text."""
    return "text" in choice or isinstance(choice.get("message"), dict)


def _shown(content: object) -> str:
    """Text of a content's parts.

    Raises:
        Fault: if there is none, and words stand in a part of a type that nobody here knows.
    """
    parts = list(_parts(content))
    shown = "".join(part for kind, part in parts if kind in _SHOWN)
    strange = next((kind for kind, part in parts if part and kind not in (*_SHOWN, *_THOUGHT, "refusal")), "")
    if strange and not shown:
        raise Fault(
            "bad_answer",
            f"the reply's words come in a part of a type that is not known here: `{tidy(strange, 60)}`",
            retry=True,
        )
    return shown


def refusal_of(choice: JSON) -> str:
    """The model's own refusal, from the field or the part that is made for it; empty where it declined nothing."""
    message = as_object(choice.get("message"))
    return _words(message.get("refusal")) or "".join(
        part for kind, part in _parts(message.get("content")) if kind == "refusal"
    )


def thought_of(choice: JSON) -> str:
    """Reasoning that the server sets apart: the first field that holds some, else the parts of the content that do."""
    message = as_object(choice.get("message"))
    places = [message, choice, *(as_object(place.get("provider_specific_fields")) for place in (message, choice))]
    for name in _THOUGHT_FIELDS:
        for place in places:
            if thought := _words(place.get(name)):
                return thought
    return "".join(part for kind, part in _parts(message.get("content")) if kind in _THOUGHT)


def _unseen(data: JSON) -> str:
    """Reasoning that the server counts and does not show, in words; empty where there is none."""
    usage = as_object(data.get("usage"))
    count = as_object(usage.get("completion_tokens_details")).get("reasoning_tokens") or usage.get("reasoning_tokens")
    return f"({count} tokens of reasoning, which the server does not show)" if isinstance(count, int) and count else ""


def _parts(content: object) -> Iterator[tuple[str, str]]:
    """Parts of a content, each with its type; a bare string is a text."""
    for part in [content] if isinstance(content, dict) else as_list(content):
        if isinstance(part, str):
            yield "text", part
            continue
        kind = str(as_object(part).get("type") or "")
        yield kind, _words({name: value for name, value in as_object(part).items() if name != "type"})


def _words(value: object, depth: int = _DEPTH) -> str:
    """Words of a string, of a list of them, or of an object that holds them under one of the usual names."""
    if isinstance(value, str):
        return value
    if depth and isinstance(value, list):
        return "".join(_words(part, depth - 1) for part in value)
    if depth and isinstance(value, dict):
        names = ("text", "refusal", "thinking", "reasoning", "content", "summary")
        return next(filter(None, (_words(value.get(name), depth - 1) for name in names)), "")
    return ""


def _blocked_prompt(data: JSON) -> str:
    """Google's word for a prompt that it does not answer at all."""
    feedback = as_object(data.get("promptFeedback") or data.get("prompt_feedback"))
    reason = feedback.get("blockReason") or feedback.get("block_reason")
    return tidy(reason, 60) if isinstance(reason, str) and not data.get("choices") else ""
