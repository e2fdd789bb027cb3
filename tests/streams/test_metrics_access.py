"""Who may read /metrics, over a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from schemas.settings import MetricsSettings
from streams.cli import run
from streams.errors import SettingsError
from streams.metrics_access import MIN_TOKEN_CHARACTERS, bearer_token, holds, is_loopback
from streams.metrics_server import SupervisorServer
from streams.monitoring import SupervisorMetrics
from streams.secrets import Hidden

EVERYWHERE = ".".join("0000")
WORD = "correct-horse-battery"


@pytest.fixture
def token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("FRESHREC_METRICS__TOKEN", raising=False)
    path = tmp_path / "token"
    path.write_text(f"{WORD}\n")
    return str(path)


@asynccontextmanager
async def server(settings: MetricsSettings) -> AsyncIterator[str]:
    served = SupervisorServer(settings, SupervisorMetrics(), dict)
    port = await served.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await served.stop()


async def get(url: str, authorization: str | None = None) -> tuple[int, str, str]:
    """Status, body, and the way to authorize that the answer asks for."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.text(), response.headers.get("WWW-Authenticate", "")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong",
        f"Basic {WORD}",
        WORD,
        f"Bearer {WORD}x",
        "Bearer gr\u00fcn",
    ],
)
def test_metrics_are_refused_without_the_token_and_health_is_open(
    token_file: str, authorization: str | None
) -> None:
    async def scenario() -> None:
        async with server(MetricsSettings(port=0, token_file=token_file)) as url:
            assert await get(f"{url}/metrics", authorization) == (401, "", "Bearer")
            assert (await get(f"{url}/health/live"))[0] == 200
            assert (await get(f"{url}/health/ready"))[0] == 503

    asyncio.run(scenario())


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_metrics_are_given_to_who_holds_the_token(token_file: str, scheme: str) -> None:
    async def scenario() -> None:
        async with server(MetricsSettings(port=0, token_file=token_file)) as url:
            status, body, _ = await get(f"{url}/metrics", f"{scheme} {WORD}")
            assert (status, "freshrec_child" in body) == (200, True)

    asyncio.run(scenario())


def test_on_the_loopback_interface_no_token_is_needed(token_file: str) -> None:
    async def scenario() -> None:
        async with server(MetricsSettings(port=0)) as url:
            assert (await get(f"{url}/metrics"))[0] == 200

    assert Path(token_file).is_file()
    asyncio.run(scenario())


def test_a_port_that_others_can_reach_is_not_opened_without_a_token(token_file: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = MetricsSettings(host=EVERYWHERE, port=port)
    with pytest.raises(SettingsError) as caught:
        asyncio.run(SupervisorServer(settings, SupervisorMetrics(), dict).start())
    assert f"metrics.host = '{EVERYWHERE}' can be reached from other machines" in str(caught.value)
    assert "metrics.token_file" in str(caught.value) and "127.0.0.1" in str(caught.value)
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect(("127.0.0.1", port))
    assert bearer_token(MetricsSettings(host=EVERYWHERE, token_file=token_file)) == WORD


def test_a_short_token_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRESHREC_METRICS__TOKEN", "swordfish")
    with pytest.raises(SettingsError) as caught:
        bearer_token(MetricsSettings())
    assert f"9 characters, expected at least {MIN_TOKEN_CHARACTERS}" in str(caught.value)
    assert "swordfish" not in str(caught.value)


def test_addresses_and_names_are_told_apart_by_who_reaches_them() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_loopback, (EVERYWHERE, "::", "10.0.0.7", "192.168.1.2", "nowhere.invalid")))


def test_only_a_bearer_holds_the_token() -> None:
    token = Hidden(WORD)
    assert holds(f"Bearer {WORD}", token) and holds(f"bearer  {WORD} ", token)
    others = (None, "", WORD, f"Basic {WORD}", f"Bearer {WORD[:-1]}", "Bearer \udcff")
    assert not any(holds(header, token) for header in others)


def test_the_settings_show_where_the_token_is_and_not_the_token(
    token_file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FRESHREC_METRICS__TOKEN_FILE", token_file)
    assert run(["config", "--json"]) == 0
    said = capsys.readouterr().out
    assert token_file in said and WORD not in said
