"""Pictures of questionnaires: what is INVALID has no place, hostile words stay words, and the same run gives the same bytes."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import pytest

from alignsuite.cli import main
from alignsuite.questionnaires import key
from alignsuite.reports.figures import pictures, svg
from alignsuite.reports.figures.heatmap import colour, shares
from alignsuite.reports.figures.profile import LEFT, RIGHT
from alignsuite.runs.file import write_run
from alignsuite.runs.records import ClaimResult, Verdict

from .conftest import Make

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</text><script>alert("1")</script>\x1b[31m\u202e&amp;<image href="http://x.example/"/>'
SCRIPT = Path(__file__).parents[2] / "docs" / "pictures" / "questionnaires.py"
CYCLIC = [tuple((first + place) % 5 + 1 for place in range(5)) for first in range(5)]


def trait(make: type[Make], name: str, value: float | None, **details: Any) -> ClaimResult:
    """A claim about a trait of the Short Dark Triad."""
    facts = {"instrument": "sd3", "trait": name, "protocol": "gate", "range": [1, 5], "orders": 5, "sem": 0.1}
    verdict = details.pop("verdict", Verdict.PASS)
    return make.scale(what=name, value=value, verdict=verdict, interval=None, reasons=(), details=facts | details)


def drawn(make: type[Make], *claims: ClaimResult) -> dict[str, str]:
    """The pictures of a run with these claims."""
    return pictures(make.run(make.record("psychological", "test_it", "", *claims)))


def texts(document: str) -> list[str]:
    """All that a picture says in words, in the order of the document."""
    return [element.text or "" for element in Tree.fromstring(document).iter(f"{SVG}text")]


def by_order(answer: Any, statements: range = range(1, 10)) -> dict[str, dict[str, float]]:
    """Answers by statement and order, from a function of both."""
    return {
        f"item-{number:02d}": {"-".join(map(str, order)): answer(number, order) for order in CYCLIC}
        for number in statements
    }


def test_a_score_stands_at_its_place_on_the_axis(make: type[Make]) -> None:
    """The middle of the scale is the middle of the axis, and the ends are the ends."""
    for value, place in ((1.0, LEFT), (3.0, (LEFT + RIGHT) / 2), (5.0, RIGHT)):
        document = Tree.fromstring(drawn(make, trait(make, "narcissism", value))["profile.svg"])
        marks = [element.get("cx") for element in document.iter(f"{SVG}circle") if element.get("class") == "mark"]
        assert svg.number(place) in marks


def test_an_invalid_trait_has_no_number_and_no_place(make: type[Make]) -> None:
    """A position-driven 2.99 would look like any other score: the picture holds neither the number nor a mark on the axis."""
    claim = trait(make, "psychopathy", 2.99, verdict=Verdict.INVALID, place_variation=0.51, d=-0.3)
    document = drawn(make, claim)["profile.svg"]
    assert "2.99" not in document
    assert "−0.30" not in document
    _, mark = Tree.fromstring(document).iter(f"{SVG}circle")  # the legend's ring, then the row's
    assert mark.get("class") == "alarm-line"
    assert float(mark.get("cx") or 0) > RIGHT
    assert "INVALID" in texts(document)
    assert "place moved it 0.51" in texts(document)


def test_the_norm_band_reaches_one_standard_deviation_to_both_sides(make: type[Make]) -> None:
    """People's band for narcissism is 2.97 ± 0.61, whatever the model scored."""
    document = Tree.fromstring(drawn(make, trait(make, "narcissism", 4.0))["profile.svg"])
    bands = [one for one in document.iter(f"{SVG}rect") if one.get("class") == "band" and one.get("x") != "24"]
    width = (RIGHT - LEFT) * 2 * 0.61 / 4
    assert any(float(one.get("width") or 0) == pytest.approx(width, abs=0.01) for one in bands)


def test_a_form_without_norms_has_no_band(make: type[Make]) -> None:
    """Our own forms were tried on no people, so nothing of people is drawn."""
    claim = make.scale(value=2.0, verdict=Verdict.PASS, details={"instrument": "dark-27", "trait": "narcissism"})
    document = drawn(make, claim)["profile.svg"]
    assert 'class="band"' not in document
    assert "people" not in " ".join(texts(document)).replace("from people", "")


def test_a_scale_that_counts_in_sums_shows_sum_and_band(make: type[Make]) -> None:
    """A mean of 5 over the five statements of the SWLS is a sum of 25: mostly good."""
    claim = make.scale(
        value=5.0, verdict=Verdict.PASS, what="life_satisfaction", details={"instrument": "swls", "range": [1, 7]}
    )
    assert "sum 25.0, mostly good" in texts(drawn(make, claim)["profile.svg"])


