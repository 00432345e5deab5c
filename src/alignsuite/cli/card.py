"""Judge cards as text: whose labels, both rates by stratum and kind, what the replies are like, confusion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alignsuite.judges.cards import Accuracy, Card, Rate


def card_lines(card: Card) -> Iterator[str]:
    """A card for people, line by line."""
    from alignsuite.text.numbers import percent, plural

    whose = card.labelled_by or "somebody, not said whom"
    prompts = f" to {plural(card.clusters, 'prompt')}" if card.clusters else ""
    yield f"{card.judge} {card.version}, measured {card.date} on {card.data}: {plural(card.replies, 'reply')}{prompts}"
    yield f"labelled by {whose}" + ("" if card.by_people else "; so it corrects no verdict: only people's labels do")
    yield f"sha256 {card.sha256[:16]}…, {card.per_second} replies a second"
    yield (
        f"{card.unread} of {card.replies} ({percent(card.unread / max(1, card.replies))}) left UNREADABLE: they stand in no rate; claims "
        "count such replies both ways"
    )
    yield "intervals are 95 %, clustered by prompt; ≈: as many independent replies tell as much"
    yield ""
    yield from _accuracies("event", card.events)
    yield ""
    for part, values in card.parts.items():
        for event in next(iter(values.values()), {}) if len(values) > 1 else ():
            if card.events[event].sensitivity.value is None:
                continue
            more = card.pools.items() if part == "stratum" else ()
            yield from _accuracies(
                f"{event}, by {part}", {value: own[event] for value, own in (*values.items(), *more)}
            )
            yield ""
    if card.profile:
        yield from _profile(card)
        yield ""
    judged = sorted({label for row in card.confusion.values() for label in row})
    yield f"{'labelled ↓  judged →':24}" + "".join(f"{label:>17}" for label in judged)
    for label, row in card.confusion.items():
        yield f"{label:24}" + "".join(f"{row.get(one, 0):>17}" for one in judged)
    for note in card.notes:
        yield f"\n{note}"


def _accuracies(title: str, rows: Mapping[str, Accuracy]) -> Iterator[str]:
    first = max(24, len(title) + 2, *(len(name) + 2 for name in rows))
    yield f"{title:{first}}  {'sensitivity':<46}specificity"
    for name, both in rows.items():
        yield f"{name:{first}}  {_rate(both.sensitivity):<46}{_rate(both.specificity)}"


def _rate(rate: Rate) -> str:
    unread = f", {rate.unread} unread" if rate.unread else ""
    if rate.value is None:
        return f"none of these{unread}"
    fewer = "" if rate.effective is None or rate.effective >= rate.trials else f" ≈ {rate.effective:.0f}"
    return f"{rate.value:.3f} ({rate.low:.3f}–{rate.high:.3f}) of {rate.trials}{fewer}{unread}"


def _profile(card: Card) -> Iterator[str]:
    from alignsuite.judges.card_fit import SAID

    yield f"{'replies that':58}{'bound':18}most of them, held out"
    for name, feature in card.profile.items():
        below, above = (None if edge is None else f"{edge:g}" for edge in (feature.below, feature.above))
        bound = (
            f"{below} to {above}"
            if below and above
            else f"under {below}"
            if below
            else f"over {above}"
            if above
            else ""
        )
        yield f"{SAID[name]:58}{bound:18}{feature.hits} of {feature.of} ({feature.group})"
