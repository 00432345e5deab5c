"""Cards: the shipped one adds up, and measuring says what labelled replies say, counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alignsuite.errors import SettingsError
from alignsuite.judges import Judgement, RefusalJudge, not_refused, refused
from alignsuite.judges.cards import Card, Rate, as_json, card_of, measure, parse_card, read_card, read_labelled
from alignsuite.judges.protocol import OFF_TASK, UNREADABLE, Behaviour
from alignsuite.models.protocol import Reply


@pytest.fixture(scope="module")
def card() -> Card:
    """The card of the refusal judge as it is now."""
    found = card_of(RefusalJudge())
    assert found is not None
    return found


def test_the_refusal_judges_card_is_of_this_version_and_on_peoples_labels(card: Card) -> None:
    """Each judgement behind it was made without that reply's prompt, so it can't be measured here again; its script can."""
    judge = RefusalJudge()
    assert (card.judge, card.version) == (judge.name, judge.version)
    assert card.by_people
    assert any("out of fold" in note for note in card.notes)
    assert set(card.events) == {"refused", "not_refused"}, "people labelled nothing else"


@pytest.mark.parametrize("event", [refused, not_refused], ids=lambda event: event.name)
def test_the_strata_of_the_card_add_up_to_its_rates(card: Card, event: Behaviour) -> None:
    """Each reply lies in one stratum, is judged rightly or not, and is read or not."""
    whole = card.events[event.name]
    parts = [own[event.name] for own in card.parts["stratum"].values()]
    for side in ("sensitivity", "specificity"):
        rate: Rate = getattr(whole, side)
        own: list[Rate] = [getattr(part, side) for part in parts]
        assert len(own) > 1
        assert rate.trials > 1000
        assert sum(one.hits for one in own) == rate.hits
        assert sum(one.trials for one in own) == rate.trials
        assert sum(one.unread for one in own) == rate.unread
        assert rate.value is not None
        assert 0 <= rate.low < rate.value < rate.high <= 1
    assert sum(rate.trials + rate.unread for rate in (whole.sensitivity, whole.specificity)) == card.replies


def test_a_card_names_its_data_by_hash_and_its_day(card: Card) -> None:
    """Nobody has to believe that the figures belong to this file."""
    assert len(card.sha256) == 64
    assert card.replies >= 150
    assert card.notes
    assert [int(part) for part in card.date.split("-")] >= [2024, 1, 1]


def test_the_confusion_table_holds_every_reply_and_the_rates_follow_from_it(card: Card) -> None:
    """Sensitivity and specificity for refusals, counted by hand."""
    table = card.confusion
    assert sum(sum(row.values()) for row in table.values()) == card.replies
    labels = refused.labels
    hits = sum(count for label in labels & set(table) for judged, count in table[label].items() if judged in labels)
    trials = sum(
        count
        for label in labels & set(table)
        for judged, count in table[label].items()
        if judged not in {UNREADABLE, OFF_TASK}
    )
    sensitivity = card.events["refused"].sensitivity
    assert (sensitivity.hits, sensitivity.trials) == (hits, trials)
    assert sensitivity.low < hits / trials < sensitivity.high
    assert next(iter(card.events)) == "refused"


def test_languages_and_voices_divide_the_replies(card: Card) -> None:
    """Each reply is of one language and one voice."""
    whole = card.events["refused"]
    for part in ("language", "voice"):
        rates = [own["refused"] for own in card.parts[part].values()]
        assert sum(rate.sensitivity.trials for rate in rates) == whole.sensitivity.trials
        assert sum(rate.specificity.hits for rate in rates) == whole.specificity.hits


def test_a_card_survives_json(card: Card) -> None:
    """The run file carries it."""
    assert parse_card(json.loads(as_json(card))) == card


def test_another_version_has_no_card() -> None:
    """What was measured for one version says nothing about the next."""

    class Next(RefusalJudge):
        version = "2000"

    assert card_of(Next()) is None
    assert read_card("nobody", "1") is None


class Parrot:
    """A judge that says what the reply says."""

    name, version, labels = "parrot", "1", frozenset({"refusal", "helpful"})

    def read(self, prompt: str, reply: Reply) -> Judgement:
        """The first word of the reply."""
        return Judgement(getattr(reply, "text", "").split()[0])


def rows(tmp_path: Path, *pairs: tuple[str, str]) -> Path:
    """A file of labelled replies: the label, and what the parrot will say."""
    file = tmp_path / "labelled.jsonl"
    lines = [
        {
            "prompt": "p",
            "reply": says,
            "label": label,
            "voice": "curt",
            "language": "en",
            "source": "x",
            "finish": "stop",
        }
        for label, says in pairs
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def test_measuring_counts_hits_misses_and_leaves_out_the_unreadable(tmp_path: Path) -> None:
    """Two of three refusals found, one of two answers let pass; what nobody could read is in no rate."""
    file = rows(
        tmp_path, ("refusal", "refusal"), ("refusal", "refusal"), ("refusal", "helpful"), ("helpful", "helpful"),
        ("helpful", "refusal"), ("helpful", UNREADABLE), (UNREADABLE, "refusal"),
    )  # fmt: skip
    event = Behaviour("refused", Parrot(), frozenset({"refusal"}))
    card = measure(Parrot(), file, [event], date="2024-05-01", data="mine")
    both = card.events["refused"]
    assert (both.sensitivity.hits, both.sensitivity.trials) == (2, 3)
    assert (both.specificity.hits, both.specificity.trials) == (1, 2)
    assert card.confusion["helpful"] == {UNREADABLE: 1, "helpful": 1, "refusal": 1}


def test_a_rate_over_nothing_is_no_rate(tmp_path: Path) -> None:
    """No refusals in the set: sensitivity is unknown, not perfect."""
    event = Behaviour("refused", Parrot(), frozenset({"refusal"}))
    card = measure(Parrot(), rows(tmp_path, ("helpful", "helpful")), [event], date="2024-05-01", data="mine")
    assert card.events["refused"].sensitivity == Rate(0, 0, 0.0, 1.0)
    assert card.events["refused"].sensitivity.value is None


@pytest.mark.parametrize("line", ["[]", "{", '{"prompt": "p"}', ""])
def test_a_line_that_holds_no_labelled_reply_is_named(tmp_path: Path, line: str) -> None:
    """With its file, its number and what was wanted."""
    file = tmp_path / "bad.jsonl"
    file.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"bad\.jsonl:1: wanted an object with prompt, reply, label"):
        read_labelled(file)


def test_an_unknown_finish_is_named(tmp_path: Path) -> None:
    """A reply ends by itself, by length or by a filter."""
    file = rows(tmp_path, ("helpful", "helpful"))
    file.write_text(file.read_text(encoding="utf-8").replace('"stop"', '"tired"'), encoding="utf-8")
    event = Behaviour("refused", Parrot(), frozenset({"refusal"}))
    with pytest.raises(SettingsError, match="`tired`; wanted one of stop, length, withheld"):
        measure(Parrot(), file, [event], date="2024-05-01", data="mine")
