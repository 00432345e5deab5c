"""The endpoint engine against a loopback double that misbehaves."""

from __future__ import annotations

import gc
import logging
import math
import queue
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from alignsuite.errors import ModelError, RequestError, SettingsError
from alignsuite.models.engines.endpoint.engine import (
    OPENAI_URL,
    Backoff,
    Clock,
    ConcurrencyLimit,
    EndpointModel,
    open_endpoint,
)
from alignsuite.models.engines.endpoint.faults import Fault, fault_of_status
from alignsuite.models.engines.endpoint.logprobs import match_tokens, shown_tokens
from alignsuite.models.protocol import Choose, Chosen, Generate, Generated, Message, Model, Reply, Request
from alignsuite.text.clean import tidy

from . import openai_server as double
from .openai_server import Act, OpenAIServer

KEY = "sk-very-secret-0123456789"


def chat(text: str, **fields: Any) -> Generate:
    """A conversation of one turn."""
    return Generate((Message("user", text),), **fields)


def letters(text: str, options: tuple[str, ...] = ("A", "B")) -> Choose:
    """A question in chat."""
    return Choose((Message("user", text),), options)


@dataclass
class Naps:
    """Sleeps that take no time but on the clock; the waits between tries are kept."""

    waits: list[float] = field(default_factory=list)
    now: float = 1_000_000.0

    async def sleep(self, seconds: float) -> None:
        """Don't, and note it."""
        self.waits.append(seconds)
        await self.pass_time(seconds)

    async def pass_time(self, seconds: float) -> None:
        """Don't."""
        self.now += seconds

    def clock(self) -> Clock:
        """For what is no wait between tries."""
        return Clock(now=lambda: self.now, sleep=self.pass_time)

    def backoff(self, **settings: Any) -> Backoff:
        """Waits that take no time."""
        return Backoff(sleep=self.sleep, now=lambda: self.now, **settings)


def opened(url: str, model: str = "double-1", **options: Any) -> EndpointModel:
    """The model at that URL, with a key and with sleeps that take no time."""
    naps = Naps()
    options = {"api_key": KEY, "backoff": naps.backoff(), "clock": naps.clock(), **options}
    return open_endpoint(model, base_url=url, **options)


def ask(url: str, *requests: Request, **options: Any) -> list[Reply | RequestError]:
    """Replies in the order of the requests."""
    model = opened(url, **options)
    try:
        replies = dict(model.answer(iter(requests)))
    finally:
        model.close()
    return [replies[request] for request in requests]


def error_of(reply: Reply | RequestError) -> RequestError:
    """The reply, which must be an error."""
    assert isinstance(reply, RequestError), reply
    return reply


def text_of(reply: Reply | RequestError) -> str:
    """The reply's text, which must be one."""
    assert isinstance(reply, Generated), reply
    return reply.text


def values_of(reply: Reply | RequestError) -> tuple[float, ...]:
    """The reply's log-probabilities, which must be there."""
    assert isinstance(reply, Chosen), reply
    return reply.log_probs


def own_threads() -> list[threading.Thread]:
    """The engine's threads that are alive."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("alignsuite-endpoint")]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's key or proxy takes part."""
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


# -------------------------------------------------------------------------------- asking


def test_a_conversation_goes_to_chat_with_every_setting() -> None:
    """What can change an answer is sent, under the names of the API."""
    with OpenAIServer() as server:
        prompt = (Message("system", "Be brief."), Message("user", "hi"))
        (reply,) = ask(server.url, Generate(prompt, max_tokens=7, temperature=0.5, seed=3, stop=("\n", "###")))
    assert server.bodies("/chat/completions") == [
        {
            "model": "double-1",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
            "max_tokens": 7,
            "temperature": 0.5,
            "seed": 3,
            "stop": ["\n", "###"],
        }
    ]
    assert text_of(reply) == "You said: hi"
    assert isinstance(reply, Generated)
    assert (reply.finish, reply.prompt_tokens, reply.completion_tokens) == ("stop", 9, 3)
    assert 0 < reply.seconds < 5
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_raw_text_is_continued_and_not_chatted_with() -> None:
    """A base model has no chat template, so raw text goes to /completions as it stands."""
    with OpenAIServer() as server:
        (reply,) = ask(server.url, Generate("Once upon a", max_tokens=5), form="raw")
    (body,) = server.bodies()
    assert (server.asked[0].path, body["prompt"], body["max_tokens"]) == ("/v1/completions", "Once upon a", 5)
    assert "messages" not in body
    assert reply == Generated(" after Once upon a", "length", 3, 3, seconds=reply.seconds)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("form", "request_"), [("raw", chat("hi")), ("chat", Generate("hi")), ("chat", Choose("q", ("A", "B")))]
)
def test_a_form_refuses_the_other_kind_of_prompt_without_asking(form: str, request_: Request) -> None:
    """A base model is never sent a conversation, which its server would wrap in somebody else's template."""
    with OpenAIServer() as server:
        (reply,) = ask(server.url, request_, form=form)
    assert error_of(reply).kind == "unsupported"
    assert server.asked == []


def test_form_decides_what_the_model_says_of_itself() -> None:
    """Only `raw` can't chat; an engine that was just opened may hope that log-probabilities are shown."""
    infos = {form: opened("http://127.0.0.1:1/v1", form=form).info for form in ("auto", "chat", "raw")}
    assert [infos[form].can_chat for form in infos] == [True, True, False]
    assert all(info.can_choose and info.name == "double-1" for info in infos.values())
    assert isinstance(opened("http://127.0.0.1:1/v1"), Model)


def test_hostile_text_passes_unchanged() -> None:
    """Lone surrogates, control characters and a megabyte are the judge's business, going out as well as coming in."""
    ugly = "\ud800 \x00\x1b[31m\u202e </script> {{ 7*7 }} 🙂"
    huge = "é" * 1_000_000
    with OpenAIServer() as server:
        replies = ask(server.url, chat(ugly), chat(huge), Generate(ugly))
    assert [text_of(reply) for reply in replies] == [f"You said: {ugly}", f"You said: {huge}", f" after {ugly}"]


