"""Where a session's model lives when pytest-xdist runs several workers; and how each process comes by its session.

Like the door it is loaded in every session of every project: pytest and the standard library only, and nothing happens before a model is
named.

- No workers: the one process opens the model.
- `shared`, the default: the controller opens it, for all, when the first worker with something to ask joins. Workers hear of address and
  secret through xdist's own channel, not through the environment or the command line, where others could read them.
- `per-worker`: each worker opens its own on the shared store; with several CUDA devices each on its own device.

A worker that can't begin hands the reason to the controller, which ends the run with it as any usage error does: once, before any test.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from alignsuite.gatherer import GATHERER, settings_of
from alignsuite.terminal import Terminal

if TYPE_CHECKING:
    from alignsuite.config import Settings
    from alignsuite.models.broker import Broker, Progress, Tick
    from alignsuite.models.broker_share import BrokerServer
    from alignsuite.session import Session

_LINE = "alignsuite_line"
_REASON = "alignsuite_reason"


@dataclass(frozen=True)
class Opened:
    """A session ready to plan; `ahead` says whether it is for this process to hand in the plan."""

    session: Session
    terminal: Terminal
    ahead: bool


def open_session(config: pytest.Config) -> Opened:
    """The session of this process: with a model of its own, or as one of several workers before the controller's.

    Raises:
        AlignsuiteError: when the model or the store can't be had.
    """
    from alignsuite.session import Session

    settings, terminal = settings_of(config), Terminal(config)
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is None:
        return Opened(_with_own_model(config, settings, terminal, terminal.tick), terminal, ahead=True)
    if _LINE not in worker:
        settings = settings_of_worker(settings, worker["workerid"], worker["workercount"])
        return Opened(_with_own_model(config, settings, terminal, None), terminal, ahead=False)
    from alignsuite.models.broker_share import RemoteBroker

    broker = RemoteBroker(*worker[_LINE])
    return Opened(Session.joined(settings, broker), terminal, ahead=broker.first)


def _with_own_model(config: pytest.Config, settings: Settings, terminal: Terminal, tick: Tick | None) -> Session:
    from alignsuite.session import Session, open_model

    from_hook = partial(config.hook.pytest_alignsuite_open_model, name=settings.model, settings=settings)
    return Session.open(settings, open_model(settings, from_hook, terminal.say), tick)


def give_up(config: pytest.Config, reason: str) -> NoReturn:
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
    """The controller's side: tells each worker where the broker is, and opens it when the first one asks.

    Its hooks are called only where xdist starts workers.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._terminal: Terminal | None = None
        self._server: BrokerServer | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 (xdist's WorkerController)
        """Tell a worker where the broker is, before it starts."""
        settings = settings_of(self.config)
        if settings.model is None or settings.placement == "per-worker":
            return
        if not node.gateway.spec.popen:
            raise pytest.UsageError(
                f"--tx {node.gateway.spec}: a worker of another machine can't reach the model of this one: add "
                "--align-placement=per-worker, or name an endpoint that all can reach and run the workers here"
            )
        if self._server is None:
            from alignsuite.models.broker_share import BrokerServer

            self._server = BrokerServer(self._open, self.config.stash[GATHERER].told)
        node.workerinput[_LINE] = (self._server.address, self._server.secret)

    def _open(self) -> Broker:
        """Open the model for all workers; called in a thread of the server."""
        from alignsuite.models.broker import Broker

        terminal, lock = Terminal(self.config), threading.Lock()

        def tick(progress: Progress) -> None:
            with lock:  # several workers' threads wait at once
                terminal.tick(progress)

        session = _with_own_model(self.config, settings_of(self.config), terminal, tick)
        assert isinstance(session.broker, Broker)
        self._terminal = terminal
        self.config.stash[GATHERER].opened(session, terminal)
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
        if self._server is not None:
            self._server.close()


def settings_of_worker(
    settings: Settings, worker: str, count: int, count_devices: Callable[[], int] | None = None
) -> Settings:
    """The settings of one worker among several that each open a model: its own device, its share of the budget.

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
    from alignsuite.models.devices import cuda_devices

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
