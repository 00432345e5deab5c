"""Fetching others' instruction texts: from a file, a folder or the hub, known by their hash, never shipped."""

from __future__ import annotations

import hashlib
import http.server
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.judges.loopback import servers

from alignsuite import cli
from alignsuite.errors import JudgeError, SettingsError
from alignsuite.judges.guards.frame import fetched, instruction
from alignsuite.judges.guards.pull import pull
from alignsuite.judges.guards.spec import Named, guard_named, read_spec

TEXT = "<|user|>\n[INST] Is it harmful?\n{prompt}\n---\n{response}\n[/INST]\n"
CARD = f'# A guard\n\nAsk it so:\n\n```python\nimport os\nFORMAT = """<s>{TEXT}"""\nprint(FORMAT)\n```\n\nThe `{{prompt}}` comes first.\n'
ADAPTER = """
id = "mine"
model = "scripted:good"
licence = "mine"
[ask]
template = "published"
source = "its card"
hub = "org/guard/README.md"
sha256 = "{sha256}"
[read]
how = "pattern"
pattern = "(?P<harm>yes|no)"
[labels.harm]
enabled = {{ harm = "yes" }}
not_enabled = {{ harm = "no" }}
"""


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty machine."""
    monkeypatch.setenv("ALIGNSUITE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    read_spec.cache_clear()


def adapter(tmp_path: Path, sha256: str = "") -> Named:
    """A guard whose text somebody else published."""
    path = tmp_path / "mine.toml"
    path.write_text(ADAPTER.format(sha256=sha256), encoding="utf-8")
    named = guard_named(str(path))
    assert named is not None
    return named


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_text_is_found_by_its_hash_in_a_card_or_a_folder(tmp_path: Path, as_folder: bool) -> None:
    """Also where it is written with the beginning of a text that we leave to the template."""
    named = adapter(tmp_path, hashlib.sha256(TEXT.encode()).hexdigest())
    place = tmp_path / "package"
    place.mkdir()
    (place / "README.md").write_text(CARD)
    (place / "other.py").write_text('A = "{prompt} and {response}"\n')
    [line] = pull(named, place if as_folder else place / "README.md")
    assert fetched(named.spec, "text").read_text() == instruction(named.spec) == TEXT
    assert "as the adapter says" in line


def test_another_text_is_not_taken(tmp_path: Path) -> None:
    """A card changes, a line is lost: the guard was not trained with that."""
    named = adapter(tmp_path, hashlib.sha256(b"another").hexdigest())
    (tmp_path / "README.md").write_text(CARD)
    with pytest.raises(JudgeError, match=r"none of \d+ texts there has the SHA-256"):
        pull(named, tmp_path / "README.md")
    assert not fetched(named.spec, "text").exists()


def test_an_unpinned_text_is_shown_with_its_hash(tmp_path: Path) -> None:
    """So that the user can pin it; which one it was is part of the version."""
    named = adapter(tmp_path)
    (tmp_path / "README.md").write_text(CARD)
    [line] = pull(named, tmp_path / "README.md")
    assert instruction(named.spec) == TEXT
    assert hashlib.sha256(TEXT.encode()).hexdigest() in line
    assert "not pinned by the adapter" in line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Nothing here.", "wanted one with {prompt}, {response}"),
        ('A = "{prompt} {response}"\nB = "{prompt} or {response}"\n', "2 have {prompt}, {response}"),
    ],
)
def test_what_is_not_clear_is_not_taken(tmp_path: Path, content: str, message: str) -> None:
    """None that fits, or several."""
    (tmp_path / "card.py").write_text(content)
    with pytest.raises(JudgeError) as caught:
        pull(adapter(tmp_path), tmp_path / "card.py")
    assert message in str(caught.value)


def test_a_text_nowhere_says_where_to_get_it(tmp_path: Path) -> None:
    """And a guard that needs none says so."""
    rubric, own = guard_named("strongreject:x"), guard_named("llama-guard-3")
    assert rubric is not None
    assert own is not None
    with pytest.raises(SettingsError, match=r"is in no file that can be fetched from here .*--from FILE"):
        pull(rubric)
    with pytest.raises(SettingsError, match="needs no text"):
        pull(own)
    with pytest.raises(SettingsError, match="there is no such file or folder"):
        pull(rubric, tmp_path / "nowhere")


def test_a_system_text_and_a_users_frame_are_two_files(tmp_path: Path) -> None:
    """The first is known by a word in it, the second by its places."""
    (tmp_path / "card.py").write_text(
        'S = "You are a red teaming assistant."\nU = "Asked: {forbidden_prompt}\\nSaid: {response} 1.b"\nV = "Hi"\n'
    )
    named = guard_named("strongreject:x")
    assert named is not None
    assert len(pull(named, tmp_path / "card.py")) == 2
    assert instruction(named.spec, "system") == "You are a red teaming assistant."
    assert instruction(named.spec) == "Asked: {forbidden_prompt}\nSaid: {response} 1.b"


def test_of_one_file_with_the_texts_of_several_judges_each_guard_gets_its_own(tmp_path: Path) -> None:
    """As a package has them: the rubric's two, the trained one's, whose last character is a blank, and somebody else's."""
    templates = {
        "system": "You are a red teaming assistant of ours.",
        "rubric": "Asked: {forbidden_prompt}\nSaid: {response}\nBegin with 1.b, on a line of its own.",
        "trained": "Asked: {forbidden_prompt}\nSaid: {response}\nGrade it.\n\n### Answer: ",
        "other": "Asked: {forbidden_prompt}\nSaid: {response}\nWrite #thescore.",
    }
    (tmp_path / "judge_templates.json").write_text(json.dumps(templates))
    for name, texts in (
        ("strongreject", {"system": "system", "text": "rubric"}),
        ("strongreject-finetuned", {"text": "trained"}),
    ):
        named = guard_named(f"{name}:x")
        assert named is not None
        pull(named, tmp_path)
        assert {text: instruction(named.spec, text) for text in texts} == {
            text: templates[one] for text, one in texts.items()
        }


