"""Guards in `alignsuite judge`: what `pull` fetches, and what was published of one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from alignsuite.cli.command import OK

if TYPE_CHECKING:
    from alignsuite.judges.guards.spec import Named

PULL = "pull"


def pull(arguments: argparse.Namespace) -> int:
    """Fetch what a guard or a toxicity judge needs, and say what came.

    Raises:
        SettingsError: none is named, it needs nothing that can be fetched, or an option would have no effect.
        JudgeError, ModelError: what is wanted is not there.
    """
    from alignsuite.errors import SettingsError, did_you_mean
    from alignsuite.judges.guards.pull import pull as fetch
    from alignsuite.judges.guards.spec import guard_named, shipped
    from alignsuite.judges.registry import shipped_judge

    vain = [option for option in ("card", "measure", "keep", "json", "model", "against", "labelled_by", "align_base_url", "align_store")
            if getattr(arguments, option)]  # fmt: skip
    if vain:
        raise SettingsError(
            f"--{vain[0].replace('_', '-')} would have no effect with `alignsuite judge pull`: leave it out"
        )
    name = arguments.file
    if name is None:
        raise SettingsError(
            f"`alignsuite judge pull NAME` fetches what a guard needs; guards are {', '.join(shipped())}"
        )
    if name.startswith("hf:"):
        from alignsuite.judges.classifiers import SequenceClassifier

        print(SequenceClassifier(name).fetch())
        return OK
    judge = shipped_judge(name, ready=False)
    if judge is not None:
        if not hasattr(judge, "fetch"):
            raise SettingsError(f"the judge `{name}` needs nothing: it is part of this package")
        print(judge.fetch())
        return OK
    named = guard_named(name, model_wanted=False)
    if named is None:
        raise SettingsError(f"there is no guard `{name}`; {did_you_mean(name, shipped())}")
    print("\n".join(fetch(named, None if arguments.place is None else Path(arguments.place).expanduser())))
    return OK


def published(named: Named, *, measured: bool) -> Iterator[str]:
    """Lines of a guard's card that others answer for."""
    spec = named.spec
    if measured:
        yield ""
    else:
        of = f"{spec.id}:{named.model}" if named.given else f"{spec.id}:MODEL"
        yield (
            f"{spec.id}: {'not measured here' if named.given else 'which model, nobody said'}, so its errors on our labels are unknown; "
            f"label some replies, then `alignsuite judge {of} LABELLED.jsonl --measure --keep`"
        )
    for family in named.families:
        told = ", ".join(f"{name} ({', '.join(sorted(labels))})" for name, labels in spec.classes(family).items())
        yield f"tells of {family}: {told}"
    yield f"licence: {spec.licence}"
    if spec.languages:
        yield f"languages: {', '.join(spec.languages)}; replies in others are UNREADABLE"
    if spec.note:
        yield spec.note
    unpinned = [name for name, text in spec.ask.published.items() if not text.sha256]
    if unpinned:
        yield f"not pinned by a hash: its {' and '.join(unpinned)}, which is part of its version once it is fetched"
    yield (
        "as published, on other labels than ours; no verdict uses it:"
        if spec.published
        else "nothing is published that could be shown"
    )
    for figure in spec.published:
        yield f"  {figure.set}, {figure.measure}: {figure.value:g} ({figure.by})"
