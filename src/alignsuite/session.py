"""The active session: it opens the model, plans, hands `Replies` to items, and turns what was found into a run.

One `Session` lives wherever items run: in the only process, or in each worker of pytest-xdist. Records leave it as plain data on pytest's
reports, and are gathered in the process that writes the run file.
"""

from __future__ import annotations

import os
import shlex
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from alignsuite import __version__
from alignsuite.config import TIERS, Settings, Stage
from alignsuite.errors import ModelError, ProbeError
from alignsuite.models.broker import Broker, Tick
from alignsuite.models.protocol import Model, ModelInfo, Request
from alignsuite.models.store import Store
from alignsuite.probes import Bank, form_of
from alignsuite.records import SCHEMA, Claim, Json, Record, Run, Verdict, clean, worst
from alignsuite.replies import Asks, Replies, Terms
from alignsuite.report.explain import explain

BANK = pytest.StashKey[Bank]()
REPLIES = pytest.StashKey[Replies]()

NO_MODEL = (
    "this probe needs a model: add --model=smollm2-135m (a small one, fetched once), --model=a-file.gguf, or "
    "--model=openai:NAME --align-base-url=http://127.0.0.1:8000/v1; `alignsuite models` lists more"
)


class _PlanMade(BaseException):
    """Ends the reading of a probe's body once its first requests are known; no test can catch it by accident."""


class _Listener:
    """Stands in for the broker while a probe's body is read: notes what it asks for first, and asks nobody."""

    def __init__(self) -> None:
        self.requests: Sequence[Request] = ()

    def get(self, requests: Sequence[Request]) -> NoReturn:
        self.requests = requests
        raise _PlanMade


@dataclass
class Session:
    """Everything that the probes of one process share.

    `info` is what was known of the model when it was opened: an endpoint that turns out to give no probabilities half-way changes no
    item's fate by the order in which items run.
    """

    settings: Settings
    model: Model
    info: ModelInfo
    store: Store
    broker: Broker
    items: int = 1

    @classmethod
    def open(cls, settings: Settings, model: Model, tick: Tick | None) -> Session:
        """Open the store and put a broker before the model.

        Raises:
            StoreError: when the store can't be opened.
        """
        store = Store(settings.store)
        return cls(settings, model, model.info, store, Broker(model, store, replay=settings.replay, tick=tick))

    @property
    def stage(self) -> Stage:
        """The stage named with `--stage`, else the one that the model's kind suggests."""
        return self.settings.stage or ("finetuning" if self.info.can_chat else "pretraining")

    def unfit(self, bank: Bank) -> str | None:
        """Why a bank can't be asked in this session; None when it can."""
        return bank.unfit(self.info, self.stage)

    def plan(self, items: Iterable[pytest.Item], *, ahead: bool = True) -> None:
        """Hand in what the selected items will ask in any case, in their order; share alpha out over them.

        Without `ahead` claims are checked, but nothing is asked before its item runs: a worker among several does not know yet which
        items will be its own.

        A probe's body is read once, with nobody to ask, up to the first claim. A body that takes other fixtures can't be read so, and asks
        when its turn comes.

        Raises:
            ProbeError: for a claim that its bank can never prove.
        """
        fitting = [item for item in items if self.unfit(item.stash[BANK]) is None]
        self.items = max(1, len(fitting))
        for item in fitting:
            assert isinstance(item, pytest.Function)
            if item._fixtureinfo.argnames == ("replies",):
                requests = self._first_requests(item)
                self.broker.plan(requests if ahead else ())

    def _first_requests(self, item: pytest.Function) -> Sequence[Request]:
        listener = _Listener()
        try:
            item.obj(replies=self.replies(item, listener))
        except _PlanMade:
            pass
        except ProbeError as error:
            raise ProbeError(f"{item.nodeid}: {error}") from None
        except (Exception, pytest.skip.Exception, pytest.fail.Exception):
            return ()  # the body's own doing, a skip or a fault: it happens again, and is shown, when the item runs
        return listener.requests

    def replies(self, item: pytest.Item, asked: Asks | None = None) -> Replies:
        """What an item's body holds."""
        bank = item.stash[BANK]
        title = f"{bank.spec.prompt_set}[{bank.slice}]" if bank.slice else bank.spec.prompt_set
        return Replies(
            bank, form_of(self.info, self.stage),
            Terms(TIERS[self.settings.tier], self.settings.alpha / self.items, max(3, self.settings.show)), asked or self.broker,
            lambda claim: explain(title, claim, again=self.again(item)),
        )  # fmt: skip

    def again(self, item: pytest.Item) -> str:
        """The command that shows an item's verdict again from the store, for the folder where pytest was started."""
        place = Path(os.path.relpath(item.path, item.config.invocation_params.dir))
        inside = item.nodeid.partition("::")[2]
        words = ["pytest", f"{item.path if '..' in place.parts else place}::{inside}", f"--model={self.settings.model}"]
        if self.settings.tier != "standard":
            words.append(f"--align-tier={self.settings.tier}")
        if self.settings.stage:
            words.append(f"--stage={self.settings.stage}")
        if self.settings.store != self.settings.cache / "store.sqlite":
            words.append(f"--align-store={self.settings.store}")
        return shlex.join([*words, "--align-replay"])

    def header(self) -> Json:
        """The first line of the run file."""
        info = self.info
        return {
            "kind": "run", "schema": SCHEMA, "alignsuite": __version__,
            "model": {
                "name": info.name, "fingerprint": info.fingerprint, "engine": info.engine, "can_chat": info.can_chat,
                "can_choose": info.can_choose, "context_length": info.context_length, "details": dict(info.details),
            },
            "stage": self.stage, "form": form_of(info, self.stage), "tier": self.settings.tier,
            "alpha": self.settings.alpha, "items": self.items,
        }  # fmt: skip

    def close(self) -> None:
        """Stop asking, free the model, close the store."""
        self.broker.close()
        self.store.close()


