import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's store, or talks to an endpoint that the user's environment names."""
    monkeypatch.setenv("ALIGNSUITE_HOME", str(tmp_path_factory.mktemp("home")))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def pytest_configure(config: pytest.Config) -> None:
    """Make our marker known."""
    config.addinivalue_line("markers", "untraced: what it runs a thousand times is covered by the tests beside it")


@pytest.fixture(autouse=True)
def _untraced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let simulations and whole runs of suites go at their own pace: coverage looks away, here and in processes of their own."""
    current = None
    if request.node.get_closest_marker("untraced") is not None and "coverage" in sys.modules:
        current = sys.modules["coverage"].Coverage.current()
        for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
            monkeypatch.delenv(name, raising=False)
    if current is not None:
        current.stop()
    yield
    if current is not None:
        current.start()
