"""Two runs side by side: paired, adjusted, and silent where nothing can be said."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from alignsuite.reports.comparison import as_json, as_markdown, as_text, consequence
from alignsuite.runs.compare import ComparedClaim, Comparison, Shown, compare
from alignsuite.runs.records import ClaimResult, Run, Verdict
from alignsuite.runs.v1 import upgraded_claim
from alignsuite.text.cells import columns

from .conftest import Make

Outcomes = Sequence[float | None]


def claim(outcomes: Outcomes | Mapping[str, float | None], **more: Any) -> ClaimResult:
    """A rate over cases c0, c1, … with these outcomes."""
    named = outcomes if isinstance(outcomes, Mapping) else {f"c{number}": one for number, one in enumerate(outcomes)}
    read = [one for one in named.values() if one is not None]
    words = {1: "helpful", 0: "refusal", None: "UNREADABLE"}
    values: dict[str, Any] = {
        "kind": "rate", "verdict": Verdict.PASS, "what": "complied", "judge": "refusal 3", "asked": len(named), "bank": 400,
        "bad": sum(one == 1 for one in read), "unread": len(named) - len(read), "value": sum(read) / len(read) if read else None,
        "labels": {case: words.get(one, "helpful") for case, one in named.items()}, "outcomes": named,
    }  # fmt: skip
    return upgraded_claim(ClaimResult(**(values | more)))


def scale(scores: Outcomes, **more: Any) -> ClaimResult:
    """A trait that is wanted low, with these scores by statement, on a scale of 1 to 5."""
    usual = {
        "kind": "scale",
        "what": "callousness",
        "judge": "choice 1",
        "bounds": {"high": 3.0},
        "details": {"range": [1, 5]},
    }
    return claim(scores, **(usual | more))


def run(make: type[Make], *claims: ClaimResult, fingerprint: str = "f", **more: Any) -> Run:
    """A run with one record for each claim: t0, t1, and so on."""
    records = [make.record("safety", f"test_t{number}", "", one, **more) for number, one in enumerate(claims)]
    made = make.run(*records)
    made.header["model"] = {"name": f"m{fingerprint}", "engine": "llama.cpp", "fingerprint": fingerprint}
    return made


def rows(make: type[Make], *pairs: tuple[ClaimResult, ClaimResult], alpha: float = 0.01) -> tuple[ComparedClaim, ...]:
    """Claims of A and B, compared."""
    return compare(
        run(make, *(a for a, _ in pairs)), run(make, *(b for _, b in pairs), fingerprint="g"), alpha=alpha
    ).rows


def test_a_loss_is_found_case_by_case(make: type[Make]) -> None:
    """8 of 200 cases got worse and none better: certain when paired, invisible between rates of 20 % and 24 %."""
    [row] = rows(make, (claim([1] * 40 + [0] * 160), claim([1] * 48 + [0] * 152)))
    assert row.shown is Shown.WORSE
    assert row.pairs is not None
    assert (row.pairs.worse.count, row.pairs.better.count, row.pairs.test) == (8, 0, "mcnemar")
    assert row.pairs.worse.p == 0.5**8
    assert row.pairs.p_two_sided == 2 * 0.5**8
    assert row.pairs.difference == pytest.approx(0.04)
    assert row.pairs.interval[0] < 0.04 < row.pairs.interval[1]


def test_sides_are_not_swapped(make: type[Make]) -> None:
    """What is worse from A to B is better from B to A, with the same p and the opposite difference."""
    few, many = claim([0] * 60), claim([1] * 9 + [0] * 51)
    [there], [back] = rows(make, (few, many)), rows(make, (many, few))
    assert (there.shown, back.shown) == (Shown.WORSE, Shown.BETTER)
    assert there.pairs is not None
    assert back.pairs is not None
    assert there.pairs.worse == back.pairs.better
    assert there.pairs.difference == -back.pairs.difference == 0.15


def test_equal_rates_over_other_cases_are_no_standstill(make: type[Make]) -> None:
    """Ten cases got worse and ten better: the rates are equal, and the row says how many changed."""
    [row] = rows(make, (claim([1] * 10 + [0] * 30), claim([0] * 10 + [1] * 10 + [0] * 20)))
    assert row.shown is Shown.NOTHING
    assert row.pairs is not None
    assert (row.pairs.worse.count, row.pairs.better.count, row.pairs.difference) == (10, 10, 0)
    assert row.pairs.p_two_sided == 1


def test_p_values_are_adjusted_over_the_rows(make: type[Make]) -> None:
    """7 of 7 is beyond chance at 1 % alone; as one of eight such rows it is not."""
    pair = (claim([0] * 40), claim([1] * 7 + [0] * 33))
    assert [row.shown for row in rows(make, pair)] == [Shown.WORSE]
    many = rows(make, *[pair] * 8)
    assert {row.shown for row in many} == {Shown.NOTHING}
    assert {row.pairs.worse.adjusted for row in many if row.pairs} == {8 * 0.5**7}


def test_rows_that_could_show_nothing_take_nothing_from_the_others(make: type[Make]) -> None:
    """Fewer than seven changed cases can't reach 1 % whichever way they changed: such rows are in no family and have no adjusted p."""
    still = (claim([0] * 40), claim([1] * 6 + [0] * 34))
    first, *others = rows(make, (claim([0] * 40), claim([1] * 7 + [0] * 33)), *[still] * 30)
    assert first.shown is Shown.WORSE
    assert {row.pairs.worse.adjusted for row in others if row.pairs} == {None}


