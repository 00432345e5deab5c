"""A claim is held against a baseline case by case; what was asked or read otherwise is refused by name."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alignsuite.claims.context import asked_of
from alignsuite.claims.no_worse import NoWorse
from alignsuite.errors import BaselineError, ProbeError
from alignsuite.probes.replies import Replies
from alignsuite.prompt_sets.bank import Bank
from alignsuite.runs import baseline as baselines
from alignsuite.runs.baseline import Baseline, Reads, open_baseline
from alignsuite.runs.file import write_run
from alignsuite.runs.records import ClaimResult, Pairing, Record, Run, Verdict

from .conftest import BAD, Answers, choose, generating, say

Make = Callable[..., tuple[Replies, Answers]]

HEADER = {
    "kind": "run", "schema": 1, "census": True, "stage": "finetuning", "form": "chat",
    "model": {"name": "before", "engine": "scripted", "details": {}},
}  # fmt: skip


def bad_at(*numbers: int) -> Callable[[Mapping[str, Any]], Any]:
    """A model that answers these cases badly."""
    return lambda hint: say("bad" if int(hint["case"][1:]) in numbers else "good")


def census(replies: Replies, *, baseline: Baseline | None = None, **terms: Any) -> Replies:
    """The same replies, asked whole."""
    compares = baseline is not None and not terms.get("calibrate")
    return replace(replies, baseline=baseline, terms=replace(replies.terms, census=True, compares=compares, **terms))


def kept(bank: Bank, *claims: ClaimResult, header: Mapping[str, Any] = HEADER, **record: Any) -> Baseline:
    """A baseline that made these claims about a bank."""
    spec = bank.loaded.spec
    about = {
        "nodeid": "test_it.py::test_it", "axis": "axis", "probe": spec.id, "test": "test_it", "slice": "", "about": "",
        "prompt_set": {"id": spec.id, "version": spec.version, "hash": bank.loaded.content_hash}, "stage": "finetuning",
        "form": "chat", "outcome": "passed", "verdict": Verdict.PASS, "blocks": False,
    }  # fmt: skip
    made = Record(**{**about, "claims": claims, **record})  # type: ignore[arg-type]
    return Baseline("main", Run(dict(header), (made,), {"kind": "summary"}))


def held(
    make: Make, before: tuple[int, ...], now: tuple[int, ...], *, cases: int = 200, alpha: float = 0.01
) -> ClaimResult:
    """How a rate at (10 %, 20 %) comes out where these cases were bad before and these are bad now."""
    old, _ = make(generating(cases), bad_at(*before))
    claim = census(old).rate(BAD, target=0.10, limit=0.20).claim
    new, _ = make(generating(cases), bad_at(*now))
    return census(new, baseline=kept(new.bank, claim), alpha=alpha).rate(BAD, target=0.10, limit=0.20).claim


def test_a_model_that_did_not_change_passes_and_is_told_what_would_show(asked: Make) -> None:
    """No loss, p = 1, and the smallest loss that two hundred pairs are likely to show."""
    claim = held(asked, (1, 2, 3), (1, 2, 3))
    regression = claim.regression
    assert regression is not None
    assert (claim.verdict, regression.verdict, regression.loss, regression.p) == (Verdict.PASS, Verdict.PASS, 0.0, 1.0)
    assert (regression.pairs, regression.least) == (200, 7)
    assert regression.detectable == pytest.approx(0.08, abs=0.01)


def test_a_loss_beyond_chance_fails_though_the_absolute_limit_holds(asked: Make) -> None:
    """From 2 % to 8 % bad is within target, and still worse than before: 12 cases got worse, none better."""
    claim = held(asked, tuple(range(4)), tuple(range(16)))
    regression = claim.regression
    assert regression is not None
    assert claim.verdict is regression.verdict is Verdict.FAIL
    assert (regression.worse, regression.better, regression.before, regression.now) == (12, 0, 0.02, 0.08)
    assert regression.p == pytest.approx(2**-12)
    assert claim.reasons == ("worse than the baseline main, beyond chance (p = 0.00024)",)


def test_the_same_rate_with_other_cases_is_no_regression(asked: Make) -> None:
    """Ten got worse and ten better: pairs are compared, and the net change is nothing."""
    claim = held(asked, tuple(range(10)), tuple(range(10, 20)))
    assert claim.verdict is Verdict.PASS
    assert claim.regression is not None
    assert (claim.regression.worse, claim.regression.better, claim.regression.loss) == (10, 10, 0.0)


def test_a_loss_within_chance_is_marginal(asked: Make) -> None:
    """Five of two hundred got worse: more than the margin of 2 points, and chance does that once in 32."""
    claim = held(asked, (), tuple(range(5)))
    assert claim.verdict is Verdict.MARGINAL
    assert "within chance (p = 0.031)" in claim.reasons[0]


def test_a_loss_below_the_margin_never_fails(asked: Make) -> None:
    """Three of two hundred is less than 2 points, however unlikely by chance."""
    claim = held(asked, (), (0, 1, 2), alpha=0.49)
    assert claim.verdict is Verdict.PASS
    assert claim.regression is not None
    assert claim.regression.p == 0.125


def test_the_absolute_limit_stays_in_force(asked: Make) -> None:
    """A model as bad as a bad baseline is no worse, and fails all the same."""
    claim = held(asked, tuple(range(100)), tuple(range(100)))
    assert claim.verdict is Verdict.FAIL
    assert claim.regression is not None
    assert claim.regression.verdict is Verdict.PASS


@pytest.mark.untraced
def test_models_that_are_no_worse_are_blocked_at_most_as_often_as_alpha_says(asked: Make) -> None:
    """2 000 seeded pairs of equally good models, a tenth of whose answers change either way."""
    replies, _ = asked(generating(100), bad_at())
    claim = census(replies).rate(BAD, target=0.10, limit=0.20).claim
    rng, failed, alpha = random.Random(5), 0, 0.05
    for _ in range(2_000):
        changed = {case: rng.random() < 0.10 for case in claim.outcomes}
        worse = {case: flip and rng.random() < 0.5 for case, flip in changed.items()}
        before = {case: int(changed[case] and not worse[case]) for case in claim.outcomes}
        now = {case: int(worse[case]) for case in claim.outcomes}
        base = kept(replies.bank, replace(claim, outcomes=before, labels={}))
        failed += (
            base.held_against(replace(claim, outcomes=now, labels={}), asked_of(replies.bank), alpha=alpha).verdict
            is Verdict.FAIL
        )
    assert 0 < failed / 2_000 <= alpha + 3 * (alpha * (1 - alpha) / 2_000) ** 0.5


def test_unread_replies_count_against_a_regression(asked: Make) -> None:
    """Twelve that got unreadable are no proof that anything got worse."""
    old, _ = asked(generating(200), bad_at())
    claim = census(old).rate(BAD, target=0.10, limit=0.20).claim
    new, _ = asked(generating(200), lambda hint: say("mumble" if int(hint["case"][1:]) < 12 else "good"))
    now = census(new, baseline=kept(new.bank, claim)).rate(BAD, target=0.10, limit=0.20).claim
    assert now.regression is not None
    assert (now.regression.p, now.regression.pairs, now.verdict) == (1.0, 188, Verdict.PASS)


def test_a_probe_that_the_baseline_does_not_hold_is_compared_with_nothing(asked: Make) -> None:
    """A new probe has no past; that is said, and is no failure."""
    replies, _ = asked(generating(40), bad_at())
    claim = census(replies, baseline=kept(replies.bank)).rate(BAD, target=0.10, limit=0.20).claim
    assert claim.verdict is Verdict.PASS
    assert claim.regression is not None
    assert claim.regression.reason == "the baseline main holds no such claim"


STATEMENTS = {
    "ask": "choose",
    "orders": "cyclic",
    "fields": {"text": "what"},
    "options": ["no", "perhaps", "yes"],
    "values": [1, 2, 3],
    "user": "{{ text }} {{ marks }}",
    "templates": [{"id": f"s{number}", "text": f"Statement {number}."} for number in range(16)],
}


def says(agreeing: int) -> Callable[[Mapping[str, Any]], Any]:
    """A model that answers `yes` to so many statements and `no` to the rest, whatever the order."""

    def answer(hint: Mapping[str, Any]) -> Any:
        wanted = 2 if int(hint["template"][1:]) < agreeing else 0
        return choose(*(0.98 if option == wanted else 0.01 for option in hint["order"]))

    return answer


def test_a_score_that_moves_the_wrong_way_fails(asked: Make) -> None:
    """Eight of sixteen statements more are agreed to: worse where the score has an upper bound, better where it has a lower one."""
    old, _ = asked(STATEMENTS, says(4))
    new, _ = asked(STATEMENTS, says(14))
    before = census(old).scale(high=2.9).claim
    worse = census(new, baseline=kept(new.bank, before)).scale(high=2.9).claim
    assert (worse.verdict, worse.regression.verdict if worse.regression else None) == (Verdict.FAIL, Verdict.FAIL)
    lower = census(old).scale(low=1.1).claim
    better = census(new, baseline=kept(new.bank, lower)).scale(low=1.1).claim
    assert better.regression is not None
    assert better.regression.verdict is Verdict.PASS
    assert better.regression.loss == pytest.approx(-0.6, abs=0.05)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"prompt_set": {"id": "axis/made", "version": 7, "hash": "x"}}, "version 7 there and 1 here"),
        (
            {"prompt_set": {"id": "axis/made", "version": 1, "hash": "x"}},
            "another text there, under the same version 1",
        ),
        ({"temperature": 0.7}, "temperature 0.7 there and 0 here"),
    ],
)
def test_what_was_asked_otherwise_is_refused_by_name(asked: Make, record: dict[str, Any], said: str) -> None:
    """Another version, another text, other decoding."""
    replies, _ = asked(generating(40), bad_at())
    claim = census(replies).rate(BAD, target=0.10, limit=0.20).claim
    with pytest.raises(BaselineError, match=said):
        kept(replies.bank, claim, **record).check(asked_of(replies.bank), [Reads("behaviour", BAD.name, BAD.reader)])


def test_another_judge_is_refused_by_name(asked: Make) -> None:
    """Labels of two judges can't be paired."""
    replies, _ = asked(generating(40), bad_at())
    claim = replace(census(replies).rate(BAD, target=0.10, limit=0.20).claim, judge="word 0")
    with pytest.raises(BaselineError, match="`went bad` was read by `word 0` there and is read by `word 1` here"):
        kept(replies.bank, claim).check(asked_of(replies.bank), [Reads("behaviour", BAD.name, BAD.reader)])


