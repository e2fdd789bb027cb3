"""Streams over real sockets: what changes is told by itself, so many listen, all ends at shutdown."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from schemas.messages import ItemFacts
from schemas.recommendations import Segment
from schemas.settings import Settings
from streams.health import Health
from streams.pseudonyms import Pseudonyms
from streams.secrets import Hidden
from streams.serving.live import event_stream
from streams.serving.live.watchers import Watchers
from tests.online_models.shop_views import NOW
from tests.streams.serving.live.listening import WAIT_S, Page, Stream, with_page
from tests.streams.serving.parts import SETTINGS, Desk, a_history, a_list, a_shop, ids

KEY = Hidden("0123456789abcdef0123456789abcdef")
WORD = "correct-horse-battery"


def settings(**serve: Any) -> Settings:
    return msgspec.structs.replace(SETTINGS, serve=msgspec.structs.replace(SETTINGS.serve, **serve))


def test_a_customers_list_is_told_and_told_again_when_it_changes() -> None:
    shop = a_shop()
    title = ItemFacts("pot", "Tea pot <b>", ["kitchen"], None, None, [], True, 0)
    shop.learn("item-view", "pot", title)
    desk = Desk(shop)

    async def work(page: Page, _: TestServer) -> None:
        async with page.stream("/page/customers/anna?k=2") as anna:
            assert anna.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            first = await anna.next()
            assert ids(first["list"]) == ["pot", "jam"]
            assert first["list"]["items"][0]["why"] == ["popular: all"]
            assert first["titles"] == {"pot": "Tea pot <b>"}
            assert (first["segment"]["segment"], first["segment_words"].partition(",")[0]) == (
                "1",
                "7 customers",
            )
            assert [each["item_id"] for each in first["history"]["items"]] == ["cup", "tea"]
            shop.learn("recommendations", "berta", a_list("berta", "tea"))
            shop.learn("histories", "anna", a_history("anna", had="tea", looked_at="jam"))
            shop.learn("recommendations", "anna", a_list("anna", "mug", "pot"))
            second = await anna.next()
            assert ids(second["list"]) == ["mug", "pot"]
            assert second["history"]["items"][0]["item_id"] == "jam"
            shop.learn("segments", "anna", Segment("anna", "2", 0.5, NOW))
            assert (await anna.next())["segment"]["segment"] == "2"

    with_page(desk, work)


def test_who_is_forgotten_is_shown_what_is_popular() -> None:
    shop = a_shop()

    async def work(page: Page, _: TestServer) -> None:
        async with page.stream("/page/customers/anna?k=1") as anna:
            assert not (await anna.next())["list"]["fallback"]
            for topic in ("recommendations", "histories", "segments"):
                shop.learn(topic, "anna", None)
            told = await anna.next()
            assert (told["list"]["fallback"], told["history"], told["segment"]) == (True, None, None)

    with_page(Desk(shop), work)


def test_reasons_name_items_by_their_titles() -> None:
    shop = a_shop()
    reason = {"source": "similarity", "item_id": "tea", "similarity": 0.5}
    found = a_list("anna", "pot")
    place = msgspec.structs.replace(found.items[0], reasons=[reason])
    shop.learn("recommendations", "anna", msgspec.structs.replace(found, items=[place]))
    shop.learn("item-view", "tea", ItemFacts("tea", "Green tea", [], None, None, [], True, 0))

    async def work(page: Page, _: TestServer) -> None:
        async with page.stream("/page/customers/anna?k=1") as anna:
            (told,) = (await anna.next())["list"]["items"]
            assert (told["why"], told["reasons"]) == (["similar to Green tea (0.50)"], [reason])

    with_page(Desk(shop), work)


def test_the_flow_begins_with_the_seconds_that_are_kept_and_tells_each_as_it_ends() -> None:
    shop = a_shop()
    desk = Desk(shop)
    shop.learn("recommendations", "berta", a_list("berta", "tea"))
    desk.news.tick(1_000)
    desk.news.tick(2_000)

    async def work(page: Page, _: TestServer) -> None:
        async with page.stream("/page/flow") as flow:
            first = await flow.next()
            assert [(each["at"], each["lists"]) for each in first["points"]] == [(1_000, 1), (2_000, 0)]
            assert first["customers"] == ["berta"]
            await page.get("/v1/popular")
            desk.news.tick(3_000)
            (point,) = (await flow.next())["points"]
            assert (point["at"], point["requests"], point["work_ms"]) == (3_000, 1, None)

    with_page(desk, work)


def test_pseudonyms_are_asked_for_by_plain_ids_and_not_named() -> None:
    shop, pseudonyms = a_shop(), Pseudonyms(KEY)
    desk = Desk(shop, pseudonyms=pseudonyms)
    name = pseudonyms.user("berta")

    async def work(page: Page, _: TestServer) -> None:
        async with page.stream("/page/customers/berta?k=1") as berta, page.stream("/page/flow") as flow:
            assert (await berta.next())["list"]["fallback"]
            shop.learn("recommendations", name, a_list(name, "mug"))
            assert ids((await berta.next())["list"]) == ["mug"]
            assert (await flow.next())["customers"] == []

    with_page(desk, work)


def test_so_many_listen_and_who_goes_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.05)
    desk = Desk(a_shop(), settings(max_listeners=1))

    async def work(page: Page, _: TestServer) -> None:
        async with page.stream("/page/customers/anna") as anna:
            assert await anna.next()
            status, text, headers = await page.get("/page/flow")
            assert (status, headers["Retry-After"]) == (503, "5")
            assert "serve.max_listeners" in text
        async with asyncio.timeout(10):
            while desk.news.watchers.count:
                await asyncio.sleep(0.01)
        async with page.stream("/page/customers/anna") as anna:
            assert await anna.next()

    with_page(desk, work)


def test_without_news_a_comment_keeps_the_stream_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.01)
    desk = Desk(a_shop())

    async def work(page: Page, _: TestServer) -> None:
        async with page.stream("/page/flow") as flow:
            lines = [await flow.line() for _ in range(8)]
            assert b": well\n" in lines

    with_page(desk, work)


def test_who_takes_nothing_makes_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "SEND_S", 0.05)
    watchers = Watchers(1)

    async def answer(request: web.Request) -> web.StreamResponse:
        return await event_stream.stream(request, watchers, "", "all", lambda: "x" * 20_000_000)

    async def work() -> None:
        app = web.Application()
        app.router.add_get("/", answer)
        async with TestServer(app) as server:
            _, writer = await asyncio.open_connection(server.host, server.port, limit=1)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(WAIT_S):
                while not watchers.count:
                    await asyncio.sleep(0.01)
                while watchers.count:
                    await asyncio.sleep(0.01)
            writer.close()

    asyncio.run(work())


def test_all_streams_end_at_shutdown() -> None:
    desk = Desk(a_shop())

    async def work(page: Page, server: TestServer) -> None:
        async with page.stream("/page/customers/anna") as anna, page.stream("/page/flow") as flow:
            streams: list[Stream] = [anna, flow]
            for each in streams:
                assert await each.next()
            # The server would wait for them for a minute.
            async with asyncio.timeout(WAIT_S):
                await server.close()
            for each in streams:
                while await each.next() is not None:
                    pass
            assert desk.news.watchers.count == 0

    with_page(desk, work)


def test_a_view_that_fails_ends_its_stream_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    shop = a_shop()

    async def work(page: Page, _: TestServer) -> None:
        async with page.stream("/page/customers/anna") as anna:
            assert await anna.next()
            shop.views.topics["segments"].get = None  # type: ignore[method-assign,assignment]  # a fault of our own
            shop.learn("recommendations", "anna", a_list("anna", "mug"))
            assert await anna.next() is None

    with_page(Desk(shop), work)
    assert "a stream of customer failed" in caplog.text
    assert "anna" not in caplog.messages[-1]


def test_streams_ask_for_the_token_and_wait_for_the_topics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FRESHREC_SERVE__TOKEN", raising=False)
    (tmp_path / "token").write_text(f"{WORD}\n")
    guarded = Desk(a_shop(), settings(token_file=str(tmp_path / "token")))

    async def ask(page: Page, _: TestServer) -> None:
        for path in ("/page/flow", "/page/customers/anna", "/page/items", "/page/refused", "/page/system"):
            assert (await page.get(path))[0] == 401
        async with page.stream("/page/flow", Authorization=f"Bearer {WORD}") as flow:
            assert await flow.next() == {"points": [], "customers": []}
        assert (await page.get("/"))[0] == 200

    with_page(guarded, ask)
    reading = Desk(a_shop(), health=Health(live=True, ready=False, reasons=["still being read"]))

    async def early(page: Page, _: TestServer) -> None:
        assert (await page.get("/page/flow"))[0] == 503
        assert (await page.get("/"))[0] == 200

    with_page(reading, early)


def test_a_stream_is_counted_as_a_request_and_not_timed() -> None:
    desk = Desk(a_shop())

    async def work(page: Page, server: TestServer) -> None:
        async with page.stream("/page/customers/anna") as anna:
            assert await anna.next()
            await server.close()

    with_page(desk, work)
    shown = desk.metrics.render().decode()
    assert 'freshrec_http_requests_total{route="/page/customers/{id}",status="200"} 1.0' in shown
    assert 'freshrec_http_request_seconds_count{route="/page/customers/{id}"}' not in shown
    assert "anna" not in shown