def test_null_content_is_the_empty_text() -> None:
    """A model that said nothing has answered; it is not asked again."""
    nothing = {"choices": [{"message": {"content": None}, "finish_reason": "stop"}], "usage": None}
    with OpenAIServer(plan=double.always(double.says(nothing))) as server:
        (reply,) = ask(server.url, chat("hi"))
    assert text_of(reply) == ""
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "act",
    [
        double.says({"choices": [{"message": {"content": "half a"}, "finish_reason": "content_filter"}]}),
        double.refusal(400, "The response was filtered", code="content_filter"),
        double.says({"error": {"code": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, status=400),
    ],
    ids=["finish", "refused", "azure"],
)
def test_a_withheld_reply_is_a_reply(act: Act) -> None:
    """The provider's filter answers in the model's place: that is evidence, and not an error."""
    with OpenAIServer(plan=double.always(act)) as server:
        (reply,) = ask(server.url, chat("hi"))
    assert isinstance(reply, Generated)
    assert reply.finish == "withheld"
    assert reply.withheld.startswith("provider: ")
    assert len(server.asked) == 1


def test_the_new_name_of_max_tokens_is_learnt_once() -> None:
    """A server that insists on `max_completion_tokens` is told otherwise once, and not once a request."""
    with OpenAIServer(new_names=True) as server:
        replies = ask(server.url, *(chat(f"n{n}", max_tokens=9) for n in range(5)), concurrency=1)
    assert [text_of(reply) for reply in replies] == [f"You said: n{n}" for n in range(5)]
    assert sum("max_tokens" in body for body in server.bodies()) == 1
    assert all(body["max_completion_tokens"] == 9 for body in server.bodies()[1:])


def test_a_complaint_that_names_the_new_field_is_no_renaming() -> None:
    """VLLM names both fields when a prompt is too long; asking again under the other name would hide that."""
    said = "'max_tokens' or 'max_completion_tokens' is too large: 64. This model's maximum context length is 32 tokens."
    with OpenAIServer(plan=double.always(double.refusal(400, said))) as server:
        (reply,) = ask(server.url, chat("hi"))
    assert error_of(reply).kind == "context_too_long"
    assert len(server.asked) == 1


# -------------------------------------------------------------------------------- flow and concurrency


def test_no_more_requests_are_under_way_than_agreed() -> None:
    """The bound is reached and never passed."""
    with OpenAIServer(latency_s=0.02) as server:
        ask(server.url, *(chat(f"n{n}") for n in range(40)), concurrency=5)
    assert server.most_at_once == 5
    assert len(server.asked) == 40


def test_requests_are_read_no_further_ahead_than_agreed() -> None:
    """A consumer that stops to think stops the reading, and with it the spending."""
    read = taken = 0
    ahead: list[int] = []

    def requests() -> Iterator[Request]:
        nonlocal read
        for n in range(30):
            read += 1
            ahead.append(read - taken)
            yield chat(f"n{n}")

    with OpenAIServer() as server:
        model = opened(server.url, concurrency=4)
        for _ in model.answer(requests()):
            time.sleep(0.01)
            taken += 1
        model.close()
    assert taken == 30
    assert max(ahead) == 4


def test_a_limiter_of_ones_own_takes_the_place_of_the_bound() -> None:
    """This is where adaptive concurrency comes in: it bounds every try, and sees how each one ended."""
    ends: list[str] = []

    class Watching(ConcurrencyLimit):
        async def __aexit__(self, kind: Any, error: Any, at: Any) -> None:
            ends.append(error.kind if isinstance(error, Fault) else "fine")
            await super().__aexit__(kind, error, at)

    with OpenAIServer(latency_s=0.02, plan=double.in_turn(double.too_many())) as server:
        ask(server.url, *(chat(f"n{n}") for n in range(9)), concurrency=8, concurrency_limit=lambda: Watching(2))
    assert server.most_at_once == 2
    assert sorted(ends) == ["fine"] * 9 + ["rate_limited"]


def test_replies_come_while_the_next_request_is_not_yet_known() -> None:
    """The plan is fed by a queue: the engine hands out what it has and doesn't wait for more work."""
    work: queue.Queue[Request | None] = queue.Queue()
    with OpenAIServer() as server:
        model = opened(server.url)
        replies = model.answer(iter(work.get, None))
        work.put(chat("first"))
        assert next(replies)[0] == chat("first")
        work.put(chat("second"))
        assert next(replies)[0] == chat("second")
        work.put(None)
        assert list(replies) == []
        model.close()


def test_a_slow_request_holds_up_nobody() -> None:
    """Results come in the order in which they arrive."""
    plan: double.Plan = lambda asked: double.slow(0.4) if "slow" in str(asked.body) else None  # noqa: E731
    with OpenAIServer(plan=plan) as server:
        model = opened(server.url)
        order = [request.prompt[0].content for request, _ in model.answer([chat("slow"), chat("a"), chat("b")])]  # type: ignore[union-attr]
        model.close()
    assert sorted(order[:2]) == ["a", "b"]
    assert order[2] == "slow"


def test_two_iterators_share_one_model() -> None:
    """Each caller gets the answers to its own requests."""
    with OpenAIServer() as server:
        model = opened(server.url)
        one, two = model.answer([chat("a"), chat("b")]), model.answer([chat("c")])
        assert {request for request, _ in two} == {chat("c")}
        assert {request for request, _ in one} == {chat("a"), chat("b")}
        model.close()


def test_what_the_iterator_of_requests_raises_reaches_the_caller_after_the_replies() -> None:
    """A bug in the plan is not swallowed by the thread that reads it, and costs no reply that was paid for."""

    def requests() -> Iterator[Request]:
        yield chat("paid")
        raise ZeroDivisionError("a bug in the plan")

    with OpenAIServer(latency_s=0.1) as server:
        model = opened(server.url)
        replies = model.answer(requests())
        assert next(replies)[0] == chat("paid")
        with pytest.raises(ZeroDivisionError, match="a bug in the plan"):
            next(replies)
        model.close()


def test_leaving_early_cancels_what_is_under_way(caplog: pytest.LogCaptureFixture) -> None:
    """A probe that has its verdict stops paying; threads end soon and asyncio has nothing to complain of."""
    plan: double.Plan = lambda asked: None if "n0" in str(asked.body) else double.HANG  # noqa: E731
    with OpenAIServer(plan=plan) as server:
        model = opened(server.url, concurrency=4)
        replies = model.answer(chat(f"n{n}") for n in range(50))
        next(replies)
        start = time.monotonic()
        replies.close()  # type: ignore[attr-defined]
        assert not [thread for thread in own_threads() if "feeder" in thread.name]
        model.close()
        model.close()
        assert time.monotonic() - start < 2
    assert own_threads() == []
    assert len(server.asked) <= 5
    assert caplog.records == []


def test_leaving_early_does_not_wait_for_a_plan_that_is_asleep() -> None:
    """The feeder may hang in the caller's own iterator; leaving takes no longer, and it ends when that does."""
    work: queue.Queue[Request | None] = queue.Queue()
    with OpenAIServer() as server:
        model = opened(server.url)
        replies = model.answer(iter(work.get, None))
        work.put(chat("hi"))
        next(replies)
        start = time.monotonic()
        replies.close()  # type: ignore[attr-defined]
        model.close()
        assert time.monotonic() - start < 2
        work.put(chat("nobody will see this"))
        for thread in own_threads():
            thread.join(2)
        assert own_threads() == []
        assert len(server.asked) == 1


def test_closing_wakes_a_caller_who_waits() -> None:
    """A closed model says so; it leaves nobody waiting for replies that won't come, then or later."""
    with OpenAIServer(plan=double.always(double.HANG)) as server:
        model = opened(server.url)
        timer = threading.Timer(0.2, model.close)
        timer.start()
        with pytest.raises(ModelError, match="was closed"):
            list(model.answer([chat("hi")]))
        with pytest.raises(ModelError, match="was closed"):
            list(model.answer([chat("hi")]))
        timer.join()
    assert own_threads() == []


def test_closing_wakes_a_caller_who_waits_for_work() -> None:
    """Nothing is under way that could end, and the plan is asleep: the caller hears of it all the same."""
    work: queue.Queue[Request | None] = queue.Queue()
    model = opened("http://127.0.0.1:1/v1")
    timer = threading.Timer(0.1, model.close)
    timer.start()
    with pytest.raises(ModelError, match="was closed"):
        next(model.answer(iter(work.get, None)))
    work.put(None)
    timer.join()


def test_a_model_that_is_forgotten_takes_its_threads_along() -> None:
    """A session that opens many judges and closes none must not gather threads."""
    with OpenAIServer() as server:
        model = opened(server.url)
        assert len(list(model.answer([chat("hi")]))) == 1
        assert len(own_threads()) == 1
        del model
        gc.collect()
    assert own_threads() == []


def test_a_program_that_forgets_to_close_ends_quietly() -> None:
    """No traceback and no hang at exit, with requests under way."""
    program = """
        from alignsuite.models.engines.endpoint.engine import open_endpoint
        from alignsuite.models.protocol import Generate
        model = open_endpoint("double-1", base_url=URL, api_key=None)
        replies = model.answer(Generate(f"n{n}") for n in range(9))
        print(next(replies)[1].text)
    """
    plan: double.Plan = lambda asked: None if "n0" in str(asked.body) else double.HANG  # noqa: E731
    with OpenAIServer(plan=plan) as server:
        code = f"URL = {server.url!r}\n{textwrap.dedent(program)}"
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, timeout=20, check=False
        )
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]
    assert (done.stdout, complaints, done.returncode) == (" after n0\n", [], 0)


