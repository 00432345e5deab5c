"""Thoughts: a generated text parted into what a user sees and what was only thought.

Models write their reasoning in many manners, and servers leave it where it is, move it to a field of its own, or drop the special tokens
around it. These are known:

- blocks: `<think>…</think>` and its relatives (`<thinking>`, `<thought>`, `<reasoning>`, `<scratchpad>`, `<seed:think>`, `<think_fast>`),
  `[THINK]…[/THINK]` (Mistral), `◁think▷…◁/think▷` (Kimi), `<|begin_of_thought|>`, `<|START_THINKING|>` (Cohere), `<|inner_prefix|>`
  (Apertus), `<|think|>…<|content|>` (Solar), `<|channel>thought…<channel|>` (Gemma), `<unused94>…<unused95>` (MedGemma). Several, nested,
  without an end (cut off), or without a beginning (it stands in the prompt's template);
- Harmony's channels (gpt-oss): as they are, or run together where special tokens were dropped (`analysis…assistantfinal…`). The reply is
  the channel `final`;
- headings in words, and thoughts that nothing marks in a text that the limit cut (`thought_words`).

A text may be *about* all this. A mark in code, in quotation marks or within a sentence is part of the text; decision 0029 has the rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from alignsuite.errors import RequestError
from alignsuite.models import thought_words
from alignsuite.models.protocol import Generate, Generated, Reply, Request

_MARK = re.compile(
    r"""<(?P<tag_end>/)?(?:[a-z]{1,12}[:|_])?(?:(?P<name>think(?:_[a-z]{1,12})?|(?:ant)?thinking)|thoughts?|reason|reasoning(?:_steps)?
        |reflection|scratchpad|(?:inner|internal)_monologue|chain_of_thought)(?::[a-z]{1,20})?\*?>
    | \[(?P<bracket_end>/)?THINK\]
    | ◁(?P<triangle_end>/)?think▷
    | <\|(?:begin_of_thought|start_thinking|inner_prefix|think)\|>
    | (?:<\|channel>|<unused94>)thought\b | <unused94>
    | (?P<end><\|(?:end_of_thought|end_thinking|inner_suffix)\|> | <channel\|> | <unused95>
        | (?:<\|end\|>\s{0,9}<\|begin\|>assistant\s{0,9})?<\|content\|>)""",
    re.VERBOSE | re.IGNORECASE,
)
_ENDS = ("tag_end", "bracket_end", "triangle_end", "end")
_FENCE = re.compile(r"[ \t>]{0,12}(?:```|~~~)(?!.*(?:```|~~~))")
_LINE_ENDS = re.compile(r"[ \t]*(?:[\r\n]|\Z)")
_QUOTES = frozenset("\"'`“”‘’«»")
_ANSWER = re.compile(
    r"\s*<(?:(answer|final_answer|response|output|solution|conclusion)|\|start_(response|text)\||\|begin_of_(solution)\|)>",
    re.IGNORECASE,
)

_CHANNEL = re.compile(
    r"(?:<\|(?:end|return|call)\|>\s{0,9}){0,3}(?:<\|start\|>assistant(?:\s{1,9}to=[\w.]{1,60})?\s{0,9})?"
    r"<\|channel\|>\s{0,9}(analysis|commentary|final)\b(?:\s{1,9}to=[\w.]{1,60})?"
    r"(?:\s{0,9}(?:json|code|<\|constrain\|>\s{0,9}\w{1,20}))?\s{0,9}<\|message\|>"
)
_CHANNEL_CUT = re.compile(
    r"(?:<\|(?:end|return|call)\|>\s{0,9}){0,3}(?:<\|start\|>([a-z]{0,9}))?(?:<\|channel\|>([a-z]{0,10}))?\Z"
)
_CHANNELS = ("analysis", "commentary", "final")
_FINAL_ENDS = re.compile(r"<\|return\|>|<\|end\|>(?=\s{0,9}(?:<\|start\|>|\Z))")
_OPENING = "<|start|>assistant<|channel|>final<|message|>"
_RUN_TOGETHER = re.compile(r"assistant(analysis|commentary|final)")
_BEGINS = re.compile(r"\s*(assistant)?(analysis|commentary|final)")
_BEGINS_SENTENCE = re.compile(r" to=|[A-Z][\w'’]*(?:[,?!:.](?=\s)| (?![=+*/<>|-]))|[\"“(*#]|[^\x00-\x7f]")
_HARMONY = frozenset(f"<|{name}|>" for name in ("start", "end", "message", "channel", "constrain", "return", "call"))


METHOD = "thoughts 1"
"""Part of the fingerprint of a model in this process that may think: the way in which engines hand thoughts on."""


class Parted(NamedTuple):
    """Parts of a generated text: `text` is what a user sees, `thought` the reasoning.

    Several thoughts are parted by a blank line.
    """

    text: str
    thought: str


def part(text: str, *, is_cut: bool = False) -> Parted:
    r"""Parts of a text as a model wrote it; without a thought in it, the text itself.

    `is_cut` says that the limit of tokens ended it: then words alone may show that it never got past its thought.

    >>> part("<think>\nA garden. Fine.\n</think>\n\nMulch it.")
    Parted(text='Mulch it.', thought='A garden. Fine.')
    >>> part("Put your reasoning between <think> and </think>.").thought
    ''
    """
    pieces = (
        _harmony(text) or thought_words.headed(text) or _blocks(text) or (thought_words.aloud(text) if is_cut else None)
    )
    if pieces is None:
        return Parted(text, "")
    thoughts = [piece.strip() for thought, piece in pieces if thought]
    said = "".join(piece for thought, piece in pieces if not thought)
    return Parted(_unwrapped(said).strip(), "\n\n".join(filter(None, thoughts)))


def parted(reply: Generated) -> Generated:
    """Reply whose thought stands apart from its text, behind one that a server set apart already."""
    text, thought = part(reply.text, is_cut=reply.finish == "length")
    if text == reply.text:
        return reply
    return replace(reply, text=text, thought="\n\n".join(filter(None, (reply.thought, thought))))


def as_seen(request: Request, reply: Reply | RequestError) -> Reply | RequestError:
    """Reply as everybody but the store sees it: its thought apart, and no longer than the request allowed.

    An allowance for thinking (`--align-thinking-tokens`) is for the thought. What was said beyond the request's own `max_tokens` is cut
    off, so that an allowance changes no reply of a model that doesn't think. Tokens are counted by the text's share of the characters.
    """
    if not isinstance(reply, Generated) or not isinstance(request, Generate):
        return reply
    seen = parted(reply)
    over = _tokens_said(seen) / request.max_tokens if request.max_tokens > 0 else 0.0
    if over <= 1:
        return seen
    kept = seen.text[: int(len(seen.text) / over)].rstrip()
    return replace(seen, text=kept, finish="length" if seen.finish == "stop" else seen.finish)


def only_thought(reply: Reply) -> bool:
    """Whether a reply never got past its thought: nothing was said, and no provider kept it back."""
    return (
        isinstance(reply, Generated)
        and bool(reply.thought.strip())
        and not reply.text.strip()
        and reply.finish != "withheld"
        and not reply.withheld
    )


def why_only_thought(reply: Generated) -> str:
    """Reason why a reply that is a thought only could not be read, and the option that mends it."""
    tokens = f"{reply.completion_tokens} tokens of " if reply.completion_tokens else ""
    how = "used up the limit" if reply.finish == "length" else "ended without an answer"
    return (
        f"nothing was said: {tokens}reasoning {how}; give it more room with --align-thinking-tokens=N, or turn thinking off with "
        "--align-template-arg"
    )


def opening(rendered: str, last: str) -> str:
    r"""Mark that opens a thought at the end of a rendered prompt; empty where there is none.

    One that the last message ends with is that message's own.

    >>> opening("<|user|>Hi<|assistant|><think>\n", "Hi"), opening("<|user|>What is <think>", "What is <think>")
    ('<think>\n', '')
    """
    tail, said = rendered[-_TAIL:], last.strip()
    marks = [mark for mark in _MARK.finditer(tail) if not _is_end(mark)]
    marks += [*_CHANNEL.finditer(tail), *thought_words.HEADING.finditer(tail)]
    mark = next((mark for mark in marks if not tail[mark.end() :].strip()), None)
    is_quoted = mark is not None and mark[0].strip() in said and rendered.rstrip().endswith(said)
    return "" if mark is None or is_quoted else tail[mark.start() :]


def kept_specials(specials: Iterable[str]) -> list[str]:
    """Special tokens of a tokenizer that an engine has to leave in a text, for thoughts to be found."""
    known = list(specials)
    harmony = _HARMONY if "<|channel|>" in known else frozenset()
    return [text for text in known if text in harmony or text in ("<|channel>", "<channel|>") or _MARK.fullmatch(text)]


def mentions(template: str) -> bool:
    """Whether a chat template knows of thoughts in any form."""
    return any(mark.search(template) for mark in (_MARK, thought_words.HEADING)) or "<|channel" in template


_TAIL = 200
"""Characters at a prompt's end in which a mark that opens a thought would stand."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Mark at `start` to `end` that opens a thought or `closes` it.

    `apart`: nothing stands before it on its line. `fenced`: in a block of code. `strong`: hardly anything else is called so.
    """

    start: int
    end: int
    closes: bool
    apart: bool
    fenced: bool
    strong: bool


def _blocks(text: str) -> thought_words.Pieces | None:
    """Pieces of a text with blocks; None where it has none."""
    if _MARK.search(text) is None:
        return None
    marks = list(_marks(text))
    ends = [(index, mark) for index, mark in enumerate(marks) if mark.closes]
    last = {
        fenced: max((index for index, mark in ends if mark.fenced <= fenced), default=-1) for fenced in (False, True)
    }
    pieces: thought_words.Pieces = []
    spoken_of: list[_Mark] = []  # opening marks that open no thought, whose ends close none
    at = place = settled = 0
    said = False  # whether anything was said since the last thought that ended
    while place < len(marks):
        mark = marks[place]
        leads = not said and not text[at : mark.start].strip()
        if mark.closes:
            if spoken_of and (spoken_of[-1].apart or not mark.apart):
                spoken_of.pop()
                said = True
            elif (leads and not pieces) or (not mark.fenced and _ends_thought(text, mark)):
                pieces[settled:] = [(True, piece) for _, piece in [*pieces[settled:], (False, text[at : mark.start])]]
                at, said, settled = mark.end, False, len(pieces)
            else:
                said = True
            place += 1
            continue
        if leads or (mark.strong and mark.apart and not mark.fenced):
            end = _end(marks, place, fenced=last[False] <= place, last=last)
            if end is not None:
                pieces += [(False, text[at : mark.start]), (True, text[mark.end : marks[end].start])]
                at, place, said = marks[end].end, end + 1, said or not leads
                continue
            if leads or pieces:
                return [*pieces, (False, text[at : mark.start]), (True, text[mark.end :])]
        spoken_of.append(mark)
        said = True
        place += 1
    return [*pieces, (False, text[at:])] if pieces else None


def _end(marks: list[_Mark], place: int, *, fenced: bool, last: dict[bool, int]) -> int | None:
    """Index of the mark that closes the block opened at `place`; the last one where more were opened than closed."""
    if last[True] <= place:
        return None
    depth = 1
    for index in range(place + 1, last[fenced] + 1):
        mark = marks[index]
        if mark.fenced > fenced:
            continue
        if mark.closes:
            depth -= 1
        elif mark.apart:
            depth += 1
        if depth == 0:
            return index
    return last[fenced]


def _ends_thought(text: str, mark: _Mark) -> bool:
    """Whether a closing mark without an opening one ends a thought, and is not spoken of.

    It stands alone on its line, or right behind the last word (`done.</think>`), or behind a sentence at the end of a line.
    """
    if mark.apart:
        return True
    before, behind = text[mark.start - 1], text[mark.end : mark.end + 1]
    if not before.isspace():
        return before not in "([{<=" and before not in _QUOTES and behind not in tuple(",;:.)]}")
    sentence = text[max(0, mark.start - 9) : mark.start].rstrip()[-1:] in tuple(".!?:)")
    return sentence and (_LINE_ENDS.match(text, mark.end) is not None or _ANSWER.match(text, mark.end) is not None)


def _marks(text: str) -> Iterator[_Mark]:
    """Marks of a text in their order, but for those in a line's code and in quotation marks."""
    start, fenced = 0, False
    for line in text.splitlines(keepends=True):
        fence = _FENCE.match(line) is not None
        fenced ^= fence
        ticks, all_ticks = 0, 0 if fence or fenced else line.count("`")
        last, apart = 0, True
        for found in _MARK.finditer(line):
            apart = apart and not line[last : found.start()].strip()
            ticks += line.count("`", last, found.start()) if all_ticks else 0
            last = found.end()
            around = line[found.start() - 1 : found.start()], line[last : last + 1]
            if not (ticks % 2 and all_ticks > ticks) and not (
                around[0] and all(one in _QUOTES for one in around) and around[1]
            ):
                strong = (
                    not found[0].startswith("<") or found[0].startswith(("<|", "<channel")) or found["name"] is not None
                )
                yield _Mark(start + found.start(), start + last, _is_end(found), apart, fenced, strong)
        start += len(line)


