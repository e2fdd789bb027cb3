"""What a worker's metrics tell: quality over time, state, and what is said when they cannot be read."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from schemas.page import StatePart
from schemas.settings import MetricsSettings, ServeSettings
from streams.monitoring import METRICS, Metrics, SupervisorMetrics
from streams.secrets import Hidden
from streams.serving.live.figures import figures_of
from streams.serving.live.worker import KEPT, MOST_BYTES, NOWHERE, Worker
from streams.serving.live.worker_state import NAMES, OVER_MS
from tests.streams.serving.parts import SETTINGS, Desk, a_shop


def a_worker(*, hits: int = 3, queries: int = 10) -> Metrics:
    metrics = Metrics()
    metrics.list_queries.inc(queries)
    metrics.list_hits.labels(list="given").inc(hits)
    metrics.list_hits.labels(list="popular").inc(1)
    metrics.exposure_gini.set(0.25)
    metrics.stage_ready.labels(stage="history").set(1)
    metrics.lag.labels(topic="events", partition="0").set(5)
    metrics.lag.labels(topic="events", partition="1").set(6)
    return metrics


def learned(*metrics: Metrics) -> Worker:
    figures = Worker("http://127.0.0.1:1/metrics", None)
    for number, each in enumerate(metrics):
        figures.learn(number * OVER_MS, each.render().decode())
    return figures


def told(parts: list[StatePart]) -> dict[str, tuple[str, bool]]:
    return {part.name: (part.value, part.well) for part in parts}


def test_all_samples_that_are_looked_at_are_metrics_of_workers() -> None:
    assert {metric.says.name for metric in METRICS} >= NAMES


def test_rates_are_those_of_the_last_minute() -> None:
    figures = learned(a_worker(), a_worker(hits=5, queries=20), a_worker(hits=5, queries=20))
    first, second = figures.points
    assert (first.at, first.figures["hit_rate"], first.figures["hit_rate_popular"]) == (OVER_MS, 0.2, 0.0)
    assert (second.figures["hit_rate"], second.figures["exposure_gini"]) == (None, 0.25)
    assert first.figures["segments_kept"] is None


def test_a_worker_that_was_started_again_tells_nothing_for_a_minute() -> None:
    figures = learned(a_worker(), a_worker(hits=1, queries=15))
    assert figures.points[0].figures["hit_rate"] is None


def test_readings_closer_together_are_compared_over_a_minute() -> None:
    figures = Worker("x", None)
    for second in range(0, 90, 10):
        text = a_worker(hits=second, queries=2 * second).render().decode()
        figures.learn(second * 1_000, text)
    assert [point.at for point in figures.points] == [60_000, 70_000, 80_000]
    assert all(point.figures["hit_rate"] == 0.5 for point in figures.points)


def test_the_state_names_what_should_be_looked_at() -> None:
    metrics = a_worker()
    well = told(learned(metrics).state())
    assert well["records that wait"] == ("11 of events", True)
    assert well["stages"] == ("all ready", True)
    metrics.stage_ready.labels(stage="rules").set(0)
    metrics.watchdog_age.set(40)
    metrics.gaps.inc()
    supervisor = SupervisorMetrics(metrics.registry)
    supervisor.child_up.labels(group="models").set(0)
    ill = told(learned(metrics).state())
    assert ill["stages"] == ("not ready: rules", False)
    assert ill["processes"] == ("no answer from models", False)
    assert not ill["records that wait"][1]
    assert not ill["gaps between stages"][1]
    assert Worker("x", None).state() == []


def with_explored(lists: int) -> StatePart:
    metrics = a_worker()
    for n in range(lists):
        # Four of five lists have no drawn place, of ten of these three were hit.
        weight = 1.25 if n % 5 else 0.0
        for of in ("lists", "hits") if n % 10 in (1, 2, 3) else ("lists",):
            metrics.explored.labels(of=of).inc()
            metrics.explored_weights.labels(of=of).inc(weight)
            metrics.explored_squared_weights.labels(of=of).inc(weight**2)
    (said,) = learned(metrics).says()
    return said


def test_what_lists_without_drawn_places_would_earn_is_said_once_there_are_enough() -> None:
    assert learned(a_worker()).says() == Worker("x", None).says() == []
    name = "hit rate without drawn places"
    assert with_explored(10) == StatePart(name, "too early to tell: 10 lists are worth 8")
    # 300 of 800 lists of one weight were hit: 37.5 % +- 1.96 * sqrt(.375 * .625 / 800).
    assert with_explored(1_000) == StatePart(name, "37.5% (95 %: 34.1% to 40.9%); with them 30.0%")


def test_readings_are_bounded_and_other_samples_are_left_out() -> None:
    figures = Worker("x", None)
    text = a_worker().render().decode()
    for number in range(KEPT + 10):
        figures.learn(number * OVER_MS // 2, text)
    assert len(figures.points) == KEPT
    assert figures.points[-1].at == (KEPT + 9) * OVER_MS // 2
    assert figures_of('a{b="c d"} 1\nab 2\n', frozenset({"a"})) == {"a": [({"b": "c d"}, 1.0)]}
    with pytest.raises(ValueError, match="a"):
        figures_of("a what", frozenset({"a"}))


def asked(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]], token: Hidden | None = None
) -> Worker:
    """What is known after a worker with this answer was asked once."""

    async def ask() -> Worker:
        app = web.Application()
        app.router.add_get("/metrics", answer)
        async with TestServer(app) as server:
            figures = Worker(str(server.make_url("/metrics")), token)
            await figures.read_once()
            return figures

    return asyncio.run(ask())


def test_a_worker_is_asked_with_its_token() -> None:
    async def answer(request: web.Request) -> web.Response:
        right = request.headers.get("Authorization") == "Bearer 0123456789abcdef"
        return web.Response(text=a_worker().render().decode(), status=200 if right else 401)

    figures = asked(answer, Hidden("0123456789abcdef"))
    assert (figures.problem, told(figures.state())["stages"]) == (None, ("all ready", True))
    assert (asked(answer).problem or "").endswith("/metrics answers 401")


def test_what_cannot_be_read_is_said() -> None:
    async def nonsense(_: web.Request) -> web.Response:
        return web.Response(text="freshrec_gaps_total what")

    async def endless(_: web.Request) -> web.Response:
        return web.Response(text="x" * (MOST_BYTES + 1))

    for answer in (nonsense, endless):
        figures = asked(answer)
        assert (figures.problem or "").endswith("does not answer with metrics of a worker")
        assert figures.state() == []
    assert Worker("", None).problem == NOWHERE


def news_of(**sections: Any) -> Worker:
    return Desk(a_shop(), msgspec.structs.replace(SETTINGS, **sections)).news.worker


def test_the_worker_of_this_machine_is_asked_unless_another_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("FRESHREC_METRICS__TOKEN", raising=False)
    here = asyncio.run(read_once(news_of(metrics=MetricsSettings(port=9))))
    assert (here.problem or "").startswith("http://127.0.0.1:9/metrics does not answer")
    elsewhere = ServeSettings(worker_url="http://127.0.0.1:7/metrics")
    there = asyncio.run(read_once(news_of(serve=elsewhere)))
    assert (there.problem or "").startswith("http://127.0.0.1:7/metrics does not answer")
    assert news_of(metrics=MetricsSettings(port=0)).problem == NOWHERE
    assert caplog.messages == []
    news_of(metrics=MetricsSettings(token_file="/nowhere/token"))  # noqa: S106  # the name of a file
    assert "goes without the worker's metrics" in caplog.text


async def read_once(worker: Worker) -> Worker:
    await worker.read_once()
    return worker