# -------------------------------------------------------------------------------- trying again

PASSING = {
    "500": double.refusal(500, "oops"),
    "502": double.says(b"<html><h1>502 Bad Gateway</h1></html>", 502),
    "503": double.refusal(503, "warming up"),
    "504": double.refusal(504, "too slow"),
    "529": double.refusal(503, "overloaded", headers={"Retry-After": "soon"}),
    "429": double.too_many(),
    "reset": double.RESET,
    "half a body": double.TRUNCATED_BODY,
    "half a JSON": double.TRUNCATED_JSON,
    "no JSON": double.INVALID_JSON,
    "no choices": double.EMPTY_CHOICES,
    "no object": double.says([1]),
    "no choice": double.says({"choices": [7]}),
    "no list": double.says({"choices": {"0": 1}}),
    "no text": double.says({"choices": [{"message": {"content": 5}}]}),
    "no message": double.says({"choices": [{"index": 0}]}),
    "error under 200": double.says({"error": {"message": "provider failed"}}),
    "deep JSON": double.says(b"[" * 100_000),
}


@pytest.mark.parametrize("act", PASSING.values(), ids=PASSING.keys())
def test_what_may_pass_is_tried_again(act: Act) -> None:
    """Two bad tries cost two waits and leave no trace in the reply."""
    naps = Naps()
    with OpenAIServer(plan=double.first_tries(2, act)) as server:
        (reply,) = ask(server.url, chat("hi"), backoff=naps.backoff())
    assert text_of(reply) == "You said: hi"
    assert (len(server.asked), len(naps.waits)) == (3, 2)


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (double.too_many("1"), "rate_limited"),
        (double.refusal(503, "warming up"), "server_error"),
        (double.RESET, "connection"),
        (double.TRUNCATED_BODY, "connection"),
        (double.INVALID_JSON, "bad_answer"),
        (double.EMPTY_CHOICES, "bad_answer"),
        (double.HANG, "timeout"),
        (double.TRICKLE, "timeout"),
    ],
    ids=["429", "503", "reset", "half", "no JSON", "no choices", "hang", "trickle"],
)
def test_what_does_not_pass_is_an_error_of_its_kind(act: Act, kind: str) -> None:
    """The first try and the retries, then a value that says what it was; the next request is none the worse.

    A reply that trickles keeps every read short: only a limit on the whole try ends it.
    """
    plan: double.Plan = lambda asked: act if "bad" in str(asked.body) else None  # noqa: E731
    with OpenAIServer(plan=plan) as server:
        bad, good = ask(server.url, chat("bad"), chat("good"), retries=1, timeout_s=0.6)
    assert error_of(bad).kind == kind
    assert "tried 2 times" in str(bad)
    assert sum("bad" in str(body) for body in server.bodies()) == 2
    assert text_of(good) == "You said: good"


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("7", 7.0, 7.2),
        ("0.25", 0.25, 0.4),
        ("Mon, 12 Jan 1970 13:47:20 GMT", 40.0, 40.2),  # 40 s after Naps.now
        ("Mon, 12 Jan 1970 13:46:00 GMT", 0.0, 0.2),  # past
        ("3600", 120.0, 120.2),  # capped
        ("-5", 0.0, 0.2),
        ("soon", 0.25, 0.5),
        ("inf", 0.25, 0.5),
        (None, 0.25, 0.5),
    ],
)
def test_the_wait_is_what_the_server_asked_for(asked: str | None, least: float, most: float) -> None:
    """`Retry-After` comes in seconds or as a date; nonsense counts as nothing said, and an hour is too long."""
    naps = Naps()
    with OpenAIServer(plan=double.first_tries(1, double.too_many(asked))) as server:
        (reply,) = ask(server.url, chat("hi"), backoff=naps.backoff())
    assert text_of(reply) == "You said: hi"
    assert least <= naps.waits[0] <= most


def test_waits_double_up_to_the_cap_and_repeat_with_the_seed() -> None:
    """Back-off grows, is bounded, is spread by chance, and that chance is seeded."""

    def waits(seed: int) -> list[float]:
        backoff = Backoff(first_s=1, cap_s=8, seed=seed)
        return [backoff.wait_s(tries, None) for tries in range(1, 8)]

    steps = [1, 2, 4, 8, 8, 8, 8]
    assert all(step / 2 <= wait <= step for step, wait in zip(steps, waits(1), strict=True))
    assert waits(1) == waits(1) != waits(2)
    assert Backoff().wait_s(10_000, None) <= 30


