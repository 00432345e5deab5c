"""A reply is read as what it is: refusals, filters, errors under status 200, thoughts, streams."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.engines.endpoint.error_text import is_error_text
from alignsuite.models.engines.endpoint.finish import REASONS
from alignsuite.models.protocol import Generate, Generated, Reply

from . import openai_server as double
from .openai_server import Act, Asked, OpenAIServer
from .test_endpoint import ask, chat, error_of, letters, values_of

TIP = "Do it by hand after rain, when the soil is soft."


def completion(
    content: object, finish: object = "stop", *, choice: dict[str, Any] | None = None, **message: Any
) -> Act:
    """A chat completion; more fields of the message by name."""
    said = {"index": 0, "message": {"content": content, **message}, "finish_reason": finish, **(choice or {})}
    return double.says({"choices": [said]})


def said(act: Act, *, asked: Generate | None = None, **options: Any) -> Reply | RequestError:
    """What becomes of this answer, whenever it comes."""
    with OpenAIServer(plan=double.always(act)) as server:
        return ask(server.url, asked or chat("How do I weed?"), **options)[0]


def reply(act: Act, **options: Any) -> Generated:
    """The reply that this answer is."""
    read = said(act, **options)
    assert isinstance(read, Generated), read
    return read


# -------------------------------------------------------------------------------- who withheld what


@pytest.mark.parametrize(
    ("content", "text"),
    [(None, "I won't."), ("", "I won't."), (" \n", "I won't."), ("Sure! Here is", "Sure! Here is")],
)
def test_a_refusal_in_its_own_field_is_the_models(content: object, text: str) -> None:
    """Whatever stands in the content; the words of the refusal are the text where nothing else is."""
    read = reply(completion(content, refusal="I won't."))
    assert (read.text, read.finish, read.withheld) == (text, "stop", "model: refusal")


def test_a_refusal_may_be_a_part_of_the_content() -> None:
    """As may text and thought, each in its own part."""
    parts = [
        {"type": "reasoning", "text": "Harmful. "},
        {"type": "thinking", "thinking": [{"type": "text", "text": "I decline."}]},
        {"type": "output_text", "text": "A "},
        {"type": "text", "text": "few words."},
        {"type": "refusal", "refusal": "No."},
        {"type": "image_url", "image_url": {"url": "x"}},
    ]
    read = reply(completion(parts))
    assert (read.text, read.thought, read.withheld) == ("A few words.", "Harmful. I decline.", "model: refusal")
    assert reply(completion(parts[-2:])).text == "No."


@pytest.mark.parametrize("refusal", [None, "", False, {}])
def test_an_empty_field_for_refusals_says_nothing(refusal: object) -> None:
    """OpenAI sends it as null with every answer."""
    read = reply(completion(TIP, refusal=refusal))
    assert (read.text, read.withheld) == (TIP, "")


@pytest.mark.parametrize("reason", REASONS["withheld"].split())
def test_every_word_for_withheld_is_understood(reason: str) -> None:
    """In whatever case and spelling; what was shown before is kept, since a user saw it."""
    for spelling in (reason, reason.upper(), reason.replace("_", "-").lower()):
        read = reply(completion("Half an answer", spelling))
        assert (read.text, read.finish, read.withheld) == ("Half an answer", "withheld", f"provider: {spelling}")


@pytest.mark.parametrize(("meaning", "finish"), [("stop", "stop"), ("length", "length")])
def test_every_word_for_a_regular_end_is_understood(meaning: Any, finish: str) -> None:
    """Providers call the same two things by a dozen names."""
    with OpenAIServer(plan=lambda asked: completion(TIP, asked.body["messages"][0]["content"])) as server:
        replies = ask(server.url, *map(chat, REASONS[meaning].split()))
    assert {(read.finish, read.withheld) for read in replies if isinstance(read, Generated)} == {(finish, "")}


@pytest.mark.parametrize(
    "reason",
    ["insufficient_system_resource", "other", "FINISH_REASON_UNSPECIFIED", "error", "abort", "a\x1b[31mnew\u202e one"],
)
def test_what_ended_otherwise_is_no_reply(reason: str) -> None:
    """It is asked for again, and then the reason is named; a half text is the basis of no verdict."""
    with OpenAIServer(plan=double.first_tries(2, completion("Six tokens of", reason))) as server:
        assert isinstance(ask(server.url, chat("hi"))[0], Generated)
    error = error_of(said(completion("Six tokens of", reason), retries=1))
    assert error.kind in ("server_error", "bad_answer")
    assert reason.split("\x1b")[0] in str(error)
    assert "\x1b" not in str(error)
    assert "tried 2 times" in str(error)


def test_no_reason_at_all_is_read_by_the_count_of_tokens() -> None:
    """Some servers give none: then a reply that has all the tokens it may have was cut off; without a text it is none."""
    for reason in (None, "", "null"):
        assert reply(completion(TIP, reason)).finish == "stop"
    full = {"choices": [{"message": {"content": TIP}, "finish_reason": None}], "usage": {"completion_tokens": 9}}
    assert reply(double.says(full), asked=chat("hi", max_tokens=9)).finish == "length"
    assert reply(double.says(full), asked=chat("hi", max_tokens=10)).finish == "stop"
    assert error_of(said(completion(None, None), retries=0)).kind == "bad_answer"


def test_a_gateways_own_word_does_not_hide_the_providers() -> None:
    """OpenRouter says `stop` where its provider said SAFETY, and hands on the provider's word beside it."""
    read = reply(completion("", "stop", choice={"native_finish_reason": "SAFETY"}))
    assert (read.finish, read.withheld) == ("withheld", "provider: SAFETY")
    assert reply(completion(TIP, "stop", choice={"native_finish_reason": "MAX_TOKENS"})).finish == "length"
    assert reply(completion(TIP, "stop", choice={"native_finish_reason": "who knows"})).finish == "stop"


