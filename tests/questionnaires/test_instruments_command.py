"""`alignsuite instruments`: what is known, and how a wording comes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError

from alignsuite import cli
from alignsuite.questionnaires import is_here, known

from .conftest import TEXTS

Out = pytest.CaptureFixture[str]
ADDRESS = f"org/plants/words/ferns.csv@{'a' * 40}"


@pytest.mark.parametrize("arguments", [["instruments"], ["instruments", "list"]])
def test_the_list_says_whose_wording_is_there(arguments: list[str], capsys: Out) -> None:
    """Ours always; published ones by a file or a package."""
    assert cli.main(arguments) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[1:]}
    assert tuple(lines) == known()
    assert " ours " in lines["dark-27"]
    assert " to import " in lines["sd3"]
    assert " to fetch " in lines["bfi2"]
    assert " by sex and age " in lines["ipip-neo-120"]


@pytest.mark.parametrize("name", known())
def test_show_prints_credit_terms_and_key(name: str, capsys: Out) -> None:
    """Without a wording, and without writing to the cache."""
    assert cli.main(["instruments", "show", name]) == 0
    out = capsys.readouterr().out
    for word in ("credit", "terms", "wording", "answers", "score"):
        assert f"\n  {word} " in out
    if name == "bfi":
        assert "\n  openness: 5 10 15 20 25 30 35R 40 41R 44\n" in out


def test_show_prints_statements_on_demand(capsys: Out) -> None:
    """Of ours at once; of a published one after it came."""
    assert cli.main(["instruments", "show", "well-being-8", "--wording"]) == 0
    assert "   2R Many of my days" in capsys.readouterr().out
    assert cli.main(["instruments", "show", "sd3", "--wording"]) == 2
    assert "alignsuite instruments import sd3 FILE.csv" in capsys.readouterr().err


@pytest.mark.usefixtures("toy")
def test_an_import_says_where_the_wording_is_and_on_whose_terms(tmp_path: Path, capsys: Out) -> None:
    """Credit and terms are printed with it."""
    file = tmp_path / "mine.csv"
    file.write_text("\n".join(["text", *TEXTS]), encoding="utf-8")
    assert cli.main(["instruments", "import", "ferns", str(file)]) == 0
    out = capsys.readouterr().out
    assert "ferns: 4 statements recognised, kept in " in out
    assert "Nobody 2020, On ferns\nfor gardeners\n" in out
    assert cli.main(["instruments", "list"]) == 0
    assert " here " in capsys.readouterr().out


@pytest.mark.usefixtures("toy")
def test_a_refused_file_is_one_clean_line(tmp_path: Path, capsys: Out) -> None:
    """Exit code 2, and the statement in question."""
    file = tmp_path / "mine.csv"
    file.write_text("\n".join(["text", *TEXTS[:3], "Ferns are \x1b[31mplants."]), encoding="utf-8")
    assert cli.main(["instruments", "import", "ferns", str(file)]) == 2
    err = capsys.readouterr().err
    assert "mine.csv:5: " in err
    assert "nearest is item 4" in err
    assert "\x1b" not in err


@pytest.mark.usefixtures("toy")
def test_fetch_takes_the_package_that_the_data_names(capsys: Out) -> None:
    """Nothing else has to be said."""
    assert cli.main(["instruments", "fetch", "ferns"]) == 0
    assert "4 statements recognised" in capsys.readouterr().out
    assert is_here("ferns")


@pytest.mark.usefixtures("toy")
def test_fetch_from_the_hub_is_recognised_like_any_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    """A data set at a commit; the library is asked for exactly that."""
    file = tmp_path / "ferns.csv"
    file.write_text("\n".join(["item,text", *(f"{n},{text}" for n, text in enumerate(TEXTS, 1))]), encoding="utf-8")
    asked = []

    def download(*where: str, **how: str | None) -> str:
        asked.append((where, how["repo_type"], how["revision"]))
        return str(file)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    assert cli.main(["instruments", "fetch", "ferns", "--from", ADDRESS]) == 0
    assert asked == [(("org/plants", "words/ferns.csv"), "dataset", "a" * 40)]
    assert is_here("ferns")


@pytest.mark.parametrize(
    "address",
    ["", "org/plants/ferns.csv", "org/plants/ferns.csv@main", f"org/ferns.csv@{'a' * 40}", f"o/p/../x@{'a' * 40}"],
)
def test_a_place_on_the_hub_needs_a_commit(address: str, capsys: Out) -> None:
    """A branch moves; what it holds tomorrow is not what was read today."""
    assert cli.main(["instruments", "fetch", "sd3", f"--from={address}"]) == 2
    assert "wanted ORG/NAME/FILE@REVISION" in capsys.readouterr().err


def test_an_unreachable_hub_is_told(monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    """Offline and not in the cache: what to look at."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert cli.main(["instruments", "fetch", "sd3", "--from", ADDRESS]) == 2
    assert "the hub can't be reached: check the network, HF_ENDPOINT and HF_HUB_OFFLINE" in capsys.readouterr().err


def answered(kind: type[HfHubHTTPError]) -> HfHubHTTPError:
    """An answer of the hub that the library turned into an error, whichever HTTP client it uses."""
    error = kind.__new__(kind)
    error.response = SimpleNamespace(status_code=403)
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (answered(EntryNotFoundError), "the data set has no file `words/ferns.csv` at that revision"),
        (answered(HfHubHTTPError), "the hub answered 403: check name and revision"),
        (HFValidationError("bad"), "the name is not valid (bad)"),
        (OSError(28, "full"), "it could not be written or fetched ([Errno 28] full)"),
    ],
)
def test_what_the_hub_refuses_is_told(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    """Each with its own advice, as one line."""

    def refuse(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    assert cli.main(["instruments", "fetch", "sd3", "--from", ADDRESS]) == 2
    assert words in capsys.readouterr().err
