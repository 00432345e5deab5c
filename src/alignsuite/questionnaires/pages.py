"""Instrument page: an `Instrument` as text, with its key as papers print it, its norms and terms of use."""

from __future__ import annotations

from alignsuite.questionnaires.instrument import Instrument, Item
from alignsuite.questionnaires.wordings import how_to_get, is_here


def page(instrument: Instrument) -> list[str]:
    """Everything but the statements."""
    languages = ", ".join(instrument.languages)
    lines = [
        f"{instrument.name} · {instrument.title}",
        f"  credit    {instrument.credit}",
        f"  terms     {instrument.terms}",
        f"  wording   {_wording(instrument)}",
        f"  language  {languages}",
        f"  answers   {', '.join(f'{worth} {label}' for worth, label in enumerate(instrument.anchors, start=1))}",
        f"  score     {instrument.scoring} of the statements, reversed ones (R) as {instrument.points + 1} − answer",
    ]
    lines += [f"  package   {one.name} {one.version} ({one.index}; {one.licence})" for one in instrument.packages]
    if instrument.stem:
        lines.append(f"  stem      {instrument.stem} …")
    for trait, items in instrument.traits.items():
        facets = dict.fromkeys(item.facet for item in items)
        if facets.keys() == {""}:
            lines.append(f"  {trait}: {_key(items)}")
            continue
        low, high = instrument.limits(trait)
        lines.append(f"  {trait}: {len(items)} statements, {low:g} to {high:g}")
        lines += [f"    {facet}: {_key(instrument.facets[facet])}" for facet in facets]
    return lines + _norms(instrument) + _bands(instrument)


def statements(instrument: Instrument) -> list[str]:
    """The statements with their numbers, R at the reversed ones."""
    return [f"{item.number:>4}{'R' if item.reversed else ' '} {item.text}" for item in instrument.items]


def _wording(instrument: Instrument) -> str:
    if instrument.own:
        return f"ours, version {instrument.version}"
    return "here" if is_here(instrument.name, instrument.language) else f"not here: {how_to_get(instrument)}"


def _key(items: tuple[Item, ...]) -> str:
    return " ".join(f"{item.number}{'R' * item.reversed}" for item in items)


def _norms(instrument: Instrument) -> list[str]:
    lines = []
    for group, norms in instrument.norm_groups.items():
        first = next(iter(norms.values()))
        people = f", N = {first.n}" if first.n else ""
        lines.append(f"  norms {group}: {first.population}{people} ({first.source})")
        figures = [f"{trait} {norms[trait].mean:g} ({norms[trait].sd:g})" for trait in instrument.traits]
        lines.append(f"    {', '.join(figures)}")
    return lines


def _bands(instrument: Instrument) -> list[str]:
    if not instrument.bands:
        return []
    named = [f"    {band.low:g}–{band.high:g} {band.name}" for band in reversed(instrument.bands)]
    return [f"  bands: {instrument.bands_source}", *named]
