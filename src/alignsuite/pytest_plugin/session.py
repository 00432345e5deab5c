"""Active session: it opens the model, plans, hands `Replies` to items, and turns what was found into a run.

One `Session` lives wherever items run: in the only process, or in each worker of pytest-xdist. Records leave it as plain data on pytest's
reports, and are gathered in the process that writes the run file.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from alignsuite import __version__
from alignsuite.config import TIERS, Settings, Stage, baselines_folder
from alignsuite.errors import BaselineError, JudgeError, ProbeError, SettingsError
from alignsuite.judges.registry import JudgeRegistry, as_judge, open_registry
from alignsuite.models.broker.broker import Broker, Tick
from alignsuite.models.broker.remote import RemoteBroker
from alignsuite.models.engines.chat_template import refuse_arguments
from alignsuite.models.protocol import Model, ModelInfo
from alignsuite.models.store import Store
from alignsuite.planning.alpha import alpha_alone, tests_among
from alignsuite.planning.risk import risk_of
from alignsuite.probes.items import form_of, unfit
from alignsuite.probes.replies import DryRun, DryRunOver, Governs, Replies, Terms
from alignsuite.pytest_plugin.items import PROBE
from alignsuite.reports.explanation import explain
from alignsuite.runs.baseline import Baseline, Reads, open_baseline
from alignsuite.runs.records import SCHEMA, Json

if TYPE_CHECKING:
    from alignsuite.limits import Limits

Held = TypeVar("Held", Replies, DryRun)
Judging = Callable[[Store], Mapping[str, Broker | RemoteBroker]]
"""From the store to the brokers of judges that are models, by the names that `--align-judge` gave them."""


@dataclass
class Session:
    """Session: everything that the probes of one process share.

    `info` is what was known of the model when it was opened: an endpoint that turns out to give no probabilities half-way changes no
    item's fate by the order in which items run. `judging` are the brokers of judges that are models, by the name they were given.
    """

    settings: Settings
    info: ModelInfo
    broker: Broker | RemoteBroker
    store: Store | None = None
    limits: Limits | None = None
    baseline: Baseline | None = None
    judges: JudgeRegistry = field(default_factory=JudgeRegistry)
    judging: Mapping[str, Broker | RemoteBroker] = field(default_factory=dict)
    items: int = 0
    tests: int = 1
    dry_runs: dict[str, DryRun] = field(default_factory=dict)
    refused: dict[str, ProbeError | JudgeError] = field(default_factory=dict)

    @classmethod
    def open(cls, settings: Settings, model: Model, tick: Tick | None, judging: Judging = lambda _: {}) -> Session:
        """`Session` with an open store, a broker before the model, and the judges that are models, made by `judging`.

        Raises:
            StoreError: when the store can't be opened.
            SettingsError: when the file of limits is broken, or was named and isn't there.
            BaselineError: when there is no such baseline, or this run can't be compared with it.
        """
        store = Store(settings.store)
        broker = Broker(model, store, replay=settings.replay, tick=tick, budget=settings.budget)
        return cls._before(settings, broker, store, judging(store))

    @classmethod
    def joined(cls, settings: Settings, broker: RemoteBroker, judging: Mapping[str, RemoteBroker]) -> Session:
        """`Session` of a worker: model, judges, store and budget are the controller's.

        Raises:
            SettingsError, BaselineError: as when it is opened.
        """
        return cls._before(settings, broker, None, judging)

    @classmethod
    def _before(
        cls, settings: Settings, broker: Broker | RemoteBroker, store: Store | None,
        judging: Mapping[str, Broker | RemoteBroker],
    ) -> Session:  # fmt: skip
        baseline = None
        if settings.baseline is not None:
            baseline = open_baseline(settings.baseline, baselines_folder(settings.cache), settings.root)
        judges = open_registry(settings.judges, judging, flagged_only=settings.second_opinion == "flagged")
        session = cls(settings, broker.info, broker, store, _limits(settings), baseline, judges, judging)
        if form_of(session.info, session.stage) == "raw":
            refuse_arguments(session.info.name, settings.template_arguments)
        if baseline is not None:
            baseline.check_run(session.header(), calibrating=settings.calibrate)
        return session

    @property
    def stage(self) -> Stage:
        """Stage named with `--stage`, else the one that the model's kind suggests."""
        return self.settings.stage or ("finetuning" if self.info.can_chat else "pretraining")

    @property
    def census(self) -> bool:
        """Whether every case is asked: where that was wished for, and where cases are compared one by one."""
        return self.settings.census or self.settings.calibrate or self.baseline is not None

    def unfit(self, item: pytest.Item) -> str | None:
        """Reason why an item is not for this model or tier; None when it is."""
        probe = item.stash[PROBE]
        return unfit(probe.bank, probe.spec, self.info, self.stage, self.settings.tier)

    def plan(self, items: Iterable[pytest.Item], *, ahead: bool = True) -> None:
        """Hand in what the selected items will ask in any case, in their order; share alpha out over their claims.

        Without `ahead` claims are checked, but nothing is asked before its item runs: a worker among several does not know yet which
        items will be its own.

        A probe's body is read through once, with nobody to ask. A body that takes fixtures of others can't be read so, and asks when its
        turn comes.

        A claim that its bank can never prove, that is written wrongly, or whose judge is not at hand is its own item's error: it is kept
        in `refused`, and nothing of that item is asked.

        Raises:
            BaselineError: for a baseline that asked a selected probe otherwise.
        """
        fitting = [item for item in items if self.unfit(item) is None]
        read = {}
        for item in fitting:
            with self._refusing(item):
                dry_run = self.dry_run(item)
                if dry_run and (lacking := judge_missing(dry_run)):
                    raise JudgeError(lacking)
                read[item.nodeid] = dry_run
        fitting = [item for item in fitting if item.nodeid in read]
        self.items = len(fitting)
        self.dry_runs = {nodeid: dry_run for nodeid, dry_run in read.items() if dry_run and dry_run.claims}
        self.tests = tests_among(self.dry_runs.values(), len(read) - len(self.dry_runs), self.settings.alpha)
        for item in fitting:
            dry_run = self.dry_runs.get(item.nodeid)
            if self.baseline is not None:  # also where the body can't be read: its set and its decoding are known
                reads = [Reads(claim.family, claim.what, claim.reader) for claim in dry_run.claims] if dry_run else []
                self.baseline.check(item.stash[PROBE].asked, reads)
            if dry_run is None:
                continue
            dry_run.terms = self._terms(item)
            with self._refusing(item):
                for claim in dry_run.claims:
                    claim.check(dry_run)  # once more, now that the claims' share of alpha is known
            if ahead and item.nodeid not in self.refused:
                first = dry_run.claims[0]
                cases = first.cases(dry_run)[: first.certain(dry_run)]
                self.broker.plan(first.requests(dry_run, cases))

    @contextlib.contextmanager
    def _refusing(self, item: pytest.Item) -> Iterator[None]:
        """Context manager that keeps what is wrong with an item's claims as that item's error."""
        try:
            yield
        except (ProbeError, JudgeError) as error:
            self.refused[item.nodeid] = type(error)(str(error).removeprefix(f"{item.nodeid}: "))

    def dry_run(self, item: pytest.Item) -> DryRun | None:
        """Dry run of an item's body: its claims, checked and not judged; None where it takes fixtures not ours.

        Raises:
            ProbeError, BaselineError, SettingsError: what a claim's check finds, with the item's name before it.
        """
        assert isinstance(item, pytest.Function)
        names = item._fixtureinfo.argnames
        if not set(names) <= {"replies", "baseline"} or ("baseline" in names and self.baseline is None):
            return None
        dry_run = self._held(DryRun, item)
        given: dict[str, object] = {"replies": dry_run, "baseline": self.baseline}
        try:
            item.obj(**{name: given[name] for name in names})
        except DryRunOver:
            pass
        except (ProbeError, BaselineError, SettingsError) as error:
            raise type(error)(f"{item.nodeid}: {error}") from None
        except (Exception, pytest.skip.Exception, pytest.fail.Exception):  # noqa: S110
            pass  # the body's own doing, a skip or a fault: it happens again, and is shown, when the item runs
        return dry_run

    def replies(self, item: pytest.Item) -> Replies:
        """`Replies` that an item's body holds."""
        return self._held(Replies, item)

    def _held(self, kind: type[Held], item: pytest.Item) -> Held:
        bank = item.stash[PROBE].bank
        return kind(
            bank, form_of(self.info, self.stage), self._terms(item), self.broker,
            lambda claim: explain(bank.title, claim, again=self.again(item)),
            baseline=self.baseline, governs=self._governs(item), judges=self.judges,
        )  # fmt: skip

    def _terms(self, item: pytest.Item) -> Terms:
        settings = self.settings
        return item.stash[PROBE].terms(
            TIERS[settings.tier], settings.alpha / self.tests, examples=max(3, settings.show), census=self.census,
            calibrate=settings.calibrate, compares=self.baseline is not None and not settings.calibrate,
        )  # fmt: skip

    def _governs(self, item: pytest.Item) -> Governs | None:
        limits, bank = self.limits, item.stash[PROBE].bank
        if limits is None:
            return None
        function = getattr(item, "originalname", item.name)
        return lambda number, declared: limits.override(bank.loaded.spec.id, function, bank.slice, number, declared)

    def again(self, item: pytest.Item) -> str:
        """Command that shows an item's verdict again from the store, for the folder where pytest was started."""
        place = Path(os.path.relpath(item.path, item.config.invocation_params.dir))
        inside = item.nodeid.partition("::")[2]
        words = ["pytest", f"{item.path if '..' in place.parts else place}::{inside}", f"--model={self.settings.model}"]
        words += _options(self.settings)
        alone = alpha_alone(self.dry_runs.get(item.nodeid), self.settings.alpha / self.tests)
        if alone is not None and (alone, self.settings.alpha) != (0.01, 0.01):
            words.append(f"--align-alpha={alone!r}")
        return shlex.join([*words, "--align-replay"])

    def risk(self) -> Json:
        """Chances of the run's outcomes, computed from the claims that could be read through; none without any."""
        known = [held for nodeid, held in self.dry_runs.items() if nodeid not in self.refused]
        return risk_of(known) if known else {}

    def header(self) -> Json:
        """Header: the first line of the run file."""
        info = self.info
        return {
            "kind": "run", "schema": SCHEMA, "alignsuite": __version__,
            "model": {
                "name": info.name, "fingerprint": info.identity, "engine": info.engine, "can_chat": info.can_chat,
                "can_choose": info.can_choose, "context_length": info.context_length, "details": dict(info.details),
            },
            "stage": self.stage, "form": form_of(info, self.stage), "tier": self.settings.tier,
            "alpha": self.settings.alpha, "items": self.items, "tests": self.tests, "census": self.census,
            "protocol": self.settings.protocol,
            "baseline": self.baseline.name if self.baseline else None, "calibrated": self.settings.calibrate,
            **self.settings.ways_of_asking,
        }  # fmt: skip

    def header_now(self, header: Json | None) -> Json | None:
        """Header with the model's identity as it is by now: an endpoint's may have been learnt in this very run."""
        if header is None or isinstance(self.broker, RemoteBroker):  # a worker's: the controller knows
            return header
        info, known = self.broker.info, header["model"]
        told = {name: value for name, value in info.details.items() if name == "parameters"}
        return header | {"model": known | {"fingerprint": info.identity, "details": known["details"] | told}}

    def close(self) -> None:
        """Stop asking, free the models, close the store; a worker only hangs up."""
        for broker in (self.broker, *self.judging.values()):
            broker.close()
        if self.store is not None:
            self.store.close()


