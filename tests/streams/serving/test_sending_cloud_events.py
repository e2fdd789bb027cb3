"""`POST /v1/events` takes CloudEvents in every mode of the HTTP binding, and sends on what they bear."""

from typing import Any

import msgspec
import pytest

from streams.serving.sending import Ready
from tests.online_models.shop_views import NOW
from tests.streams.serving.parts import Desk, a_shop

BARE = {"user_id": "anna", "item_id": "tea"}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "7",
    "source": "/shop/web",
    "type": "com.shop.browse",
    "time": "2023-11-14T22:13:20Z",
    "data": BARE,
}
HEADERS = {
    "ce-specversion": "1.0",
    "Ce-Id": "7",
    "ce-source": "/shop/w%65b",
    "ce-type": "com.shop.browse",
    "ce-time": "2023-11-14T22:13:20Z",
    "Content-Type": "application/json",
}
STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCHED = {"Content-Type": "application/cloudevents-batch+json"}


@pytest.mark.parametrize(
    ("body", "headers"), [(EVENT, STRUCTURED), ([EVENT], BATCHED), (EVENT, {}), (BARE, HEADERS)]
)
def test_every_mode_sends_the_same_message(body: object, headers: dict[str, str]) -> None:
    desk = Desk(a_shop())
    told = desk.ask("/v1/events", body, headers=headers)
    assert told.status == 202, told
    message = BARE | {"type": "browse", "at": EVENT["time"], "event_id": "/shop/web 7"}
    (sent,) = desk.sent.messages
    assert sent == Ready("browse", "browses", "anna", "/shop/web 7", sent.value)
    assert msgspec.json.decode(sent.value) == message


def test_a_batch_may_hold_bare_messages_too() -> None:
    desk = Desk(a_shop())
    bare = {"type": "erasure", "user_id": "anna", "at": NOW}
    assert desk.ask("/v1/events", [EVENT, bare], headers=BATCHED).status == 202
    assert [each.topic for each in desk.sent.messages] == ["browses", "erasures"]


@pytest.mark.parametrize(
    ("body", "headers", "field", "reason"),
    [
        (EVENT | {"data": {"user_id": "anna"}}, {}, "data.item_id", "missing_field"),
        ([EVENT, EVENT | {"data": {"user_id": "anna"}}], {}, "[1].data.item_id", "missing_field"),
        (EVENT | {"type": "browsed"}, STRUCTURED, "data", "missing_field"),
        (EVENT | {"source": ""}, STRUCTURED, "", "missing_field"),
        ([EVENT], STRUCTURED, "", "invalid_json"),
        (EVENT, {"Content-Type": "application/cloudevents+avro"}, "", "wrong_content_type"),
        (BARE, HEADERS | {"Content-Type": "text/xml"}, "", "wrong_content_type"),
        (BARE, HEADERS | {"ce-id": "%ff"}, "", "bad_value"),
        (BARE, HEADERS | {"ce-specversion": "2.0"}, "", "bad_value"),
    ],
)
def test_a_fault_is_named_where_it_is(body: object, headers: dict[str, str], field: str, reason: str) -> None:
    desk = Desk(a_shop())
    told = desk.ask("/v1/events", body, headers=headers)
    assert told.status == 400, told
    assert [(each.get("field", ""), each["reason"]) for each in told.body["faults"]] == [(field, reason)]
    assert desk.sent.messages == []
