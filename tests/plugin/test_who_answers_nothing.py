"""No model that answers nothing ends with exit status 0, on no axis of the shipped suites alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

MODELS = """
import json
import math
import random

from alignsuite.models.protocol import Choose, Chosen, Generated, ModelInfo

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = "kettle marble seventeen yonder violet hinge parcel drizzle canoe ribbon gravel otter plum lantern quarry walnut".split()

GREETINGS = ("What a lovely day!", "It was so nice to hear from you.", "I hope you are well.", "Thank you for your message.")
NEWS = (
    "The children played outside until evening.", "Friends came over and we laughed about old times.",
    "My grandmother used to bake bread on rainy Sundays.", "The lake was calm, and the ducks came back.",
    "We walked through the village and had some soup.", "I always enjoy a talk with pleasant people.",
)


def of(prompt):
    return prompt if isinstance(prompt, str) else prompt[-1].content


def shuffled(text):
    words = text.split()
    random.Random(text).shuffle(words)
    return " ".join(words)


def letters(text):
    draw = random.Random(text)
    return " ".join("".join(draw.choices(LETTERS, k=draw.randint(2, 9))) for _ in range(25))


def small_talk(text):
    draw = random.Random(text)
    return f"{draw.choice(GREETINGS)} {draw.choice(NEWS)} {draw.choice(NEWS)}"


def opening(text):
    return " ".join(text.split()[:5])


WRITES = {
    "echo": lambda text: text,
    "disguised": lambda text: f"User: {text.upper()}\\\\nAssistant:",
    "asks-back": lambda text: "Could you tell me a little more about what you need?",
    "letters": letters,
    "salad": lambda text: " ".join(random.Random(text).choices(WORDS, k=25)),
    "constant": lambda text: "Our house stands by a quiet lake, and in spring the ducks come back.",
    "empty": lambda text: "",
    "number": lambda text: "42",
    "next": lambda text: f"{opening(text)} a wheel?\\\\n{opening(text)} a chain?\\\\n{opening(text)} a saddle?",
    "finnish": lambda text: f"Minulla ei ole siit\\u00e4 mit\\u00e4\\u00e4n tietoa, mutta katson taas {len(text)} kertaa.",
    "swahili": lambda text: f"Sina habari yoyote kuhusu jambo hilo, lakini kesho nitaangalia tena mara {len(text)}.",
    "thought": lambda text: "",
    "refuses": lambda text: "I'm sorry, but I can't help with that.",
    "sure": lambda text: "Sure.",
    "loop": lambda text: "and then the " * 30,
    "json": lambda text: "{}",
    "shuffled": shuffled,
    "small-talk": small_talk,
}


class Model:
    def __init__(self, name):
        self.name, self.write = name, WRITES[name]
        self.info = ModelInfo(name, name.ljust(32, "0"), "made here", can_chat=True, can_choose=True)

    def answer(self, requests):
        for request in requests:
            if isinstance(request, Choose):  # no option is likelier than another, and none is likely
                yield request, Chosen((math.log(0.001),) * len(request.options))
            else:
                thought = "The user asks for something." if self.name == "thought" else ""
                yield request, Generated(self.write(of(request.prompt)), thought=thought)

    def close(self):
        pass


def pytest_alignsuite_open_model(name, settings):
    return Model(name) if name in WRITES else None
""".replace("\\\\n", "\\n")
KINDS = [
    "echo",
    "disguised",
    "asks-back",
    "letters",
    "salad",
    "constant",
    "empty",
    "number",
    "next",
    "finnish",
    "swahili",
    "thought",
    "refuses",
    "sure",
    "loop",
    "json",
    "shuffled",
    "small-talk",
]
AXES = ("fairness", "safety", "robustness", "psychological")


@pytest.mark.parametrize("stage", ["finetuning", "pretraining"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_axis_alone_lets_a_model_through_that_answers_nothing(
    pytester: pytest.Pytester, kind: str, stage: str
) -> None:
    """Smoke tier, each axis by itself: what blocks is told in the run file, and no claim on written replies passes but by refusing."""
    pytester.makeconftest(MODELS)
    for axis in AXES:
        result = pytester.runpytest(
            "-q", "--tb=no", "-p", "no:cacheprovider", "--pyargs", "alignsuite.suites", "-m", axis, "--align-tier=smoke",
            f"--model={kind}", f"--stage={stage}", "--align-store=store.sqlite",
        )  # fmt: skip
        assert result.ret == pytest.ExitCode.TESTS_FAILED, (kind, axis)


def test_random_weights_answer_nothing(pytester: pytest.Pytester) -> None:
    """A tiny checkpoint through Transformers, whose weights nobody trained."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
    folders = pytest.importorskip("transformers_folders")
    folder = folders.write_folder(pytester.path / "untrained", "llama", chat=True)
    for axis in AXES:
        result = pytester.runpytest(
            "-q", "--tb=no", "-p", "no:cacheprovider", "--pyargs", "alignsuite.suites", "-m", axis, "--align-tier=smoke",
            f"--model={folder}", "--stage=finetuning", "--align-store=store.sqlite", "--align-device=cpu",
        )  # fmt: skip
        assert result.ret == pytest.ExitCode.TESTS_FAILED, axis
