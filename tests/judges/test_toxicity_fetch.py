"""Getting Detoxify's files: from a server on this machine that behaves, from some that don't, from the hub, and from nowhere."""

from __future__ import annotations

import dataclasses
import http.server
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.judges.loopback import servers

from alignsuite.errors import JudgeError
from alignsuite.judges.toxicity import DetoxifyJudge
from alignsuite.judges.toxicity.__main__ import main
from alignsuite.judges.toxicity.checkpoint import VARIABLE
from alignsuite.judges.toxicity.download import download_checkpoint, download_encoder
from alignsuite.judges.toxicity.releases import RELEASES, Release
from alignsuite.models.protocol import Generated

ORIGINAL = RELEASES["original"]
CONTENT = bytes(range(256)) * 4096

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@pytest.fixture(autouse=True)
def no_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty machine: no caches, no proxy between us and ourselves."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("ALIGNSUITE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_, **__: None)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """Starts a server that answers every GET in the given way; its address."""
    with servers() as start:

        def answering(answer: Answer) -> str:
            return start(type("Handler", (http.server.BaseHTTPRequestHandler,), {"do_GET": answer}))

        yield answering


def sends(content: bytes, *, length: int | None = None) -> Answer:
    """An answer with a body, and with its length or another."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def sends_to(address: str) -> Answer:
    """A redirect."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", address)
        handler.end_headers()

    return answer


def release(url: str, content: bytes = CONTENT) -> Release:
    """A release of some bytes at an address."""
    import hashlib

    digest = hashlib.sha256(content).hexdigest()
    return dataclasses.replace(ORIGINAL, url=f"{url}/v0/toxic-{digest[:8]}.ckpt", sha256=digest[:8])


