"""Sequence classifiers: tiny random ones of several architectures, from folders and from a hub on the loopback address."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import pickle
import shutil
import string
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from alignsuite.errors import JudgeError, ModelError, SettingsError
from alignsuite.judges import classifiers
from alignsuite.judges.classifiers import SequenceClassifier

pytest.importorskip("torch", reason="classifiers run on torch: pip install 'alignsuite[hf]'")

from .classifier_folders import LENGTH, change_config, write_classifier

KINDS = ("Bert", "Roberta", "DistilBert", "DebertaV2", "ModernBert", "Llama")
SHORT = ("You are a fool", "the soup is cold", "go away, you idiot", "I like tea", "fine", "a person is a person")
LONG = "the soup is cold and you are a fine person " * 12


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No cache of this machine is seen."""
    monkeypatch.setenv("ALIGNSUITE_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A random classifier of each architecture."""
    return {kind: write_classifier(tmp_path_factory.mktemp(kind), kind) for kind in KINDS}


@pytest.fixture
def bert(tmp_path: Path, folders: dict[str, Path]) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(folders["Bert"], tmp_path / "bert"))


@pytest.mark.parametrize("kind", KINDS)
def test_scores_have_names_and_add_up(folders: dict[str, Path], kind: str) -> None:
    """In the order given, different for different texts."""
    judge = SequenceClassifier(str(folders[kind]))
    assert judge.missing() == ""
    assert judge.labels == ("neutral", "toxic")
    found = judge.scores(SHORT)
    assert [set(one) for one in found] == [{"neutral", "toxic"}] * len(SHORT)
    assert [sum(one.values()) for one in found] == pytest.approx([1.0] * len(SHORT), abs=1e-9)
    assert len({round(one["toxic"], 6) for one in found}) == len(SHORT)
    assert judge.scores([]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_score_does_not_hang_on_its_neighbours(folders: dict[str, Path], kind: str) -> None:
    """Alone, in a batch, in another order: within 1e-6, long texts and pairs included."""
    judge = SequenceClassifier(str(folders[kind]), positive=["toxic"])
    pairs = [(SHORT[at % 6], f"{SHORT[(at + 1) % 6]} {LONG[: 37 * at]}") for at in range(8)]
    texts: list[Any] = [*SHORT, LONG, *pairs, *SHORT]
    together = [one["toxic"] for one in judge.scores(texts)]
    assert [judge.scores([text])[0]["toxic"] for text in texts] == pytest.approx(together, abs=1e-6)
    assert [one["toxic"] for one in judge.scores(texts[::-1])] == pytest.approx(together[::-1], abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_transformers(folders: dict[str, Path], kind: str) -> None:
    """The library's own pipeline says the same of texts that it sees whole."""
    import transformers

    pipeline = transformers.pipeline("text-classification", model=str(folders[kind]), top_k=None)
    for text, ours in zip(SHORT, SequenceClassifier(str(folders[kind])).scores(SHORT), strict=True):
        expected = {one["label"]: one["score"] for one in pipeline([text])[0]}
        assert ours == pytest.approx(expected, abs=1e-5)


def test_classes_of_their_own_or_shared_ones(tmp_path: Path) -> None:
    """`problem_type` says which; the caller may; of three classes nobody else knows."""
    names = ("toxic", "insult", "threat")
    own = write_classifier(tmp_path / "own", labels=names, problem="multi_label_classification")
    assert not SequenceClassifier(str(own)).exclusive
    assert sum(SequenceClassifier(str(own)).scores(SHORT)[0].values()) != pytest.approx(1)
    shared = write_classifier(tmp_path / "shared", labels=names, problem="single_label_classification")
    assert sum(SequenceClassifier(str(shared)).scores(SHORT)[0].values()) == pytest.approx(1)
    unclear = write_classifier(tmp_path / "unclear", labels=names)
    with pytest.raises(JudgeError, match=r"problem_type null for 3 classes.*sigmoid.*softmax"):
        SequenceClassifier(str(unclear)).scores(SHORT)
    said = SequenceClassifier(str(unclear), multi_label=True).scores(SHORT)
    assert said == SequenceClassifier(str(own)).scores(SHORT)


def test_a_single_output_may_be_a_grade_and_is_not_guessed(tmp_path: Path) -> None:
    """Models of reward have one output, too."""
    folder = write_classifier(tmp_path / "one", labels=("toxic",))
    with pytest.raises(JudgeError, match="for 1 classes"):
        SequenceClassifier(str(folder)).scores(SHORT)
    assert 0 < SequenceClassifier(str(folder), multi_label=True).scores(SHORT)[0]["toxic"] < 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gap", [" ", "\n", "-"])
def test_a_long_text_is_read_to_its_end(
    folders: dict[str, Path], kind: str, gap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Overlapping windows that fit cover all of it, and the worst one counts."""
    judge = SequenceClassifier(str(folders[kind]), positive=["toxic"])
    long = gap.join(f"{one}{other}" for one in string.ascii_lowercase for other in string.ascii_lowercase[:9])
    seen: list[str] = []
    encoded = classifiers._Loaded._encoded

    def recorded(self: Any, *texts: str) -> Any:
        tokens = encoded(self, *texts)
        if len(tokens["input_ids"]) <= LENGTH:
            seen.append(texts[0])
        return tokens

    monkeypatch.setattr(classifiers._Loaded, "_encoded", recorded)
    score = judge.scores([long])[0]["toxic"]
    windows = list(dict.fromkeys(seen))
    plain = long.replace("\n", " ")
    places = sorted((plain.index(text), plain.index(text) + len(text)) for text in windows)
    assert (places[0][0], places[-1][1]) == (0, len(plain))
    assert all(start < end for (_, end), (start, _) in itertools.pairwise(places))
    monkeypatch.undo()
    assert score == pytest.approx(max(one["toxic"] for one in judge.scores(windows)), abs=1e-6)


def test_of_a_pair_the_second_is_read_in_windows_beside_the_whole_first(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each window has the request whole; a request that takes more than half of the room is read in windows, too."""
    judge = SequenceClassifier(str(folders["Bert"]), positive=["toxic"])
    judge.scores(["fine"])
    assert judge._loaded is not None
    decode = judge._loaded._tokenizer.decode
    shown = [decode(window["input_ids"]) for window in judge._loaded.windows(("tell me how", LONG), None)]
    assert len(shown) > 2
    assert all(text.startswith("[CLS] tell me how [SEP] ") for text in shown)
    both = list(judge._loaded.windows((LONG, LONG), None))
    assert all(len(window["input_ids"]) <= LENGTH for window in both)
    assert len(both) > len(shown)
    assert all(1 in window["token_type_ids"] for window in both)


def test_a_pair_may_be_joined_by_the_caller(folders: dict[str, Path]) -> None:
    """For classifiers that were trained on one text with a frame of words; the frame stands in every window."""
    judge = SequenceClassifier(str(folders["Bert"]), join=lambda one, other: f"me: {one} you: {other}")
    assert judge.scores([("tell me", "fine")]) == judge.scores(["me: tell me you: fine"])
    assert judge._loaded is not None
    shown = [
        judge._loaded._tokenizer.decode(one["input_ids"])
        for one in judge._loaded.windows(("tell me", LONG), judge._join)
    ]
    assert len(shown) > 2
    assert all(text.startswith("[CLS] me : tell me you : ") for text in shown)


def test_a_reply_can_not_write_the_models_own_marks(folders: dict[str, Path]) -> None:
    """A separator in a reply would end it; zero bytes and halves of surrogate pairs stop no tokenizer."""
    judge = SequenceClassifier(str(folders["Bert"]))
    judge.scores(["fine"])
    assert judge._loaded is not None
    (window,) = judge._loaded.windows("fine [SEP] you are a fool\0\ud83d", None)
    separator = judge._loaded._tokenizer.sep_token_id
    assert window["input_ids"].count(separator) == 1
    assert window["input_ids"][-1] == separator


# What is not opened.


def test_a_checkpoint_that_writes_text_is_no_classifier(tmp_path: Path) -> None:
    """Its head would be drawn at random: Transformers only warns, and each run would say something else."""
    import transformers

    folder = write_classifier(tmp_path / "writes", "Llama")
    config = transformers.AutoConfig.from_pretrained(folder)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    with pytest.raises(JudgeError, match=r"lack 1 tensors of a classifier, the first score\.weight.*at random"):
        SequenceClassifier(str(folder)).scores(SHORT)


def test_another_number_of_outputs_than_names_is_told(bert: Path) -> None:
    """Sizes that don't fit are an error, not a fresh layer."""
    change_config(bert, id2label={"0": "a", "1": "b", "2": "c"}, problem_type="single_label_classification")
    with pytest.raises(JudgeError, match="can't be opened as a classifier"):
        SequenceClassifier(str(bert)).scores(SHORT)


@pytest.mark.parametrize("named", [{"0": "toxic", "1": "toxic"}, {"1": "a", "2": "b"}, {}, ["a", "b"], "toxic"])
def test_names_that_name_no_class_are_told(bert: Path, named: Any) -> None:
    """Never an index by heart."""
    change_config(bert, id2label=named)
    with pytest.raises(JudgeError, match="wanted one name for each number from 0 on, no two alike"):
        _ = SequenceClassifier(str(bert)).labels


def test_where_nobody_named_the_classes_they_have_numbers(bert: Path) -> None:
    """As Transformers has it; what they mean is for the caller to know."""
    change_config(bert, id2label=None, label2id=None)
    assert SequenceClassifier(str(bert)).labels == ("LABEL_0", "LABEL_1")


def test_a_positive_class_that_is_none_is_told_the_nearest(folders: dict[str, Path]) -> None:
    """Before any weights load."""
    with pytest.raises(SettingsError, match="has no class `toxik`; did you mean `toxic`"):
        SequenceClassifier(str(folders["Bert"]), positive=["toxik"]).scores(SHORT)


class Trap:
    """A pickle of this makes a folder when anything runs it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return (os.mkdir, (str(self.mark),))


def test_pickled_weights_stay_closed(bert: Path, tmp_path: Path) -> None:
    """The message says how to make them safe, and who may open them."""
    (bert / "model.safetensors").unlink()
    (bert / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(JudgeError, match=r"weights are pickled.*save_pretrained.*allow_pickle=True"):
        SequenceClassifier(str(bert)).scores(SHORT)
    with pytest.raises(JudgeError):  # also who trusts them lets no function run
        SequenceClassifier(str(bert), allow_pickle=True).scores(SHORT)
    assert not (tmp_path / "sprung").exists()


def test_pickled_weights_open_for_who_asks(bert: Path) -> None:
    """And are the same weights."""
    import torch
    from safetensors.torch import load_file

    before = SequenceClassifier(str(bert)).scores(SHORT)
    torch.save(load_file(bert / "model.safetensors"), bert / "pytorch_model.bin")
    (bert / "model.safetensors").unlink()
    after = SequenceClassifier(str(bert), allow_pickle=True).scores(SHORT)
    assert [one["toxic"] for one in after] == pytest.approx([one["toxic"] for one in before], abs=1e-6)


def test_code_that_a_checkpoint_brings_does_not_run(bert: Path, tmp_path: Path) -> None:
    """Not even the question whether it may is asked."""
    (bert / "modeling_own.py").write_text(f"import os; os.mkdir({str(tmp_path / 'sprung')!r})", encoding="utf-8")
    own = {"AutoConfig": "modeling_own.Config", "AutoModelForSequenceClassification": "modeling_own.Model"}
    change_config(bert, model_type="own", auto_map=own)
    with pytest.raises(JudgeError, match="can't be opened"):
        SequenceClassifier(str(bert)).scores(SHORT)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("file", "said"),
    [("config.json", r"holds no config\.json"), ("model.safetensors", "holds no weights")],
)
def test_what_a_folder_lacks_is_told(bert: Path, file: str, said: str) -> None:
    """By the sentence of `missing`, which is also the error's."""
    (bert / file).unlink()
    judge = SequenceClassifier(str(bert))
    with pytest.raises(JudgeError, match=said):
        judge.scores(SHORT)


def test_a_lost_shard_is_told(bert: Path) -> None:
    """By its name."""
    (bert / "model.safetensors").rename(bert / "model-00001-of-00002.safetensors")
    table = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (bert / "model.safetensors.index.json").write_text(json.dumps(table), encoding="utf-8")
    assert "lack the part model-00002-of-00002.safetensors" in SequenceClassifier(str(bert)).missing()


def test_broken_weights_are_told(bert: Path) -> None:
    """Cut off; or whole and no numbers."""
    whole = (bert / "model.safetensors").read_bytes()
    (bert / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(JudgeError, match="can't be opened as a classifier"):
        SequenceClassifier(str(bert)).scores(SHORT)
    from safetensors import torch as files

    tensors = files.load(whole)
    files.save_file(
        tensors | {"classifier.bias": tensors["classifier.bias"] * float("nan")},
        bert / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(JudgeError, match="no numbers"):
        SequenceClassifier(str(bert)).scores(SHORT)


def test_no_such_folder_and_no_name(tmp_path: Path) -> None:
    """A path is never taken for a name on the hub."""
    assert "there is no such folder" in SequenceClassifier(str(tmp_path / "none")).missing()
    with pytest.raises(SettingsError, match="has no name"):
        SequenceClassifier("hf:")


def test_an_unknown_device_is_told(folders: dict[str, Path]) -> None:
    """By torch's own words."""
    with pytest.raises(JudgeError, match="can't be opened as a classifier"):
        SequenceClassifier(str(folders["Bert"]), device="abacus").scores(SHORT)


def test_the_fingerprint_is_that_of_the_files(bert: Path, folders: dict[str, Path]) -> None:
    """A copy has the same, other weights and other names of classes have another."""
    before = SequenceClassifier(str(bert)).fingerprint
    assert before == SequenceClassifier(str(folders["Bert"])).fingerprint
    change_config(bert, id2label={"0": "toxic", "1": "neutral"})
    assert SequenceClassifier(str(bert)).fingerprint != before


# From the hub.


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a snapshot takes; everything but `org/tiny` is missing."""

    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []
    commit = "c" * 40

    def do_HEAD(self) -> None:
        """Say what a file is."""
        self.do_GET(with_body=False)

    def do_GET(self, *, with_body: bool = True) -> None:
        """Give a file, or the list of them."""
        path = self.path.partition("?")[0]
        self.asked.append(path)
        if "org/tiny" not in path:
            return self.send(404, b"", {"X-Error-Code": "RepoNotFound"})
        if path.startswith("/api/models/"):
            tree = [{"type": "file", "path": name, "size": len(body), "oid": "0"} for name, body in self.files.items()]
            about = {"id": "org/tiny", "sha": self.commit, "siblings": [{"rfilename": name} for name in self.files]}
            return self.send(
                200, json.dumps(tree if "/tree/" in path else about).encode(), {"Content-Type": "application/json"}
            )
        name = path.rpartition("/")[2]
        if name not in self.files:
            return self.send(404, b"", {"X-Error-Code": "EntryNotFound"})
        headers = {"ETag": f'"{hashlib.sha256(self.files[name]).hexdigest()}"', "X-Repo-Commit": self.commit}
        return self.send(200, self.files[name], headers, with_body=with_body)

    def send(self, code: int, body: bytes, headers: dict[str, str], *, with_body: bool = True) -> None:
        """One answer."""
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def hub(folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """A hub with a tiny classifier, and an empty cache."""
    from huggingface_hub import constants

    Hub.files = {file.name: file.read_bytes() for file in folders["Bert"].iterdir()}
    Hub.files["modeling_own.py"] = b"1 / 0"
    Hub.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    yield Hub
    server.shutdown()
    server.server_close()


def test_a_classifier_of_the_hub_is_fetched_once_and_only_when_asked(hub: type[Hub], folders: dict[str, Path]) -> None:
    """Scoring says what fetches it and opens no connection, neither before nor after."""
    judge = SequenceClassifier("hf:org/tiny", pull="alignsuite judge pull toxicity:hf:org/tiny")
    said = "hf:org/tiny is not on this machine: `alignsuite judge pull toxicity:hf:org/tiny` fetches it"
    assert said in judge.missing()
    with pytest.raises(JudgeError, match=said):
        judge.scores(SHORT)
    assert hub.asked == []
    folder = judge.fetch()
    assert not (folder / "modeling_own.py").exists()
    hub.asked.clear()
    assert judge.missing() == ""
    assert judge.fetch() == folder
    own = SequenceClassifier(str(folders["Bert"]))
    assert judge.scores(SHORT) == own.scores(SHORT)
    assert judge.fingerprint == own.fingerprint
    assert hub.asked == []


def test_half_a_download_is_none(hub: type[Hub]) -> None:
    """A cache that lacks the weights is completed."""
    judge = SequenceClassifier("hf:org/tiny")
    folder = judge.fetch()
    (folder / "model.safetensors").unlink()
    again = SequenceClassifier("hf:org/tiny")
    assert "`alignsuite judge pull hf:org/tiny` fetches it" in again.missing()
    again.fetch()
    assert again.missing() == ""


def test_what_the_hub_lacks_is_told(hub: type[Hub]) -> None:
    """The name, and what may be wrong with it."""
    with pytest.raises(ModelError, match="hf:org/other: the hub has no such repository"):
        SequenceClassifier("hf:org/other").fetch()


def test_a_checkpoint_of_the_hub_that_has_pickles_only_is_told(hub: type[Hub]) -> None:
    """After the download of what is plain, by the sentence of a folder."""
    hub.files = {
        ("pytorch_model.bin" if name == "model.safetensors" else name): body for name, body in hub.files.items()
    }
    with pytest.raises(
        JudgeError, match=r"holds no weights; model\.safetensors was wanted; .* fetches what the hub has of it"
    ):
        SequenceClassifier("hf:org/tiny").fetch()
