"""Pictures of groups: a cell is a share, a dot is a rate, and what a run file lacks or a gate turned down is said and not drawn."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import pytest

from alignsuite.cli import main
from alignsuite.judges import protocol
from alignsuite.reports.figures import left_out, pictures, svg
from alignsuite.reports.figures.gap import RIGHT
from alignsuite.reports.figures.reply_classes import MOST_COLUMNS, UNREADABLE, columns
from alignsuite.reports.figures.svg import SHADES, colour, contrast, shade, written_on
from alignsuite.runs.file import write_run
from alignsuite.runs.records import ClaimResult, Record, Run, Verdict

from .conftest import Make

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</text><script>alert("1")</script>\x1b[31m\u202e&amp;<image href="http://x.example/"/>'
MUSLIM, HINDU = "مسلم", "हिन्दू"
REPLIES = {
    "hindu": {"helpful": 24, "refusal": 10, "harmful_refusal": 2, "UNREADABLE": 4},
    "christian": {"helpful": 36, "refusal": 4},
    "muslim": {"helpful": 30, "hedged": 2, "refusal": 8},
}
PAPER = ("#ffffff", "#0d1117")


def compared(make: type[Make], classes: dict[str, dict[str, int]] | None = None, **more: Any) -> ClaimResult:
    """A claim that groups are refused alike, with all that its pictures want."""
    classes = REPLIES if classes is None else classes
    totals = {group: sum(counts.values()) for group, counts in classes.items()}
    rates = {
        group: (counts.get("refusal", 0) + counts.get("harmful_refusal", 0)) / (totals[group] or 1)
        for group, counts in classes.items()
    }
    details = {
        "between": "group", "templates": 40, "classes": classes, "groups": rates, "offenders": ["hindu"],
        "intervals": {group: [max(0.0, rate - 0.1), min(1.0, rate + 0.1)] for group, rate in rates.items()},
    }  # fmt: skip
    return make.gap(**({"details": details | more.pop("details", {})} | more))


def record(make: type[Make], *claims: ClaimResult, slice_: str = "religion", **more: Any) -> Record:
    """A record of the fairness axis."""
    return make.record("fairness", "test_it", slice_, *claims, **more)


def drawn(make: type[Make], *claims: ClaimResult) -> tuple[str, str]:
    """The map of classes and the first picture of a gap."""
    found = pictures(make.run(record(make, *claims)))
    gap = next(name for name in found if name.startswith("gap-"))
    return found["classes-fairness-probe-religion.svg"], found[gap]


def texts(document: str) -> list[str]:
    """All that a picture says in words, in the order of the document."""
    return [element.text or "" for element in Tree.fromstring(document).iter(f"{SVG}text")]


def tips(document: str) -> list[str]:
    """What a pointer that rests on a part is shown."""
    return [
        title.text or "" for part in Tree.fromstring(document).iter(f"{SVG}g") for title in part.iter(f"{SVG}title")
    ]


def row(document: str, group: str) -> Tree.Element:
    """The part of a gap's picture that belongs to a group."""
    return next(
        part
        for part in Tree.fromstring(document).iter(f"{SVG}g")
        if (title := part.find(f"{SVG}title")) is not None and (title.text or "").endswith(f": {group}")
    )


def bars(document: str, style: str) -> list[tuple[float, float]]:
    """Where the horizontal bars of a style begin and end."""
    found = []
    for path in Tree.fromstring(document).iter(f"{SVG}path"):
        ends = re.fullmatch(r"M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)", path.get("d") or "")
        if ends and path.get("class") == style and ends[2] == ends[4]:
            found.append((float(ends[1]), float(ends[3])))
    return found


def axis(document: str) -> tuple[float, float]:
    """Where the axis begins, and how long one whole (a rate of 1) is on it."""
    ticks = {
        (element.text or ""): float(element.get("x") or 0)
        for element in Tree.fromstring(document).iter(f"{SVG}text")
        if re.fullmatch(r"\d+ %", element.text or "") and element.get("text-anchor") == "middle"
    }
    last = max(ticks, key=lambda words: ticks[words])
    return ticks["0 %"], (ticks[last] - ticks["0 %"]) / (float(last.removesuffix(" %")) / 100)


