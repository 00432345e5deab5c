"""SVG written by hand: few shapes, no scripts, no resources from elsewhere, the same bytes for the same data.

What is written into a picture may be a model's reply or come from a stranger's file: it goes through `ElementTree`, which escapes it, after
control characters were made visible. Colours of text and paper follow the reader's light or dark setting, and the paper is painted, so
that a picture stays readable on a page of the other kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from unicodedata import bidirectional
from xml.etree import ElementTree as Tree

from alignsuite.reports.figures.shades import rules, shade, written_on
from alignsuite.text.cells import ELLIPSIS, columns, cut, one_line
from alignsuite.text.clean import clean

FONTS = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Verdana, Arial, sans-serif"
WIDE = 0.56
"""How wide a character of running text is, in shares of the font's size; a little more than in DejaVu Sans, the widest of `FONTS`."""
BOLD, BOLD_CAPITALS = 0.64, 0.7
"""The same for bold text."""

MOST = (2_000, 10_000)
"""The longest text that is written, in characters; a description may be longer, for it holds the numbers of every row."""

_COLOURS = {
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "quiet": ("#59636e", "#9da7b1"),
    "rule": ("#d1d9e0", "#3d444d"),
    "band": ("#c3d0dc", "#33424f"),
    "mark": ("#0b5cad", "#6cb0ff"),
    "sound": ("#0f766e", "#4fc1b0"),
    "alarm": ("#9c2a6f", "#f08bc0"),
}
"""What each class is coloured, on light paper and on dark."""


def _rules(paper: int) -> str:
    fills = (f".al-picture .{name}{{fill:{colours[paper]}}}" for name, colours in _COLOURS.items())
    lines = (f".al-picture .{name}-line{{stroke:{colours[paper]};fill:none}}" for name, colours in _COLOURS.items())
    return "".join((*fills, *lines))


STYLE = f"{_rules(0)}@media (prefers-color-scheme:dark){{{_rules(1)}}}"


