"""Colours of a share from none to all, as style rules for light and for dark paper.

One hue that moves away from the paper, so that more is always further from it and nobody needs to tell two hues apart. Shades grow with the
square root of the share: a class of 2 % and one of 8 % must look different beside one of 90 %. Black or white is written on a shade,
whichever is easier to read; that gives a contrast of 4.5 or more on any colour (WCAG 2.2, 1.4.3), and the tests hold it to that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

SHADES = 20
"""The strongest; 0 is no colour at all, and is only for a share of 0."""

_FROM, _TO = ("#eaf1f8", "#17273a"), ("#0a4a8c", "#7dbbff")
"""The weakest and the strongest shade on light paper and on dark."""


def shade(share: float) -> int:
    """The number of a share's shade, 0 only for 0.

    >>> shade(0), shade(0.0001), shade(0.25), shade(1)
    (0, 1, 10, 20)
    """
    return 0 if share <= 0 else min(SHADES, max(1, round(SHADES * math.sqrt(share))))


def rules(used: Iterable[int]) -> str:
    """Style rules for the classes `shade-N` (the cell) and `on-shade-N` (what is written in it)."""
    light, dark = ("".join(_rule(number, paper) for number in sorted(used)) for paper in (0, 1))
    return f"{light}@media (prefers-color-scheme:dark){{{dark}}}" if light else ""


def colour(number: int, paper: int) -> str:
    """A shade from 1 on, on light paper (0) or dark (1).

    >>> colour(1, 0), colour(20, 0)
    ('#eaf1f8', '#0a4a8c')
    """
    rest = (number - 1) / (SHADES - 1)
    ends = zip(_parts(_FROM[paper]), _parts(_TO[paper]), strict=True)
    return f"#{''.join(f'{round(a + (b - a) * rest):02x}' for a, b in ends)}"


def written_on(ground: str) -> str:
    """Black or white, whichever is easier to read on a colour `#rrggbb`."""
    return max(("#000000", "#ffffff"), key=lambda ink: contrast(ink, ground))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours `#rrggbb`: 1 for none, 21 for black on white.

    Source: WCAG 2.2, "contrast ratio".

    >>> contrast("#000000", "#ffffff"), contrast("#777777", "#777777")
    (21.0, 1.0)
    """
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour_: str) -> float:
    parts = (part / 255 for part in _parts(colour_))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parts(colour_: str) -> tuple[int, ...]:
    return tuple(int(colour_[at : at + 2], 16) for at in (1, 3, 5))


def _rule(number: int, paper: int) -> str:
    ground = colour(number, paper)
    return f".al-picture .shade-{number}{{fill:{ground}}}.al-picture .on-shade-{number}{{fill:{written_on(ground)}}}"
