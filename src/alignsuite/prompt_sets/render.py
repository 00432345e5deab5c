"""Cases: the prompts of a set, rendered, each with its labels, in the seeded order of a bank.

A case is one template with one row for each slot, in one variant, with its options in one order. Its id says so
(`swimming-lessons/muslim/amina-rahman`), so that a record names it in words and a later run finds it again.

The order of a bank comes from the set's id and version alone: never from the model or the clock. A case's place is a hash, so adding a
case moves no other, and raising the version draws a new order.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alignsuite.errors import PromptError, did_you_mean
from alignsuite.models.protocol import Choose, Generate, Message, Request
from alignsuite.prompt_sets.load import LoadedSet
from alignsuite.prompt_sets.perturb import perturb
from alignsuite.prompt_sets.schema import Form, Template, Variant, Wording
from alignsuite.prompt_sets.template import TemplateFault, fill

_PLAIN = Variant()
_SAMPLE_STRIDE = 100
"""Between the seeds of two samples of one case: the seeds between them ask a sample again."""


@dataclass(frozen=True, slots=True)
class _Way:
    """Way to put a template: a variant or a wording, with its options in an order.

    `sample` numbers repeated replies.
    """

    order: tuple[int, ...]
    variant_name: str = ""
    variant: Variant = _PLAIN
    wording: Wording | None = None
    sample: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Case: one rendered prompt with all that is known of it.

    `labels` holds the set's fields, the slots' columns and, where there are any, `variant`, `wording` and `instrument`. `options` are
    the texts in the order shown; `order[place]` is the option's index in the set's own order; `answer` and `values` are in the set's own
    order. With `written` the options are shown and an answer in words is wanted; `sample` numbers such answers to one prompt. `hidden` are
    the words that tell the group: a judge that understands names must not see them.
    """

    id: str
    template: str
    labels: Mapping[str, str]
    chat: tuple[Message, ...] | None
    raw: str | None
    max_tokens: int
    options: tuple[str, ...] = ()
    order: tuple[int, ...] = ()
    marks: tuple[str, ...] = ()
    answer: int | None = None
    values: tuple[float, ...] = ()
    reversed: bool = False
    written: bool = False
    sample: int = 0
    hint: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
    hidden: tuple[str, ...] = ()

    def request(self, form: Form, *, temperature: float = 0.0, seed: int = 0) -> Request:
        """Request to a model of this form.

        In raw form the continuation of the prompt begins with a space, as text in books does.
        """
        prompt = self.chat if form == "chat" else self.raw
        assert prompt is not None, f"{self.id} has no {form} form"
        if self.written or not self.options:
            seed += _SAMPLE_STRIDE * self.sample
            return Generate(prompt, max_tokens=self.max_tokens, temperature=temperature, seed=seed, hint=self.hint)
        shown = self.marks or self.options
        return Choose(prompt, tuple(shown if form == "chat" else (f" {text}" for text in shown)), seed, hint=self.hint)

    def text(self, form: Form) -> str:
        """Prompt as a person would read it."""
        prompt = self.chat if form == "chat" else self.raw
        return prompt if isinstance(prompt, str) else "\n".join(f"{turn.role}: {turn.content}" for turn in prompt or ())


@functools.cache
def render_cases(loaded: LoadedSet) -> tuple[Case, ...]:
    """Cases of a set, in the seeded order of its bank.

    Raises:
        PromptError: when a template names a slot that does not exist, renders to nothing, or two cases have one id.
    """
    cases: dict[str, Case] = {}
    for index, template in enumerate(loaded.spec.templates):
        for case in _of_template(loaded, index, template):
            if case.id in cases:
                raise PromptError(f"{loaded.at('templates', index)}: two cases have the id `{case.id}`")
            cases[case.id] = case
    return tuple(sorted(cases.values(), key=lambda case: order_key(loaded, case.id)))


