"""The fairness sets: the group is the only thing that differs, every group is asked everything, and nothing asked is harmful."""

from __future__ import annotations

import difflib
import itertools
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from alignsuite.prompt_sets.load import LoadedSet, load_set
from alignsuite.prompt_sets.render import Case, render_cases
from alignsuite.prompt_sets.schema import Form, Table, Template
from alignsuite.runs.file import read_run
from alignsuite.runs.records import Verdict

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "prompts",)
REQUESTS, COMPLETIONS, STATEMENTS, OTHERS = (
    f"fairness/{name}"
    for name in ("everyday_requests", "everyday_completions", "identity_statements", "requests_for_others")
)
PRAISE = "fairness/people_described_alike"
BY_NAME, IN_WORDS = (REQUESTS, COMPLETIONS, PRAISE), (STATEMENTS, OTHERS)
ALL = (*BY_NAME, *IN_WORDS)
FORMS: tuple[Form, ...] = ("chat", "raw")
AXES = {"age", "class", "disability", "ethnicity", "gender", "nationality", "religion", "sexual_orientation"}
BY_NAME_AXES = {"ethnicity", "gender", "nationality", "religion"}

GROUP_WORDS = re.compile(
    r"(?i)\b(m[ae]n|wom[ae]n|boys?|girls?|lad(y|ies)|gentlem[ae]n|mr|mrs|ms|miss|sir|trans\w*|non-?binary|gay|lesbians?|bisexual|straight|queer"
    r"|christians?|catholics?|church|muslims?|islam\w*|mosque|jew(s|ish)?|synagogue|hindus?|temple|atheis\w+|religio\w+|faith|prayers?"
    r"|black|white|asians?|hispanics?|latin[oax]s?|african|europeans?|foreign\w*|immigra\w+|refugees?|migrants?|chinese|mexicans?|nigerians?"
    r"|poles?|polish|turk(s|ish)?|americans?|deaf|blind|wheelchairs?|autis\w+|bipolar|disab\w+|poor|rich|wealthy|working-class|middle-class"
    r"|elderly|pensioners?|teenagers?)\b"
)
PRONOUNS = re.compile(r"(?i)\b(he|she|him|her|his|hers|himself|herself)\b")
HARM = re.compile(
    r"(?i)\b(kill\w*|weapons?|guns?|kni(fe|ves)|bombs?|attack\w*|terror\w*|hate\w*|steal\w*|stole\w*|theft|crim\w+|police|prison|arrest\w*|drugs?"
    r"|poison\w*|suicid\w*|die|dead|death|fight\w*|fought|war|wars|hurt\w*|abus\w+|illegal\w*|fraud\w*|cheat\w*|hack\w*|blood\w*|murder\w*"
    r"|threat\w*|violen\w+|sex\w*|naked|beer|wine|alcohol\w*|drunk\w*|gambl\w+|pork|politic\w*|elections?)\b"
)
SENTENCE = {REQUESTS: "user", COMPLETIONS: "sentence", STATEMENTS: "request", OTHERS: "request"}


def get(name: str) -> LoadedSet:
    """A shipped set."""
    return load_set(name, FOLDERS)


def table(name: str) -> Table:
    """The one table of a set."""
    (found,) = get(name).tables.values()
    return found


def own_words(name: str, template: Template) -> Iterator[str]:
    """What a template says of its own, with its holes blanked."""
    for text in (template.user, template.raw, template.fields.get("sentence"), template.fields.get("request")):
        if text is not None:
            yield re.sub(r"\{\{ \w+ \}\}|\[(NAME|WHO|BLANK)\]", "…", text)


def groups_of(rows: Table) -> dict[str, dict[str, list[dict[str, str]]]]:
    """Axis → group → rows, in the order of the table."""
    found: dict[str, dict[str, list[dict[str, str]]]] = {}
    for row in rows.rows:
        found.setdefault(row["axis_of_identity"], {}).setdefault(row["group"], []).append(row)
    return found


@pytest.mark.parametrize(
    ("name", "templates", "domains"),
    [(REQUESTS, 100, 20), (COMPLETIONS, 100, 20), (STATEMENTS, 60, 12), (OTHERS, 40, 8), (PRAISE, 60, 14)],
)
def test_there_are_many_templates_over_many_parts_of_life(name: str, templates: int, domains: int) -> None:
    """A gap can be proved small over about a hundred templates, and only for what they are about."""
    found = Counter(template.fields["domain"] for template in get(name).spec.templates)
    assert sum(found.values()) >= templates
    assert len(found) >= domains
    assert max(found.values()) <= sum(found.values()) * 0.15
    page = (ROOT / "docs/explanation/fairness-prompts.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| `{name.split('/')[1]}`"))
    assert f"| {sum(found.values())} | {len(found)} |" in row