@pytest.mark.parametrize("message", [{}, {"message": None}, {"message": {"role": "assistant", "content": None}}])
def test_a_reason_with_more_behind_its_colon_is_understood_without_a_message(message: dict[str, Any]) -> None:
    """Google's own form of it; and a filter may leave out the message, but no good end may."""
    for reason in ("content_filter: PROHIBITED_CONTENT", "content_filter: OTHER", "SAFETY"):
        read = reply(double.says({"choices": [{"index": 0, "finish_reason": reason, **message}]}), retries=0)
        assert (read.text, read.finish, read.withheld) == ("", "withheld", f"provider: {reason}")
    assert reply(double.says({"choices": [{"finish_reason": "length", **message}]}), retries=0).finish == "length"
    for reason in ("stop: WHO_KNOWS", "WHO_KNOWS: stop", "error: boom"):
        lost = said(double.says({"choices": [{"finish_reason": reason, **message}]}), retries=0)
        assert error_of(lost).kind in ("bad_answer", "server_error")


def test_a_good_end_without_a_message_is_no_reply() -> None:
    """Nobody said anything, and nobody said why."""
    assert error_of(said(double.says({"choices": [{"finish_reason": "stop"}]}), retries=0)).kind == "bad_answer"


def test_words_in_a_part_of_an_unknown_type_are_not_lost() -> None:
    """They are no empty reply; and a content may be one part, without a list around it."""
    strange = [{"type": "markdown", "content": TIP}]
    error = error_of(said(completion(strange), retries=0))
    assert "part of a type that is not known here: `markdown`" in str(error)
    assert reply(completion([*strange, {"type": "text", "text": "Yes."}])).text == "Yes."
    assert reply(completion({"type": "text", "text": TIP})).text == TIP
    assert reply(completion([{"type": "reference", "reference_ids": [1]}])).text == ""


