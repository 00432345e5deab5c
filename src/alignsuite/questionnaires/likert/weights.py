"""Weight of a mention: the speaker's final word, a choice, an aside, or not the speaker's own, as a `Weighed`.

Everything is told from the few words around the mention, within its clause or sentence; nothing is parsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from alignsuite.questionnaires.likert.patterns import BARE, SENTENCE_ENDS, SILENT, STRONG, patterns
from alignsuite.questionnaires.likert.scale import Mention, Scale
from alignsuite.questionnaires.likert.text import Tokens

NOTHING, ASIDE, INFERRED, NAMED, OWN_WORDS, OPINION, DECISION, FINAL = range(8)
"""The weights, from what doesn't count to what beats everything."""

_OPENING_MAY_GO_ON = frozenset({"because", "since", "as", "although", "though", "but", "with", "while", "i", ","})
_TO_OTHER_THINGS = frozenset({"to", "upon"})


@dataclass(frozen=True, slots=True)
class Weighed:
    """A mention with its weight.

    `denied` marks a side that was negated: `I don't disagree` is no option, but not nothing.
    """

    mention: Mention
    weight: int
    note: str = ""
    denied: bool = False


def weigh(text: Tokens, scale: Scale, mentions: Sequence[Mention]) -> list[Weighed]:
    """Every mention with its weight, in the order of the text."""
    listed = set(_listed(text, mentions))
    out: list[Weighed] = []
    hidden = 0  # up to where a `that …` clause reaches
    for index, mention in enumerate(mentions):
        floor = mentions[index - 1].end if index else 0
        if index in listed:
            weighed = Weighed(mention, NOTHING, "the options listed")
        elif mention.start < hidden:
            weighed = Weighed(mention, NOTHING, "what is agreed with")
        else:
            weighed = _Context(text, scale, mention, floor).weighed()
        hidden = max(hidden, _complement_end(text.words, mention))
        out.append(weighed)
    return _pairs_settled(text, scale, mentions, out)


