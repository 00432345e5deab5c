"""Parameters that a server forbids or renames are learnt once, said, and part of the identity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alignsuite.errors import ReplayMissing, SettingsError
from alignsuite.models.broker.broker import Broker
from alignsuite.models.engines.endpoint import engine
from alignsuite.models.engines.endpoint.engine import open_target
from alignsuite.models.protocol import (
    Choose,
    Chosen,
    Framing,
    Generate,
    Generated,
    LearningModel,
    Model,
    ModelSettings,
    Request,
)
from alignsuite.models.store import Store

from . import openai_server as double
from .openai_server import Act, Asked, OpenAIServer, Plan
from .test_endpoint import ask, chat, error_of, letters, opened, text_of, values_of

FIXED = "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported."
REFUSALS: dict[str, tuple[str, Act]] = {
    "OpenAI, temperature": (
        "temperature",
        double.says({"error": {"message": FIXED, "param": "temperature", "code": "unsupported_value"}}, 400),
    ),
    "OpenAI, stop": (
        "stop",
        double.says({"error": {"message": "Unsupported parameter: 'stop'", "param": "stop"}}, 400),
    ),
    "FastAPI, seed": (
        "seed",
        double.says(
            {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]},
            422,
        ),
    ),
    "vLLM, seed": (
        "seed",
        double.refusal(
            400, "[{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': 'Extra inputs are not permitted'}]"
        ),
    ),
    "Mistral, seed": (
        "seed",
        double.says(
            {
                "object": "error",
                "message": {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]},
            },
            422,
        ),
    ),
    "Alibaba, temperature": ("temperature", double.refusal(400, "Temperature should be in (0.0, 2.0)")),
    "Go, seed": ("seed", double.refusal(400, 'json: unknown field "seed"')),
    "LiteLLM, seed": (
        "seed",
        double.refusal(400, "UnsupportedParamsError: this model does not support parameters: ['seed']"),
    ),
    "TGI, temperature": (
        "temperature",
        double.refusal(422, "Input validation error: `temperature` must be strictly positive"),
    ),
    "Python, seed": ("seed", double.refusal(400, "create() got an unexpected keyword argument 'seed'")),
    "JSON schema, seed": ("seed", double.refusal(400, "Additional properties are not allowed ('seed' was unexpected)")),
}


STREAM = "This model only supports stream mode, please enable the stream parameter"


def without(name: str, act: Act) -> Plan:
    """A server that refuses every body with this field."""
    return lambda asked: act if name in asked.body else None


def both(*plans: Plan) -> Plan:
    """The first that objects."""
    return lambda asked: next((act for plan in plans if (act := plan(asked))), None)


@pytest.mark.parametrize(("name", "act"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_a_server_does_not_take_is_left_out_from_then_on(name: str, act: Act) -> None:
    """The name is read from `param`, from `loc`, or from the words; many at once are not refused one by one."""
    requests = [chat(f"n{n}", stop=("###",)) for n in range(60)]
    with OpenAIServer(plan=without(name, act)) as server:
        model = opened(server.url)
        replies = dict(model.answer(iter(requests)))
        model.close()
    assert [text_of(replies[request]) for request in requests] == [f"You said: n{n}" for n in range(60)]
    assert sum(name in body for body in server.bodies()) <= 8
    assert model.info.learnt == {name: ""}
    assert model.info.details["parameters"] == f"without {name}"


def test_several_are_found_out_one_after_another() -> None:
    """One request finds out all of them while the others wait."""
    plan = both(without("temperature", REFUSALS["OpenAI, temperature"][1]), without("seed", REFUSALS["Go, seed"][1]))
    with OpenAIServer(plan=plan, new_names=True) as server:
        model = opened(server.url)
        replies = list(model.answer(chat(f"n{n}") for n in range(60)))
        model.close()
    assert all(isinstance(reply, Generated) for _, reply in replies)
    assert len(server.asked) <= 60 + 8 + 2
    assert model.info.details["parameters"] == "max_completion_tokens for max_tokens, without seed, without temperature"


def test_choices_are_asked_in_the_same_way() -> None:
    """A server that has no seed has none for them either."""
    with OpenAIServer(plan=without("seed", REFUSALS["FastAPI, seed"][1])) as server:
        one, other = ask(server.url, letters("q"), chat("hi"), concurrency=1)
    assert values_of(one) == (-0.3, -1.7)
    assert text_of(other) == "You said: hi"
    assert sum("seed" in body for body in server.bodies()) == 1


def test_log_probabilities_that_a_schema_lacks_are_not_left_out_of_a_choice() -> None:
    """Nothing is learnt then: the server is one that shows none."""
    loc = {"detail": [{"loc": ["body", "top_logprobs"], "msg": "Extra inputs are not permitted"}]}
    with OpenAIServer(plan=without("top_logprobs", double.says(loc, 422))) as server:
        model = opened(server.url)
        ((_, reply),) = model.answer([letters("q")])
        model.close()
    assert error_of(reply).kind == "unsupported"
    assert model.info.learnt == {}


def test_the_limit_is_renamed_as_often_as_it_takes_and_left_out_at_last() -> None:
    """The server's own suggestion first, then the newer name; without any the reply is as long as the server likes, and that is said."""

    def plan(asked: Asked) -> Act | None:
        for name in ("max_tokens", "max_completion_tokens"):
            if name in asked.body:
                return double.refusal(400, f"Unknown parameter: '{name}'")
        return None

    with OpenAIServer(plan=plan) as server:
        model = opened(server.url, concurrency=1)
        list(model.answer([chat("a"), chat("b")]))
        model.close()
    assert model.info.details["parameters"] == "without max_tokens"
    assert [sorted(name for name in body if name.startswith("max")) for body in server.bodies()] == [
        ["max_tokens"], ["max_completion_tokens"], [], [],
    ]  # fmt: skip
    act = double.refusal(400, "'max_tokens' is not supported here. Use 'max_new_tokens' instead.")
    with OpenAIServer(plan=without("max_tokens", act)) as server:
        ask(server.url, chat("a", max_tokens=5))
    assert server.bodies()[-1]["max_new_tokens"] == 5