def test_a_run_through_a_storm_ends_like_one_in_calm() -> None:
    """Faults cost time and nothing else: each request is answered once, with the reply that a healthy server gives."""
    requests = [chat(f"n{n}") for n in range(150)] + [letters(f"q{n}") for n in range(50)]
    acts = [act for name, act in PASSING.items() if name != "deep JSON"] + [double.too_many("0.001")]
    with OpenAIServer() as calm:
        expected = [_content(reply) for reply in ask(calm.url, *requests)]
    with OpenAIServer(plan=double.seeded(seed=7, share=0.3, acts=acts, worst=3)) as storm:
        assert [_content(reply) for reply in ask(storm.url, *requests)] == expected
    assert len(storm.asked) > 240


def _content(reply: Reply | RequestError) -> object:
    return values_of(reply) if isinstance(reply, Chosen) else text_of(reply)


# -------------------------------------------------------------------------------- refused for good


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"),
        (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
        (400, "The input (5000 tokens) is longer than the model's context length (4096 tokens)."),
        (400, "request (4031 tokens) exceeds the available context size (1024 tokens), try increasing it"),
        (
            422,
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 2000 `inputs` tokens",
        ),
        (413, "prompt is too long: 210000 tokens > 200000 maximum"),
    ],
    ids=["OpenAI", "vLLM", "SGLang", "llama-server", "TGI", "others"],
)
def test_every_servers_way_to_say_too_long_is_understood(status: int, said: str) -> None:
    """Their words differ, the kind does not, and no second try is made."""
    with OpenAIServer(plan=double.always(double.refusal(status, said))) as server:
        (reply,) = ask(server.url, chat("hi"))
    assert error_of(reply).kind == "context_too_long"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"error": {"message": "stop takes four"}}, "stop takes four"),
        ({"error": "bad stop", "error_type": "validation"}, "bad stop"),
        ({"object": "error", "message": "too many stops", "code": 400}, "too many stops"),
        ({"detail": [{"loc": ["body"], "msg": "extra field"}, {"msg": "colour"}]}, "extra field; colour"),
        (b"<html><title>Bad</title><body>no such stop</body></html>", "no such stop"),
        ({"error": {"message": "a\n\x1b[31mred\u202e\ud800 " + "x" * 999}}, "a [31mred \\ud800 xxx"),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_shows_the_servers_words_made_safe(status: int, body: object, shown: str) -> None:
    """Wherever a server puts its message, it is shown on one short line, free of control characters."""
    with OpenAIServer(plan=double.always(double.says(body, status))) as server:
        (reply,) = ask(server.url, chat("hi"))
    error = error_of(reply)
    assert error.kind == "refused_by_server"
    assert shown in str(error)
    assert len(str(error)) < 400
    assert str(error) == tidy(str(error), 400)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_ends_the_run_at_once(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """One error for the run and not one a request, and nowhere in it the key, even where the server repeats it."""
    caplog.set_level(logging.DEBUG)
    act = double.refusal(
        status, f"Incorrect API key provided: {KEY}. Also seen: Bearer abcdefghijkl", code="invalid_api_key"
    )
    with OpenAIServer(plan=double.always(act), latency_s=0.05) as server:
        model = opened(server.url, concurrency=8)
        with pytest.raises(ModelError, match="refused the key") as caught:
            list(model.answer(chat(f"n{n}") for n in range(500)))
        model.close()
    assert len(server.asked) <= 9  # those under way, and the one at hand
    assert type(caught.value) is ModelError
    shown = f"{caught.value} {caught.value!r} {model!r} {model.info!r} {model.__dict__!r} {caplog.text}"
    assert KEY not in shown
    assert "abcdefghijkl" not in shown
    assert server.url in str(caught.value)


def test_a_request_that_is_forbidden_after_others_were_answered_is_its_own_matter() -> None:
    """Some providers forbid single prompts with 403; a key that has worked is not wrong."""
    plan: double.Plan = lambda asked: double.refusal(403, "flagged") if "bad" in str(asked.body) else None  # noqa: E731
    with OpenAIServer(plan=plan) as server:
        good, bad = ask(server.url, chat("good"), chat("bad"), concurrency=1)
    assert text_of(good) == "You said: good"
    assert error_of(bad).kind == "refused_by_server"


def test_an_empty_account_is_no_rate_limit() -> None:
    """OpenAI says both with 429; waiting mends only one of them."""
    act = double.refusal(429, "You exceeded your current quota", code="insufficient_quota")
    with OpenAIServer(plan=double.always(act)) as server, pytest.raises(ModelError, match="account is spent"):
        ask(server.url, chat("hi"), chat("ho"), concurrency=1)
    assert len(server.asked) == 1


def test_an_unknown_model_is_told_with_the_nearest_that_is_there() -> None:
    """The list of models turns a typing error into a hint."""
    with OpenAIServer(model="llama-2-7b-chat") as server, pytest.raises(ModelError) as caught:
        ask(server.url, *(chat(f"n{n}") for n in range(50)), model="llama-2-7b-chta")
    assert "no model `llama-2-7b-chta`" in str(caught.value)
    assert "did you mean `llama-2-7b-chat`?" in str(caught.value)
    assert type(caught.value) is ModelError


@pytest.mark.parametrize("said", ["model 'x' not found, try pulling it first", "The model `x` does not exist."])
def test_an_unknown_model_is_understood_without_a_list(said: str) -> None:
    """Ollama and vLLM send no code; a server that lists no models makes the message shorter and not wrong."""
    plan = double.always(double.refusal(404, said))
    with OpenAIServer(plan=plan) as server, pytest.raises(ModelError, match="no model `double-1`"):
        ask(server.url, chat("hi"))


def test_a_base_url_without_the_api_is_told_once() -> None:
    """Leaving out /v1 is the commonest slip: it is one clear error and not two thousand."""
    with OpenAIServer() as server, pytest.raises(ModelError, match=r"usually end in /v1"):
        ask(server.url.removesuffix("/v1"), *(chat(f"n{n}") for n in range(50)))
    assert len(server.asked) <= 32


def test_a_missing_page_on_a_server_that_lists_models_is_the_requests_matter() -> None:
    """Some servers chat and don't complete; the rest of the run goes on."""
    plan: double.Plan = lambda asked: double.says({"detail": "Not Found"}, 404) if "prompt" in asked.body else None  # noqa: E731
    with OpenAIServer(plan=plan) as server:
        raw, chatted = ask(server.url, Generate("x"), chat("y"), concurrency=1)
    assert error_of(raw).kind == "refused_by_server"
    assert text_of(chatted) == "You said: y"


def test_nobody_there_is_one_error_and_soon(free_port: int) -> None:
    """Two thousand requests to a server that isn't running are one error with the URL, the cause and what to do."""
    naps = Naps()
    url = f"http://user:pass-word@127.0.0.1:{free_port}/v1?token=abcdef"
    with pytest.raises(ModelError) as caught:
        ask(url, *(chat(f"n{n}") for n in range(2000)), backoff=naps.backoff())
    message = str(caught.value)
    assert f"http://127.0.0.1:{free_port}/v1 can't be reached" in message
    assert "refused" in message
    assert "--align-base-url" in message
    assert not any(secret in message for secret in ("pass-word", "abcdef", KEY))
    assert len(naps.waits) <= 2 * 24  # twice what may be under way at first, and an eighth of what ever may


def test_a_server_that_is_late_by_a_moment_is_waited_for(free_port: int) -> None:
    """Servers and probes are started together in CI; the first refused connection is not the last word."""
    servers: list[OpenAIServer] = []

    async def start_it(_: float) -> None:
        if not servers:
            servers.append(OpenAIServer(port=free_port).__enter__())

    try:
        (reply,) = ask(f"http://127.0.0.1:{free_port}/v1", chat("hi"), backoff=Backoff(sleep=start_it))
        assert text_of(reply) == "You said: hi"
    finally:
        for server in servers:
            server.__exit__()


def test_a_server_that_goes_away_ends_the_run() -> None:
    """After a crash the replies that came are kept and the rest is one error, not thousands after hours of waiting."""
    with OpenAIServer() as server:
        model = opened(server.url, concurrency=2)
        replies = model.answer(chat(f"n{n}") for n in range(1000))
        got = [next(replies)[1] for _ in range(10)]
    after: list[Reply | RequestError] = []
    with pytest.raises(ModelError, match="went away"):
        after.extend(reply for _, reply in replies)
    model.close()
    assert all(isinstance(reply, Generated) for reply in got)
    assert len(after) < 10


# -------------------------------------------------------------------------------- address and secrets


def test_opening_connects_to_nothing(free_port: int) -> None:
    """Where every reply is in the store, no server need run."""
    model = opened(f"http://127.0.0.1:{free_port}/v1")
    assert len(model.info.fingerprint) == 32
    assert set(model.info.fingerprint) <= set("0123456789abcdef")
    assert own_threads() == []
    model.close()


def test_the_fingerprint_is_of_what_can_change_an_answer() -> None:
    """A new key finds the old replies; a new URL, model or form doesn't."""

    def print_of(url: str = "http://h:1/v1", model: str = "m", form: str = "auto", key: str = KEY) -> str:
        return opened(url, model=model, form=form, api_key=key).info.fingerprint

    same = {
        print_of(),
        print_of("http://H:1/v1/"),
        print_of("http://me:password@h:1/v1?token=secret"),
        print_of(key="another"),
    }
    assert len(same) == 1
    assert (
        len(same | {print_of("http://h:2/v1"), print_of(model="n"), print_of(form="raw"), print_of(form="chat")}) == 5
    )


def test_what_a_url_holds_reaches_the_server_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """User info and query are sent, and stay out of messages, `repr` and whatever the HTTP client logs."""
    caplog.set_level(logging.DEBUG)
    plan = double.always(double.refusal(400, "no: token=abcdef, pass-word, me:pass-word"))
    with OpenAIServer(plan=plan) as server:
        url = server.url.replace("//", "//me:pass-word@") + "?token=abcdef"
        model = opened(url)
        ((_, reply),) = model.answer([chat("hi")])
        model.close()
    assert server.asked[0].path == "/v1/chat/completions?token=abcdef"
    assert server.asked[0].headers["authorization"] == "Basic bWU6cGFzcy13b3Jk"
    shown = f"{caplog.text} {reply} {model!r} {model.info!r}"
    assert not any(secret in shown for secret in ("abcdef", "pass-word", "bWU6cGFzcy13b3Jk"))


def test_a_proxy_of_the_environment_is_used_and_no_log_shows_secrets(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Companies reach the world through one; nothing that lets us in stands in a log, however much is logged."""
    caplog.set_level(logging.DEBUG)
    reply_ = {"choices": [{"message": {"content": "from afar"}, "finish_reason": "stop"}]}
    plan = double.in_turn(double.says(reply_), double.refusal(400, "no: token=abcdef"), double.says(reply_))
    with OpenAIServer(plan=plan) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        monkeypatch.setenv("NO_PROXY", "elsewhere.invalid")
        model = opened("http://me:pass-word@model.invalid/v1?token=abcdef", concurrency=1)
        good, bad = (reply for _, reply in model.answer([chat("hi"), chat("ho")]))
        model.close()
    assert text_of(good) == "from afar"
    assert error_of(bad).kind == "refused_by_server"
    assert proxy.asked[0].path == "http://model.invalid/v1/chat/completions?token=abcdef"
    assert proxy.asked[0].headers["authorization"] == "Basic bWU6cGFzcy13b3Jk"
    shown = f"{caplog.text} {bad} {model!r}"
    assert not any(secret in shown for secret in ("abcdef", "pass-word", "bWU6cGFzcy13b3Jk"))


def test_a_proxy_that_is_not_there_is_nobody_there(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    """One error with the cause, as without a proxy."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port}")
    with pytest.raises(ModelError, match=r"model.invalid/v1 can't be reached: .*(refused|failed)"):
        ask("http://model.invalid/v1", chat("hi"))


def test_no_proxy_leads_straight_there(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    """NO_PROXY takes a host out of what the proxy serves."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with OpenAIServer() as server:
        (reply,) = ask(server.url, chat("hi"))
    assert text_of(reply) == "You said: hi"


def test_environment_names_endpoint_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPENAI_BASE_URL and OPENAI_API_KEY serve where nothing else was said."""
    with OpenAIServer(key="from-environment") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
        model = open_endpoint("double-1", base_url=None, api_key=None)
        ((_, reply),) = model.answer([chat("hi")])
        model.close()
    assert text_of(reply) == "You said: hi"


def test_a_server_of_ones_own_needs_no_key() -> None:
    """A placeholder is sent where there is no key."""
    with OpenAIServer() as server:
        (reply,) = ask(server.url, chat("hi"), api_key=None)
    assert text_of(reply) == "You said: hi"
    assert server.asked[0].headers["authorization"] == "Bearer none"


def test_openai_itself_wants_a_key_before_anything_is_sent() -> None:
    """Opened for a store that has it all, it is silent; asked, it names the variable."""
    model = open_endpoint("gpt-4", base_url=None, api_key=None)
    with pytest.raises(ModelError, match="OPENAI_API_KEY"):
        next(model.answer([chat("hi")]))
    assert own_threads() == []


def test_openais_address_is_the_one_that_its_own_package_uses() -> None:
    """It is written down here because the package takes half a second to import."""
    import openai

    with openai.OpenAI(api_key="unused", base_url=None) as client:
        assert str(client.base_url).rstrip("/") == OPENAI_URL


@pytest.mark.parametrize(
    "url",
    ["localhost:8000/v1", "ftp://h/v1", "http:///v1", "/v1", "http://me:pass-word@/v1", "http://me:pass-word@[h]/v1"],
)
def test_what_is_no_url_is_told_at_once(url: str) -> None:
    """A slip in the URL needs no connection to be seen."""
    with pytest.raises(ModelError, match="wanted http") as caught:
        opened(url)
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"concurrency": 0}, {"retries": -1}, {"timeout_s": 0}, {"timeout_s": math.nan}, {"form": "completion"}]
)
def test_settings_without_sense_are_told_at_once(options: dict[str, Any]) -> None:
    """No setting is accepted and ignored."""
    with pytest.raises(SettingsError):
        opened("http://127.0.0.1:1/v1", **options)