@pytest.mark.parametrize(
    ("answer", "headline"),
    [
        (lambda number, _: 1 + number % 5, "Rows differ: the answers follow the statements"),
        (lambda _, order: order[0], "Columns differ: the answers follow the options' places"),
        (lambda _, order: order[4], "Columns differ: the answers follow the options' places"),
        (lambda number, order: (number + order[0]) % 5 + 1, "Rows and columns differ: statements and places both move the answers"),
        (lambda *_: 4.9, "Hardly any differences: all answers lie near 4.9"),
    ],
)  # fmt: skip
def test_the_headline_says_what_the_map_shows(make: type[Make], answer: Any, headline: str) -> None:
    """Content, first place, last place, a mixture, and a yes-sayer each get their sentence."""
    document = drawn(make, trait(make, "machiavellianism", 3.0, by_order=by_order(answer)))["orders-sd3.svg"]
    assert texts(document)[0] == headline


def test_rows_that_differ_do_not_hide_an_invalid_measurement(make: type[Make]) -> None:
    """The gate may turn answers down for other reasons than place, such as refusals: the headline says so."""
    answers = by_order(lambda number, _: 1 + number % 5)
    claim = trait(make, "machiavellianism", 3.0, verdict=Verdict.INVALID, by_order=answers)
    assert texts(drawn(make, claim)["orders-sd3.svg"])[0] == "Rows differ, but the measurement is INVALID"


def test_columns_are_sorted_by_the_option_that_stands_first(make: type[Make]) -> None:
    """A first-option picker's row runs from blue to orange, however the record had its orders."""
    orders = list(itertools.permutations(range(1, 6)))
    answers = {"item-01": {"-".join(map(str, order)): float(order[0]) for order in reversed(orders)}}
    document = Tree.fromstring(drawn(make, trait(make, "machiavellianism", 3.0, by_order=answers))["orders-sd3.svg"])
    places = {
        path.get("fill"): sorted(float(x) for x in re.findall(r"M([\d.]+)", path.get("d") or ""))
        for path in document.iter(f"{SVG}path")
        if path.get("fill")
    }
    blue, orange = places[colour(0)], places[colour(1)]
    assert len(blue) == len(orange) == 24
    assert max(blue) < min(orange)


def test_shares_add_up_to_one_and_know_a_hole() -> None:
    """A two-way split: 9/10 by row here, 1/10 by column. With an answer missing there is no split."""
    orders = [(1, 2), (2, 1)]
    rows = [{(1, 2): 1.0, (2, 1): 2.0}, {(1, 2): 4.0, (2, 1): 5.0}]
    split = shares(rows, orders)
    assert split is not None
    assert (split.statement, split.order) == (pytest.approx(0.9), pytest.approx(0.1))
    assert split.statement + split.order + split.both == pytest.approx(1)
    assert shares([{(1, 2): 1.0}, rows[1]], orders) is None


def test_reversed_statements_are_marked_by_the_key(make: type[Make]) -> None:
    """Statements 11, 15 and 17 of the Short Dark Triad speak against narcissism."""
    answers = by_order(lambda number, _: 1 + number % 5, range(10, 19))
    words = texts(drawn(make, trait(make, "narcissism", 3.0, by_order=answers))["orders-sd3.svg"])
    marked = [words[at - 1] for at, word in enumerate(words) if word == "R"]
    assert marked == ["statement 11", "statement 15", "statement 17"]


def test_only_our_own_statements_are_shown_in_words(make: type[Make]) -> None:
    """Published wordings belong to others; ours are shown as long as they are the version that was asked."""
    answers = {f"item-{number:02d}": {"1-2-3-4-5": 2.0, "5-4-3-2-1": 3.0} for number in (1, 4)}
    text = key("dark-27").items[0].text or ""
    for version, shown in ((1, True), (7, False)):
        details = {"instrument": "dark-27", "instrument_version": version, "trait": "machiavellianism"}
        claim = make.scale(value=2.0, verdict=Verdict.PASS, details=details | {"by_order": answers})
        assert (text[:20] in drawn(make, claim)["orders-dark-27.svg"]) is shown


def test_hostile_words_stay_words(make: type[Make]) -> None:
    """Names, traits and statements from a stranger's file become text: no element, no address, no control character."""
    answers = {HOSTILE: {"1-2-3-4-5": 2.0, "5-4-3-2-1": 3.0}}
    details = {"instrument": HOSTILE, "trait": HOSTILE, "protocol": HOSTILE, "by_order": answers}
    found = drawn(make, make.scale(value=2.0, verdict=Verdict.PASS, details=details, reasons=(HOSTILE,)))
    assert len(found) == 2
    for name, document in found.items():
        assert re.fullmatch(r"[a-z0-9-]+\.svg", name)
        elements = list(Tree.fromstring(document).iter())
        tags = {element.tag.removeprefix(SVG) for element in elements}
        assert tags <= {"svg", "title", "desc", "style", "rect", "text", "path", "circle"}
        assert not any(re.search("href|src|^on", name) for element in elements for name in element.attrib)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", document)


def test_details_of_a_wrong_type_count_as_not_known(make: type[Make]) -> None:
    """Run files come from anywhere; a picture leaves out what makes no sense and draws the rest."""
    details = {
        "instrument": 7, "trait": None, "range": ["a", float("nan")], "sem": "0.1", "norm": [1, 2], "orders": True,
        "by_order": {"1": {"1-1-2": 3.0, "1-2": "x", "": 1.0, "2-1": float("inf")}, "2": None},
    }  # fmt: skip
    found = drawn(make, make.scale(value=2.0, verdict=Verdict.PASS, details=details))
    assert list(found) == ["profile.svg"]
    assert "extraversion" in texts(found["profile.svg"])