class Drawing:
    """A picture that grows from the top; `write` gives its text.

    Shapes are coloured by a class: `paper`, `ink`, `quiet`, `rule`, `band`, `mark`, `sound`, `alarm` fill, and with
    `-line` behind draw an outline.

    Args:
        name: makes ids unique where several pictures stand in one page.
        title, about: what a screen reader says; `about` holds what the picture shows, in sentences.
    """

    def __init__(self, name: str, width: float, *, title: str, about: str) -> None:
        name = slug(name)
        self.width, self._root = width, Tree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg"})
        self._into, self._shades = self._root, set[int]()
        self._root.attrib |= {
            "class": "al-picture",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-about",
            "font-family": FONTS,
            "font-size": "13",
        }
        self._add("title", {"id": f"{name}-title"}, title)
        self._add("desc", {"id": f"{name}-about"}, about)
        self._style = self._add("style", {}, STYLE)
        self._paper = self._add("rect", {"class": "paper"})

    def write(self, height: float) -> str:
        """The whole document, ending in a line break."""
        size = {"width": number(self.width), "height": number(height)}
        self._root.attrib |= {"viewBox": f"0 0 {size['width']} {size['height']}", **size}
        self._paper.attrib |= size
        self._style.text = f"{STYLE}{rules(self._shades)}"
        Tree.indent(self._root)
        return f"{Tree.tostring(self._root, encoding='unicode')}\n"

    def text(
        self,
        x: float,
        y: float,
        words: str,
        style: str = "ink",
        *,
        size: float = 13,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """One line of text; `y` is its base line. `anchor` is start, middle or end."""
        attributes = {"class": style, "x": number(x), "y": number(y)}
        attributes |= {} if size == 13 else {"font-size": number(size)}
        attributes |= {} if anchor == "start" else {"text-anchor": anchor}
        self._add("text", attributes | ({"font-weight": "600"} if bold else {}), words)

    def rect(
        self, x: float, y: float, width: float, height: float, style: str = "", *, fill: str = "", round_: float = 0
    ) -> None:
        """A filled rectangle, coloured by a class or by a colour."""
        attributes = {"x": number(x), "y": number(y), "width": number(width), "height": number(height)}
        attributes |= ({"class": style} if style else {}) | ({"fill": fill} if fill else {})
        self._add("rect", attributes | ({"rx": number(round_)} if round_ else {}))

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        style: str = "rule-line",
        *,
        thick: float = 1,
        dashed: bool = False,
    ) -> None:
        """A straight line."""
        way = f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}"
        attributes = {"class": style, "stroke-width": number(thick), "d": way}
        self._add("path", attributes | ({"stroke-dasharray": "3 4"} if dashed else {}))

    def circle(self, x: float, y: float, radius: float, style: str) -> None:
        """A disc, or with a `-line` style a ring."""
        self._add(
            "circle", {"class": style, "cx": number(x), "cy": number(y), "r": number(radius), "stroke-width": "1.6"}
        )

    def label(self, x: float, y: float, words: str, ground: str) -> None:
        """Small text in the middle of a coloured cell, dark or light as the cell's colour `#rrggbb` wants it in either setting."""
        place = {"x": number(x), "y": number(y), "font-size": "10", "text-anchor": "middle"}
        self._add("text", {"fill": written_on(ground), **place}, words)

    def diamond(self, x: float, y: float, radius: float, style: str) -> None:
        """A filled square on its corner: a mark that differs from a disc without its colour."""
        side = number(radius)
        way = f"M{number(x)} {number(y - radius)}l{side} {side}l-{side} {side}l-{side} -{side}z"
        self._add("path", {"class": style, "d": way})

    def tile(self, x: float, y: float, width: float, height: float, share: float, words: str) -> None:
        """A cell in the shade of a share, with words in its middle that can be read on any shade; a share of 0 has an outline only."""
        ink = "quiet"
        if step := shade(share):
            self._shades.add(step)
            self.rect(x, y, width, height, f"shade-{step}", round_=2)
            ink = f"on-shade-{step}"
        else:
            self.rect(x + 0.5, y + 0.5, width - 1, height - 1, "rule-line", round_=2)
        self.text(x + width / 2, y + height / 2 + 4, words, ink, size=12, anchor="middle")

    @contextmanager
    def tip(self, words: str) -> Iterator[None]:
        """What is drawn inside shows these words to a pointer that rests on it, where the picture is not embedded as an image."""
        outside, self._into = self._into, self._add("g", {})
        self._add("title", {}, one_line(words))
        try:
            yield
        finally:
            self._into = outside

    def mosaic(self, fill: str, corners: list[tuple[float, float]], width: float, height: float) -> None:
        """Many rectangles of one size and colour as one shape: thousands of cells stay a small file."""
        box = f"h{number(width)}v{number(height)}h{number(-width)}z"
        self._add("path", {"fill": fill, "d": "".join(f"M{number(x)} {number(y)}{box}" for x, y in corners)})

    def _add(self, tag: str, attributes: dict[str, str], words: str = "") -> Tree.Element:
        element = Tree.SubElement(self._into, tag, attributes)
        if words:
            element.text = words if tag == "style" else _closed(clean(words, MOST[tag == "desc"]))
        return element


def _closed(words: str) -> str:
    """The words, with a mark behind an ellipsis that follows a script written from the right: else it would stand at their beginning."""
    strong = ("L", "R", "AL")
    last = next((kind for letter in reversed(words) if (kind := bidirectional(letter)) in strong), "L")
    return words if last == "L" or not words.endswith(ELLIPSIS) else f"{words}\u200f"


def fitted(words: str, room: float, size: float = 13, *, bold: bool = False) -> str:
    """The beginning of a text that fits into so many units, with an ellipsis where something is missing."""
    return cut(one_line(words), max(2, int(room / (size * (BOLD if bold else WIDE)))))


def length(words: str, size: float = 13) -> float:
    """How much room a text takes at most."""
    return columns(words) * size * WIDE


def bold_length(words: str, size: float = 13) -> float:
    """How much room a text takes at most when it is bold; capitals are the widest, as verdicts are written."""
    return columns(words) * size * (BOLD_CAPITALS if words.isupper() else BOLD)


def number(value: float) -> str:
    """A coordinate, to a hundredth.

    >>> number(12.0), number(3.14159), number(-0.001)
    ('12', '3.14', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def slug(name: str) -> str:
    """A name that is safe as a file's name and as an id.

    >>> slug("psychological/Dark & kind"), slug("../..")
    ('psychological-dark-kind', 'picture')
    """
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:80] or "picture"
