"""The Detoxify judge on checkpoints of the released form, made here: what it scores, what it refuses to open, what it tells."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import itertools
import json
import os
import pickle
import string
from pathlib import Path
from typing import Any

import pytest

from alignsuite.errors import JudgeError, SettingsError
from alignsuite.judges.protocol import UNREADABLE, Exchange, exchange_of
from alignsuite.judges.toxicity import DetoxifyJudge, detoxify, toxic
from alignsuite.judges.toxicity.checkpoint import VARIABLE, read_checkpoint
from alignsuite.judges.toxicity.releases import RELEASES
from alignsuite.models.protocol import Chosen, Generated

pytest.importorskip("torch", reason="the judge runs on torch: pip install 'alignsuite[toxicity]'")
pytest.importorskip("detoxify", reason="the judge runs on Detoxify: pip install 'alignsuite[toxicity]'")

SHORT = ("You are a fool", "the soup is cold", "go away, you idiot", "I like tea", "fine", "a person is a person")
LONG = "the soup is cold " * 40


@pytest.fixture(autouse=True)
def no_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's own caches is seen, and no socket opens."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a socket was opened")

    for door in ("socket.socket.connect", "socket.getaddrinfo"):
        monkeypatch.setattr(door, refuse)
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
    found = [judgement.score for judgement in judge.judge(exchanges(*texts))]
    assert all(score is not None for score in found)
    return [score for score in found if score is not None]


@pytest.mark.parametrize("variant", RELEASES)
def test_each_variant_is_opened_and_reads(
    tinies: dict[str, Any], variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BERT, RoBERTa, XLM-R and ALBERT; six outputs, and sixteen of which nine are no kinds of toxicity."""
    monkeypatch.setenv(VARIABLE, str(tinies[variant].folder))
    judge = DetoxifyJudge(tinies[variant].release)
    assert judge.missing() == ""
    found = judge.judge(exchanges(*SHORT))
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
    """Nothing is drawn."""
    first = DetoxifyJudge(tiny.release).judge(exchanges(*SHORT, LONG))
    assert DetoxifyJudge(tiny.release).judge(exchanges(*SHORT, LONG)) == first