def test_equal_models_are_seldom_called_worse(make: type[Make]) -> None:
    """Twelve rows without a true change, some of them over the same cases: any row is called worse in at most 5 % of comparisons at 5 %."""
    dice, wrong, runs = random.Random(4), 0, 120
    for _ in range(runs):
        pairs = []
        for _ in range(6):
            likely = [dice.random() for _ in range(60)]
            a, b = ([int(dice.random() < chance) for chance in likely] for _ in "ab")
            pairs += [(claim(a), claim(b)), (claim(a[:30]), claim(b[:30]))]
        wrong += any(row.shown is Shown.WORSE for row in rows(make, *pairs, alpha=0.05))
    assert wrong / runs <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5


def test_only_cases_asked_in_both_are_paired(make: type[Make]) -> None:
    """A stopped after 30 clean cases, B after 12 bad ones: twelve pairs, whatever the others were; their order plays no part."""
    b = {f"c{number}": 1 for number in reversed(range(12))}
    [row] = rows(make, (claim([0] * 30), claim(b)))
    assert row.pairs is not None
    assert (row.pairs.shared, row.pairs.worse.count, row.shown) == (12, 12, Shown.WORSE)
    [none] = rows(make, (claim([0] * 30), claim({"d1": 1})))
    assert (none.shown, none.reason) == (Shown.NOT_COMPARABLE, "A and B share no case")


def test_one_template_is_one_witness(make: type[Make]) -> None:
    """Forty names in one template that got worse are one change, not forty; forty templates are forty."""
    before = {f"t{number % 20}/n{number}": 0 for number in range(400)}
    after = {case: int(case.startswith("t3/")) for case in before}
    [row] = rows(make, (claim(before), claim(after)))
    assert row.pairs is not None
    assert (row.shown, row.pairs.worse.count, row.pairs.worse.changed, row.pairs.test) == (
        Shown.NOTHING,
        20,
        1,
        "sign_flip",
    )
    assert row.pairs.worse.p == 0.5
    [one] = rows(make, (claim({"t/a": 0, "t/b": 0}), claim({"t/a": 1, "t/b": 1})))
    assert one.reason == "all 2 shared cases come from one template, which says nothing of others"


def test_silence_makes_a_model_neither_worse_nor_better(make: type[Make]) -> None:
    """A reply that only one run could read counts as fine in B when it is tested for being worse, as bad when for being better."""
    bad, fallen_silent = claim([1] * 40 + [0]), claim([None] * 40 + [0])
    for a, b in ((bad, fallen_silent), (fallen_silent, bad), (claim([0] * 41), fallen_silent)):
        [row] = rows(make, (a, b))
        assert row.shown is Shown.NOTHING
    assert row.pairs is not None
    assert row.pairs.unread == (0, 40)
    [mixed] = rows(make, (claim([0] * 40), claim([1] * 20 + [None] * 2 + [0] * 18)))
    assert mixed.shown is Shown.WORSE
    [none] = rows(make, (claim([0] * 40), claim([None] * 40)))
    assert none.reason == "none of 40 shared cases could be read in both runs"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"prompt_set": {"version": 4, "hash": "ab12"}}, "the prompt set has version 3 in A and 4 in B"),
        ({"prompt_set": {"version": 3, "hash": "cd"}}, "another text under the same version (ab12 in A, cd in B)"),
        ({"form": "raw"}, "the form is chat in A and raw in B"),
        ({"stage": "pretraining"}, "the stage is finetuning in A and pretraining in B"),
    ],
)
def test_other_settings_are_named_and_nothing_is_compared(make: type[Make], more: dict[str, Any], said: str) -> None:
    """Another text, form or stage would look like a change of the model, so the row says by name what differs."""
    result = compare(run(make, claim([0] * 40)), run(make, claim([1] * 40), **more))
    [row] = result.rows
    assert (row.shown, row.pairs) == (Shown.NOT_COMPARABLE, None)
    assert said in row.reason
    assert said in " ".join(" ".join(as_text(result, 200)).split())


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (claim([0]), claim([1], judge="refusal 4"), "the judge is `refusal 3` in A and `refusal 4` in B"),
        (claim([0]), claim([], asked=1), "B holds no outcomes by case"),
        (claim([1, 0]), claim([0, 1], labels={"c0": "helpful", "c1": "refusal"}), "`complied` does not count the same labels"),
        (scale([1]), scale([1], verdict=Verdict.INVALID, reasons=("by place",)), "in B the measurement did not hold: by place"),
        (scale([1]), scale([1], bounds={"low": 2}), "the scale is bounded above in A and below in B"),
        (scale([1]), scale([1], details={"range": [0, 1]}), "the scale has another range"),
        (scale([1], bounds={"low": 2, "high": 4}), scale([1], bounds={"low": 2, "high": 4}), "so neither direction is worse"),
    ],
)  # fmt: skip
def test_claims_that_mean_different_things_are_not_compared(
    make: type[Make], a: ClaimResult, b: ClaimResult, said: str
) -> None:
    """Another judge, other labels counted, another scale: what bad means must be the same in both."""
    [row] = rows(make, (a, b))
    assert row.shown is Shown.NOT_COMPARABLE
    assert said in row.reason


