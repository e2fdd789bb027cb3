"""What the page is told of items, segments, refused records, and its files."""

from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestServer

from online_models.features import FEATURES
from schemas.messages import Centroids, ItemFacts, SegmentTop
from schemas.recommendations import Rejection
from schemas.settings import PrivacySettings
from streams.serving.live import paths
from streams.serving.live.assets import POLICY
from streams.serving.live.refused import KEPT, Refused
from tests.online_models.shop_views import NOW
from tests.streams.serving.live.listening import Page, with_page
from tests.streams.serving.parts import SETTINGS, Desk, a_shop, ids

SCRIPT = "<script>alert(1)</script>"


def with_titles() -> Desk:
    shop = a_shop()
    desk = Desk(shop)
    for item, title in (("pot", "Tea pot"), ("cup", "Tea cup"), ("mug", SCRIPT)):
        shop.learn("item-view", item, ItemFacts(item, title, ["kitchen"], None, None, [], True, 0))
    return desk


def test_items_are_found_by_words_and_by_ids() -> None:
    desk = with_titles()
    assert (
        ids(desk.get("/page/items?q=tea")) == ["cup", "pot"] or ids(desk.get("/page/items?q=tea"))[0] == "tea"
    )
    assert ids(desk.get("/page/items?q=Tea%20po")) == ["pot"]
    (found,) = desk.get("/page/items?q=saucer")["items"]
    assert found == {"item_id": "saucer", "title": None, "categories": ["kitchen"], "available": False}
    assert desk.get("/page/items?q=nothing") == {"items": [], "searched": 3}
    assert ids(desk.get("/page/items"))[:2] == ["tea", "jam"]


def test_an_item_is_told_with_what_goes_with_it() -> None:
    told = with_titles().get("/page/items/tea")
    assert [each["item_id"] for each in told["similar"]] == ["pot", "jam"]
    (orders, sessions) = told["rules"]
    assert (orders["scope"], sessions["rules"]) == ("orders", [])
    # 500 orders, 10 with tea and 125 with a pot: by chance 2.5 would have both.
    assert orders["rules"][0] == {
        "item_id": "pot",
        "count": 5.0,
        "support": 0.01,
        "confidence": 0.5,
        "lift": 2.0,
        "leverage": pytest.approx(0.005),
        "conviction": pytest.approx(1.5),
        "llr": pytest.approx(2.9452, abs=1e-4),
    }
    assert told["titles"] == {"pot": "Tea pot"}
    assert Desk(a_shop()).ask("/page/items/nobody").status == 404


def centroids(*segments: SegmentTop) -> Centroids:
    count = len(FEATURES)
    centres = [[float(number == place) for place in range(count)] for number in range(len(segments))]
    return Centroids("1", [0.0] * count, [1.0] * count, centres, list(segments), NOW)


def a_segment(size: int) -> SegmentTop:
    return SegmentTop(size, 60.0, 2.0, 30.0, ["kitchen"], [("saucer", 9.0), ("pot", 1.0)])


def test_segments_are_on_a_map_without_what_is_sold_out() -> None:
    shop = a_shop()
    desk = Desk(shop)
    assert desk.get("/page/segments") == {"at": None, "axes": [], "segments": [], "titles": {}}
    shop.learn("centroids", "centroids", centroids(a_segment(5), a_segment(0), a_segment(7)))
    told = desk.get("/page/segments")
    assert [(each["segment"], each["size"], each["top_items"]) for each in told["segments"]] == [
        ("0", 5, ["pot"]),
        ("2", 7, ["pot"]),
    ]
    assert told["segments"][0]["words"].startswith("5 customers, 2.0 orders and 30.00 spent each")
    assert sum(axis["explains"] for axis in told["axes"]) == pytest.approx(1.0)
    assert all("more " in axis["words"] for axis in told["axes"])
    assert told == desk.get("/page/segments")