def test_a_cell_is_the_share_of_all_replies_to_its_group(make: type[Make]) -> None:
    """10 of 40 replies to hindu were refusals, four of them unreadable or not: 25 %, and the pointer is told the counts."""
    classes, _ = drawn(make, compared(make))
    words = texts(classes)
    at = words.index("hindu")
    assert words[at : at + 7] == ["hindu", "25.0 %", "5.0 %", "0 %", "60.0 %", "10.0 %", "40"]
    assert "10 of 40 replies refusal: hindu" in tips(classes)
    assert "0 of 40 replies harmful refusal: muslim" in tips(classes)


def test_a_cell_has_the_shade_of_its_share_and_nothing_has_none(make: type[Make]) -> None:
    """The colour says what the number says; 0 of 40 is an outline."""
    classes, _ = drawn(make, compared(make))
    styles = {
        part.findtext(f"{SVG}title"): box.get("class")
        for part in Tree.fromstring(classes).iter(f"{SVG}g")
        if (box := part.find(f"{SVG}rect")) is not None
    }
    assert styles["10 of 40 replies refusal: hindu"] == f"shade-{shade(0.25)}"
    assert styles["36 of 40 replies helpful: christian"] == f"shade-{shade(0.9)}"
    assert styles["0 of 40 replies hedged: hindu"] == "rule-line"


def test_all_groups_together_stand_above_the_groups(make: type[Make]) -> None:
    """22 refusals in 120 replies: the sum of counts, not a mean of percentages."""
    classes, _ = drawn(make, compared(make))
    words = texts(classes)
    at = words.index("all groups")
    assert at < words.index("hindu")
    assert words[at + 1] == "18.3 %"
    assert words[at + 6] == "120"


def test_groups_are_sorted_by_their_refusals_then_by_name(make: type[Make]) -> None:
    """Harmful refusals are refusals; who is alike stands in the order of the alphabet."""
    replies = {
        "b": {"helpful": 9, "refusal": 1},
        "a": {"helpful": 9, "refusal": 1},
        "c": {"helpful": 8, "harmful_refusal": 2},
    }
    words = texts(drawn(make, compared(make, replies))[0])
    assert [word for word in words if word in replies] == ["c", "a", "b"]


def test_columns_stand_in_one_order_and_only_those_that_matter() -> None:
    """From refusal to unreadable whatever the order in the file; what was not seen has no column, but for refusal and helpful."""
    every = ("UNREADABLE", "helpful", "off_task", "hedged", "harmful_answer", "harmful_refusal", "refusal")
    titles = [column.title for column in columns({"a": dict.fromkeys(every, 1), "b": {"helpful": 7}})]
    assert titles == [
        "refusal", "harmful refusal", "harmful answer", "hedged", "off-task", "helpful", "unreadable",
    ]  # fmt: skip
    some = columns({"a": {"hedged": 3, "off_task": 0}, "b": {"hedged": 2, "UNREADABLE": 0}})
    assert [column.title for column in some] == ["refusal", "hedged", "helpful"]


def test_unreadable_replies_have_the_label_that_judges_give() -> None:
    """Reports import no judge, so the label stands in both rooms; were one renamed, a class would lose its place at the end."""
    assert UNREADABLE == protocol.UNREADABLE


def test_what_has_no_column_is_named(make: type[Make]) -> None:
    """A reader must not think that a class was forgotten."""
    assert "No reply was read as harmful answer or off-task." in texts(drawn(make, compared(make))[0])


def test_a_judge_with_labels_of_its_own_gets_columns_of_its_own(make: type[Make]) -> None:
    """By their number; nothing is said of refusals, which that judge does not know."""
    replies = {"a": {"toxic": 1, "fine_thing": 9}, "b": {"fine_thing": 10}}
    words = texts(drawn(make, compared(make, replies))[0])
    assert words.index("fine thing") < words.index("toxic")
    assert words[0] == "Classes of replies by group"
    assert not {"refusal", "helpful"} & set(words)
    assert not any(word.startswith("No reply") for word in words)


def test_many_labels_share_a_last_column_and_none_is_lost() -> None:
    """Forty labels have no room; what has no column of its own is counted together, so that a row still adds up to its replies."""
    replies = {"a": {f"label-{number:02d}": 1 + number for number in range(40)}, "b": {"refusal": 1, "UNREADABLE": 1}}
    found = columns(replies)
    assert len(found) == MOST_COLUMNS
    assert [found[0].title, *(one.title for one in found[-2:])] == ["refusal", "34 others", "unreadable"]
    assert sum(column.count(replies["a"]) for column in found) == sum(replies["a"].values())


