"""How instruments are put: designs are balanced, wordings are dealt evenly, and what is put decides the identity."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from alignsuite.config import QuestionnaireProtocol
from alignsuite.errors import InstrumentError, ProbeError, PromptError
from alignsuite.models.protocol import Choose, Generate, ModelInfo, request_key
from alignsuite.probes.decorator import ProbeSpec
from alignsuite.probes.items import banks_of, unfit
from alignsuite.prompt_sets.load import LoadedSet, load_set
from alignsuite.prompt_sets.render import render_cases
from alignsuite.questionnaires import Instrument, key, known, load
from alignsuite.questionnaires.administration import administered, orders_of, sheet, statement_id, statement_of

FOLDERS = (Path(__file__).parents[2] / "prompts",)
SET = "psychological/self_description"
OWN = [name for name in known() if key(name).own]
PROTOCOLS: list[QuestionnaireProtocol] = ["gate", "report", "study"]
CALLS = {  # gate, report, study; the tables of the docs and of a closing note rest on these
    "big-five-40": (200, 1200, 14400),
    "dark-27": (135, 810, 9720),
    "well-being-8": (40, 240, 2880),
    "bfi": (220, 1320, 15840),
    "bfi2": (300, 1800, 21600),
    "fs": (56, 336, 2856),
    "ipip-neo-120": (600, 3600, 43200),
    "sd3": (135, 810, 9720),
    "swls": (35, 210, 1785),
}


@pytest.fixture
def wordings() -> LoadedSet:
    """The shipped set of wordings."""
    return load_set(SET, FOLDERS)


def invented(name: str) -> Instrument:
    """A published instrument with statements that nobody published."""
    instrument = key(name)
    items = tuple(replace(item, text=f"does the invented thing number {item.number}") for item in instrument.items)
    return replace(instrument, items=items)


def test_the_calls_of_each_protocol_are_what_is_told(wordings: LoadedSet) -> None:
    """Every known instrument, every protocol; also where the statements aren't at hand."""
    counted = {
        name: tuple(sheet(key(name), wordings.spec.wordings, protocol).calls for protocol in PROTOCOLS)
        for name in known()
    }
    assert counted == CALLS


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("points", [2, 3, 5, 7])
def test_every_option_stands_in_every_place_equally_often(points: int, protocol: QuestionnaireProtocol) -> None:
    """In each protocol, for each length of scale; no order stands twice."""
    orders = orders_of(points, protocol)
    seats = Counter((place, option) for order in orders for place, option in enumerate(order))
    assert len(set(seats.values())) == 1
    assert len(seats) == points**2
    assert len(set(orders)) == len(orders)


def test_a_report_balances_neighbours_too() -> None:
    """Each option follows each other equally often, which five cyclic orders don't do."""
    after = Counter(pair for order in orders_of(5, "report") for pair in pairwise(order))
    assert set(after.values()) == {2}
    assert len(after) == 20


def test_a_study_of_seven_options_has_about_as_many_orders_as_one_of_five() -> None:
    """All 120 of five; of seven's 5 040, seventeen squares."""
    assert len(orders_of(5, "study")) == 120
    assert len(orders_of(7, "study")) == 119


@pytest.mark.parametrize("name", known())
def test_a_gate_deals_its_wordings_evenly_over_each_trait(wordings: LoadedSet, name: str) -> None:
    """One wording a statement, all its orders in it; counts differ by one at most, in a trait and on either side of its key."""
    instrument = key(name)
    put = sheet(instrument, wordings.spec.wordings, "gate").presentations
    for items in instrument.traits.values():
        names = {item: {one.wording.id for one in put[statement_id(instrument, item)]} for item in items}
        assert all(len(own) == 1 for own in names.values())
        for some in (items, [item for item in items if item.reversed], [item for item in items if not item.reversed]):
            counts = Counter(next(iter(names[item])) for item in some)
            assert not counts or max(counts.values()) - min(counts.get(one, 0) for one in DEALT) <= 1


DEALT = ("letters", "numbers", "multiple-choice")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["well-being-8", "fs"])
def test_every_presentation_is_a_request_of_its_own(
    wordings: LoadedSet, name: str, protocol: QuestionnaireProtocol
) -> None:
    """In both forms; choices are weighed, the study's replies are written; samples of one prompt differ by their seed only."""
    instrument = load(name) if name in OWN else invented(name)
    cases = render_cases(administered(wordings, instrument, protocol))
    assert len(cases) == CALLS[instrument.name][PROTOCOLS.index(protocol)]
    assert len({case.id for case in cases}) == len(cases)
    for form in ("chat", "raw"):
        requests = [case.request(form) for case in cases]  # type: ignore[arg-type]
        assert all(isinstance(request, Generate if protocol == "study" else Choose) for request in requests)
        assert len({request_key(request) for request in requests}) == len(requests)
        assert len({str(request.prompt) for request in requests}) == len(requests) // (3 if protocol == "study" else 1)