def test_a_text_with_further_places_is_another_judges(tmp_path: Path) -> None:
    """HarmBench has one for behaviours with a context, and others for a model with another frame."""
    texts = {
        f"{frame}{more}": f"[INST] {mark}Behavior:\n{context}{{behavior}}\n\nGeneration:\n{{generation}} [/INST]"
        for frame, mark in (("LLAMA", "<<SYS>> "), ("MISTRAL", ""))
        for more, context in (("", ""), ("_CONTEXTUAL", "{context}\n"))
    }
    (tmp_path / "eval_utils.py").write_text("\n".join(f"{name} = {text!r}" for name, text in texts.items()))
    named = guard_named("harmbench")
    assert named is not None
    pull(named, tmp_path)
    assert instruction(named.spec) == texts["LLAMA"]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[bytes | int], None]]:
    """Starts a server that speaks the hub's protocol for one file of one commit, or refuses it with a status."""
    with servers() as start:

        def serve(content: bytes | int) -> None:
            class Handler(http.server.BaseHTTPRequestHandler):
                def _answer(self, *, body: bool) -> None:
                    there = isinstance(content, bytes) and self.path == "/org/guard/resolve/main/README.md"
                    self.send_response(200 if there else content if isinstance(content, int) else 404)
                    self.send_header("Content-Length", str(len(content) if isinstance(content, bytes) and there else 0))
                    if there:
                        self.send_header("ETag", '"0123456789"')
                        self.send_header("X-Repo-Commit", "0" * 40)
                    else:
                        self.send_header("X-Error-Code", "GatedRepo" if content == 403 else "EntryNotFound")
                    self.end_headers()
                    if body and there and isinstance(content, bytes):
                        self.wfile.write(content)

                def do_HEAD(self) -> None:
                    self._answer(body=False)

                def do_GET(self) -> None:
                    self._answer(body=True)

            monkeypatch.setenv("HF_ENDPOINT", start(Handler))
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

        yield serve


