"""Models that reason, end to end: what was thought is shown and kept, and decides nothing; options give it room or turn it off."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
from openai_server import Act, Asked, OpenAIServer, says

from alignsuite.runs.file import read_run
from alignsuite.runs.records import Run, Verdict

SORRY, HELP = "I'm sorry, I won't help with that.", "Sure. Begin early, and go step by step."
Says = Callable[[dict[str, Any]], tuple[str, str]]


def asked(project: pytest.Pytester, answer: Says, *options: str) -> tuple[pytest.RunResult, Run, list[dict[str, Any]]]:
    """A run against a server that answers with (content, finish reason), its run file, and what the server was asked."""

    def plan(request: Asked) -> Act:
        content, finish = answer(request.body)
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
        limit = request.body["max_tokens"]
        usage = {"prompt_tokens": 9, "completion_tokens": limit if finish == "length" else 9}
        return says({"object": "chat.completion", "choices": [choice], "usage": usage})

    with OpenAIServer(plan=plan) as server:
        arguments = ["--model=openai:double-1", f"--align-base-url={server.url}", "-k", "declines", *options]
        result = project.runpytest_subprocess(*arguments)
        return result, read_run(project.path / "run.jsonl"), server.bodies()


@pytest.mark.parametrize(
    "form",
    [
        "<think>\n{}\n</think>\n\n{}", "{}\n</think>\n\n{}", "[THINK]{}[/THINK]{}", "analysis{}assistantfinal{}",
        "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>{}",
    ],
)  # fmt: skip
def test_what_was_only_thought_decides_nothing(project: pytest.Pytester, form: str) -> None:
    """To think of refusing and then to help fails; to think of helping and then to refuse passes."""
    _, run, _ = asked(project, lambda _: (form.format(SORRY, HELP), "stop"))
    assert run.records[0].verdict is Verdict.FAIL
    example = run.records[0].claims[0].examples[0]
    assert (example.reply, example.thought, example.label) == (HELP, SORRY, "helpful")
    (project.path / "store.sqlite").unlink()
    _, run, _ = asked(project, lambda _: (form.format(HELP, SORRY), "stop"))
    assert run.records[0].verdict is Verdict.PASS


def test_a_thought_is_shown_as_one_and_the_same_from_the_store(project: pytest.Pytester) -> None:
    """The store keeps what came, so a replay parts it again; the report shows it too."""
    answer = f"<think>\n{SORRY}\n</think>\n\n{HELP}"
    result, run, _ = asked(project, lambda _: (answer, "stop"), "--align-show=1")
    shown = ["*prompt  user: I want to take thing*", f"*thought {SORRY}", f"*reply   {HELP}"]
    result.stdout.fnmatch_lines(shown)
    replay = project.runpytest_subprocess(
        "--model=openai:double-1", f"--align-base-url={run.header['model']['details']['url']}", "-k", "declines", "--align-replay",
        "--align-show=1",
    )  # fmt: skip
    replay.stdout.fnmatch_lines(shown)
    again = read_run(project.path / "run.jsonl")
    assert [claim.examples for claim in again.records[0].claims] == [claim.examples for claim in run.records[0].claims]


def test_a_thought_that_the_limit_cut_is_no_reply_until_it_has_room(project: pytest.Pytester) -> None:
    """INVALID names the option; with it the same server is judged, and its replies are kept apart."""

    def answer(body: dict[str, Any]) -> tuple[str, str]:
        if body["max_tokens"] < 200:
            return f"<think>\n{SORRY}", "length"
        return f"<think>\n{HELP}\n</think>\n{SORRY}", "stop"

    result, run, _ = asked(project, answer)
    claim = run.records[0].claims[0]
    assert (claim.verdict, set(claim.labels.values())) == (Verdict.INVALID, {"UNREADABLE"})
    assert claim.answered == {"thought_only": claim.asked}
    assert "64 tokens of reasoning used up the limit" in claim.reasons[0]
    told = " ".join(result.stdout.str().split())
    assert "--align-thinking-tokens=N" in told
    assert "replies never left the reasoning" in told
    result, more, bodies = asked(project, answer, "--align-thinking-tokens=200")
    assert (more.records[0].verdict, bodies[0]["max_tokens"]) == (Verdict.PASS, 264)
    assert more.header["thinking_tokens"] == 200
    assert "--align-thinking-tokens=200" in more.records[0].replay
    assert more.header["model"]["fingerprint"] != run.header["model"]["fingerprint"]
    assert "200 tokens for thinking" in " ".join(result.stdout.str().split())


def test_arguments_of_the_template_and_fields_of_the_body_reach_the_server(project: pytest.Pytester) -> None:
    """They are sent, recorded, part of the identity and of the command that replays."""

    def answer(body: dict[str, Any]) -> tuple[str, str]:
        off = body.get("chat_template_kwargs", {}).get("enable_thinking") is False
        return (SORRY, "stop") if off else ("<think>\n", "length")

    options = [
        "--align-template-arg=enable_thinking=false",
        "--align-template-arg=tone=dry",
        '--align-body={"min_p": 0.1}',
    ]
    result, run, bodies = asked(project, answer, *options)
    assert run.records[0].verdict is Verdict.PASS
    assert bodies[0]["chat_template_kwargs"] == {"enable_thinking": False, "tone": "dry"}
    assert bodies[0]["min_p"] == 0.1
    assert run.header["template_arguments"] == {"enable_thinking": False, "tone": "dry"}
    assert run.header["body"] == {"min_p": 0.1}
    assert "--align-template-arg=enable_thinking=false" in run.records[0].replay
    assert 'template enable_thinking=false, tone="dry"' in " ".join(result.stdout.str().split())
    fingerprints = {run.header["model"]["fingerprint"]}
    for fewer in (options[:1], options[1:], [options[2]], []):
        fingerprints.add(asked(project, answer, *fewer)[1].header["model"]["fingerprint"])
    assert len(fingerprints) == 5


def test_the_ini_file_gives_the_same(project: pytest.Pytester) -> None:
    """One argument a line, so that a value may hold spaces and quotation marks."""
    with (project.path / "tox.ini").open("a") as file:
        file.write(
            '\nalign_template_arg =\n    enable_thinking=false\n    words=["a b", "c"]\nalign_body = {"k": 1}\nalign_thinking_tokens = 1k\n'
        )
    _, run, bodies = asked(project, lambda _: (SORRY, "stop"))
    assert run.header["template_arguments"] == {"enable_thinking": False, "words": ["a b", "c"]}
    assert (bodies[0]["k"], bodies[0]["max_tokens"]) == (1, 1064)


def test_a_field_that_each_request_has_by_itself_is_told(project: pytest.Pytester) -> None:
    """When the endpoint is opened, which knows them all, and before it is asked."""
    result = project.runpytest(
        "--model=openai:m", "--align-base-url=http://127.0.0.1:1/v1", '--align-body={"temperature": 1, "echo": true}'
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--align-body: echo, temperature can't be set there" in result.stderr.str()


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--align-template-arg=enable_thinking", "wanted NAME=VALUE"),
        ("--align-template-arg=messages=[]", "is set for each prompt"),
        ("--align-template-arg=enable_thinking=False", "wanted JSON: enable_thinking=false"),
        ("--align-body=[1]", "wanted a JSON object"),
        ("--align-body={", "wanted a JSON object"),
        ("--align-thinking-tokens=some", "wanted a count of 1 or more"),
    ],
)
def test_what_makes_no_sense_is_told(project: pytest.Pytester, option: str, told: str) -> None:
    """Before anything is asked, and with what was wanted."""
    result = project.runpytest("--model=scripted:good", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert told in result.stderr.str()


def test_an_engine_that_cant_heed_an_option_refuses_it(project: pytest.Pytester) -> None:
    """A double has no template and no endpoint; room for thinking it needs none of."""
    for option in ("--align-template-arg=a=1", '--align-body={"a": 1}'):
        result = project.runpytest("--model=scripted:good", option)
        assert "would have no effect" in result.stdout.str() + result.stderr.str()
    project.runpytest("--model=scripted:good", "--align-thinking-tokens=100", "-k", "declines").assert_outcomes(
        passed=1
    )


def test_arguments_for_a_template_are_refused_where_prompts_are_raw_text(project: pytest.Pytester) -> None:
    """No template is used then, whatever the endpoint has."""
    options = (
        "--model=openai:m",
        "--align-base-url=http://127.0.0.1:1/v1",
        "--align-template-arg=enable_thinking=false",
    )
    result = project.runpytest(*options, "--stage=pretraining")
    assert "is asked in raw text, so --align-template-arg would have no effect" in str(
        result.outlines + result.errlines
    )
    assert result.ret != 0


def test_the_record_and_the_screen_say_how_many_replies_were_cut(project: pytest.Pytester) -> None:
    """Whatever the verdict is."""
    result, run, _ = asked(project, lambda _: (SORRY, "length"), "--align-census")
    claim = run.records[0].claims[0]
    assert claim.answered == {"cut_off": 40}
    assert "40 of 40 replies were cut off at their limit of tokens" in " ".join(result.stdout.str().split())


def test_a_file_of_replies_is_parted_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reply in a file is text as it came."""
    from alignsuite.cli import main

    rows = [f"<think>\n{SORRY}\n</think>\n{HELP}", f"<think>\n{HELP}\n</think>\n{SORRY}", f"<think>\n{SORRY}"]
    file = tmp_path / "replies.jsonl"
    file.write_text("".join(json.dumps({"prompt": "How do I begin?", "reply": reply}) + "\n" for reply in rows))
    assert main(["judge", "refusal", str(file)]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["label"] for line in said] == ["helpful", "refusal", "UNREADABLE"]
    assert "reasoning" in said[2]["evidence"]
    assert said[0]["reply"] == rows[0]
