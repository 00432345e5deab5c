"""A run beside a published study: figures with their source, nothing INVALID as a number, nothing missing without a way to make it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alignsuite.cli import main
from alignsuite.errors import SettingsError
from alignsuite.questionnaires import key
from alignsuite.reports.studies import as_json, as_markdown, as_text, beside, published
from alignsuite.runs.file import write_run
from alignsuite.runs.records import ClaimResult, Run, Verdict
from alignsuite.text.cells import columns

from .conftest import Make

STUDY = published("li2024")
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "replicate-li2024.md"


def scale(make: type[Make], instrument: str, trait: str, value: float | None, **more: Any) -> ClaimResult:
    """A claim about a trait of an instrument."""
    details = {
        "instrument": instrument,
        "trait": trait,
        "protocol": "gate",
        "orders": 5,
        "wordings": 1,
        "range": [1, 5],
    }
    verdict, reasons = more.pop("verdict", Verdict.PASS), more.pop("reasons", ())
    interval = more.pop("interval", None)
    return make.scale(
        what=trait, value=value, verdict=verdict, reasons=reasons, interval=interval, details=details | more
    )


def run_with(make: type[Make], *claims: ClaimResult) -> Run:
    """A run that asked these."""
    return make.run(make.record("psychological", "test_it", "", *claims))


def text(run: Run, width: int = 100) -> str:
    """The terminal's text."""
    return "\n".join(as_text(beside(run, STUDY), width))


def line(shown: str, start: str) -> list[str]:
    """The words of the first line that starts so, without the start."""
    return next(one.removeprefix(start).split() for one in shown.splitlines() if one.startswith(start))


def test_every_published_trait_is_a_trait_of_its_instrument() -> None:
    """A misspelt trait would be a figure that no run ever meets."""
    for scales in STUDY.systems.values():
        for name, figures in scales.items():
            form = key(name)
            assert set(figures) == set(form.traits)
            low, high = form.limits(next(iter(form.traits)))
            assert all(low <= figure.score <= high for figure in figures.values())


@pytest.mark.parametrize(
    ("system", "instrument", "trait", "score", "spread"),
    [
        ("GPT-3", "sd3", "machiavellianism", 3.13, 0.54),
        ("GPT-4", "bfi", "agreeableness", 4.44, None),
        ("GPT-4", "swls", "life_satisfaction", 27.02, None),
        ("Llama-2-chat-7B", "sd3", "psychopathy", 2.69, 0.28),
        ("Llama-2-chat-7B after DPO", "sd3", "narcissism", 2.52, 0.31),
        ("Mistral-7B-Instruct-v0.3", "fs", "flourishing", 32.21, None),
    ],
)
def test_figures_are_the_published_ones(system: str, instrument: str, trait: str, score: float, spread: float | None) -> None:  # fmt: skip
    """Spot checks against the paper's tables."""
    figure = STUDY.systems[system][instrument][trait]
    assert (figure.score, figure.spread) == (score, spread)


def test_an_unknown_study_is_told_with_the_nearest_name() -> None:
    """A misspelt name must not look like a study without figures."""
    with pytest.raises(SettingsError, match="`li2042` is no study that is known here; did you mean `li2024`"):
        published("li2042")


def test_a_run_stands_beside_people_and_the_studys_models(make: type[Make]) -> None:
    """Same columns for all, in the key's order, whatever the order of the records."""
    claims = [scale(make, "sd3", trait, value) for trait, value in (("psychopathy", 2.0), ("machiavellianism", 3.61))]
    shown = text(run_with(make, *claims))
    assert line(shown, " ") == ["machiavellianism", "narcissism", "psychopathy"]
    assert line(shown, "this run, gate") == ["3.61", "–", "2.00"]
    assert line(shown, "people (± s.d.)") == ["2.96", "±", "0.65", "2.97", "±", "0.61", "2.09", "±", "0.63"]
    assert line(shown, "  d from people") == ["+1.00", "–", "−0.14"]
    assert line(shown, "GPT-4") == ["3.19", "±", "0.15", "3.37", "±", "0.33", "1.85", "±", "0.22"]


