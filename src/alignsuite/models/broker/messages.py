"""Wire format between the broker and a worker, as JSON: requests, deliveries, model cards and errors.

Both ends run the same version of this package, so nothing here is a format to keep. JSON and not pickle: what arrives from the other side
is data, and never runs. A hint comes back with tuples for its sequences, as it was made.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, cast

from alignsuite import errors
from alignsuite.models.broker.broker import Delivery
from alignsuite.models.protocol import (
    Choose,
    Generate,
    Message,
    ModelInfo,
    Prompt,
    Reply,
    Request,
    reply_from_json,
    reply_to_json,
    request_to_json,
)

Json = dict[str, Any]


def request_to_wire(request: Request) -> Json:
    """Request as JSON data with its hint, which scripted models read."""
    hint = dict(request.hint)
    return {**request_to_json(request), **({"hint": hint} if hint else {})}


def request_from_wire(data: Mapping[str, Any]) -> Request:
    """Request from JSON data: the inverse of `request_to_wire`.

    >>> request = Choose((Message("user", "Which?"),), ("A", "B"), hint={"order": (1, 0)})
    >>> back = request_from_wire(request_to_wire(request))
    >>> back == request, back.hint
    (True, {'order': (1, 0)})
    """
    kept: Json = {name: _frozen(value) for name, value in data.items() if name not in ("kind", "prompt")}
    prompt: Prompt = data["prompt"] if isinstance(data["prompt"], str) else _turns(data["prompt"])
    return Choose(prompt, **kept) if data["kind"] == "choose" else Generate(prompt, **kept)


def _turns(data: Sequence[Any]) -> tuple[Message, ...]:
    return tuple(Message(role, content) for role, content in data)


def _frozen(value: object) -> object:
    """Sequences as tuples, all the way down."""
    if isinstance(value, list | tuple):
        return tuple(_frozen(part) for part in value)
    if isinstance(value, dict):
        return {name: _frozen(part) for name, part in value.items()}
    return value


def info_to_wire(info: ModelInfo) -> Json:
    """Model card as JSON data."""
    return asdict(info)


def info_from_wire(data: Mapping[str, Any]) -> ModelInfo:
    """Model card from JSON data: the inverse of `info_to_wire`."""
    return ModelInfo(**data)


def delivery_to_wire(delivery: Delivery) -> Json:
    """Delivery as JSON data, its replies in their order; a request that failed stands among them as an error."""
    counts = {field.name: getattr(delivery, field.name) for field in fields(delivery) if field.name != "replies"}
    return {**counts, "replies": [_reply_to_wire(reply) for reply in delivery.replies]}


def delivery_from_wire(data: Mapping[str, Any]) -> Delivery:
    """Delivery from JSON data: the inverse of `delivery_to_wire`."""
    return Delivery(**{**data, "replies": tuple(_reply_from_wire(reply) for reply in data["replies"])})


def _reply_to_wire(reply: Reply | errors.RequestError) -> Json:
    return error_to_wire(reply) if isinstance(reply, errors.RequestError) else reply_to_json(reply)


def _reply_from_wire(data: Mapping[str, Any]) -> Reply | errors.RequestError:
    return cast("errors.RequestError", error_from_wire(data)) if "error" in data else reply_from_json(data)


def error_to_wire(error: Exception) -> Json:
    """Error as JSON data: the names of its class and of those above it, nearest first.

    A fault that is none of the family brings its traceback.
    """
    line = [kind.__name__ for kind in type(error).__mro__ if issubclass(kind, errors.AlignsuiteError)]
    if line:
        return {"error": line, "message": str(error), "kind": getattr(error, "kind", "")}
    return {"error": ["ModelError"], "message": "".join(traceback.format_exception(error)).rstrip(), "kind": ""}


def error_from_wire(data: Mapping[str, Any]) -> errors.AlignsuiteError:
    """Error from JSON data: the same one, as its own class or the nearest that `errors` knows.

    >>> error_from_wire(error_to_wire(errors.RequestError("timeout", "too slow"))).kind
    'timeout'
    """
    kind = next(known for name in data["error"] if isinstance(known := getattr(errors, name, None), type))
    if kind is errors.RequestError:
        return errors.RequestError(data["kind"], data["message"])
    return cast("errors.AlignsuiteError", kind(data["message"]))
