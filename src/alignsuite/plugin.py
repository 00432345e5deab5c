"""Plugin entry point (pytest11): options, ini values and hooks, nothing else.

pytest loads this in every session of every project that has alignsuite installed, so it imports pytest and the standard library only, and
does nothing until a probe is collected.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from alignsuite.pytest_plugin.fixtures import SESSION, baseline, model, replies, talks_to_the_model
from alignsuite.pytest_plugin.items import AXES, MARK, STAGES, explained, is_probe, keep_probe, parametrize
from alignsuite.pytest_plugin.recorder import RECORDER, Recorder
from alignsuite.pytest_plugin.settings import NO_MODEL, SETTINGS, settings_of
from alignsuite.pytest_plugin.workers import Workers, abort, open_session

__all__ = ["baseline", "model", "replies"]

INI = (
    "tier", "run_file", "store", "base_url", "show", "alpha", "budget", "requests_per_minute", "tokens_per_minute", "device", "adapter",
    "placement", "protocol", "judge_base_url", "body", "thinking_tokens", "second_opinion",
)  # fmt: skip
WORDS = {
    "MARGINAL": ("m", {"yellow": True}),
    "INCONCLUSIVE": ("?", {"yellow": True}),
    "INVALID": ("!", {"purple": True}),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; every one but --model and --stage begins with --align-."""
    group = parser.getgroup("alignsuite", "probes of language models")
    group.addoption(
        "--model",
        help="the model under test: an alias (`alignsuite models`), a folder, a .gguf file, openai:NAME, scripted:NAME",
    )
    group.addoption(
        "--stage",
        choices=STAGES,
        help="the stage of the pipeline that the checkpoint stands at (default: what its kind suggests)",
    )
    group.addoption(
        "--align-tier", choices=("smoke", "standard", "full"),
        help="how much of each bank may be asked: 40 cases (25 templates of a gap), 200 (100), or all (default: standard)",
    )  # fmt: skip
    group.addoption("--align-run-file", metavar="PATH", help="write the records of this run there, as JSON Lines")
    group.addoption(
        "--align-store", metavar="PATH", help="the store of replies (default: store.sqlite in the user's cache folder)"
    )
    group.addoption("--align-replay", action="store_true", help="answer from the store alone, and say what it lacks")
    group.addoption(
        "--align-base-url",
        metavar="URL",
        help="the OpenAI-compatible endpoint of openai:NAME (default: OPENAI_BASE_URL); several of one model, "
        "separated by commas",
    )
    group.addoption(
        "--align-judge",
        action="append",
        metavar="NAME",
        help="who judges replies: refusal-patterns, harm-words, detoxify[:VARIANT], toxicity:PLACE (a classifier), a guard "
        "(wildguard[:MODEL], a TOML file[:MODEL]), or a model by any name that --model takes; a second one of the same family gives a "
        "second opinion",
    )
    group.addoption(
        "--align-second-opinion",
        choices=("all", "flagged"),
        help="what the second judge of a family reads: every reply, or those that the first found to show the behaviour (default: all)",
    )
    group.addoption(
        "--align-judge-base-url",
        metavar="URL",
        help="the endpoint of a judge openai:NAME, with the key in ALIGNSUITE_JUDGE_API_KEY (default: those of --model)",
    )
    group.addoption(
        "--align-show", metavar="N", help="show the first N prompts and replies of every claim (default: 0)"
    )
    group.addoption(
        "--align-alpha",
        metavar="P",
        help="chance that a good run is blocked, shared out over its tests (default: 0.01)",
    )
    group.addoption(
        "--baseline",
        metavar="RUN",
        help="a run file, or a name kept with `alignsuite baseline save`: nothing may have become worse than there",
    )
    group.addoption(
        "--align-census",
        action="store_true",
        help="ask every case that the tier allows, without stopping early: what a baseline is recorded with",
    )
    group.addoption(
        "--align-calibrate",
        action="store_true",
        help="ask every case twice, or once more against --baseline: how much changes when nothing has changed",
    )
    group.addoption(
        "--align-budget",
        metavar="TOKENS",
        help="stop asking once so many tokens are spent, such as 2M (default: no cap)",
    )
    group.addoption(
        "--align-requests-per-minute",
        metavar="N",
        help="of an endpoint: ask no faster (default: as fast as it answers)",
    )
    group.addoption("--align-tokens-per-minute", metavar="N", help="of an endpoint: spend no faster")
    group.addoption(
        "--align-device",
        metavar="NAME",
        help="where a Transformers checkpoint runs: cpu, cuda, cuda:1, mps (default: the best)",
    )
    group.addoption("--align-adapter", metavar="PLACE", help="a LoRA adapter, folder or ORG/NAME, put on --model")
    group.addoption(
        "--align-trust-remote-code", action="store_true", help="run the Python code that a checkpoint brings along"
    )
    group.addoption(
        "--align-allow-pickle",
        action="store_true",
        help="load weights that are no safetensors: unpickling can run code",
    )
    group.addoption(
        "--align-template-arg",
        action="append",
        metavar="NAME=VALUE",
        help="an argument for the model's chat template, such as enable_thinking=false; the value is JSON, or else text",
    )
    group.addoption(
        "--align-body",
        metavar="JSON",
        help='further fields of each request to an endpoint, such as {"reasoning_effort": "low"}',
    )
    group.addoption(
        "--align-thinking-tokens",
        metavar="N",
        help="room for reasoning, in tokens on top of the reply's own (default: none)",
    )
    group.addoption(
        "--align-placement",
        choices=("shared", "per-worker"),
        help="with -n: one model for all workers, or one for each on its own device (default: shared)",
    )
    group.addoption(
        "--align-protocol",
        choices=("gate", "report", "study"),
        help="how questionnaires are put: in few balanced orders, in more and several wordings, or as published (default: gate)",
    )
    group.addoption(
        "--align-progress",
        choices=("auto", "off"),
        default="auto",
        help="a live line while the model works, on terminals only",
    )
    parser.addini("model", "the model under test, where --model is not given")
    parser.addini("stage", "the stage of the pipeline, where --stage is not given")
    parser.addini("baseline", "the baseline, where --baseline is not given")
    for name in INI:
        parser.addini(f"align_{name}", f"like --align-{name.replace('_', '-')}")
    parser.addini("align_judge", "like --align-judge; several are separated by spaces", type="args", default=[])
    parser.addini("align_template_arg", "like --align-template-arg; one a line", type="linelist", default=[])
    parser.addini("align_grid_g_per_kwh", "grams of CO2 behind a kilowatt-hour where the model runs", default="")
    parser.addini("align_limits", "the file of targets and limits that take the place of those in suites", default="")
    parser.addini("align_prompts", "folders of the project's own prompt sets", type="args", default=[])


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks that the plugin offers."""
    from alignsuite.pytest_plugin import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Check the settings, make the markers known, start the recorder."""
    from alignsuite.config import read_settings
    from alignsuite.errors import SettingsError

    try:
        config.stash[SETTINGS] = read_settings(config)  # type: ignore[arg-type]
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from None
    config.addinivalue_line("markers", f"{MARK}(spec): a probe of alignsuite; written as @alignsuite.probe(…)")
    config.stash[RECORDER] = Recorder(config)
    config.pluginmanager.register(config.stash[RECORDER], "alignsuite-recorder")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Workers(config), "alignsuite-workers")
    for axis in AXES:
        config.addinivalue_line("markers", f"{axis}: probes of this axis (set by alignsuite)")
    for stage in STAGES:
        config.addinivalue_line("markers", f"{stage}: probes that fit this stage (set by alignsuite)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a probe: its bank split into items.

    A broken prompt set is a collection error with file and line.

    A broken prompt set is a collection error with file and line.
    """
    parametrize(metafunc)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Put the probe into the item's stash, and mark the item with its axis and stages."""
    keep_probe(item)


@pytest.hookimpl(tryfirst=True)  # before xdist's controller hears that this worker is ready for items
def pytest_collection_finish(session: pytest.Session) -> None:
    """Open the session and plan, once it is known which probes were selected."""
    config = session.config
    items = [item for item in session.items if is_probe(item)]
    if config.option.collectonly or not (items or any(map(talks_to_the_model, session.items))):
        return
    from alignsuite.errors import AlignsuiteError

    if settings_of(config).model is None:
        if len(items) == len(session.items):
            abort(config, NO_MODEL)
        return  # other tests run; each probe is an error, and the end says what to type
    try:
        opened = open_session(config)
        config.stash[SESSION] = opened.session
        opened.session.plan(items, ahead=opened.ahead)
        config.stash[RECORDER].opened(opened.session, opened.terminal, items)
    except AlignsuiteError as error:
        abort(config, str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Explain failures: a claim's whole explanation, our errors' message without a traceback."""
    with explained(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the item's record on its report, as plain data that crosses process borders."""
    report = yield
    if is_probe(item) and (report.when == "call" or report.failed or (report.when == "setup" and report.skipped)):
        from alignsuite.pytest_plugin.record import put_on_report

        put_on_report(item, report, item.config.stash.get(SESSION, None))
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, Any] | None:
    """Status of MARGINAL, INCONCLUSIVE and INVALID: a letter, a word and a count of its own."""
    data = getattr(report, "alignsuite", None)
    if data is None or data["verdict"] not in WORDS or data["outcome"] in ("xfailed", "error"):
        return None
    if data["verdict"] == "MARGINAL" and data["blocks"]:
        return None  # something beside the claim went wrong: an ordinary failure
    letter, markup = WORDS[data["verdict"]]
    if data["blocks"]:
        markup = {"red": True}
    return data["verdict"].lower(), letter, (data["verdict"], markup)