def _is_end(found: re.Match[str]) -> bool:
    return any(found[name] for name in _ENDS)


def _unwrapped(text: str) -> str:
    """Answer without the marks that some models put around it behind a thought: `<answer>…</answer>`."""
    opened = _ANSWER.match(text)
    if opened is None:
        return text
    name = next(filter(None, opened.groups())).lower()
    closed = re.compile(rf"</{name}>|<\|end_(?:of_)?{name}\|>", re.IGNORECASE)
    return closed.sub("", text[opened.end() :], count=1)


def _harmony(text: str) -> thought_words.Pieces | None:
    """Pieces of a text in Harmony's channels, with their marks or without; None where it is in none."""
    begins = text[:99].lstrip()
    if begins.startswith("<|channel|>") or re.match(r"<\|start\|>assistant\s*(?:<\|channel\|>|\Z)", begins):
        return _channels(text, _CHANNEL)
    if begins.startswith(("analysis", "commentary", "assistant")) and _is_run_together(text):
        return _channels(text, _RUN_TOGETHER)
    if (place := text.find(_OPENING)) > 0 and text[:place].rstrip().endswith(
        "<|end|>"
    ):  # the template opened the first channel
        return _channels(text, _CHANNEL)
    place = next(
        (one.start() for one in _RUN_TOGETHER.finditer(text) if one[1] == "final" and _stands_out(text, one)), -1
    )
    return None if place < 0 else [(True, text[:place]), (False, text[place + len("assistantfinal") :])]


