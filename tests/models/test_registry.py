"""From a name to a model: the table is complete, every name opens what it says, and wrong names are helped."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import fields, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from alignsuite.errors import ModelError
from alignsuite.models import registry
from alignsuite.models.hub import fetch_gguf, split_address
from alignsuite.models.registry import ENGINES, EngineRow, ModelSettings, lookup, open_model, rows, setting_of

from .conftest import GgufWriter

STUDIES = {"li2024", "chatrath2023", "chehbouni2024"}


@pytest.fixture
def settings(tmp_path: Path) -> ModelSettings:
    """Settings with a cache of their own."""
    return ModelSettings(cache=tmp_path / "cache", api_key="sk-secret")


def test_every_system_of_the_studies_has_a_row() -> None:
    """The systems that `studies.md` lists, by alias."""
    wanted = {
        *(
            "gpt-3",
            "text-davinci-002",
            "text-davinci-003",
            "gpt-3.5",
            "gpt-4",
            "opt-6.7b",
            "llama-7b",
            "llama-2-7b",
            "llama-2-13b",
        ),
        *(
            "llama-2-70b",
            "llama-2-7b-chat",
            "llama-2-13b-chat",
            "llama-2-70b-chat",
            "flan-t5-xxl",
            "mistral-7b-instruct",
            "smollm2-135m",
        ),
    }
    assert wanted <= {row.alias for row in rows()}
    assert {study for row in rows() for study in row.studies} == STUDIES


def test_every_row_is_well_formed() -> None:
    """Known kinds, stages and schemes; a withdrawn row says what to use instead; base means pretraining."""
    for row in rows():
        assert row.target.partition(":")[0] in {"hf", "openai", "embedded", "gguf"}
        assert row.kind in {"base", "chat", "encoder-decoder"}
        assert row.stage == ("pretraining" if row.kind == "base" else "finetuning")
        assert row.system
        assert row.licence
        assert (row.withdrawn is None) == (not row.replaced_by)


def test_replacements_that_are_aliases_exist_and_are_not_withdrawn() -> None:
    """Nobody is sent to another dead end."""
    for row in rows():
        for name in row.replaced_by.split(" or "):
            if name and ":" not in name:
                replacement = lookup(name)
                assert replacement is not None
                assert replacement.withdrawn is None


def test_a_row_is_found_by_alias_and_by_target() -> None:
    """Case does not count; what is no row is None."""
    assert lookup("Llama-2-7B-Chat") is lookup("hf:meta-llama/Llama-2-7b-chat-hf") is not None
    assert lookup("nothing") is None


def test_a_withdrawn_model_says_when_and_what_instead(settings: ModelSettings) -> None:
    """A study's model that its provider switched off."""
    with pytest.raises(
        ModelError, match=r"gpt-4: .*withdrawn by its provider on 2026-10-23; use openai:gpt-5.6-sol instead"
    ):
        open_model("gpt-4", settings=settings)
    with pytest.raises(ModelError, match="2024-01-04"):
        open_model("openai:text-davinci-003", settings=settings)


def test_a_withdrawn_model_at_an_own_endpoint_is_opened(settings: ModelSettings) -> None:
    """A server of the user's may well serve something of that name."""
    model = open_model("gpt-4", settings=ModelSettings(settings.cache, base_url="http://127.0.0.1:9/v1"))
    assert model.info.name == "gpt-4"
    model.close()


def test_a_scripted_double_is_opened(settings: ModelSettings) -> None:
    """`scripted:NAME`."""
    assert open_model("scripted:refuser", settings=settings).info.can_chat


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lama-2-7b", "did you mean `llama-2-7b`"),
        ("smolm2-135m", "did you mean `smollm2-135m`"),
        ("hf:", "a name was wanted behind `hf:`"),
        ("embedded:other", "only embedded model is `smollm2-135m`"),
        ("./nowhere/step-4000", r"step-4000: there is no such file or folder; wanted a \*\.gguf file or a folder"),
        ("/nowhere/tiny.gguf", r"/nowhere/tiny\.gguf: there is no such file; a GGUF file was wanted"),
        ("gguf:org/name", "names no file on the hub; wanted gguf:ORG/NAME/FILE"),
    ],
)
def test_a_name_that_leads_nowhere_is_helped(settings: ModelSettings, name: str, words: str) -> None:
    """The message names what was given and what was wanted."""
    with pytest.raises(ModelError, match=words):
        open_model(name, settings=settings)


