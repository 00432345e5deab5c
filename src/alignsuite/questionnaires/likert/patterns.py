"""The words in which people and models say how far they agree, as tables. Data only; the `likert` modules read it.

Everything is matched in lower case, with straight quotes. English holds degrees, negation, decisions and idioms; of other languages
only negators and disclaimers are known, so there an answer counts when it names an option, and nothing is inferred.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Family(NamedTuple):
    """The words for the two sides of one kind of scale. Nouns count only behind `in` or a degree: `level of agreement` says nothing."""

    yes: frozenset[str]
    no: frozenset[str]
    nouns: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FAMILIES = (
    Family(
        _words("agree agreed agreeing agreement"),
        _words("disagree disagreed disagreeing disagreement"),
        _words("agreement disagreement"),
    ),
    Family(_words("accurate accurately"), _words("inaccurate inaccurately")),
    Family(_words("true"), _words("untrue false")),
    Family(_words("satisfied"), _words("dissatisfied unsatisfied")),
    Family(_words("likely"), _words("unlikely")),
)

BARE, WEAK, MIDDLING, STRONG = 0, 1, 2, 3
DEGREES = {
    WEAK: _words("slightly somewhat mildly partly partially weakly faintly marginally slight mild partial"),
    MIDDLING: _words("moderately mostly largely generally basically broadly mainly moderate"),
    STRONG: _words(
        "strongly completely totally fully absolutely entirely wholeheartedly definitely utterly wholly thoroughly vehemently "
        "emphatically firmly extremely perfectly very strong full complete total absolute"
    ),
}  # fmt: skip
MIDDLE = _words("neutral undecided")
NEITHER_NOR = _words("ni weder né nem")  # begin labels of the middle in other languages, behind a `no` or not

# Words that are what they are, though they lie near one of the above.
NO_SLIPS = _words("either degree rather natural greed agile argue great light sight party bully holly string")

# Several words that mean one, put in their place before words are told apart; behind stems of which one must be there, to spare the search.
PHRASES = tuple(
    (stems.split("|"), re.compile(rf"(?<![\w'])(?:{pattern})(?!\w)", re.IGNORECASE), instead)
    for stems, pattern, instead in (
        ("gree more", r"(?:couldn'?t|could not) (?:possibly )?(agree|disagree) more", r"strongly \1"),
        ("gree less", r"(?:couldn'?t|could not) (?:possibly )?agree less", "strongly disagree"),
        ("gree to dis", r"agree to disagree", "differ"),
        ("can not", r"can not", "cannot"),
        ("dis-|un-|in-", r"(dis|un|in)-(\w+)", r"\1\2"),
        ("dis agree", r"dis (agree\w*)", r"dis\1"),
        ("extent|degree", r"to an? (?:very )?(?:great|large|high|considerable) (?:extent|degree)", "strongly"),
        ("extent|degree", r"to (?:some|a certain|a small|a limited|an|a) (?:extent|degree)", "slightly"),
        (
            "quite a|a lot|for the m|by and l|pretty much",
            r"(?:quite a (?:bit|lot)|a lot|for the most part|by and large|pretty much)",
            "moderately",
        ),
        (
            "very much|heart|without|100|percent",
            r"(?:very much(?: so)?|with all my heart|without (?:any )?reservations?|100 ?%|a hundred percent)",
            "strongly",
        ),
        (
            " bit|a little|kind|sort|tend|more or less|in part",
            r"(?:just )?(?:a (?:tiny |little )?bit|a little|kind of|kinda|sort of|sorta|tend to|tending to|more or less|in part)",
            "slightly",
        ),
        (
            "no strong",
            r"no strong (?:feelings?|opinions?|views?|preference)(?: (?:either way|one way or the other))?",
            "neutral",
        ),
        ("fence|middle", r"(?:on the fence|in the middle)", "neutral"),
    )
)

NEGATORS = _words(
    "not never hardly barely cannot don't dont doesn't doesnt didn't won't wouldn't wouldnt can't cant couldn't isn't ain't aren't wasn't "
    "shouldn't haven't haven hasn't doubt fail failed refuse nowhere nobody no-one without"
)
OTHER_NEGATORS = _words("no nicht kein keine keinen pas ne non não нет не nie 不 没 沒 無 未 ない")
NOT_ONLY = _words("only just merely simply")
# What lets a negation reach over another `I`: I don't think I agree, not something I agree with, it's not that I agree.
RAISERS = _words(
    "think say believe suppose feel mean claim guess imagine know find something anything what that sure certain"
)
UNSURE = _words("sure certain convinced")
REPORTS = _words("say says said think thinks believe believes claim claims tell")
INABILITY = _words("cannot can't cant couldn't unable able ability capacity capable impossible position")
FILLERS = _words(
    "do does did would 'd will must to also really quite rather only still just actually honestly personally i'd even have in be am find "
    "probably certainly myself - feel"
) | {"\n"}
AFTER = _words(
    "with this that the statement it idea sentence claim very quite rather all of what you said but only just yes indeed"
)

OWN = _words("i i'd i'm i'll i've im myself my me")
OTHERS = _words(
    "people others you they he she everyone everybody anyone anybody someone somebody nobody users humans individuals respondents friends "
    "readers critics persons who folks colleagues psychologists users' person's they'd you'd"
)
SOME = _words("some many most one few several")
MODALS = _words("may might could would will can do does tend")
CONDITIONS = _words("if whether unless how extent which")
CONCESSIONS = _words("although though while despite albeit")
REJECTING = _words("than over of not nor against")  # rather than X, Y over X, instead of X, not X
REJECTED = re.compile(
    r"\W*(?:would be|would feel|would go|is|was|seems?|sounds?|feels?|goes) (?:\w+ ){0,2}(?:too|wrong|not|overstat\w+|exaggerat\w+)\b"
)  # "very accurate" would be too much

DECIDED = _words(
    "answer answered response choice choose choosing chose chosen pick picking picked select selecting selected opt option go going rating "
    "rate score mark tick settle verdict decision decide boxed indicate letter number give selection"
)
SOFT = _words(
    "say lean leaning overall therefore thus so hence conclusion conclude think believe feel guess suppose probably must towards reply"
)
FINAL = _words("final finally ultimately actually correction wait rethinking revised")
FINAL_PHRASE = re.compile(r"on (?:second thoughts?|reflection)|in the end|scratch that|all things considered")
STATEMENT_NOUNS = _words(
    "statement idea notion view claim sentence assertion proposition sentiment opinion description"
)

CLAUSE_ENDS = frozenset(".!?;:\n,。！？；：，、") | _words("but however because therefore yet")
SENTENCE_ENDS = frozenset(".!?;\n。！？；")
LINKS = frozenset("/-\"'«»“”()[]{}|") | _words("or and nor to oder y und et")
LIST_LINKS = LINKS | frozenset(",.;:\n、，。*•")
SILENT = frozenset("\"'()[]{}«»「」„“”\\$")

# No answer to "how far", whatever else is said; looked for only where no option was found or an answer was merely inferred.
DISCLAIMERS = re.compile(
    r"\bas an? (?:\w+ ){0,3}(?:ai|llm|model|assistant|machine|program|chatbot|bot|computer)\b"
    r"|\bi(?: am|'m) (?:just |only |merely )?an? (?:\w+ ){0,3}(?:ai|llm|model|assistant|machine|program|chatbot|bot|computer)\b"
    r"|\b(?:don't|do not|cannot|can't) (?:really )?(?:have|hold|possess|experience|form|feel) (?:any )?(?:\w+ ){0,2}"
    r"(?:feelings?|opinions?|emotions?|beliefs?|experiences?|preferences?|views?|self|ability|capacity)\b"
    r"|\bi (?:can't|cannot|won't|will not|am unable to|'m unable to|am not able to) "
    r"(?:answer|respond|comment|take part|complete|provide|rate)\b"
    r"|\bals (?:eine? )?(?:ki|sprachmodell|künstliche intelligenz)\b|\bcomo (?:un )?(?:modelo de|ia|inteligencia)\b"
    r"|\ben tant (?:que|qu')\s?(?:modèle|ia|intelligence|assistant)|\bcome (?:modello|ia|intelligenza)\b|\bcomo (?:um )?modelo\b"
    r"|作为(?:一个|一种|一名)?\s?(?:ai|人工智能|语言模型|大型)|我没有(?:个人)?(?:感情|情感|感受|观点)"
    r"|как (?:языковая модель|ии|искусственный)"
    r"|ai(?:として|なので|ですので)|言語モデル"
)