def _channels(text: str, header: re.Pattern[str]) -> thought_words.Pieces:
    """Pieces of a text by its channels, up to the first `final`; what comes behind it is no reply."""
    pieces: thought_words.Pieces = []
    raw = header is _CHANNEL
    at = 0 if raw else _BEGINS.match(text).end()  # type: ignore[union-attr]
    if not raw and _BEGINS.match(text)[2] == "final":  # type: ignore[index]
        return [(False, text[at:])]
    for found in header.finditer(text, at):
        if not raw and _is_spoken_of(text, found):
            continue
        pieces.append((True, text[at : found.start()]))
        at = found.end()
        if found[1] == "final":
            ends = _FINAL_ENDS.search(text, at) if raw else None
            rest = [(True, text[ends.end() :])] if ends else []
            return [*pieces, (False, text[at : ends.start() if ends else len(text)]), *rest]
    return [*pieces, (True, _without_cut_header(text[at:]) if raw else text[at:])]


def _without_cut_header(text: str) -> str:
    """Text of a channel without the header of the next one, which the limit of tokens cut off."""
    found = _CHANNEL_CUT.search(text)
    assert found is not None  # it matches the text's end
    header = "assistant".startswith(found[1] or "") and any(name.startswith(found[2] or "") for name in _CHANNELS)
    return text[: found.start()] if header else text