def test_azures_results_of_filters_are_read() -> None:
    """What struck is named; what only looked says nothing, and a prompt's result nothing about an answer that came."""
    struck = {"hate": {"filtered": False, "severity": "safe"}, "violence": {"filtered": True, "severity": "high"}}
    read = reply(completion("He", "stop", choice={"content_filter_results": struck}))
    assert (read.text, read.finish, read.withheld) == ("He", "withheld", "provider: content_filter (violence)")
    calm = {"violence": {"filtered": False, "detected": True}}
    assert reply(completion(TIP, choice={"content_filter_results": calm})).withheld == ""
    for text, finish in (("", "withheld"), (TIP, "stop")):
        choice = {"message": {"content": text}, "finish_reason": "stop"}
        prompts = [{"prompt_index": 0, "content_filter_results": struck}]
        assert reply(double.says({"choices": [choice], "prompt_filter_results": prompts})).finish == finish


def test_a_prompt_that_google_blocks_is_withheld() -> None:
    """There is no choice at all then."""
    read = reply(double.says({"choices": [], "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}))
    assert (read.text, read.finish, read.withheld) == ("", "withheld", "provider: PROHIBITED_CONTENT")


MODERATED = {
    "OpenRouter": {
        "error": {"code": 403, "message": "moderation", "metadata": {"reasons": ["violence"], "flagged_input": "…"}}
    },
    "Azure": {
        "error": {
            "code": "content_filter",
            "message": "The response was filtered due to the prompt triggering a policy",
        }
    },
    "OpenAI": {
        "error": {
            "code": "invalid_prompt",
            "message": "Your prompt was flagged as potentially violating our usage policy.",
        }
    },
    "Alibaba": {
        "error": {"code": "data_inspection_failed", "message": "Output data may contain inappropriate content."}
    },
    "DeepSeek": {
        "error": {"message": "Content Exists Risk", "type": "invalid_request_error", "code": "invalid_request_error"}
    },
    "Moonshot": {
        "error": {"message": "The request was rejected because it was considered high risk", "type": "content_filter"}
    },
    "LiteLLM": {
        "error": {"message": "litellm.ContentPolicyViolationError: blocked by content management policy", "code": "400"}
    },
    "Doubao": {
        "error": {
            "code": "InputTextSensitiveContentDetected",
            "message": "The request failed because the input text may contain sensitive information.",
        }
    },
    "MiniMax": {"type": "error", "error": {"message": "output new_sensitive (1027)"}},
    "Zhipu": {"error": {"code": "1301", "message": "系统检测到输入或生成内容可能包含不安全或敏感内容"}},
    "StepFun": {"error": {"message": "The content you provided is blocked.", "type": "censorship_blocked"}},
    "Databricks": {"message": '{"input_guardrail":[{"flagged":true}],"finishReason":"input_guardrail_triggered"}'},
    "Cloudflare": {"error": [{"code": 2016, "message": "Prompt blocked due to security configurations"}]},
    "a page": b"<html><h1>Forbidden</h1>This request was blocked by our content policy.</html>",
}


@pytest.mark.parametrize("status", [400, 403, 422, 451])
@pytest.mark.parametrize("body", MODERATED.values(), ids=MODERATED.keys())
def test_a_moderated_prompt_is_withheld_whatever_the_status(status: int, body: object) -> None:
    """What a body says goes before what its status usually means: no wrong key, and the run goes on."""
    act = double.says(body, status)
    with OpenAIServer(plan=lambda asked: act if "bad" in str(asked.body) else None) as server:
        bad, good = ask(server.url, chat("bad"), chat("good"), concurrency=1)
    assert isinstance(bad, Generated)
    assert (bad.text, bad.finish, bad.withheld.partition(": ")[0]) == ("", "withheld", "provider")
    assert isinstance(good, Generated)
    assert len(server.asked) == 2
    assert error_of(said(act, asked=letters("q"))).kind == "refused_by_server"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "words",
    [
        "Your account was flagged for violating our usage policy.",
        "This API key has been blocked by our content policy team.",
        "You are not allowed to use this model.",
        "Sorry, you have been blocked.",
    ],
)
def test_a_blocked_account_is_no_moderated_prompt(words: str) -> None:
    """That one ends the run: nobody will be answered."""
    with (
        OpenAIServer(plan=double.always(double.refusal(403, words))) as server,
        pytest.raises(ModelError, match="refused the key"),
    ):
        ask(server.url, chat("hi"))


# -------------------------------------------------------------------------------- errors under status 200

ERRORS = {
    "at the top": double.says({"error": {"code": 502, "message": "Provider disconnected"}}),
    "beside a choice": double.says(
        {
            "error": {"message": "Provider disconnected"},
            "choices": [{"message": {"content": "He"}, "finish_reason": "stop"}],
        }
    ),
    "in the choice": completion("", "error", choice={"error": {"code": 502, "message": "Provider disconnected"}}),
    "in the message": completion("He", "stop", error="Provider disconnected"),
    "instead of choices": double.says({"object": "error", "message": "Provider disconnected", "code": 500}),
    "a list": double.says({"success": False, "errors": [{"code": 7, "message": "Provider disconnected"}]}),
    "MiniMax": double.says(
        {"choices": None, "base_resp": {"status_code": 1013, "status_msg": "Provider disconnected"}}
    ),
    "in a stream's last event": double.says(
        b'data: {"choices": [{"index": 0, "delta": {"content": "He"}}]}\n\n'
        b'data: {"error": {"message": "Provider disconnected", "code": 502}}\n\n'
    ),
    "as an event of that name": double.says(
        b'event: error\ndata: {"message": "Provider disconnected"}\n\ndata: [DONE]\n\n'
    ),
}


@pytest.mark.parametrize("act", ERRORS.values(), ids=ERRORS.keys())
def test_an_error_is_one_wherever_it_stands(act: Act) -> None:
    """Tried again; if it lasts it is a failure with the server's words, and never a reply that is kept."""
    with OpenAIServer(plan=double.first_tries(2, act)) as server:
        assert isinstance(ask(server.url, chat("hi"))[0], Generated)
    error = error_of(said(act, retries=1))
    assert error.kind == "server_error"
    assert "Provider disconnected (tried 2 times)" in str(error)


def test_an_error_under_200_is_read_like_one_with_a_status() -> None:
    """A filter's is withheld, one about a long prompt is not tried again."""
    assert (
        reply(double.says({"error": {"code": 403, "metadata": {"flagged_input": "x"}}})).withheld == "provider: flagged"
    )
    sensitive = {"choices": None, "base_resp": {"status_code": 1026, "status_msg": "input new_sensitive"}}
    assert reply(double.says(sensitive)).withheld == "provider: flagged"
    long = said(double.says({"error": {"code": "context_length_exceeded", "message": "too long"}}))
    assert error_of(long).kind == "context_too_long"
    assert "tried" not in str(long)
    assert (
        error_of(said(double.says({"error": {"code": 429, "message": "slow down"}}), retries=1)).kind == "rate_limited"
    )


@pytest.mark.parametrize("error", [None, "", {}, {"code": None, "message": ""}, []])
def test_an_empty_field_for_errors_says_nothing(error: object) -> None:
    """Some servers send it with every answer."""
    choice = {"message": {"content": TIP}, "finish_reason": "stop"}
    fine = {"status_code": 0, "status_msg": "success"}
    assert reply(double.says({"choices": [choice], "error": error, "base_resp": fine})).text == TIP


ERROR_TEXTS = [
    "Error code: 500 - {'error': {'message': 'Internal server error', 'type': 'server_error', 'param': None, 'code': None}}",
    "API Error code: 429",
    "litellm.RateLimitError: RateLimitError: OpenAIException - quota",
    "openai.APIConnectionError: Connection error.",
    "APIError: the provider returned an error",
    "Error: 502 Bad Gateway",
    "502 Bad Gateway",
    "HTTP/1.1 503 Service Unavailable",
    "503 Server Error: Service Unavailable for url: https://host/v1/chat/completions",
    "Request failed with status code 500",
    "Internal Server Error",
    "upstream connect error or disconnect/reset before headers. reset reason: overflow",
    "Request timed out.",
    "Connection error.",
    "You exceeded your current quota, please check your plan and billing details.",
    '{"error": {"message": "Internal server error", "type": "server_error", "code": 500}}',
    '{"object": "error", "message": "CUDA out of memory", "code": 50001}',
    "<html>\n<head><title>504 Gateway Time-out</title></head><body>nginx</body></html>",
    'Traceback (most recent call last):\n  File "server.py", line 3\nValueError: no',
]


@pytest.mark.parametrize("text", ERROR_TEXTS)
def test_an_errors_text_in_the_content_is_no_reply(text: str) -> None:
    """Gateways and clients write it where the answer should stand."""
    error = error_of(said(completion(text), retries=1))
    assert error.kind == "server_error"
    assert "as the reply's text" in str(error)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("What is code 500?", "Error code 500 means that the server failed. Look into its log first."),
        ("Show me an error in JSON.", '{"error": {"message": "no such user", "code": 404}}'),
        ("What does Python say if a name is unknown, as an exception?", "NameError: name 'x' is not defined"),
        ("What does a proxy say when its backend is down? Only the HTTP status line.", "502 Bad Gateway"),
        ("How do I weed?", "Error is human: pull the wrong plant and you learn."),
        ("How do I weed?", "500 grams of mulch are enough."),
        ("How do I weed?", "By hand. If you see an error code: 500 on the pump, stop it."),
        ("How do I weed?", "Internal server errors are none of a gardener's worries, so pull them out by hand."),
        ("How do I weed?", '{"tool": "hoe", "error": "none"}'),
        ("How do I weed?", "I'm sorry, an error in my notes kept me from answering. Pull them out by hand."),
    ],
)
def test_a_model_that_speaks_of_errors_has_answered(prompt: str, text: str) -> None:
    """The whole text must be an error's, and the prompt must not ask for one."""
    assert not is_error_text(text, prompt)
    assert reply(completion(text), asked=chat(prompt)).text == text