@pytest.mark.parametrize("name", OWN)
def test_a_prompt_shows_all_answers_and_ends_with_the_statement(wordings: LoadedSet, name: str) -> None:
    """The answers come first, so that an engine reads the shared part once; what follows the statement is one short line."""
    for case in render_cases(administered(wordings, load(name), "report")):
        for form in ("chat", "raw"):
            text = case.text(form)  # type: ignore[arg-type]
            assert all(f"{mark}. {option}\n" in text for mark, option in zip(case.marks, case.options, strict=True))
            before, _, after = text.rpartition(case.labels["statement"])
            assert before
            assert len(after.split()) <= 4
            assert "  " not in text
            assert "{" not in text
            assert len(text.split()) <= 120


@pytest.mark.parametrize("form", ["user", "raw"])
def test_wordings_are_paraphrases_of_one_another(wordings: LoadedSet, form: str) -> None:
    """At least three for choices, in both forms, no two alike; base models read in the first person."""
    chosen = [wording for wording in wordings.spec.wordings if wording.ask == "choose"]
    texts = [getattr(wording, form) for wording in chosen]
    assert len({tuple(text.lower().split()) for text in texts}) == len(texts) >= 3
    if form == "raw":
        assert all({"my", "me", "myself", "i"} & set(text.lower().replace(":", "").split()) for text in texts)


def test_a_clause_continues_its_stem_and_ends_like_a_sentence() -> None:
    """`I see myself as someone who` … and a full stop; a whole sentence stays as it is."""
    clause, sentence = invented("bfi"), load("dark-27")
    assert statement_of(clause, clause.items[2]) == "I see myself as someone who does the invented thing number 3."
    assert statement_of(sentence, sentence.items[0]) == sentence.items[0].text


def test_cases_carry_trait_facet_and_key(wordings: LoadedSet) -> None:
    """What a probe may split by, and what turns an answer round."""
    cases = {case.template: case for case in render_cases(administered(wordings, invented("bfi2"), "gate"))}
    for item in key("bfi2").items:
        case = cases[f"item-{item.number:02d}"]
        assert (case.labels["trait"], case.labels["facet"], case.reversed) == (item.trait, item.facet, item.reversed)
        assert case.values == (1.0, 2.0, 3.0, 4.0, 5.0)


def test_whatever_is_put_decides_the_hash(wordings: LoadedSet) -> None:
    """Another word, another key, another protocol, another version, another instrument: never one identity."""
    form = load("well-being-8")
    first, *others = form.items
    reworded = replace(form, items=(replace(first, text="On most mornings I sing."), *others))
    rekeyed = replace(form, items=(replace(first, reversed=True), *others))
    sets = [
        administered(wordings, form, "gate"), administered(wordings, form, "report"), administered(wordings, form, "study"),
        administered(wordings, reworded, "gate"), administered(wordings, rekeyed, "gate"),
        administered(wordings, replace(form, version=2), "gate"), administered(wordings, load("dark-27"), "gate"),
    ]  # fmt: skip
    assert len({made.content_hash for made in sets}) == len(sets)
    assert wordings.content_hash not in {made.content_hash for made in sets}
    assert administered(wordings, load("well-being-8"), "gate") is sets[0]
    assert sets[0].spec.id == f"{SET}/well-being-8"


def test_a_probe_is_split_by_trait() -> None:
    """Its items are those of the key, with no other trait's statement among them."""
    banks = banks_of(ProbeSpec(SET, by="trait", instrument="Dark form"), FOLDERS)
    assert [bank.slice for bank in banks] == ["machiavellianism", "narcissism", "psychopathy"]
    assert [len(bank.cases) for bank in banks] == [45, 45, 45]
    assert all({case.labels["trait"] for case in bank.cases} == {bank.slice} for bank in banks)


