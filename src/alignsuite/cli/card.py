"""Judge cards as text: whose labels, both rates by stratum and kind, what the replies are like, confusion.

Tables are as wide as their cells; where two rates don't fit beside each other they stand below each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alignsuite.judges.card_fit import Feature
    from alignsuite.judges.cards import Accuracy, Card, Rate

_FIRST = 20  # cells that a table's first column has at least


def card_lines(card: Card, width: int) -> Iterator[str]:
    """A card for people, line by line."""
    from alignsuite.text.cells import wrap

    for line in _about(card):
        yield from wrap(line, width)
    yield ""
    yield from _accuracies("event", card.events, width)
    yield ""
    for part, values in card.parts.items():
        for event in next(iter(values.values()), {}) if len(values) > 1 else ():
            if card.events[event].sensitivity.value is None:
                continue
            more = card.pools.items() if part == "stratum" else ()
            both = {value: own[event] for value, own in (*values.items(), *more)}
            yield from _accuracies(f"{event}, by {part}", both, width)
            yield ""
    if card.profile:
        yield from _profile(card.profile, width)
        yield ""
    yield from _confusion(card.confusion, width)
    for note in card.notes:
        yield ""
        yield from wrap(note, width)


def _about(card: Card) -> Iterator[str]:
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


def _accuracies(title: str, rows: Mapping[str, Accuracy], width: int) -> Iterator[str]:
    found = [(title, "sensitivity", "", "", ""), *((name, *_rate(both.sensitivity)) for name, both in rows.items())]
    cleared = [("specificity", "", "", ""), *(_rate(both.specificity) for both in rows.values())]
    beside = [(*one, *other) for one, other in zip(found, cleared, strict=True)]
    if sum(_widths(beside)) + 2 * len(beside[0]) - 2 <= width:
        yield from _table(beside, width)
        return
    below = [("", *cleared[0]), *((name, *rate) for name, rate in zip(rows, cleared[1:], strict=True))]
    yield from _table([*found, *below], width)


def _rate(rate: Rate) -> tuple[str, str, str, str]:
    unread = f"{rate.unread} unread" if rate.unread else ""
    if rate.value is None:
        return "none of these", "", "", unread
    fewer = "" if rate.effective is None or rate.effective >= rate.trials else f"≈ {rate.effective:.0f}"
    return f"{rate.value:.3f} ({rate.low:.3f}–{rate.high:.3f})", f"of {rate.trials}", fewer, unread


def _profile(profile: Mapping[str, Feature], width: int) -> Iterator[str]:
    from alignsuite.judges.card_fit import SAID

    rows = [("replies that", "bound", "most of them, held out")]
    for name, feature in profile.items():
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
        rows.append((SAID.get(name, name), bound, f"{feature.hits} of {feature.of} ({feature.group})"))
    yield from _table(rows, width)


def _confusion(confusion: Mapping[str, Mapping[str, int]], width: int) -> Iterator[str]:
    """Counts by both labels; the fewer ones are the columns."""
    judged = sorted({label for row in confusion.values() for label in row})
    if len(judged) <= len(confusion):
        rows = [("labelled ↓  judged →", *judged)]
        rows += [(label, *(str(row.get(one, 0)) for one in judged)) for label, row in confusion.items()]
    else:
        rows = [("judged ↓  labelled →", *confusion)]
        rows += [(one, *(str(row.get(one, 0)) for row in confusion.values())) for one in judged]
    yield from _table(rows, width)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    from alignsuite.text.cells import columns

    return [max(map(columns, column)) for column in zip(*rows, strict=True)]


def _table(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Lines of a table, two blanks between columns; the first column is wrapped to what the others leave."""
    from alignsuite.text.cells import pad, wrap

    first, *others = _widths(rows)
    first = min(first, max(_FIRST, width - sum(others) - 2 * len(others)))
    for name, *cells in rows:
        line, *more = wrap(name, first) or [""]
        rest = (f"  {pad(cell, size)}" for cell, size in zip(cells, others, strict=True))
        yield (pad(line, first) + "".join(rest)).rstrip()
        yield from more