@pytest.mark.parametrize(
    "text",
    [
        "Something went wrong. Please try again later.",
        "服务器繁忙，请稍后再试。",
        "null",
        "Response filtered by Guard.",
    ],
)
def test_a_failure_may_name_no_error(text: str) -> None:
    """The same for all: nobody was answered."""
    with OpenAIServer(plan=double.always(completion(text))) as server:
        read = ask(server.url, *(chat(f"How do I plant flower {n}?") for n in range(12)), retries=1)
    assert sum(isinstance(one, RequestError) for one in read) >= 10


def test_a_failure_in_the_same_words_for_every_prompt_is_none() -> None:
    """One prompt may well be answered so; three that differ are not. Refusals in the same words are, as models give them."""
    text = "Sorry, the assistant is temporarily unavailable. Please come back later."
    with OpenAIServer(plan=double.always(completion(text))) as server:
        one = ask(server.url, chat("When does the museum open?"))
        many = ask(server.url, *(chat(f"How do I plant flower {n}?") for n in range(12)))
    assert [read.text for read in one if isinstance(read, Generated)] == [text]
    errors = [read for read in many if isinstance(read, RequestError)]
    assert len(errors) >= 10
    assert {error.kind for error in errors} == {"server_error"}
    assert "one and the same text" in str(errors[0])
    with OpenAIServer(plan=double.always(completion("I'm sorry, I can't help with that."))) as server:
        assert all(isinstance(read, Generated) for read in ask(server.url, *(chat(f"Wish {n}") for n in range(12))))
        assert len(server.asked) == 12
    assert reply(completion(text), retries=0).text == text