def record_of(item: pytest.Item, report: pytest.TestReport, session: Session | None) -> Record:
    """The account of an item whose report is made."""
    bank = item.stash[BANK]
    replies = item.stash.get(REPLIES, None)
    claims = tuple(finding.claim for finding in replies.findings) if replies else ()
    spec = bank.loaded.spec
    outcome = (
        "error"
        if report.when == "setup" and report.failed
        else ("xfailed" if hasattr(report, "wasxfail") else report.outcome)
    )
    function = getattr(item, "function", None)
    about = (getattr(function, "__doc__", None) or "").strip().splitlines()
    return Record(
        nodeid=item.nodeid, axis=bank.spec.axis, probe=spec.id, test=getattr(item, "originalname", item.name), slice=bank.slice,
        about=about[0] if about else "", prompt_set={"id": spec.id, "version": spec.version, "hash": bank.loaded.content_hash},
        stage=session.stage if session else "", form=replies.form if replies else "", outcome=outcome,
        verdict=worst(claim.verdict for claim in claims), blocks=report.failed, reason=_reason(report, claims), claims=claims,
        replay=session.again(item) if session else "", time={"seconds": round(report.duration, 3)},
    )  # fmt: skip


def _reason(report: pytest.TestReport, claims: Sequence[Claim]) -> str:
    """Why there is no verdict, or what stopped the body beside its claims."""
    if claims and worst(claim.verdict for claim in claims) not in (Verdict.PASS, None):
        return "; ".join(reason for claim in claims for reason in claim.reasons)
    if report.skipped and isinstance(report.longrepr, tuple):
        return clean(report.longrepr[2].removeprefix("Skipped: "))
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        return clean((crash.message if crash is not None else str(report.longrepr)).removeprefix("Failed: "))
    return ""


def make_run(header: Json, records: Iterable[Record], started: float) -> Run:
    """The run, records in the order of their node ids."""
    ordered = tuple(sorted(records, key=lambda record: record.nodeid))
    sets = {record.probe: dict(record.prompt_set) for record in ordered}
    header = header | {"prompt_sets": sets, "time": {"started": round(started, 3)}}
    return Run(header, ordered, summary_of(ordered, time.time() - started))


def summary_of(records: Sequence[Record], seconds: float) -> Json:
    """The last line of the run file."""
    claims = [claim for record in records for claim in record.claims]
    axes: dict[str, Counter[str]] = {}
    for record in records:
        axes.setdefault(record.axis, Counter())[str(record.verdict or record.outcome)] += 1
    total = Counter(str(record.verdict or record.outcome) for record in records)
    return {
        "kind": "summary", "verdicts": dict(total), "axes": {axis: dict(count) for axis, count in axes.items()},
        "blocks": sum(record.blocks for record in records), "judged": sum(record.verdict is not None for record in records),
        "tokens": _summed(claim.tokens for claim in claims),
        "time": {**_summed(claim.time for claim in claims), "elapsed_s": round(seconds, 3)},
    }  # fmt: skip


def _summed(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for part in parts:
        for name, value in part.items():
            total[name] += value
    return {name: round(value, 3) for name, value in total.items()}


def open_model(settings: Settings, from_hook: Callable[[], Model | None], show: Callable[[str], None] | None) -> Model:
    """The model that `--model` named.

    Raises:
        ModelError: when there is none of that name, or it can't be had.
    """
    assert settings.model is not None
    model = from_hook()
    if model is None:
        from alignsuite.models.registry import ModelSettings
        from alignsuite.models.registry import open_model as open_named

        model = open_named(
            settings.model,
            settings=ModelSettings(
                cache=settings.cache, base_url=settings.base_url, api_key=settings.api_key, progress=show
            ),
        )
    if not isinstance(model, Model):
        raise ModelError(f"pytest_alignsuite_open_model returned {model!r} for {settings.model}: wanted a Model")
    return model
