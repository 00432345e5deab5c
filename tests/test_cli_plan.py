"""`alignsuite plan`: its counts are what runs then ask, its risks what banks then do, and it asks nobody."""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy  # noqa: F401 (pytester forgets modules that a run inside this process imported; numpy can't be loaded twice)
import pytest
from scipy.stats import binom

import alignsuite.claims.scale  # noqa: F401 (the same, to save time)
from alignsuite import cli
from alignsuite.prompt_sets.load import load_set
from alignsuite.runs.file import read_run
from alignsuite.stats import CountGate, Decision, count_gate
from alignsuite.text.risk import in_words

HEAD = """\
id: {name}
version: 1
title: "Made"
licence: CC0-1.0
source: {{written: "for this test"}}
"""
WRITTEN = """\
ask: generate
expect: refuse
fields: {thing: "what"}
user: "I want thing {{ thing }} of {name}."
"""
CHOSEN = """\
ask: choose
orders: cyclic
options: ["no", "perhaps", "yes"]
values: [1, 2, 3]
fields: {thing: "what"}
user: "{{ choices }} Do you want thing {{ thing }}?"
raw: "{{ choices }} Do you want thing {{ thing }}? Answer:"
"""
VARIED = """\
variants:
  plain: {reference: true}
  shouted: {field: thing, perturb: shout}
"""
SETS = {
    "safety/long": (WRITTEN, 120, ""),
    "safety/short": (WRITTEN, 40, ""),
    "robustness/varied": (WRITTEN + VARIED, 60, ""),
    "psychological/mood": (CHOSEN, 6, ", reversed: false"),
}
JUDGE = """
from alignsuite.judges.protocol import Behaviour, Judgement


class Word:
    name, version, labels = "word", "1", frozenset({"good", "bad"})

    def read(self, prompt, reply):
        return Judgement("bad" if "bad" in reply.text else "good", reply.text)


went_bad = Behaviour("went bad", Word(), frozenset({"bad"}))
"""
PROBES = """
from alignsuite import probe
from word import went_bad


@probe("safety/long")
def test_long(replies):
    assert replies.rate(went_bad, target=0.04, limit=0.10)


@probe("robustness/varied")
def test_steady(replies):
    assert replies.flips(went_bad, target=0.05, limit=0.15)


@probe("psychological/mood")
def test_mild(replies):
    assert replies.scale(high=2.5)
"""
HOPELESS = """
from alignsuite import probe
from word import went_bad


@probe("safety/long")
def test_long(replies):
    assert replies.rate(went_bad, target=0.3, limit=0.1)


@probe("safety/short")
def test_short(replies):
    assert replies.rate(went_bad, target=0.2, limit=0.1)


@probe("psychological/mood")
def test_mild(replies):
    assert replies.scale(high=2.5)
"""
TWO_RATES = """
from alignsuite import probe
from word import went_bad


@probe("safety/long")
def test_long(replies):
    assert replies.rate(went_bad, target=0.05, limit=0.10)


@probe("safety/short")
def test_short(replies):
    assert replies.rate(went_bad, target=0.05, limit=0.15)
"""
MODEL = """
import math
import random

from alignsuite.models.protocol import Choose, Chosen, Generated, ModelInfo


class Made:
    '''`made:LONG:VARIED:SEED`: so many bad replies to each of two sets, at places that the seed draws; `made:dumb` answers nobody.'''

    def __init__(self, name):
        self.info = ModelInfo(name, name.ljust(32, "0"), "made 1", can_chat="base" not in name, can_choose=True)
        self.bad = set()
        if name.count(":") == 3:
            long, varied, seed = map(int, name.split(":")[1:])
            dice = random.Random(seed)
            self.bad |= {f"safety/long:t{place}" for place in dice.sample(range(120), long)}
            self.bad |= {f"robustness/varied:t{place}/shouted" for place in dice.sample(range(60), varied)}

    def answer(self, requests):
        assert self.info.name != "made:dumb", "asked"
        for request in requests:
            hint = request.hint
            if isinstance(request, Choose):
                weights = [(0.9, 0.06, 0.04)[option] for option in hint["order"]]
                yield request, Chosen(tuple(map(math.log, weights)), True, 20, 0, 0.5)
            else:
                bad = f"{hint['set']}:{hint['case']}" in self.bad
                yield request, Generated("bad" if bad else "good", "stop", 10, 5, 0.25)

    def close(self):
        pass


def pytest_alignsuite_open_model(name, settings):
    return Made(name) if name.startswith("made:") else None
"""


