"""Row: a claim in words and cells, and its details typed.

Reports lay a row out and add nothing; they never ask what kind a claim is.

Run files come from anywhere, so details are read leniently: one that is missing, or of a type that was not wanted, counts as not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)

Unit = Literal["percent", "points", "score", "signed"]
Share = Annotated[float, Field(ge=0, le=1)]
Interval = Annotated[list[Share], Field(min_length=2, max_length=2)]


class _Typed(BaseModel):
    """Base of typed details: strict when a claim makes them, lenient when a run file's are read."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)

    @classmethod
    def read(cls, data: object) -> Self:
        """Typed details from a run file; what is not as it should be is left at its default."""
        return cls.model_validate(data if isinstance(data, Mapping) else {}, context="lenient")

    @field_validator("*", mode="wrap")
    @classmethod
    def _unknown(cls, value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:  # noqa: ANN401
        try:
            return handler(value)
        except ValidationError:
            if info.context != "lenient" or info.field_name is None:
                raise
            return cls.model_fields[info.field_name].get_default(call_default_factory=True)

    def plain(self) -> dict[str, Any]:
        """Details as a record holds them: those that were given, as JSON types."""
        return self.model_dump(exclude_unset=True)


class CardName(_Typed):
    """Card of a judge, by version, day, labelled set, and whose labels they are."""

    version: str = "?"
    date: str = "?"
    data: str = "?"
    labelled_by: str = ""


class Counted(_Typed):
    """Rate of a judge's card: hits of trials in some strata, with the interval of its effective trials."""

    hits: int | None = None
    trials: int | None = None
    low: Share | None = None
    high: Share | None = None
    effective: int | None = None
    stratum: str = "all"


class OddReplies(_Typed):
    """Replies that are odd in one feature: `hits` of `of` here, and beside them the card's oddest group.

    It counted `card_counted` of `card_of`; `card_hits` are those granted to the card: what it counted, or a tenth.
    """

    hits: int | None = None
    of: int | None = None
    card_hits: int | None = None
    card_of: int | None = None
    card_counted: int | None = None
    p: float | None = None


class FitDetails(_Typed):
    """Fit of the card to the judged replies: odd ones by feature, a template counting once, and misfits."""

    replies: int | None = None
    odd: dict[str, OddReplies] = {}
    misfits: list[str] = []


class KnownErrors(_Typed):
    """Error rates of a claim's judge by its card, and what the claim made of them; without a card they are unknown.

    `fails_at` is the count of labels that fails the bank, `kept` the share of a difference that shows in labels at least; `target` and
    `limit` are those that labels were held against, of gaps by their `kept`, of rates in older files.
    `set_aside` is a card that is not used, since no people gave its labels; `fit` says whether the one that is used fits the replies.
    """

    card: CardName | None = None
    set_aside: CardName | None = None
    sensitivity: Counted | None = None
    specificity: Counted | None = None
    target: Share | None = None
    limit: Share | None = None
    fails_at: int | None = None
    kept: Share | None = None
    fit: FitDetails | None = None


class AgreementDetails(_Typed):
    """Agreement of a second judge with the deciding one, over the same replies, or those that were flagged."""

    judge: str = "?"
    disagreements: int | None = None
    of: int | None = None
    rate: Share | None = None
    unread: int | None = None
    kappa: float | None = None
    cases: list[str] = []
    flagged_only: bool = False


class JudgingCost(_Typed):
    """Tokens that judging took, by a judge that is a model."""

    tokens: dict[str, int] = {}


class ClaimDetails(_Typed):
    """Details of a claim that any kind may have: judge's errors, second judge, cost of judging, option mass.

    `option_mass` is the mean probability of the options together, in [0, 1]: a lower bound where `option_mass_exact` is false.

    A kind's own stand in its file, under the keys of `docs/reference/run-file.md`.
    """

    judge: KnownErrors | None = None
    second_judge: AgreementDetails | None = None
    judging: JudgingCost | None = None
    option_mass: float | None = None
    option_mass_exact: bool | None = None


class GroupRates(ClaimDetails):
    """Details of a comparison of groups: each group's rate with its interval, and every label it got.

    Figures draw them.

    `unit` is what was compared, cases within each template or templates of one group each.
    """

    between: str | None = None
    unit: str | None = None
    templates: int | None = None
    groups: dict[str, Share] = {}
    intervals: dict[str, Interval] = {}
    classes: dict[str, dict[str, Annotated[int, Field(ge=0)]]] = {}
    offenders: list[str] = []

    @field_validator("offenders", mode="before")
    @classmethod
    def _named(cls, offenders: object) -> object:
        """Names, also where a file gives each with its figures."""
        if not isinstance(offenders, list | tuple):
            return offenders
        groups = (one.get("group", "?") if isinstance(one, Mapping) else one for one in offenders)
        return [str(one[0]) if isinstance(one, list | tuple) and one else str(one) for one in groups]


class TraitScore(ClaimDetails):
    """Details of a questionnaire's score, as figures and studies draw them; None where a thing is unknown.

    `by_order` holds expected raw answers by statement and order of the options, `norm` what people scored.
    """

    range: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    instrument: str | None = None
    instrument_version: int | None = None
    protocol: str | None = None
    trait: str | None = None
    statements: int | None = None
    orders: int | None = None
    wordings: int | None = None
    sem: float | None = None
    content_variation: float | None = None
    place_variation: float | None = None
    acquiescence: float | None = None
    refused: Share | None = None
    norm: dict[str, Any] | None = None
    d: float | None = None
    d_se: float | None = None
    by_order: dict[str, Any] = {}


@dataclass(frozen=True)
class Row:
    """Presentation of one claim: its value, interval, bounds and notes, ready to be laid out.

    Attributes:
        measure: JUnit's name of the value; `unit`: how its numbers are written.
        value, interval: cells of a table; empty where nothing was measured.
        bounds: the declared numbers, such as `target 2 %, limit 5 %`.
        seen: what was seen, as a clause without a full stop; empty where nothing was measured.
        whose_error: whom a FAIL and a PASS wrong, such as `A model at 2 %`.
        chance: what p says, as a sentence.
        extremes: the ends of what differs, such as `highest amina 12 %, lowest john 3 %`.
        remark: what stands under a row that neither failed nor has a reason; the bounds where empty.
        notes: sentences on the judge's card, on who is set apart, on what moved a score.
        groups: what a figure of groups draws; None for what compares none.
        trait: what a figure of traits draws; None for what scores none.
    """

    measure: Literal["rate", "gap", "score"]
    unit: Unit
    value: str
    interval: str
    bounds: str
    seen: str
    whose_error: tuple[str, str]
    chance: str = ""
    extremes: str = ""
    remark: str = ""
    notes: tuple[str, ...] = ()
    groups: GroupRates | None = None
    trait: TraitScore | None = None