def test_a_group_without_a_reply_has_no_share(make: type[Make]) -> None:
    """Nothing of nothing is not 0 %."""
    classes, _ = drawn(make, compared(make, REPLIES | {"nobody": {}} | {"none": {"helpful": 0}}))
    words = texts(classes)
    assert words[words.index("none") + 1] == "0"
    assert words[words.index("nobody") + 1] == "0"


def test_claims_on_the_same_replies_share_one_map(make: type[Make]) -> None:
    """Two behaviours counted in the same replies: one map that names both verdicts, and a picture of each gap."""
    other = compared(make, what="helped badly", verdict=Verdict.PASS, value=0.02)
    found = pictures(make.run(record(make, compared(make), other)))
    assert list(found) == [
        "classes-fairness-probe-religion.svg",
        "gap-fairness-probe-religion-refused.svg",
        "gap-fairness-probe-religion-helped-badly.svg",
    ]
    said = "refused: FAIL, a gap of 19.0 points · helped badly: PASS, a gap of 2.0 points"
    assert said in texts(found["classes-fairness-probe-religion.svg"])


def test_other_replies_or_another_judge_make_another_map(make: type[Make]) -> None:
    """What two judges read in the same replies are two tables, and so are two slices; no picture takes another's name."""
    run = make.run(
        record(make, compared(make), compared(make, judge="other 1")),
        record(make, compared(make), slice_="ديانة"),
        record(make, compared(make), slice_="धर्म"),
    )
    found = pictures(run)
    assert sum(name.startswith("classes-") for name in found) == 4
    assert sum(name.startswith("gap-") for name in found) == 4
    assert all(re.fullmatch(r"[a-z0-9-]+\.svg", name) for name in found)
    assert len({re.findall(r'id="([^"]+)"', document)[0] for document in found.values()}) == 8


@pytest.mark.parametrize(
    ("replies", "headline"),
    [
        (REPLIES, "Refusals: 30.0 % for hindu and 10.0 % for christian"),
        (REPLIES | {"jewish": {"helpful": 9, "refusal": 1}}, "Refusals: 30.0 % for hindu and 10.0 % for 2 groups"),
        ({"a": {"helpful": 7}, "b": {"hedged": 7}}, "No group was refused anything"),
        ({"a": {"refusal": 1, "helpful": 1}, "b": {"harmful_refusal": 2, "helpful": 2}}, "Refusals: 50.0 % for every group"),
    ],
)  # fmt: skip
def test_the_map_says_what_it_shows(make: type[Make], replies: dict[str, dict[str, int]], headline: str) -> None:
    """Who is refused most and least, or that nobody is."""
    assert texts(drawn(make, compared(make, replies))[0])[0] == headline


def test_a_dot_stands_at_its_rate_and_a_bar_reaches_over_its_interval(make: type[Make]) -> None:
    """Muslim: 20 % with an interval of 10–30 %, measured on the axis that the picture itself draws."""
    _, gap = drawn(make, compared(make))
    start, whole = axis(gap)
    dot = row(gap, "muslim").find(f"{SVG}circle")
    assert dot is not None
    assert float(dot.get("cx") or 0) == pytest.approx(start + 0.2 * whole, abs=0.02)
    low, high = bars(Tree.tostring(row(gap, "muslim"), encoding="unicode"), "mark-line")[0]
    assert (low, high) == (pytest.approx(start + 0.1 * whole, abs=0.02), pytest.approx(start + 0.3 * whole, abs=0.02))


def test_a_rate_of_zero_keeps_its_interval(make: type[Make]) -> None:
    """No refusal in 40 replies is no proof of none: the bar reaches from 0 to 8.8 %, and the numbers say so."""
    claim = compared(make, {"a": {"helpful": 40}, "b": {"helpful": 40}}, verdict=Verdict.PASS, value=0.0)
    claim.details["intervals"].update({"a": [0.0, 0.088], "b": [0.0, 0.088]})
    _, gap = drawn(make, claim)
    start, whole = axis(gap)
    low, high = bars(Tree.tostring(row(gap, "a"), encoding="unicode"), "mark-line")[0]
    assert (low, high) == (pytest.approx(start), pytest.approx(start + 0.088 * whole, abs=0.02))
    assert texts(gap).count("0–8.8") == 2


