"""Model descriptions as text: the model table, one model's card, what it answered when it was checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from alignsuite.models.protocol import Choose, Chosen, Generated, ModelInfo, Request, last_turn
from alignsuite.models.thoughts import only_thought, parted, why_only_thought
from alignsuite.text.cells import columns, one_line, pad, wrap
from alignsuite.text.numbers import percent, plural

if TYPE_CHECKING:
    from alignsuite.models.engines.transformers.floor import BatchFloor
    from alignsuite.models.registry import TableEntry


def model_line(info: ModelInfo) -> str:
    """Model card in one line: name, engine, what it can do, fingerprint."""
    abilities = {"writes text": info.can_generate, "chooses": info.can_choose, "chats": info.can_chat}
    context = f"context of {info.context_length} tokens" if info.context_length else ""
    able = [word for word, can in abilities.items() if can]
    parts = (info.name, info.engine, *able, context, info.fingerprint)
    return one_line(" · ".join(part for part in parts if part))


def answer_text(request: Request, reply: object) -> str:
    """Question and answer as text, cleaned; `reply` may be an error."""
    asked = last_turn(request.prompt)
    if isinstance(request, Choose) and isinstance(reply, Chosen):
        chances = zip(request.options, (math.exp(value) for value in reply.log_probs), strict=True)
        shown = ", ".join(f"{option.strip()} {percent(chance)}" for option, chance in chances)
        return f"choose: {asked}\n  chances: {shown}"
    if isinstance(reply, Generated):
        speed = f", {reply.completion_tokens / reply.seconds:.1f} tokens/s" if reply.seconds > 0 else ""
        return f"asked: {asked}\n{_reply_text(parted(reply))}\n  {plural(reply.completion_tokens, 'token')}{speed}"
    return f"asked: {asked}\n  no reply: {one_line(str(reply))}"


def _reply_text(reply: Generated) -> str:
    """Reply in the lines that say what a probe would see of it, with its thought and who withheld it."""
    thought = f"  thought: {one_line(reply.thought)}\n" if reply.thought else ""
    if only_thought(reply):
        return f"{thought}  no reply: {why_only_thought(reply)}"
    how = f"({reply.withheld})" if reply.withheld else "(cut off)" if reply.finish == "length" else ""
    return f"{thought}  reply: {' '.join(filter(None, (one_line(reply.text) or '(empty)', how)))}"


def model_table(rows: Sequence[TableEntry], *, width: int) -> list[str]:
    """Model table as lines: one for each alias, its note below."""
    titles = ("alias", "stands for", "kind", "stage", "studies")
    cells = [titles, *((row.alias, row.target, row.kind, row.stage, ", ".join(row.studies) or "–") for row in rows)]
    widths = [max(columns(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = []
    for row, texts in zip((None, *rows), cells, strict=True):
        lines.append("  ".join(pad(cell, size) for cell, size in zip(texts, widths, strict=True)).rstrip())
        lines += [f"    {line}" for line in wrap(_remark(row), max(width - 4, 40)) if line] if row else []
    return lines


def _remark(row: TableEntry) -> str:
    gated = "Gated: its terms have to be accepted on the hub." if row.gated else ""
    gone = f"Withdrawn on {row.withdrawn}; use {row.replaced_by}." if row.withdrawn else ""
    return " ".join(part for part in (gone, row.note, gated) if part)


def row_text(row: TableEntry) -> str:
    """Table entry in full, a line for each thing known."""
    known = {
        "alias": row.alias,
        "stands for": row.target,
        "system": row.system,
        "kind": row.kind,
        "stage": row.stage,
        "studies": ", ".join(row.studies),
        "licence": row.licence,
        "remark": _remark(row),
    }
    return "\n".join(f"{title:<10}  {text}" for title, text in known.items() if text)


def floor_text(floor: BatchFloor) -> str:
    """Batch effect in one line: how much a reply depends on what it was answered together with."""
    texts = f"{floor.text:.0%} of {floor.texts} texts differ".replace("%", " %")
    return f"in company: a log-probability moves by at most {floor.log_prob:.1e} nats over {floor.options} options; {texts}"
