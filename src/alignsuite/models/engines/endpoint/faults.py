"""Error classification: an HTTP status and body, however a server words it, to one `Fault`.

Every server words its errors differently: OpenAI nests them, TGI gives a bare string, FastAPI a list, a proxy an HTML
page. Here they become a `Fault` that says three things: may it be tried again and when, does it end the run, and which
kind of `RequestError` it is once nobody tries again. Nothing here talks to a server.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Literal

from alignsuite.errors import RequestError
from alignsuite.text.clean import tidy

Fatal = Literal["", "key", "forbidden", "quota", "model", "path", "moved"]
JSON = Mapping[str, object]

_TOO_LONG = re.compile(
    r"context[ _](length|window|size)|model length|longer than the|prompt is too long|input is too long|too many tokens"
    r"|reduce the length|`inputs` (tokens \+|must have less)",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model\b.{0,200}(does ?n[o']t exist|not found|not exist|is not available)"
    r"|unknown model|invalid model name|not a valid model|server is pinned to",
    re.IGNORECASE | re.DOTALL,
)
_FILTER_CODE = re.compile(
    r"content(filter|policy|moderation|blocked)|responsibleaipolicy|datainspection|moderationblocked|prohibitedcontent|guardrailintervened"
    r"|sensitivecontent|(input|output)textrisk|censorship|cyberpolicy|usagepolicyviolation"
)
_FLAGGED = re.compile(
    r"\b(input|prompt|content|request|message|response|output|text|query)s?\b[^.]{0,80}"
    r"\b(flagged|moderated|filtered|high risk|inappropriate content|unsafe or sensitive|new_sensitive"
    r"|sensitive (information|content|words?)|violation information|violat\w{1,5}\b[^.]{0,60}\b(polic|guideline|terms|regulations))"
    r"|\b(content|prompt|input|output|response)s?\b[^.]{0,60}\bblocked\b"
    r"|\b(flagged|blocked|rejected|filtered|prohibited|violat\w{1,5}|trigger\w{0,5})\b[^.]{0,80}"
    r"\b(content (management |moderation )?(polic|filter)|safety (system|filter|polic)|usage polic|responsible ai|moderation|guardrail"
    r"|acceptable use)"
    r"|content exists risk|guardrail_triggered|guardrail checks\b[^.]{0,60}\bfailed|\bflagged\"?: ?true"
    r"|(内容|输入|输出|文本|提示)[^。]{0,40}(敏感|违规|违法|不安全)",
    re.IGNORECASE,
)
_OF_THE_ACCOUNT = re.compile(
    r"\b(account|organi[sz]ation|api[ _-]?key|access|project|subscription)\b[^.]{0,40}"
    r"\b(flagged|suspended|terminated|disabled|blocked|banned|deactivated|revoked)",
    re.IGNORECASE,
)
_WORDS = 4000  # characters of a server's own, however many it sends: expressions read no more
_MOVED = (301, 302, 303, 307, 308)  # not followed: the key would go where nobody meant it to
_TOO_LONG_CODES = {"context_length_exceeded", "exceed_context_size_error"}
_FINAL_5XX = (501, 505)  # what the server can't do at all; every other 5xx may pass


class Fault(Exception):  # noqa: N818 (not every fault ends in an error)
    """One exchange that gave no usable answer.

    `kind` is a kind of `RequestError`, or `filtered`, `no_log_probs`, `short_list` or `no_echo`, which the askers turn into something
    else. `unconnected` says that nobody was there; `wait_s` is how long the server asked us to wait. Of a refusal, `said` is what the
    server wrote and `param` the field of the body that it named; of what was filtered, `why` is the provider's code.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        retry: bool = False,
        wait_s: float | None = None,
        fatal: Fatal = "",
        unconnected: bool = False,
        said: str = "",
        param: str = "",
        why: str = "",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry = retry
        self.wait_s = wait_s
        self.fatal = fatal
        self.unconnected = unconnected
        self.said = said
        self.param = param
        self.why = why
        self.tries = 1

    def as_request_error(self) -> RequestError:
        """The value that travels beside the replies."""
        kind = _OUTSIDE.get(self.kind, self.kind)
        tries = f" (tried {self.tries} times)" if self.tries > 1 else ""
        return RequestError(kind, f"{self.message}{tries}{_NEXT.get(kind, '')}")


_OUTSIDE = {
    "filtered": "refused_by_server",
    "no_echo": "bad_answer",
    "no_log_probs": "bad_answer",
    "short_list": "bad_answer",
    "suspect": "server_error",
}
_NEXT = {
    "context_too_long": ". Shorten the prompt, or serve the model with a longer context",
    "rate_limited": ". Lower the concurrency, or raise the limit at the provider",
    "timeout": ". Raise the time-out, or lower the concurrency",
    "server_error": ". The server's own log knows more",
    "bad_answer": ". Is this an OpenAI-compatible server, with nothing in between that cuts replies?",
}