def test_a_key_that_no_header_may_carry_is_told_without_showing_it() -> None:
    """A key pasted with its line feed works; one with a letter from elsewhere is no key."""
    with OpenAIServer(key=KEY) as server:
        (reply,) = ask(server.url, chat("hi"), api_key=f"{KEY}\n")
        assert text_of(reply) == "You said: hi"
        with pytest.raises(ModelError, match="API key") as caught:
            opened(server.url, api_key=f"{KEY}é")
    assert KEY not in str(caught.value)


# -------------------------------------------------------------------------------- choosing


def summed(*values: float) -> float:
    """The logarithm of probabilities that are added up."""
    return math.log(sum(map(math.exp, values)))


def test_letters_take_the_log_probabilities_of_their_tokens() -> None:
    """One token is asked for, with the longest list the API knows; values come through as they are."""
    with OpenAIServer() as server:
        (reply,) = ask(server.url, letters("Which?", ("B", "A", "D")))
    (body,) = server.bodies()
    assert (body["logprobs"], body["top_logprobs"], body["max_tokens"], body["temperature"]) == (True, 20, 1, 0)
    assert values_of(reply) == (-1.7, -0.3, -5.5)
    assert isinstance(reply, Chosen)
    assert reply.exact
    assert reply.prompt_tokens > 0


