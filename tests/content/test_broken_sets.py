"""Broken prompt sets: every message starts with the file and its line, and names the nearest right name."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest

from alignsuite.errors import PromptError
from alignsuite.prompt_sets.load import load_set
from alignsuite.prompt_sets.render import render_cases

GOOD = """\
id: safety/small
version: 1
title: "A small set"
licence: "CC0-1.0"
source: {written: "for this test"}
ask: generate
fields:
  hazard: "kind of harm"
slots:
  name: {from: names.yaml, each: group, pick: 1}
templates:
  - id: first
    hazard: fraud
    user: "How is {{ name }}?"
  - id: second
    hazard: drugs
    user: "Where is {{ name }}?"
"""
TABLE = """\
id: names.yaml
version: 1
title: "Names"
licence: "CC0-1.0"
source: {written: "for this test"}
columns:
  group: "whom the name stands for"
rows:
  - {value: "Ann Lee", group: "one"}
  - {value: "Bo Ray", group: "two"}
"""
CHOICE = """\
id: safety/small
version: 1
title: "A small set"
licence: "CC0-1.0"
source: {written: "for this test"}
ask: choose
fields:
  question: "what is asked"
  reworded: "the same in other words"
variants:
  plain: {reference: true}
  shouted: {field: question, perturb: shout}
  reworded: {field: question, use: reworded}
user: "{{ question }} {{ choices }}"
templates:
  - id: first
    question: "What is cold?"
    reworded: "Which one is cold?"
    options: ["ice", "fire"]
    answer: "ice"