def test_rows_of_a_gap_are_sorted_by_rate_then_by_name(make: type[Make]) -> None:
    """The worst off on top."""
    replies = {
        "b": {"helpful": 8, "refusal": 2},
        "c": {"helpful": 6, "refusal": 4},
        "a": {"helpful": 8, "refusal": 2},
    }
    words = texts(drawn(make, compared(make, replies))[1])
    assert [word for word in words if word in replies] == ["c", "a", "b"]


def test_the_mean_of_the_groups_is_a_line_at_its_place(make: type[Make]) -> None:
    """(30 + 10 + 20) / 3 = 20 %."""
    _, gap = drawn(make, compared(make))
    start, whole = axis(gap)
    dashed = [path.get("d") or "" for path in Tree.fromstring(gap).iter(f"{SVG}path") if path.get("stroke-dasharray")]
    ends = [re.findall(r"[ML]([\d.]+) ", line) for line in dashed]
    assert [float(low) for low, high in ends if low == high] == [pytest.approx(start + 0.2 * whole, abs=0.02)]
    assert "mean of the groups 20.0 %" in texts(gap)


def test_offenders_differ_in_shape_words_and_colour(make: type[Make]) -> None:
    """Colour alone would not reach who can't see it: a square on its corner, and the words."""
    _, gap = drawn(make, compared(make))
    shapes = {group: {(one.tag.removeprefix(SVG), one.get("class")) for one in row(gap, group)} for group in REPLIES}
    assert ("path", "alarm") in shapes["hindu"]
    assert not any(tag == "circle" for tag, _ in shapes["hindu"])
    for group in ("christian", "muslim"):
        assert ("circle", "mark") in shapes[group]
        assert not any("alarm" in (style or "") for _, style in shapes[group])
    assert texts(gap).count("set apart") == 1
    assert "30.0 % of 40 replies, 95 % interval 20.0–40.0 %, set apart: hindu" in tips(gap)


def test_the_gap_lies_beside_its_limit_on_the_axis(make: type[Make]) -> None:
    """From the lowest rate: 20 points to the highest, 28 as far as the gap may reach; and 15 as far as the limit allows."""
    _, gap = drawn(make, compared(make))
    start, whole = axis(gap)
    low, high, most, limit = (pytest.approx(start + rate * whole, abs=0.02) for rate in (0.1, 0.3, 0.38, 0.25))
    assert bars(gap, "alarm-line")[-2:] == [(high, most), (low, high)]
    assert bars(gap, "quiet-line") == [(low, limit)]
    assert {"gap 20.0 points, at most 28.0", "limit 15 points"} <= set(texts(gap))


def test_a_limit_that_labels_must_beat_by_more_is_drawn_as_such(make: type[Make]) -> None:
    """A judge that shows 56.6 % of a gap has to see groups within 8.5 points to prove 15: a PASS lies left of that, not of 15."""
    errors = {"kept": 0.566, "limit": 0.085, "card": {"version": "2"}}
    _, gap = drawn(make, compared(make, details={"judge": errors}))
    start, whole = axis(gap)
    low, proved, limit = (pytest.approx(start + rate * whole, abs=0.02) for rate in (0.1, 0.185, 0.25))
    assert bars(gap, "quiet-line") == [(proved, limit), (low, proved)]
    words = texts(gap)
    assert "limit 15 points (8.5 in labels)" in words
    assert any("show no less than 56.6 % of a true gap" in word for word in words)


@pytest.mark.parametrize("judge", [{"card": None}, {"limit": 0.9, "kept": "all"}, {"limit": -0.1}, 7])
def test_a_judge_without_a_card_is_taken_at_its_word(make: type[Make], judge: object) -> None:
    """What is not known of its errors, or makes no sense, moves no limit and is not spoken of."""
    _, gap = drawn(make, compared(make, details={"judge": judge}))
    words = texts(gap)
    assert "limit 15 points" in words
    assert not any("card" in word for word in words)


def test_the_picture_says_what_was_shuffled(make: type[Make]) -> None:
    """Within templates where each has every group, else over them."""
    for unit, said in (("case", "shuffled within each template."), ("template", "shuffled over the templates.")):
        assert any(word.endswith(said) for word in texts(drawn(make, compared(make, details={"unit": unit}))[1]))


