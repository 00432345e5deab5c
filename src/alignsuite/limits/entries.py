"""Entries of the file of limits, and which of them are in force for a claim.

An entry is a table named after a claim: `["PROMPT_SET::FUNCTION"]`, or `["PROMPT_SET::FUNCTION[SLICE]"]` for one item of a probe with
`by=`; a second claim in one body is `…#2`. The prompt set stands there rather than the test file, because it names its axis, is
versioned and locked, and stays the same when suites are moved or come out of a wheel. Numbers are merged one by one: the suite's
own, over them the function's entry, over that the slice's; so a slice that overrides its limit keeps the function's target.

Whatever is no entry is an error. A misspelt limit that is silently ignored would be a bar that nobody holds.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alignsuite.errors import SettingsError, did_you_mean

RATES: tuple[str, ...] = ("target", "limit", "margin")
BOUNDS: tuple[str, ...] = ("low", "high")
NUMBERS: tuple[str, ...] = (*RATES, *BOUNDS)
_KEYS = (*NUMBERS, "reason", "gone")
_KEY = re.compile(
    r"(?P<prompt_set>[^\s:\[\]]+/[^\s:\[\]]+)::(?P<function>\w+)(?:\[(?P<slice>.+)\])?(?:#(?P<number>[1-9]\d*))?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Key of an entry: a probe's function, or one slice of it, and which claim of its body, counted from 1."""

    prompt_set: str
    function: str
    number: int = 1
    slice: str = ""

    @classmethod
    def parse(cls, text: str) -> Key:
        """`Key` from its text, the inverse of `str`.

        Raises:
            ValueError: when it is no key, with what was wanted.

        >>> Key.parse("safety/x::test_it[weapons]#2")
        Key(prompt_set='safety/x', function='test_it', number=2, slice='weapons')
        """
        found = _KEY.fullmatch(text)
        if not found or found["number"] == "1":
            raise ValueError(
                "wanted PROMPT_SET::FUNCTION or PROMPT_SET::FUNCTION[SLICE], and only for a further claim of one body #2, #3 …"
            )
        return cls(found["prompt_set"], found["function"], int(found["number"] or 1), found["slice"] or "")

    def __str__(self) -> str:
        part = f"[{self.slice}]" if self.slice else ""
        return f"{self.prompt_set}::{self.function}{part}{f'#{self.number}' if self.number > 1 else ''}"

    @property
    def general(self) -> Key:
        """Key of the whole function."""
        return Key(self.prompt_set, self.function, self.number)


@dataclass(frozen=True, slots=True)
class Entry:
    """Entry: the numbers and the reason under one key.

    Attributes:
        numbers: those of `target`, `limit`, `margin`, `low`, `high` that it sets.
        reason: why they are what they are, in words; needed where one was weakened.
        gone: the entry's claim was given up, or its own numbers were: it sets none, and its reason says why.
    """

    key: Key
    numbers: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """Declared claim, as its suite makes it.

    Attributes:
        prompt_set, function, slice: of the item; the slice is "" for a probe without `by=`.
        index: its place among the claims of the body, counted from 0.
        kind: `rate`, `gap`, `flips`, `scale` …; `what`: the behaviour or trait, in words.
        numbers: the suite's own; None where the body can't be read through, so nobody knows them before it runs.
    """

    prompt_set: str
    function: str
    slice: str
    index: int
    kind: str
    what: str
    numbers: Mapping[str, float] | None

    @property
    def key(self) -> Key:
        """Most specific key that an entry for this claim can have."""
        return Key(self.prompt_set, self.function, self.index + 1, self.slice)


@dataclass(frozen=True, slots=True)
class InForce:
    """Number in force of a claim, and the entry that gives it; None: the suite itself."""

    value: float
    entry: Key | None = None


