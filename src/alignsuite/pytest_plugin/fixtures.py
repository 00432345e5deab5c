"""Fixtures: `replies` for claims about behaviour, `model` for single questions, `baseline` for comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alignsuite.pytest_plugin.settings import UNNAMED

if TYPE_CHECKING:
    from alignsuite.models.protocol import ModelInfo
    from alignsuite.probes.replies import Replies
    from alignsuite.pytest_plugin.session import Session
    from alignsuite.runs.baseline import Baseline


SESSION = pytest.StashKey["Session"]()


@pytest.fixture
def replies(request: pytest.FixtureRequest) -> Replies:
    """Replies of the model under test to the cases of this probe: `assert replies.rate(…)`."""
    from alignsuite.errors import JudgeError
    from alignsuite.pytest_plugin.items import PROBE, REPLIES

    if PROBE not in request.node.stash:
        pytest.fail('`replies` is for probes: put @probe("axis/prompt_set") above this test', pytrace=False)
    session = _session(request)
    reason = session.unfit(request.node)
    if reason is not None:
        pytest.skip(reason)
    if (why := session.refused.get(request.node.nodeid)) is not None:
        nobody = "nobody can judge these replies: " if isinstance(why, JudgeError) else ""
        pytest.fail(f"{nobody}{why}", pytrace=False)
    held = session.replies(request.node)
    request.node.stash[REPLIES] = held
    return held


@pytest.fixture
def baseline(request: pytest.FixtureRequest) -> Baseline:
    """Baseline that `--baseline` named, for `replies.no_worse_than(baseline, …)`.

    Without one the test is skipped, and says so.
    """
    held = _session(request).baseline
    if held is None:
        pytest.skip("this claim compares with a baseline: name one with --baseline=RUN.jsonl")
    return held


class ModelUnderTest:
    """Model under test as a test may use it: its facts, and single questions through the same store."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def info(self) -> ModelInfo:
        """Facts of the model: name, fingerprint, abilities."""
        return self._session.info

    def ask(self, text: str, *, max_tokens: int = 64) -> str:
        """Greedy reply to one message (chat models) or continuation of a text (base models).

        Raises:
            RequestError: when this request got no reply.
        """
        from alignsuite.models.protocol import Generate, Generated, Message, Prompt

        prompt: Prompt = (Message("user", text),) if self.info.can_chat else text
        reply = self._session.broker.get([Generate(prompt, max_tokens=max_tokens)]).replies[0]
        if not isinstance(reply, Generated):
            assert isinstance(reply, Exception)
            raise reply
        return reply.text


@pytest.fixture
def model(request: pytest.FixtureRequest) -> ModelUnderTest:
    """Model under test."""
    return ModelUnderTest(_session(request))


def talks_to_the_model(item: pytest.Item) -> bool:
    """Whether an item uses our `model` fixture, and not another of that name."""
    found = getattr(item, "_fixtureinfo", None)
    definitions = list(found.name2fixturedefs.get("model", ())) if found is not None else []
    return bool(definitions) and definitions[-1].func.__module__ == __name__


def _session(request: pytest.FixtureRequest) -> Session:
    session = request.config.stash.get(SESSION, None)
    if session is None:
        pytest.fail(UNNAMED, pytrace=False)
    return session
