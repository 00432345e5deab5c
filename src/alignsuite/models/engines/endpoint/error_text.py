"""Errors that arrive as a reply's text: what gateways and clients write into the content, under status 200.

A model that speaks of errors has answered. So a text counts as an error only if the whole of it has the shape in which a program
writes one, and the prompt speaks of nothing of the kind; or if it is short, speaks of a failure, and the same text answers prompts that
differ (`Refrains`).
"""

from __future__ import annotations

import json
import re

_LONG = 2000  # characters: an error's text is shorter, but for a page of HTML or a body with a trace
_SHORT = 300
_PROMPTS = 3  # that got one and the same text

_ABOUT_ERRORS = re.compile(
    r"error|exception|traceback|json|http|status code|gateway|\bservers?\b|\bapi\b", re.IGNORECASE
)
_CLIENTS = (
    r"(?:API|APIConnection|APITimeout|APIStatus|RateLimit|InternalServer|BadRequest|Authentication|PermissionDenied|ServiceUnavailable"
    r"|ContextWindowExceeded|ContentPolicyViolation|UnprocessableEntity|MidStreamFallback|MaxRetry|ReadTimeout|ConnectTimeout|HTTP|HTTPStatus"
    r"|ClientResponse|ClientConnector|RemoteProtocol|JSONDecode)(?:Error|Exception)"
)
_WHOLE = re.compile(
    rf"""(?:
    (?:api\ )?error\ code:\ [1-5]\d\d\b.*                       # openai's errors as text
    |(?:[a-z_]{{1,30}}\.){{1,4}}\w{{1,40}}(?:error|exception)\b[:(].*   # litellm.RateLimitError: …
    |{_CLIENTS}\b[:(].*
    |(?:api\ |http\ |server\ |upstream\ |provider\ |unexpected\ )?error[:\ (]{{1,2}}(?:http\ )?[45]\d\d\b.*
    |(?:http(?:/[\d.]{{1,3}})?\ )?[45]\d\d[:,\ -]{{1,3}}(?:client\ error|server\ error|internal\ server\ error|bad\ gateway|bad\ request
        |service\ (?:temporarily\ )?unavailable|gateway\ time-?out|too\ many\ requests|unauthorized|forbidden|not\ found).*
    |request\ failed\ with\ status\ code\ [45]\d\d\.?
    |(?:internal\ server\ error|bad\ gateway|service\ (?:temporarily\ )?unavailable|gateway\ time-?out|too\ many\ requests
        |rate\ limit\ (?:exceeded|reached)|connection\ error|request\ timed\ out|fetch\ failed|no\ healthy\ upstream
        |the\ (?:server|engine|model)\ is\ (?:currently\ )?overloaded[^.]{{0,80}})\.?
    |upstream\ (?:connect\ error|request\ timeout|error).*
    |you\ exceeded\ your\ current\ quota\b.*
    |traceback\ \(most\ recent\ call\ last\):.*
    |(?:<!doctype\ html>\s*)?<html\b.{{0,400}}?<title>\s*(?:[45]\d\d\b|error\b|bad\ gateway|service\ unavailable).*
    )""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_FAILURE = re.compile(
    r"\b(?:errors?|exception|unavailable|overloaded|timed out|time-?out|rate limit\w*|too many requests|quota|gateway|upstream"
    r"|status code|connection (?:refused|reset|lost|closed)|went wrong|server is busy|try again later|finish reason|currently loading"
    r"|failed to (?:generate|respond)|filtered by)\b|繁忙|请稍后|\A(?:null|undefined|none|nan)\Z",
    re.IGNORECASE,
)
_FIELDS = {
    "error",
    "errors",
    "message",
    "detail",
    "code",
    "type",
    "status",
    "object",
    "param",
    "request_id",
    "timestamp",
    "path",
    "title",
}


def is_error_text(text: str, prompt: str) -> bool:
    """Whether a reply's whole text is an error of a client or gateway, and no answer to the prompt.

    >>> is_error_text("Error code: 500 - {'error': {'message': 'Internal server error'}}", "When do I plant garlic?")
    True
    >>> is_error_text("Error code 500 means that the server failed. Look into its log first.", "What is code 500?")
    False
    """
    text = text.strip()
    if not text or len(text) > _LONG or _ABOUT_ERRORS.search(prompt[:20_000]):
        return False
    return _WHOLE.fullmatch(text) is not None or _is_error_object(text)


def _is_error_object(text: str) -> bool:
    """Whether the text is an error's JSON and nothing else."""
    if not text.startswith("{"):
        return False
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(data, dict)
        and bool({"error", "errors"} & set(data) or data.get("object") == "error")
        and set(data) <= _FIELDS
    )


class Refrains:
    """Short texts that speak of a failure, by the prompts that they were given to.

    A model may well say of one thing that it is unavailable; no model says so in the same words of everything.
    """

    def __init__(self) -> None:
        self._prompts: dict[str, set[int]] = {}

    def is_suspect(self, text: str, prompt: str) -> bool:
        """Whether this text may be an error's, by its words alone; it is noted."""
        text = text.strip()
        if len(text) > _SHORT or not _FAILURE.search(text) or _ABOUT_ERRORS.search(prompt[:20_000]):
            return False
        if len(self._prompts) < 10_000:
            self._prompts.setdefault(text, set()).add(hash(prompt))
        return True

    def is_refrain(self, text: str) -> bool:
        """Whether prompts that differ got this very text."""
        return len(self._prompts.get(text.strip(), ())) >= _PROMPTS
