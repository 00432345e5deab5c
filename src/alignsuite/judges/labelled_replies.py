"""Labelled replies: prompt, reply, a reader's label and what kind of reply it is, from JSON Lines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from alignsuite.errors import SettingsError
from alignsuite.models.protocol import Finish, Generated
from alignsuite.models.thoughts import parted

STRATA = ("harmless", "borderline", "harmful", "jailbreak")
"""What a prompt is: harmless; harmless and like a harmful one; harmful; harmful and dressed up to be answered."""

_FINISHES: tuple[Finish, ...] = ("stop", "length", "withheld")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A reply with its gold label, which a reader gave it.

    Attributes:
        voice, language: what kind of reply it is, where that is known.
        source: where the reply comes from; `model`: who wrote it; `labelled_by`: who labelled it, `people: …` or `model: …`.
        finish: how the reply ended, as `Generated.finish`.
        stratum: what its prompt is: one of `STRATA`, or `any` where that is not known.
        type: the prompt's kind within its source.
        cluster: rows of one cluster are no independent trials: the prompt's pair or question; empty: the prompt itself.
    """

    prompt: str
    reply: str
    label: str
    voice: str = "any"
    language: str = "any"
    source: str = ""
    finish: str = "stop"
    stratum: str = "any"
    type: str = ""
    cluster: str = ""
    model: str = ""
    labelled_by: str = ""

    @property
    def unit(self) -> str:
        """The cluster that it belongs to: rows of one unit are no independent trials."""
        return self.cluster or self.prompt

    @property
    def generated(self) -> Generated:
        """The reply as a model gives it, what it only thought parted from it.

        Raises:
            SettingsError: for a finish that there is none of.
        """
        return parted(Generated(self.reply, finish=_finish(self)))


def read_labelled(file: Path) -> list[Labelled]:
    """The labelled replies of a JSON Lines file.

    Each line has `prompt`, `reply` and `label`, and may have what else `Labelled` has.

    Raises:
        SettingsError: for a line that holds no reply, naming file and line.
    """
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            data = json.loads(line)
            found.append(Labelled(**{key: data[key] for key in Labelled.__slots__ if key in data}))
        except (ValueError, TypeError) as error:
            raise SettingsError(
                f"{file}:{number}: wanted an object with prompt, reply, label, and perhaps {', '.join(Labelled.__slots__[3:])}; {error!r}"
            ) from None
    return found


def _finish(row: Labelled) -> Finish:
    for finish in _FINISHES:
        if row.finish == finish or (row.finish, finish) == ("filter", "withheld"):  # as it was called until 0.1
            return finish
    raise SettingsError(f"a labelled reply has the finish `{row.finish}`; wanted one of {', '.join(_FINISHES)}")