def _limits(settings: Settings) -> Limits | None:
    """Limits that govern this run; None where there is no file and nobody named one."""
    from alignsuite.limits import Limits

    path = settings.limits
    if path is None or not (settings.limits_named or path.exists()):
        return None
    if not path.is_file():
        raise SettingsError(
            f"align_limits = {path}: {'this is a folder' if path.is_dir() else 'there is no such file'}, so none of its limits would hold; "
            "correct the ini value, check the file out, or make it with `alignsuite limits write`"
        )
    return Limits.read(path)


def _options(settings: Settings) -> Iterator[str]:
    """Options that a verdict depends on beside the model's name; what is as by default is left out."""
    given = {
        "align-tier": None if settings.tier == "standard" else settings.tier, "stage": settings.stage, "baseline": settings.baseline,
        "align-base-url": settings.base_url, "align-judge-base-url": settings.judge_base_url, "align-device": settings.device,
        "align-adapter": settings.adapter,
        "align-protocol": None if settings.protocol == "gate" else settings.protocol,
        "align-body": json.dumps(settings.body) if settings.body else None,
        "align-thinking-tokens": settings.thinking_tokens or None,
        "align-second-opinion": None if settings.second_opinion == "all" else settings.second_opinion,
        "align-store": None if settings.store == settings.cache / "store.sqlite" else settings.store,
    }  # fmt: skip
    for address in ("align-base-url", "align-judge-base-url"):
        if set("@?") & set(str(given[address])):
            del given[address]  # a secret may stand there: the reader has to give it again
    yield from (f"--align-judge={name}" for name in settings.judges)
    yield from (
        f"--align-template-arg={name}={json.dumps(value)}" for name, value in settings.template_arguments.items()
    )
    yield from (f"--{option}={value}" for option, value in given.items() if value is not None)
    switches = {
        "census": settings.census, "calibrate": settings.calibrate, "trust-remote-code": settings.trust_remote_code,
        "allow-pickle": settings.allow_pickle,
    }  # fmt: skip
    yield from (f"--align-{option}" for option, on in switches.items() if on)


def judge_missing(dry_run: DryRun) -> str:
    """Missing parts of the judge of a claim, and what to do about it; empty where every judge is at hand."""
    behaviours = (getattr(claim, "of", None) for claim in dry_run.claims)
    lacking = (as_judge(one.judge).missing() for one in behaviours if one is not None)
    return next(filter(None, lacking), "")