def test_an_invalid_trait_is_never_a_number(make: type[Make]) -> None:
    """A model that answers by place scores about 3 on everything: no page may show that as its trait, nor as a distance from people."""
    reason = "the answers follow the options' place (0.51), not their content (0.015)"
    more = {"place_variation": 0.51, "d": -0.08, "sem": 0.06, "interval": (2.9, 3.1), "reasons": (reason,)}
    run = run_with(make, scale(make, "sd3", "psychopathy", 2.987, verdict=Verdict.INVALID, **more))
    found = beside(run, STUDY)
    shown = text(run)
    assert line(shown, "this run, gate") == ["–", "–", "INVALID"]
    assert f"psychopathy is INVALID: {reason}" in " ".join(shown.replace("\n", " ").split())
    for document in (shown, as_markdown(found), json.dumps(as_json(found)["tables"])):
        assert "2.99" not in document
        assert "2.987" not in document
        assert "0.08" not in document
    psychopathy = as_json(found)["tables"][0]["run"][0]["traits"]["psychopathy"]
    assert (psychopathy["score"], psychopathy["d"], psychopathy["interval"]) == (None, None, None)
    assert psychopathy["place_variation"] == 0.51


def test_sums_are_compared_as_sums(make: type[Make]) -> None:
    """The Flourishing Scale adds up eight statements, so a mean of 5 is 40, and its interval grows with it."""
    run = run_with(make, scale(make, "fs", "flourishing", 5.0, range=[1, 7], interval=(4.5, 5.5)))
    shown = text(run)
    assert line(shown, "this run, gate") == ["40.00", "mostly", "good"]
    assert line(shown, "  95 % interval") == ["36.00–44.00"]
    assert line(shown, "InstructGPT") == ["36.52", "generally", "satisfied"]
    assert as_json(beside(run, STUDY))["tables"][2]["run"][0]["traits"]["flourishing"]["score"] == 40.0


def test_what_the_run_lacks_comes_with_commands(make: type[Make]) -> None:
    """Each missing instrument says how to get its wording and its run; the shorter name does not choose its longer namesake."""
    shown = text(run_with(make, scale(make, "sd3", "psychopathy", 2.0)))
    assert "not in this run: Short Dark Triad" not in shown
    assert "not in this run: Big Five Inventory (BFI-44)\n  alignsuite instruments import bfi FILE.csv\n" in shown
    assert "-k 'bfi and not bfi2'" in shown
    assert "--model=smollm2-135m" in shown


def test_another_way_of_asking_is_said(make: type[Make]) -> None:
    """Five orders scored by probability are not a hundred and twenty read as text; only the same protocol is called the published one."""
    gate = text(run_with(make, scale(make, "sd3", "psychopathy", 2.0)))
    assert "asked here: protocol gate · 5 orders of the options · 1 wording; expected scores" in gate
    assert "The study asked: all 120 orders" in gate
    study = text(run_with(make, scale(make, "sd3", "psychopathy", 2.0, protocol="study", orders=120)), 200)
    assert "free-text replies, read by rule; the orders are the published ones, the prompts are not" in study
    short = text(run_with(make, scale(make, "sd3", "psychopathy", 2.0, protocol="study", orders=12)), 200)
    assert "the orders are the published ones" not in short


def test_two_protocols_in_one_run_are_two_rows(make: type[Make]) -> None:
    """A replication beside a gate: neither hides the other."""
    asked = {"gate": 2.0, "study": 2.5}
    claims = [scale(make, "sd3", "psychopathy", value, protocol=protocol) for protocol, value in asked.items()]
    shown = text(run_with(make, *claims))
    assert line(shown, "this run, gate")[-1] == "2.00"
    assert line(shown, "this run, study")[-1] == "2.50"


def test_a_trait_over_fewer_statements_says_so(make: type[Make]) -> None:
    """A smaller tier asks fewer statements; its score is not the whole scale's."""
    shown = text(run_with(make, scale(make, "sd3", "psychopathy", 2.0, statements=4)))
    assert "psychopathy: over 4 of its 9 statements only" in shown


