"""Finish reasons: what a server says of how a reply ended, to `stop`, `length`, `withheld`, or no reply at all.

Providers and gateways have a word of their own each, and spell it in their own way: `content_filter`, `CONTENT_FILTERED`,
`content-filter`. So only letters and digits are compared, without case. Some say more behind a colon (`content_filter: RECITATION`).
A word that stands in no row is not taken for `stop`: what ended a reply for a reason that nobody here knows is asked again, and then
said aloud.
"""

from __future__ import annotations

import re
from typing import Literal

from alignsuite.models.engines.endpoint.faults import JSON, Fault, as_list, as_object
from alignsuite.models.protocol import Finish
from alignsuite.text.clean import tidy

Meaning = Literal["stop", "length", "withheld", "failed"]

REASONS: dict[Meaning, str] = {
    # the model ended by itself, at a stop sequence, or with a call of a tool
    "stop": """
        stop end_turn eos eos_token endoftext stop_sequence stop_sequence_reached stop_criteria_met COMPLETE completed
        FINISH finished normal word tool_calls tool_call tool_use function_call ALTERNATIVE_STATUS_FINAL
    """,
    # the limit of tokens, the end of the context, or a server's own limit on a reply that repeats itself
    "length": """
        length limit max_tokens maximum_tokens max_output_tokens max_completion_tokens max_length model_length token_limit context
        repetition model_context_window_exceeded context_length_exceeded ALTERNATIVE_STATUS_TRUNCATED_FINAL
    """,
    # a filter of the provider's, before the reply or in its middle
    "withheld": """
        content_filter content_filtered filtered content_blocked blocked refusal refused safety PROHIBITED_CONTENT BLOCKLIST SPII
        RECITATION LANGUAGE IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION MODEL_ARMOR guardrail_intervened guardrails
        input_guardrail_triggered output_guardrail_triggered moderation moderated flagged sensitive blacklist
        ERROR_TOXIC content_policy_violation policy_violation ALTERNATIVE_STATUS_CONTENT_FILTER
    """,
    # the server gave up: what it had by then is no reply
    "failed": """
        error ERROR_LIMIT abort aborted cancelled canceled USER_CANCEL timeout time_limit network_error not_finished
        insufficient_system_resource overloaded MALFORMED_FUNCTION_CALL MALFORMED_RESPONSE malformed_model_output malformed_tool_use
    """,
}
"""Every finish reason that is known, by what it means."""


def _folded(reason: str) -> str:
    return re.sub(r"[^a-z0-9]", "", reason[:100].lower())


_MEANINGS = {_folded(reason): meaning for meaning, reasons in REASONS.items() for reason in reasons.split()}


def _meaning(reason: str) -> Meaning | None:
    """What a reason means.

    Of one that says more behind a colon the first word decides, unless that says all is well.
    """
    first = _MEANINGS.get(_folded(re.split(r"[:;,]", reason, maxsplit=1)[0]))
    return _MEANINGS.get(_folded(reason)) or (first if first in ("withheld", "failed") else None)


def finish_of(choice: JSON, data: JSON, *, is_empty: bool, is_full: bool) -> tuple[Finish, str]:
    """How a reply ended, and the provider's word for it where it withheld something.

    A gateway puts the provider's own word beside its own (`native_finish_reason`): what that one says of a filter, a limit or an error
    goes first. So do Azure's results of filters that struck. No reason at all says nothing: then it is `length` if the reply has as many
    tokens as were allowed (`is_full`), else `stop`; some servers never give one.

    Raises:
        Fault: if the server failed, ended for a reason that is not known, or gave neither a reason nor a text (`is_empty`).
    """
    struck = _struck(choice.get("content_filter_results")) or (is_empty and _struck_prompt(data))
    if struck:
        return "withheld", f"content_filter ({struck})"
    given = (choice.get("native_finish_reason"), choice.get("finish_reason"))
    said = [reason for reason in given if isinstance(reason, str) and reason.strip() not in ("", "null")]
    found = [(meaning, reason) for reason in said if (meaning := _meaning(reason))]
    for wanted in ("withheld", "failed", "length", "stop"):
        if reason := next((reason for meaning, reason in found if meaning == wanted), ""):
            return _ended(wanted, reason)
    if said:
        raise Fault(
            "bad_answer", f"the reply ended for a reason that is not known here: `{tidy(said[-1], 60)}`", retry=True
        )
    if is_empty:
        raise Fault("bad_answer", "the answer holds neither a text nor a reason why it ended", retry=True)
    return ("length" if is_full else "stop"), ""


def _ended(meaning: str, reason: str) -> tuple[Finish, str]:
    if meaning == "failed":
        raise Fault("server_error", f"the server broke the reply off: finish reason `{tidy(reason, 60)}`", retry=True)
    if meaning == "withheld":
        return "withheld", tidy(reason, 60)
    return ("length" if meaning == "length" else "stop"), ""


def _struck(results: object) -> str:
    """Categories in which Azure's filters held something back, by name."""
    return ", ".join(
        tidy(str(name), 40) for name, result in as_object(results).items() if as_object(result).get("filtered") is True
    )


def _struck_prompt(data: JSON) -> str:
    prompts = [as_object(prompt) for prompt in as_list(data.get("prompt_filter_results"))]
    return ", ".join(filter(None, (_struck(prompt.get("content_filter_results")) for prompt in prompts)))