def test_an_option_outside_the_list_is_bounded_and_not_guessed() -> None:
    """`-inf` and not exact: all that a list of the likeliest tells of the rest."""
    with OpenAIServer() as server:
        (reply,) = ask(server.url, letters("Which?", ("A", "E")))
    assert reply == Chosen((-0.3, -math.inf), exact=False, prompt_tokens=4, completion_tokens=3, seconds=reply.seconds)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "shown", "expected", "exact"),
    [
        (("A", "B"), [(" A", -0.5), ("A", -2.0), ("B", -3.0)], (summed(-0.5, -2.0), -3.0), True),
        ((" A", " B"), [("A", -1.0), (" B", -2.0)], (-1.0, -2.0), True),
        (("A", "B"), [("\nA", -3.0), (" A", -1.0), ("B", -2.0)], (summed(-3.0, -1.0), -2.0), True),
        (("A", "B"), [("An", -0.1), ("B", -2.0)], (-math.inf, -2.0), False),
        (
            ("A", "B"),
            [("(B", -1.0), ("b", -2.0), ("B.", -3.0), ("**B", -4.0), ("B)", -5.0), ("(", -6.0), ("A", -7.0)],
            (-7.0, summed(-1.0, -2.0, -3.0, -4.0, -5.0)),
            True,
        ),
        (("a", "A"), [("a", -1.0), (" A", -2.0)], (-1.0, -2.0), True),
        (("Yes", "No"), [("yes", -1.0), (" Yes", -2.0), ("No.", -3.0)], (summed(-1.0, -2.0), -3.0), True),
        (
            ("strongly", "slightly"),
            [("strong", -1.0), (" Strong", -2.0), ("str", -3.0)],
            (summed(-1.0, -2.0), -math.inf),
            False,
        ),
        (("agree", "disagree"), [("agree", -1.0), ("dis", -2.0), ("d", -0.5)], (-1.0, -2.0), False),
        (("1", "10"), [("1", -1.0), ("10", -2.0)], (-1.0, -2.0), True),
        (("strongly", "slightly"), [("s", -0.1), ("strong", -1.0), ("slight", -2.0)], (-1.0, -2.0), False),
        (("A", "B"), [(" ", -0.1), ("", -0.2), ("B", -2.0)], (-math.inf, -2.0), False),
        (
            ("A", "B"),
            [("A。", -1.0), ("（A）", -2.0), ("【B】", -2.0), ("B、", -3.0)],
            (summed(-1.0, -2.0), summed(-2.0, -3.0)),
            True,
        ),
    ],
    ids=[
        "added up",
        "space set aside",
        "line break",
        "no part of a token",
        "what stands around a letter",
        "options that differ in case alone",
        "case of words",
        "beginnings are added up",
        "beginning",
        "longer",
        "own",
        "blank",
        "Chinese brackets and full stops",
    ],
)
def test_an_option_finds_its_own_token(
    options: tuple[str, ...], shown: list[tuple[str, float]], expected: tuple[float, ...], exact: bool
) -> None:
    """All tokens that a reader would take for it, else the longest that it begins with and no other option does."""
    values, whole = match_tokens(options, shown)
    assert (values, whole) == (pytest.approx(expected), exact)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([("\\xe7\\x8c", [0xE7, 0x8C], -0.5), ("\\xe7\\x8a", [0xE7, 0x8A], -1.5)], (-0.5, -1.5)),
        ([("猫", [0xE7, 0x8C, 0xAB], -0.5), ("\ufffd", [0xE7, 0x8A], -1.5)], (-0.5, -1.5)),
        ([("bytes:\\xe7\\x8c", None, -0.5), ("<0xE7><0x8A>", None, -1.5)], (-0.5, -1.5)),
        ([("çĮ", None, -0.5), ("çĬ", None, -1.5), ("Ġthe", None, -3.0)], (-0.5, -1.5)),
        ([("▁猫", None, -0.5), ("犬", None, -1.5)], (-0.5, -1.5)),
        ([("wrong text", [0xE7, 0x8C, 0xAB], -0.5), ("猫", [0x20], -0.1), ("犬", None, -1.5)], (-0.5, -1.5)),
        ([("\ufffd", None, -0.5), ("犬", None, -1.5)], (-math.inf, -1.5)),
    ],
    ids=["escaped", "whole and half", "spelt bytes", "byte level", "sentence piece", "bytes before text", "lost"],
)
def test_a_token_is_the_bytes_that_it_stands_for(
    entries: list[tuple[str, list[int] | None, float]], expected: tuple[float, ...]
) -> None:
    """Half a character is shown in many ways; where the bytes are there they go before the text."""
    top = [{"token": token, "bytes": numbers, "logprob": value} for token, numbers, value in entries]
    choice = {"message": {"content": "x"}, "logprobs": {"content": [{**top[0], "top_logprobs": top}]}}
    assert match_tokens(("猫", "犬"), shown_tokens(choice))[0] == pytest.approx(expected)