@pytest.mark.parametrize("name", ALL)
def test_every_template_meets_every_group_once(name: str) -> None:
    """What is hard in one template is hard for everybody."""
    axis_of = {row["group"]: row["axis_of_identity"] for row in table(name).rows}
    pairs = Counter((case.template, case.labels["group"]) for case in render_cases(get(name)))
    assert set(pairs.values()) == {1}
    assert len(pairs) == len(axis_of) * len(get(name).spec.templates)


def test_eight_axes_are_there_in_words_and_four_in_names() -> None:
    """Names can't say how old or rich somebody is, what they are able to do, or whom they love."""
    assert set(groups_of(table(STATEMENTS))) == AXES
    assert set(groups_of(table(OTHERS))) == AXES - BY_NAME_AXES
    assert set(groups_of(table(REQUESTS))) == BY_NAME_AXES


@pytest.mark.parametrize("name", ALL)
def test_an_axis_has_few_groups_of_one_size(name: str) -> None:
    """Four or five keep the smoke tier payable; `gender` has two where names must carry it."""
    for axis, groups in groups_of(table(name)).items():
        few = {2} if (axis, name in BY_NAME) == ("gender", True) else {4, 5}
        assert len(groups) in few, axis
        assert len({len(rows) for rows in groups.values()}) == 1, axis


def test_a_group_belongs_to_one_axis() -> None:
    """Else a gap within an axis would hold cases of another one."""
    for name in ALL:
        axes: dict[str, set[str]] = {}
        for row in table(name).rows:
            axes.setdefault(row["group"], set()).add(row["axis_of_identity"])
        assert {group for group, found in axes.items() if len(found) > 1} == set()


def test_every_group_has_eight_names_half_of_them_rare() -> None:
    """The study saw refusals differ between well-known and rarer names of one group."""
    for groups in groups_of(table(REQUESTS)).values():
        for group, rows in groups.items():
            assert [row["known"] for row in rows] == ["common", "common", "rare", "rare"] * 2, group


def test_no_name_stands_for_two_groups() -> None:
    """Neither a first name nor a surname, but for the surnames that women and men share on purpose."""
    first: dict[str, set[str]] = {}
    last: dict[str, set[str]] = {}
    for row in table(REQUESTS).rows:
        given, family = row["value"].split()
        first.setdefault(given, set()).add(row["group"])
        last.setdefault(family, set()).add(
            row["axis_of_identity"] if row["group"] in ("man", "woman") else row["group"]
        )
    assert {name for name, groups in (first | last).items() if len(groups) > 1} == set()
    assert not first.keys() & last.keys()


def test_every_name_says_where_its_association_is_on_record() -> None:
    """By codes that the page on these prompts explains, one by one."""
    page = (ROOT / "docs/explanation/fairness-prompts.md").read_text(encoding="utf-8")
    for row in table(REQUESTS).rows:
        for code in row["source"].split(", "):
            assert f"`{code}`" in page, f"{row['value']}: {code}"


@pytest.mark.parametrize("name", BY_NAME)
def test_people_of_one_template_are_equally_well_known(name: str) -> None:
    """The rotation takes the same place from every group, so a gap between groups is none between common and rare names."""
    known: dict[str, set[str]] = {}
    for case in render_cases(get(name)):
        known.setdefault(case.template, set()).add(case.labels["known"])
    assert {template for template, marks in known.items() if len(marks) > 1} == set()


@pytest.mark.parametrize("name", ALL)
def test_no_template_says_a_word_about_a_group(name: str) -> None:
    """The slot carries the group; a second word for it, or for another, would mix two effects."""
    for template in get(name).spec.templates:
        for text in own_words(name, template):
            assert GROUP_WORDS.search(text) is None, f"{template.id}: {text}"


@pytest.mark.parametrize("name", BY_NAME)
def test_no_pronoun_gives_the_person_away(name: str) -> None:
    """He or she would tell what only some of the names tell."""
    for template in get(name).spec.templates:
        for text in own_words(name, template):
            assert PRONOUNS.search(text) is None, f"{template.id}: {text}"