class _Context:
    """One mention among its neighbours. `floor` is where the mention before it ends."""

    def __init__(self, text: Tokens, scale: Scale, mention: Mention, floor: int) -> None:
        self.words, self.text, self.scale, self.mention, self.floor = text.words, text, scale, mention, floor
        self.clause = list(self._back(patterns().clause_ends, 9))

    def weighed(self) -> Weighed:
        """The mention with its weight, by the first rule that fits."""
        mention = self.mention
        if reason := self._not_an_answer():
            return Weighed(mention, NOTHING, reason)
        negator = self._negator() if mention.kind == "words" else None
        if negator is not None:
            return self._denial(self.clause[:negator])
        cue = self._cue()
        if any(word in patterns().concessions for word in self.clause):
            return Weighed(mention, ASIDE)
        if self._asked():
            return Weighed(mention, ASIDE if self._subject() is None else NOTHING, "a condition or a question")
        if mention.kind == "number":
            return Weighed(mention, INFERRED)
        if cue < DECISION and (mention.kind != "words" or self._alone() or self._opens()):
            cue = DECISION
        own = NAMED if self._subject() is None else OWN_WORDS
        return Weighed(mention, max(cue, own))

    def _not_an_answer(self) -> str:
        words, mention = self.words, self.mention
        if self._rejected() or patterns().rejected.match(" ".join(words[mention.end : mention.end + 9])):
            return "named to be rejected"
        if self._subject() is False:
            return "somebody else's view"
        if words[mention.end - 1].endswith("ing") and self._subject() is None:
            return "not said of oneself"
        if any(word in patterns().conditions for word in self.clause[:3]):
            return "a condition or a question"
        if mention.side and words[mention.end : mention.end + 1] and words[mention.end] in _TO_OTHER_THINGS:
            return "agreeing to do something"
        if words[mention.start] == "neither" and (patterns().inability | {"can", "could"}) & set(self.clause[:2]):
            return "unable to say"
        return ""

    def _back(self, stops: frozenset[str], reach: int) -> Iterator[str]:
        """The words before the mention, the nearest first, without brackets and quotation marks."""
        for place in range(self.mention.start - 1, self.floor - 1, -1):
            word = self.words[place]
            if word in stops or reach == 0:
                return
            if word not in SILENT:
                reach -= 1
                yield word

    def _rejected(self) -> bool:
        before = list(self._back(frozenset("\n.!?;:"), 2))
        if not before or before[0] not in patterns().rejecting:
            return False
        if before[0] == "of":
            return before[1:] == ["instead"]
        return before[0] != "not" or self.mention.kind == "mark" or (self.floor > 0 and self._after_comma())

    def _after_comma(self) -> bool:
        """Whether `not` opens the clause behind a choice: `E, not A`."""
        before = list(self._back(frozenset(), 2))
        return before[:1] == ["not"] and before[1:2] in ([","], ["and"], [])

    def _subject(self) -> bool | None:
        """True when the speaker agrees, False when somebody else does, None when nobody is named."""
        for index, word in enumerate(self.clause):
            if word in patterns().own:
                return not self._reported(self.clause[index + 1 : index + 7])
            if word in patterns().others:
                return False
            if word in patterns().some and (index == 0 or self.clause[index - 1] in patterns().modals):
                return False
        return None

    @staticmethod
    def _reported(before: Sequence[str]) -> bool:
        """Whether others say what the speaker does: `my friends would say I agree`."""
        told = next((index for index, word in enumerate(before) if word in patterns().reports), None)
        subject = next(
            (word for word in before if word in patterns().own - {"my"} | patterns().others | patterns().some), ""
        )
        return told is not None and bool(subject) and subject not in patterns().own

    def _negator(self) -> int | None:
        """How far before the mention, in words of its clause, a negation stands that reaches it."""
        if self.scale.family is None:
            own = set(self.scale.labels[self.mention.option or 0])
            negators = patterns().other_negators | patterns().negators
            negates = not own & (patterns().other_negators | patterns().neither_nor)
            return (
                next((index for index, word in enumerate(self.clause[:2]) if word in negators), None)
                if negates
                else None
            )
        for index, word in enumerate(self.clause):
            if word == "and":
                return None
            if word in patterns().negators or (
                word == "no" and self.clause[index - 1 : index] in (["longer"], ["way"])
            ):
                between = set(self.clause[:index])
                return index if not between & patterns().own or between & patterns().raisers else None
        return None

    def _denial(self, between: Sequence[str]) -> Weighed:
        """`I don't agree`: plain disagreement, where the scale has it. Anything else denied leaves more than one option."""
        mention = self.mention
        if patterns().not_only & set(between):
            return Weighed(mention, NOTHING, "not only that")
        if patterns().unsure & set(between):
            return Weighed(mention, NOTHING, "unsure")
        if mention.degree != BARE or not mention.side or patterns().decided & set(self.clause):
            return Weighed(mention, NOTHING, "one option excluded")
        if mention.side < 0:
            return Weighed(
                replace(mention, option=None, side=1), INFERRED, "not disagreeing is not agreeing", denied=True
            )
        ahead = " ".join(self.words[mention.end : mention.end + 7])
        plain = self.scale.meanings.get((-1, BARE))
        option = self.scale.option_of(-1, STRONG) if " at all" in f" {ahead}" else plain
        return Weighed(replace(mention, option=option, side=-1), INFERRED, denied=True)

    def _cue(self) -> int:
        words = list(self._back(SENTENCE_ENDS - {"\n"}, 12))
        if "\n" in words and ":" not in words[: words.index("\n") + 2]:
            words = words[: words.index("\n")]
        if any(word in patterns().final for word in words) or patterns().final_phrase.search(" ".join(reversed(words))):
            return FINAL
        if any(word in patterns().decided for word in words):
            return DECISION
        return OPINION if any(word in patterns().soft for word in words) else NOTHING

    def _asked(self) -> bool:
        for word in self.words[self.mention.end : self.mention.end + 25]:
            if word in SENTENCE_ENDS:
                return word in "?？"
        return False

    def _edges(self) -> tuple[int, int]:
        """The places left and right of the mention, past brackets, quotation marks and a letter or number before it."""
        left, right = self.mention.start - 1, self.mention.end
        while left >= 0 and (
            self.words[left] in SILENT
            or (left < self.floor and len(self.words[left]) == 1 and self.words[left].isalnum())
        ):
            left -= 1
        while right < len(self.words) and self.words[right] in SILENT:
            right += 1
        return left, right

    def _alone(self) -> bool:
        """Whether the mention fills what stands between two marks of punctuation."""
        left, right = self._edges()
        begins = left < 0 or not (self.text.is_word(left) or self.words[left] in ",/")
        return begins and (right == len(self.words) or not (self.text.is_word(right) or self.words[right] in ",/"))

    def _opens(self) -> bool:
        """Whether the reply begins with the mention and then gives reasons."""
        left, right = self._edges()
        return left < 0 and right < len(self.words) and self.words[right] in _OPENING_MAY_GO_ON