def test_own_forms_are_not_laid_beside_published_ones(make: type[Make]) -> None:
    """`dark-27` has traits of the same names; a column of theirs beside sd3's would compare different statements."""
    shown = text(run_with(make, scale(make, "dark-27", "psychopathy", 2.0)))
    assert "this run, gate" not in shown
    assert "In this run, but not in the study: dark-27." in shown
    assert "none of the study's questionnaires" in shown


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_lost(make: type[Make], width: int) -> None:
    """Narrow tables go on below."""
    run = run_with(make, *(scale(make, "bfi", trait, 3.0) for trait in key("bfi").traits))
    lines = as_text(beside(run, STUDY), width)
    assert max(columns(one) for one in lines) <= width
    figures = STUDY.systems["GPT-4"]["bfi"].values()
    shown = "\n".join(one for one in lines if one.startswith("GPT-4"))
    assert all(f"{figure.score:.2f}" in shown for figure in figures)


def test_hostile_names_stay_text(make: type[Make]) -> None:
    """A stranger's run file can't colour the terminal, nor write Markdown or a command of its own."""
    run = run_with(make, scale(make, "<b>|\x1b[31m`x`", "a|b", 2.0))
    run.header["model"] = {"name": "m; rm -rf ~ | <b>\x1b[31m"}
    found = beside(run, STUDY)
    assert "\x1b" not in text(run)
    assert "--model='m; rm -rf ~ | <b>␛[31m'" in text(run, 200)
    assert "\\<b\\>\\|" in as_markdown(found)


def test_the_command_prints_text_markdown_and_json(
    make: type[Make], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`alignsuite report RUN --against li2024`, in its three forms."""
    run = run_with(make, scale(make, "sd3", "psychopathy", 2.0))
    write_run(run, tmp_path / "run.jsonl")
    call = ["report", str(tmp_path / "run.jsonl"), "--against", "li2024"]
    assert main(call) == 0
    assert "beside Li, Li, Qiu, Joty and Bing" in capsys.readouterr().out
    assert main([*call, "--markdown"]) == 0
    assert "| GPT-4 | 3.19 ± 0.15 | 3.37 ± 0.33 | 1.85 ± 0.22 |" in capsys.readouterr().out
    assert main([*call, "--json", "--pictures", str(tmp_path)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["tables"][0]["run"][0]["traits"]["psychopathy"]["score"] == 2.0
    assert data["pictures"] == [str(tmp_path / "profile.svg")]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--markdown"], "name the study too, as in --against li2024"),
        (["--against", "li2024", "--show", "1"], "leave one of them out"),
        (["--against", "nobody"], "`nobody` is no study"),
    ],
)
def test_options_that_would_be_ignored_are_refused(
    make: type[Make], tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    """Nothing is accepted and then left undone."""
    write_run(run_with(make, scale(make, "sd3", "psychopathy", 2.0)), tmp_path / "run.jsonl")
    assert main(["report", str(tmp_path / "run.jsonl"), *more]) == 2
    assert said in capsys.readouterr().err


def test_the_how_to_reckons_calls_as_the_protocols_make_them() -> None:
    """Who is told 30 201 calls must not get a bill for more."""
    from alignsuite.questionnaires.administration import STUDY_SAMPLES, orders_of

    page = HOW_TO.read_text(encoding="utf-8")
    times = {"gate": 1, "report": 3, "study": STUDY_SAMPLES}
    total = dict.fromkeys(times, 0)
    for name in STUDY.instruments:
        form = key(name)
        calls = {protocol: len(form.items) * len(orders_of(form.points, protocol)) * n for protocol, n in times.items()}
        total = {protocol: total[protocol] + calls[protocol] for protocol in times}
        cells = " | ".join(f"{count:,}".replace(",", " ") for count in calls.values())
        assert f"| `{name}` | {len(form.items)} | {cells} |" in page
    cells = " | ".join(f"{count:,}".replace(",", " ") for count in total.values())
    assert f"| all four | 84 | {cells} |" in page
