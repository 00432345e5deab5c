"""Fetching others' instruction texts: from a file, a folder or the hub, known by their hash, never shipped."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
    with pytest.raises(SettingsError, match=r"is on no hub .*--from FILE"):
        pull(rubric)
    with pytest.raises(SettingsError, match="needs no text"):
        pull(own)
    with pytest.raises(SettingsError, match="there is no such file or folder"):
        pull(rubric, tmp_path / "nowhere")


def test_a_system_text_and_a_users_frame_are_two_files(tmp_path: Path) -> None:
    """The first is known by a word in it, the second by its places."""
    (tmp_path / "card.py").write_text(
        'S = "You are a red teaming assistant."\nU = "Asked: {forbidden_prompt}\\nSaid: {response}"\nV = "Hi"\n'
    )
    named = guard_named("strongreject:x")
    assert named is not None
    assert len(pull(named, tmp_path / "card.py")) == 2
    assert instruction(named.spec, "system") == "You are a red teaming assistant."
    assert instruction(named.spec) == "Asked: {forbidden_prompt}\nSaid: {response}"


@pytest.fixture
def hub() -> Iterator[Callable[[bytes], str]]:
    """A server on this machine that speaks the hub's protocol for one file of one commit."""
    running: list[http.server.ThreadingHTTPServer] = []

    def start(content: bytes) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self, *, body: bool) -> None:
                there = self.path == "/org/guard/resolve/main/README.md"
                self.send_response(200 if there else 404)
                self.send_header("Content-Length", str(len(content) if there else 0))
                if there:
                    self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
                    self.send_header("X-Repo-Commit", "0" * 40)
                self.end_headers()
                if there and body:
                    self.wfile.write(content)

            def do_HEAD(self) -> None:
                self._answer(body=False)

            def do_GET(self) -> None:
                self._answer(body=True)

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        running.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def test_a_text_comes_from_the_hub(
    hub: Callable[[bytes], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command, with the hub's own library."""
    monkeypatch.setenv("HF_ENDPOINT", hub(CARD.encode()))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    named = adapter(tmp_path, hashlib.sha256(TEXT.encode()).hexdigest())
    assert cli.main(["judge", "pull", str(tmp_path / "mine.toml")]) == 0
    assert "as the adapter says" in capsys.readouterr().out
    assert instruction(named.spec) == TEXT
