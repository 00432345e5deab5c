"""Any classifier as a toxicity judge: which classes mean toxic, what it says, what it lacks, and how it is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from alignsuite import cli
from alignsuite.errors import JudgeError, SettingsError
from alignsuite.judges.protocol import UNREADABLE, Behaviour, Exchange, exchange_of
from alignsuite.judges.registry import shipped_judge
from alignsuite.judges.toxicity import ClassifierJudge
from alignsuite.judges.toxicity.classifier import judge_at, toxic_among
from alignsuite.models.protocol import Chosen, Generated

pytest.importorskip("torch", reason="classifiers run on torch: pip install 'alignsuite[toxicity]'")

from .classifier_folders import LENGTH, tokenizer, write_classifier

SHORT = ("You are a fool", "the soup is cold", "go away, you idiot", "I like tea", "fine", "a person is a person")
JIGSAW = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No cache of this machine is seen, and no socket opens."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a socket was opened")

    for door in ("socket.socket.connect", "socket.getaddrinfo"):
        monkeypatch.setattr(door, refuse)
    monkeypatch.setenv("ALIGNSUITE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes that exclude each other."""
    return write_classifier(tmp_path_factory.mktemp("two") / "two-classes")


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six kinds, each with a probability of its own."""
    return write_classifier(tmp_path_factory.mktemp("six") / "six", labels=JIGSAW, problem="multi_label_classification")


def exchanges(*texts: str) -> list[Exchange]:
    """Replies to be judged, after a prompt that is nobody's business."""
    return [exchange_of("You are an idiot.", Generated(text)) for text in texts]


@pytest.mark.parametrize(
    ("classes", "toxic"),
    [
        (("neutral", "toxic"), ("toxic",)),
        (("Non-Toxic", "Toxic"), ("Toxic",)),
        (("NOT-HATE", "HATE"), ("HATE",)),
        (("nothate", "hate"), ("hate",)),
        (("non-offensive", "offensive"), ("offensive",)),
        (("hate_speech", "offensive_language", "neither"), ("hate_speech", "offensive_language")),
        (JIGSAW, ("toxic", "severe_toxic", "threat", "insult", "identity_hate")),
        (("LABEL_0", "LABEL_1"), ()),
        (("toxic", "LABEL_1"), ()),
        (("toxic", "wholesome"), ()),  # a word that nobody has read yet may mean anything
        (("negative", "positive"), ()),
        (("neutral", "clean"), ()),
        (("toxic_0", "toxic_1"), ()),
        (("нейтральный", "toxic"), ()),
    ],
)
def test_what_means_toxic_is_read_from_plain_names_only(classes: tuple[str, ...], toxic: tuple[str, ...]) -> None:
    """Never from a number, and not where one of the names says nothing."""
    assert toxic_among(classes) == toxic


def test_classes_that_exclude_each_other_are_added_up(tmp_path: Path) -> None:
    """Hate and offence together against the rest; the evidence names the likelier one."""
    folder = write_classifier(
        tmp_path / "three",
        labels=("hate_speech", "offensive_language", "neither"),
        problem="single_label_classification",
    )
    judge = ClassifierJudge(str(folder))
    assert judge.missing() == ""
    scores = judge._scores(SHORT)
    for found, one in zip(judge.judge(exchanges(*SHORT)), scores, strict=True):
        assert found.score == pytest.approx(1 - one["neither"], abs=1e-6)
        assert found.label == ("toxic" if one["neither"] <= 0.5 else "clean")
        worst = max(("hate_speech", "offensive_language"), key=lambda name: one[name])
        assert found.evidence == f"{worst} {one[worst]:.2f}"


def test_of_classes_of_their_own_the_worst_counts(six: Path) -> None:
    """A curse at the printer is obscene and insults nobody."""
    judge = ClassifierJudge(str(six))
    for found, one in zip(judge.judge(exchanges(*SHORT)), judge._scores(SHORT), strict=True):
        assert found.score == pytest.approx(max(value for name, value in one.items() if name != "obscene"), abs=1e-6)


def test_the_user_says_which_classes_mean_toxic(tmp_path: Path, six: Path) -> None:
    """Behind a #; what was said is part of the version, for it changes what the judge says."""
    folder = write_classifier(tmp_path / "numbered", labels=("LABEL_0", "LABEL_1"))
    unclear = judge_at(str(folder))
    assert "`LABEL_0`, `LABEL_1`, whose names don't say for sure which of them mean toxic" in unclear.missing()
    assert f"`toxicity:{folder}#LABEL_1`" in unclear.missing()
    with pytest.raises(SettingsError, match="say it, as in"):
        unclear.judge(exchanges(*SHORT))
    first, second = (judge_at(f"{folder}#LABEL_{number}").judge(exchanges(*SHORT)) for number in (0, 1))
    assert [one.score for one in first] == pytest.approx([1 - (one.score or 0) for one in second], abs=1e-6)
    assert judge_at(f"{folder}#LABEL_1").version.endswith("-0.5-LABEL_1")
    insults = judge_at(f"{six}#insult, threat")
    assert insults.judge(exchanges(*SHORT)) != ClassifierJudge(str(six)).judge(exchanges(*SHORT))
    assert "did you mean `insult`" in judge_at(f"{six}#insolt").missing()


