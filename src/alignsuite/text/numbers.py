"""Numbers as people read them: percentages, odds, durations, counts, energy.

A rounded number must not claim what was not seen: 0.9996 is never "100 %", and 0.0004 never "0 %".
"""

from __future__ import annotations

import math

_PLAIN_DIGITS = 1
_MOST_DIGITS = 3


def percent(rate: float, *, unit: str = " %") -> str:
    """Percentage of a measured fraction. Only exactly 0 and 1 read as 0 % and 100 %.

    >>> [percent(rate) for rate in (0, 0.1458, 0.9996, 0.0000001, 1)]
    ['0 %', '14.6 %', '99.96 %', '< 0.001 %', '100 %']
    """
    if not math.isfinite(rate):
        return "?"
    sign, rate = ("−" if rate < 0 else ""), abs(rate)
    if rate in (0, 1):
        return f"{sign}{rate * 100:.0f}{unit}"
    for digits in range(_PLAIN_DIGITS, _MOST_DIGITS + 1):
        text = f"{rate * 100:.{digits}f}"
        if float(text) not in (0.0, 100.0):
            return f"{sign}{text}{unit}"
    return f"< {sign}0.001{unit}" if rate < 0.5 else f"> {sign}99.999{unit}"


def points(gap: float) -> str:
    """Percentage points of a difference of two rates.

    >>> points(0.19), points(-0.0312)
    ('19.0 points', '−3.1 points')
    """
    return percent(gap, unit=" points")


def declared(rate: float, *, unit: str = " %") -> str:
    """Declared bound, with no more digits than were written.

    >>> declared(0.02), declared(0.125), declared(0.15, unit=" points")
    ('2 %', '12.5 %', '15 points')
    """
    return f"{rate * 100:.6g}{unit}"


def span(low: float, high: float, *, unit: str = " %") -> str:
    """Range of two fractions, with its unit once.

    >>> span(0.082, 0.233), span(0, 0.088)
    ('8.2–23.3 %', '0–8.8 %')
    """
    if low < 0:
        return f"{percent(low, unit='')} to {percent(high, unit='')}{unit}"
    return f"{percent(low, unit='')}–{percent(high, unit='')}{unit}"


def odds(chance: float, event: str = "runs") -> str:
    """Odds in whole cases: how often something with this chance happens.

    >>> odds(0.0001), odds(0.23), odds(0), odds(1e-9), odds(0.05, "shuffles")
    ('once in 10 000 runs', 'in 23 of 100 runs', 'never', 'less than once in a million runs', 'once in 20 shuffles')
    """
    if not math.isfinite(chance):
        return f"in an unknown share of {event}"
    if chance <= 0:
        return "never"
    if chance < 1e-6:
        return f"less than once in a million {event}"
    if chance > 0.1:
        shown = round(chance * 100)
        return "always" if chance >= 1 else f"in {min(shown, 99)} of 100 {event}"
    return f"once in {count(_two_digits(1 / chance))} {event}"


def _two_digits(value: float) -> int:
    scale = 10 ** max(0, math.floor(math.log10(value)) - 1)
    return int(round(value / scale) * scale)


def count(number: float) -> str:
    """Whole number, thousands apart from 10 000 on.

    >>> count(9999), count(1234567)
    ('9999', '1 234 567')
    """
    whole = int(number)
    return str(whole) if abs(whole) < 10_000 else f"{whole:,}".replace(",", " ")


def short_count(number: float) -> str:
    """Count in at most five characters.

    >>> [short_count(number) for number in (950, 3120, 48_210, 999_999, 1_200_000)]
    ['950', '3.1k', '48k', '1.0M', '1.2M']
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size * 0.9995:
            scaled = number / size
            return f"{scaled:.0f}{letter}" if scaled >= 9.95 else f"{scaled:.1f}{letter}"
    return f"{number:.0f}"


def duration(seconds: float) -> str:
    """Duration in one or two units.

    >>> [duration(seconds) for seconds in (0.04, 0.42, 12.3, 123, 4000, 200_000)]
    ['0.0 s', '0.4 s', '12 s', '2 min 3 s', '1 h 6 min', '55 h 33 min']
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s".removesuffix(" 0 s")
    return f"{whole // 3600} h {whole % 3600 // 60} min".removesuffix(" 0 min")