def _complement_end(words: Sequence[str], mention: Mention) -> int:
    """Where the clause ends that says what is agreed with: `I agree that … , but`. 0 when there is none."""
    place = mention.end
    while place < len(words) and place < mention.end + 6:
        if words[place] == "that" and words[place - 1] != "with":
            break
        if words[place] not in patterns().after | patterns().statement_nouns:
            return 0
        place += 1
    if words[place : place + 1] != ["that"] or not words[place + 1 : place + 2] or not words[place + 1][-1].isalnum():
        return 0
    for end in range(place + 1, len(words)):
        word = words[end]
        if word in ".!?;:\n" or word in ("but", "however", "-") or word in patterns().concessions:
            return end
    return len(words)


def _listed(text: Tokens, mentions: Sequence[Mention]) -> Iterator[int]:
    """Mentions in a list of three different options or more.

    Nothing stands between them but commas, marks and `or`.
    """
    chain: list[int] = []
    for index in range(len(mentions) + 1):
        goes_on = index < len(mentions) and (
            not chain
            or all(
                word in patterns().list_links or (len(word) == 1 and word.isalnum())
                for word in text.words[mentions[index - 1].end : mentions[index].start]
            )
        )
        if not goes_on:
            if len({mentions[one].option for one in chain}) >= 3:
                yield from chain
            chain = []
        chain.append(index)


def _pairs_settled(
    text: Tokens, scale: Scale, mentions: Sequence[Mention], weighed: Sequence[Weighed]
) -> list[Weighed]:
    """The mentions once pairs such as `agree or disagree` are settled.

    Two options joined by a word decide nothing; both denied are the middle; `unable to` is a refusal.
    """
    out = list(weighed)
    for index in range(1, len(out)):
        first, second = out[index - 1], out[index]
        between = text.words[first.mention.end : second.mention.start]
        alike = mentions[index - 1].option == mentions[index].option
        if not between or alike or not all(word in patterns().links for word in between):
            continue
        if NOTHING in (first.weight, second.weight):
            note = first.note or second.note
            out[index - 1], out[index] = (replace(one, weight=NOTHING, note=note) for one in (first, second))
            continue
        lead = text.words[max(0, first.mention.start - 8) : first.mention.start]
        if first.mention.side and second.mention.side and set(lead) & patterns().inability:
            out[index - 1], out[index] = (replace(one, weight=NOTHING, note="unable to say") for one in (first, second))
        elif first.denied and second.mention.side:
            middle = Mention(first.mention.start, second.mention.end, scale.meanings.get((0, BARE)))
            out[index - 1] = Weighed(middle, NAMED, denied=True)
            out[index] = replace(second, weight=NOTHING, note="denied together")
        else:
            out[index - 1], out[index] = (replace(one, weight=min(one.weight, NAMED)) for one in (first, second))
    return out
