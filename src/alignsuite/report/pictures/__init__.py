"""Pictures of a run's questionnaires: a profile of all traits, and for each scale which answer came in which order of the options.

Text in, SVG text out; nothing here draws with a library, so a report costs no dependency. Who looks should see in a moment whether a
score means anything: what the validity gate turned down has no place on an axis.
"""

from __future__ import annotations

from alignsuite.records import Run
from alignsuite.report.pictures.heatmap import heatmap
from alignsuite.report.pictures.profile import profile
from alignsuite.report.pictures.svg import slug
from alignsuite.report.text import model_facts
from alignsuite.report.traits import grouped, measured

__all__ = ["heatmap", "pictures", "profile"]


def pictures(run: Run) -> dict[str, str]:
    """File name → SVG document: `profile.svg`, and an `orders-….svg` for each scale whose answers are known order by order.

    Empty where the run has no scale at all. The same run gives the same bytes.
    """
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