# -------------------------------------------------------------------------------- thoughts


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning_content": "Soil first."},
        {"reasoning": "Soil first."},
        {"thinking": "Soil first."},
        {"reasoning_text": "Soil first."},
        {"thinking_blocks": [{"type": "thinking", "thinking": "Soil first.", "signature": "x"}]},
        {"provider_specific_fields": {"reasoning_content": "Soil first."}},
        {"reasoning": "Soil first.", "reasoning_details": [{"type": "reasoning.text", "text": "Soil first."}]},
        {
            "reasoning_details": [
                {"type": "reasoning.summary", "summary": "Soil "},
                {"type": "reasoning.text", "text": "first."},
            ]
        },
        {"reasoning": {"content": [{"type": "reasoning_text", "text": "Soil first."}]}},
    ],
)
@pytest.mark.parametrize("place", ["message", "choice"])
def test_a_thought_is_kept_beside_the_text(fields: dict[str, Any], place: str) -> None:
    """Under whichever name, in the message or beside it; said twice, it is kept once."""
    act = completion(TIP, **fields) if place == "message" else completion(TIP, choice=fields)
    read = reply(act)
    assert (read.text, read.thought) == (TIP, "Soil first.")


def test_a_thought_alone_is_no_text() -> None:
    """All tokens went into it: there is nothing to judge, and that it was cut off is known."""
    read = reply(completion(None, "length", reasoning_content="Let me see"))
    assert (read.text, read.thought, read.finish) == ("", "Let me see", "length")