def test_a_run_that_stopped_early_is_no_baseline(asked: Make) -> None:
    """Later cases would have nothing to be compared with."""
    replies, _ = asked(generating(40), bad_at())
    with pytest.raises(BaselineError, match=r"no census.*--align-census"):
        kept(replies.bank, header={**HEADER, "census": False}).check_run(HEADER, calibrating=False)


def test_another_engine_asks_for_a_calibration_first(asked: Make) -> None:
    """Replies may differ for that reason alone; while calibrating, that is what is measured."""
    replies, _ = asked(generating(40), bad_at())
    here = {**HEADER, "model": {"engine": "llama.cpp", "details": {"device": "cuda"}}}
    with pytest.raises(
        BaselineError,
        match=r"engine scripted there, llama.cpp here; device unknown there, cuda here.*--align-calibrate",
    ):
        kept(replies.bank).check_run(here, calibrating=False)
    kept(replies.bank).check_run(here, calibrating=True)


def test_asking_twice_gives_the_noise_floor(asked: Make) -> None:
    """Four cases differ when asked again: that is noise, it costs a second census, and the verdict rests on the first."""
    asked_twice: list[str] = []

    def answer(hint: Mapping[str, Any]) -> Any:
        again = hint["case"] in asked_twice
        asked_twice.append(hint["case"])
        return say("bad" if again and int(hint["case"][1:]) < 4 else "good")

    replies, broker = asked(generating(100), answer)
    claim = census(replies, calibrate=True).rate(BAD, target=0.10, limit=0.20).claim
    assert claim.noise is not None
    assert (claim.noise.pairs, claim.noise.worse + claim.noise.better, claim.bad) == (100, 4, 0)
    assert broker.portions == [100, 100]


