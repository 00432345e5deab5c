"""What a typist changes keeps a fingerprint; what changes the statement changes it."""

from __future__ import annotations

import hashlib

import pytest

from alignsuite.questionnaires.fingerprints import digest, fingerprint

PLAIN = "It's the gardener's fern, not mine."


@pytest.mark.parametrize(
    "same",
    [
        "  it's the  gardener's\u00a0fern,\nnot mine  ",
        "It’s the gardener‘s fern, not mine",
        "IT'S THE GARDENER'S FERN, NOT MINE!",
        "It's the gardener's fern, not mine…",
        "It's the gardener's fern, not mine . ",
        "\uff29t's the gardener's fern, not mine。",
    ],
)
def test_case_spaces_quotes_and_the_last_stop_do_not_matter(same: str) -> None:
    """These are the same statement in another editor."""
    assert fingerprint(same) == fingerprint(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        "It's the gardener's ferns, not mine.",
        "It's the gardener's fern not mine.",
        "Its the gardener's fern, not mine.",
    ],
)
def test_a_letter_or_an_inner_comma_matters(other: str) -> None:
    """These are other statements, as far as a hash can tell."""
    assert fingerprint(other) != fingerprint(PLAIN)


def test_a_fingerprint_can_be_computed_by_hand() -> None:
    """The first 12 hexadecimal digits of SHA-256 over UTF-8, so that others can check a wording without us."""
    assert fingerprint("Café.") == hashlib.sha256("café".encode()).hexdigest()[:12]


def test_a_digest_depends_on_the_order() -> None:
    """The order is the key's, so a translation with two lines swapped is another one."""
    assert digest(["a", "b"]) != digest(["b", "a"])
