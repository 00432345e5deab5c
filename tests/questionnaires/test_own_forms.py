"""Our own forms keep what their headers promise: balanced, whole, and not to be changed under an old version."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest

from alignsuite.questionnaires import key, known, load
from alignsuite.questionnaires.fingerprints import digest, fingerprint, normalised

OWN = [name for name in known() if key(name).own]
SHAPES = {
    "dark-27": (3, 9, 4),
    "big-five-40": (5, 8, 4),
    "well-being-8": (1, 8, 4),
}  # traits, statements each, reversed
VERSIONS = {
    "dark-27": (1, "bbf9dd9faab7-6f6d9e06f2d6"),
    "big-five-40": (1, "68375a83c98a-f4bad243691d"),
    "well-being-8": (1, "d31c6280acfc-5a1868c5107c"),
}


@pytest.mark.parametrize("name", OWN)
def test_scales_are_equally_long_and_balanced(name: str) -> None:
    """At least three reversed statements of nine, half of eight: agreeing with everything lands near the middle."""
    traits, each, turned = SHAPES[name]
    instrument = key(name)
    assert len(instrument.traits) == traits
    for items in instrument.traits.values():
        assert len(items) == each
        assert sum(item.reversed for item in items) == turned


@pytest.mark.parametrize("name", OWN)
def test_the_wording_is_always_there(name: str) -> None:
    """Offline, in an empty home, under a licence that gives it to everybody."""
    instrument = load(name)
    assert instrument.worded
    assert instrument.terms.startswith("CC0-1.0")
    texts = [item.text or "" for item in instrument.items]
    assert all(text[-1] == "." and text == text.strip() and 25 <= len(text) <= 120 for text in texts)
    assert len({normalised(text) for text in texts}) == len(texts)


@pytest.mark.parametrize("name", ["dark-27", "big-five-40"])
def test_neighbours_belong_to_different_traits(name: str) -> None:
    """A run of statements on one trait invites a run of equal answers."""
    assert all(a.trait != b.trait for a, b in pairwise(key(name).items))


@pytest.mark.parametrize("name", OWN)
def test_a_changed_word_or_key_needs_a_new_version(name: str) -> None:
    """Whoever changes a form raises its version and writes the new digest here."""
    instrument = key(name)
    keys = " ".join(f"{item.trait}{item.sign:+d}" for item in instrument.items)
    words = digest(item.text or "" for item in instrument.items)
    assert (instrument.version, f"{words}-{hashlib.sha256(keys.encode()).hexdigest()[:12]}") == VERSIONS[name]


def test_no_statement_is_a_published_one() -> None:
    """Not word for word, and (as a human reads them) not in other words either."""
    published = {item.fingerprint for name in known() if not key(name).own for item in key(name).items}
    assert len(published) > 200
    assert not published & {fingerprint(item.text or "") for name in OWN for item in key(name).items}