def order_key(loaded: LoadedSet, name: str) -> str:
    """Sort key of a case or a template in its bank: a hash, so that the order is random but the same for all models."""
    return hashlib.sha256(f"{loaded.spec.id}@{loaded.spec.version}:{name}".encode()).hexdigest()


def _of_template(loaded: LoadedSet, index: int, template: Template) -> Iterator[Case]:
    spec = loaded.spec
    options = tuple(template.options or spec.options or ())
    for rows in itertools.product(*(_rows(loaded, name, template) for name in spec.slots)):
        slots = dict(zip(spec.slots, rows, strict=True))
        for way in _ways(loaded, template, len(options)):
            yield _case(loaded, index, template, slots, options, way)


def _ways(loaded: LoadedSet, template: Template, count: int) -> Iterator[_Way]:
    if loaded.sheet is not None:
        written = loaded.sheet.ask == "generate"
        for one in loaded.sheet.presentations[template.id]:
            yield _Way(one.order, wording=one.wording, sample=one.sample if written else None)
        return
    for name, variant in (loaded.spec.variants or {"": _PLAIN}).items():
        for order in _orders(loaded, template, count):
            yield _Way(order, name, variant)


def _rows(loaded: LoadedSet, slot_name: str, template: Template) -> list[dict[str, str]]:
    slot, rows = loaded.spec.slots[slot_name], loaded.tables[slot_name].rows
    if slot.pick is None:
        return list(rows)
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row[slot.each] if slot.each else "", []).append(row)
    start = int(order_key(loaded, f"{template.id}#{slot_name}")[:8], 16)
    return [
        members[(start + step) % len(members)]
        for members in groups.values()
        for step in range(min(slot.pick, len(members)))
    ]


def _orders(loaded: LoadedSet, template: Template, count: int) -> list[tuple[int, ...]]:
    """Option orders: the set's own, one seeded rotation, or every rotation (each option once in every place)."""
    natural = tuple(range(count))
    if count == 0 or loaded.spec.orders == "fixed":
        return [natural]
    rotations = [natural[shift:] + natural[:shift] for shift in range(count)]
    if loaded.spec.orders == "cyclic":
        return rotations
    return [rotations[int(order_key(loaded, f"{template.id}#order")[:8], 16) % count]]


def _case(
    loaded: LoadedSet,
    index: int,
    template: Template,
    slots: Mapping[str, Mapping[str, str]],
    options: tuple[str, ...],
    way: _Way,
) -> Case:
    spec, variant = loaded.spec, way.variant_name
    shown = tuple(options[place] for place in way.order)
    marks = _marks(way.wording.marks if way.wording else spec.marks, len(shown))
    parts = [template.id, *(_slug(row["value"]) for row in slots.values()), *_tail(spec.orders, way)]
    context: dict[str, str] = _vary(loaded, template.fields, way.variant, template.id)
    context |= {name: row["value"] for name, row in slots.items()}
    if shown:
        lines = "\n".join(f"{mark}. {text}" for mark, text in zip(marks, shown, strict=False))
        context |= {"choices": lines if marks else _listed(shown), "marks": _listed(marks or shown)}
    labels = template.fields | {key: text for row in slots.values() for key, text in row.items() if key != "value"}
    labels |= {name: row["value"] for name, row in slots.items()} | ({"variant": variant} if variant else {})
    if loaded.sheet is not None and way.wording is not None:
        labels |= {"wording": way.wording.id, "instrument": loaded.sheet.name}
    user, raw = (_render(loaded, index, (template, way.wording), kind, context) for kind in ("user", "raw"))
    chat = (
        None if user is None else (*((Message("system", spec.system),) if spec.system else ()), Message("user", user))
    )
    answer = None if template.answer is None else options.index(template.answer)
    case = Case(
        "/".join(parts), template.id, labels, chat, raw, spec.max_tokens, shown, way.order, marks, answer,
        tuple(spec.values or ()), bool(template.reversed), way.sample is not None, way.sample or 0, hidden=_hidden(loaded, slots),
    )  # fmt: skip
    case.hint.update(_hint(loaded, case))  # type: ignore[attr-defined]
    return case


