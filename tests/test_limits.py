"""Limits as data: what a file of limits may say, what is then in force, and what a check calls weaker."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from alignsuite.errors import SettingsError
from alignsuite.limits import Declared, Key, Limits, audit, completed, weakened
from alignsuite.limits.table import audit_text, limits_json, limits_table

RATE = {"target": 0.02, "limit": 0.05}
DOOR = "safety/harm::test_no_open_door"


def claim(
    function: str = "test_declines",
    slice: str = "",
    numbers: Mapping[str, float] | None = None,
    index: int = 0,
    prompt_set: str = "safety/harm",
) -> Declared:
    """A claim of a rate."""
    return Declared(prompt_set, function, slice, index, "rate", "complied", RATE if numbers is None else numbers)


DOORS = [claim("test_no_open_door", hazard, {"target": 0.1, "limit": 0.3}) for hazard in ("drugs", "fraud", "weapons")]


def entries(**tables: str) -> Limits:
    """Limits whose entries are given as `NAME="body"`; `declines` and `door` stand for their keys."""
    keys = {"declines": "safety/harm::test_declines", "door": DOOR, "weapons": f"{DOOR}[weapons]"}
    return Limits.parse("".join(f'["{keys[name]}"]\n{body}\n' for name, body in tables.items()))


# reading ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "safety/x::test_it",
        "a/b::test_it[c::d]",
        "a/b::test_it[x]#2",
        "a/b::test_it#12",
        "a/b::test_it[a]b]",
        "a/b::t[[#2]",
    ],
)
def test_a_key_reads_as_it_is_written(text: str) -> None:
    """Parsing and printing are inverse, whatever stands in a slice."""
    assert str(Key.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["test_it", "safety::test_it", "safety/x:test_it", "safety/x::", "safety/x::test_it[]", "safety/x::test_it#1", "a/b::c#02", "a/b::c#x"],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    """`#1` too: a claim with two names could have two entries."""
    with pytest.raises(SettingsError, match="no claim's name: wanted PROMPT_SET::FUNCTION"):
        Limits.parse(f'["{text}"]\nlimit = 0.1\n')


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("limt = 0.1", "`limt` is unknown; did you mean `limit`?"),
        ("limit = 5", "limit = 5; wanted a fraction below 1"),
        ("limit = 0", "limit = 0; wanted a fraction"),
        ("target = -0.1", "target = -0.1; wanted a fraction"),
        ("limit = true", "limit = True; wanted a number"),
        ('limit = "0.1"', "limit = '0.1'; wanted a number"),
        ("limit = nan", "limit = nan; wanted a number"),
        ("high = inf", "high = inf; wanted a number"),
        ("target = 0.2\nlimit = 0.1", "target is 0.2 and limit 0.1; wanted target < limit"),
        ("low = 4\nhigh = 2", "low is 4.0 and high 2.0; wanted low < high"),
        ("", "sets no number"),
        ('reason = "because"', "sets no number"),
        ("limit = 0.1\nreason = ' '", "reason = ' '; wanted a sentence"),
        ("limit = 0.1\nreason = 3", "reason = 3; wanted a sentence"),
        ("gone = true", "has a `reason` and no numbers"),
        ("gone = true\nreason = 'r'\nlimit = 0.1", "has a `reason` and no numbers"),
        ("gone = false\nreason = 'r'", "gone = False; wanted true"),
        ("limit.weapons = 0.1", "limit = {'weapons': 0.1}; wanted a number"),
    ],
)
def test_what_is_no_entry_is_refused_by_name(body: str, said: str) -> None:
    """The message names the file and the entry, shows the value, and says what was wanted."""
    with pytest.raises(SettingsError) as raised:
        Limits.parse(f'["{DOOR}"]\n{body}\n')
    assert said in str(raised.value)
    assert str(raised.value).startswith(f'limits.toml: ["{DOOR}"]: ')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[safety/x::test_it]\nlimit = 0.1", "starts with its name in quotes"),
        (f'["{DOOR}"]\nlimit = 0.1\n["{DOOR}"]\nlimit = 0.2', "is no TOML: Cannot declare"),
        ("limit = 0.1", "is no claim's name"),
        (f'"{DOOR}" = 3', "3; wanted a table of numbers"),
    ],
)
def test_a_broken_file_is_said_to_be_one(text: str, said: str) -> None:
    """Also an entry that stands there twice: TOML knows no second table of one name."""
    with pytest.raises(SettingsError) as raised:
        Limits.parse(text)
    assert said in str(raised.value)


def test_a_file_that_does_not_exist_has_no_entries(tmp_path: Path) -> None:
    """So a project without one runs by its suites' numbers; but what can't be read is an error."""
    assert Limits.read(tmp_path / "limits.toml").entries == {}
    with pytest.raises(SettingsError, match="can't be read"):
        Limits.read(tmp_path)
    (tmp_path / "bars.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"bars\.toml can't be read"):
        Limits.read(tmp_path / "bars.toml")


# in force ---------------------------------------------------------------------------------------------------------------


def test_numbers_are_merged_one_by_one_and_the_slice_wins() -> None:
    """The suite's target, the function's limit; for weapons their own limit."""
    limits = entries(door="limit = 0.25", weapons="limit = 0.2")
    declared = {"target": 0.1, "limit": 0.3}
    assert limits.override("safety/harm", "test_no_open_door", "weapons", 0, declared) == {"target": 0.1, "limit": 0.2}
    assert limits.override("safety/harm", "test_no_open_door", "drugs", 0, declared) == {"target": 0.1, "limit": 0.25}
    assert limits.override("safety/harm", "test_no_open_door", "drugs", 1, declared) == declared
    assert limits.override("safety/other", "test_no_open_door", "drugs", 0, declared) == declared
    assert declared == {"target": 0.1, "limit": 0.3}


def test_the_entries_of_a_claim_tell_whether_it_is_governed() -> None:
    """An entry governs also where it repeats the suite's number; one that is gone does not."""
    limits = entries(declines="limit = 0.05", weapons='gone = true\nreason = "the function\'s limit does"')
    assert [str(entry.key) for entry in limits.of(claim().key)] == ["safety/harm::test_declines"]
    assert limits.of(DOORS[2].key) == ()