def test_the_axis_has_room_for_every_interval(make: type[Make]) -> None:
    """Whole intervals: none may look shorter because it ends beyond the picture."""
    for top in (0.004, 0.03, 0.11, 0.52, 1.0):
        claim = compared(make, bounds={}, interval=None)
        claim.details["groups"].update(dict.fromkeys(REPLIES, 0.001))
        claim.details["intervals"].update({group: [0.0, top] for group in REPLIES})
        _, gap = drawn(make, claim)
        start, whole = axis(gap)
        _, high = bars(Tree.tostring(row(gap, "muslim"), encoding="unicode"), "mark-line")[0]
        assert high == pytest.approx(start + top * whole, abs=0.02)
        assert high <= RIGHT + 0.01


@pytest.mark.parametrize(
    ("verdict", "more", "headline"),
    [
        (Verdict.FAIL, {}, "Refused more often than the rest: hindu"),
        (Verdict.FAIL, {"details": {"offenders": []}}, "Refused: 30.0 % for hindu and 10.0 % for christian"),
        (Verdict.PASS, {}, "Refused: no two groups are 15 points apart"),
        (Verdict.INCONCLUSIVE, {}, "Refused: neither a gap nor its absence is shown"),
        (Verdict.MARGINAL, {}, "Refused: 30.0 % for hindu and 10.0 % for christian"),
    ],
)
def test_the_gap_says_what_it_shows(make: type[Make], verdict: Verdict, more: dict[str, Any], headline: str) -> None:
    """Nothing is claimed that the verdict does not say; verdict, bounds and p stand under it."""
    words = texts(drawn(make, compared(make, verdict=verdict, **more))[1])
    assert words[0] == headline
    gap, bounds = "gap 20.0 points, 9.0–28.0 with 95 % confidence", "limit 15 points, margin 5 points"
    assert words[words.index(verdict) + 1] == f"{gap} · {bounds} · p = 0.003"


def test_an_invalid_gap_has_no_place_on_an_axis(make: type[Make]) -> None:
    """The map shows how the replies were read, and why that is no measurement; rates are compared nowhere."""
    claim = compared(make, verdict=Verdict.INVALID, reasons=("30 of 120 replies could not be read",))
    run = make.run(record(make, claim))
    found = pictures(run)
    assert list(found) == ["classes-fairness-probe-religion.svg"]
    words = texts(found["classes-fairness-probe-religion.svg"])
    assert words[0] == "Classes of replies by group; the comparison is INVALID"
    assert "refused: INVALID, 30 of 120 replies could not be read" in words
    assert left_out(run) == ["fairness/probe[religion], refused: the gap is INVALID, so it has no place on an axis"]


def test_an_older_run_file_is_left_out_and_said(make: type[Make]) -> None:
    """Before classes and intervals were recorded there was nothing to draw; no picture is made from half of it."""
    run = make.run(record(make, make.gap()))
    assert pictures(run) == {}
    assert left_out(run) == [
        "fairness/probe[religion], refused: the run file lacks how the replies to each group were read and each group's rate with its "
        "interval; run again, replies in the store are not asked twice"
    ]  # fmt: skip
    whole = make.run(record(make, compared(make)))
    assert left_out(whole) == []
    assert len(pictures(whole)) == 2


@pytest.mark.parametrize(
    ("details", "left"),
    [
        ({"classes": {"hindu": {"refusal": -1}, "muslim": {"refusal": 3}}}, "gap-"),
        ({"classes": {"hindu": {"refusal": 1.5}, "muslim": {"refusal": 3}}}, "gap-"),
        ({"classes": {"hindu": "refusal", "muslim": {"refusal": True}}}, "gap-"),
        ({"classes": {"hindu": {"refusal": 3}}}, "gap-"),
        ({"classes": {"hindu": {"refusal": 0}, "muslim": {"refusal": 0}}}, "gap-"),
        ({"classes": [1]}, "gap-"),
        ({"intervals": {"hindu": [0.2, 0.4], "christian": [0, 0.2]}}, "classes-"),
        ({"intervals": {"hindu": [0.4, 0.2], "christian": [0, 0.2], "muslim": [0.1, 0.3]}}, "classes-"),
        ({"intervals": {"hindu": [0.2, float("nan")], "christian": [0, 0.2], "muslim": [0.1, 0.3]}}, "classes-"),
        ({"intervals": {"hindu": "02", "christian": [0, 0.2], "muslim": [0.1, 0.3]}}, "classes-"),
        ({"groups": {"hindu": 1.2, "christian": 0.1, "muslim": 0.2}}, "classes-"),
        ({"groups": None}, "classes-"),
    ],
)
def test_details_that_make_no_sense_count_as_not_known(make: type[Make], details: dict[str, Any], left: str) -> None:
    """Run files come from anywhere: what can't be true of one group makes its whole picture unknown, and the other one stays."""
    run = make.run(record(make, compared(make, details=details)))
    assert [name.startswith(left) for name in pictures(run)] == [True]
    assert len(left_out(run)) == 1


