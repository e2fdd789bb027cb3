"""The API over real sockets: answers, problems, access, health and metrics."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.settings import ServeSettings
from streams.errors import SettingsError
from streams.health import Health
from streams.pseudonyms import Pseudonyms
from streams.secrets import Hidden
from tests.online_models.shop_views import NOW
from tests.streams.serving.parts import SETTINGS, Desk, a_list, a_shop, ids

KEY = Hidden("0123456789abcdef0123456789abcdef")
WORD = "correct-horse-battery"


def faults(told: Any) -> list[str]:
    assert told.status == 400, told
    assert told.headers["Content-Type"].startswith("application/problem+json")
    return [each["field"] for each in told.body["faults"]]


def a_browse(**fields: Any) -> dict[str, Any]:
    known = {"type": "browse", "event_id": "b-1", "user_id": "anna", "item_id": "pot", "at": NOW}
    return known | fields


def test_lists_are_given_with_all_parameters() -> None:
    desk = Desk(a_shop())
    assert ids(desk.get("/v1/users/anna/recommendations?k=2")) == ["pot", "jam"]
    found = desk.get("/v1/users/anna/recommendations?k=1&exclude=pot&exclude=jam&explain=false")
    assert (ids(found), found["items"][0]["reasons"]) == (["mug"], None)
    assert ids(desk.get("/v1/users/anna/recommendations?k=2&category=kitchen")) == ["pot", "mug"]
    assert desk.get("/v1/users/anna/recommendations?k=1&context=cup")["computed"]
    assert desk.get("/v1/users/nobody/recommendations?k=1")["fallback"]
    shown = desk.ask("/metrics").body
    assert 'freshrec_http_lists_total{source="standing"} 3.0' in shown
    assert 'freshrec_http_lists_total{source="fallback"} 1.0' in shown


def test_guests_tell_their_session() -> None:
    desk = Desk(a_shop())
    told = desk.ask("/v1/sessions/recommendations", {"items": ["tea"], "k": 2, "exclude": ["jam"]})
    assert (told.status, ids(told.body)) == (200, ["pot", "cup"])
    assert "tea" not in ids(desk.ask("/v1/sessions/recommendations", {"items": ["tea"]}).body)


def test_items_are_answered_without_what_is_sold_out() -> None:
    desk = Desk(a_shop())
    assert ids(desk.get("/v1/items/tea/similar")) == ["pot", "jam"]
    assert ids(desk.get("/v1/items/tea/similar?category=kitchen&k=1")) == ["pot"]
    (orders, sessions) = desk.get("/v1/items/tea/rules?exclude=jam")
    assert ([rule["item_id"] for rule in orders["rules"]], sessions["rules"]) == (["pot"], [])
    assert ids(desk.get("/v1/popular?k=2&exclude=jam")) == ["tea", "pot"]
    assert ids(desk.get("/v1/popular?category=kitchen")) == ["pot", "cup", "mug"]
    assert desk.get("/v1/items/mug/similar") == {"item_id": "mug", "items": []}
    assert desk.get("/v1/items/mug/rules") == []


def test_rules_of_all_items_of_a_basket_add_up() -> None:
    told = Desk(a_shop()).ask("/v1/baskets", {"items": ["tea", "cup"], "exclude": ["jam"]})
    (pot,) = told.body["items"]
    assert (pot["item_id"], pot["score"]) == ("pot", 0.75)
    assert [rule["item_id"] for rule in pot["rules"]] == ["cup", "tea"]


def test_segment_and_history_are_told_of_who_has_them() -> None:
    desk = Desk(a_shop())
    found = desk.get("/v1/users/anna/segment")
    assert (found["segment"], found["profile"]["top_items"]) == ("1", ["pot"])
    history = desk.get("/v1/users/anna/history")
    assert [(each["item_id"], each["weight"], each["had"]) for each in history["items"]] == [
        ("cup", 1.0, False),
        ("tea", 4.0, True),
    ]
    assert history["sessions"][0]["items"] == ["tea", "cup"]


@pytest.mark.parametrize(
    "path", ["users/zoe/segment", "users/zoe/history", "items/x/similar", "items/x/rules", "nothing"]
)
def test_what_is_not_known_is_a_problem(path: str) -> None:
    told = Desk(a_shop()).ask(f"/v1/{path}")
    assert (told.status, told.body["status"], told.body["title"]) == (404, 404, "Not Found")


def test_every_wrong_parameter_is_named() -> None:
    desk = Desk(a_shop())
    told = desk.ask("/v1/users/anna/recommendations?k=21&explain=perhaps&exclude=&page=2")
    assert faults(told) == ["k", "explain", "exclude", "page"]
    assert faults(desk.ask("/v1/popular?k=1&k=2")) == ["k"]
    assert faults(desk.ask(f"/v1/users/{'x' * 257}/history")) == ["id"]
    for k in ("0", "-1", "1.5", "", "\N{SUPERSCRIPT TWO}", "9" * 30, "0" * 8 + "205"):
        assert faults(desk.ask(f"/v1/popular?k={k}")) == ["k"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", ""),
        (b"{", ""),
        (b"\xff", ""),
        (b"[" * 5_000, ""),
        ({"items": "tea"}, "items"),
        ({"items": [], "k": 0}, "k"),
        ({"items": [], "k": 21}, "k"),
        ({"items": [], "page": 2}, ""),
        ({"items": ["x"] * 1_001}, "items"),
    ],
)
def test_a_body_that_is_wrong_is_a_problem(body: object, field: str) -> None:
    desk = Desk(a_shop())
    for path in ("/v1/sessions/recommendations", "/v1/baskets"):
        assert faults(desk.ask(path, body)) == [field]


def test_a_body_that_is_too_large_and_another_method_are_problems() -> None:
    desk = Desk(a_shop())
    told = desk.ask("/v1/baskets", b" " * 30_000)
    assert (told.status, "20000 bytes" in told.body["detail"]) == (413, True)
    told = desk.ask("/v1/popular", method="DELETE")
    assert (told.status, told.headers["Allow"]) == (405, "GET")


def test_messages_go_to_their_topics_under_their_keys() -> None:
    desk = Desk(a_shop())
    told = desk.ask("/v1/events", a_browse())
    assert told.status == 202
    assert told.body["accepted"] == [
        {"type": "browse", "event_id": "b-1", "topic": "browses", "partition": 0, "offset": 0}
    ]
    guest = a_browse(user_id=None, session_id="s9")
    line = {"item_id": "pot", "quantity": 1, "unit_price": 1}
    order = {"type": "purchase", "order_id": "o-1", "at": NOW, "lines": [line]}
    told = desk.ask("/v1/events", [guest, order, {"type": "erasure", "user_id": "anna", "at": NOW}])
    assert [each["event_id"] for each in told.body["accepted"]] == ["b-1", "o-1", None]
    assert [(each.topic, each.key) for each in desk.sent.messages] == [
        ("browses", "anna"),
        ("browses", "s9"),
        ("purchases", "o-1"),
        ("erasures", "anna"),
    ]
    assert msgspec.json.decode(desk.sent.messages[0].value) == a_browse()


def test_one_bad_message_keeps_all_from_being_sent_and_every_fault_is_named() -> None:
    desk = Desk(a_shop())
    told = desk.ask("/v1/events", [a_browse(), a_browse(item_id="", action="dance"), {"type": "dance"}])
    assert faults(told) == ["[1].item_id", "[1].action", "[2]"]
    assert faults(desk.ask("/v1/events", a_browse(at="tomorrow", dwell_s=-1))) == ["at", "dwell_s"]
    assert faults(desk.ask("/v1/events", [a_browse()] * 4)) == [""]
    assert faults(desk.ask("/v1/events", [])) == [""]
    assert faults(desk.ask("/v1/events", b"[{]")) == [""]
    assert desk.sent.messages == []


def test_under_a_key_customers_are_found_under_their_pseudonyms() -> None:
    shop, pseudonyms = a_shop(), Pseudonyms(KEY)
    name = pseudonyms.user("berta")
    shop.learn("recommendations", name, a_list(name, "mug"))
    desk = Desk(shop, pseudonyms=pseudonyms)
    found = desk.get("/v1/users/berta/recommendations?k=1")
    assert (found["user_id"], ids(found), found["fallback"]) == (name, ["mug"], False)
    for plain in ("anna", name):
        assert desk.get(f"/v1/users/{plain}/recommendations?k=1")["fallback"]
        assert desk.ask(f"/v1/users/{plain}/history").status == 404


def test_before_the_topics_have_been_read_there_are_no_answers_but_health() -> None:
    reading = Health(live=True, ready=False, reasons=["followed topics are still being read"])
    desk = Desk(a_shop(), health=reading)
    told = desk.ask("/v1/popular")
    assert (told.status, told.headers["Retry-After"]) == (503, "1")
    assert "still being read" in told.body["detail"]
    assert (desk.ask("/health/live").status, desk.ask("/health/ready").status) == (200, 503)
    assert "freshrec_serve_ready 0.0" in desk.ask("/metrics").body


def test_requests_are_counted_by_path_never_by_customer() -> None:
    desk = Desk(a_shop())
    for path in ("/v1/users/anna/history", "/v1/users/zoe/history", "/wp-admin"):
        desk.ask(path)
    shown = desk.ask("/metrics").body
    assert 'freshrec_http_requests_total{route="/v1/users/{id}/history",status="200"} 1.0' in shown
    assert 'freshrec_http_requests_total{route="/v1/users/{id}/history",status="404"} 1.0' in shown
    assert 'freshrec_http_requests_total{route="unknown",status="404"} 1.0' in shown
    assert "anna" not in shown
    assert "wp-admin" not in shown


def test_with_a_token_nobody_without_it_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRESHREC_SERVE__TOKEN", raising=False)
    (tmp_path / "token").write_text(f"{WORD}\n")
    serve = msgspec.structs.replace(SETTINGS.serve, token_file=str(tmp_path / "token"))
    desk = Desk(a_shop(), msgspec.structs.replace(SETTINGS, serve=serve))
    assert desk.ask("/v1/popular", token=f"Bearer {WORD}").status == 200
    # Who holds it is trusted, by whatever name and for whichever page they ask.
    elsewhere = {"Host": "shop.internal", "Origin": "https://shop.example"}
    assert desk.ask("/v1/popular", token=f"Bearer {WORD}", headers=elsewhere).status == 200
    for path in ("/v1/popular", "/metrics"):
        for token in (None, "Bearer wrong", WORD):
            told = desk.ask(path, token=token)
            assert (told.status, told.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert desk.ask("/health/ready").status == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/users/anna/history", None), ("/v1/events", a_browse()), ("/metrics", None), ("/nothing", None)],
)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "rebound.example:8090"}, 421),
        ({"Host": "127.0.0.1.rebound.example"}, 421),
        ({"Host": "[::1"}, 421),
        ({"Host": "rebound.example@127.0.0.1"}, 421),
        ({"Host": "127.0.0.1:x"}, 421),
        ({"Host": ""}, 421),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
    ],
)
def test_without_a_token_nothing_is_answered_that_a_page_from_elsewhere_may_have_asked(
    path: str, body: object, headers: dict[str, str], status: int
) -> None:
    desk = Desk(a_shop())
    told = desk.ask(path, body, headers=headers)
    assert (told.status, "set a token (serve.token_file)" in told.body["detail"]) == (status, True)
    assert "set-cookie" not in told.headers
    assert desk.sent.messages == []
    for open_path in ("/health/live", "/openapi.json", "/"):
        assert desk.ask(open_path, headers=headers).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "LocalHost:8090"},
        {"Host": "[::1]:8090"},
        {"Host": "127.0.0.2", "Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1:8090"},
    ],
)
def test_this_machine_is_answered_by_its_own_names(headers: dict[str, str]) -> None:
    desk = Desk(a_shop())
    assert desk.ask("/v1/popular", headers=headers).status == 200
    assert desk.ask("/v1/events", a_browse(), headers=headers).status == 202


def test_others_are_not_let_in_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRESHREC_SERVE__TOKEN", raising=False)
    everywhere = ServeSettings(host=".".join("0000"))
    desk = Desk(a_shop(), msgspec.structs.replace(SETTINGS, serve=everywhere))
    with pytest.raises(SettingsError, match=r"serve\.token_file"):
        desk.server.app()


def test_an_error_that_nobody_foresaw_is_a_problem_and_names_nobody() -> None:
    shop = a_shop()
    broken = Desk(shop)
    shop.views.topics["recommendations"].get = None  # type: ignore[method-assign,assignment]  # a fault of our own
    told = broken.ask("/v1/users/anna/recommendations")
    assert (told.status, told.body["title"]) == (500, "Internal Server Error")
    assert "anna" not in told.body["detail"]
