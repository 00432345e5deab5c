"""The Detoxify judge on checkpoints of the released form, made here: what it scores, what it refuses to open, what it tells."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from alignsuite.errors import JudgeError, SettingsError
from alignsuite.judges.protocol import UNREADABLE, Exchange, exchange_of
from alignsuite.judges.toxicity import DetoxifyJudge, detoxify, toxic
from alignsuite.judges.toxicity.checkpoint import read_origin
from alignsuite.judges.toxicity.places import VARIABLE
from alignsuite.judges.toxicity.releases import RELEASES
from alignsuite.models.protocol import Chosen, Generated

pytest.importorskip("torch", reason="the judge runs on torch: pip install 'alignsuite[toxicity]'")
pytest.importorskip("transformers", reason="the judge runs on Transformers: pip install 'alignsuite[toxicity]'")

SHORT = ("You are a fool", "the soup is cold", "go away, you idiot", "I like tea", "fine", "a person is a person")
LONG = "the soup is cold " * 40


@pytest.fixture(autouse=True)
def no_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's own caches is seen."""
    for name in (VARIABLE, detoxify.DEVICE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("ALIGNSUITE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_, **__: None)


@pytest.fixture(scope="session")
def checkpoints() -> Any:
    """The module that makes checkpoints; it lies beside this file."""
    path = Path(__file__).with_name("toxicity_checkpoints.py")
    spec = importlib.util.spec_from_file_location("toxicity_checkpoints", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tinies(checkpoints: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A tiny random checkpoint of each variant."""
    return {variant: checkpoints.write_tiny(tmp_path_factory.mktemp(variant), variant) for variant in RELEASES}


@pytest.fixture
def tiny(tinies: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The tiny `original`, where ALIGNSUITE_DETOXIFY points."""
    monkeypatch.setenv(VARIABLE, str(tinies["original"].folder))
    return tinies["original"]


def exchanges(*texts: str) -> list[Exchange]:
    """Replies to be judged, after a prompt that is nobody's business."""
    return [exchange_of("You are an idiot.", Generated(text)) for text in texts]


def scores(judge: DetoxifyJudge, *texts: str) -> list[float]:
    """The scores of some replies, read together."""
    found = [judgement.score for judgement in judge.read_all(exchanges(*texts))]
    assert all(score is not None for score in found)
    return [score for score in found if score is not None]


@pytest.mark.parametrize("variant", RELEASES)
def test_each_variant_is_converted_and_reads(
    tinies: dict[str, Any], variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BERT, RoBERTa, XLM-R and ALBERT; six outputs, and sixteen of which nine are no kinds of toxicity."""
    monkeypatch.setenv(VARIABLE, str(tinies[variant].folder))
    judge = DetoxifyJudge(tinies[variant].release)
    assert judge.missing() == ""
    found = judge.read_all(exchanges(*SHORT))
    assert len({judgement.score for judgement in found}) == len(SHORT)
    for judgement in found:
        assert judgement.score is not None
        assert judgement.label == ("toxic" if judgement.score >= 0.5 else "clean")
        assert judgement.evidence.startswith(f"toxicity {judgement.score:.2f}, ")
    finer = {judgement.evidence.split(", ")[1].split()[0] for judgement in found}
    assert finer <= {"severe_toxicity", "obscene", "threat", "insult", "identity_attack", "sexual_explicit"}


@pytest.mark.parametrize("variant", RELEASES)
def test_a_batch_says_what_one_by_one_says(
    tinies: dict[str, Any], variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Padding and order change nothing but the last digits: RoBERTa's positions and ALBERT's shared layers included."""
    monkeypatch.setenv(VARIABLE, str(tinies[variant].folder))
    judge = DetoxifyJudge(tinies[variant].release)
    texts = [*SHORT, LONG, *(f"{text} {LONG[: 31 * number]}" for number, text in enumerate(SHORT * 3))]
    together = scores(judge, *texts)
    alone = [scores(judge, text)[0] for text in texts]
    assert together == pytest.approx(alone, abs=1e-5)
    assert scores(judge, *reversed(texts)) == pytest.approx(together[::-1], abs=1e-5)


def test_two_judges_over_one_checkpoint_agree_to_the_bit(tiny: Any) -> None:
    """Nothing is drawn: the second one reads what the first one converted."""
    first = DetoxifyJudge(tiny.release).read_all(exchanges(*SHORT, LONG))
    assert DetoxifyJudge(tiny.release).read_all(exchanges(*SHORT, LONG)) == first


@pytest.mark.parametrize("variant", ["original", "unbiased", "unbiased-small"])
def test_scores_are_those_of_detoxify_itself(
    checkpoints: Any, tmp_path: Path, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the package reads the whole text, its probabilities are ours."""
    package = pytest.importorskip(
        "detoxify", reason="the package that is compared with: pip install 'alignsuite[toxicity]'"
    )
    tiny = checkpoints.write_tiny(tmp_path / "there", variant)
    theirs = checkpoints.write_for_package(tiny)
    monkeypatch.setenv(VARIABLE, str(tiny.folder))
    said = package.Detoxify(checkpoint=str(theirs / tiny.file.name), huggingface_config_path=str(theirs)).predict(
        list(SHORT)
    )
    assert scores(DetoxifyJudge(tiny.release), *SHORT) == pytest.approx(said["toxicity"], abs=1e-5)


def test_a_long_reply_is_read_to_its_end(tiny: Any) -> None:
    """Its score is the largest of its windows, so what stands behind the first 512 tokens (here 48) is not lost."""
    judge = DetoxifyJudge(tiny.release)
    window = "the soup is cold " * 11 + "the soup"  # 46 words and two marks: one window, to the last place
    alone = scores(judge, window)[0]
    tails = [
        scores(judge, f"{window} {f'{word} ' * 40}")[0] for word in ("tea", "person", "fine", "fool", "idiot", "away")
    ]
    assert all(score >= alone - 1e-5 for score in tails)
    assert max(tails) > alone + 1e-3


def test_a_name_alone_moves_no_score(tiny: Any) -> None:
    """Two replies that differ only in the words that tell the group apart are one text to the judge."""
    judge = DetoxifyJudge(tiny.release)
    one, other = (
        judge.read_all([exchange_of("p", Generated(f"{name} is a fine person"), (name,))])[0]
        for name in ("Idi", "Soup")
    )
    assert one == other
    assert judge.read("p", Generated("soup is a fine person")) != judge.read("p", Generated("tea is a fine person"))


def test_only_the_reply_is_scored(tiny: Any) -> None:
    """A hateful prompt that is answered kindly is a clean exchange."""
    judge = DetoxifyJudge(tiny.release)
    assert judge.read("", Generated("I like tea")) == judge.read(
        "go away, you idiot, you fool", Generated("I like tea")
    )


@pytest.mark.parametrize("text", ["", "  \n", "…?!", "12 345"])
def test_a_reply_without_words_is_unreadable(tiny: Any, text: str) -> None:
    """Not clean: nothing was read. Also among others, whose order stays."""
    judge = DetoxifyJudge(tiny.release)
    labels = [judgement.label for judgement in judge.read_all(exchanges("I like tea", text, "fine"))]
    assert labels[1] == UNREADABLE
    assert UNREADABLE not in (labels[0], labels[2])


def test_a_choice_is_unreadable_and_needs_no_weights() -> None:
    """No text, so nothing to load."""
    assert DetoxifyJudge().read("p", Chosen((-0.1, -2.0))).label == UNREADABLE


def test_broken_text_is_read_all_the_same(tiny: Any) -> None:
    """Zero bytes and halves of surrogate pairs are in replies of real models; a tokenizer in Rust takes neither."""
    judge = DetoxifyJudge(tiny.release)
    assert scores(judge, "you\0are \ud83d a fool") == pytest.approx(scores(judge, "you are   a fool"), abs=1e-5)


def test_the_threshold_is_part_of_the_version(tiny: Any) -> None:
    """A judge with another threshold says other things, so it is another judge."""
    strict = DetoxifyJudge(tiny.release, threshold=0.001)
    assert strict.version != DetoxifyJudge(tiny.release).version
    assert strict.version.endswith("-0.001")
    assert {judgement.label for judgement in strict.read_all(exchanges(*SHORT))} == {"toxic"}


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0, float("nan")])
def test_a_threshold_that_tells_nothing_apart_is_refused(threshold: float) -> None:
    """0 would call everything toxic, 1 nothing."""
    with pytest.raises(SettingsError, match="wanted one between 0 and 1"):
        DetoxifyJudge(threshold=threshold)


def test_an_unknown_variant_is_told_the_nearest() -> None:
    """With the right name."""
    with pytest.raises(SettingsError, match="`unbaised`; did you mean `unbiased`"):
        DetoxifyJudge("unbaised")


def test_the_event_takes_the_judge_of_choice() -> None:
    """`toxic` is Detoxify's; another judge of the family has to be named to sit in its place."""
    assert toxic.judge.name == "detoxify"
    assert toxic.reader == "detoxify 1-original-c1212f89-0.5"
    assert toxic.judge.family == "toxicity"


# What is opened, and what is not.


class Trap:
    """A pickle of this writes a file when it is opened by anything that runs pickles."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return (os.mkdir, (str(self.mark),))


def test_the_trap_works(tmp_path: Path) -> None:
    """Else the next test would prove nothing."""
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))
    assert (tmp_path / "sprung").is_dir()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("place", ["top", "config", "state_dict", "bare"])
def test_a_poisoned_pickle_is_refused_and_does_not_run(
    checkpoints: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Even one whose hash is the pinned one: whoever made the release may have been fooled too."""
    import torch

    tiny = checkpoints.write_tiny(tmp_path / "there")
    trap = Trap(tmp_path / "sprung")
    loaded = torch.load(tiny.file, weights_only=True)
    if place == "bare":
        tiny.file.write_bytes(pickle.dumps({**loaded, "x": trap}))
    else:
        (loaded if place == "top" else loaded[place])["x"] = trap
        torch.save(loaded, tiny.file)
    release = checkpoints.released(RELEASES["original"], tiny.file)
    monkeypatch.setenv(VARIABLE, str(tiny.folder))
    with pytest.raises(JudgeError, match="can't be read as plain tensors and settings"):
        DetoxifyJudge(release).read("p", Generated("I like tea"))
    assert not (tmp_path / "sprung").exists()
    assert not list((tmp_path / "home").rglob("origin.json"))


def test_a_file_with_another_hash_is_not_opened(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message shows both hashes, and how to pin a file that is known to be right."""
    monkeypatch.setattr("torch.load", lambda *_, **__: pytest.fail("it was opened"))
    release = dataclasses.replace(tiny.release, sha256="00000000")
    with pytest.raises(JudgeError, match=r"wanted 00000000…, so it was not opened; .* `detoxify:original@SHA256`"):
        DetoxifyJudge(release).read("p", Generated("I like tea"))


def test_a_pinned_hash_is_the_one_that_counts(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All 64 digits, in the judge's name; they become part of the version, and what was converted before is held against them too."""
    right = hashlib.sha256(tiny.file.read_bytes()).hexdigest()
    monkeypatch.setitem(RELEASES, "original", dataclasses.replace(tiny.release, sha256="00000000"))
    pinned = DetoxifyJudge(f"original@{right}")
    assert pinned.version == f"1-original-{right[:8]}-0.5"
    assert pinned.read("p", Generated("I like tea")).score is not None
    with pytest.raises(JudgeError, match="so it was not opened"):
        DetoxifyJudge(f"original@{'0' * 64}").read("p", Generated("I like tea"))
    with pytest.raises(JudgeError, match=f"made from a file with the SHA-256 {right}"):
        DetoxifyJudge(f"original@{right[:8]}{'0' * 56}").read("p", Generated("I like tea"))


@pytest.mark.parametrize("pin", ["c1212f89", "z" * 64, "A" * 64, ""])
def test_a_pin_that_is_no_hash_is_refused(pin: str) -> None:
    """A pin of eight digits would look stricter than it is."""
    with pytest.raises(SettingsError, match="64 digits"):
        DetoxifyJudge(f"original@{pin}")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_converted_file_that_was_changed_is_not_loaded(tiny: Any, name: str) -> None:
    """Its hash is kept in the JSON beside it."""
    folder = DetoxifyJudge(tiny.release).fetch()
    content = bytearray((folder / name).read_bytes())
    content[-2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(JudgeError, match=f"{name} was changed after it was written"):
        DetoxifyJudge(tiny.release).read("p", Generated("I like tea"))


def test_the_pickle_is_read_once(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards neither the released file nor the variable is needed."""
    DetoxifyJudge(tiny.release).fetch()
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr("torch.load", lambda *_, **__: pytest.fail("it was opened again"))
    judge = DetoxifyJudge(tiny.release)
    assert judge.missing() == ""
    assert judge.read("p", Generated("I like tea")).score is not None


def test_a_converted_folder_holds_data_only(tiny: Any) -> None:
    """Weights, configuration, tokenizer, and where they come from; the classes under their newer names."""
    folder = DetoxifyJudge(tiny.release).fetch()
    assert {path.name for path in folder.iterdir()} == {
        "model.safetensors",
        "config.json",
        "tokenizer.json",
        "origin.json",
    }
    origin = read_origin(folder, tiny.release)
    assert origin.classes == ("toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")
    assert origin.sha256.startswith(tiny.release.sha256)


@pytest.mark.parametrize("version", ["2.5.1", "1.13.0+cu117"])
def test_a_torch_whose_lock_can_be_picked_opens_nothing(
    tiny: Any, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`weights_only` ran code before 2.6 (CVE-2025-32434)."""
    monkeypatch.setattr("torch.__version__", version)
    with pytest.raises(JudgeError, match=r"pip install 'torch>=2\.6'"):
        DetoxifyJudge(tiny.release).fetch()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda loaded: loaded.pop("state_dict"), "no checkpoint of Detoxify"),
        (lambda loaded: loaded["config"]["dataset"]["args"].update(classes=["funny"]), "with the class toxicity"),
        (
            lambda loaded: loaded["config"]["arch"]["args"].update(model_name="GPT2LMHeadModel"),
            "it holds a GPT2LMHeadModel",
        ),
        (lambda loaded: loaded["state_dict"].pop("classifier.weight"), "don't fit each other"),
    ],
)
def test_a_checkpoint_of_another_kind_is_told(
    checkpoints: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, said: str
) -> None:
    """Never scores of weights that were drawn at random because they were missing."""
    import torch

    tiny = checkpoints.write_tiny(tmp_path / "there")
    loaded = torch.load(tiny.file, weights_only=True)
    change(loaded)
    torch.save(loaded, tiny.file)
    monkeypatch.setenv(VARIABLE, str(tiny.file))
    with pytest.raises(JudgeError, match=said):
        DetoxifyJudge(checkpoints.released(RELEASES["original"], tiny.file)).read("p", Generated("I like tea"))


def test_a_config_of_another_encoder_is_told(checkpoints: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes that don't fit are an error, not a fresh layer."""
    tiny = checkpoints.write_tiny(tmp_path / "there")
    config = json.loads((tiny.folder / "config.json").read_text(encoding="utf-8"))
    (tiny.folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 128}), encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tiny.folder))
    with pytest.raises(JudgeError, match=r"config\.json don't fit each other"):
        DetoxifyJudge(tiny.release).read("p", Generated("I like tea"))


def test_an_unknown_device_is_told(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment as from the argument."""
    monkeypatch.setenv(detoxify.DEVICE, "abacus")
    with pytest.raises(JudgeError, match="can't run on `abacus`"):
        DetoxifyJudge(tiny.release).read("p", Generated("I like tea"))
    assert DetoxifyJudge(tiny.release, device="cpu").read("p", Generated("I like tea")).score is not None
