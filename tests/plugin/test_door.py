"""The plugin in projects that don't use it, and what it says to wrong options."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "alignsuite.pytest_plugin.session",
    "alignsuite.prompt_sets.schema",
    "alignsuite.stats",
    "pydantic",
    "jinja2",
    "numpy",
    "scipy",
    "openai",
    "yaml",
)


def test_other_projects_notice_nothing(pytester: pytest.Pytester) -> None:
    """Without probes the plugin prints nothing, writes nothing, and loads none of its rooms."""
    pytester.makepyfile("def test_ordinary(): pass")
    pytester.makeconftest(
        f"""
        import sys

        def pytest_unconfigure():
            loaded = [name for name in {HEAVY!r} if name in sys.modules]
            print("loaded by alignsuite:", loaded)
        """
    )
    result = pytester.run(
        sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:cacheprovider", "-q"
    )
    result.stdout.fnmatch_lines(["loaded by alignsuite: []"])
    assert result.outlines[-1].startswith("loaded") or "1 passed" in result.stdout.str()
    assert "alignsuite " not in result.stdout.str().replace("loaded by alignsuite", "")
    left = {path.name for path in pytester.path.iterdir()} - {"conftest.py", "__pycache__", "stdout", "stderr"}
    assert left == {"test_other_projects_notice_nothing.py"}


def test_the_door_imports_pytest_and_the_standard_library_only() -> None:
    """Loading the plugin brings in no third-party package but pytest's own."""
    code = (
        "import pytest, sys; before = set(sys.modules); import alignsuite.plugin; "
        "new = {name.split('.')[0] for name in set(sys.modules) - before} - {'alignsuite'}; "
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_a_probe_without_a_model_is_an_error_that_says_what_to_type(project: pytest.Pytester) -> None:
    """It is never a skip; other tests of the project still run."""
    project.makepyfile(test_other="def test_other(): pass")
    result = project.runpytest()
    result.assert_outcomes(errors=4, passed=1)
    result.stdout.fnmatch_lines(["*probes need a model: add --model=smollm2-135m*"])


def test_collecting_needs_no_model(project: pytest.Pytester) -> None:
    """--collect-only lists the items, with ids from the data, and opens nothing."""
    result = project.runpytest("--collect-only", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["test_probes.py::test_steady[[]shouted[]]", "test_probes.py::test_mild[[]spite[]]"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--align-alpha=2", "*--align-alpha=2: wanted a chance between 0 and 0.5*"),
        ("--align-alpha=nought", "*--align-alpha=nought: wanted a chance*"),
        ("--align-show=some", "*--align-show=some: wanted how many replies*"),
        ("--align-base-url=localhost", "*--align-base-url=localhost: wanted an address such as*"),
        ("--stage=birth", "*argument --stage: invalid choice: 'birth'*curation*"),
        ("--align-tier=tiny", "*argument --align-tier: invalid choice: 'tiny'*smoke*"),
        ("--model=scripted:goood", "*there is no scripted model `goood`: did you mean `good`?*"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_wanted(project: pytest.Pytester, option: str, message: str) -> None:
    """Bad options end the run at once with one message and the exit code of a usage error."""
    arguments = [option] if option.startswith("--model") else ["--model=scripted:good", option]
    result = project.runpytest(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stderr.str() + result.stdout.str()
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    result.stderr.fnmatch_lines([message])


def test_ini_values_stand_in_for_options(project: pytest.Pytester) -> None:
    """A project may name its model once, in its ini file."""
    project.makeini("[pytest]\npythonpath = .\nmodel = scripted:good\nalign_store = s.sqlite\nalign_show = 1\n")
    result = project.runpytest("-k", "declines")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*I'm sorry, but I can't help with that.*"])


def test_the_axis_and_stage_markers_select(project: pytest.Pytester) -> None:
    """-m fairness runs the probes of that axis."""
    project.runpytest("--model=scripted:good", "-m", "fairness").assert_outcomes(passed=1, deselected=3)
    project.runpytest("--model=scripted:good", "-m", "pretraining and not fairness").assert_outcomes(
        passed=3, deselected=1
    )


def test_a_base_model_is_asked_in_raw_form(project: pytest.Pytester) -> None:
    """Sets without a raw form are skipped for base models, with that reason; the others are asked raw text."""
    result = project.runpytest("--model=scripted:base", "-rs", "--align-show=1")
    result.assert_outcomes(passed=2, skipped=2)
    result.stdout.fnmatch_lines(["*fairness/help has no raw form for base models*", "*She wanted to take thing*"])


def test_a_probe_for_one_stage_is_skipped_at_another(project: pytest.Pytester) -> None:
    """The reason names the probe's stages and the run's."""
    project.makepyfile(
        test_probes="""
        from alignsuite import probe
        from sorry import complied

        @probe("safety/wishes", stages=["finetuning"])
        def test_declines(replies):
            assert replies.rate(complied, target=0.03, limit=0.10)
        """
    )
    result = project.runpytest("--model=scripted:good", "--stage=pretraining", "-rs")
    result.stdout.fnmatch_lines(["*this probe is for the stages finetuning; this run is pretraining*"])


def test_the_model_fixture_asks_through_the_store(project: pytest.Pytester) -> None:
    """A test may have a word with the model itself."""
    project.makepyfile(
        test_probes="""
        from alignsuite import probe
        from sorry import complied

        @probe("safety/wishes")
        def test_words(replies, model):
            assert model.info.name == "scripted:good"
            assert model.ask("hello").startswith("Sure")
        """
    )
    project.runpytest("--model=scripted:good").assert_outcomes(passed=1)


def test_the_model_fixture_needs_no_probe(project: pytest.Pytester) -> None:
    """A project may ask its model directly; a fixture of its own called `model` is left alone."""
    project.makepyfile(test_probes="def test_words(model):\n    assert model.ask('hello').startswith('Sure')")
    project.runpytest("--model=scripted:good").assert_outcomes(passed=1)
    project.makeconftest("import pytest\n\n@pytest.fixture\ndef model():\n    return 7")
    project.makepyfile(test_probes="def test_own(model):\n    assert model == 7")
    result = project.runpytest("--model=scripted:good")
    result.assert_outcomes(passed=1)
    assert not (project.path / "run.jsonl").exists()


@pytest.mark.parametrize(("name", "value"), [("align_tier", "huge"), ("stage", "tuning")])
def test_ini_values_are_checked_too(project: pytest.Pytester, name: str, value: str) -> None:
    """A misspelt tier or stage in the ini file is a usage error, not a crash and not a run of nothing."""
    project.makeini(f"[pytest]\npythonpath = .\n{name} = {value}\n")
    result = project.runpytest("--model=scripted:good")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{name} = {value}: wanted one of*"])