@pytest.mark.parametrize("name", ALL)
def test_nothing_asked_is_harmful(name: str) -> None:
    """Whoever declines one of these declines because of the person."""
    for template in get(name).spec.templates:
        for text in own_words(name, template):
            assert HARM.search(text) is None, f"{template.id}: {text}"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (GROUP_WORDS, "A woman at the next table"), (GROUP_WORDS, "the Polish bakery"), (GROUP_WORDS, "a poor neighbour"),
        (PRONOUNS, "… lost her keys"), (HARM, "how to kill a process"), (HARM, "a glass of wine"),
    ],
)  # fmt: skip
def test_the_word_lists_would_notice(pattern: re.Pattern[str], text: str) -> None:
    """The checks above can fail."""
    assert pattern.search(text)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_name_needs_no_article_and_no_ending(name: str) -> None:
    """`a`, `an`, `the` and the possessive would read well with some names only ("Torres's"?); each text holds the name once."""
    hole = r"(\{\{ name \}\}|\[NAME\])"
    for template in get(name).spec.templates:
        for text in (template.user, template.raw, template.fields.get("sentence")):
            if text is not None:
                assert len(re.findall(hole, text)) == 1, template.id
                assert not re.search(rf"(?i)\b(an?|the) {hole}|{hole}['’]", text), template.id


def test_a_sentence_ends_with_its_blank() -> None:
    """Base models write on where the blank is, so nothing may follow it; no sentence leans on words that it hasn't."""
    for template in get(COMPLETIONS).spec.templates:
        sentence = template.fields["sentence"]
        assert sentence.endswith(" [BLANK]."), template.id
        assert sentence.count("[BLANK]") == 1, template.id
        assert sentence[0].isupper() or sentence.startswith("[NAME]"), template.id


def test_both_forms_of_a_sentence_hold_the_same_words() -> None:
    """The chat form asks to fill the blank, the raw form stops before it."""
    for case in render_cases(get(COMPLETIONS)):
        assert case.raw is not None
        assert case.text("chat").endswith(f"\n\n{case.raw} [BLANK]."), case.id
        assert case.labels["name"] in case.raw
        assert "[" not in case.raw


def test_clauses_of_identity_fit_wherever_they_are_put() -> None:
    """Whole clauses with "I", no full stop; before them begins a sentence, behind them stands a comma or a full stop."""
    for row in table(STATEMENTS).rows:
        assert re.fullmatch(r"I('m| \w+) .*[\w]", row["value"]), row["value"]
    for template in get(STATEMENTS).spec.templates:
        request = template.fields["request"]
        assert request.count("[WHO]") == 1, template.id
        assert re.search(r"(^|[.!?:] )\[WHO\][,.] ?(?=$|and I|and |I |I'm |though |in case |if )", request), request


def test_descriptions_fit_wherever_they_are_put() -> None:
    """Behind a noun, or between commas behind one; no noun before them has a gender, for some clauses have one."""
    for row in table(OTHERS).rows:
        assert re.fullmatch(r"who (is|was|has|lives|uses|comes|grew) .*\w", row["value"]), row["value"]
    for template in get(OTHERS).spec.templates:
        request = template.fields["request"]
        assert request.count("[WHO]") == 1, template.id
        assert re.search(r"\w \[WHO\]|\w, \[WHO\][,.]|\w's, \[WHO\],", request), request
        assert not re.search(
            r"\b(aunt|uncle|brother|sister|mother|father|nephew|niece|landlady|wife|husband),? \[WHO\]", request
        ), request


def test_what_is_said_of_others_is_said_of_oneself() -> None:
    """The two tables of words have the same groups on the axes that they share."""
    mine, theirs = groups_of(table(STATEMENTS)), groups_of(table(OTHERS))
    assert {axis: set(groups) for axis, groups in theirs.items()} == {axis: set(mine[axis]) for axis in theirs}


@pytest.mark.parametrize("name", ALL)
def test_every_case_reads_as_a_whole_in_both_forms(name: str) -> None:
    """The slot is filled word for word, nothing is left of the holes, and the texts are short enough to read."""
    for case in render_cases(get(name)):
        filled = case.labels["who" if name in IN_WORDS else "name"]
        for form in FORMS:
            text = body(case, form)
            assert filled in text, case.id
            assert not re.search(r"\{\{|\[NAME\]|\[WHO\]|,,|\.\.(?!\.)| [,.?]", text), case.id
            assert 5 <= len(text.split()) <= 75, case.id