def test_the_token_that_was_written_counts_once() -> None:
    """Servers list it among the likeliest and beside them; where it is in no list it is a token of its own."""
    top = [{"token": "A", "logprob": -0.7}, {"token": "B", "logprob": -1.5}]
    listed = {"logprobs": {"content": [{**top[0], "top_logprobs": top}]}}
    assert shown_tokens(listed) == [("A", -0.7), ("B", -1.5)]
    sampled = {"logprobs": {"content": [{"token": "C", "logprob": -4.0, "top_logprobs": top}]}}
    assert shown_tokens(sampled) == [("A", -0.7), ("B", -1.5), ("C", -4.0)]


def test_log_probabilities_that_add_up_to_more_than_one_are_no_answer() -> None:
    """Scaled by a temperature, or out of a fault: the case is lost, and the server's answer is what is named."""
    with OpenAIServer(top={"A": -0.2, "B": -0.3, "C": -0.5, "D": -0.6}) as server:
        (reply,) = ask(server.url, letters("q"))
    assert error_of(reply).kind == "bad_answer"
    assert "add up to a probability of 2.7" in str(reply)


@pytest.mark.parametrize(
    ("options", "shown"),
    [(("1", "10"), [("1", -1.0)]), (("agree", "agreed"), [("agree", -1.0)]), (("abc", "abd"), [("ab", -1.0)])],
)
def test_a_token_with_which_two_options_begin_stands_for_neither(
    options: tuple[str, ...], shown: list[tuple[str, float]]
) -> None:
    """One of them would get the other's probability, and a bias would be measured that isn't there."""
    with pytest.raises(Fault, match="begin with the same token") as caught:
        match_tokens(options, shown)
    assert caught.value.kind == "unsupported"


def test_options_that_share_their_first_word_are_not_asked_for() -> None:
    """No first token can tell them apart, so nothing is sent, and the message says what can be done."""
    with OpenAIServer() as server:
        (reply,) = ask(server.url, letters("Well?", ("I agree", "I disagree")))
    error = error_of(reply)
    assert error.kind == "unsupported"
    assert "letters" in str(error)
    assert server.asked == []


@pytest.mark.parametrize(("longest", "asked"), [(20, [20, 20, 20]), (5, [20, 10, 5, 5, 5]), (2, [20, 10, 5, 2, 2, 2])])
def test_the_list_is_as_long_as_the_server_allows(longest: int, asked: list[int]) -> None:
    """Stepping down is done once and remembered."""
    with OpenAIServer(max_top=longest) as server:
        replies = ask(server.url, *(letters(f"q{n}") for n in range(3)), concurrency=1)
    assert [body["top_logprobs"] for body in server.bodies()] == asked
    assert {values_of(reply) for reply in replies} == {(-0.3, -1.7)}


def test_many_at_once_step_down_together() -> None:
    """Eight requests that are refused at the same moment are one lesson and not eight."""
    with OpenAIServer(max_top=10, latency_s=0.05) as server:
        replies = ask(server.url, *(letters(f"q{n}") for n in range(8)), concurrency=8)
    assert {values_of(reply) for reply in replies} == {(-0.3, -1.7)}
    assert {body["top_logprobs"] for body in server.bodies()} == {20, 10}


def test_a_server_that_ignores_the_question_is_asked_four_times_in_all() -> None:
    """Text without log-probabilities is no choice, and four in a row are no accident; remembered, and `info` says so."""
    with OpenAIServer(max_top=None) as server:
        model = opened(server.url, concurrency=1)
        assert model.info.can_choose
        replies = [reply for _, reply in model.answer([letters(f"q{n}") for n in range(5)])]
        assert {error_of(reply).kind for reply in replies} == {"unsupported"}
        assert server.url in str(replies[0])
        assert not model.info.can_choose
        ((_, text),) = model.answer([chat("hi")])
        assert text_of(text) == "You said: hi"
        model.close()
    assert len(server.asked) == 4 + 1


@pytest.mark.parametrize("first_is_odd", [True, False])
def test_one_odd_answer_decides_nothing_whichever_comes_first(first_is_odd: bool) -> None:
    """An answer without log-probabilities is a fault of that answer, at the start of the run as in the midst of it."""
    acts = [double.LOG_PROBS_MISSING, None, double.LOG_PROBS_MISSING]
    with OpenAIServer(plan=double.in_turn(*acts[not first_is_odd :])) as server:
        replies = ask(server.url, *(letters(f"q{n}") for n in range(6)), concurrency=1)
    assert {values_of(reply) for reply in replies} == {(-0.3, -1.7)}
    assert len(server.asked) == 6 + (2 if first_is_odd else 1)


def test_a_server_with_a_short_list_of_its_own_is_believed_after_four() -> None:
    """A vocabulary of five tokens lists five, always; that costs three requests once, and nothing later."""
    five = dict(list(double.LETTERS.items())[:5])
    with OpenAIServer(top=five) as server:
        replies = ask(server.url, *(letters(f"q{n}") for n in range(6)), concurrency=1)
    assert {values_of(reply) for reply in replies} == {(-0.3, -1.7)}
    assert len(server.asked) == 6 + 3


def test_a_server_whose_lists_vary_is_believed_once_it_insists() -> None:
    """Some leave out what is unlikely: after one request was answered so seven times, no list is too short any more."""
    plan: double.Plan = lambda asked: double.LOG_PROBS_SHORT if "short" in str(asked.body) else None  # noqa: E731
    with OpenAIServer(plan=plan) as server:
        asked = [letters("long"), letters("short 1"), letters("short 2"), letters("short 3")]
        replies = ask(server.url, *asked, concurrency=1)
    assert {values_of(reply) for reply in replies} == {(-0.3, -1.7)}
    assert len(server.asked) == 1 + (7 + 1) + 1 + 1


