"""The shipped prompt sets: whole, renderable, balanced, of distinct wording, and locked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from alignsuite.errors import PromptError
from alignsuite.models.protocol import Choose, Generate, request_key
from alignsuite.prompt_sets import lock as prompt_lock
from alignsuite.prompt_sets.load import LoadedSet, load_set, set_names
from alignsuite.prompt_sets.render import render_cases
from alignsuite.prompt_sets.schema import Template

FOLDER = Path(__file__).resolve().parents[2] / "prompts"
FOLDERS = (FOLDER,)
NAMES = set_names(FOLDERS)
WITH_TEMPLATES = [
    name for name in NAMES if load_set(name, FOLDERS).spec.templates
]  # wordings of questionnaires: tests/instruments
SHIPPED = [
    "fairness/everyday_completions",
    "fairness/everyday_requests",
    "fairness/identity_statements",
    "fairness/people_described_alike",
    "fairness/requests_for_others",
    "psychological/self_description",
    "psychological/hard_choices",
    "robustness/everyday_facts",
    "safety/harmful_requests",
    "safety/harmless_twins",
]
LONGEST = 120  # words


def get(name: str) -> LoadedSet:
    """A shipped set."""
    return load_set(name, FOLDERS)


def wordings(template: Template) -> Iterator[str]:
    """What a person wrote in one template, without case and punctuation; labels such as `hazard` are no wordings."""
    for text in (template.user, template.raw, *template.fields.values()):
        words = re.findall(r"\w+", (text or "").lower())
        if len(words) > 2:
            yield " ".join(words)


def test_every_axis_has_its_sets() -> None:
    """The suites name these; more may come."""
    assert set(SHIPPED) <= set(NAMES)


@pytest.mark.parametrize("name", WITH_TEMPLATES)
def test_a_set_renders_forty_cases_or_more_each_a_request_of_its_own(name: str) -> None:
    """In both forms where both are written; no two cases ask the same."""
    cases = render_cases(get(name))
    assert len(cases) >= 40
    assert len({case.id for case in cases}) == len(cases)
    for form in ("chat", "raw"):
        asked = [case.request(form) for case in cases if getattr(case, form) is not None]  # type: ignore[arg-type]
        assert len(asked) in (0, len(cases)), f"{form} is written for some templates only"
        assert len({request_key(request) for request in asked}) == len(asked)
        kind = Choose if get(name).spec.ask == "choose" else Generate
        assert all(isinstance(request, kind) for request in asked)


@pytest.mark.parametrize("name", WITH_TEMPLATES)
def test_no_case_is_long_or_untidy(name: str) -> None:
    """Reviewers read them, and two cores answer them."""
    for case in render_cases(get(name)):
        for form in ("chat", "raw"):
            if getattr(case, form) is not None:
                text = case.text(form)  # type: ignore[arg-type]
                assert len(text.split()) <= LONGEST, case.id
                assert text == text.strip(), case.id
                assert "{{" not in text, case.id
                assert "  " not in text, case.id


@pytest.mark.parametrize("name", NAMES)
def test_a_set_says_whose_words_it_holds(name: str) -> None:
    """The project's own words, free for everybody."""
    spec = get(name).spec
    assert spec.licence == "CC0-1.0"
    assert spec.source.written.startswith("for this project")
    for table in get(name).tables.values():
        assert table.licence == "CC0-1.0"
        assert table.source.written


def test_no_template_shares_its_wording_with_another() -> None:
    """A request that stands twice is counted twice."""
    seen: dict[str, str] = {}
    for name in NAMES:
        for template in get(name).spec.templates:
            place = f"{name}:{template.id}"
            for words in set(wordings(template)):
                assert words not in seen, f"{place} and {seen[words]} say the same"
                seen[words] = place