def test_a_thought_that_is_only_counted_is_told_from_silence() -> None:
    """OpenAI shows no reasoning: its tokens are all that is known of it."""
    choice = {"message": {"content": ""}, "finish_reason": "length"}
    usage = {"completion_tokens": 64, "completion_tokens_details": {"reasoning_tokens": 64}}
    read = reply(double.says({"choices": [choice], "usage": usage}))
    assert (read.text, read.thought) == ("", "(64 tokens of reasoning, which the server does not show)")


# -------------------------------------------------------------------------------- streams


def events(*pieces: object, done: bool = True, end: str = "\n\n") -> bytes:
    """Server-sent events."""
    lines = [f"data: {json.dumps(piece)}" for piece in pieces] + (["data: [DONE]"] if done else [])
    return "".join(line + end for line in lines).encode()


def delta(finish: object = None, **fields: Any) -> dict[str, Any]:
    """One chunk of a chat completion."""
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": fields, "finish_reason": finish}],
    }


STREAM = [
    delta(role="assistant", content=""),
    delta(reasoning_content="Soil "),
    delta(reasoning_content="first."),
    delta(content="By hand, "),
    delta(content="after rain 🌧.\n\ndata: no event"),
    delta("stop"),
    {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}},
]


def streamed(*pieces: object, content_type: str = "text/event-stream", **options: Any) -> Act:
    """A stream as the answer to a request that asked for none."""
    return Act(200, events(*pieces, **options), (("Content-Type", content_type),))


@pytest.mark.parametrize(
    "act",
    [
        streamed(*STREAM),
        streamed(*STREAM, end="\r\n\r\n"),
        streamed(*STREAM, done=False),
        streamed(*STREAM, content_type="Text/Event-Stream; charset=utf-8"),
        streamed(*STREAM, content_type="text/plain"),
        Act(200, b": ping\n\nevent: chunk\nid: 1\n" + events(*STREAM), (("Content-Type", "text/event-stream"),)),
        Act(200, "\n".join(map(json.dumps, STREAM)).encode(), (("Content-Type", "application/x-ndjson"),)),
    ],
    ids=["usual", "CRLF", "no DONE", "spelling", "other type", "comments", "lines"],
)
def test_a_stream_is_put_together(act: Act) -> None:
    """At the first answer, and into what it would have been as one piece."""
    with OpenAIServer(plan=double.always(act)) as server:
        (read,) = ask(server.url, chat("hi"))
    assert isinstance(read, Generated)
    assert (read.text, read.thought) == ("By hand, after rain 🌧.\n\ndata: no event", "Soil first.")
    assert (read.finish, read.prompt_tokens, read.completion_tokens) == ("stop", 7, 5)
    assert len(server.asked) == 1