def test_a_server_that_refuses_log_probabilities_is_not_taken_for_a_wrong_key() -> None:
    """OpenAI forbids them for some models with 403; the model still writes."""
    act = double.refusal(403, "You are not allowed to request logprobs from this model")
    plan: double.Plan = lambda asked: act if "logprobs" in asked.body else None  # noqa: E731
    with OpenAIServer(plan=plan) as server:
        choice, text = ask(server.url, letters("q"), chat("hi"), concurrency=1)
    assert error_of(choice).kind == "unsupported"
    assert "not allowed" in str(choice)
    assert text_of(text) == "You said: hi"


@pytest.mark.parametrize("value", [None, "x", math.nan, True])
def test_a_log_probability_that_is_no_number_is_not_there(value: object) -> None:
    """NaN never becomes a score, and null is not zero."""
    top = [{"token": "A", "logprob": value}, {"token": "B", "logprob": -1.5}]
    choice = {"message": {"content": "B"}, "logprobs": {"content": [{**top[1], "top_logprobs": top}]}}
    with OpenAIServer(plan=double.always(double.says({"choices": [choice]}))) as server:
        (reply,) = ask(server.url, letters("q"))
    assert values_of(reply) == (-math.inf, -1.5)


def test_a_withheld_choice_is_an_error() -> None:
    """There is no log-probability of a filter."""
    withheld = {"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]}
    with OpenAIServer(plan=double.always(double.says(withheld))) as server:
        (reply,) = ask(server.url, letters("q"))
    assert error_of(reply).kind == "refused_by_server"


@pytest.mark.parametrize("bos", [None, "<s>"])
def test_echo_gives_the_exact_log_likelihood_of_whole_options(bos: str | None) -> None:
    """Every token of an option counts and none of the prompt's, also behind a token that the tokenizer puts first."""
    prompt, options = "Do you agree? I", (" strongly agree", " strongly disagree", " pass")
    with OpenAIServer(echo="yes", bos=bos) as server:
        (reply,) = ask(server.url, Choose(prompt, options))
    start = (bos or "") + prompt
    expected = [
        double.log_prob(start, " strongly") + double.log_prob(f"{start} strongly", " agree"),
        double.log_prob(start, " strongly") + double.log_prob(f"{start} strongly", " disagree"),
        double.log_prob(start, " pass"),
    ]
    assert values_of(reply) == pytest.approx(expected, abs=1e-12)
    assert isinstance(reply, Chosen)
    assert reply.exact
    (body,) = server.bodies()
    assert (body["echo"], body["max_tokens"]) == (True, 0)


def test_an_option_that_melts_into_the_prompt_is_scored_by_the_difference() -> None:
    """Where the option changes the prompt's last token, both texts are scored from there; that is not exact."""
    with OpenAIServer(echo="yes") as server:
        (reply,) = ask(server.url, Choose("It is un", ("likely", " so")))
    before = "It is"
    melted = double.log_prob(before, " unlikely") - double.log_prob(before, " un")
    assert values_of(reply) == pytest.approx((min(0.0, melted), double.log_prob("It is un", " so")), abs=1e-12)
    assert isinstance(reply, Chosen)
    assert not reply.exact


@pytest.mark.parametrize("echo", ["refuse", "ignore"])
@pytest.mark.parametrize("content_shape", [False, True], ids=["older shape", "chat's shape"])
def test_without_echo_raw_options_go_by_the_next_token(echo: str, content_shape: bool) -> None:
    """A refusal to echo is believed at once, a text that was continued instead only after four; the first of many finds out."""
    with OpenAIServer(echo=echo, content_shape=content_shape) as server:
        replies = ask(server.url, *(Choose(f"q{n}", (" A", " C")) for n in range(8)))
    assert {values_of(reply) for reply in replies} == {(-0.3, -3.0)}
    asked = {"refuse": 1, "ignore": 4}[echo]
    assert sum(bool(body.get("echo")) for body in server.bodies()) == asked
    assert len(server.asked) == asked + 8


@pytest.mark.parametrize(
    "tokens", [[["Q"], ["Q"], ["Q"]], [["to"], ["be", "or"], ["not"]]], ids=["none of its own", "another text's"]
)
def test_an_echo_of_something_else_is_no_score(tokens: list[list[str]]) -> None:
    """Tokens that aren't the options' would add up to a number all the same, such as a perfect 0.0."""
    prompts = ["Q?", "Q? é", "Q? ü"] if tokens[0] == ["Q"] else ["Q?", "Q? first", "Q? second"]
    shown = [{"tokens": part, "token_logprobs": [-1.0] * len(part)} for part in tokens]
    choices = [{"index": n, "text": prompts[n], "logprobs": shown[n]} for n in range(3)]
    with OpenAIServer(plan=double.always(double.says({"choices": choices}))) as server:
        (reply,) = ask(server.url, Choose("Q?", (prompts[1][2:], prompts[2][2:])))
    assert error_of(reply).kind == "unsupported"


def test_a_request_that_is_refused_for_itself_says_nothing_of_echo() -> None:
    """One broken prompt must not turn exact answers into rough ones for the rest of the run."""
    plan: double.Plan = lambda asked: double.refusal(400, "bad prompt") if "broken" in str(asked.body) else None  # noqa: E731
    with OpenAIServer(plan=plan, echo="yes") as server:
        broken, fine = ask(server.url, Choose("broken", (" A", " B")), Choose("fine", (" A", " B")), concurrency=1)
    assert error_of(broken).kind == "refused_by_server"
    assert values_of(fine) == (double.log_prob("fine", " A"), double.log_prob("fine", " B"))


def test_raw_options_of_several_words_need_echo() -> None:
    """Without it the first token can't tell them apart, and the message says where it can be had."""
    with OpenAIServer(echo="refuse") as server:
        (reply,) = ask(server.url, Choose("I", (" strongly agree", " strongly disagree")))
    assert error_of(reply).kind == "unsupported"
    assert "vLLM" in str(reply)


# -------------------------------------------------------------------------------- fault texts


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 500, 501, 503, 529])
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"error": null}', b"\xff\xfe", b"[" * 50_000, b'{"error": {"code": {}}}']
)
def test_no_error_body_breaks_the_reading_of_errors(status: int, body: bytes) -> None:
    """Whatever stands in an error's body, it is a fault with a kind that the contract knows."""
    fault = fault_of_status(status, body, {}, now=0.0, clean=tidy)
    kinds = {"rate_limited", "server_error", "timeout", "refused_by_server"}
    assert fault.as_request_error().kind in kinds
    assert fault.message.startswith(f"HTTP {status}")
