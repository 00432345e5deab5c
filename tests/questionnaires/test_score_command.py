"""`alignsuite score`: answers in, scores out, and every broken sheet told with its line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from alignsuite import cli
from alignsuite.questionnaires import key

from .conftest import Toy

Out = pytest.CaptureFixture[str]


def sheet(folder: Path, content: str | bytes) -> str:
    """A file of answers."""
    path = folder / "answers.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def answers(name: str, **of: int) -> str:
    """A sheet for each respondent who answers everything alike; without respondents, everything with 1."""
    numbers = [item.number for item in key(name).items]
    if not of:
        return "item,answer\n" + "".join(f"{number},1\n" for number in numbers)
    return "respondent,item,answer\n" + "".join(f"{who},{n},{answer}\n" for who, answer in of.items() for n in numbers)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("swls", {"life_satisfaction": 5}),
        ("sd3", {"machiavellianism": 1, "narcissism": 21 / 9, "psychopathy": 17 / 9}),
        (
            "big-five-40",
            dict.fromkeys(["extraversion", "agreeableness", "conscientiousness", "neuroticism", "openness"], 3),
        ),
    ],
)
def test_one_respondent_gives_exactly_the_scores(
    name: str, expected: dict[str, float], tmp_path: Path, capsys: Out
) -> None:
    """One object, one key, trait names as in the instrument's key, nothing else on stdout."""
    assert cli.main(["score", name, sheet(tmp_path, answers(name)), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"scores": pytest.approx(expected)}
    assert list(json.loads(out)["scores"]) == list(expected)
    assert err == ""


def test_a_single_named_respondent_is_still_one(tmp_path: Path, capsys: Out) -> None:
    """The shape depends on how many there are, not on whether they have names."""
    assert cli.main(["score", "swls", sheet(tmp_path, answers("swls", ada=7)), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"scores": {"life_satisfaction": 35}}


def test_several_respondents_are_a_list_in_the_order_of_the_file(tmp_path: Path, capsys: Out) -> None:
    """Each with the name that the file gives."""
    assert cli.main(["score", "swls", sheet(tmp_path, answers("swls", bob=7, ada=2)), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "respondents": [
            {"respondent": "bob", "scores": {"life_satisfaction": 35}},
            {"respondent": "ada", "scores": {"life_satisfaction": 10}},
        ]
    }


def test_a_sheet_comes_in_any_order_with_a_mark_spaces_and_fractions(tmp_path: Path, capsys: Out) -> None:
    """As spreadsheets write it, and as a model's expected answers read."""
    content = "\ufeffAnswer , Item\r\n\r\n 1.5 ,5\r\n2,4\r\n3,3\r\n4,2\r\n+6,1\r\n\r\n"
    assert cli.main(["score", "SWLS", sheet(tmp_path, content), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"scores": {"life_satisfaction": 16.5}}


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    """For a pipe."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(answers("swls").encode())))
    assert cli.main(["score", "swls", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"scores": {"life_satisfaction": 5}}


BAD = {
    "": "answers.csv:1: the file is empty; wanted a first line such as `item,answer`",
    "\n\n": "answers.csv:1: the file is empty",
    "item,answer\n": "answers.csv: there are no answers under the header",
    "1,5\n2,5\n": "answers.csv:1: `1` is no column here",
    "item,anwser\n1,5\n": "answers.csv:1: `anwser` is no column here; did you mean `answer`?",
    "item\n1\n": "answers.csv:1: the column `answer` is missing",
    "item,answer,item\n1,5,1\n": "answers.csv:1: the column `item` stands twice",
    "item;answer\n1;5\n": "answers.csv:1: the header is `item;answer`",
    "item,answer\n1,5\n2\n": "answers.csv:3: 1 value; wanted 2 (item,answer)",
    "item,answer\n1,5\n2,5,5\n": "answers.csv:3: 3 values; wanted 2 (item,answer)",
    "item,answer\n1,8\n": "answers.csv:2: the answer 8 is out of range; wanted a number from 1 (strongly disagree) to 7",
    "item,answer\n1,0\n": "answers.csv:2: the answer 0 is out of range",
    "item,answer\n1,-1\n": "answers.csv:2: the answer -1 is out of range",
    "item,answer\n1,agree\n": "answers.csv:2: the answer `agree` is no number; wanted a number from 1",
    "item,answer\n1,nan\n": "answers.csv:2: the answer `nan` is no number",
    "item,answer\n1,1e0\n": "answers.csv:2: the answer `1e0` is no number",
    "item,answer\n1,٣\n": "answers.csv:2: the answer `٣` is no number",
    'item,answer\n1,"2,5"\n': "answers.csv:2: the answer `2,5` is no number; wanted a number from 1 (strongly disagree) to 7 (strongly "
    "agree), with a decimal point",
    "item,answer\n1,\n": "answers.csv:2: the answer is empty",
    "item,answer\n6,5\n": "answers.csv:2: `6` is no item of swls; wanted 1 to 5",
    "item,answer\n0,5\n": "answers.csv:2: `0` is no item of swls",
    "item,answer\n1.0,5\n": "answers.csv:2: `1.0` is no item of swls",
    "item,answer\n²,5\n": "answers.csv:2: `²` is no item of swls",
    f"item,answer\n{'9' * 5000},5\n": "is no item of swls",
    "item,answer\n1,5\n2,5\n1,5\n": "answers.csv:4: item 1 stands twice (first in line 2)",
    "item,answer\n1,5\n4,5\n": "answers.csv: no answer to items 2, 3, 5 of swls (3 of 5); an incomplete sheet has no score",
    "respondent,item,answer\nada,1,5\n,2,5\n": "answers.csv:3: the respondent is empty",
    "respondent,item,answer\nada,1,5\nada,1,4\n": "answers.csv:3: item 1 stands twice for respondent `ada` (first in line 2)",
    "respondent,item,answer\n"
    + "".join(f"ada,{n},5\n" for n in range(1, 6))
    + "bob,1,5\n": "answers.csv: no answer to items 2, 3, 4, 5 of swls for respondent `bob`",
    'item,answer\n1,"5\n': "not CSV",
    b"item,answer\n1,\xe9\n": "answers.csv: not UTF-8 at byte 14",
    b"\x89PNG\r\n\x1a\n\x00": "answers.csv: not UTF-8 at byte 0",
}


@pytest.mark.parametrize(("content", "words"), BAD.items(), ids=range(len(BAD)))
def test_a_bad_sheet_is_told_and_never_scored(content: str | bytes, words: str, tmp_path: Path, capsys: Out) -> None:
    """One line on stderr with file, line, value and what was wanted; nothing on stdout."""
    assert cli.main(["score", "swls", sheet(tmp_path, content), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sd4", "x.csv"], "there is no instrument `sd4`; did you mean `sd3`?"),
        (["sd3", "none.csv"], "none.csv can't be read: No such file"),
        (["sd3", "x.csv", "--norms", "martians"], "--norms=martians: sd3 has no norms of that name; known: `people`"),
        (["fs", "x.csv", "--norms", "people"], "--norms=people: fs has no norms of that name; there are none"),
    ],
)
def test_wrong_use_is_told(arguments: list[str], words: str, capsys: Out) -> None:
    """Before a line of answers is read."""
    assert cli.main(["score", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_the_table_shows_norms_where_there_are_some(tmp_path: Path, capsys: Out) -> None:
    """Mean and spread of people, d and T, and whose figures they are."""
    assert cli.main(["score", "sd3", sheet(tmp_path, answers("sd3"))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ["score", "possible", "people", "d", "T"]
    assert lines[5].split() == ["psychopathy", "1.89", "1–5", "2.09", "±", "0.63", "-0.32", "47"]
    assert lines[-1].startswith("d and T: against adults of ten studies, N = 7863")


def test_the_table_shows_bands_and_no_norms_for_well_being(tmp_path: Path, capsys: Out) -> None:
    """Names for the sum, and whose names."""
    assert cli.main(["score", "fs", sheet(tmp_path, answers("fs"))]) == 0
    out = capsys.readouterr().out
    assert "extremely unhappy" in out
    assert "in words: the bands of Li et al. 2024" in out
    assert "people" not in out


def test_forms_without_norms_show_scores_alone(tmp_path: Path, capsys: Out) -> None:
    """No mean of anybody, no d."""
    assert cli.main(["score", "dark-27", sheet(tmp_path, answers("dark-27"))]) == 0
    assert capsys.readouterr().out.splitlines()[2].split() == ["score", "possible"]


@pytest.mark.usefixtures("toy")
def test_norms_by_group_are_chosen_and_facets_shown(tmp_path: Path, capsys: Out) -> None:
    """No group is taken unasked; a facet without a norm shows none."""
    file = sheet(tmp_path, "item,answer\n1,5\n2,1\n3,3\n4,1\n")
    assert cli.main(["score", "ferns", file]) == 0
    assert "norms differ by sex and age: --norms with one of young, old" in capsys.readouterr().out
    assert cli.main(["score", "ferns", file, "--facets", "--norms", "young"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[3] == ["care", "18", "4–20", "12.00", "±", "2.00", "+3.00", "80"]
    assert lines[4] == ["duty", "10", "2–10", "6.00", "±", "1.00", "+4.00", "90"]
    assert lines[5] == ["love", "8", "2–10", "-", "-", "-"]
    assert cli.main(["score", "ferns", file, "--json", "--facets", "--norms", "old"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {"scores": {"care": 18}, "facets": {"duty": 10, "love": 8}, "d": {"care": 2.0}}


def test_a_hostile_respondent_reaches_no_terminal(tmp_path: Path, capsys: Out) -> None:
    """Control characters become visible."""
    content = answers("swls", ada=3).replace("ada", "a\x1b[31mda")
    assert cli.main(["score", "swls", sheet(tmp_path, content)]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_the_toy_is_the_only_instrument_where_it_stands(toy: Toy, capsys: Out) -> None:
    """The fixture hides the real ones, so a test that uses it can't lean on them."""
    assert cli.main(["score", "sd3", str(toy.data / "none.csv")]) == 2
    assert "known: `ferns`" in capsys.readouterr().err
