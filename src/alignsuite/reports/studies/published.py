"""Published figures of studies, read from the data files beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from alignsuite.errors import SettingsError, did_you_mean
from alignsuite.prompt_sets import yaml as strict_yaml

DATA = Path(__file__).parent
_NO_INSTRUMENT = "name"


@dataclass(frozen=True)
class Figure:
    """Published score, in the instrument's own unit; `spread` is what stands behind its ±, None where nothing does."""

    score: float
    spread: float | None = None


@dataclass(frozen=True)
class Study:
    """Study: its tables, and how it came by them.

    Attributes:
        name: as `--against` wants it; `title`, `authors`, `where`: what to cite.
        spread: what the ± of its tables is.
        orders, samples: of each five-option statement; `protocol`: the same in words.
        unknown: what the study, as far as it is known here, leaves open.
        systems: model → instrument → trait → figure, in the study's order.
        remarks: by instrument, where a figure needs a word.
    """

    name: str
    title: str
    authors: str
    where: str
    spread: str
    orders: int
    samples: int
    protocol: str
    unknown: tuple[str, ...]
    systems: Mapping[str, Mapping[str, Mapping[str, Figure]]]
    remarks: Mapping[str, tuple[str, ...]]

    @property
    def instruments(self) -> tuple[str, ...]:
        """Instruments that any of its systems answered, in the order of its tables."""
        return tuple(dict.fromkeys(name for scales in self.systems.values() for name in scales))

    @property
    def citation(self) -> str:
        """Citation: authors, title, place."""
        return f"{self.authors}, {self.title}, {self.where}"


def published(name: str) -> Study:
    """`Study` of that name.

    Raises:
        SettingsError: there is none.
    """
    studies = {path.stem: path for path in DATA.glob("*.yaml")}
    if name not in studies:
        raise SettingsError(f"`{name}` is no study that is known here; {did_you_mean(name, studies)}")
    return _read(studies[name])


@cache
def _read(path: Path) -> Study:
    data: Any = strict_yaml.load(path)[0]
    systems = {
        one["name"]: {scale: _figures(traits) for scale, traits in one.items() if scale != _NO_INSTRUMENT}
        for one in data["systems"]
    }
    return Study(
        **{key: data[key] for key in ("name", "title", "authors", "where", "spread")},
        orders=data["protocol"]["orders"],
        samples=data["protocol"]["samples"],
        protocol=data["protocol"]["words"],
        unknown=tuple(data["unknown"]),
        systems=systems,
        remarks={scale: tuple(remarks) for scale, remarks in data["remarks"].items()},
    )


def _figures(traits: Mapping[str, Any]) -> dict[str, Figure]:
    return {trait: Figure(*figure) if isinstance(figure, list) else Figure(figure) for trait, figure in traits.items()}