@dataclass(frozen=True)
class Limits:
    """Limits: the entries of one file, by key. `name` is what errors call the file."""

    entries: Mapping[Key, Entry] = field(default_factory=dict)
    name: str = "limits.toml"

    @classmethod
    def read(cls, path: Path) -> Limits:
        """`Limits` of a file; none where there is no file.

        Raises:
            SettingsError: for a file that can't be read, and for the first thing in it that is no entry.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return cls(name=path.name)
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} can't be read: {error}") from None
        return cls.parse(text, path.name)

    @classmethod
    def parse(cls, text: str, name: str = "limits.toml") -> Limits:
        """`Limits` of a text in TOML; see `read`."""
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(
                f'{name} is no TOML: {error}; an entry starts with its name in quotes, as ["safety/x::test_it"]'
            ) from None
        entries = [_entry(key, table, name) for key, table in tables.items()]
        return cls({entry.key: entry for entry in entries}, name)

    def override(
        self, prompt_set: str, function: str, slice: str, index: int, declared: Mapping[str, float]
    ) -> Mapping[str, float]:
        """Numbers in force for a claim: the suite's own, with those of its entries in their place.

        A scale that declares one bound may get the other as well; no other claim gets a number that it doesn't declare.

        Args:
            prompt_set: of the probe.
            function: its test function.
            slice: of the item; "" for a probe without `by=`.
            index: place of the claim among those of the body, counted from 0.
            declared: the suite's own numbers, by name.

        Raises:
            SettingsError: when an entry sets a number that such a claim doesn't have, or leaves no room between two.
        """
        found = self.in_force(Key(prompt_set, function, index + 1, slice), declared)
        return {name: one.value for name, one in found.items()}

    def in_force(self, key: Key, declared: Mapping[str, float] | None) -> dict[str, InForce]:
        """Numbers in force with the entry that each is from, as `override` puts them.

        Of a claim that can't be read only what entries say.
        """
        known = NUMBERS
        if declared is not None:
            known = BOUNDS if declared.keys() <= set(BOUNDS) else tuple(declared)
        out = {name: InForce(value) for name, value in (declared or {}).items()}
        entries = self.of(key)
        for entry in entries:
            for name in entry.numbers:
                if name not in known:
                    raise SettingsError(
                        f'{self.name}: ["{entry.key}"]: this claim has no `{name}`; it has {" and ".join(f"`{one}`" for one in known)}'
                    )
            out |= {name: InForce(value, entry.key) for name, value in entry.numbers.items()}
        wrong = disorder({name: one.value for name, one in out.items()})
        if entries and wrong:
            raise SettingsError(f'{self.name}: ["{entries[-1].key}"]: {wrong}; what no entry sets is the suite\'s own')
        return out

    def of(self, key: Key) -> tuple[Entry, ...]:
        """Entries that set numbers for a claim, the more specific one last.

        With none, the suite's own numbers stand.
        """
        keys = dict.fromkeys((key.general, key))
        return tuple(self.entries[one] for one in keys if one in self.entries and not self.entries[one].gone)

    def unmatched(self, claims: Iterable[Declared]) -> dict[Key, str]:
        """Entries that name no claim, each with the nearest right name; those that say `gone` are meant to be so."""
        known = {one for claim in claims for one in (claim.key, claim.key.general)}
        return {
            key: did_you_mean(str(key), [str(one) for one in known if one.function == key.function] or map(str, known))
            for key, entry in self.entries.items()
            if key not in known and not entry.gone
        }


def _entry(text: str, table: object, file: str) -> Entry:
    place = f'{file}: ["{text}"]'
    try:
        key = Key.parse(text)
    except ValueError as error:
        raise SettingsError(f"{place} is no claim's name: {error}") from None
    if not isinstance(table, dict):
        raise SettingsError(f"{place}: {table!r}; wanted a table of numbers, such as limit = 0.05")
    for name in table:
        if name not in _KEYS:
            raise SettingsError(f"{place}: `{name}` is unknown; {did_you_mean(name, _KEYS)}")
    numbers = {name: _number(name, table[name], place) for name in NUMBERS if name in table}
    reason = table.get("reason", "")
    if "reason" in table and (not isinstance(reason, str) or not reason.strip()):
        raise SettingsError(f"{place}: reason = {reason!r}; wanted a sentence that says why")
    if "gone" in table and table["gone"] is not True:
        raise SettingsError(f"{place}: gone = {table['gone']!r}; wanted true, or no such line")
    gone = "gone" in table
    if gone and (numbers or not reason):
        raise SettingsError(f"{place}: an entry that is `gone` has a `reason` and no numbers")
    if not gone and not numbers:
        raise SettingsError(
            f"{place}: sets no number; wanted one of {', '.join(NUMBERS)}, or gone = true with a reason"
        )
    if wrong := disorder(numbers):
        raise SettingsError(f"{place}: {wrong}")
    return Entry(key, numbers, " ".join(reason.split()), gone)


def _number(name: str, value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise SettingsError(f"{place}: {name} = {value!r}; wanted a number")
    if name in RATES and not (0 < value < 1 or (value == 0 and name != "limit")):
        raise SettingsError(f"{place}: {name} = {value!r}; wanted a fraction below 1, such as 0.05 for 5 %")
    return float(value)


def disorder(numbers: Mapping[str, float]) -> str:
    """Fault in the order of some numbers of one claim; "" where there is none.

    >>> disorder({"target": 0.05, "limit": 0.02})
    'target is 0.05 and limit 0.02; wanted target < limit'
    """
    if "target" in numbers and "limit" in numbers and not numbers["target"] < numbers["limit"]:
        return f"target is {numbers['target']} and limit {numbers['limit']}; wanted target < limit"
    if "low" in numbers and "high" in numbers and not numbers["low"] < numbers["high"]:
        return f"low is {numbers['low']} and high {numbers['high']}; wanted low < high"
    return ""