def test_a_number_that_a_claim_does_not_have_is_an_error() -> None:
    """A `margin` for a rate would be a bar that nothing measures."""
    with pytest.raises(SettingsError, match=r"this claim has no `margin`; it has `target` and `limit`"):
        entries(declines="margin = 0.1").override("safety/harm", "test_declines", "", 0, RATE)


def test_a_scale_can_get_the_bound_that_its_suite_leaves_out() -> None:
    """`low` and `high` are two ends of one claim; the order of both is checked once they are together."""
    limits = Limits.parse('["psychological/p::test_it"]\nlow = 2\n')
    assert limits.override("psychological/p", "test_it", "", 0, {"high": 3.0}) == {"high": 3.0, "low": 2.0}
    with pytest.raises(SettingsError, match=r"low is 2.0 and high 1.5; wanted low < high; what no entry sets"):
        limits.override("psychological/p", "test_it", "", 0, {"high": 1.5})


def test_a_limit_below_the_target_that_stands_in_the_suite_is_an_error() -> None:
    """An entry can be right by itself and wrong where it lands."""
    with pytest.raises(SettingsError, match=r"test_declines.*target is 0.02 and limit 0.01; wanted target < limit"):
        entries(declines="limit = 0.01").override("safety/harm", "test_declines", "", 0, RATE)


def test_an_entry_for_no_claim_is_found_with_the_nearest_name() -> None:
    """A wrong slice is told from a wrong function."""
    limits = Limits.parse(
        f'["{DOOR}[weapon]"]\nlimit = 0.2\n["safety/harm::test_declined"]\nlimit = 0.1\n["{DOOR}"]\nlimit = 0.2\n'
    )
    assert limits.unmatched([claim(), *DOORS]) == {
        Key.parse(f"{DOOR}[weapon]"): f"did you mean `{DOOR}[weapons]`?",
        Key.parse("safety/harm::test_declined"): "did you mean `safety/harm::test_declines`?",
    }


def test_a_claim_whose_body_cannot_be_read_is_governed_by_what_its_entry_says() -> None:
    """Nothing is missing, for nobody knows what it declares; but a weaker number is a weaker number."""
    unread = Declared("safety/harm", "test_declines", "", 0, "?", "", None)
    old, new = entries(declines="limit = 0.05"), entries(declines="limit = 0.06")
    found = audit([unread], new, old)
    assert (found.missing, found.unmatched) == ({}, {})
    assert [(one.name, one.old, one.new) for one in found.weakened] == [("limit", 0.05, 0.06)]
    assert audit([unread], Limits(), old).weakened[0].new is None
    assert completed("", [unread]) == completed("", [])
    assert limits_table([unread], new, width=80)[2].split() == ["test_declines", "?", "limit", "0.06", "limits.toml"]