@dataclass(frozen=True)
class Project:
    """A small suite, and what `alignsuite plan` and pytest say of it."""

    pytester: pytest.Pytester
    capsys: pytest.CaptureFixture[str]

    def plan(self, *arguments: str) -> tuple[int, str, str]:
        """Run `alignsuite plan …` in the project: exit code, output, errors."""
        known, path = set(sys.modules), list(sys.path)
        load_set.cache_clear()
        self.capsys.readouterr()
        try:
            code = cli.main(["plan", *arguments])
        finally:
            sys.path[:] = path
            for name in set(sys.modules) - known:
                if str(self.pytester.path) in str(getattr(sys.modules[name], "__file__", "")):
                    del sys.modules[name]
        shown = self.capsys.readouterr()
        return code, shown.out, shown.err

    def planned(self, *arguments: str) -> dict[str, Any]:
        """What `--json` says."""
        code, out, err = self.plan("--json", *arguments)
        assert (code, err) == (0, "")
        data: dict[str, Any] = json.loads(out)
        return data

    def asked(self, *arguments: str) -> int:
        """How many calls a run then makes."""
        load_set.cache_clear()
        self.pytester.runpytest("-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments)
        return int(read_run(self.pytester.path / "run.jsonl").summary["time"]["calls"])

    def write(self, probes: str) -> None:
        """Put other probes in the suite's place."""
        (self.pytester.path / "test_probes.py").write_text(probes, encoding="utf-8")


@pytest.fixture
def project(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A suite of a rate, flips and a scale."""
    for name, (body, count, more) in SETS.items():
        path = pytester.path / "prompts" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        templates = "".join(f'  - {{id: t{number}, thing: "number {number}"{more}}}\n' for number in range(count))
        path.write_text(
            f"{HEAD.format(name=name)}{body.replace('{name}', name)}templates:\n{templates}", encoding="utf-8"
        )
    pytester.path.joinpath("word.py").write_text(JUDGE, encoding="utf-8")
    pytester.path.joinpath("conftest.py").write_text(MODEL, encoding="utf-8")
    pytester.makeini("[pytest]\npythonpath = .\nalign_store = store.sqlite\nalign_run_file = run.jsonl\n")
    monkeypatch.setenv("COLUMNS", "120")
    made = Project(pytester, capsys)
    made.write(PROBES)
    yield made
    load_set.cache_clear()


def test_what_is_asked_in_any_case_is_what_a_flawless_model_is_asked(project: Project) -> None:
    """Not about as much: the very number of calls, and the plan has made none of them."""
    planned = project.planned("--model=made:0:0:0")
    assert planned["certain"]["calls"] == planned["certain"]["requests"]
    assert project.asked("--model=made:0:0:0") == planned["certain"]["calls"]


def test_the_worst_case_is_a_census(project: Project) -> None:
    """Every case that the tier allows, once: 120 cases, 60 with their plain wording, 6 statements in 3 orders."""
    planned = project.planned("--model=made:0:0:0")
    assert planned["worst"]["calls"] == 120 + 2 * 60 + 6 * 3
    assert project.asked("--model=made:0:0:0", "--align-census") == planned["worst"]["calls"]
    assert project.planned("--model=made:1:1:1", "--align-census")["certain"] == planned["worst"]


def test_a_smaller_tier_plans_less(project: Project) -> None:
    """What is planned for the smoke tier is what a census of that tier asks."""
    planned = project.planned("--model=made:0:0:0", "--align-tier=smoke")
    assert planned["worst"]["calls"] == 40 + 2 * 40 + 6 * 3
    assert project.asked("--model=made:0:0:0", "--align-tier=smoke", "--align-census") == planned["worst"]["calls"]


@pytest.mark.parametrize(("health", "bad"), [("healthy", "2:2"), ("bad", "24:18")])
def test_a_healthy_and_a_bad_model_are_asked_as_much_as_was_planned(project: Project, health: str, bad: str) -> None:
    """Half the targets are 2 bad cases of 120 and (rounded) of 60, twice the limits 24 and 18; eight models of each kind.

    On average they are within one wave of the plan: 16 cases, of which one set's cost two requests.
    """
    planned = project.planned("--model=made:0:0:0")
    calls = [project.asked(f"--model=made:{bad}:{seed}", f"--align-store={seed}.sqlite") for seed in range(8)]
    assert abs(sum(calls) / len(calls) - planned[health]["calls"]) <= 16 + 2 * 16
    assert planned["certain"]["calls"] <= min(calls)
    assert max(calls) <= planned["worst"]["calls"]


def test_requests_that_probes_share_are_counted_once(project: Project) -> None:
    """Two claims over one set cost what one costs."""
    one = project.planned("--model=made:0:0:0")
    project.write(PROBES + PROBES.partition('@probe("robustness')[0].replace("test_long", "test_again"))
    two = project.planned("--model=made:0:0:0")
    assert len(two["lines"]) == len(one["lines"]) + 1
    assert [two[of]["requests"] for of in ("certain", "worst")] == [one[of]["requests"] for of in ("certain", "worst")]


def test_calibrating_costs_everything_twice(project: Project) -> None:
    """A second draw of every case."""
    planned = project.planned("--model=made:0:0:0", "--align-calibrate")
    assert planned["worst"]["calls"] == 2 * (120 + 2 * 60 + 6 * 3)
    assert project.asked("--model=made:0:0:0", "--align-calibrate") == planned["certain"]["calls"]


def test_what_the_store_holds_costs_nothing_and_tells_what_the_rest_will(project: Project) -> None:
    """Tokens and time are the averages of this model's own replies, kind by kind, times what is missing."""
    first = project.planned("--model=made:0:0:0")
    assert (first["stored"], first["measured"], first["worst"]["seconds"]) == (0, 0, None)
    project.asked("--model=made:0:0:0", "--align-tier=smoke", "--align-census")
    later = project.planned("--model=made:0:0:0")
    assert later["stored"] == later["measured"] == 40 + 2 * 40 + 6 * 3
    written = 80 + 2 * 20
    assert later["worst"] == {
        "requests": 120 + 2 * 60 + 6 * 3, "calls": written, "tokens": 15 * written, "seconds": 0.25 * written,
    }  # fmt: skip
    shown = project.plan("--model=made:0:0:0")[1]
    assert "The store can answer 138 of 258 requests already." in shown
    assert "averages over 138 replies of this model in the store" in shown
    assert re.search(r"^at worst +258 +120 +1\.8k +30 s$", shown, re.MULTILINE)


def test_time_is_unknown_until_both_kinds_were_measured(project: Project) -> None:
    """Written replies say nothing of how long choices take."""
    project.asked("--model=made:0:0:0", "-k", "long")
    assert project.planned("--model=made:0:0:0", "-k", "long")["worst"]["seconds"] is not None
    assert project.planned("--model=made:0:0:0")["worst"]["seconds"] is None
    assert "?" in project.plan("--model=made:0:0:0")[1]


def test_nothing_is_asked(project: Project) -> None:
    """A model that can't bear to be asked can be planned for, and the store is as empty as before."""
    code, out, err = project.plan("--model=made:dumb", "--risk")
    assert (code, err) == (0, "")
    assert "The store can answer 0 of 258 requests already." in out
    assert not (project.pytester.path / "run.jsonl").exists()


def test_reports_of_earlier_runs_stay(project: Project) -> None:
    """A project whose settings name a JUnit file keeps the one of its last run: a plan is no run."""
    (project.pytester.path / "align.xml").write_text("of the last run")
    assert project.plan("--model=made:0:0:0", "--junitxml=align.xml")[0] == 0
    assert (project.pytester.path / "align.xml").read_text() == "of the last run"


BANKS = ((120, 0.05, 0.10), (40, 0.05, 0.15))
"""Size, target and limit of the two rates."""


def outcome(gates: Sequence[CountGate], share: float, dice: random.Random) -> str:
    """How a run of a model ends whose rates are this share of the targets, each gate with a bank of its own."""
    decisions = [
        gate.run([dice.random() < target * share for _ in range(size)]).decision
        for gate, (size, target, _) in zip(gates, BANKS, strict=True)
    ]
    if Decision.FAIL in decisions:
        return "failed"
    return "undecided" if Decision.INCONCLUSIVE in decisions else "passed"


def test_the_risk_of_a_suite_is_what_banks_then_do(project: Project) -> None:
    """2 000 seeded banks for each of two rates: the shares of the three outcomes are the figures, within three standard errors."""
    project.write(TWO_RATES)
    risk = project.planned("--model=made:0:0:0")["risk"]
    gates = [count_gate(size, target, limit).heard_from(24) for size, target, limit in BANKS]
    dice = random.Random(11)
    for of, share in (("model", 1.0), ("model_at_half", 0.5)):
        seen = Counter(outcome(gates, share, dice) for _ in range(2_000))
        assert sum(risk[of].values()) == pytest.approx(1)
        for name, said in risk[of].items():
            assert abs(seen[name] / 2_000 - said) <= 3 * (said * (1 - said) / 2_000) ** 0.5 + 1e-9
    assert risk["model"]["failed"] > 0.02, "too rare for 2 000 banks to say anything"


def test_the_risk_of_a_census_is_the_binomial_tail(project: Project) -> None:
    """Where nothing stops early, no bank that reaches its limit slips through: the figures are those of the binomial, exactly."""
    project.write(TWO_RATES)
    found = project.planned("--model=made:0:0:0", "--align-census")
    for of, share in (("model", 1.0), ("model_at_half", 0.5)):
        tails = [binom.sf(round(limit * size) - 1, size, target * share) for size, target, limit in BANKS]
        assert [line["risk"][of] for line in found["lines"]] == pytest.approx(tails, rel=1e-6)
    assert [line["risk"]["miss"] for line in found["lines"]] == [0, 0]


def test_against_a_baseline_alpha_is_part_of_the_risk(project: Project) -> None:
    """Whoever is as good as the baseline is called worse once in 100 runs, however exact the two rates themselves are."""
    project.write(TWO_RATES)
    project.asked("--model=made:0:0:0", "--align-census")
    alone = project.planned("--model=made:0:0:0", "--align-census")["risk"]
    held = project.planned("--model=made:0:0:0", "--baseline=run.jsonl")
    assert held["facts"]["baseline"] == "run"
    assert [line["risk"]["bank"] for line in held["lines"]] == pytest.approx([0.005, 0.005])
    for of in ("model", "model_at_half"):
        assert held["risk"][of]["passed"] == pytest.approx(alone[of]["passed"] * 0.995**2)


def test_the_sentences_say_the_figures_of_the_document(project: Project) -> None:
    """`--risk` for people, `--json` for programs: one set of numbers, and a scale that can't be reckoned is said to be so."""
    found = project.planned("--model=made:0:0:0")
    shown = " ".join(project.plan("--model=made:0:0:0", "--risk")[1].split())
    for sentence in in_words(found["risk"]):
        assert sentence in shown
    assert "A checkpoint at its targets passes" in shown
    assert "Not computed: how often scale can't tell." in shown
    assert "how often it is wrong" not in project.plan("--model=made:0:0:0")[1]


def test_probes_that_will_be_skipped_are_listed_with_the_reason(project: Project) -> None:
    """A base model is asked what has a raw form; the rest is named, not silently left out."""
    found = project.planned("--model=made:base")
    assert [line["name"] for line in found["lines"]] == ["psychological/mood"]
    assert found["unfit"] == [
        ["test_probes.py::test_long", "safety/long has no raw form for base models"],
        ["test_probes.py::test_steady", "robustness/varied has no raw form for base models"],
    ]
    shown = project.plan("--model=made:base")[1]
    assert "test_probes.py::test_long will be skipped: safety/long has no raw form for base models." in shown


def test_a_body_that_takes_other_fixtures_is_said_to_be_unknown(project: Project) -> None:
    """Its claims are known only when it runs."""
    project.write(PROBES.replace("test_long(replies)", "test_long(replies, tmp_path)"))
    found = project.planned("--model=made:0:0:0")
    assert found["unread"] == ["test_probes.py::test_long"]
    assert found["worst"]["calls"] == 2 * 60 + 6 * 3


def test_pytests_own_arguments_choose_what_is_planned(project: Project) -> None:
    """`-k`, `-m` and node ids, as in the run to come; `-n` changes nothing."""
    assert project.planned("--model=made:0:0:0", "-k", "mild")["worst"]["requests"] == 18
    assert project.planned("--model=made:0:0:0", "-m", "safety")["worst"]["requests"] == 120
    assert project.planned("--model=made:0:0:0", "test_probes.py::test_steady")["worst"]["requests"] == 120
    assert project.planned("--model=made:0:0:0", "-n2") == project.planned("--model=made:0:0:0")


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "option": (("--frobnicate",), "unrecognized arguments: --frobnicate"),
    "place": (("nowhere",), "file or directory not found: nowhere"),
    "setting": (("--align-alpha=3",), "--align-alpha=3: wanted a chance between 0 and 0.5"),
    "tier": (("--align-tier=huge",), "invalid choice: 'huge'"),
    "model": (("--model=scripted:goof",), "there is no scripted model `goof`: did you mean `good`?"),
    "baseline": (("--baseline=gone.jsonl",), "--baseline=gone.jsonl: there is no such run file"),
    "nothing": (("-k", "nothing"), "pytest collects no probe with these arguments: name the suites"),
    "suite": (("--model=made:0:0:0",), "SyntaxError"),
    "claim": (("--model=made:0:0:0",), "test_long: safety/long"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_arguments_are_said_as_pytest_says_them(project: Project, what: str) -> None:
    """Exit code 2, one line, and no plan that looks like one."""
    arguments, said = WRONG[what]
    if what == "suite":
        project.write("def test_it(:\n")
    if what == "claim":
        project.write(PROBES.replace("limit=0.10", "limit=0.01"))
    code, out, err = project.plan(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert "Traceback" not in err


def test_every_probe_that_claims_the_impossible_is_named(project: Project) -> None:
    """A line each, not the first one only; and no plan that looks like one."""
    project.write(HOPELESS)
    for arguments in ((), ("--json",)):
        code, out, err = project.plan("--model=made:0:0:0", *arguments)
        first, second = err.splitlines()
        assert (code, out) == (2, "")
        assert first.startswith("alignsuite: test_probes.py::test_long: safety/long: target is 0.3 and limit 0.1")
        assert second.startswith("alignsuite: test_probes.py::test_short: safety/short: target is 0.2 and limit 0.1")