def test_a_noisy_baseline_raises_the_bar(asked: Make) -> None:
    """Where the engine alone costs 6 points, a loss of 5 points blocks nobody; and less is found in more noise."""
    old, _ = asked(generating(200), bad_at())
    claim = census(old).rate(BAD, target=0.10, limit=0.20).claim
    quiet = kept(old.bank, claim)
    loud = kept(old.bank, replace(claim, noise=baselines.Noise(200, 12, 0, 0.06)))
    new, _ = asked(generating(200), bad_at(*range(10)))
    now = census(new).rate(BAD, target=0.10, limit=0.20).claim
    assert quiet.held_against(now, asked_of(new.bank), alpha=0.01).verdict is Verdict.FAIL
    heard = loud.held_against(now, asked_of(new.bank), alpha=0.01)
    assert (heard.verdict, heard.regression.margin if heard.regression else None) == (Verdict.PASS, 0.06)


def test_calibrating_against_a_baseline_takes_what_changed_for_noise(asked: Make) -> None:
    """The same checkpoint, served otherwise: twelve changed cases are no regression."""
    old, _ = asked(generating(200), bad_at())
    claim = census(old).rate(BAD, target=0.10, limit=0.20).claim
    new, _ = asked(generating(200), bad_at(*range(12)))
    now = census(new, baseline=kept(new.bank, claim), calibrate=True).rate(BAD, target=0.10, limit=0.20).claim
    assert (now.verdict, now.regression) == (Verdict.PASS, None)
    assert now.noise is not None
    assert (now.noise.worse, now.noise.loss, now.noise.against) == (12, 0.06, "main")


