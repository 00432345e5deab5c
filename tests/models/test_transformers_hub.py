"""A checkpoint from the hub: pinned to a commit, without code and pickles unless asked, and told when it can't be had."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from huggingface_hub import constants
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from alignsuite.errors import ModelError
from alignsuite.models.engines.transformers.hub import fetch_snapshot, split_repository
from alignsuite.models.protocol import Generate, Generated
from alignsuite.models.registry import ModelSettings, open_model

from .transformers_folders import change_json

COMMITS = {"main": "a" * 40, "v1": "b" * 40}


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a snapshot takes: what a repository holds, and its files."""

    files: ClassVar[dict[str, bytes]] = {}
    lora: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        """Say what a file is."""
        self.answer(with_body=False)

    def do_GET(self) -> None:
        """Give a file, or the list of them."""
        self.answer(with_body=True)

    def answer(self, *, with_body: bool) -> None:
        """`org/tiny` is there, `org/gated` is gated, the rest is missing."""
        path = self.path.partition("?")[0]
        self.asked.append(path)
        if "org/gated" in path:
            return self.refuse(403, "GatedRepo")
        if "org/tiny" not in path and "org/lora" not in path:
            return self.refuse(404, "RepoNotFound")
        if path.startswith("/api/models/"):
            return self.list_files(path)
        _, _, _, revision, name = path[1:].split("/", 4)
        held = self.held(path)
        if name not in held:
            return self.refuse(404, "EntryNotFound")
        body = held[name]
        headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()}"', "X-Repo-Commit": COMMITS.get(revision, revision)}
        return self.send(200, body, headers, with_body=with_body)

    def list_files(self, path: str) -> None:
        """The commit that a revision stands for, or the tree of its files."""
        *_, kind, revision = path.split("/") if path.count("/") > 4 else ("revision", "main")
        commit = COMMITS.get(revision, revision)
        if commit not in COMMITS.values():
            return self.refuse(404, "RevisionNotFound")
        tree = [{"type": "file", "path": name, "size": len(body), "oid": "0"} for name, body in self.held(path).items()]
        about = {"id": "org/tiny", "sha": commit, "siblings": [{"rfilename": name} for name in self.held(path)]}
        body = json.dumps(tree if kind == "tree" else about).encode()
        return self.send(200, body, {"Content-Type": "application/json"}, with_body=True)

    def held(self, path: str) -> dict[str, bytes]:
        """The files of the repository that a path names."""
        return self.lora if "org/lora" in path else self.files

    def refuse(self, code: int, why: str) -> None:
        """An error as the hub words it."""
        self.send(code, b"", {"X-Error-Code": why}, with_body=False)

    def send(self, code: int, body: bytes, headers: dict[str, str], *, with_body: bool) -> None:
        """One answer."""
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the hub listens: a port of the loopback address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def hub(address: str, checkpoint: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Hub]:
    """A hub that holds a small decoder, named by HF_ENDPOINT, with a cache of its own."""
    Hub.files = {file.name: file.read_bytes() for file in checkpoint("llama").iterdir()}
    Hub.files |= {
        "pytorch_model.bin": b"pickle",
        "modeling_own.py": b"1 / 0",
        "tf_model.h5": b"other",
        "onnx/model.json": b"{}",
    }
    Hub.asked.clear()
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return Hub


def test_a_model_of_the_hub_is_pinned_to_its_commit(hub: type[Hub], tmp_path: Path) -> None:
    """`hf:ORG/NAME@REV` opens and answers; the commit is in its details, and another commit is another fingerprint."""
    settings = ModelSettings(cache=tmp_path / "cache", device="cpu", threads=1)
    model = open_model("hf:org/tiny@v1", settings=settings)
    assert model.info.details["commit"] == "b" * 40
    ((_, reply),) = model.answer([Generate("The baker", max_tokens=2)])
    assert isinstance(reply, Generated)
    assert open_model("hf:org/tiny", settings=settings).info.fingerprint != model.info.fingerprint


