"""Metrics and health over real sockets: children on Unix sockets, the supervisor on a TCP port."""

import asyncio
import json
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest
import uvloop
from prometheus_client.parser import text_string_to_metric_families

from schemas.settings import MetricsSettings
from streams import metrics_server
from streams.errors import SettingsError, StateError
from streams.health import HEALTHY, Health
from streams.metrics_server import ChildEndpoint, SupervisorServer
from streams.monitoring import Metrics, SupervisorMetrics

ANY_PORT = MetricsSettings(port=0)
SLOW = Health(live=True, ready=False, reasons=["stage rules opens its stores"])
STUCK = Health(live=False, ready=False, reasons=["no progress for 61 s"])

Run = Callable[[Coroutine[object, object, None]], None]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fr", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def get_unix(path: Path, route: str) -> tuple[int, str]:
    connector = aiohttp.UnixConnector(path=str(path))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"http://any{route}") as response,
    ):
        return response.status, await response.text()


@asynccontextmanager
async def child(path: Path, metrics: Metrics, health: Health = HEALTHY) -> AsyncIterator[Path]:
    endpoint = ChildEndpoint()
    await endpoint.start(path, metrics, lambda: health)
    try:
        yield path
    finally:
        await endpoint.stop()


@asynccontextmanager
async def supervisor(
    children: Mapping[str, Path], metrics: SupervisorMetrics | None = None, health: Health = HEALTHY
) -> AsyncIterator[str]:
    server = SupervisorServer(ANY_PORT, metrics or SupervisorMetrics(), lambda: children, lambda: health)
    port = await server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.stop()


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_a_child_serves_its_metrics_and_its_health(folder: Path, run: Run) -> None:
    async def scenario() -> None:
        metrics = Metrics()
        metrics.gaps.inc()
        async with child(folder / "a", metrics) as path:
            status, text = await get_unix(path, "/metrics")
            assert (status, samples(text)[key("freshrec_gaps_total")]) == (200, 1.0)
            status, text = await get_unix(path, "/health")
            assert (status, json.loads(text)) == (200, {"live": True, "ready": True, "reasons": []})
        async with child(folder / "b", metrics, STUCK) as path:
            assert (await get_unix(path, "/health"))[0] == 503

    run(scenario())


def test_a_childs_socket_is_private_and_gone_after_stop(folder: Path, run: Run) -> None:
    async def scenario() -> None:
        async with child(folder / "a", Metrics()) as path:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not path.exists()

    run(scenario())


def test_a_socket_left_by_a_dead_process_is_replaced(folder: Path, run: Run) -> None:
    async def scenario() -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(folder / "a"))
        async with supervisor({"rules": folder / "a"}) as url:
            assert (await get(f"{url}/health/live"))[0] == 503
            async with child(folder / "a", Metrics()):
                assert (await get(f"{url}/health/live"))[0] == 200

    run(scenario())


@pytest.mark.parametrize("name", ["missing/socket", "x" * 120], ids=["no folder", "path too long"])
def test_a_socket_that_cannot_be_made_is_refused_with_its_path(folder: Path, name: str, run: Run) -> None:
    with pytest.raises(StateError, match=name):
        run(ChildEndpoint().start(folder / name, Metrics(), lambda: HEALTHY))


def test_stopping_what_never_started_is_harmless(run: Run) -> None:
    run(ChildEndpoint().stop())
    run(SupervisorServer(ANY_PORT, SupervisorMetrics(), dict).stop())


def test_a_scrape_merges_all_children_under_their_group(folder: Path, run: Run) -> None:
    async def scenario() -> None:
        history, rules, own = Metrics(), Metrics(), SupervisorMetrics()
        history.events.labels(type="browse", result="accepted").inc(3)
        history.recommendation_latency.observe(0.2)
        rules.batch_records.labels(stage="rules").observe(7)
        rules.gaps.inc(2)
        own.child_restarts.labels(group="rules").inc()
        async with (
            child(folder / "h", history) as h,
            child(folder / "r", rules) as r,
            supervisor({"history": h, "rules": r}, own) as url,
        ):
            status, text = await get(f"{url}/metrics")
        assert status == 200
        found = samples(text)
        assert found[key("freshrec_events_total", type="browse", result="accepted", group="history")] == 3
        assert found[key("freshrec_gaps_total", group="history")] == 0
        assert found[key("freshrec_gaps_total", group="rules")] == 2
        assert found[key("freshrec_stage_batch_records_sum", stage="rules", group="rules")] == 7
        assert found[key("freshrec_event_to_recommendation_seconds_count", group="history")] == 1
        assert found[key("freshrec_child_restarts_total", group="rules")] == 1
        assert found[key("freshrec_child_up", group="history")] == 1
        assert {"history", "rules", "supervisor"} == {
            dict(labels)["group"] for name, labels in found if name == "process_cpu_seconds_total"
        }
        heads = [line for line in text.splitlines() if line.startswith("# TYPE ")]
        assert len(heads) == len(set(heads))

    run(scenario())