def test_names_of_any_script_stay_whole_and_numbers_on_their_side(make: type[Make]) -> None:
    """Digits that follow an Arabic name directly are shown before it, so that a Latin word must stand between them in every sentence."""
    replies = {MUSLIM: REPLIES["hindu"], HINDU: REPLIES["christian"], "יהודי": REPLIES["muslim"]}
    claim = compared(make, replies, details={"offenders": [MUSLIM]})
    for document in drawn(make, claim):
        said = [*texts(document), *tips(document), *(one.text or "" for one in Tree.fromstring(document).iter(f"{SVG}desc"))]  # fmt: skip
        assert {MUSLIM, HINDU, "יהודי"} <= set(said)
        for sentence in "\n".join(said).splitlines():
            assert not re.search(r"[\u0590-\u06ff][^A-Za-z]*\d", sentence)


def test_an_ellipsis_stands_at_the_end_of_a_name_from_the_right(make: type[Make]) -> None:
    """A name that is cut gets its ellipsis where reading ends: to the left in Arabic, which takes a mark of direction."""
    arabic, latin = f"{MUSLIM} " * 20, "somebody " * 20
    for document in drawn(make, compared(make, {arabic: REPLIES["hindu"], latin: REPLIES["muslim"]})):
        cut = [word for word in texts(document) if word.startswith((MUSLIM, "somebody")) and "…" in word]
        assert [word[-1] for word in cut] == ["\u200f", "…"]


@pytest.mark.parametrize("number", [2, 34])
def test_few_groups_and_many_fit(make: type[Make], number: int) -> None:
    """Every group has its row inside the picture, and its name ends before the cells begin."""
    towns = [f"people of the {at}th of very many small towns in the north" for at in range(number)]
    replies = {town: {"helpful": 30, "refusal": at} for at, town in enumerate(towns)}
    for document in drawn(make, compared(make, replies)):
        root = Tree.fromstring(document)
        names = [element for element in root.iter(f"{SVG}text") if (element.text or "").startswith("people of")]
        assert len(names) == number
        assert max(float(name.get("y") or 0) for name in names) < float(root.get("height") or 0)
        about = root.find(f"{SVG}desc")
        assert about is not None
        assert all(town in (about.text or "") for town in towns)
        for name in names:
            size = float(name.get("font-size") or 13)
            room = svg.text_width(name.text or "", size)
            x = float(name.get("x") or 0)
            assert (x - room if name.get("text-anchor") == "end" else x) >= 23
            assert (x if name.get("text-anchor") == "end" else x + room) <= 24 + 300


def test_hostile_words_stay_words(make: type[Make]) -> None:
    """Names, labels and sets from a stranger's file become text: no element, no address, no control character."""
    replies = {HOSTILE: {HOSTILE: 3, "refusal": 1}, "b": {HOSTILE: 4, "refusal": 0}}
    claim = compared(make, replies, what=HOSTILE, judge=HOSTILE, details={"between": HOSTILE, "offenders": [HOSTILE]})
    found = pictures(make.run(record(make, claim, slice_=HOSTILE, probe=HOSTILE)))
    assert len(found) == 2
    for name, document in found.items():
        assert re.fullmatch(r"[a-z0-9-]+\.svg", name)
        elements = list(Tree.fromstring(document).iter())
        tags = {element.tag.removeprefix(SVG) for element in elements}
        assert tags <= {"svg", "title", "desc", "style", "rect", "text", "path", "circle", "g"}
        assert not any(re.search("href|src|^on", key) for element in elements for key in element.attrib)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", document)


def test_what_a_template_does_not_call_words_is_escaped_all_the_same() -> None:
    """Quotation marks stay in words, which stand between tags; anything else may stand in an attribute, and can't leave it."""
    hostile = HOSTILE.replace("\x1b", "")
    page = svg._templates().from_string('<a b="{{ text }}">{{ text | words }}</a>').render(text=hostile)
    read = Tree.fromstring(page)
    assert (read.get("b"), read.text) == (hostile, hostile.replace("\u202e", "\ufffd"))
    assert 'alert("1")' in page
    for template in Path(svg.__file__).parent.glob("*.svg.j2"):
        assert not re.search(r"\bsafe\b|autoescape", template.read_text(encoding="utf-8"))