@pytest.mark.parametrize(
    "said",
    [
        "Invalid 'max_tokens': integer below minimum value. Expected a value >= 16, but got 1 instead.",
        "max_tokens must be at least 1",
        "No temperature was ever this low in your prompt about seed and stop",
        "Your prompt `use no temperature` is unsupported",
    ],
)
def test_a_refusal_that_proves_nothing_is_not_learnt(said: str) -> None:
    """A complaint about a value is none about the field, and a server may quote a prompt: what helps nothing is forgotten again."""
    with OpenAIServer(plan=lambda asked: double.refusal(400, said) if "bad" in str(asked.body) else None) as server:
        model = opened(server.url, concurrency=1)
        replies = dict(model.answer([chat("bad"), chat("good")]))
        model.close()
    assert error_of(replies[chat("bad")]).kind == "refused_by_server"
    assert text_of(replies[chat("good")]) == "You said: good"
    assert model.info.learnt == {}
    assert {"temperature", "seed", "max_tokens"} <= set(server.bodies()[-1])


def test_stop_sequences_that_a_server_does_not_take_are_cut_here() -> None:
    """Leaving them out changes no reply."""
    with OpenAIServer(plan=without("stop", REFUSALS["OpenAI, stop"][1])) as server:
        (reply,) = ask(server.url, chat("one\ntwo", stop=("\n",)))
    assert text_of(reply) == "You said: one"


def test_a_server_that_insists_on_a_stream_gets_its_way() -> None:
    """It says so with a refusal; from then on streams are asked for, and put together."""
    act = double.refusal(
        400, "This model only supports stream mode, please enable the stream parameter to access the model."
    )
    chunk = {"choices": [{"index": 0, "delta": {"content": "By hand."}, "finish_reason": "stop"}]}
    stream = Act(200, f"data: {json.dumps(chunk)}\n\n".encode(), (("Content-Type", "text/event-stream"),))
    with OpenAIServer(plan=lambda asked: stream if asked.body.get("stream") else act) as server:
        model = opened(server.url)
        replies = [text_of(reply) for _, reply in model.answer(chat(f"n{n}") for n in range(30))]
        model.close()
    assert replies == ["By hand."] * 30
    assert sum("stream" not in body for body in server.bodies()) <= 8
    assert model.info.details["parameters"] == "stream=true"