def test_the_tier_and_the_limits_may_differ(make: type[Make]) -> None:
    """They say how much is asked and what is allowed, not how a case is read."""
    a, b = (
        run(make, claim([0] * 40, bounds={"limit": 0.1})),
        run(make, claim([0] * 80, bounds={"limit": 0.2}, bank=800)),
    )
    b.header["tier"] = "full"
    [row] = compare(a, b).rows
    assert row.pairs is not None
    assert row.pairs.shared == 40


def test_what_only_one_run_measured_is_listed_with_the_reason(make: type[Make]) -> None:
    """A probe that is missing, skipped or ended early in one run is a row, for absence is no agreement."""
    a = make.run(
        make.record("safety", "test_gone", "", claim([0] * 9)),
        make.record("safety", "test_skipped", "", claim([0] * 9)),
        make.record("safety", "test_short", "", claim([0] * 9), claim([0] * 9, what="hedged")),
    )
    b = make.run(
        make.record("safety", "test_skipped", "", outcome="skipped", reason="not of this stage"),
        make.record("safety", "test_short", "", claim([0] * 9)),
        make.record("safety", "test_new", "", claim([0] * 9)),
    )
    said = {(row.test, row.what): row.reason for row in compare(a, b).rows}
    assert said == {
        ("test_gone", "complied"): "B has no such probe",
        ("test_skipped", "complied"): "B measured nothing: not of this stage",
        ("test_short", "complied"): "",
        ("test_short", "hedged"): "B made no such claim: it ended before, or claims something else",
        ("test_new", "complied"): "A has no such probe",
    }


def test_probes_are_matched_wherever_pytest_was_started(make: type[Make]) -> None:
    """Node ids depend on the folder; axis, probe, test and slice don't."""
    a, b = run(make, claim([0] * 9)), run(make, claim([0] * 9), nodeid="elsewhere/test_x.py::test_t0")
    assert compare(a, b).compared == 1


def test_a_scale_is_compared_by_its_statements(make: type[Make]) -> None:
    """Ten statements that each went up by half a point: worse where the trait is wanted low, better where it is wanted high."""
    low, high = [1.5, 2, 2.5, 3, 3.5] * 2, [2.0, 2.5, 3, 3.5, 4] * 2
    [row] = rows(make, (scale(low), scale(high)))
    assert row.pairs is not None
    assert (row.shown, row.pairs.unit, row.pairs.worse.count) == (Shown.WORSE, "statement", 10)
    assert (row.pairs.a, row.pairs.b, row.pairs.difference) == (2.5, 3.0, 0.5)
    assert row.pairs.worse.p == 0.5**10
    wanted = {"bounds": {"low": 3.0}}
    [kind] = rows(make, (scale(low, **wanted), scale(high, **wanted)))
    assert kind.pairs is not None
    assert (kind.shown, kind.pairs.difference) == (Shown.BETTER, 0.5)
    assert kind.pairs.interval == pytest.approx(row.pairs.interval)


def test_a_gap_shows_both_gaps_and_compares_the_behaviour(make: type[Make]) -> None:
    """A model that now declines everybody treats groups alike: the gaps are 0 and 0, and it is worse."""
    cases = [f"t{number}/{group}" for number in range(12) for group in "ab"]
    usual: dict[str, Any] = {"kind": "gap", "what": "refused", "value": 0.0, "details": {"between": "group"}}
    a, b = (claim(dict.fromkeys(cases, bad), **usual) for bad in (0, 1))
    result = compare(run(make, a), run(make, b))
    assert [row.shown for row in result.rows] == [Shown.WORSE]
    shown = "\n".join(as_text(result, 120))
    assert "PASS 0 pts" in shown
    assert "how often `refused` happened at all: 0 % in A, 100 % in B" in shown