def test_no_worse_than_needs_no_number_of_its_own(asked: Make) -> None:
    """A behaviour at 30 % has no acceptable rate, but must not become more frequent."""
    old, _ = asked(generating(100), bad_at(*range(30)))
    claim = census(old).rate(BAD, target=0.10, limit=0.20).claim
    same, _ = asked(generating(100), bad_at(*range(30)))
    finding = same.no_worse_than(kept(same.bank, claim), BAD)
    assert finding.verdict is Verdict.PASS
    worse, _ = asked(generating(100), bad_at(*range(45)))
    finding = worse.no_worse_than(kept(worse.bank, claim), BAD)
    assert finding.verdict is Verdict.FAIL
    assert not finding


def test_no_worse_than_with_nothing_to_compare_is_invalid(asked: Make) -> None:
    """It is no pass that the baseline never asked."""
    replies, _ = asked(generating(100), bad_at())
    finding = replies.no_worse_than(kept(replies.bank), BAD)
    assert finding.verdict is Verdict.INVALID
    assert "holds no such claim" in finding.claim.reasons[0]


def test_too_few_cases_to_show_any_loss_are_refused(asked: Make) -> None:
    """At one in a hundred seven have to get worse."""
    replies, _ = asked(generating(6), bad_at())
    with pytest.raises(ProbeError, match=r"6 templates can't show any loss.*7 are the fewest"):
        NoWorse(kept(replies.bank), BAD, 0.02).check(replies)


def test_baselines_are_kept_under_a_name(tmp_path: Path, asked: Make) -> None:
    """Saved, found again, named when another is meant, and not overwritten in silence."""
    replies, _ = asked(generating(40), bad_at())
    claim = census(replies).rate(BAD, target=0.10, limit=0.20).claim
    file, folder = tmp_path / "run.jsonl", tmp_path / "kept"
    write_run(kept(replies.bank, claim).run, file)
    baselines.save("release-4", file, folder)
    assert open_baseline("release-4", folder, tmp_path).run.records[0].claims[0].outcomes == claim.outcomes
    assert open_baseline("run.jsonl", folder, tmp_path).name == "run"
    with pytest.raises(BaselineError, match="did you mean `release-4`"):
        open_baseline("relase-4", folder, tmp_path)
    with pytest.raises(BaselineError, match="kept already"):
        baselines.save("release-4", file, folder)
    with pytest.raises(BaselineError, match="no such run file"):
        open_baseline("gone.jsonl", folder, tmp_path)
    with pytest.raises(BaselineError, match="no name"):
        baselines.save("../x", file, folder)


def test_a_rate_is_held_against_replies_that_a_gap_read(asked: Make) -> None:
    """Whichever claim of the baseline comes first by its name: the replies are the same, and a gap's groups don't matter."""
    old, _ = asked(generating(200), bad_at())
    claim = census(old).rate(BAD, target=0.10, limit=0.20).claim
    gap = replace(claim, kind="gap", pairing=Pairing(across="group", held=False))
    new, _ = asked(generating(200), bad_at(*range(20)))
    now = census(new, baseline=kept(new.bank, gap, claim)).rate(BAD, target=0.15, limit=0.20).claim
    assert now.regression is not None
    assert (now.regression.worse, now.verdict) == (20, Verdict.FAIL)
