"""The decorators: what a probe may say, what a suite says for its probes, and the old words that are still read."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from alignsuite import probe, suite
from alignsuite.errors import ProbeError
from alignsuite.probes.decorator import MARK, ProbeSpec


def spec_of(decorator: Any) -> ProbeSpec:
    """The declaration that a decorator marks a function with."""

    def test_it(replies: Any) -> None:
        """Marked."""

    [mark] = [one for one in decorator(test_it).pytestmark if one.name == MARK]
    declared = mark.args[0]
    assert isinstance(declared, ProbeSpec)
    return declared


def test_values_beside_the_label_are_kept_and_split_by() -> None:
    """`by={label: values}` says in one place what `by` and `only` said in two."""
    short, long = (
        probe("a/b", by={"hazard": ["fraud", "cyber"]}),
        probe("a/b", by="hazard", only={"hazard": ["fraud", "cyber"]}),
    )
    assert spec_of(short) == spec_of(long)


@pytest.mark.parametrize(
    ("tier", "tiers"),
    [("smoke", ("smoke", "standard", "full")), ("standard", ("standard", "full")), ("full", ("full",))],
)
def test_a_probe_belongs_to_its_smallest_tier_and_to_all_larger_ones(tier: Any, tiers: tuple[str, ...]) -> None:
    """A larger tier asks more of the same, so it leaves nothing out."""
    assert spec_of(probe("a/b", tier=tier)).tiers == tiers


def test_what_a_probe_says_wins_over_its_suite() -> None:
    """Defaults are said once at the top of a module; a probe may differ in one of them, or in its set."""
    own = suite("a/b", tier="standard", unproved="warn")
    assert spec_of(own()) == spec_of(probe("a/b", tier="standard", unproved="warn"))
    assert spec_of(own(tier="smoke", by="hazard")) == spec_of(probe("a/b", by="hazard", unproved="warn"))
    assert spec_of(own("c/d")).prompt_set == "c/d"
    assert spec_of(suite(tier="full")("a/b")).tiers == ("full",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"tiers": ["standard", "full"]}, {"tier": "standard"}, "tier='standard'"),
        ({"tiers": ["full"]}, {"tier": "full"}, "tier='full'"),
        ({"on_inconclusive": "warn"}, {"unproved": "warn"}, "unproved='warn'"),
    ],
)
def test_old_words_are_read_with_a_warning_that_names_the_new_one(old: Any, new: Any, said: str) -> None:
    """And the warning points at the probe, not at us."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        spec = spec_of(probe("a/b", **old))
    assert spec == spec_of(probe("a/b", **new))
    [warning] = caught
    assert warning.category is DeprecationWarning
    assert said in str(warning.message)
    assert warning.filename == __file__


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tiers": ["smoke", "full"]}, "belongs to its smallest tier and to all larger ones"),
        ({"tiers": []}, "belongs to its smallest tier"),
        ({"tiers": ["tiny"]}, "`tiny` is no tier"),
        ({"tier": "tiny"}, "`tiny` is no tier"),
        ({"unproved": "shrug"}, "wanted `block` or `warn`"),
        ({"stages": ["tuning"]}, "`tuning` is no stage; did you mean `finetuning`"),
        ({"temperature": 3}, "wanted a number from 0 (greedy) to 2"),
        ({"stage": ["finetuning"]}, "`stage` is no keyword of a probe; did you mean `stages`"),
        ({"by": {"a": ["x"], "b": ["y"]}}, "wanted one label with the values to keep"),
        ({"by": {"a": "xy"}}, "wanted a list of values, such as {'a': ['xy']}"),
        ({"by": {"a": ["x"]}, "only": {"a": ["y"]}}, "both say which values of `a` to keep"),
    ],
)
def test_what_no_probe_can_have_is_refused_where_it_is_written(given: Any, said: str) -> None:
    """By a probe and by a suite alike, before anything is collected."""
    for decorator in (probe, suite):
        with pytest.raises(ProbeError) as refused:
            decorator("a/b", **given)
        assert said in str(refused.value)


def test_a_probe_without_a_set_is_refused() -> None:
    """Neither it nor its suite names one."""
    with pytest.raises(ProbeError, match="names no prompt set"):
        suite(tier="full")()