def test_pictures_say_what_they_show_and_name_no_resource_elsewhere(make: type[Make]) -> None:
    """Title and description hold every group's numbers for who can't see them; the only address is the name of SVG itself."""
    classes, gap = drawn(make, compared(make))
    for document, words in ((classes, "25.0 % refusal, 5.0 % harmful refusal"), (gap, "30.0 % of 40 replies")):
        root = Tree.fromstring(document)
        title, about = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title is not None
        assert about is not None
        assert root.get("aria-labelledby") == f"{title.get('id')} {about.get('id')}"
        assert words in (about.text or "")
        assert all(group in (about.text or "") for group in REPLIES)
        assert re.findall(r"\w+://[^\"' ]+", document) == ["http://www.w3.org/2000/svg"]
        assert "prefers-color-scheme:dark" in document


def test_the_order_in_the_file_does_not_matter(make: type[Make]) -> None:
    """The same counts give the same bytes, whoever wrote them down first."""
    claim = compared(make)
    turned = {
        key: dict(reversed(value.items())) if isinstance(value, dict) else value
        for key, value in reversed(claim.details.items())
    }
    turned["classes"] = {group: dict(reversed(counts.items())) for group, counts in turned["classes"].items()}
    assert drawn(make, claim) == drawn(make, make.gap(details=turned))


@pytest.mark.parametrize("paper", [0, 1])
def test_every_shade_can_be_read_on_and_goes_one_way(paper: int) -> None:
    """On light paper and on dark: text in a cell has a contrast of 4.5, and more is always further from the paper."""
    shown = [colour(number, paper) for number in range(1, SHADES + 1)]
    assert min(contrast(written_on(ground), ground) for ground in shown) >= 4.5
    away = [contrast(ground, PAPER[paper]) for ground in shown]
    assert away == sorted(away)
    assert away[0] < 1.5
    assert away[-1] > 7


def test_only_nothing_has_no_shade() -> None:
    """One reply in ten thousand is seen, and shares that differ by half differ in shade."""
    assert [shade(share) for share in (0, 0.0001, 1)] == [0, 1, SHADES]
    steps = [shade(share) for share in (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)]
    assert steps == sorted(set(steps))


def test_the_style_of_a_cell_is_in_the_document_that_uses_it(make: type[Make]) -> None:
    """A class without a rule would be painted black, in light and in dark."""
    classes, gap = drawn(make, compared(make))
    used = set(re.findall(r'class="((?:on-)?shade-\d+)"', classes))
    assert used
    for name in used:
        assert classes.count(f".{name}{{") == 2
    assert "shade-" not in gap


def files(tmp_path: Path, run: Run) -> list[str]:
    """A run file and a folder, as arguments."""
    write_run(run, tmp_path / "run.jsonl")
    return ["report", str(tmp_path / "run.jsonl"), "--pictures", str(tmp_path / "pictures")]


def test_report_draws_groups_and_says_what_it_left_out(
    make: type[Make], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One comparison of an older version beside a new one: two pictures, and a line for what is missing."""
    run = make.run(record(make, compared(make)), record(make, make.gap(), slice_="gender"))
    assert main(files(tmp_path, run)) == 0
    out = capsys.readouterr().out
    for name in ("classes-fairness-probe-religion.svg", "gap-fairness-probe-religion-refused.svg"):
        assert f"drawn: {tmp_path / 'pictures' / name}\n" in out
        assert Tree.parse(tmp_path / "pictures" / name).getroot().tag == f"{SVG}svg"
    assert "not drawn: fairness/probe[gender], refused: the run file lacks how" in out
    assert main([*files(tmp_path, run), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["pictures"]) == 2
    assert data["not_drawn"] == left_out(run)


def test_nothing_but_what_was_left_out_is_an_error(
    make: type[Make], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that waits for a picture must hear that there is none, and a person why."""
    assert main(files(tmp_path, make.run(record(make, make.gap())))) == 2
    out, err = capsys.readouterr()
    assert "not drawn: fairness/probe[religion], refused" in out
    assert "can be drawn: each comparison of groups is listed with its reason" in err
    assert not (tmp_path / "pictures").exists()
