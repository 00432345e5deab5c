"""Variables that the `openai` package knows: they mean here what they mean there."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from alignsuite.errors import ModelError, RequestError
from alignsuite.models.engines.endpoint.address import OPENAI_URL, Address, addresses_of
from alignsuite.models.engines.endpoint.engine import Backoff, open_endpoint
from alignsuite.models.protocol import Generate, Generated, Message, Reply

from . import openai_server as double
from .openai_server import Asked, OpenAIServer

VARIABLES = [
    f"OPENAI_{name}"
    for name in ("API_KEY", "BASE_URL", "ORG_ID", "PROJECT_ID", "CUSTOM_HEADERS", "API_TYPE", "API_VERSION")
]
VARIABLES += [f"AZURE_OPENAI_{name}" for name in ("ENDPOINT", "API_KEY", "AD_TOKEN")]
VARIABLES += ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
ANSWER = {"choices": [{"message": {"content": "from Azure"}, "finish_reason": "stop"}]}
AZURE_KEY, TOKEN = "azure-key-0123456789", "entra-token-0123456789"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's account takes part."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def no_sleep(_: float) -> None:
    """Time is not waited for."""


def ask(base_url: str | None, **options: Any) -> Reply | RequestError:
    """One reply of the model `gpt`."""
    options = {"api_key": None, "backoff": Backoff(sleep=no_sleep), **options}
    model = open_endpoint(options.pop("model", "gpt"), base_url=base_url, **options)
    try:
        ((_, reply),) = model.answer([Generate((Message("user", "hi"),))])
    finally:
        model.close()
    return reply


def heard_at_azure(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Asked:
    """What a deployment at Azure hears, asked by environment alone."""
    with OpenAIServer(plan=double.always(double.says(ANSWER))) as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url.removesuffix("/v1") + "/")
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        reply = ask(None)
    assert isinstance(reply, Generated)
    assert reply.text == "from Azure"
    return server.asked[0]


# -------------------------------------------------------------------------------- headers


def test_organisation_project_and_headers_of_ones_own_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account with several projects is billed for the right one, and a gateway gets what it wants."""
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-2")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Team: fairness\nX-Gateway-Key: gateway-0123456789")
    with OpenAIServer() as server:
        assert isinstance(ask(server.url, model="double-1"), Generated)
    headers = server.asked[0].headers
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "proj-2")
    assert (headers["x-team"], headers["x-gateway-key"]) == ("fairness", "gateway-0123456789")


def test_an_authorization_of_ones_own_takes_the_place_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that lets in by another scheme; user info in the URL, which is nearer, comes before it."""
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Gateway abcdefgh")
    with OpenAIServer() as server:
        ask(server.url, model="double-1", api_key="sk-key-0123456789")
        ask(server.url.replace("//", "//me:pass-word@"), model="double-1")
    assert [asked.headers["authorization"] for asked in server.asked] == ["Gateway abcdefgh", "Basic bWU6cGFzcy13b3Jk"]


def test_what_headers_of_ones_own_hold_is_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A gateway's key may be among them, and a gateway may say it back."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: Key gateway-0123456789\nX-Team: fairness-team")
    plan = double.always(double.refusal(400, "no: gateway-0123456789, Key gateway-0123456789, fairness-team"))
    with OpenAIServer(plan=plan) as server:
        reply = ask(server.url)
    assert isinstance(reply, RequestError)
    assert "HTTP 400: no: ***" in str(reply)
    assert not any(secret in f"{caplog.text} {reply}" for secret in ("gateway-0123456789", "fairness-team"))


def test_certificates_that_cant_be_read_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is a slip in a variable, and trying again or blaming the server would hide it."""
    for slip in (tmp_path / "none.pem", tmp_path / "empty.pem"):
        (tmp_path / "empty.pem").write_text("no certificate")
        monkeypatch.setenv("SSL_CERT_FILE", str(slip))
        with pytest.raises(ModelError, match=rf"SSL_CERT_FILE.*{slip.name}"):
            ask("https://127.0.0.1:1/v1")


# -------------------------------------------------------------------------------- Azure


def test_azure_is_asked_where_the_environment_names_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployment has the model's name; the key goes as Azure wants it, and the version of the API into the query."""
    heard = heard_at_azure(monkeypatch, AZURE_OPENAI_API_KEY=AZURE_KEY, OPENAI_API_VERSION="2024-10-21")
    assert heard.path == "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    assert heard.headers["api-key"] == AZURE_KEY
    assert "authorization" not in heard.headers