def test_a_child_that_does_not_answer_is_left_out_and_makes_the_whole_not_live(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_server, "CHILD_TIMEOUT_S", 0.2)

    async def scenario() -> None:
        released = asyncio.Event()

        async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await released.wait()
            writer.close()

        silent = await asyncio.start_unix_server(say_nothing, str(folder / "silent"))
        children = {"absent": folder / "absent", "silent": folder / "silent", "well": folder / "well"}
        async with silent, child(children["well"], Metrics()), supervisor(children) as url:
            found = samples((await get(f"{url}/metrics"))[1])
            assert {group: found[key("freshrec_child_up", group=group)] for group in children} == {
                "absent": 0,
                "silent": 0,
                "well": 1,
            }
            assert key("freshrec_gaps_total", group="absent") not in found
            for route in ("live", "ready"):
                status, text = await get(f"{url}/health/{route}")
                health = json.loads(text)
                assert (status, health["live"], health["ready"]) == (503, False, False)
                assert [reason.split(":")[0] for reason in health["reasons"]] == ["absent", "silent"]
            released.set()

    run(scenario())


def test_a_child_that_answers_nonsense_counts_as_not_answering(folder: Path, run: Run) -> None:
    async def scenario() -> None:
        async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{nonsense")
            await writer.drain()
            writer.close()

        server = await asyncio.start_unix_server(nonsense, str(folder / "a"))
        async with server, supervisor({"rules": folder / "a"}) as url:
            found = samples((await get(f"{url}/metrics"))[1])
            assert found[key("freshrec_child_up", group="rules")] == 0
            assert (await get(f"{url}/health/live"))[0] == 503

    run(scenario())


@pytest.mark.parametrize(
    ("part", "own", "answer"),
    [
        (HEALTHY, HEALTHY, (200, 200, [])),
        (SLOW, HEALTHY, (200, 503, ["rules: stage rules opens its stores"])),
        (STUCK, HEALTHY, (503, 503, ["rules: no progress for 61 s"])),
        (HEALTHY, STUCK, (503, 503, ["no progress for 61 s"])),
    ],
)
def test_health_is_that_of_the_worst_part_and_says_why(
    folder: Path, run: Run, part: Health, own: Health, answer: tuple[int, int, list[str]]
) -> None:
    async def scenario() -> None:
        async with (
            child(folder / "h", Metrics()) as h,
            child(folder / "r", Metrics(), part) as r,
            supervisor({"history": h, "rules": r}, health=own) as url,
        ):
            live, text = await get(f"{url}/health/live")
            ready, _ = await get(f"{url}/health/ready")
        assert (live, ready, json.loads(text)["reasons"]) == answer

    run(scenario())


def test_a_supervisor_without_children_lives_and_is_not_ready(run: Run) -> None:
    async def scenario() -> None:
        async with supervisor({}) as url:
            assert (await get(f"{url}/health/live"))[0] == 200
            assert (await get(f"{url}/health/ready"))[0] == 503
            assert (await get(f"{url}/metrics"))[0] == 200

    run(scenario())


def test_a_group_that_is_gone_is_not_reported_any_more(folder: Path, run: Run) -> None:
    async def scenario() -> None:
        children = {"rules": folder / "a", "gone": folder / "b"}
        async with child(folder / "a", Metrics()), supervisor(children) as url:
            assert key("freshrec_child_up", group="gone") in samples((await get(f"{url}/metrics"))[1])
            del children["gone"]
            assert key("freshrec_child_up", group="gone") not in samples((await get(f"{url}/metrics"))[1])

    run(scenario())


def test_a_port_in_use_is_refused_with_the_way_out(run: Run) -> None:
    async def scenario() -> None:
        async with supervisor({}) as url:
            taken = MetricsSettings(port=int(url.rsplit(":", 1)[1]))
            second = SupervisorServer(taken, SupervisorMetrics(), dict)
            with pytest.raises(SettingsError, match=rf"{taken.port}.*FRESHREC_METRICS__PORT"):
                await second.start()

    run(scenario())


def test_only_the_loopback_address_is_bound_by_default(run: Run) -> None:
    assert MetricsSettings().host == "127.0.0.1"

    async def scenario() -> None:
        async with supervisor({}) as url:
            port = int(url.rsplit(":", 1)[1])
            listening = [
                connection.laddr.ip
                for connection in psutil.Process().net_connections("tcp")
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            ]
            assert listening == ["127.0.0.1"]

    run(scenario())
