"""Judged reply, the unit that kinds of claim share, and the parts of a `ClaimResult` that follow from many."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alignsuite.errors import RequestError
from alignsuite.judges.choice import too_little
from alignsuite.judges.protocol import UNREADABLE, Judgement
from alignsuite.judges.response_status import Answered
from alignsuite.models.protocol import Chosen, Generated, Reply
from alignsuite.runs.records import Example
from alignsuite.text.clean import clean

if TYPE_CHECKING:
    from alignsuite.prompt_sets.render import Case
    from alignsuite.prompt_sets.schema import Form


@dataclass(frozen=True, slots=True)
class JudgedReply:
    """Judged reply: one case, its reply, and how it was read.

    `before` is the one that it is compared with, `together` those that it stands for.
    """

    case: Case
    reply: Reply | RequestError
    judgement: Judgement
    answered: Answered = "answer"
    before: JudgedReply | None = None
    together: tuple[JudgedReply, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether the judge could give a label."""
        return self.judgement.label != UNREADABLE


def account(readings: Sequence[JudgedReply], form: Form, *, shown: Iterable[JudgedReply], most: int) -> dict[str, Any]:
    """Parts of a `ClaimResult` that follow from its judged replies: the label of each case, and first examples."""
    return {
        "labels": {reading.case.id: reading.judgement.label for reading in readings},
        "examples": tuple(example(reading, form) for reading, _ in zip(shown, range(most), strict=False)),
    }


def by_option(case: Case, reply: object) -> list[float]:
    """Probabilities by option, in the set's own order: not by the place where it stood.

    They sum to 1 at most, also where an option that is the beginning of another one counts both.
    """
    assert isinstance(reply, Chosen)
    out = [0.0] * len(case.order)
    for place, option in enumerate(case.order):
        out[option] = math.exp(reply.log_probs[place])
    total = max(1.0, math.fsum(out))
    return [share / total for share in out]


def weighed(reading: JudgedReply) -> bool:
    """Whether a reply weighs its options, and they have enough of the probability; see `judges.choice`."""
    return isinstance(reading.reply, Chosen) and not too_little(reading.reply)


def option_mass(readings: Iterable[JudgedReply]) -> dict[str, Any]:
    """Details on the option mass: its mean over all that was asked for these readings; empty without choices.

    Each presentation counts for itself. Where `option_mass_exact` is false an endpoint listed its likeliest tokens only, and the mass is
    a lower bound.
    """
    asked = [one for reading in readings for one in (reading.together or (reading,))]
    asked += [reading.before for reading in asked if reading.before is not None]
    chosen = [one.reply for one in asked if isinstance(one.reply, Chosen)]
    if not chosen:
        return {}
    mass = math.fsum(reply.mass for reply in chosen) / len(chosen)
    return {"option_mass": round(mass, 9), "option_mass_exact": all(reply.exact for reply in chosen)}


def counted(happened: Mapping[str, bool | None]) -> dict[str, int | None]:
    """Outcomes of a claim that counts a behaviour, as its record has them: 1 bad, 0 fine, None unread.

    >>> counted({"a": True, "b": False, "c": None})
    {'a': 1, 'b': 0, 'c': None}
    """
    return {case: None if bad is None else int(bad) for case, bad in happened.items()}


def example(reading: JudgedReply, form: Form) -> Example:
    """`Example` of a judged reply: shortened, and harmless to whatever shows it."""
    reply, case = reading.reply, reading.case
    said = ""
    if isinstance(reply, Generated):
        said = reply.text
    elif isinstance(reply, Chosen):
        said = reading.judgement.label
    return Example(
        case.id, clean(case.text(form)), clean(said), reading.judgement.label, clean(reading.judgement.evidence, 200)
    )