def test_a_wording_that_is_not_at_hand_skips_its_items_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Collected and named like the others, so that limits and selections know them."""
    monkeypatch.setenv("ALIGNSUITE_HOME", str(tmp_path))
    spec = ProbeSpec(SET, by="trait", only={"trait": ["openness", "neuroticism"]}, instrument="bfi2")
    banks = banks_of(spec, FOLDERS)
    assert [bank.slice for bank in banks] == ["neuroticism", "openness"]
    info = ModelInfo("m", "f", "e", can_chat=True, can_choose=True)
    for bank in banks:
        assert bank.cases == ()
        assert bank.loaded.spec.id == f"{SET}/bfi2"
        reason = unfit(bank, spec, info, "finetuning")
        assert reason is not None
        assert "alignsuite instruments fetch bfi2" in reason


def test_a_model_without_probabilities_is_told_of_the_protocol_that_reads_text() -> None:
    """An endpoint that shows no log-probabilities can still write."""
    info = ModelInfo("m", "f", "e", can_chat=True, can_choose=False)
    spec = ProbeSpec(SET, by="trait", instrument="well-being-8")
    [gate], [study] = (banks_of(spec, FOLDERS, protocol) for protocol in ("gate", "study"))
    assert "--align-protocol=study" in (unfit(gate, spec, info, "finetuning") or "")
    assert unfit(study, spec, info, "finetuning") is None
    assert (gate.temperature, study.temperature) == (0.0, 0.7)


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        (ProbeSpec(SET), ProbeError, "holds wordings only: name the questionnaire"),
        (ProbeSpec(SET, instrument="darkness"), InstrumentError, "no instrument `darkness`"),
        (ProbeSpec("robustness/everyday_facts", instrument="sd3"), ProbeError, "has statements of its own"),
        (ProbeSpec(SET, by="trail", instrument="dark-27"), ProbeError, "did you mean `trait`"),
        (ProbeSpec(SET, by="trail", instrument="sd3"), ProbeError, "did you mean `trait`"),
        (ProbeSpec(SET, only={"trait": ["narcism"]}, instrument="sd3"), ProbeError, "did you mean `narcissism`"),
    ],
)
def test_a_probe_that_cannot_be_is_refused_at_collection(
    spec: ProbeSpec, error: type[Exception], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt trait is a mistake also where the wording isn't at hand: it must not hide behind a skip."""
    monkeypatch.setenv("ALIGNSUITE_HOME", str(tmp_path))
    with pytest.raises(error, match=message):
        banks_of(spec, FOLDERS)


BROKEN = """\
id: psychological/mine
version: 1
title: "Mine"
licence: "CC0-1.0"
source: {written: "for this test"}
ask: choose
wordings:
  - id: one
    user: "{{ choices }} {{ statement }}"
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BROKEN + '  - id: one\n    user: "{{ statement }}"\n', "mine.yaml:10: the wording `one` stands twice"),
        (BROKEN + "  - id: two\n", "mine.yaml:10: `two` has neither `user` nor `raw`"),
        (BROKEN + 'templates:\n  - id: t\n    user: "x"\n', "has both"),
        (BROKEN + "values: [1.0, 2.0]\n", "mine.yaml:10: a set of `wordings` has no `values`"),
        (BROKEN.replace("marks", "mark") + "    mark: letters\n", "`mark` is no key here; did you mean `marks`"),
        (BROKEN.split("wordings:")[0], "has neither"),
    ],
)
def test_a_broken_set_of_wordings_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    """Before any instrument meets it."""
    (tmp_path / "psychological").mkdir()
    (tmp_path / "psychological/mine.yaml").write_text(text)
    with pytest.raises(PromptError) as caught:
        load_set("psychological/mine", (tmp_path,))
    assert message in str(caught.value)


def test_an_unknown_slot_of_a_wording_is_told_when_an_instrument_fills_it(tmp_path: Path) -> None:
    """With the line of the wordings, and the nearest name."""
    (tmp_path / "psychological").mkdir()
    (tmp_path / "psychological/mine.yaml").write_text(BROKEN.replace("{{ statement }}", "{{ sentence }}"))
    with pytest.raises(PromptError, match=r"mine.yaml:7: `{{ sentence }}` is no slot of this set"):
        banks_of(ProbeSpec("psychological/mine", by="trait", instrument="dark-27"), (tmp_path,))


def test_a_protocol_without_a_wording_for_it_is_refused(tmp_path: Path) -> None:
    """A set that only weighs choices has nothing to sample from."""
    (tmp_path / "psychological").mkdir()
    (tmp_path / "psychological/mine.yaml").write_text(BROKEN)
    with pytest.raises(PromptError, match="the protocol `study` needs"):
        banks_of(ProbeSpec("psychological/mine", by="trait", instrument="dark-27"), (tmp_path,), "study")
