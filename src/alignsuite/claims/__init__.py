"""Claims: one kind in one file, from its declaration to a `runs.ClaimResult` and the `Row` that presents it.

Each asks through a `Context`, reads the replies, and lets `stats` decide.

A kind is registered here under the name that run files have. Kinds of other packages call `register`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alignsuite.claims.claim import Claim
    from alignsuite.claims.row import Row
    from alignsuite.runs.records import ClaimResult

__all__ = ["claim_kind", "present", "register"]

_registered: dict[str, type[Claim]] = {}


@functools.cache
def _shipped() -> Mapping[str, type[Claim]]:
    from alignsuite.claims.bias import Bias
    from alignsuite.claims.error_rate import ErrorRate
    from alignsuite.claims.gap import Gap
    from alignsuite.claims.inconsistency import Inconsistency
    from alignsuite.claims.no_worse import NoWorse
    from alignsuite.claims.preference import Preference
    from alignsuite.claims.rate import Rate
    from alignsuite.claims.scale import Scale

    kinds = (Rate, Inconsistency, ErrorRate, Gap, Bias, Preference, Scale, NoWorse)
    return {kind.name: kind for kind in kinds}


def register(kind: type[Claim]) -> None:
    """Registry entry: a kind of claim becomes known by its name, and reports present its results as it says.

    Raises:
        ValueError: when another kind has the name.
    """
    known = {**_shipped(), **_registered}.get(kind.name, kind)
    if known.__module__ != kind.__module__:  # one kind, one file; two classes in it may share a name and a row
        raise ValueError(f"a kind of claim is named `{kind.name}` already ({known.__module__}.{known.__qualname__})")
    _registered[kind.name] = kind


def claim_kind(name: str) -> type[Claim]:
    """Kind of claim by its name; one that is not known here is a rate, whose parts every result has."""
    from alignsuite.claims.claim import Claim

    return {**_registered, **_shipped()}.get(name, Claim)


def present(result: ClaimResult) -> Row:
    """`Row` of a result: the claim in words and cells, as its kind says."""
    return claim_kind(result.kind).present(result)