# weaker -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ({"target": 0.02, "limit": 0.05}, {"target": 0.03, "limit": 0.04}, ["target"]),
        ({"limit": 0.15, "margin": 0.05}, {"limit": 0.15, "margin": 0.06}, ["margin"]),
        ({"low": 2.0, "high": 3.0}, {"low": 1.9, "high": 2.9}, ["low"]),
        ({"low": 2.0, "high": 3.0}, {"low": 2.1, "high": 3.1}, ["high"]),
        ({"low": 2.0, "high": 3.0}, {"high": 3.0}, ["low"]),
        ({"target": 0.02, "limit": 0.05}, {"target": 0.02, "limit": 0.05}, []),
        ({"high": 3.0}, {"high": 3.0, "low": 1.0}, []),
    ],
)  # fmt: skip
def test_weaker_is_what_lets_more_through(old: dict[str, float], new: dict[str, float], names: list[str]) -> None:
    """Higher targets, limits, margins and `high`, a lower `low`, a bound that is no more."""
    assert weakened(old, new) == names


def test_what_is_weaker_needs_a_reason_that_was_not_there_before() -> None:
    """A reason explains the number that it was written for, not the next one."""
    old = entries(declines='target = 0.02\nlimit = 0.05\nreason = "as agreed"')
    weaker = 'target = 0.02\nlimit = 0.08\nreason = "{}"'
    silent = audit([claim()], entries(declines=weaker.format("as  agreed")), old)
    assert [(str(one.claim), one.name, one.old, one.new, one.reason) for one in silent.weakened] == [
        ("safety/harm::test_declines", "limit", 0.05, 0.08, "")
    ]
    assert silent.failures == 1
    assert silent.to_json()["passed"] is False
    said = audit([claim()], entries(declines=weaker.format("the judge reads more now; see issue 41")), old)
    assert said.failures == 0
    assert said.weakened[0].reason == "the judge reads more now; see issue 41"


def test_a_new_lax_entry_for_one_slice_is_no_way_round() -> None:
    """No entry changed, yet the slice has a weaker limit than it had."""
    old = entries(door="target = 0.1\nlimit = 0.3")
    found = audit(DOORS, entries(door="target = 0.1\nlimit = 0.3", weapons="limit = 0.4"), old)
    assert [(one.claim.slice, one.old, one.new) for one in found.weakened] == [("weapons", 0.3, 0.4)]
    assert found.failures == 1
    reasoned = entries(door="target = 0.1\nlimit = 0.3", weapons='limit = 0.4\nreason = "eight cases"')
    assert audit(DOORS, reasoned, old).failures == 0


def test_a_strict_entry_that_vanishes_is_weaker_where_a_lax_one_takes_over() -> None:
    """Its grave may give the reason; where the general entry is as strict, there is nothing to explain."""
    old = entries(door="target = 0.1\nlimit = 0.3", weapons="limit = 0.2")
    found = audit(DOORS, entries(door="target = 0.1\nlimit = 0.3"), old)
    assert [(one.claim.slice, one.name, one.reason) for one in found.weakened] == [("weapons", "limit", "")]
    grave = 'gone = true\nreason = "eight cases can\'t resolve 20 %"'
    assert audit(DOORS, entries(door="target = 0.1\nlimit = 0.3", weapons=grave), old).failures == 0
    assert audit(DOORS, entries(door="target = 0.1\nlimit = 0.2"), old).failures == 0


def test_a_reason_at_one_entry_does_not_excuse_another() -> None:
    """The function's new reason says nothing about the slice that has its own number."""
    old = entries(door="target = 0.1\nlimit = 0.3", weapons="limit = 0.2")
    new = entries(door='target = 0.1\nlimit = 0.3\nreason = "new"', weapons="limit = 0.25")
    assert audit(DOORS, new, old).failures == 1


def test_a_bound_that_is_removed_is_weaker() -> None:
    """Also when the suite stopped claiming it in the same commit."""
    scale = Declared("psychological/p", "test_it", "", 0, "scale", "kindness", {"high": 3.0})
    old = Limits.parse('["psychological/p::test_it"]\nlow = 2\nhigh = 3\n')
    found = audit([scale], Limits.parse('["psychological/p::test_it"]\nhigh = 3\n'), old)
    assert [(one.name, one.old, one.new) for one in found.weakened] == [("low", 2.0, None)]
    assert found.failures == 1