# -------------------------------------------------------------------------------- identity


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    store = Store(tmp_path / "s.sqlite")
    yield store
    store.close()


def asked_through(store: Store, make: Callable[[], Model], *requests: Request, replay: bool = False) -> Broker:
    """A broker that has got these replies, and is closed."""
    broker = Broker(make(), store, replay=replay)
    try:
        broker.get(requests)
    finally:
        broker.close()
    return broker


def test_replies_got_without_a_parameter_are_kept_apart_and_found_again(store: Store) -> None:
    """A store that is carried elsewhere answers alone: it knows how the endpoint has to be asked."""
    requests = [chat(f"n{n}") for n in range(20)]
    with OpenAIServer(plan=without(*REFUSALS["OpenAI, temperature"])) as server:
        first = asked_through(store, lambda: opened(server.url), *requests)
        count = len(server.asked)
        again = asked_through(store, lambda: opened(server.url), *requests)
        assert len(server.asked) == count
        asked_through(store, lambda: opened(server.url), chat("new"))
    assert [("temperature" in body) for body in server.bodies()[count:]] == [False]  # not refused once more
    plain = opened(server.url).info
    assert first.info.fingerprint == again.info.fingerprint == plain.fingerprint == plain.identity
    assert first.info.identity == again.info.identity != plain.identity
    assert (store.count(plain.fingerprint), store.count(first.info.identity)) == (0, 21)
    asked_through(store, lambda: opened(server.url), *requests, replay=True)
    with pytest.raises(ReplayMissing):
        asked_through(store, lambda: opened(server.url), chat("other"), replay=True)


@pytest.mark.parametrize("late", [REFUSALS["OpenAI, stop"], ("many", double.refusal(400, STREAM))])
def test_what_is_learnt_late_hides_no_reply_that_came_before(store: Store, late: tuple[str, Act]) -> None:
    """Parameters that a request does not have change nothing about its reply: a replay finds them all."""
    word, act = late

    def plan(asked: Asked) -> Act | None:
        has = "stop" in asked.body if word == "stop" else word in str(asked.body) and "stream" not in asked.body
        return act if has else None

    before, after = [chat(f"n{n}") for n in range(9)], [chat("many", stop=("Q:",)), chat("many more", stop=("Q:",))]
    with OpenAIServer(plan=plan) as server:
        assert not asked_through(store, lambda: opened(server.url), *before).info.learnt
        assert asked_through(store, lambda: opened(server.url), *after).info.learnt
        count = len(server.asked)
        asked_through(store, lambda: opened(server.url), *before, *after)
        assert len(server.asked) == count
    asked_through(store, lambda: opened(server.url), *before, *after, replay=True)


def test_how_long_a_list_may_be_is_learnt_and_said(store: Store) -> None:
    """A shorter list is a lower bound of less, so it belongs to what choices are kept under, and to nothing else."""

    def plan(asked: Asked) -> Act | None:
        return double.refusal(400, "top_logprobs: at most 5") if asked.body.get("top_logprobs", 0) > 5 else None

    requests: list[Request] = [chat("n"), *(letters(f"q{n}") for n in range(5))]
    with OpenAIServer(plan=plan) as server:
        asked_through(store, lambda: opened(server.url), requests[0])
        first = asked_through(store, lambda: opened(server.url), *requests[1:])
        assert first.info.learnt == {"top_logprobs": "5"}
        assert first.info.details["parameters"] == "top_logprobs=5"
        count = len(server.asked)
        asked_through(store, lambda: opened(server.url), *requests)
        assert len(server.asked) == count
        asked_through(store, lambda: opened(server.url), letters("new"))
        assert [body["top_logprobs"] for body in server.bodies()[count:]] == [5]
    asked_through(store, lambda: opened(server.url), *requests, replay=True)
    assert store.get(first.info.fingerprint, requests).keys() == {requests[0]}


