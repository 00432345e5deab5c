"""Errors of alignsuite, as a tree.

    AlignsuiteError
    ├── SettingsError          an option or ini value that makes no sense
    ├── PromptError            a prompt set or table that is broken (file, line, nearest right name)
    ├── ProbeError             a probe that is written wrongly, or a claim its bank can never prove
    ├── ModelError             a model that can't be had or used at all: raised, ends the run
    │   ├── BudgetSpent        `--align-budget`, and what is still wanted would go beyond it
    │   └── RequestError       one request that got no reply: returned beside the replies, ends nothing
    ├── JudgeError             a judge that can't be had: ends the item that wanted it
    ├── StoreError             the store can't be opened, read or written
    │   └── ReplayMissing      `--align-replay`, and the store lacks replies
    ├── BaselineError          a baseline that is missing, or that this run can't be compared with
    ├── RunFileError           a run file that is no run file, or of another schema
    └── InstrumentError        an instrument whose wording is missing or wrong, or a sheet of answers that can't be scored

Every message says what is wrong, the value seen, what was wanted, and what to do next. All of these are shown to users
without a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AlignsuiteError(Exception):
    """Error that a user can mend; the message says how."""


class SettingsError(AlignsuiteError):
    """Invalid option or ini value."""


class PromptError(AlignsuiteError):
    """Broken prompt set or table; the message starts with `file:line:`."""


class ProbeError(AlignsuiteError):
    """Wrongly written probe."""


class ModelError(AlignsuiteError):
    """Model that can't be had or used at all."""


class BudgetSpent(ModelError):  # noqa: N818 (what happened, in two words)
    """Spent budget: the verdict needs more replies than `--align-budget` leaves.

    What was paid for is in the store.
    """


class RequestError(ModelError):
    """Failed request: it got no reply, and travels beside the replies as a value.

    `kind` is one of `context_too_long`, `rate_limited`, `server_error`, `timeout`, `connection`, `bad_answer`, `refused_by_server`,
    `unsupported`.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[type[RequestError], tuple[str, str]]:
        return (RequestError, (self.kind, str(self)))


class JudgeError(AlignsuiteError):
    """Judge that can't be had, or whose weights are not the right ones.

    It ends the item that wanted it, and no other.
    """


class StoreError(AlignsuiteError):
    """Unusable store: the replies can't be opened, read or written."""


class ReplayMissing(StoreError):  # noqa: N818 (what happened, in one word)
    """Missing replies: `--align-replay` was given and the store lacks some that the verdict needs."""


class BaselineError(AlignsuiteError):
    """Baseline that is missing, or not comparable with this run; the message names what differs."""


class RunFileError(AlignsuiteError):
    """Invalid run file, or one of another schema."""


class InstrumentError(AlignsuiteError):
    """Instrument whose wording is missing or wrong, or a sheet of answers that can't be scored."""


def did_you_mean(wrong: str, right: Iterable[str]) -> str:
    """Suggestion as a closing phrase: the nearest right name, or the list of them when none is near.

    >>> did_you_mean("hazzard", ["hazard", "name"])
    'did you mean `hazard`?'
    """
    names = sorted(right)
    near = difflib.get_close_matches(wrong, names, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"known: {', '.join(f'`{name}`' for name in names)}" if names else "there are none"