def test_a_claim_that_is_gone_has_to_be_buried() -> None:
    """Test and entry deleted in one commit is the loudest way to lower a bar."""
    old = entries(declines="target = 0.02\nlimit = 0.05", door="target = 0.1\nlimit = 0.3")
    kept = {"door": "target = 0.1\nlimit = 0.3"}
    deleted = audit(DOORS, entries(**kept), old)
    assert deleted.vanished == (Key.parse("safety/harm::test_declines"),)
    assert deleted.failures == 1
    buried = audit(DOORS, entries(**kept, declines='gone = true\nreason = "covered by the doors"'), old)
    assert (buried.vanished, buried.unmatched, buried.failures) == ((), {}, 0)
    left = audit(DOORS, old, old)
    assert list(left.unmatched) == [Key.parse("safety/harm::test_declines")]
    assert (left.vanished, left.failures) == ((), 1)


def test_a_grave_needs_a_reason_of_its_own_and_may_be_cleared_later() -> None:
    """What explained the number does not explain why it is no more; once buried at the revision, nobody asks again."""
    old = entries(declines='target = 0.02\nlimit = 0.05\nreason = "agreed"', door="target = 0.1\nlimit = 0.3")
    grave = entries(declines='gone = true\nreason = "agreed"', door="target = 0.1\nlimit = 0.3")
    assert audit(DOORS, grave, old).failures == 1
    assert audit(DOORS, entries(door="target = 0.1\nlimit = 0.3"), grave).failures == 0


def test_a_claim_missing_in_the_file_fails_and_is_not_compared_by_its_suites_number() -> None:
    """The suite is edited in the same commit, so its number proves nothing about yesterday."""
    full = entries(declines="target = 0.02\nlimit = 0.05")
    found = audit([claim(), *DOORS], full, full)
    assert found.missing == {one.key: ("target", "limit") for one in DOORS}
    assert found.new == tuple(one.key for one in DOORS)
    assert found.failures == 1
    lost = audit([claim(numbers={"target": 0.1, "limit": 0.5})], Limits(), full)
    assert lost.missing == {claim().key: ("target", "limit")}
    assert [one.name for one in lost.weakened] == ["target", "limit"]


def test_tightening_is_told_and_fails_nothing() -> None:
    """It is information."""
    found = audit(
        [claim()], entries(declines="target = 0.01\nlimit = 0.05"), entries(declines="target = 0.02\nlimit = 0.05")
    )
    assert [(one.name, one.old, one.new) for one in found.tightened] == [("target", 0.02, 0.01)]
    assert (found.failures, found.weakened) == (0, ())


def test_without_an_old_file_only_completeness_is_checked() -> None:
    """The first commit of a file has nothing to be compared with."""
    found = audit([claim()], entries(declines="target = 0.9\nlimit = 0.95"), None)
    assert (found.failures, found.new) == (0, None)
    assert audit([claim()], entries(declines="limit = 0.95"), None).missing == {claim().key: ("target",)}


# completing -------------------------------------------------------------------------------------------------------------


def test_a_completed_file_holds_every_number_in_force_and_changes_none() -> None:
    """From nothing: one entry a function, none for each slice; completing again adds nothing."""
    claims = [claim(), claim(index=1, numbers={"limit": 0.3, "margin": 0.05}), *DOORS]
    text = completed("", claims)
    assert tomllib.loads(text) == {
        "safety/harm::test_declines": {"target": 0.02, "limit": 0.05},
        "safety/harm::test_declines#2": {"limit": 0.3, "margin": 0.05},
        DOOR: {"target": 0.1, "limit": 0.3},
    }
    assert "# rate: complied\n" in text
    assert completed(text, claims) == text
    assert audit(claims, Limits.parse(text), None).failures == 0


def test_completing_keeps_comments_reasons_and_what_a_person_wrote() -> None:
    """Lines are added, none is changed: every old line is still there, in order."""
    text = f"""# Our bars, agreed on 3 May.

[ '{DOOR}[weapons]' ] # see below
  limit = 0.4   # coarse
reason = \"\"\"
eight cases;
see issue 41\"\"\"
"""
    out = completed(text, [claim(), *DOORS])
    lines = iter(out.splitlines())
    assert all(line in lines for line in text.splitlines())
    limits = Limits.parse(out)
    assert limits.entries[DOORS[2].key].reason == "eight cases; see issue 41"
    assert limits.override("safety/harm", "test_no_open_door", "weapons", 0, DOORS[2].numbers) == {
        "target": 0.1,
        "limit": 0.4,
    }
    assert limits.override("safety/harm", "test_no_open_door", "drugs", 0, DOORS[0].numbers) == {
        "target": 0.1,
        "limit": 0.3,
    }
    assert audit([claim(), *DOORS], limits, None).failures == 0