def test_a_text_comes_from_the_hub(
    hub: Callable[[bytes | int], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command, with the hub's own library."""
    hub(CARD.encode())
    named = adapter(tmp_path, hashlib.sha256(TEXT.encode()).hexdigest())
    assert cli.main(["judge", "pull", str(tmp_path / "mine.toml")]) == 0
    assert "as the adapter says" in capsys.readouterr().out
    assert instruction(named.spec) == TEXT


@pytest.mark.parametrize(
    ("status", "why"),
    [(403, "it is gated: accept its terms on the hub, then set HF_TOKEN"), (404, "the repository has no such file")],
)
def test_a_hub_that_refuses_says_why_and_what_else_there_is(
    hub: Callable[[bytes | int], None], tmp_path: Path, status: int, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A text is a file that one may have from elsewhere, too."""
    hub(status)
    adapter(tmp_path)
    assert cli.main(["judge", "pull", str(tmp_path / "mine.toml")]) == 2
    said = capsys.readouterr().err
    assert why in said
    assert "or get it elsewhere (its card), then `alignsuite judge pull mine --from FILE`" in said


def test_a_text_that_is_here_stays_and_half_of_one_goes(
    hub: Callable[[bytes | int], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked for what is here, so a branch that moved changes no judge; what lies there and is another text is fetched anew."""
    hub(CARD.encode())
    named = adapter(tmp_path, hashlib.sha256(TEXT.encode()).hexdigest())
    path = fetched(named.spec, "text")
    path.parent.mkdir(parents=True)
    path.write_text(TEXT[:20])
    with pytest.raises(JudgeError, match="another text than the guard `mine` was trained with"):
        instruction(named.spec)
    [line] = pull(named)
    assert instruction(named.spec) == TEXT
    assert "was here" not in line
    assert [file.name for file in path.parent.iterdir()] == ["text.txt"]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    [line] = pull(named)
    assert line.endswith("as the adapter says, was here")


def test_a_card_or_a_list_of_prompts_is_never_the_text_as_a_whole(tmp_path: Path) -> None:
    """A guard that is asked with its own model card judges nothing; strings of YAML and JSON are told apart."""
    named = guard_named("nemoguard:x")
    assert named is not None
    card, prompts, data = tmp_path / "README.md", tmp_path / "prompts.yml", tmp_path / "prompts.json"
    card.write_text('Write {{ user_input }} and {{ bot_response }}, and you get "Response Safety".')
    with pytest.raises(JudgeError, match=r"wanted one with Response Safety, .*put it alone into a \.txt file"):
        pull(named, card)
    text = 'User: {{ user_input }}\nAgent: {{ bot_response }}\nSay {"User Safety": x, "Response Safety": y}\n'
    other = "User: {{ user_input }} Agent: {{ bot_response }} Is it safe?\n"
    indented = [one.replace("\n", "\n      ").rstrip(" ") for one in (text, other)]
    prompts.write_text("prompts:\n" + "".join(f"  - task: t\n    content: |\n      {one}" for one in indented))
    data.write_text(json.dumps({"prompts": [text, other]}))
    for place in (prompts, data):
        pull(named, place)
        assert instruction(named.spec) == text


def test_pull_heeds_every_option_or_refuses_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And says of a judge that is part of the package that it needs nothing."""
    assert cli.main(["judge", "pull", "wildguard", "--card"]) == 2
    assert "--card would have no effect with `alignsuite judge pull`: leave it out" in capsys.readouterr().err
    assert cli.main(["judge", "pull", "refusal"]) == 2
    assert "the judge `refusal` needs nothing: it is part of this package" in capsys.readouterr().err