def test_a_token_of_microsoft_entra_comes_before_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the package."""
    heard = heard_at_azure(
        monkeypatch, AZURE_OPENAI_API_KEY=AZURE_KEY, AZURE_OPENAI_AD_TOKEN=TOKEN, OPENAI_API_VERSION="2024-10-21"
    )
    assert heard.headers["authorization"] == f"Bearer {TOKEN}"
    assert "api-key" not in heard.headers


def test_azure_is_where_the_package_itself_looks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """URL, key and version are those of its own client in the same environment."""
    import openai

    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://resource.openai.azure.com/")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", AZURE_KEY)
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    (address,) = addresses_of("gpt", None, None)
    with openai.AzureOpenAI(azure_deployment="gpt") as client:
        assert str(client.base_url).rstrip("/") == address.url
        assert (client.api_key, client._api_version) == (address.key, address.api_version)


def test_a_base_url_of_azure_names_its_version_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several deployments, or one that has another name than the model; OpenAI's own key isn't taken for Azure's."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai-0123456789")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", AZURE_KEY)
    monkeypatch.setenv("OPENAI_API_VERSION", "2023-05-15")
    with OpenAIServer(plan=double.always(double.says(ANSWER))) as server:
        url = server.url.replace("/v1", "/openai/deployments/mine?api-version=2025-01-01&x=y")
        ask(url, api_key="sk-of-openai-0123456789")
        ask(url, api_key="named-for-it")
    first, second = server.asked
    assert first.path == "/openai/deployments/mine/chat/completions?api-version=2025-01-01&x=y"
    assert (first.headers["api-key"], second.headers["api-key"]) == (AZURE_KEY, "named-for-it")


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, OPENAI_URL),
        ({"OPENAI_API_KEY": "sk-1", "AZURE_OPENAI_ENDPOINT": "https://a"}, OPENAI_URL),
        ({"OPENAI_API_TYPE": "openai", "AZURE_OPENAI_ENDPOINT": "https://a"}, OPENAI_URL),
        ({"OPENAI_BASE_URL": "http://h/v1", "AZURE_OPENAI_ENDPOINT": "https://a"}, "http://h/v1"),
        ({"AZURE_OPENAI_ENDPOINT": "https://a"}, "https://a/openai/deployments/gpt"),
        (
            {"OPENAI_API_KEY": "sk-1", "OPENAI_API_TYPE": "azure", "AZURE_OPENAI_ENDPOINT": "https://a"},
            "https://a/openai/deployments/gpt",
        ),
    ],
)
def test_where_no_base_url_is_named_the_environment_decides(
    environment: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azure's variables alone lead to Azure; beside a key for OpenAI, OPENAI_API_TYPE has to say so."""
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert [address.url for address in addresses_of("gpt", None, None)] == [url]
    assert [address.url for address in addresses_of("gpt", "http://named/v1", None)] == ["http://named/v1"]


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({"OPENAI_API_TYPE": "azure"}, "set AZURE_OPENAI_ENDPOINT"),
        ({"AZURE_OPENAI_ENDPOINT": "https://a"}, "set OPENAI_API_VERSION"),
        ({"AZURE_OPENAI_ENDPOINT": "https://a", "OPENAI_API_VERSION": "1"}, "set AZURE_OPENAI_API_KEY"),
    ],
)
def test_what_azure_lacks_is_told_before_anything_is_sent(
    environment: dict[str, str], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the variable that is missing."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ModelError, match=missing):
        ask(None)


def test_a_refused_key_at_azure_names_azures_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets OPENAI_API_KEY then would wonder; and the key isn't shown."""
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", AZURE_KEY)
    with OpenAIServer(plan=double.always(double.refusal(401, f"Access denied for {AZURE_KEY}"))) as server:
        url = server.url.replace("/v1", "/openai/deployments/mine?api-version=2025-01-01")
        with pytest.raises(ModelError, match=r"Access denied for \*\*\*.*Set AZURE_OPENAI_API_KEY"):
            ask(url)


def test_an_address_shows_no_token() -> None:
    """In no message, and not in a debugger either."""
    address = Address("https://a/openai/deployments/gpt", TOKEN, api_version="1", is_token=True)
    assert TOKEN not in repr(address)
    assert address.clean(f"no: {TOKEN}") == "no: ***"