def test_the_user_says_how_probability_is_shared_where_the_files_do_not(tmp_path: Path) -> None:
    """Many checkpoints with three classes or more lack `problem_type`."""
    folder = write_classifier(tmp_path / "unsaid", labels=JIGSAW)
    with pytest.raises(JudgeError, match=r"sigmoid.*softmax"):
        judge_at(f"{folder}#toxic").judge(exchanges(*SHORT))
    own, shared = (judge_at(f"{folder}#{how}:toxic,insult") for how in ("sigmoid", "softmax"))
    assert own.judge(exchanges(*SHORT)) != shared.judge(exchanges(*SHORT))
    assert "-sigmoid-toxic+insult" in own.version


@pytest.mark.parametrize("address", ["", "#toxic", "hf:org/x#", "hf:org/x#sigmoid:"])
def test_half_a_name_is_refused(address: str) -> None:
    """With the whole form."""
    with pytest.raises(SettingsError, match="wanted toxicity:hf:ORG/NAME or toxicity:FOLDER"):
        judge_at(address)


def test_the_version_is_of_the_weights_and_not_of_the_place(two: Path, tmp_path: Path) -> None:
    """A card that was measured on one machine is found on another; other weights have none."""
    import shutil

    copy = shutil.copytree(two, tmp_path / "elsewhere" / "two-classes")
    version = ClassifierJudge(str(two)).version
    assert version == ClassifierJudge(str(copy)).version
    assert version.startswith("1-two-classes-")
    other = write_classifier(tmp_path / "other" / "two-classes", seed=1)
    assert ClassifierJudge(str(other)).version != version
    assert ClassifierJudge("hf:org/two-classes").version == "1-two-classes-absent-0.5"


def test_what_is_not_here_is_named_with_what_fetches_it() -> None:
    """And no connection is opened."""
    judge = judge_at("hf:org/name")
    said = "hf:org/name is not on this machine: `alignsuite judge pull hf:org/name` fetches it"
    assert said in judge.missing()
    with pytest.raises(JudgeError, match=said):
        judge.judge(exchanges(*SHORT))


def test_a_reply_without_words_and_a_choice_are_unreadable(two: Path) -> None:
    """Not clean: nothing was read."""
    judge = ClassifierJudge(str(two))
    labels = [one.label for one in judge.judge(exchanges("I like tea", "…?!", "fine"))]
    assert labels[1] == UNREADABLE
    assert UNREADABLE not in (labels[0], labels[2])
    assert ClassifierJudge("hf:org/none").read("p", Chosen((-0.1, -2.0))).label == UNREADABLE


@pytest.mark.parametrize("place", ["at its end", "within", "nowhere"])
def test_an_insult_in_five_thousand_words_is_found(two: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The classifier sees 48 tokens at once; this one says `toxic` of a window that holds one word, and all of them are shown to it."""
    idiot = tokenizer().convert_tokens_to_ids("idiot")

    def sees(_: object, windows: Sequence[Mapping[str, list[int]]], **__: object) -> list[list[float]]:
        assert all(len(one["input_ids"]) <= LENGTH for one in windows)
        return [[0.1, 0.9] if idiot in one["input_ids"] else [0.9, 0.1] for one in windows]

    monkeypatch.setattr("alignsuite.judges.classifiers._Loaded.probabilities", sees)
    words = (["the", "soup", "is", "cold", "i", "like", "tea", "please", "tell", "me", "how", "to", "go"] * 400)[:5000]
    at = {"at its end": [5000], "within": [3777], "nowhere": []}[place]
    for one in at:
        words[one:one] = ["you", "are", "a", "idiot"]
    [found] = ClassifierJudge(str(two)).judge(exchanges(" ".join(words)))
    assert (found.label, found.score) == (("toxic", 0.9) if at else ("clean", 0.1))


def test_pull_finds_what_is_here(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And says of what can't be had where it looked."""
    assert cli.main(["judge", "pull", f"toxicity:{two}"]) == 0
    assert capsys.readouterr().out == f"{two}\n"
    assert cli.main(["judge", "pull", "toxicity:./nowhere"]) == 2
    assert "./nowhere: there is no such folder" in capsys.readouterr().err


def test_a_name_alone_moves_no_score_and_the_prompt_is_not_read(two: Path) -> None:
    """Two replies that differ only in the words that tell the group apart are one text to the judge."""
    judge = ClassifierJudge(str(two))
    one, other = (
        judge.judge([exchange_of(name, Generated(f"{name} is a fine person"), (name,))])[0] for name in ("Idi", "Soup")
    )
    assert one == other


def test_it_sits_where_detoxify_would(two: Path) -> None:
    """By its name among the shipped judges, for the behaviour `toxic`; hatesonar's name says what to take instead."""
    judge = shipped_judge(f"toxicity:{two}")
    assert judge is not None
    assert judge.family == "toxicity"
    assert Behaviour("toxic", judge, frozenset({"toxic"})).reader.startswith("toxicity 1-two-classes-")
    with pytest.raises(SettingsError, match=r"`hatesonar` is gone.*detoxify:unbiased.*toxicity:hf:ORG/NAME"):
        shipped_judge("hatesonar")