def test_of_segments_of_few_nothing_is_told() -> None:
    shop = a_shop()
    shop.learn("centroids", "centroids", centroids(a_segment(5), a_segment(7)))
    careful = msgspec.structs.replace(SETTINGS, privacy=PrivacySettings(min_customers=6))
    told = Desk(shop, careful).get("/page/segments")
    assert [each["segment"] for each in told["segments"]] == ["1"]


def refusal(offset: int) -> bytes:
    return msgspec.json.encode(Rejection("bad_value", SCRIPT, "browses", 0, offset, NOW + offset, "c2VjcmV0"))


def test_refused_records_are_told_without_their_text() -> None:
    desk = Desk(a_shop())
    for offset in range(KEPT + 1):
        desk.news.refused.learn(refusal(offset))
    for nonsense in (None, b"", b"{", b"{}", b"\xff"):
        desk.news.refused.learn(nonsense)
    told = desk.get("/page/refused")
    assert len(told["records"]) == KEPT
    assert told["records"][0] == {
        "reason": "bad_value",
        "detail": SCRIPT,
        "topic": "browses",
        "partition": 0,
        "offset": KEPT,
        "at": NOW + KEPT,
    }
    assert Refused().newest().records == []


def test_what_is_not_known_of_a_worker_is_said_and_the_server_tells_of_itself() -> None:
    desk = Desk(a_shop())
    assert desk.get("/page/quality") == {"points": [], "problem": "it has not been asked yet", "says": []}
    told = desk.get("/page/system")
    assert (told["worker"], told["problem"]) == ([], "it has not been asked yet")
    assert {"name": "open streams", "value": "0 of 50", "well": True} in told["server"]


def test_without_a_token_the_page_answers_to_no_foreign_name() -> None:
    desk = Desk(a_shop())

    async def work(page: Page, _: TestServer) -> None:
        for path in ("/page/flow", "/page/customers/anna", "/page/items"):
            status, text, _headers = await page.get(path, Host="rebound.example:8090")
            assert (status, "127.0.0.1 or localhost" in text) == (421, True)
        assert (await page.get("/page/items", Host="localhost:8090"))[0] == 200

    with_page(desk, work)


def test_wrong_parameters_are_named_as_in_the_api() -> None:
    desk = Desk(a_shop())
    faults: Any = [each["field"] for each in desk.ask("/page/items?q=&page=2").body["faults"]]
    assert faults == ["q", "page"]
    assert desk.ask(f"/page/items/{'x' * 257}").status == 400
    assert desk.ask("/page/customers/anna?k=21").status == 400


def test_the_page_and_its_files_may_load_nothing_from_elsewhere() -> None:
    desk = Desk(a_shop())
    for path, kind in (("/", "text/html"), ("/web/app.js", "text/javascript"), ("/web/app.css", "text/css")):
        told = desk.ask(path)
        assert (told.status, told.headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        assert told.headers["Content-Security-Policy"] == POLICY
        assert "://" not in told.body.replace("http://www.w3.org/2000/svg", "")
    assert "unsafe" not in POLICY
    for path in ("/web/nothing.js", "/web/..%2Fserver.py", "/web/"):
        assert desk.ask(path).status == 404


def test_without_the_page_there_is_nothing_of_it() -> None:
    serve = msgspec.structs.replace(SETTINGS.serve, page=False)
    desk = Desk(a_shop(), msgspec.structs.replace(SETTINGS, serve=serve))
    for path in ("/", "/web/app.js", "/page/flow", "/page/items"):
        assert desk.ask(path).status == 404
    assert desk.ask("/v1/popular").status == 200


def test_every_path_of_the_page_is_answered_and_none_is_of_the_api() -> None:
    assert all(route.path.startswith(paths.PREFIX) for route in (*paths.STREAMS, *paths.ANSWERS))
    assert not any(path.startswith(paths.PREFIX) for path in Desk(a_shop()).get("/openapi.json")["paths"])
