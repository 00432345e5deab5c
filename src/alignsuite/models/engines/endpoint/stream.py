"""Server-sent events of a streamed completion, put together into the completion that it stands for.

Some servers stream whatever they are asked; the content type says so. Nothing is shown before a reply is whole, so the body is read to
its end first. `openai` puts chunks together too, but by types that it validates: what we want to judge for ourselves would be lost there.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator

from alignsuite.models.engines.endpoint.faults import JSON, Fault, as_list, as_object

_TYPES = ("text/event-stream", "application/x-ndjson", "application/jsonl", "application/stream+json")
_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
"""What a line of a stream may begin with, and no JSON."""
_JOINED = ("content", "text", "refusal", "reasoning_content", "reasoning", "reasoning_text", "thinking")
"""Fields that come in pieces; of any other text the last one stands."""


def is_stream(content_type: str, body: bytes) -> bool:
    """Whether an answer is a stream of events: by its content type, or where that says otherwise by how it begins."""
    begins = body[:64].removeprefix(codecs.BOM_UTF8).lstrip()
    return content_type.partition(";")[0].strip().lower() in _TYPES or begins.startswith(_FIELDS)


def put_together(body: bytes) -> JSON:
    """The completion that a stream stands for.

    An error among the events is the completion's: whoever reads it finds it there.

    Raises:
        Fault: if the stream holds no event that can be read, or broke off before its end; it may be tried again.
    """
    choices: dict[object, dict[str, object]] = {}
    whole: dict[str, object] = {}
    count, ended = 0, False
    for name, text in _events(body):
        if text == "[DONE]":
            ended = True
            break
        try:
            event = json.loads(text)
        except (ValueError, RecursionError):
            raise Fault("bad_answer", "an event of the server's stream is no JSON", retry=True) from None
        count += 1
        if name == "error" and not as_object(event).get("error"):
            event = {"error": event}
        for piece in map(as_object, as_list(as_object(event).get("choices"))):
            index = piece.get("index")
            _add_choice(choices.setdefault(index if isinstance(index, int) else 0, {}), piece)
        _add(whole, {name: value for name, value in as_object(event).items() if name != "choices"})
    if not count:
        raise Fault("bad_answer", "the server answered with a stream that holds no event", retry=True)
    if not (ended or whole.get("error") or any(choice.get("finish_reason") for choice in choices.values())):
        raise Fault("connection", "the server's stream broke off before its end", retry=True)
    if choices or not whole.get("error"):
        whole["choices"] = [choices[index] for index in sorted(choices, key=str)]
    return whole


def _events(body: bytes) -> Iterator[tuple[str, str]]:
    """Name and data of each event; a line that is no field of one is an event by itself (JSON lines)."""
    name, data = "", list[str]()
    for line in [*body.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""]:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith(("{", "[")):
            yield "", line.strip()
        elif not line:
            if data:
                yield name, "\n".join(data).strip()
            name, data = "", []


def _add_choice(choice: dict[str, object], piece: JSON) -> None:
    """Add one piece of a choice: its `delta` to the message, or the whole message where a server sends that last."""
    rest = {name: value for name, value in piece.items() if name not in ("delta", "message")}
    _add(choice, rest)
    if isinstance(piece.get("message"), dict):
        choice["message"] = dict(as_object(piece["message"]))
    elif isinstance(piece.get("delta"), dict):
        message = choice.setdefault("message", {})
        assert isinstance(message, dict)
        _add(message, as_object(piece["delta"]))


def _add(whole: dict[str, object], piece: JSON) -> None:
    for name, value in piece.items():
        there = whole.get(name)
        if value is None or value == "":
            whole.setdefault(name, value)  # what was said once stands
        elif isinstance(there, str) and isinstance(value, str):
            whole[name] = there + value if name in _JOINED else value
        elif isinstance(there, list) and isinstance(value, list):
            whole[name] = there + value
        elif isinstance(there, dict) and isinstance(value, dict):
            _add(there, value)
        else:
            whole[name] = dict(value) if isinstance(value, dict) else value