def test_a_folder_without_a_configuration_is_told(
    tmp_path: Path, settings: ModelSettings, gguf_writer: GgufWriter
) -> None:
    """And where it holds a GGUF file, which."""
    with pytest.raises(ModelError, match=r"no `config\.json`.*save_pretrained"):
        open_model(str(tmp_path), settings=settings)
    gguf_writer.write(tmp_path / "tiny.gguf")
    with pytest.raises(ModelError, match=r"it holds tiny\.gguf: name that file"):
        open_model(str(tmp_path), settings=settings)


def test_a_checkpoint_gets_all_that_its_engine_may_depend_on(
    tmp_path: Path, settings: ModelSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder arrives as a path, `hf:` and an alias as a name on the hub, and no setting is left behind on the way."""
    from alignsuite.models.engines.transformers import engine as transformers_engine

    given: list[tuple[object, dict[str, object]]] = []

    def recorded(place: object, **named: object) -> object:
        given.append((place, named))
        return place

    monkeypatch.setattr(transformers_engine, "open_transformers", recorded)
    (tmp_path / "config.json").write_text("{}")
    asked = replace(
        settings, device="cpu", adapter="lora", trust_remote_code=True, allow_pickle=True, threads=3, context=99
    )
    for name in (str(tmp_path), "hf:org/name@v1", "llama-2-7b"):
        open_model(name, settings=asked)
    assert [place for place, _ in given] == [tmp_path, "org/name@v1", "meta-llama/Llama-2-7b-hf"]
    assert [named["form"] for _, named in given] == ["auto", "auto", "raw"]
    assert [named["name"] for _, named in given] == [str(tmp_path), "hf:org/name@v1", "llama-2-7b"]
    for _, named in given:
        assert {"device": "cpu", "adapter": "lora", "threads": 3, "context": 99}.items() <= named.items()
        assert {"trust_remote_code": True, "allow_pickle": True, "cache": asked.cache}.items() <= named.items()


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        (
            "openai:x",
            {"adapter": "lora"},
            "--align-adapter would have no effect, for it is of a Transformers checkpoint",
        ),
        ("scripted:good", {"device": "cpu"}, "--align-device would have no effect, for it is of a Transformers"),
        ("smollm2-135m", {"trust_remote_code": True}, r"--align-trust-remote-code would .* \(hf:ORG/NAME, or a folder"),
        ("/nowhere/x.gguf", {"allow_pickle": True}, "--align-allow-pickle would have no effect"),
        ("llama-7b", {"tokens_per_minute": 9}, r"--align-tokens-per-minute would .* is of an endpoint \(openai:NAME\)"),
        (
            "gguf:a/b/c.gguf",
            {"requests_per_minute": 9, "adapter": "lora"},
            "--align-adapter, --align-requests-per-minute would have no effect, for it is of a Transformers checkpoint",
        ),
    ],
)
def test_an_option_that_the_engine_would_not_heed_is_refused(
    settings: ModelSettings, name: str, given: dict[str, Any], words: str
) -> None:
    """A model judged without the adapter that was named is another model; the message says whose option it is."""
    with pytest.raises(ModelError, match=rf"--model={name}: {words}.*: leave it out"):
        open_model(name, settings=replace(settings, **given))


def test_every_engine_heeds_settings_and_has_schemes_of_its_own() -> None:
    """An option of a row that were no setting, or a scheme of two rows, would be a slip of whoever adds an engine."""
    settings = {field.name for field in fields(ModelSettings)}
    options = [option for engine in ENGINES for option in engine.heeds]
    assert {setting_of(option) for option in options} < settings
    schemes = [scheme for engine in ENGINES for scheme in engine.schemes]
    assert sorted(schemes) == ["embedded", "gguf", "hf", "openai", "scripted"]


def test_adding_an_engine_is_one_file_and_one_row(
    settings: ModelSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row's module is imported when it opens a model, gets target, name and form, and only its options are taken."""
    (tmp_path / "parrots.py").write_text(
        "def open_target(target, name, form, settings):\n    return target, name, form\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    row = EngineRow("parrots", "a parrot (parrot:WORDS)", frozenset({"parrot"}), frozenset({"--align-device"}))
    monkeypatch.setattr(registry, "ENGINES", (*ENGINES, row))
    assert "parrots" not in sys.modules
    opened: object = open_model("parrot:5", settings=replace(settings, device="cpu"))
    assert opened == ("parrot:5", "parrot:5", "auto")
    with pytest.raises(ModelError, match="--align-adapter would have no effect"):
        open_model("parrot:5", settings=replace(settings, adapter="lora"))
    monkeypatch.delitem(sys.modules, "parrots")


def test_a_gguf_file_is_opened_without_its_weights(
    tmp_path: Path, settings: ModelSettings, gguf_writer: GgufWriter
) -> None:
    """`info` is there although these weights could never load."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("needs alignsuite[llamacpp]")
    path = gguf_writer.write(tmp_path / "tiny.gguf")
    info = open_model(str(path), settings=settings).info
    assert (info.name, info.can_chat, info.can_choose, info.context_length) == (str(path), True, True, 512)
    assert len(info.fingerprint) == 32


def test_the_key_is_not_shown() -> None:
    """A settings object in a log or traceback gives no key away."""
    assert "secret" not in repr(ModelSettings(Path(), api_key="secret"))


def test_importing_the_registry_imports_no_engine() -> None:
    """Half a second of libraries is not loaded for a project that asks for no model."""
    program = """
        import sys, alignsuite.models.registry, alignsuite.models.engines.llamacpp.engine, alignsuite.models.embedded, alignsuite.models.hub
        print(sorted({"torch", "xllamacpp", "openai", "huggingface_hub", "transformers"} & set(sys.modules)))
    """
    source = str(Path(registry.__file__).parents[2])
    said = subprocess.run(
        [sys.executable, "-c", program.replace("\n        ", "\n")],
        env={"PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "[]"


COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as one download takes."""

    content: ClassVar[bytes] = b""
    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        """Say what the file is."""
        self.answer(b"")

    def do_GET(self) -> None:
        """Give the file."""
        self.answer(self.content)

    def answer(self, body: bytes) -> None:
        """One file there is, one is gated, the rest is missing."""
        self.asked.append(f"{self.command} {self.path}")
        repository = "/".join(self.path.split("/")[1:3])
        if repository == "org/tiny" and self.path.endswith("/q4/tiny.gguf"):
            self.send_response(200)
            self.send_header("ETag", f'"{hashlib.sha256(self.content).hexdigest()}"')
            self.send_header("Content-Length", str(len(self.content)))
        else:
            code = {"org/tiny": "EntryNotFound", "org/gated": "GatedRepo"}.get(repository, "RepoNotFound")
            self.send_response(403 if code == "GatedRepo" else 404)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            body = b""
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gguf_writer: GgufWriter) -> Iterator[type[Hub]]:
    """A hub on the loopback address, named by HF_ENDPOINT, with a cache of its own."""
    constants = pytest.importorskip("huggingface_hub.constants")
    Hub.content = gguf_writer.write(tmp_path / "source.gguf").read_bytes()
    Hub.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    yield Hub
    server.shutdown()
    server.server_close()


def test_a_hub_file_is_downloaded_from_the_endpoint_of_the_environment(hub: type[Hub], settings: ModelSettings) -> None:
    """HF_ENDPOINT and the revision are respected, and the file opens as a model."""
    model = open_model("gguf:org/tiny/q4/tiny.gguf@v1", settings=settings)
    assert model.info.context_length == 512
    assert hub.asked
    assert all("/org/tiny/resolve/" in line for line in hub.asked)
    assert any("/resolve/v1/" in line for line in hub.asked)


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("org/tiny/other.gguf", r"has no file `other\.gguf`"),
        ("org/gated/x.gguf", "it is gated"),
        ("org/none/x.gguf", "the hub answered 404"),
    ],
)
def test_what_the_hub_refuses_is_told(address: str, words: str) -> None:
    """Missing file, gated repository, missing repository: three different pieces of advice."""
    with pytest.raises(ModelError, match=words):
        fetch_gguf(address)


@pytest.mark.usefixtures("hub")
def test_a_hub_that_may_not_be_asked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline, and the cache lacks the file."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"not in the cache and the hub can't be reached: .*HF_HUB_OFFLINE"):
        fetch_gguf("org/tiny/q4/tiny.gguf")


@pytest.mark.parametrize("address", ["", "a/b", "a//c.gguf", "a/b/../c.gguf", "a/b/c.bin", "a/b/@v1"])
def test_an_address_needs_all_its_parts(address: str) -> None:
    """Organisation, repository and a *.gguf file, and no way out of the repository."""
    with pytest.raises(ModelError, match="wanted gguf:ORG/NAME/FILE"):
        split_address(address)