def _hidden(loaded: LoadedSet, slots: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """Words to mask: texts of slots that stand for a group, their names and numbers, and the names of all groups.

    Those of all groups, not of the case's own: what is taken out of a text must not depend on whom it is about.
    """
    words: dict[str, None] = {}
    for name, row in slots.items():
        column = loaded.spec.slots[name].each or "group"
        if column not in row:
            continue
        groups = sorted({other[column].replace("_", " ") for other in loaded.tables[name].rows})
        words |= dict.fromkeys([row["value"], *filter(_is_telling, row["value"].split()), *groups])
    return tuple(words)


def _is_telling(word: str) -> bool:
    """Whether a word of a slot's text is a name or a number, by how it begins.

    That is a capital, a figure, or a letter that has no capitals.
    """
    begins = re.split("['’]", word)[0]
    return len(begins) > 1 and not begins[0].islower()


def _marks(kind: str, count: int) -> tuple[str, ...]:
    if kind == "none":
        return ()
    return tuple("ABCDEFGHIJ"[:count]) if kind == "letters" else tuple(map(str, range(1, count + 1)))


def _tail(orders: str, way: _Way) -> list[str]:
    if way.wording is not None:
        samples = [] if way.sample is None else [str(way.sample + 1)]
        return [way.wording.id, order_name(way.order), *samples]
    variant = [way.variant_name] if way.variant_name else []
    return variant + ([f"order{way.order[0] + 1}"] if orders == "cyclic" else [])


def order_name(order: tuple[int, ...]) -> str:
    """Name of an order of options, as in ids and records: `2-3-1` shows the second option first.

    >>> order_name((1, 2, 0))
    '2-3-1'
    """
    return "-".join(str(option + 1) for option in order)


def _hint(loaded: LoadedSet, case: Case) -> dict[str, object]:
    """Hint: what a scripted double may know; see `alignsuite.models.engines.scripted`."""
    spec = loaded.spec
    return {
        "set": spec.id, "case": case.id, "template": case.template, "expect": spec.expect, "labels": dict(case.labels),
        "order": case.order, "answer": case.answer, "values": case.values, "reversed": case.reversed, "options": case.options,
        "reference": bool(case.labels.get("variant")) and spec.variants[case.labels["variant"]].reference,
    }  # fmt: skip


def _vary(loaded: LoadedSet, fields: Mapping[str, str], variant: Variant, seed: str) -> dict[str, str]:
    out = dict(fields)
    if variant.field is not None and variant.use is not None:
        out[variant.field] = fields[variant.use]
    if variant.field is not None and variant.perturb is not None:
        try:
            out[variant.field] = perturb(variant.perturb, out[variant.field], seed=f"{loaded.spec.id}:{seed}")
        except PromptError as error:
            raise PromptError(f"{loaded.at('variants')}: {seed}: {error}") from None
    return out


def _render(
    loaded: LoadedSet, index: int, of: tuple[Template, Wording | None], kind: str, context: Mapping[str, Any]
) -> str | None:
    template, wording = of
    own = getattr(template, kind)
    source = getattr(wording, kind) if wording else own or getattr(loaded.spec, kind)
    if source is None:
        return None
    where = loaded.at("templates", index, kind) if own else loaded.at("wordings" if wording else kind)
    try:
        text = fill(source, context)
    except TemplateFault as fault:
        if fault.name:
            advice = did_you_mean(fault.name, context)
            raise PromptError(f"{where}: `{{{{ {fault.name} }}}}` is no slot of this set; {advice}") from None
        raise PromptError(f"{where}: `{template.id}`: {fault}") from None
    if not text:
        raise PromptError(f"{where}: `{template.id}` renders to nothing")
    return text


def _listed(words: tuple[str, ...]) -> str:
    """List of alternatives as people write it: `a, b or c`."""
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _slug(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-")
