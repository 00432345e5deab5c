"""Workers of pytest-xdist: where a session's model lives, and how each process comes by its session.

Like the door it is loaded in every session of every project: pytest and the standard library only, and nothing happens before a model is
named.

- No workers: the one process opens the model.
- `shared`, the default: the controller opens it, for all, when the first worker with something to ask joins. Workers hear of address and
  secret through xdist's own channel, not through the environment or the command line, where others could read them.
- `per-worker`: each worker opens its own on the shared store; with several CUDA devices each on its own device.

A judge that is a model lives in the controller under either placement: there is one of it, behind a line of its own.

A worker that can't begin hands the reason to the controller, which ends the run with it as any usage error does: once, before any test.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from alignsuite.pytest_plugin.recorder import RECORDER
from alignsuite.pytest_plugin.settings import settings_of
from alignsuite.pytest_plugin.terminal import Terminal

if TYPE_CHECKING:
    from alignsuite.config import Settings
    from alignsuite.models.broker.broker import Broker, Progress, Tick
    from alignsuite.models.broker.remote import BrokerServer, RemoteBroker
    from alignsuite.models.protocol import Framing, Model
    from alignsuite.models.store import Store
    from alignsuite.pytest_plugin.session import Judging, Session

_LINE = "alignsuite_line"
_JUDGES = "alignsuite_judges"
_REASON = "alignsuite_reason"


@dataclass(frozen=True)
class Opened:
    """Open session, ready to plan; `ahead` says whether it is for this process to hand in the plan."""

    session: Session
    terminal: Terminal
    ahead: bool


def open_session(config: pytest.Config) -> Opened:
    """`Session` of this process: with a model of its own, or as one of several workers before the controller's.

    Raises:
        AlignsuiteError: when the model or the store can't be had.
    """
    from alignsuite.pytest_plugin.session import Session

    settings, terminal = settings_of(config), Terminal(config)
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is None:
        judging = _Judges(config, terminal).on
        return Opened(_with_own_model(config, settings, terminal, terminal.tick, judging), terminal, ahead=True)
    from alignsuite.models.broker.remote import RemoteBroker

    if _LINE not in worker:
        settings = settings_of_worker(settings, worker["workerid"], worker["workercount"])
        return Opened(
            _with_own_model(config, settings, terminal, None, lambda _: _judges_afar(worker)), terminal, ahead=False
        )
    broker = RemoteBroker(*worker[_LINE])
    return Opened(Session.joined(settings, broker, _judges_afar(worker)), terminal, ahead=broker.first)


def _judges_afar(worker: dict[str, Any]) -> dict[str, RemoteBroker]:
    """Remote brokers of the judges that are models, which the controller owns."""
    from alignsuite.models.broker.remote import RemoteBroker

    return {name: RemoteBroker(*line) for name, line in worker.get(_JUDGES, {}).items()}


def _with_own_model(
    config: pytest.Config, settings: Settings, terminal: Terminal, tick: Tick | None, judging: Judging
) -> Session:
    from alignsuite.pytest_plugin.session import Session

    return Session.open(settings, _open_one(config, terminal, settings), tick, judging)


def _open_one(config: pytest.Config, terminal: Terminal, settings: Settings, framing: Framing | None = None) -> Model:
    from alignsuite.pytest_plugin.opening import open_model

    from_hook = partial(config.hook.pytest_alignsuite_open_model, name=settings.model, settings=settings)
    return open_model(settings, from_hook, terminal.say, framing)


def abort(config: pytest.Config, reason: str) -> NoReturn:
    """End the run before any test, with a reason that a user can mend.

    Raises:
        UsageError: in the reporting process; a worker ends quietly, and the controller raises it.
    """
    output: dict[str, Any] | None = getattr(config, "workeroutput", None)
    if output is None:
        raise pytest.UsageError(reason) from None
    output[_REASON] = reason
    pytest.exit(reason, returncode=pytest.ExitCode.USAGE_ERROR)


class Workers:
    """Controller's side of the workers: tells each where the broker is, and opens it when the first one asks.

    Its hooks are called only where xdist starts workers.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._terminal: Terminal | None = None
        self._servers: dict[str, BrokerServer] = {}
        self._judges = _Judges(config)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 (xdist's WorkerController)
        """Tell a worker where the brokers are, before it starts."""
        settings = settings_of(self.config)
        if settings.model is None:
            return
        shared, judges = settings.placement == "shared", _models_among(settings.judges)
        if not shared and not judges:
            return
        if not node.gateway.spec.popen:
            raise pytest.UsageError(_too_far(node.gateway.spec, judges if not shared else []))
        if shared:
            node.workerinput[_LINE] = self._line(_LINE, self._open, self.config.stash[RECORDER].take_header)
        node.workerinput[_JUDGES] = {
            name: self._line(name, partial(self._judges.open, name), lambda _: None) for name in judges
        }

    def _line(
        self, name: str, open_broker: Callable[[], Broker], heard: Callable[[dict[str, Any]], None]
    ) -> tuple[str, str]:
        """Address and secret of the server before a broker, which is started for the first worker."""
        from alignsuite.models.broker.remote import BrokerServer

        if name not in self._servers:
            self._servers[name] = BrokerServer(open_broker, heard)
        return self._servers[name].address, self._servers[name].secret

    def _open(self) -> Broker:
        """Broker of a model for all workers, opened in a thread of the server."""
        from alignsuite.models.broker.broker import Broker

        terminal, lock = Terminal(self.config), threading.Lock()

        def tick(progress: Progress) -> None:
            with lock:  # several workers' threads wait at once
                terminal.tick(progress)

        session = _with_own_model(self.config, settings_of(self.config), terminal, tick, self._judges.on)
        assert isinstance(session.broker, Broker)
        self._terminal = terminal
        self.config.stash[RECORDER].opened(session, terminal)
        return session.broker

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """Take hold of the terminal in the thread that writes to it; whoever ticks later does so from another."""
        if self._terminal is not None:
            self._terminal.prepare()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 (xdist's WorkerController)
        """End the run with the reason for which a worker could not begin."""
        reason = getattr(node, "workeroutput", {}).get(_REASON)
        if reason is not None:
            raise pytest.UsageError(reason)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Hang up on the workers, so that none waits while xdist takes them down."""
        for server in self._servers.values():
            server.close()
        self._judges.close()


class _Judges:
    """Judges that are models, opened once, whoever asks first; safe to use from several threads.

    They work on the store of this process's session, which closes them. Under `per-worker` the controller has no session, and opens a
    store for them.
    """

    def __init__(self, config: pytest.Config, terminal: Terminal | None = None) -> None:
        self._config, self._terminal = config, terminal
        self._lock = threading.Lock()
        self._brokers: dict[str, Broker] | None = None
        self._store: Store | None = None

    def on(self, store: Store) -> dict[str, Broker]:
        """Brokers of all of them, on a session's store."""
        with self._lock:
            return self._opened(store)

    def open(self, name: str) -> Broker:
        """Broker of one of them."""
        from alignsuite.models.store import Store

        with self._lock:
            if self._brokers is None:
                self._store = Store(settings_of(self._config).store)
                self._opened(self._store)
            assert self._brokers is not None
            return self._brokers[name]

    def close(self) -> None:
        """Free those that no session closes."""
        if self._store is not None:
            for broker in (self._brokers or {}).values():
                broker.close()
            self._store.close()

    def _opened(self, store: Store) -> dict[str, Broker]:
        from alignsuite.pytest_plugin.opening import open_judges

        if self._brokers is None:
            terminal = self._terminal or Terminal(self._config)
            open_one = partial(_open_one, self._config, terminal)
            self._brokers = open_judges(settings_of(self._config), open_one, store)
        return self._brokers


def _models_among(judges: Sequence[str]) -> list[str]:
    if not judges:
        return []
    from alignsuite.judges.registry import models_among

    return models_among(judges)


def _too_far(spec: object, judges: Sequence[str]) -> str:
    far = f"--tx {spec}: a worker of another machine can't reach "
    if judges:
        return f"{far}the judge {judges[0]} of this one: run the workers here, or judge the replies later with `alignsuite judge`"
    return f"{far}the model of this one: add --align-placement=per-worker, or name an endpoint that all can reach and run the workers here"


def settings_of_worker(
    settings: Settings, worker: str, count: int, count_devices: Callable[[], int] | None = None
) -> Settings:
    """`Settings` of one worker among several that each open a model: its own device, its share of the budget.

    A worker that replaces a crashed one has a higher number than any before; it takes the next device in turn.

    Args:
        settings: those of the session.
        worker: xdist's name for it, such as `gw3`.
        count: how many workers there are.
        count_devices: how many CUDA devices the machine has; asked only where the model runs in torch and no device was named.
    """
    if settings.budget is not None:
        settings = replace(settings, budget=max(1, settings.budget // count))
    if settings.device is not None or not _runs_in_torch(settings.model):
        return settings
    from alignsuite.models.engines.transformers.weights import cuda_devices

    devices = (count_devices or cuda_devices)()
    if devices < 2:
        return settings
    number = int("".join(re.findall(r"\d+$", worker)) or 0)
    return replace(settings, device=f"cuda:{number % devices}")


def _runs_in_torch(model: str | None) -> bool:
    from pathlib import Path

    from alignsuite.models.registry import lookup

    row = lookup(model or "")
    target = row.target if row is not None else model or ""
    return target.startswith("hf:") or Path(target).expanduser().is_dir()
