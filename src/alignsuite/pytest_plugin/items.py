"""Pytest items of probes: one for each bank of a function, with its probe, its replies and its marks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import pytest

from alignsuite.pytest_plugin.settings import settings_of

if TYPE_CHECKING:
    from alignsuite.probes.items import ProbeItem
    from alignsuite.probes.replies import Replies

MARK = "alignsuite_probe"  # probes.decorator.MARK, without loading what it loads
AXES = ("fairness", "safety", "robustness", "psychological")
STAGES = ("curation", "pretraining", "finetuning")

PROBE: pytest.StashKey[ProbeItem] = pytest.StashKey()
REPLIES: pytest.StashKey[Replies] = pytest.StashKey()


def is_probe(item: pytest.Item) -> bool:
    """Whether an item is of a probe."""
    return item.get_closest_marker(MARK) is not None


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Parametrize a probe: its bank split into items.

    A broken prompt set is a collection error with file and line.
    """
    mark = metafunc.definition.get_closest_marker(MARK)
    if mark is None:
        return
    from alignsuite.errors import AlignsuiteError, ProbeError
    from alignsuite.probes.items import ProbeItem, banks_of

    spec = mark.args[0]
    try:
        if "replies" not in metafunc.fixturenames:
            raise ProbeError(f"{metafunc.function.__name__} is a probe, so it needs the argument `replies`")
        settings = settings_of(metafunc.config)
        banks = banks_of(spec, settings.prompts, settings.protocol)
    except AlignsuiteError as error:
        raise pytest.Collector.CollectError(str(error)) from None
    ids = [bank.slice for bank in banks] if spec.by else [pytest.HIDDEN_PARAM]
    metafunc.parametrize("replies", [ProbeItem(spec, bank) for bank in banks], ids=ids, indirect=True)


def keep_probe(item: pytest.Item) -> None:
    """Put the probe into the item's stash, and mark the item with its axis and stages."""
    if not is_probe(item) or not isinstance(item, pytest.Function):
        return
    probe = cast("ProbeItem", item.callspec.params["replies"])
    item.stash[PROBE] = probe
    for name in (probe.spec.axis, *probe.spec.stages):
        if name in (*AXES, *STAGES):
            item.add_marker(name)


@contextlib.contextmanager
def explained(item: pytest.Item) -> Iterator[None]:
    """Context manager over a test body: a claim's failure is explained whole, our errors have no traceback.

    Where no further item could be judged either (a wrong key, a full disk), the run stops after the first.
    """
    from alignsuite.errors import AlignsuiteError, ModelError, ReplayMissing, RequestError, StoreError

    held = item.stash.get(REPLIES, None)
    try:
        yield
        _assert_all(item)
    except pytest.skip.Exception:
        _assert_all(item)
        raise
    except AlignsuiteError as error:
        if isinstance(error, ModelError | StoreError) and not isinstance(error, RequestError | ReplayMissing):
            item.session.shouldstop = "nothing more can be asked; what had arrived is in the store"
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    except AssertionError as error:
        findings = held.findings if held is not None else []
        if findings and not findings[-1]:
            error.args = (repr(findings[-1]),)
        raise
    finally:
        if held is not None:
            held.over = True


def _assert_all(item: pytest.Item) -> None:
    """Failure of an item whose claim blocks and whose body let it pass, having forgotten an `assert`."""
    held = item.stash.get(REPLIES, None)
    blocking = [finding for finding in (held.findings if held is not None else ()) if not finding]
    if blocking:
        shown = "\n".join(map(repr, blocking))
        pytest.fail(f"{shown}\n  the verdict was never asserted: write `assert replies.…`", pytrace=False)
