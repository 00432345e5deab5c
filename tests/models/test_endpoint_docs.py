"""The pages about endpoints: the compose file is what its page says, and no option is made up."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
COMPOSE = HOW_TO / "compose" / "vllm.yaml"
PAGE = HOW_TO / "vllm-on-a-ray-cluster.md"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file."""
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert isinstance(services, dict)
    return services


def test_the_compose_file_has_a_head_and_workers(services: dict[str, Any]) -> None:
    """Each in a profile of its own name, with the GPUs, the host's network and its own address."""
    assert set(services) == {"head", "worker"}
    for name, service in services.items():
        assert service["profiles"] == [name]
        assert service["network_mode"] == service["ipc"] == "host"
        assert service["environment"]["VLLM_HOST_IP"].startswith("${HOST_IP:?")
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert device["capabilities"] == ["gpu"]


def test_page_and_compose_file_give_the_same_commands(services: dict[str, Any]) -> None:
    """Whoever follows the one gets what the other promises."""
    page = PAGE.read_text()
    scripts = {name: service["command"][0] for name, service in services.items()}
    for words in (
        "--tensor-parallel-size",
        "--pipeline-parallel-size",
        "--distributed-executor-backend ray",
        "vllm serve",
    ):
        assert words in page
        assert words in scripts["head"]
    assert "ray start --head" in scripts["head"]
    assert "ray start --block --address=" in scripts["worker"]
    (ray,) = set(re.findall(r"'ray\[cgraph\]==[\d.]+'", page + scripts["head"] + scripts["worker"]))
    assert all(ray in text for text in (page, *scripts.values()))


@pytest.mark.parametrize("name", ["head", "worker"])
def test_the_scripts_in_the_compose_file_are_shell(services: dict[str, Any], name: str) -> None:
    """As the container will see them: after compose has put its own variables in."""
    shell = shutil.which("bash")
    if shell is None:
        pytest.skip("needs bash to check a script of bash")
    script = re.sub(r"\$\{\w+[^}]*\}", "value", services[name]["command"][0]).replace("$$", "$")
    assert "${" not in script
    subprocess.run([shell, "-n", "-c", script], check=True)


def test_every_variable_is_described_at_the_top() -> None:
    """A reader fills in `.env` from the comment."""
    text = COMPOSE.read_text()
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", text)) - {"VLLM_IMAGE"}
    described = set(re.findall(r"^#   (\w+)=", text, re.MULTILINE))
    assert used == described


@pytest.mark.parametrize("page", ["use-an-endpoint.md", "vllm-on-a-ray-cluster.md"])
def test_options_of_ours_that_a_page_names_exist(page: str) -> None:
    """They stand in pytest's own help."""
    named = set(re.findall(r"--align-[a-z-]+", (HOW_TO / page).read_text()))
    assert named
    shown = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert {option for option in named if option not in shown} == set()