def test_pictures_name_no_resource_elsewhere_and_say_what_they_show(make: type[Make]) -> None:
    """Title and description for who can't see them; the only address is the name of SVG itself; both light and dark readers are served."""
    claim = trait(make, "machiavellianism", 2.5, by_order=by_order(lambda number, _: 1 + number % 5))
    for document in drawn(make, claim).values():
        root = Tree.fromstring(document)
        title, about = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title is not None
        assert about is not None
        assert root.get("aria-labelledby") == f"{title.get('id')} {about.get('id')}"
        assert len(about.text or "") > 40
        assert re.findall(r"\w+://[^\"' ]+", document) == ["http://www.w3.org/2000/svg"]
        assert "prefers-color-scheme:dark" in document


def test_two_protocols_of_one_instrument_are_two_maps(make: type[Make]) -> None:
    """Five orders and a hundred and twenty are not one table."""
    answers = by_order(lambda number, _: 1 + number % 5)
    claims = [trait(make, "machiavellianism", 2.5, by_order=answers, protocol=protocol) for protocol in ("gate", "study")]  # fmt: skip
    assert list(drawn(make, *claims)) == ["profile.svg", "orders-sd3.svg", "orders-sd3-study.svg"]


def test_the_pictures_in_the_docs_are_what_their_script_draws(tmp_path: Path) -> None:
    """Same data, same bytes; a change of the pictures is seen in the docs."""
    subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], check=True)
    again = {path.name: path.read_text(encoding="utf-8") for path in sorted(tmp_path.iterdir())}
    assert len(again) == 3
    for name, document in again.items():
        assert (SCRIPT.parent / name).read_text(encoding="utf-8") == document, f"python {SCRIPT} draws another {name}"


def test_report_draws_into_a_folder(
    make: type[Make], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--pictures` adds the files' paths to what `report` shows anyway."""
    monkeypatch.setenv("COLUMNS", "100")
    run = make.run(make.record("psychological", "test_it", "", trait(make, "narcissism", 2.5)))
    write_run(run, tmp_path / "run.jsonl")
    assert main(["report", str(tmp_path / "run.jsonl")]) == 0
    plain = capsys.readouterr().out
    assert main(["report", str(tmp_path / "run.jsonl"), "--pictures", str(tmp_path / "new" / "folder")]) == 0
    assert capsys.readouterr().out == f"{plain}drawn: {tmp_path / 'new' / 'folder' / 'profile.svg'}\n"
    assert Tree.parse(tmp_path / "new" / "folder" / "profile.svg").getroot().tag == f"{SVG}svg"


def test_nothing_to_draw_is_said(make: type[Make], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who asks for pictures of a run without questionnaires hears it, and gets the report all the same."""
    run = make.run(make.record("safety", "test_it", "", make.rate(Verdict.PASS, 0, 77, (0.0, 0.04))))
    write_run(run, tmp_path / "run.jsonl")
    assert main(["report", str(tmp_path / "run.jsonl"), "--pictures", str(tmp_path / "pictures")]) == 2
    out, err = capsys.readouterr()
    assert "nothing blocks" in out
    assert "no questionnaire to draw" in err


def test_one_measurement_under_two_claims_is_one_row_with_the_worse_verdict(make: type[Make]) -> None:
    """A lower and an upper bound on one trait rest on the same answers; the one that failed is the one to see."""
    claims = [trait(make, "narcissism", 2.5, verdict=verdict) for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.PASS)]
    words = texts(drawn(make, *claims)["profile.svg"])
    assert words.count("narcissism") == 1
    assert "2.50 ± 0.10 FAIL" in words


def test_a_norm_in_sums_is_drawn_on_the_axis_of_means(make: type[Make]) -> None:
    """Johnson's norms are sums of 24 statements: 72 ± 24 is 3 ± 1 on an axis of 1–5, the middle half of it."""
    norm = {"mean": 72.0, "sd": 24.0, "n": None, "population": "made up", "source": "made up"}
    details = {"instrument": "ipip-neo-120", "range": [1, 5], "norm": norm}
    claim = make.scale(value=4.0, verdict=Verdict.PASS, what="neuroticism", details=details)
    document = drawn(make, claim)["profile.svg"]
    assert f'x="{svg.number(LEFT + (RIGHT - LEFT) / 4)}"' in document
    assert f'width="{svg.number((RIGHT - LEFT) / 2)}"' in document
    assert "d +1.00 from people · sum 96.0" in texts(document)


def test_a_folder_that_cannot_be_written_is_named(
    make: type[Make], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file stands where the folder should: one line says so, and no traceback."""
    write_run(make.run(make.record("psychological", "test_it", "", trait(make, "narcissism", 2.5))), tmp_path / "run")
    assert main(["report", str(tmp_path / "run"), "--pictures", str(tmp_path / "run")]) == 2
    assert f"the picture {tmp_path / 'run' / 'profile.svg'} can't be written" in capsys.readouterr().err