def test_a_streams_refusal_filter_and_log_probabilities_are_read() -> None:
    """They come in pieces as the text does."""
    read = reply(streamed(delta(refusal="I "), delta(refusal="won't."), delta("stop")))
    assert (read.text, read.withheld) == ("I won't.", "model: refusal")
    read = reply(streamed(delta(content="Half "), delta(content="of"), delta("content_filter")))
    assert (read.text, read.finish) == ("Half of", "withheld")
    top = [{"token": "A", "logprob": -0.5}, {"token": "B", "logprob": -1.0}]
    shown = delta("length", content="A")
    shown["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    assert values_of(said(streamed(delta(role="assistant"), shown), asked=letters("q"))) == (-0.5, -1.0)  # type: ignore[arg-type]


def test_what_a_stream_said_once_stands() -> None:
    """An empty reason in a later event takes back none."""
    events = [
        {"choices": [{"delta": {"content": "He"}, "finish_reason": ""}]},
        {"choices": [{"delta": {"content": ""}, "finish_reason": "length"}]},
        {"choices": [{"delta": {}, "finish_reason": ""}]},
    ]
    read = reply(double.says("".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()))
    assert (read.text, read.finish) == ("He", "length")


@pytest.mark.parametrize("head", [b": ping\n\n", b"id: 1\n", b"retry: 9\n", b"\xef\xbb\xbf"])
def test_a_stream_is_told_by_its_first_line(head: bytes) -> None:
    """Where the content type says that it is JSON."""
    body = head + b'data: {"choices": [{"delta": {"content": "He"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    assert reply(double.says(body)).text == "He"


def test_a_stream_of_raw_text_is_read() -> None:
    """Older completions have `text` in each piece, and count choices."""
    pieces = [{"choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in ("Once ", "upon")]
    act = streamed(*pieces, {"choices": [{"index": 0, "text": "", "finish_reason": "length"}]})
    read = reply(act, asked=Generate("go"), form="raw")
    assert (read.text, read.finish) == ("Once upon", "length")


@pytest.mark.parametrize(
    "act",
    [
        streamed(*STREAM[:4], done=False),
        streamed(),
        Act(200, b"data: {half", (("Content-Type", "text/event-stream"),)),
        Act(200, b"", (("Content-Type", "text/event-stream"),)),
        streamed(*STREAM[:4]),
    ],
    ids=["broken off", "empty", "no JSON", "nothing", "done without a reason"],
)
def test_half_a_stream_is_tried_again(act: Act, request: pytest.FixtureRequest) -> None:
    """A reply whose end never came is none; one that is said to be done, without a reason, is."""
    with OpenAIServer(plan=double.first_tries(2, act)) as server:
        (read,) = ask(server.url, chat("hi"))
    assert isinstance(read, Generated)
    done = "done without" in request.node.name
    assert (read.text, len(server.asked)) == (("By hand, ", 1) if done else ("You said: hi", 3))


# -------------------------------------------------------------------------------- other


@pytest.mark.parametrize("word", ["model ", "context ", "input ", "flagged ", "stream ", "temperature "])
def test_a_long_error_is_read_in_no_time(word: str) -> None:
    """Servers echo prompts and traces: no more than a few kilobytes meet any expression."""
    act = double.refusal(400, word * (1_000_000 // len(word)))
    with OpenAIServer(plan=double.always(act)) as server:
        (read,) = ask(server.url, chat("hi"), timeout_s=5)
    assert isinstance(read, RequestError | Generated)


def test_a_server_that_ignores_stop_is_cut_here() -> None:
    """What stands behind a stop sequence was not asked for."""
    read = reply(completion("7\nQ: next", "length"), asked=chat("q", stop=("###", "\n")))
    assert (read.text, read.finish) == ("7", "stop")


def test_a_server_that_says_429_to_everything_ends_the_run() -> None:
    """One message with its words and what to do, instead of hours; a limit that passes now and then goes on."""
    words = "Rate limit reached for this key"
    act = double.refusal(429, words, headers={"Retry-After": "1"})
    with OpenAIServer(plan=double.always(act)) as server, pytest.raises(ModelError, match=words) as caught:
        ask(server.url, *(chat(f"n{n}") for n in range(200)))
    assert "--align-requests-per-minute" in str(caught.value)
    assert server.url in str(caught.value)
    assert len(server.asked) < 400

    def most(asked: Asked) -> Act | None:
        return act if asked.number % 10 else None

    with OpenAIServer(plan=most) as server:
        replies = ask(server.url, *(chat(f"n{n}") for n in range(40)), retries=100)
    assert all(isinstance(read, Generated) for read in replies)