def test_an_adapter_comes_from_the_hub_too(hub: type[Hub], checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    """By its own name and commit; one that names another base than the model's name on the hub is refused."""
    base = AutoModelForCausalLM.from_pretrained(checkpoint("llama"))
    config = LoraConfig(r=2, target_modules=["q_proj"], base_model_name_or_path="org/tiny", init_lora_weights=False)
    get_peft_model(base, config).save_pretrained(tmp_path / "lora")
    change_json(tmp_path / "lora" / "adapter_config.json", base_model_name_or_path="org/tiny")
    hub.lora = {file.name: file.read_bytes() for file in (tmp_path / "lora").iterdir()}
    settings = ModelSettings(cache=tmp_path / "cache", device="cpu", threads=1, adapter="org/lora@v1")
    model = open_model("hf:org/tiny", settings=settings)
    assert model.info.details["adapter_identity"] == f"org/lora@{'b' * 40}"
    ((_, reply),) = model.answer([Generate("The baker", max_tokens=2)])
    assert isinstance(reply, Generated)
    change_json(tmp_path / "lora" / "adapter_config.json", base_model_name_or_path="org/other")
    hub.lora = {file.name: file.read_bytes() for file in (tmp_path / "lora").iterdir()}
    with pytest.raises(ModelError, match="made for another base model: `org/other`, --model is `org/tiny`"):
        open_model("hf:org/tiny", settings=replace(settings, adapter="org/lora@main"))


def test_code_pickles_and_other_formats_stay_on_the_hub(hub: type[Hub]) -> None:
    """Only what this engine reads is downloaded; with safetensors there, pickles are never fetched."""
    folder = fetch_snapshot("org/tiny", pickles=True).folder
    assert {file.name for file in folder.rglob("*") if file.is_file()} == {
        name for name in hub.files if name.endswith((".json", ".safetensors", ".jinja"))
    } - {"onnx/model.json"}
    assert (fetch_snapshot("org/tiny", code=True).folder / "modeling_own.py").is_file()


def test_pickles_come_where_there_is_nothing_else_and_they_were_asked_for(hub: type[Hub]) -> None:
    """Otherwise the folder has no weights, and opening says so."""
    del hub.files["model.safetensors"]
    assert not list(fetch_snapshot("org/tiny").folder.glob("*.bin"))
    assert list(fetch_snapshot("org/tiny", pickles=True).folder.glob("*.bin"))


def test_what_is_in_the_cache_opens_without_the_hub(hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline, the commit that was fetched last stands for the branch."""
    fetched = fetch_snapshot("org/tiny")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetch_snapshot("org/tiny") == fetched
    shutil.rmtree(fetched.folder.parents[1])
    with pytest.raises(ModelError, match=r"not in the cache and the hub can't be reached: .*HF_HUB_OFFLINE"):
        fetch_snapshot("org/tiny")


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("org/gated", "hf:org/gated: it is gated: accept its terms"),
        ("org/none", "hf:org/none: the hub has no such repository, or it is private"),
        ("org/tiny@v9", "hf:org/tiny@v9: it has no revision `v9`"),
        ("org/a--b", "the name is not valid"),
    ],
)
def test_what_the_hub_refuses_is_told(name: str, words: str) -> None:
    """Gated, missing, no such revision, no such name: four different pieces of advice."""
    with pytest.raises(ModelError, match=words):
        fetch_snapshot(name)


def test_an_answer_that_makes_no_sense_is_told(hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror that serves something else is no crash of ours."""
    monkeypatch.setattr(Hub, "list_files", lambda self, path: self.send(200, b'"hello"', {}, with_body=True))
    with pytest.raises(ModelError, match="hf:org/tiny: its answer makes no sense"):
        fetch_snapshot("org/tiny")


@pytest.mark.parametrize("address", ["", "name", "./out/step", "a/b/c", "../b", "a/b@"])
def test_an_address_is_an_organisation_and_a_name(address: str) -> None:
    """Anything else is told what was wanted; a folder is named by its path."""
    with pytest.raises(ModelError, match="wanted hf:ORG/NAME, or the path of a folder"):
        split_repository(address, wanted="hf:ORG/NAME")