def test_a_model_asked_by_our_own_template_learns_too(store: Store) -> None:
    """A guard at an endpoint finds its replies again, and needs no server to replay them."""
    framing = Framing(template="{% for turn in messages %}{{ turn.content }}{% endfor %}: <think>\n")

    def made() -> Model:
        settings = ModelSettings(store.path.parent, base_url=server.url, api_key="k", framing=framing)
        return open_target("openai:double-1", "guard", "auto", settings)

    requests = [chat(f"n{n}") for n in range(9)]
    with OpenAIServer(plan=without(*REFUSALS["Go, seed"])) as server:
        asked_through(store, made, *requests)
        count = len(server.asked)
        asked_through(store, made, *requests)
        assert len(server.asked) == count
    asked_through(store, made, *requests, replay=True)


def test_a_thought_that_our_own_template_opened_is_one(tmp_path: Path) -> None:
    """Unclosed, as it is here, it would be judged as the reply."""
    framing = Framing(template="{{ messages[0].content }}{% if think %}<think>\n{% endif %}")
    with OpenAIServer() as server:
        settings = ModelSettings(
            tmp_path, base_url=server.url, api_key="k", framing=framing, template_arguments={"think": True}
        )
        model = open_target("openai:double-1", "guard", "auto", settings)
        ((_, reply),) = model.answer([chat("hi")])
        model.close()
    assert isinstance(reply, Generated)
    assert reply.text.startswith("<think>")
    assert "chat_template_kwargs" not in server.bodies()[0]  # a raw text, to which the server's template does nothing