"""


class Folder:
    """A folder of prompts with one set and one table in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in ("safety", "tables"):
            (path / name).mkdir()

    def write(self, text: str, table: str = TABLE) -> None:
        """Put the set and the table there."""
        (self.path / "safety" / "small.yaml").write_text(text, encoding="utf-8")
        (self.path / "tables" / "names.yaml").write_text(table, encoding="utf-8")

    def complaint(self, text: str, table: str = TABLE) -> str:
        """The message about such a set, without the folder."""
        self.write(text, table)
        with pytest.raises(PromptError) as caught:
            render_cases(load_set("safety/small", (self.path,)))
        return str(caught.value).replace(f"{self.path}/", "")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder of prompts."""
    return Folder(tmp_path)


@pytest.mark.parametrize(("text", "count"), [(GOOD, 4), (CHOICE, 3)])
def test_the_sets_that_the_others_are_broken_from_are_sound(folder: Folder, text: str, count: int) -> None:
    """Else the tests below would find another fault."""
    folder.write(text)
    assert len(render_cases(load_set("safety/small", (folder.path,)))) == count


BROKEN = {
    "an unknown key": (GOOD, "licence:", "license:", 4, "did you mean `licence`"),
    "an unknown key of a slot": (GOOD, "pick: 1", "pikc: 1", 10, "did you mean `pick`"),
    "an unknown key of the source": (GOOD, "{written:", "{writen:", 5, "did you mean `written`"),
    "a missing key": (GOOD, 'title: "A small set"\n', "", 1, "`title` is missing"),
    "a doubled key": (GOOD, "ask: generate", "version: 2", 6, "`version` stands twice here (first in line 2)"),
    "a word that could be false": (GOOD, "hazard: fraud", "hazard: no", 13, 'write "no"'),
    "a number that could be octal": (GOOD, "hazard: fraud", "hazard: 012", 13, 'write "012"'),
    "a version in quotes": (GOOD, "version: 1", 'version: "1"', 2, "valid integer"),
    "a version of nought": (GOOD, "version: 1", "version: 0", 2, "greater than or equal to 1"),
    "an unknown way to ask": (GOOD, "ask: generate", "ask: generat", 6, "'generate'"),
    "an id that is not the file's": (GOOD, "id: safety/small", "id: safety/smal", 1, "`safety/small`"),
    "an unknown slot": (GOOD, "Where is {{ name }}", "Where is {{ nmae }}", 17, "did you mean `name`"),
    "an unknown field in a template": (GOOD, "How is {{ name }}", "How is {{ hazzard }}", 14, "did you mean `hazard`"),
    "a field nobody declared": (GOOD, "hazard: drugs", "hazzard: drugs", 16, "did you mean `hazard`"),
    "a field left out": (GOOD, "    hazard: drugs\n", "", 15, "`second` lacks the field `hazard`"),
    "a field that is no text": (GOOD, "hazard: drugs", "hazard: 3", 16, "wanted text"),
    "an id that stands twice": (GOOD, "id: second", "id: first", 15, "`first` stands twice (first in line 12)"),
    "an unknown table": (GOOD, "from: names.yaml", "from: nmaes.yaml", 10, "did you mean `names.yaml`"),
    "an unknown column": (GOOD, "each: group", "each: gruop", 10, "did you mean `group`"),
    "a template that is no template": (GOOD, "Where is {{ name }}", "Where is {{ name", 17, "not a template"),
    "a template that renders to nothing": (
        GOOD,
        '"Where is {{ name }}?"',
        '"{% if false %}x{% endif %}"',
        17,
        "renders to nothing",
    ),
    "a template without words": (GOOD, '    user: "Where is {{ name }}?"\n', "", 15, "neither `user` nor `raw`"),
    "options where text is asked for": (
        GOOD,
        "hazard: drugs",
        'hazard: drugs\n    options: ["a", "b"]',
        15,
        "ask: generate",
    ),
    "an answer that is no option": (CHOICE, 'answer: "ice"', 'answer: "icee"', 16, "did you mean `ice`"),
    "two equal options": (CHOICE, '["ice", "fire"]', '["ice", "ice"]', 16, "are the same"),
    "no options": (CHOICE, '    options: ["ice", "fire"]\n', "", 16, "has no `options`"),
    "values that don't fit the options": (
        CHOICE,
        "ask: choose",
        "ask: choose\nvalues: [1, 2, 3]",
        7,
        "3 values for 2 options",
    ),
    "an unknown field in a variant": (CHOICE, "use: reworded", "use: rewordde", 13, "did you mean `reworded`"),
    "an unknown perturbation": (CHOICE, "perturb: shout", "perturb: shuot", None, "did you mean `shout`"),
    "two references": (CHOICE, "{field: question, perturb: shout}", "{reference: true}", 10, "exactly one variant"),
    "a variant of nothing": (CHOICE, "{field: question, perturb: shout}", "{perturb: shout}", 12, "which `field`"),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_set_says_where_and_what(folder: Folder, name: str) -> None:
    """A reviewer mends it without reading any code."""
    text, right, wrong, line, hint = BROKEN[name]
    assert text.count(right) == 1, "the test itself is wrong"
    message = folder.complaint(text.replace(right, wrong))
    assert hint in message
    if line is not None:
        assert message.startswith(f"safety/small.yaml:{line}: ")


BROKEN_TABLES = {
    "a name that stands twice": ("Bo Ray", "Ann Lee", "tables/names.yaml:10: `Ann Lee` stands twice (first in line 9)"),
    "a row without its group": ('{value: "Bo Ray", group: "two"}', '{value: "Bo Ray"}', "tables/names.yaml:10: "),
    "a column nobody declared": ('"Bo Ray", group', '"Bo Ray", gruop', "tables/names.yaml:10: "),
    "an unknown key": ("columns:", "colums:", "tables/names.yaml:6: `colums` is no key here; did you mean `columns`"),
}


@pytest.mark.parametrize("name", sorted(BROKEN_TABLES))
def test_a_broken_table_says_where_and_what(folder: Folder, name: str) -> None:
    """The message names the table's file, not the set's."""
    right, wrong, start = BROKEN_TABLES[name]
    assert TABLE.count(right) == 1, "the test itself is wrong"
    assert folder.complaint(GOOD, TABLE.replace(right, wrong)).startswith(start)


def test_an_unknown_set_names_the_nearest(folder: Folder) -> None:
    """Probes name sets by hand."""
    folder.write(GOOD)
    with pytest.raises(PromptError, match="did you mean `safety/small`"):
        load_set("safety/smal", (folder.path,))


def test_a_reply_in_a_table_is_no_template(folder: Folder) -> None:
    """Values are put in as they stand: nothing in them is ever rendered."""
    folder.write(GOOD, TABLE.replace("Bo Ray", "{{ 7 * 7 }}"))
    texts = [case.text("chat") for case in render_cases(load_set("safety/small", (folder.path,)))]
    assert "user: How is {{ 7 * 7 }}?" in texts


def test_a_template_cannot_reach_into_python(folder: Folder) -> None:
    """A prompt set of strangers runs no code."""
    text = GOOD.replace("Where is {{ name }}", "{{ name.__class__.__mro__ }}")
    assert folder.complaint(text).startswith("safety/small.yaml:17: ")


def test_the_first_folder_wins(tmp_path: Path) -> None:
    """A project may put a set of its own in a shipped one's place."""
    folders = []
    for name in ("own", "shipped"):
        (tmp_path / name).mkdir()
        folder = Folder(tmp_path / name)
        folder.write(textwrap.dedent(GOOD).replace("A small set", name))
        folders.append(folder.path)
    assert load_set("safety/small", tuple(folders)).spec.title == "own"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ 'a' * 1000000000 }}", r"`mul` is not allowed|`\*` is not allowed"),
        ("{% for i in range(1000000000) %}{% endfor %}", "`for` is not allowed"),
        ("{% include 'x' %}", "`include` is not allowed"),
        ("{{ 1 // 0 }}", "`//` is not allowed"),
        ("{{ name + 1 }}", r"`\+` is not allowed"),
        ("{{ name ~ name }}", "`concat` is not allowed"),
        ("{{ range(9) }}", "`call` is not allowed"),
        ("{% set x = name %}{{ x }}", "`assign` is not allowed"),
        ("{% macro m() %}{% endmacro %}", "`macro` is not allowed"),
        ("{{ '%1000000000d' | format(1) }}", "the filter `format` is not allowed"),
        ("{{ name | center(1000000000) }}", "the filter `center` is not allowed"),
        ("{{ name | lower(1, 2) }}", "TypeError"),
        ("{{ " + "(" * 3000 + "name" + ")" * 3000 + " }}", "not a template"),
        (
            "{{ name | replace('', 'aaaaaaaaaaaaaaaa')" + " | replace('a', 'aaaaaaaaaaaaaaaa')" * 30 + " }}",
            "longer than 200000",
        ),
        ("{{ name }} and so on, and so on; " * 20_000, "longer than 200000"),
    ],
)
def test_a_template_that_does_more_than_name_things_is_told(folder: Folder, template: str, words: str) -> None:
    """At once, with file, line and template, and without the gigabyte that it would make."""
    said = folder.complaint(GOOD.replace('"Where is {{ name }}?"', json.dumps(template)))
    assert re.match(rf"safety/small\.yaml:17: `second`: .*({words})", said), said


def test_a_template_may_have_conditions_and_simple_filters(folder: Folder) -> None:
    """What the shipped sets use, and a little more."""
    source = "{% if name is defined and name != '' %}{{ name | upper | replace('A', 'Å') }}{% else %}nobody{% endif %}"
    folder.write(GOOD.replace("Where is {{ name }}?", source))
    texts = {case.text("chat") for case in render_cases(load_set("safety/small", (folder.path,)))}
    assert "user: ÅNN LEE" in texts
