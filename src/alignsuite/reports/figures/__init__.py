"""Figures of a run as SVG documents: of its questionnaires, and of how it treats groups.

Of questionnaires a profile of all traits, and for each scale a heatmap of which answer came in which order of the options. Of groups a
table of how replies to each were read, and for each comparison a forest plot of the groups' rates beside the gap that is allowed. Python
says what stands where, and the templates `*.svg.j2` draw it: a report costs no dependency that prompts don't need already. Who looks
should see in a moment whether a score means anything: what a validity gate turned down has no place on an axis.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Container

from alignsuite.reports.figures.gap import Comparison, compared, gap
from alignsuite.reports.figures.heatmap import heatmap
from alignsuite.reports.figures.profile import profile
from alignsuite.reports.figures.reply_classes import class_map
from alignsuite.reports.figures.svg import slug
from alignsuite.reports.terminal import model_facts
from alignsuite.reports.traits import grouped, measured
from alignsuite.runs.records import Run

__all__ = ["class_map", "gap", "heatmap", "left_out", "pictures", "profile"]


def pictures(run: Run) -> dict[str, str]:
    """Figures of a run: file name → SVG document.

    `profile.svg`, and an `orders-….svg` for each scale whose answers are known order by order; a `classes-….svg` for each prompt set and
    slice whose replies were compared by group, and a `gap-….svg` for each such comparison. Empty where the run has neither questionnaires
    nor groups, or holds too little of them; `left_out` tells. The same run gives the same bytes.
    """
    return {**_of_questionnaires(run), **_of_groups(run)}


def left_out(run: Run) -> list[str]:
    """Reasons for missing figures: a sentence for each comparison of groups that `pictures` draws in part or not."""
    return [reason for comparison in compared(run) if (reason := comparison.missing)]


def _of_questionnaires(run: Run) -> dict[str, str]:
    groups = grouped(measured(run))
    if not groups:
        return {}
    facts = model_facts(run.header)
    found = {"profile.svg": profile(groups, facts)}
    for traits in groups:
        name = slug(f"orders-{traits[0].scale}")
        name = name if f"{name}.svg" not in found else slug(f"{name}-{traits[0].protocol or 'again'}")
        if drawn := heatmap(traits, facts, name=name):
            found[f"{name}.svg"] = drawn
    return found


def _of_groups(run: Run) -> dict[str, str]:
    facts, found, asked = model_facts(run.header), dict[str, str](), dict[str, list[Comparison]]()
    for one in compared(run):
        asked.setdefault(_replies(one), []).append(one)
    for comparisons in asked.values():
        record = comparisons[0].record
        name = _unused(f"classes-{record.probe}-{record.slice}", found)
        if drawn := class_map(comparisons, facts, name=name):
            found[f"{name}.svg"] = drawn
    for one in compared(run):
        name = _unused(f"gap-{one.record.probe}-{one.record.slice}-{one.claim.what}", found)
        if drawn := gap(one, facts, name=name):
            found[f"{name}.svg"] = drawn
    return found


def _replies(comparison: Comparison) -> str:
    """Key of the replies: the same for claims that rest on the same replies, read by the same judge."""
    record, judge = comparison.record, comparison.claim.judge
    same = [record.probe, record.slice, record.form, judge, comparison.data.between, comparison.data.classes]
    return json.dumps(same, sort_keys=True)


def _unused(name: str, taken: Container[str]) -> str:
    """File name without its ending, with a number where another figure has the same."""
    short = slug(name)
    names = itertools.chain([short], (f"{short}-{count}" for count in itertools.count(2)))
    return next(one for one in names if f"{one}.svg" not in taken)