def test_one_fingerprint_is_an_a_a_comparison(make: type[Make]) -> None:
    """The same model twice shows noise; two unknown fingerprints are not one model; another engine is said."""
    same = compare(run(make, claim([0] * 9)), run(make, claim([0] * 9)))
    assert same.one_model
    assert any("A/A comparison" in line for line in as_text(same, 120))
    unknown = compare(run(make, claim([0]), fingerprint=""), run(make, claim([0]), fingerprint=""))
    assert not unknown.one_model
    other = run(make, claim([0] * 9), fingerprint="g")
    other.header["model"]["engine"] = "openai"
    assert "the engines differ (llama.cpp, openai)" in as_markdown(compare(run(make, claim([0] * 9)), other))


@pytest.fixture
def mixed(make: type[Make]) -> Comparison:
    """One row of each word, with texts that mean mischief."""
    a = [claim([0] * 40), claim([1] * 40), claim([0] * 40), claim([0] * 40), scale([2.0] * 6)]
    b = [
        claim([1] * 40),
        claim([0] * 40),
        claim([1] * 3 + [0] * 37),
        claim([0], judge="a|b <i>\x1b[31m"),
        scale([2.1] * 8),
    ]
    return compare(run(make, *a), run(make, *b, fingerprint="g"))


@pytest.mark.parametrize("width", [10, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("color", [True, False])
def test_no_line_is_wider_than_the_terminal(mixed: Comparison, width: int, color: bool) -> None:
    """Columns go before names do; colours add no width, and only they bring escapes."""
    lines = as_text(mixed, width, color)
    plain = as_text(mixed, width, False)
    assert max(map(columns, plain)) <= max(width, 40)
    assert any("\x1b" in line for line in lines) is color
    assert any("worse" in line and "1 of 5" in line for line in plain)


def test_the_worst_stands_first(mixed: Comparison) -> None:
    """worse, better, no difference, not comparable, in this order; the last line says what follows."""
    lines = as_text(mixed, 120)
    heads = [next(index for index, line in enumerate(lines) if line.startswith(f"{shown} ─")) for shown in Shown]
    assert heads == sorted(heads)
    assert lines[-1] == "B is shown to be worse than A in 1 of 4 claims, better in 1; 1 could not be compared"


def test_nothing_shown_is_not_called_equal(make: type[Make]) -> None:
    """Absence of evidence is said as such; nothing compared is not said to be no difference."""
    [alike] = [compare(run(make, claim([0] * 9)), run(make, claim([0] * 9)))]
    assert consequence(alike)[0] == "no difference is shown in 1 claim; that does not prove that there is none"
    assert consequence(compare(run(make), run(make)))[0] == "nothing could be compared"


def test_markdown_is_one_table_that_nothing_breaks_out_of(mixed: Comparison) -> None:
    """As many cells in each row as in the head, whatever names hold; control characters are gone."""
    table = [line for line in as_markdown(mixed).splitlines() if line.startswith("|")]
    assert len(table) == 2 + 5
    assert {line.replace("\\|", "").count("|") for line in table} == {11}
    assert "**worse**" in table[2]
    assert "a\\|b \\<i\\>" in table[-1]
    assert "\x1b" not in as_markdown(mixed)


def test_json_is_plain_and_complete(mixed: Comparison) -> None:
    """No NaN, and each row with raw, two-sided and adjusted p."""
    data = json.loads(json.dumps(as_json(mixed), allow_nan=False))
    assert data["counts"] == {"worse": 1, "better": 1, "no difference shown": 2, "not comparable": 1}
    worse = data["rows"][0]
    assert (worse["shown"], worse["a"]["verdict"], worse["pairs"]["worse"]["count"]) == ("worse", "PASS", 40)
    assert worse["pairs"]["p_two_sided"] == 2 * worse["pairs"]["worse"]["p"]
    assert worse["pairs"]["worse"]["adjusted"] == data["family"] * worse["pairs"]["worse"]["p"]
    assert [row["pairs"] is None for row in data["rows"]] == [False, False, False, True, False]


def test_few_cases_say_what_they_could_have_shown(make: type[Make]) -> None:
    """200 clean cases show a loss of some points, six none at all: null and a dash, never a number."""
    result = compare(run(make, claim([0] * 200), claim([0] * 6)), run(make, claim([0] * 200), claim([0] * 6)))
    many, few = (result.detectable(row) for row in result.rows)
    assert many is not None
    assert 0.05 < many < 0.15
    assert few is None
