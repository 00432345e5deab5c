"""Catalogue of instruments: a name to an `Instrument`, from the data files beside this module.

A key reads as in the papers: `"1 6R 11"` are the statements of a scale, R marks the reversed ones. Published instruments
come with fingerprints in the place of their statements; ours come with the statements.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from alignsuite.errors import InstrumentError, did_you_mean
from alignsuite.prompt_sets import yaml as strict_yaml
from alignsuite.questionnaires.fingerprints import fingerprint
from alignsuite.questionnaires.instrument import Band, Instrument, Item, Norm, Package

DATA = Path(__file__).parent / "data"


def known() -> tuple[str, ...]:
    """The names of all instruments: ours first, then the published ones, each in the alphabet's order."""
    return tuple(sorted(_all(DATA), key=lambda name: (not _all(DATA)[name][0].own, name)))


def key(name: str) -> Instrument:
    """An instrument for scoring and display: its key and norms; ours with their statements, published ones without.

    Names are compared by letters and digits only, and other usual names are known too: `SD-3` is `sd3`.

    Raises:
        InstrumentError: there is none of that name.

    >>> key("BFI-44").traits["openness"][6].reversed
    True
    """
    wanted = _plain(name)
    for instrument, also in _all(DATA).values():
        if wanted and wanted in {_plain(instrument.name), *map(_plain, also)}:
            return instrument
    raise InstrumentError(f"there is no instrument `{name}`; {did_you_mean(name, known())}")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


@cache
def _all(folder: Path) -> dict[str, tuple[Instrument, list[str]]]:
    """Every instrument in a folder, by name, with its other names."""
    read = [_read(path) for path in sorted(folder.glob("*.yaml"))]
    return {instrument.name: (instrument, also) for instrument, also in read}


def _read(path: Path) -> tuple[Instrument, list[str]]:
    data: Any = strict_yaml.load(path)[0]
    items = _own_items(data["statements"]) if "statements" in data else _published_items(data)
    instrument = Instrument(
        name=data["name"],
        title=data["title"],
        language=data["language"],
        form=data["form"],
        stem=data.get("stem", ""),
        anchors=tuple(data["anchors"]),
        scoring=data["scoring"],
        items=items,
        credit=data["credit"],
        terms=data["terms"],
        norm_groups={group["group"]: _norms(group) for group in data.get("norms", ())},
        bands=tuple(sorted((Band(*band) for band in data.get("bands", ())), key=lambda band: band.low)),
        bands_source=data.get("bands_source", ""),
        packages=tuple(Package(**package) for package in data.get("packages", ())),
        translations=data.get("translations", {}),
        version=data.get("version"),
    )
    return instrument, data["also"]


def _own_items(statements: list[dict[str, Any]]) -> tuple[Item, ...]:
    return tuple(
        Item(number, one["trait"], "", one.get("reversed", False), fingerprint(one["text"]), one["text"])
        for number, one in enumerate(statements, start=1)
    )


def _published_items(data: Mapping[str, Any]) -> tuple[Item, ...]:
    fingerprints = data["fingerprints"].split()
    items = []
    for trait, scales in data["key"].items():
        for facet, entries in scales.items() if isinstance(scales, dict) else [("", scales)]:
            for entry in entries.split():
                number = int(entry.removesuffix("R"))
                items.append(Item(number, trait, facet, entry.endswith("R"), fingerprints[number - 1]))
    return tuple(sorted(items, key=lambda item: item.number))


def _norms(group: Mapping[str, Any]) -> dict[str, Norm]:
    figures = {**group["traits"], **group.get("facets", {})}
    return {
        scale: Norm(mean, sd, group.get("n"), group["population"], group["source"])
        for scale, (mean, sd) in figures.items()
    }
