"""SVG documents from the templates beside this module, the same bytes for the same data.

They hold no scripts and no resources from elsewhere. What is written into a figure may be a model's reply or come from a stranger's file:
templates escape all that they are given, and words go through the filter `words`, which makes control characters visible besides. Colours
of text and paper follow the reader's light or dark setting, and the paper is painted, so that a figure stays readable on a page of the
other kind.

Cells are shaded by one hue that moves away from the paper, so that more is always further from it and nobody needs to tell two hues apart.
Shades grow with the square root of the share: a class of 2 % and one of 8 % must look different beside one of 90 %. Black or white is
written on a shade, whichever is easier to read; that gives a contrast of 4.5 or more on any colour (WCAG 2.2, 1.4.3), and the tests hold
it to that.
"""

from __future__ import annotations

import functools
import html
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import bidirectional

from alignsuite.text.cells import ELLIPSIS, columns, cut, one_line
from alignsuite.text.clean import clean
from alignsuite.text.numbers import declared, percent, points, span

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

WIDE = 0.56
"""How wide a character of running text is, in shares of the font's size; a little more than in DejaVu Sans, the widest of the fonts."""
BOLD, BOLD_CAPITALS = 0.64, 0.7
"""The same for bold text."""

MOST = 2_000
"""The longest text that is written, in characters; a description may be longer, for it holds the numbers of every row."""

SHADES = 20
"""The strongest; 0 is no colour at all, and is only for a share of 0."""

_FROM, _TO = ("#eaf1f8", "#17273a"), ("#0a4a8c", "#7dbbff")
"""The weakest and the strongest shade on light paper and on dark."""


def draw(template: str, *, name: str, shades: Iterable[int] = (), **data: object) -> str:
    """SVG document that the template `….svg.j2` makes of the data, ending in a line break.

    Args:
        template: knows how high the figure is, and asks for the data.
        name: makes ids unique where several figures stand in one page.
        shades: those that cells are filled with.
        data: `width`; `title` and `about`, what a screen reader says (`about` holds what the figure shows, in sentences); and the rest.
    """
    facts = {"id": slug(name), "shades": sorted(set(shades) - {0})}
    return _templates().get_template(f"{template}.svg.j2").render(facts | data)


@functools.cache
def _templates() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: number(value) if isinstance(value, float) else value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    offered = (
        bold_width, colour, declared, fitted, one_line, percent, points, shade, span, text_width, words, written_on,
    )  # fmt: skip
    environment.filters |= {filter_.__name__: filter_ for filter_ in offered}
    return environment


def words(text: str, most: int = MOST) -> Markup:
    """Escaped text for between tags, never for an attribute: quotation marks stay."""
    from markupsafe import Markup

    text = clean(text, most)
    strong = ("L", "R", "AL")
    last = next((kind for letter in reversed(text) if (kind := bidirectional(letter)) in strong), "L")
    # An ellipsis that follows a script written from the right would stand at its beginning, but for a mark behind it.
    text = f"{text}\u200f" if last != "L" and text.endswith(ELLIPSIS) else text
    return Markup(html.escape(text, quote=False))  # noqa: S704 (escaped in this line)


def fitted(text: str, room: float, size: float = 13, *, bold: bool = False) -> str:
    """Truncated text: the beginning that fits into so many units, with an ellipsis where something is missing."""
    return cut(one_line(text), max(2, int(room / (size * (BOLD if bold else WIDE)))))


def text_width(text: str, size: float = 13) -> float:
    """Text width in units of the figure: how much room a text takes at most."""
    return columns(text) * size * WIDE


def bold_width(text: str, size: float = 13) -> float:
    """Text width in bold: how much room it takes at most; capitals are the widest, as verdicts are written."""
    return columns(text) * size * (BOLD_CAPITALS if text.isupper() else BOLD)


def number(value: float) -> str:
    """Coordinate as text, to a hundredth.

    >>> number(12.0), number(3.14159), number(-0.001)
    ('12', '3.14', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def slug(name: str) -> str:
    """Slug of a name: safe as a file's name and as an id.

    >>> slug("psychological/Dark & kind"), slug("../..")
    ('psychological-dark-kind', 'picture')
    """
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:80] or "picture"


def shade(share: float) -> int:
    """Step of the sequential colour scale for a share, 0 only for 0.

    >>> shade(0), shade(0.0001), shade(0.25), shade(1)
    (0, 1, 10, 20)
    """
    return 0 if share <= 0 else min(SHADES, max(1, round(SHADES * math.sqrt(share))))


def colour(number: int, paper: int) -> str:
    """Colour `#rrggbb` of a shade from 1 on, on light paper (0) or dark (1).

    >>> colour(1, 0), colour(20, 0)
    ('#eaf1f8', '#0a4a8c')
    """
    return mixed(_FROM[paper], _TO[paper], (number - 1) / (SHADES - 1))


def mixed(one: str, other: str, share: float) -> str:
    """Linear interpolation of two colours `#rrggbb`: the first at a share of 0, the other at 1.

    >>> mixed("#000000", "#ff8000", 0.5)
    '#804000'
    """
    return f"#{''.join(f'{round(a + (b - a) * share):02x}' for a, b in zip(_parts(one), _parts(other), strict=True))}"


def written_on(ground: str) -> str:
    """Text colour for a ground `#rrggbb`: black or white, whichever is easier to read."""
    return max(("#000000", "#ffffff"), key=lambda ink: contrast(ink, ground))


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours `#rrggbb`: 1 for none, 21 for black on white.

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