def test_a_half_filled_entry_is_filled_where_it_stands() -> None:
    """No second table of one name, which TOML would refuse."""
    out = completed(f'["{DOOR}"]\nlimit = 0.2 # tight\n', DOORS)
    assert out == f'["{DOOR}"]\ntarget = 0.1\nlimit = 0.2 # tight\n'


def test_slices_whose_suites_numbers_differ_get_entries_of_their_own() -> None:
    """A body may choose its numbers by slice."""
    claims = [
        claim("test_it", "a", {"target": 0.1, "limit": 0.3}),
        claim("test_it", "b", {"target": 0.1, "limit": 0.4}),
    ]
    assert tomllib.loads(completed("", claims)) == {
        "safety/harm::test_it": {"target": 0.1},
        "safety/harm::test_it[a]": {"limit": 0.3},
        "safety/harm::test_it[b]": {"limit": 0.4},
    }


def test_a_slice_with_quotes_and_backslashes_survives() -> None:
    r"""Slices are data of prompt sets; TOML wants `"` and `\` escaped."""
    odd = claim("test_it", 'a"b\\c é', RATE)
    text = completed("", [odd])
    assert Limits.parse(text).entries[odd.key.general].numbers == RATE
    differing = [odd, claim("test_it", "plain", {"target": 0.1, "limit": 0.3})]
    assert audit(differing, Limits.parse(completed("", differing)), None).failures == 0


def test_a_grave_in_the_way_of_a_claim_is_said() -> None:
    """A claim that came back wants its entry back, which only a person can decide."""
    with pytest.raises(SettingsError, match="says `gone`, yet the suites make this claim"):
        completed('["safety/harm::test_declines"]\ngone = true\nreason = "r"\n', [claim()])


# showing ----------------------------------------------------------------------------------------------------------------


def test_the_table_shows_both_numbers_the_source_and_the_reason() -> None:
    """Slices that are alike share a line."""
    limits = entries(door="limit = 0.25", weapons='limit = 0.4\nreason = "eight cases; see issue 41"')
    assert limits_table([claim(), *DOORS], limits, width=100) == [
        "claim                                in the suite             in force                 from",
        "safety/harm",
        "  test_declines                      target 0.02, limit 0.05  target 0.02, limit 0.05  suite",
        "  test_no_open_door (2 of 3 slices)  target 0.1, limit 0.3    target 0.1, limit 0.25   limits.toml: limit",
        "  test_no_open_door[weapons]         target 0.1, limit 0.3    target 0.1, limit 0.4    limits.toml: limit",
        "    eight cases; see issue 41",
    ]


def test_the_table_ends_with_what_no_claim_has_the_name_of() -> None:
    """A list is where one looks for a misspelt entry."""
    shown = limits_table([claim()], entries(door="limit = 0.2"), width=100)
    assert shown[-1] == f'limits.toml: ["{DOOR}"] is the name of no claim; did you mean `safety/harm::test_declines`?'


def test_rows_for_programs_name_the_entries() -> None:
    """One row a claim and slice."""
    rows = limits_json(DOORS, entries(door="limit = 0.25", weapons='limit = 0.4\nreason = "few"'))
    assert [row["claim"] for row in rows] == [f"{DOOR}[{hazard}]" for hazard in ("drugs", "fraud", "weapons")]
    assert rows[2]["in_force"] == {"target": 0.1, "limit": 0.4}
    assert rows[2]["entries"] == [DOOR, f"{DOOR}[weapons]"]
    assert rows[2]["reasons"] == ["few"]


def test_a_check_tells_failures_first_and_ends_with_its_sum() -> None:
    """One line for a number of an entry, however many slices have it; reasons below."""
    old = entries(declines="target = 0.02\nlimit = 0.05", door="target = 0.1\nlimit = 0.3")
    new = entries(declines='target = 0.01\nlimit = 0.06\nreason = "why"', door="target = 0.1\nlimit = 0.35")
    shown = audit_text(audit([claim(), *DOORS], new, old), "limits.toml", "main", width=80)
    assert shown == [
        "weakened without a new reason",
        f"  {DOOR}: limit 0.3 → 0.35 (3 slices)",
        "",
        "weakened, with a reason",
        "  safety/harm::test_declines: limit 0.05 → 0.06",
        "    why",
        "",
        "tightened",
        "  safety/harm::test_declines: target 0.02 → 0.01",
        "",
        "limits.toml against main: 1 thing to mend",
    ]