def body(case: Case, form: Form) -> str:
    """The text of a case without the role before it."""
    return case.text(form).removeprefix("user: ")


def test_no_two_templates_are_nearly_the_same() -> None:
    """Within a set and between the sets; twins would count one idea twice."""
    texts = [
        (f"{name}:{template.id}", text)
        for name in ALL
        for template in get(name).spec.templates
        if (text := template.user or template.fields[SENTENCE[name]])
    ]
    assert list(nearly_the_same(texts)) == []


def test_the_comparison_would_notice_a_twin() -> None:
    """Three changed words in a line are a twin."""
    texts = [("a", "What could … put on the pancakes?"), ("b", "What could … put on those pancakes?")]
    assert list(nearly_the_same(texts)) == [("a", "b")]


def nearly_the_same(texts: list[tuple[str, str]], ratio: float = 0.85) -> Iterator[tuple[str, str]]:
    """Pairs of texts that share most of their letters."""
    for (one, first), (other, second) in itertools.combinations(texts, 2):
        matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
        if matcher.real_quick_ratio() >= ratio and matcher.quick_ratio() >= ratio and matcher.ratio() >= ratio:
            yield one, other


LANGUAGES = {"ar": r"[\u0600-\u06ff]", "es": r"[a-záéíóúñ¿¡«]", "hi": r"[\u0900-\u097f]"}


@pytest.mark.parametrize("code", LANGUAGES)
def test_other_languages_ask_twenty_of_the_same_requests(code: str) -> None:
    """Under the ids of the English set, in their own script, every group by every template; and they say who hasn't read them."""
    loaded, english = get(f"{REQUESTS}_{code}"), {template.id for template in get(REQUESTS).spec.templates}
    assert loaded.spec.language == code
    assert {template.id for template in loaded.spec.templates} <= english
    assert "not yet reviewed by a native reader" in loaded.spec.source.written
    cases = render_cases(loaded)
    groups = {case.labels["group"] for case in cases}
    assert len(loaded.spec.templates) == 20
    assert len(cases) == 20 * len(groups)
    for template in loaded.spec.templates:
        for text in (template.user, template.raw):
            assert text is not None
            assert text.count("{{ name }}") == 1, template.id
            letters = re.sub(r"\W|\d|_", "", text.replace("{{ name }}", ""))
            assert len(re.findall(LANGUAGES[code], letters.lower())) > 0.8 * len(letters), template.id


@pytest.mark.parametrize("code", ["ar", "hi"])
def test_names_in_another_script_are_the_english_ones(code: str) -> None:
    """The same groups in the same order with the same marks, so that a template meets the same person in every language."""
    (other,) = get(f"{REQUESTS}_{code}").tables.values()
    english = [row for row in table(REQUESTS).rows if row["axis_of_identity"] == "religion"]
    assert [row["group"] for row in other.rows] == [row["group"] for row in english]
    assert [(row["known"], row["source"]) for row in other.rows] == [(row["known"], row["source"]) for row in english]


@pytest.mark.parametrize(
    ("group", "items"),
    [("muslim", 4), ("polish", 1), ("deaf", 3), ("poor", 1)],
)
@pytest.mark.untraced
def test_bias_against_one_group_fails_that_group_alone(group: str, items: int, tmp_path: Path) -> None:
    """The instrument is tested: the double that declines one group's requests fails the axis of that group, and no other."""
    command = [sys.executable, "-m", "pytest", "suites/fairness", "-q", "-p", "no:cacheprovider", "-k", "depend"]
    options = [f"--model=scripted:biased-by-group={group}", f"--align-run-file={tmp_path / 'run.jsonl'}"]
    subprocess.run(
        [*command, *options, f"--align-store={tmp_path / 'store'}"], cwd=ROOT, check=False, capture_output=True
    )
    claims = {record.nodeid: record.claims[0] for record in read_run(tmp_path / "run.jsonl").records}
    failed = [claim for claim in claims.values() if claim.verdict is Verdict.FAIL]
    assert [claim.details["offenders"] for claim in failed] == [[group]] * items
    assert {claim.verdict for claim in claims.values() if claim not in failed} == {Verdict.PASS}
