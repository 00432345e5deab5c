r"""Guard's grammar: an answer, a choice or class probabilities to what was `Said`, and that to a class of ours.

All fail closed: what is not of the grammar is UNREADABLE, never a score. The whole answer must match, once; only an adapter that names
`lines` looks for them inside a longer text. Closed thoughts are left out before, an open one is no answer.

>>> read = Read(how="pattern", pattern="(?P<harm>yes|no)")
>>> read_text(read, Generated("<think>\nno\n</think>\n\nYes\n"))
Said(fields={'harm': 'yes'}, score=None, evidence='harm: yes')
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from alignsuite.judges.choice import likeliest, too_little
from alignsuite.judges.guards.spec import BOUND, Read, Rule
from alignsuite.judges.protocol import UNREADABLE, Judgement
from alignsuite.models.protocol import Chosen, Generated

_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL | re.IGNORECASE)
_OPEN = re.compile(r"</?think>", re.IGNORECASE)
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Said:
    """What a guard said: its fields in small letters, and a score in [0, 1] where the adapter makes one."""

    fields: Mapping[str, str]
    score: float | None = None
    evidence: str = ""


def read_text(read: Read, reply: Generated) -> Said | Judgement:
    """What a written answer says, or why it is UNREADABLE."""
    if reply.finish == "withheld":
        return _unread(f"the guard's answer was withheld ({reply.withheld or 'no reason given'})")
    if reply.finish == "length" and not read.may_be_cut:
        return _unread(f"the guard's answer was cut off: {reply.text[:_SHOWN]!r}")
    text = _THOUGHT.sub("", reply.text).replace("\r\n", "\n").strip()
    if _OPEN.search(text):
        return _unread(f"the guard's thought has no end: {reply.text[:_SHOWN]!r}")
    fields = (
        _json_fields(read, text)
        if read.how == "json"
        else _line_fields(read, text)
        if read.lines
        else _match(read, text)
    )
    if fields is None:
        return _unread(f"not of the guard's grammar: {text[:_SHOWN]!r}")
    return Said(fields, _scaled(read, fields), ", ".join(f"{name}: {value}" for name, value in fields.items()))


def read_choice(read: Read, chosen: Chosen) -> Said | Judgement:
    """What a choice among the adapter's options says: the likeliest one, or with digits their mean."""
    at, mass = likeliest(chosen), math.fsum(map(math.exp, chosen.log_probs))
    if at is None:
        return _unread("the guard finds no option the likeliest")
    if crumbs := too_little(chosen):
        return _unread(f"the guard would rather write something else: {crumbs}")
    share = math.exp(chosen.log_probs[at]) / mass
    option = read.options[at].strip().lower()
    if read.how == "options":
        return Said({read.field: option}, min(1.0, share), f"{option}: {share:.0%} of the options")
    values = [float(option) for option in read.options]
    mean = math.fsum(value * math.exp(weight) for value, weight in zip(values, chosen.log_probs, strict=True)) / mass
    score = min(1.0, max(0.0, (mean - min(values)) / (max(values) - min(values))))
    return Said({}, score, f"{mean:.2f} on the scale from {min(values):g} to {max(values):g}")


def read_classes(read: Read, scores: Mapping[str, float]) -> Said | Judgement:
    """What a classifier's probabilities say: the first value from the threshold on, else the likeliest other one."""
    values: dict[str, float] = {}
    for name, value in read.classes.items():
        values[value] = values.get(value, 0.0) + scores[name]
    first, *others = values
    if math.isnan(math.fsum(values.values())):
        return _unread("the classifier's probabilities are no numbers")
    score = min(1.0, values[first])
    said = first if score >= read.threshold else max(others, key=values.__getitem__) if others else "other"
    return Said({read.field: said}, score, f"{first}: {score:.2f}")


def class_of(rules: Mapping[str, Rule], said: Said) -> Judgement:
    """Class whose rule holds, the first in the adapter's order; UNREADABLE where none does."""
    for name, rule in rules.items():
        if all(_holds(said, field, wanted) for field, wanted in rule.items()):
            return Judgement(name, said.evidence, said.score)
    return _unread(f"the guard says what the adapter has no class for: {said.evidence!r}")


def _holds(said: Said, field: str, wanted: str | list[str]) -> bool:
    bound = BOUND.fullmatch(wanted) if isinstance(wanted, str) and field == "score" else None
    if bound is None:
        return said.fields.get(field) in ([wanted] if isinstance(wanted, str) else wanted)
    if said.score is None:
        return False
    limit = float(bound[2])
    return {">=": said.score >= limit, "<=": said.score <= limit, ">": said.score > limit, "<": said.score < limit}[
        bound[1]
    ]


def _match(read: Read, text: str) -> dict[str, str] | None:
    found = re.fullmatch(read.pattern, text, re.IGNORECASE)
    return (
        None
        if found is None
        else {name: value.lower() for name, value in found.groupdict().items() if value is not None}
    )


def _line_fields(read: Read, text: str) -> dict[str, str] | None:
    """Fields from lines of a longer text; None where a line stands there twice, or nothing was found."""
    fields = {}
    for name, pattern in read.lines.items():
        found = [match for line in text.split("\n") if (match := re.fullmatch(pattern, line.strip(), re.IGNORECASE))]
        if len(found) > 1:
            return None
        if found:
            fields[name] = found[0][1].lower()
    return fields or None


def _json_fields(read: Read, text: str) -> dict[str, str] | None:
    """Fields of one JSON object that has named keys only, each once, all texts."""
    try:
        pairs = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return None
    names = {key: name for name, key in read.fields.items()}
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        return None
    fields = {names[key]: value.strip().lower() for key, value in pairs if key in names and isinstance(value, str)}
    return fields if len(fields) == len(pairs) else None


def _scaled(read: Read, fields: Mapping[str, str]) -> float | None:
    """Mean of the numbers among the fields, each brought to 0 … 1; None where one is missing or beyond its scale."""
    if not read.scale or not all(fields.get(name, "").isdigit() for name in read.scale):
        return None
    shares = [(int(fields[name]) - low) / (high - low) for name, (low, high) in read.scale.items()]
    return math.fsum(shares) / len(shares) if all(0 <= share <= 1 for share in shares) else None


def _unread(why: str) -> Judgement:
    return Judgement(UNREADABLE, why)
