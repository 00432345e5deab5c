"""Errors of the statistics: what can be wrong with a question, or with the data for it.

A number that cannot be computed is an error here, never a NaN and never a 0.0: "no reply was readable" and "no reply
was bad" must not look alike.
"""

from __future__ import annotations


class StatsError(ValueError):
    """Malformed question: a count above its total, a level outside (0, 1), unequal lengths."""


class NoEvidence(StatsError):  # noqa: N818 - it names what is missing, not who erred
    """No evidence: nothing was observed, so there is nothing to report; this is not a rate of 0."""


class Unresolvable(StatsError):  # noqa: N818 - as above
    """Unresolvable question: data of this size or quality cannot answer it, whatever they turn out to be."""


def check_open(**levels: float) -> None:
    """Refuse error levels and shares that are not strictly between 0 and 1.

    Raises:
        StatsError: naming the first argument that is outside, with its value.
    """
    for name, level in levels.items():
        if not 0.0 < level < 1.0:
            raise StatsError(f"{name} is {level!r}; wanted a number strictly between 0 and 1, such as 0.05")


def check_count(x: int, n: int, *, hits: str = "x", trials: str = "n") -> None:
    """Refuse counts that are not whole numbers with 0 <= x <= n.

    Raises:
        StatsError: if either is not a whole number, or x is outside 0..n.
    """
    if x != int(x) or n != int(n):
        raise StatsError(f"{hits} = {x!r} of {trials} = {n!r}; wanted whole numbers")
    if not 0 <= x <= n:
        raise StatsError(f"{hits} = {x!r} of {trials} = {n!r}; wanted 0 <= {hits} <= {trials}")