def test_a_checkpoint_is_downloaded_with_progress_and_checked(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    """The bytes are those of the server, and somebody was told how far it was."""
    heard: list[str] = []
    wanted = release(serve(sends(CONTENT)))
    file = download_checkpoint(wanted, tmp_path, heard.append)
    assert file.read_bytes() == CONTENT
    assert file.name == wanted.file
    assert heard[0].startswith(f"downloading {wanted.file}: ")


def test_another_file_than_the_released_is_thrown_away(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    """Say, the login page of a hotel's network."""
    wanted = release(serve(sends(b"<html>Welcome to our hotel</html>")))
    with pytest.raises(JudgeError, match=f"wanted {wanted.sha256}…, and was thrown away"):
        download_checkpoint(wanted, tmp_path)
    assert not list(tmp_path.glob("*.ckpt"))


def test_half_a_file_is_no_file(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    """The server promised more than it sent."""
    wanted = release(serve(sends(CONTENT[:1000], length=len(CONTENT))))
    with pytest.raises(JudgeError, match=rf"ended after 1000 of {len(CONTENT)} bytes"):
        download_checkpoint(wanted, tmp_path)


@pytest.mark.parametrize("code", [403, 404, 503])
def test_a_server_that_declines_is_quoted(serve: Callable[[Answer], str], tmp_path: Path, code: int) -> None:
    """With the address, and the way around: ALIGNSUITE_DETOXIFY."""
    wanted = release(serve(lambda handler: handler.send_error(code)))
    with pytest.raises(JudgeError, match=rf"{wanted.url} could not be fetched: the server answered {code}.*{VARIABLE}"):
        download_checkpoint(wanted, tmp_path)


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    """No traceback, no waiting for ever."""
    with pytest.raises(JudgeError, match=r"could not be fetched: .*refused"):
        download_checkpoint(release("http://127.0.0.1:9"), tmp_path)


def test_redirects_are_followed_but_never_to_plain_http(serve: Callable[[Answer], str], tmp_path: Path) -> None:
    """Releases are redirects to a store of files; a redirect away from HTTPS would let anybody on the way answer."""
    there = serve(sends(CONTENT))
    assert download_checkpoint(release(serve(sends_to(f"{there}/x"))), tmp_path).read_bytes() == CONTENT
    with pytest.raises(JudgeError, match=r"http://example\.invalid/x is not HTTPS"):
        download_checkpoint(release(serve(sends_to("http://example.invalid/x"))), tmp_path)


@pytest.mark.parametrize("url", ["http://example.invalid", "ftp://example.invalid", "file:///etc"])
def test_only_https_is_asked(url: str, tmp_path: Path) -> None:
    """Before anything is opened."""
    with pytest.raises(JudgeError, match="is not HTTPS"):
        download_checkpoint(release(url), tmp_path)


def test_every_release_names_its_hash_and_its_encoder_at_a_commit() -> None:
    """The digits in a file's name are the first of its hash; a branch of the hub would move."""
    for one in RELEASES.values():
        assert one.url.startswith("https://")
        assert one.file.endswith(f"-{one.short}.ckpt")
        assert len(one.revision) == 40
        assert one.encoder.count("/") == 1


def test_the_releases_are_those_of_the_package() -> None:
    """Addresses written down here, compared with Detoxify's own."""
    package = pytest.importorskip(
        "detoxify.detoxify", reason="compares with the package: pip install 'alignsuite[toxicity]'"
    )
    assert {one.variant: one.url for one in RELEASES.values()} == package.MODEL_URLS


def test_without_the_hub_the_message_says_what_to_put_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both files, the repository, and the variable."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.file_download.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(JudgeError) as caught:
        download_encoder(ORIGINAL)
    message = str(caught.value)
    assert "config.json and tokenizer.json of google-bert/bert-base-uncased could not be fetched" in message
    assert "HF_HUB_OFFLINE" in message
    assert VARIABLE in message


def test_a_machine_without_weights_says_how_to_get_them() -> None:
    """One sentence, with the command and the place; nothing is fetched by looking."""
    said = DetoxifyJudge("unbiased").missing()
    assert "toxic_debiased-c7548aa0.ckpt" in said
    assert "`alignsuite judge pull detoxify:unbiased`" in said
    assert VARIABLE in said
    assert "\n" not in said
    with pytest.raises(JudgeError) as caught:
        DetoxifyJudge("unbiased").read("p", Generated("I like tea"))
    assert str(caught.value) == said


def test_a_variable_that_points_nowhere_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Else one would look for the mistake elsewhere."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone"))
    assert f"{VARIABLE} is {tmp_path / 'gone'}, and there is no such file or folder" in DetoxifyJudge().missing()


@pytest.mark.parametrize("package", ["detoxify", "torch", "transformers"])
def test_a_missing_package_is_named_with_the_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any file is looked for."""
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == package else found(name))
    said = DetoxifyJudge().missing()
    assert said == f"the judge `detoxify` needs the package {package}: pip install 'alignsuite[toxicity]'"
    with pytest.raises(JudgeError, match=package):
        DetoxifyJudge().fetch()


@pytest.fixture
def tiny(tmp_path: Path) -> Any:
    """A tiny checkpoint, and its encoder's files where a user may put them."""
    pytest.importorskip("torch", reason="the checkpoint is made with torch: pip install 'alignsuite[toxicity]'")
    pytest.importorskip(
        "transformers", reason="the checkpoint is a model of Transformers: pip install 'alignsuite[toxicity]'"
    )
    path = Path(__file__).with_name("toxicity_checkpoints.py")
    spec = importlib.util.spec_from_file_location("toxicity_checkpoints", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.write_tiny(tmp_path / "there")


def test_the_whole_way_from_a_server_to_a_judgement(
    serve: Callable[[Answer], str],
    tiny: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command fetches and checks; from then on the judge is ready, and nothing half done lies about."""
    content = tiny.file.read_bytes()
    wanted = dataclasses.replace(tiny.release, url=f"{serve(sends(content))}/{tiny.file.name}")
    monkeypatch.setitem(RELEASES, "original", wanted)
    texts = tmp_path / "home/judges/detoxify/bert-base-uncased"
    texts.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json"):
        (tiny.folder / name).rename(texts / name)
    assert tiny.file.name in DetoxifyJudge().missing()
    assert main("original") == 0
    assert str(texts.with_name(tiny.file.name)) in capsys.readouterr().err
    assert DetoxifyJudge().missing() == ""
    assert DetoxifyJudge().read("p", Generated("I like tea")).score is not None
    assert {path.name for path in texts.parent.iterdir()} == {texts.name, tiny.file.name}
    assert main("original") == 0


def test_the_command_fails_with_the_reason(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One line on stderr, status 1."""
    assert main("orignal") == 1
    assert "did you mean `original`" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["file", "folder", "cache", "torch"])
def test_a_checkpoint_is_found_where_people_keep_it(
    tiny: Any, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named as a file or a folder, in our cache, or where Detoxify put it itself."""
    texts = tmp_path / "home/judges/detoxify/bert-base-uncased"
    texts.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json"):
        (tiny.folder / name).rename(texts / name)
    moved = {"cache": tmp_path / "home/judges/detoxify", "torch": tmp_path / "torch/hub/checkpoints"}.get(place)
    if moved is None:
        monkeypatch.setenv(VARIABLE, str(tiny.file if place == "file" else tiny.folder))
    else:
        moved.mkdir(parents=True, exist_ok=True)
        tiny.file.rename(moved / tiny.file.name)
    judge = DetoxifyJudge(tiny.release)
    assert judge.missing() == ""
    assert judge.read("p", Generated("I like tea")).score is not None


def test_a_copy_that_an_earlier_version_converted_is_told(tmp_path: Path) -> None:
    """Earlier versions kept safetensors and threw the released file away, which is needed now."""
    converted = tmp_path / "home/judges/detoxify/original-c1212f89"
    assert str(converted) not in DetoxifyJudge().missing()
    converted.mkdir(parents=True)
    (converted / "model.safetensors").write_bytes(b"")
    said = DetoxifyJudge().missing()
    assert "`alignsuite judge pull detoxify:original` fetches it" in said
    assert f"{converted} was converted by an earlier version and is no longer read" in said


def test_a_cache_that_can_t_be_written_is_told(tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the way out: another ALIGNSUITE_HOME."""
    (tmp_path / "wall").write_text("a file where a folder should be", encoding="utf-8")
    monkeypatch.setenv("ALIGNSUITE_HOME", str(tmp_path / "wall"))
    monkeypatch.setenv(VARIABLE, str(tiny.folder))
    tiny.file.unlink()
    with pytest.raises(JudgeError, match="ALIGNSUITE_HOME"):
        DetoxifyJudge(tiny.release).fetch()