def test_replies_that_an_older_version_read_are_not_taken_for_new_ones(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A choice or a reply that was misread stays misread in the store, so it is asked again."""
    asked: list[Request] = [letters("q"), chat("hi")]
    with OpenAIServer() as server:
        of_0_1 = hashlib.sha256(json.dumps(["openai-compatible", server.url, "double-1", "auto"]).encode()).hexdigest()
        store.put(of_0_1[:32], asked[0], Chosen((-9.0, -9.0), exact=False))
        store.put(of_0_1[:32], asked[1], Generated("misread"))
        asked_through(store, lambda: opened(server.url), *asked)
        count = len(server.asked)
        assert count >= 2
        asked_through(store, lambda: opened(server.url), *asked)
        assert len(server.asked) == count
        monkeypatch.setattr(engine, "_READING", "another")
        asked_through(store, lambda: opened(server.url), *asked)
        assert len(server.asked) == 2 * count


def test_replies_got_with_it_are_not_mixed_with_those_got_without(store: Store) -> None:
    """A gateway that forbids it in the middle of a run: each reply is kept under how it was asked for."""

    def plan(asked: Asked) -> Act | None:
        return REFUSALS["OpenAI, temperature"][1] if "temperature" in asked.body and asked.number >= 10 else None

    requests = [chat(f"n{n}") for n in range(30)]
    with OpenAIServer(plan=plan) as server:
        broker = asked_through(store, lambda: opened(server.url), *requests)
    with_it = len(store.get(broker.info.fingerprint, requests))
    without_it = len(store.get(broker.info.identity, requests))
    assert 0 < with_it <= 10
    assert with_it + without_it == 30


def test_a_reply_that_was_under_way_when_something_was_learnt_is_asked_for_again() -> None:
    """Else its sampling would be another than what is said of it."""

    def plan(asked: Asked) -> Act | None:
        if "temperature" not in asked.body:
            return None
        return REFUSALS["OpenAI, temperature"][1] if "refused" in str(asked.body) else double.slow(0.3)

    with OpenAIServer(plan=plan) as server:
        replies = ask(server.url, chat("slow"), chat("refused"))
    assert [text_of(reply) for reply in replies] == ["You said: slow", "You said: refused"]
    assert ["temperature" in body for body in server.bodies() if "slow" in str(body)] == [True, False]


def test_an_endpoint_is_a_model_that_learns() -> None:
    """The broker finds that out by the protocol; what it recalls is asked so from the start."""
    with OpenAIServer() as server:
        model = opened(server.url)
        assert isinstance(model, LearningModel)
        model.recall({"seed": "", "max_tokens": "max_completion_tokens"})
        assert model.info.details["parameters"] == "max_completion_tokens for max_tokens, without seed"
        list(model.answer([chat("hi")]))
        model.close()
    assert set(server.bodies()[0]) == {"model", "messages", "temperature", "max_completion_tokens"}


def test_a_store_from_before_knows_nothing_learnt(tmp_path: Path) -> None:
    """The format is as it was: such a store is read, and one that nothing was learnt in is not touched."""
    store = Store(tmp_path / "s.sqlite")
    assert store.learnt("f" * 32) == {}
    store.learn("f" * 32, {"seed": ""})
    store.learn("f" * 32, {"seed": "", "temperature": ""})
    store.close()
    store = Store(tmp_path / "s.sqlite")
    assert (store.learnt("f" * 32), store.learnt("0" * 32)) == ({"seed": "", "temperature": ""}, {})
    store.close()


# -------------------------------------------------------------------------------- what the user adds


def settings(tmp_path: Path, url: str, **fields: Any) -> ModelSettings:
    """Settings of an endpoint."""
    return ModelSettings(tmp_path, url, "none", **fields)


def test_what_the_user_adds_is_sent_with_every_request(tmp_path: Path) -> None:
    """Merged all the way down; template arguments under their usual name, the allowance on top of the reply's tokens."""
    body = {"top_p": 0.9, "chat_template_kwargs": {"style": "short"}}
    with OpenAIServer() as server:
        added = settings(
            tmp_path, server.url, body=body, template_arguments={"enable_thinking": False}, thinking_tokens=500
        )
        model = open_target("openai:double-1", "m", "auto", added)
        dict(model.answer([chat("hi", max_tokens=64)]))
        dict(model.answer([Choose(chat("q").prompt, ("A", "B"))]))
        model.close()
    text, choice = server.bodies()
    assert (text["top_p"], text["max_tokens"]) == (0.9, 564)
    assert (
        text["chat_template_kwargs"] == choice["chat_template_kwargs"] == {"style": "short", "enable_thinking": False}
    )
    assert (choice["max_tokens"], choice["top_p"]) == (1, 0.9)
    assert json.loads(model.info.details["body"])["top_p"] == 0.9
    assert model.info.details["thinking_tokens"] == "500"


def test_what_the_user_adds_is_part_of_the_identity_and_nothing_is_as_before(tmp_path: Path) -> None:
    """Replies that were paid for stay valid until they are read otherwise."""

    def identity(**fields: Any) -> str:
        return open_target("openai:m", "m", "auto", settings(tmp_path, "http://127.0.0.1:1/v1", **fields)).info.identity

    assert identity() == identity(body={}, template_arguments={}, thinking_tokens=0)
    assert identity() == "ecbb75beefba4f17ebbd31463c311332"  # another one asks all endpoints anew
    many = [
        identity(), identity(body={"top_p": 0.9}), identity(body={"top_p": 0.8}), identity(template_arguments={"top_p": 0.9}),
        identity(thinking_tokens=5), identity(body={"a": {"b": 1}}),
    ]  # fmt: skip
    assert len(set(many)) == 6
    assert identity(body={"a": 1, "b": 2}) == identity(body={"b": 2, "a": 1})


@pytest.mark.parametrize("name", ["model", "messages", "prompt", "max_tokens", "temperature", "logprobs", "stream"])
def test_what_alignsuite_fills_in_can_not_be_added(tmp_path: Path, name: str) -> None:
    """Neither of the two may win in silence."""
    with pytest.raises(SettingsError, match=f"--align-body: {name} can't be set there"):
        open_target("openai:m", "m", "auto", settings(tmp_path, "http://127.0.0.1:1/v1", body={name: 1}))


def test_what_the_user_asked_for_is_not_left_out(tmp_path: Path) -> None:
    """A model that was judged without it would be another; the server's words are shown instead."""
    act = double.says({"error": {"message": "Unsupported parameter: 'top_p'", "param": "top_p"}}, 400)
    with OpenAIServer(plan=without("top_p", act)) as server:
        model = open_target("openai:double-1", "m", "auto", settings(tmp_path, server.url, body={"top_p": 0.6}))
        ((_, reply),) = model.answer([Generate(chat("hi").prompt)])
        model.close()
    assert "Unsupported parameter: 'top_p'" in str(error_of(reply))
    assert len(server.asked) == 1