def clock(seconds: float) -> str:
    """Duration as it fits into a column.

    >>> [clock(seconds) for seconds in (0.42, 12.3, 123, 4000)]
    ['0.4 s', '12 s', '2:03', '1:06:40']
    """
    if seconds < 59.5:
        return duration(seconds)
    whole = round(seconds)
    minutes = f"{whole // 60 % 60}:{whole % 60:02d}"
    return minutes if whole < 3600 else f"{whole // 3600}:{minutes:0>5}"


def plural(number: int, noun: str) -> str:
    """Counted noun, in the plural unless it is one.

    >>> plural(1, "probe"), plural(12, "probe"), plural(2, "reply")
    ('1 probe', '12 probes', '2 replies')
    """
    several = f"{noun[:-1]}ies" if noun.endswith("ply") else f"{noun}s"
    return f"{count(number)} {noun if number == 1 else several}"


def energy(joules: float) -> str:
    """Energy with two or three digits, in the unit that people pay in once it is large enough.

    >>> [energy(joules) for joules in (0, 0.04, 12.4, 359, 360, 14_760, 5_400_000)]
    ['0 J', '0.04 J', '12 J', '359 J', '0.10 Wh', '4.1 Wh', '1.5 kWh']
    """
    if joules < 360:
        return f"{_digits(joules)} J"
    hours = joules / 3600
    return f"{_digits(hours)} Wh" if hours < 1000 else f"{_digits(hours / 1000)} kWh"


def mass(grams: float) -> str:
    """Mass with two or three digits.

    >>> [mass(grams) for grams in (0, 0.000_002, 0.0018, 0.45, 1.8, 2400)]
    ['0 g', '< 0.01 mg', '1.8 mg', '0.45 g', '1.8 g', '2.4 kg']
    """
    if 0 < grams < 1e-5:
        return "< 0.01 mg"
    if 0 < grams < 0.1:
        return f"{_digits(grams * 1000)} mg"
    return f"{_digits(grams)} g" if grams < 1000 else f"{_digits(grams / 1000)} kg"


def _digits(value: float) -> str:
    """Number with two digits below ten, and no decimals above.

    >>> [_digits(value) for value in (0, 0.1, 0.996, 4.14, 9.96, 123.4)]
    ['0', '0.10', '1.0', '4.1', '10', '123']
    """
    if value == 0:
        return "0"
    if value >= 9.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 0.995 else f"{value:.2g}" if value < 0.0995 else f"{value:.2f}"


def amount(value: float | None, unit: str) -> str:
    """Measured value as a cell: a fraction in `percent` or `points`, a `score`, or a `signed` score; dash for none.

    >>> amount(0.146, "percent"), amount(0.04, "points"), amount(3.2, "score"), amount(-0.1, "signed"), amount(None, "score")
    ('14.6 %', '4.0 pts', '3.20', '-0.10', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if unit in ("score", "signed"):
        return f"{value:+.2f}" if unit == "signed" else f"{value:.2f}"
    return percent(value, unit=" pts" if unit == "points" else " %")


def amounts(low: float, high: float, unit: str) -> str:
    """Range of two measured values as a cell.

    >>> amounts(0.082, 0.233, "percent"), amounts(2.1, 3.4, "score"), amounts(-0.2, 0.1, "signed")
    ('8.2–23.3 %', '2.10–3.40', '-0.20 to +0.10')
    """
    if unit in ("score", "signed"):
        return f"{low:+.2f} to {high:+.2f}" if unit == "signed" else f"{low:.2f}–{high:.2f}"
    return span(low, high, unit="" if unit == "points" else " %")