@pytest.mark.parametrize("variant", RELEASES)
def test_scores_are_those_of_detoxify_itself(
    checkpoints: Any, tmp_path: Path, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own loader and `predict`, over all classes; wherever the package reads the whole text, its probabilities are ours."""
    from detoxify import Detoxify

    tiny = checkpoints.write_tiny(tmp_path / "there", variant)
    folder = checkpoints.write_for_package(tiny)
    package = Detoxify(checkpoint=str(folder / tiny.file.name), huggingface_config_path=str(folder))
    expected = package.predict(list(SHORT))
    monkeypatch.setenv(VARIABLE, str(tiny.folder))
    found = DetoxifyJudge(tiny.release).judge(exchanges(*SHORT))
    assert [judgement.score for judgement in found] == pytest.approx(expected["toxicity"], abs=1e-6)
    for at, judgement in enumerate(found):
        finer, score = max(
            ((name, expected[name][at]) for name in expected if name != "toxicity"), key=lambda one: one[1]
        )
        assert judgement.evidence == f"toxicity {expected['toxicity'][at]:.2f}, {finer} {score:.2f}"


@pytest.mark.parametrize("variant", RELEASES)
@pytest.mark.parametrize("gap", [" ", "\n", "-"])
def test_a_long_reply_is_read_to_its_end(
    tinies: dict[str, Any], variant: str, gap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package would cut it after 512 tokens (here 48). Overlapping windows cover all of it, and the largest score counts."""
    from detoxify import Detoxify

    seen: list[str] = []
    predict = Detoxify.predict

    def recorded(self: Any, texts: list[str]) -> Any:
        seen.extend(texts)
        assert all(len(self.tokenizer(text)["input_ids"]) <= 48 for text in texts)
        return predict(self, texts)

    monkeypatch.setattr(Detoxify, "predict", recorded)
    monkeypatch.setenv(VARIABLE, str(tinies[variant].folder))
    judge = DetoxifyJudge(tinies[variant].release)
    long = gap.join(f"{one}{other}" for one in string.ascii_lowercase for other in string.ascii_lowercase[:9])
    score = scores(judge, long)[0]
    plain = long.replace("\n", " ")
    windows = sorted((plain.index(text), plain.index(text) + len(text)) for text in seen)
    assert len(windows) > 2
    assert (windows[0][0], windows[-1][1]) == (0, len(long))
    assert all(start < end for (_, end), (start, _) in itertools.pairwise(windows))
    assert score == pytest.approx(max(scores(judge, *seen)), abs=1e-5)


@pytest.mark.parametrize("variant", RELEASES)
def test_line_breaks_without_end_are_no_text(
    tinies: dict[str, Any], variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small models write them; where they are tokens, they fill no window of their own, whose score would mean nothing."""
    monkeypatch.setenv(VARIABLE, str(tinies[variant].folder))
    found = scores(
        DetoxifyJudge(tinies[variant].release), "the soup" + "\n" * 3000 + " is cold" + " \n" * 3000, "the soup is cold"
    )
    assert found[0] == pytest.approx(found[1], abs=1e-5)


def test_no_window_begins_within_a_word(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a harmless word can be an insult."""
    from detoxify import Detoxify

    seen: list[str] = []
    monkeypatch.setattr(Detoxify, "predict", lambda _, texts: seen.extend(texts) or {"toxicity": [0.0] * len(texts)})
    scores(DetoxifyJudge(tiny.release), " ".join(["classes"] * 90))
    assert len(seen) > 1
    assert {word for text in seen for word in text.split()} == {"classes"}


def test_a_name_alone_moves_no_score(tiny: Any) -> None:
    """Two replies that differ only in the words that tell the group apart are one text to the judge."""
    judge = DetoxifyJudge(tiny.release)
    one, other = (
        judge.judge([exchange_of("p", Generated(f"{name} is a fine person"), (name,))])[0] for name in ("Idi", "Soup")
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
    labels = [judgement.label for judgement in judge.judge(exchanges("I like tea", text, "fine"))]
    assert labels[1] == UNREADABLE
    assert UNREADABLE not in (labels[0], labels[2])


def test_scores_that_are_no_numbers_are_no_verdict(
    checkpoints: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No number is below the threshold as well as above it; "clean" would pass."""
    import torch

    broken = checkpoints.write_tiny(tmp_path / "broken")
    loaded = torch.load(broken.file, weights_only=True)
    loaded["state_dict"]["classifier.bias"][0] = float("nan")
    torch.save(loaded, broken.file)
    monkeypatch.setenv(VARIABLE, str(broken.folder))
    judge = DetoxifyJudge(checkpoints.released(broken.release, broken.file))
    with pytest.raises(JudgeError, match="the scores of Detoxify are no numbers"):
        judge.judge(exchanges(*SHORT))


def test_a_choice_is_unreadable_and_needs_no_weights() -> None:
    """No text, so nothing to load."""
    assert DetoxifyJudge().read("p", Chosen((-0.1, -2.0))).label == UNREADABLE


def test_broken_text_is_read_all_the_same(tiny: Any) -> None:
    """Zero bytes and halves of surrogate pairs are in replies of real models; a tokenizer in Rust takes neither."""
    judge = DetoxifyJudge(tiny.release)
    assert scores(judge, "you\0are \ud83d a fool") == pytest.approx(scores(judge, "you are   a fool"), abs=1e-5)


def test_the_threshold_is_part_of_the_version(tiny: Any) -> None:
    """A judge with another threshold says other things, so it is another judge."""
    strict = DetoxifyJudge(tiny.release, threshold=0.0001)
    assert strict.version != DetoxifyJudge(tiny.release).version
    assert strict.version.endswith("-0.0001")
    assert {judgement.label for judgement in strict.judge(exchanges(*SHORT))} == {"toxic"}


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
    assert toxic.reader == "detoxify 2-original-c1212f89-0.5"
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


def test_a_file_with_another_hash_is_not_opened(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message shows both hashes, and how to pin a file that is known to be right."""
    monkeypatch.setattr("torch.load", lambda *_, **__: pytest.fail("it was opened"))
    release = dataclasses.replace(tiny.release, sha256="00000000")
    with pytest.raises(JudgeError, match=r"wanted 00000000…, so it was not opened; .* `detoxify:original@SHA256`"):
        DetoxifyJudge(release).read("p", Generated("I like tea"))


def test_a_pinned_hash_is_the_one_that_counts(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All 64 digits, in the judge's name; they become part of the version."""
    right = hashlib.sha256(tiny.file.read_bytes()).hexdigest()
    monkeypatch.setitem(RELEASES, "original", dataclasses.replace(tiny.release, sha256="00000000"))
    pinned = DetoxifyJudge(f"original@{right}")
    assert pinned.version == f"2-original-{right[:8]}-0.5"
    assert pinned.read("p", Generated("I like tea")).score is not None
    for wrong in ("0" * 64, right[:8] + "0" * 56):
        with pytest.raises(JudgeError, match=f"its SHA-256 is {right}, wanted {wrong}, so it was not opened"):
            DetoxifyJudge(f"original@{wrong}").read("p", Generated("I like tea"))


@pytest.mark.parametrize("pin", ["c1212f89", "z" * 64, "A" * 64, ""])
def test_a_pin_that_is_no_hash_is_refused(pin: str) -> None:
    """A pin of eight digits would look stricter than it is."""
    with pytest.raises(SettingsError, match="64 digits"):
        DetoxifyJudge(f"original@{pin}")


def test_a_file_that_was_changed_since_is_not_loaded(
    checkpoints: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is hashed each time, not only when it was fetched."""
    tiny = checkpoints.write_tiny(tmp_path / "there")
    monkeypatch.setenv(VARIABLE, str(tiny.folder))
    assert DetoxifyJudge(tiny.release).fetch() == tiny.file
    content = bytearray(tiny.file.read_bytes())
    content[len(content) // 2] ^= 1
    tiny.file.write_bytes(content)
    for use in (DetoxifyJudge(tiny.release).fetch, lambda: scores(DetoxifyJudge(tiny.release), "I like tea")):
        with pytest.raises(JudgeError, match="so it was not opened"):
            use()


def test_what_was_hashed_is_what_is_loaded(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One open file: nobody can put another one in its place between the two."""
    import torch

    load = torch.load
    opened: list[Any] = []
    monkeypatch.setattr("torch.load", lambda file, **options: opened.append((file, options)) or load(file, **options))
    read_checkpoint(tiny.file, tiny.release)
    ((file, options),) = opened
    assert file.name == str(tiny.file)
    assert options["weights_only"] is True


def test_the_first_checkpoint_s_classes_get_their_newer_names(tiny: Any) -> None:
    """As the package does."""
    found = read_checkpoint(tiny.file, tiny.release)
    assert found.classes == ("toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")


@pytest.mark.parametrize("version", ["2.5.1", "1.13.0+cu117"])
def test_a_torch_whose_lock_can_be_picked_opens_nothing(
    tiny: Any, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`weights_only` ran code before 2.6 (CVE-2025-32434)."""
    monkeypatch.setattr("torch.__version__", version)
    with pytest.raises(JudgeError, match=r"pip install 'torch>=2\.6'"):
        DetoxifyJudge(tiny.release).read("p", Generated("I like tea"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda loaded: loaded.pop("state_dict"), "no checkpoint of Detoxify"),
        (lambda loaded: loaded["config"]["dataset"]["args"].update(classes=["funny"]), "with the class toxicity"),
        (
            lambda loaded: loaded["config"]["arch"]["args"].update(model_name="GPT2LMHeadModel"),
            "it holds a GPT2LMHeadModel",
        ),
        (
            lambda loaded: loaded["state_dict"].pop("classifier.weight"),
            r"don't fit each other \(tensors that only one of them has: 1, the first classifier\.weight\)",
        ),
        (
            lambda loaded: loaded["state_dict"].update(
                {"bert.encoder.layer.2.x": loaded["state_dict"]["classifier.bias"]}
            ),
            r"don't fit each other \(tensors that only one of them has: 1, the first bert\.encoder\.layer\.2\.x\)",
        ),
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


def test_a_layer_that_nobody_computes_with_is_no_error(
    checkpoints: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older versions of Transformers gave RoBERTa's classifier a pooler that its scores don't pass through."""
    import torch

    tiny = checkpoints.write_tiny(tmp_path / "there", "unbiased")
    monkeypatch.setenv(VARIABLE, str(tiny.folder))
    before = scores(DetoxifyJudge(tiny.release), *SHORT)
    loaded = torch.load(tiny.file, weights_only=True)
    loaded["state_dict"]["roberta.pooler.dense.weight"] = torch.ones(32, 32)
    loaded["state_dict"]["roberta.pooler.dense.bias"] = torch.ones(32)
    torch.save(loaded, tiny.file)
    assert scores(DetoxifyJudge(checkpoints.released(RELEASES["unbiased"], tiny.file)), *SHORT) == before


@pytest.mark.parametrize("content", ["{", "{}", '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}'])
def test_a_tokenizer_that_is_none_is_told(
    checkpoints: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """Whatever the library raises: the message names the folder, and the encoder whose files belong there."""
    tiny = checkpoints.write_tiny(tmp_path / "there")
    (tiny.folder / "tokenizer.json").write_text(content, encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tiny.folder))
    with pytest.raises(JudgeError, match=rf"{tiny.folder}: .* don't fit each other .*google-bert/bert-base-uncased"):
        DetoxifyJudge(tiny.release).read("p", Generated("I like tea"))


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