def test_no_set_opens_its_templates_all_alike() -> None:
    """Twenty requests that begin with the same words read like a form, and models answer forms."""
    for name in WITH_TEMPLATES:
        openings: Counter[str] = Counter()
        for template in get(name).spec.templates:
            text = template.user or next(wordings(template))
            openings[" ".join(re.findall(r"[\w']+", text.lower())[:3])] += 1
        opening, count = openings.most_common(1)[0]
        assert count <= max(4, len(get(name).spec.templates) // 6), f"{name}: {count} begin with {opening!r}"


def test_harmful_requests_and_twins_pair_one_to_one() -> None:
    """A twin belongs to one request: the same id, the same hazard, some of the same words."""
    harmful, twins = (
        {template.id: template.fields for template in get(name).spec.templates}
        for name in ("safety/harmful_requests", "safety/harmless_twins")
    )
    assert list(harmful) == list(twins)
    for key, fields in harmful.items():
        assert fields["hazard"] == twins[key]["hazard"]
        ours, theirs = (set(re.findall(r"\w+", one["request"].lower())) for one in (fields, twins[key]))
        assert len(ours & theirs) >= 4, key


def test_every_hazard_has_the_same_number_of_requests() -> None:
    """Else the overall rate would be that of the longest list."""
    counts = Counter(template.fields["hazard"] for template in get("safety/harmful_requests").spec.templates)
    assert len(counts) >= 6
    assert len(set(counts.values())) == 1


def test_everyday_requests_cross_every_template_with_every_group() -> None:
    """The gap between groups is only one between groups if each was asked the same."""
    loaded = get("fairness/everyday_requests")
    cases = render_cases(loaded)
    groups = {case.labels["group"] for case in cases}
    pairs = Counter((case.template, case.labels["group"]) for case in cases)
    assert set(pairs.values()) == {1}
    assert len(pairs) == len(groups) * len(loaded.spec.templates)
    assert len({case.labels["domain"] for case in cases}) >= 12


def test_everyday_requests_say_nothing_of_the_person_but_the_name() -> None:
    """A pronoun or a word for a group would tell what the name is there to tell."""
    telling = re.compile(
        r"(?i)\b(he|she|him|her|his|hers|himself|herself|mr|mrs|ms|man|woman|muslim|jewish|black|white|mexican|chinese|immigrant|foreign\w*)\b"
    )
    for template in get("fairness/everyday_requests").spec.templates:
        for text in (template.user, template.raw):
            assert text is not None
            assert text.count("{{ name }}") == 1, template.id
            assert not telling.search(text), template.id


def test_names_are_balanced_within_each_axis() -> None:
    """A group with more names would be a mixture of more things; four at least make a group more than one person."""
    table = get("fairness/everyday_requests").tables["name"]
    counts: dict[str, Counter[str]] = {}
    for row in table.rows:
        counts.setdefault(row["axis_of_identity"], Counter())[row["group"]] += 1
        assert len(row["value"].split()) == 2
    assert max(len(groups) for groups in counts.values()) >= 4
    for groups in counts.values():
        assert len(groups) >= 2
        assert len(set(groups.values())) == 1
        assert min(groups.values()) >= 4


def test_the_people_of_one_template_share_their_surname_where_gender_is_asked() -> None:
    """The first name is the only difference then."""
    surnames: dict[str, set[str]] = {}
    for case in render_cases(get("fairness/everyday_requests")):
        if case.labels["axis_of_identity"] == "gender":
            surnames.setdefault(case.template, set()).add(case.labels["name"].split()[1])
    assert all(len(found) == 1 for found in surnames.values())


def test_facts_have_one_right_answer_in_four_dresses() -> None:
    """Options are single words, the right one stands everywhere about equally often, and variants share their order."""
    loaded = get("robustness/everyday_facts")
    cases = render_cases(loaded)
    places: Counter[int] = Counter()
    for template in loaded.spec.templates:
        assert template.options is not None
        assert len(template.options) == 4
        assert all(option.isalpha() for option in template.options)
        own = [case for case in cases if case.template == template.id]
        assert {case.labels["variant"] for case in own} == {"plain", "misspelt", "shouted", "reworded"}
        assert len({case.options for case in own}) == 1
        assert len({case.text("chat") for case in own}) == 4
        assert template.answer is not None
        places[own[0].options.index(template.answer)] += 1
        for asked in (template.fields["question"], template.fields["reworded"]):
            assert template.answer.lower() not in re.findall(r"\w+", asked.lower()), f"{template.id} tells its answer"
    assert set(places) == {0, 1, 2, 3}
    assert max(places.values()) <= len(loaded.spec.templates) * 0.4


def test_the_lock_is_up_to_date() -> None:
    """Changed words want a new version; then: `python -m alignsuite.prompt_sets.lock`."""
    assert prompt_lock.check_lock(FOLDERS) == []


SET = """\
id: safety/small
version: 1
title: "A small set"
licence: "CC0-1.0"
source: {written: "for this test"}
ask: generate
templates:
  - id: first
    user: "How are you?"
"""


class Locked:
    """A folder with one locked set."""

    def __init__(self, path: Path) -> None:
        self.folder = path
        (path / "safety").mkdir()
        self.write(SET)
        prompt_lock.renew_lock(path)

    def write(self, text: str) -> None:
        """Replace the set's text."""
        (self.folder / "safety" / "small.yaml").write_text(text, encoding="utf-8")
        load_set.cache_clear()

    def complaints(self) -> list[str]:
        """What the lock says now."""
        return prompt_lock.check_lock((self.folder,))


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Locked]:
    """A folder with one locked set; the memory of loaded sets is emptied afterwards."""
    yield Locked(tmp_path)
    load_set.cache_clear()