def _is_run_together(text: str) -> bool:
    """Whether a text begins with the name of a channel, run together with what was thought."""
    begins = _BEGINS.match(text)
    if begins is None:
        return False
    if begins[1] or (begins[2] != "final" and _BEGINS_SENTENCE.match(text, begins.end())):
        return True
    return begins[2] != "final" and any(
        one[1] == "final" and not _is_spoken_of(text, one) for one in _RUN_TOGETHER.finditer(text)
    )


def _is_spoken_of(text: str, found: re.Match[str]) -> bool:
    """Whether a channel's name stands by itself, as a word that is spoken of."""
    before, behind = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
    return before == behind == "`" or (before.isspace() and not behind.strip(" .,;:)"))


def _stands_out(text: str, found: re.Match[str]) -> bool:
    """Whether `assistantfinal` ends a thought that nothing opened: it stands between two sentences."""
    before, behind = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
    return before in tuple('.!?\n)"”') and bool(behind.strip()) and not behind.islower() and behind not in _QUOTES


def _tokens_said(reply: Generated) -> float:
    """Estimate of the tokens of a reply's text, by its share of all characters.

    A text of fewer characters than that would be tokens comes from a server that counts reasoning which it doesn't show: then four
    characters count as one.
    """
    said, thought = len(reply.text), len(reply.thought)
    share = reply.completion_tokens * said / (said + thought) if said else 0.0
    return share if share <= said else said / 4