def fault_of_status(
    status: int, body: bytes, headers: Mapping[str, str], *, now: float, clean: Callable[[str], str] = str
) -> Fault:
    """The fault behind an HTTP error status.

    `clean` makes the server's words fit to be shown; `now` is in seconds since 1970.
    """
    said, data = _server_message(body)
    codes, param = {str(code)[:200] for code in _codes_of(data)}, _param_of(data)
    if param and param not in said:
        said = f"{param}: {said}"
    message = f"HTTP {status}: {clean(said)}" if said.strip() else f"HTTP {status}"
    if status == 429:
        if codes & {"insufficient_quota", "billing_hard_limit_reached"}:
            return Fault("rate_limited", message, fatal="quota")
        return Fault("rate_limited", message, retry=True, wait_s=retry_after_s(headers, now))
    if status in _MOVED:
        return Fault("refused_by_server", f"HTTP {status}: {clean(headers.get('location', ''))}", fatal="moved")
    if status == 408:
        return Fault("timeout", message, retry=True)
    if status in (409, 425) or (status >= 500 and status not in _FINAL_5XX):
        return Fault("server_error", message, retry=True, wait_s=retry_after_s(headers, now))
    why = "" if status == 401 else _flag(said, codes, data)
    if why:
        return Fault("filtered", message, why=why)
    return _refusal(status, message, said, codes, param)


def error_inside(data: JSON) -> object:
    """The error that a body under status 200 holds; None where it holds none.

    It stands in `error`, in MiniMax's `base_resp`, or anywhere where no choices do.
    """
    base, error = as_object(data.get("base_resp")), data.get("error")
    if base.get("status_code"):
        return {"code": base["status_code"], "message": base.get("status_msg") or "no reason was given"}
    if isinstance(error, dict) and not any(error.values()):
        return None
    return error or ("choices" not in data and words_of(data)) or None


def fault_inside(error: object, *, clean: Callable[[str], str] = tidy) -> Fault:
    """The fault behind an error under status 200: at the top, in a choice, in an event of a stream."""
    data = {"error": error}
    said, codes = words_of(data)[:_WORDS], {str(code)[:200] for code in _codes_of(data)}
    message = f"an error under status 200: {clean(said) or clean(json.dumps(error)[:_WORDS])}"
    if why := _flag(said, codes, data):
        return Fault("filtered", message, why=why)
    if codes & _TOO_LONG_CODES or _TOO_LONG.search(said):
        return Fault("context_too_long", message)
    return Fault("rate_limited" if "429" in codes else "server_error", message, retry=True)


def _flag(said: str, codes: set[str], data: object) -> str:
    """The provider's code, or `flagged`, where a body says that a filter keeps this request from being answered."""
    code = next((code for code in sorted(codes) if _FILTER_CODE.search(re.sub(r"[^a-z0-9]", "", code.lower()))), "")
    metadata = as_object(as_object(as_object(data).get("error")).get("metadata"))
    reasons = ", ".join(reason for reason in as_list(metadata.get("reasons")) if isinstance(reason, str))
    if code or "flagged_input" in metadata:
        return tidy(f"{code or 'flagged'}{f' ({reasons})' if reasons else ''}", 100)
    return "flagged" if _FLAGGED.search(said) and not _OF_THE_ACCOUNT.search(said) else ""


def _refusal(status: int, message: str, said: str, codes: set[str], param: str) -> Fault:
    if status == 402:
        return Fault("refused_by_server", message, fatal="quota")
    if status in (401, 403) and "logprob" not in said.lower():
        return Fault("refused_by_server", message, fatal="key" if status == 401 else "forbidden")
    if codes & _TOO_LONG_CODES or _TOO_LONG.search(said):
        return Fault("context_too_long", message)
    if "model_not_found" in codes or (status in (400, 404) and _NO_MODEL.search(said)):
        return Fault("refused_by_server", message, fatal="model")
    return Fault("refused_by_server", message, fatal="path" if status in (404, 405) else "", said=said, param=param)


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """How long the server asks us to wait, in seconds ≥ 0; None if it doesn't say, or not in a way that can be read.

    >>> retry_after_s({"retry-after": "7"}, now=0.0)
    7.0
    >>> retry_after_s({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, now=20.0)
    40.0
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _server_message(body: bytes) -> tuple[str, object]:
    """The server's own words, no more than a few kilobytes, and the body as far as it is JSON."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return re.sub(r"<[^<>]{0,500}>", " ", body[:_WORDS].decode("utf-8", "replace")), None
    return words_of(data)[:_WORDS], data


def _param_of(data: object) -> str:
    """The field that a body names as the wrong one: OpenAI's `param`, or the end of FastAPI's `loc`."""
    error = as_object(as_object(data).get("error")) or as_object(data)
    inner = as_object(error.get("message")) or error
    detail = as_object(next(iter(as_list(inner.get("detail"))), None))
    loc = [part for part in as_list(detail.get("loc")) if isinstance(part, str)]
    named = error.get("param") or (loc[-1] if len(loc) > 1 else "")
    return named[:60] if isinstance(named, str) and re.fullmatch(r"\w{1,60}", named) else ""


def words_of(data: object) -> str:
    """The message inside a decoded error body: nested, bare, or FastAPI's list."""
    if isinstance(data, str):
        return data
    if isinstance(data, list):
        return "; ".join(words_of(part) for part in data[:5])
    if isinstance(data, dict):
        for name in ("error", "errors", "message", "detail", "msg"):
            if data.get(name):
                return words_of(data[name])
    return ""


def _codes_of(data: object) -> list[object]:
    if not isinstance(data, dict):
        return []
    inner = [code for name in ("error", "innererror") for code in _codes_of(data.get(name))]
    return [data[name] for name in ("code", "type") if data.get(name) is not None] + inner


def as_object(value: object) -> JSON:
    """The JSON object, or an empty one where the server put something else."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The JSON list, or an empty one where the server put something else."""
    return value if isinstance(value, list) else []