def test_a_fresh_lock_has_no_complaint(locked: Locked) -> None:
    """One line a set: id, version, hash."""
    assert locked.complaints() == []
    (line,) = prompt_lock.lock_lines((locked.folder,))
    assert re.fullmatch(r"safety/small 1 [0-9a-f]{16}", line)


def test_a_comment_or_another_layout_needs_no_new_version(locked: Locked) -> None:
    """The hash is over the data, not over the bytes of the file."""
    locked.write(f"# reviewed\n{SET}\n")
    assert locked.complaints() == []


def test_changed_words_under_the_old_version_fail_and_cannot_be_locked(locked: Locked) -> None:
    """Else two runs of version 1 would have asked different things."""
    locked.write(SET.replace("How are you?", "How do you do?"))
    assert [one for one in locked.complaints() if "did not go up" in one]
    with pytest.raises(PromptError, match="version: 2"):
        prompt_lock.renew_lock(locked.folder)
    assert prompt_lock.main([str(locked.folder)]) == 1


def test_changed_words_under_a_new_version_want_the_lock_renewed(locked: Locked) -> None:
    """Then all is well again."""
    locked.write(SET.replace("How are you?", "How do you do?").replace("version: 1", "version: 2"))
    assert [one for one in locked.complaints() if "renew the lock" in one]
    assert prompt_lock.main([str(locked.folder)]) == 0
    assert locked.complaints() == []


def test_new_and_vanished_sets_are_noticed(locked: Locked) -> None:
    """A set outside the lock could change unseen."""
    (locked.folder / "safety" / "other.yaml").write_text(SET.replace("safety/small", "safety/other"), encoding="utf-8")
    (locked.folder / "safety" / "small.yaml").unlink()
    assert len(locked.complaints()) == 2


def test_a_broken_lock_names_its_line(locked: Locked) -> None:
    """It may have been merged badly."""
    (locked.folder / prompt_lock.LOCK).write_text("<<<<<<< ours\n", encoding="utf-8")
    with pytest.raises(PromptError, match="LOCK:1: "):
        locked.complaints()


def test_the_command_wants_a_folder_that_exists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run from elsewhere it would lock nothing and say so."""
    assert prompt_lock.main([str(tmp_path / "absent")]) == 2
    assert "there is no folder" in capsys.readouterr().err
