"""Collection and dry run of suites: what their probes claim, before anything is paid for.

Bodies are read through with nobody to ask.

`alignsuite limits` lists the numbers that way, `alignsuite plan` reckons what a run will take.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from alignsuite.errors import AlignsuiteError, SettingsError
from alignsuite.text.clean import clean

if TYPE_CHECKING:
    import pytest

    from alignsuite.config import Settings
    from alignsuite.models.protocol import Framing, Model
    from alignsuite.probes.replies import DryRun
    from alignsuite.pytest_plugin.session import Session

Found = TypeVar("Found")

ANYBODY = "scripted:good"
"""Who stands in where no model is named."""


@dataclass(frozen=True)
class Stated:
    """Stated claim: one claim as the probe's body states it."""

    kind: str
    what: str
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class DryRunItem:
    """Dry run of one item: its claims, in the order of its body."""

    nodeid: str
    prompt_set: str
    function: str
    slice: str
    claims: tuple[Stated, ...]


def dry_run(arguments: Sequence[str]) -> list[DryRunItem]:
    """Dry runs of every probe that pytest collects with these arguments, with the numbers that its suite states.

    Whatever stage a probe is for.

    A body that takes fixtures of others can't be read through, and has no claims here.

    Raises:
        SettingsError: when pytest collects nothing that can be used, with what it says.
        ProbeError: for a claim that its bank can never prove.
    """

    def stated(session: Session, items: Sequence[pytest.Item]) -> list[DryRunItem]:
        found = []
        for item in items:
            dry_run_ = session.dry_run(item)
            found.append(_as_stated(item, dry_run_) if dry_run_ is not None else _unread(item))
        return found

    with tempfile.TemporaryDirectory() as folder:
        return collected(
            arguments,
            stated,
            settings={
                "model": ANYBODY,
                "store": Path(folder) / "store.sqlite",
                "baseline": None,
                "judges": (),
                "limits": None,
            },
        )


def collected(
    arguments: Sequence[str],
    use: Callable[[Session, Sequence[pytest.Item]], Found],
    *,
    settings: Mapping[str, object],
) -> Found:
    """Result of `use` over the probes that pytest collects with these arguments.

    `settings` are put in place of those that the arguments and ini values give. Nothing runs, and nothing is printed but what pytest
    says of wrong arguments.

    Raises:
        SettingsError: when the arguments are wrong or a file can't be collected, with what pytest says.
    """
    import pytest

    collector = _Collector(use, settings)
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = pytest.main(
            [*arguments, "--collect-only", "-q", "--no-header", "-p", "no:cacheprovider"], plugins=[collector]
        )
    unusable = code == pytest.ExitCode.USAGE_ERROR or bool(collector.failures)
    if collector.error is not None and not unusable:
        raise collector.error
    if unusable or collector.found is None:
        said = "\n".join(collector.failures) or output.getvalue().strip() or f"exit code {int(code)}"
        raise SettingsError(f"pytest can't collect {' '.join(arguments) or 'the suites here'}: {clean(said, 2000)}")
    return collector.found


class _Collector(Generic[Found]):
    """Plugin that takes over once everything is collected."""

    def __init__(self, use: Callable[[Session, Sequence[pytest.Item]], Found], settings: Mapping[str, object]) -> None:
        self._use, self._settings = use, settings
        self.found: Found | None = None
        self.error: AlignsuiteError | None = None
        self.failures: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        """Keep the JUnit file of the last run: this is none."""
        config.option.xmlpath = None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember what could not be collected."""
        if report.failed:
            self.failures.append(f"{report.nodeid}: {report.longreprtext}")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Open a session over the items, and use it."""
        from alignsuite.pytest_plugin.items import PROBE
        from alignsuite.pytest_plugin.opening import open_judges, open_model
        from alignsuite.pytest_plugin.session import Session
        from alignsuite.pytest_plugin.settings import settings_of

        config = session.config
        settings = replace(settings_of(config), **self._settings)  # type: ignore[arg-type]
        try:
            if settings.model is None:
                settings = replace(settings, model=ANYBODY)

            def open_one(named: Settings, framing: Framing | None = None) -> Model:
                from_hook = partial(config.hook.pytest_alignsuite_open_model, name=named.model, settings=named)
                return open_model(named, from_hook, None, framing)

            opened = Session.open(settings, open_one(settings), None, partial(open_judges, settings, open_one))
            try:
                self.found = self._use(opened, [item for item in session.items if PROBE in item.stash])
            finally:
                opened.close()
        except AlignsuiteError as error:
            self.error = error  # raised where the command waits; in here pytest would make an internal error of it


def _as_stated(item: pytest.Item, dry_run_: DryRun) -> DryRunItem:
    claims = tuple(
        Stated(kind.name, kind.what, numbers) for kind, numbers in zip(dry_run_.claims, dry_run_.declared, strict=True)
    )
    return replace(_unread(item), claims=claims)


def _unread(item: pytest.Item) -> DryRunItem:
    from alignsuite.pytest_plugin.items import PROBE

    bank = item.stash[PROBE].bank
    return DryRunItem(item.nodeid, bank.loaded.spec.id, getattr(item, "originalname", item.name), bank.slice, ())
