"""Ingest: events are keyed and enriched, rows of views written, refusals told with their place."""

import base64
import json
from typing import Any

import msgspec
import pytest

from schemas.events import TOPIC_OF_TYPE
from schemas.messages import CustomerFacts, Event, EventBatch, ItemFacts, Line
from schemas.recommendations import Rejection
from streams.outbox import Record
from streams.stages.ingest import MAX_EVENTS_PER_RECORD, REJECTED_RAW_BYTES, IngestPartition
from streams.topology import MAX_MESSAGE_BYTES
from tests.streams.stages.parts import Bench, settings_of

AT, SENT = 1_700_000_000_000, 1_700_000_000_500


class Shop:
    """Ingest of all public topics, in one partition."""

    def __init__(self, bench: Bench | None = None) -> None:
        self.bench = bench or Bench()
        self.ingests = {
            topic: IngestPartition(topic, 0, self.bench.context) for topic in TOPIC_OF_TYPE.values()
        }

    def send(self, kind: str, **fields: Any) -> list[Event]:
        """Send a message (`offset` is the record's) and give the events that it became."""
        raw = json.dumps({"type": kind, "at": AT} | fields).encode()
        ingest = self.ingests[TOPIC_OF_TYPE[kind]]
        ingest.apply(Record(fields.get("offset", 0), SENT, raw))
        ingest.end_batch()
        return [event for batch in self.bench.decoded("events") for event in batch.events]

    def one(self, kind: str, **fields: Any) -> Event:
        (event,) = self.send(kind, **fields)
        return event


BROWSE = {"event_id": "b-1", "item_id": "tea"}
LINES = [
    {"item_id": "tea", "quantity": 2, "unit_price": 9.9},
    {"item_id": "cup", "quantity": 1, "unit_price": 0},
]


def test_a_browse_becomes_an_event_with_all_that_is_known_of_it() -> None:
    shop = Shop()
    shop.bench.now = 77
    event = shop.one(
        "browse", **BROWSE, user_id="anna", session_id="s1", dwell_s=1.5, recommendation_id="r", offset=9
    )
    assert event == Event(
        "u:anna", "view", AT, "browses", 0, 9, SENT, 77, "b-1", "s1", None, [Line("tea", [])], 1.5, None, "r"
    )


@pytest.mark.parametrize(("action", "kind"), [(None, "view"), ("view", "view"), ("cart", "cart")])
def test_the_action_of_a_browse_is_its_kind(action: str | None, kind: str) -> None:
    assert Shop().one("browse", **BROWSE, user_id="anna", action=action).kind == kind


@pytest.mark.parametrize(
    ("kind", "fields", "key"),
    [
        ("browse", BROWSE | {"user_id": "x"}, "u:x"),
        ("browse", BROWSE | {"session_id": "x"}, "s:x"),
        ("browse", BROWSE | {"user_id": "x", "session_id": "y"}, "u:x"),
        ("purchase", {"order_id": "x", "lines": LINES}, "o:x"),
        ("purchase", {"order_id": "x", "session_id": "y", "lines": LINES}, "o:x"),
        ("purchase", {"user_id": "u", "order_id": "x", "lines": LINES}, "u:u"),
        ("impression", {"event_id": "v", "session_id": "x", "recommendation_id": "r", "items": ["a"]}, "s:x"),
        ("rating", {"event_id": "r", "user_id": "x", "item_id": "a", "value": 1, "scale_max": 5}, "u:x"),
        ("customer", {"user_id": "x"}, "u:x"),
        ("link", {"user_id": "x", "target_id": "y", "weight": 1}, "u:x"),
        ("erasure", {"user_id": "x"}, "u:x"),
    ],
)
def test_keys_tell_customers_sessions_and_orders_apart(kind: str, fields: dict[str, Any], key: str) -> None:
    assert Shop().one(kind, **fields).key == key


def test_what_a_message_says_is_in_the_event() -> None:
    shop = Shop()
    bought = shop.one("purchase", event_id="p", order_id="o", user_id="a", lines=LINES)
    assert bought.lines == [Line("tea", [], 2.0, 9.9), Line("cup", [], 1.0, 0.0)]
    assert (bought.event_id, bought.order_id) == ("p", "o")
    rated = shop.one("rating", event_id="r", user_id="a", item_id="tea", value=4, scale_max=5)
    assert (rated.lines, rated.value, rated.scale_max) == ([Line("tea", [])], 4.0, 5.0)
    link = shop.one("link", user_id="a", target_id="b", weight=0.5)
    assert (link.target, link.value, link.lines) == ("b", 0.5, [])
    shown = shop.one("impression", event_id="v", user_id="a", recommendation_id="r", items=["x", "y"])
    assert (shown.lines, shown.recommendation_id) == ([Line("x", []), Line("y", [])], "r")
    told = shop.one("customer", user_id="a", gender="f", location=None)
    assert (told.attributes, told.profiling) == ({"gender": "f"}, True)


def test_a_line_is_enriched_with_what_the_catalogue_knows_now() -> None:
    shop = Shop()
    assert shop.one("browse", **BROWSE, user_id="a").lines == [Line("tea", [])]
    shop.send("item", item_id="tea", categories=["drinks", "hot"], price=3.5)
    assert shop.one("browse", **BROWSE, user_id="a").lines == [Line("tea", ["drinks", "hot"], 1.0, 3.5)]
    bought = shop.one("purchase", order_id="o", user_id="a", lines=LINES)
    assert bought.lines[0] == Line("tea", ["drinks", "hot"], 2.0, 9.9)


def test_an_item_is_a_row_of_the_view_and_no_event() -> None:
    shop = Shop()
    fields = {"item_id": "tea", "title": "Tea", "categories": ["a"], "brand": "b", "price": 1, "tags": ["t"]}
    assert shop.send("item", **fields, available=False, text="long", offset=4) == []
    (record,) = shop.bench.taken("item-view")
    assert (record.key, record.version) == (b"tea", (0, 0, 4))
    assert shop.bench.views.item("tea") == ItemFacts(
        "tea", "Tea", ["a"], "b", 1.0, ["t"], False, AT, ["long"]
    )


def test_an_item_that_says_nothing_else_is_available() -> None:
    shop = Shop()
    shop.send("item", item_id="tea")
    assert shop.bench.views.item("tea") == ItemFacts("tea", None, [], None, None, [], True, AT)


def test_without_consent_events_say_so_and_the_view_keeps_no_attributes() -> None:
    shop = Shop()
    told = shop.one("customer", user_id="a", gender="f", consent={"profiling": False})
    assert not told.profiling
    assert shop.bench.views.customer("a") == CustomerFacts("a", {}, False, AT)
    assert not shop.one("browse", **BROWSE, user_id="a").profiling
    assert shop.one("browse", **BROWSE, user_id="b").profiling
    assert shop.one("browse", **BROWSE, session_id="a").profiling
    shop.send("customer", offset=1, user_id="a", consent={"profiling": True})
    assert shop.one("browse", **BROWSE, user_id="a").profiling


def test_an_erasure_writes_a_tombstone_and_an_event() -> None:
    shop = Shop()
    shop.send("customer", user_id="a", gender="f")
    shop.bench.taken("customer-view")
    assert shop.one("erasure", user_id="a", offset=3).kind == "erasure"
    (record,) = shop.bench.taken("customer-view")
    assert (record.key, record.value, record.version) == (b"a", None, (0, 0, 3))
    assert shop.bench.views.customer("a") is None


def test_a_refused_record_is_told_with_its_place_its_reason_and_its_beginning() -> None:
    shop = Shop()
    shop.bench.now = 99
    raw = b'{"type":"rating",' + b" " * 10_000
    ingest = IngestPartition("ratings", 2, shop.bench.context)
    ingest.apply(Record(5, SENT, raw))
    ingest.end_batch()
    (rejection,) = shop.bench.decoded("rejected")
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.topic, rejection.partition, rejection.offset, rejection.at) == (
        "invalid_json",
        "ratings",
        2,
        5,
        99,
    )
    assert base64.b64decode(rejection.raw_base64) == raw[:REJECTED_RAW_BYTES]
    assert shop.bench.taken("events") == []
    assert ingest.progress.next_offset == 6


@pytest.mark.parametrize("raw", [None, b"", b"\xff" * 9, b'{"type":"' + b"x" * 5_000 + b'"}', b"[" * 9_000])
def test_any_refused_value_can_be_told(raw: bytes | None) -> None:
    shop = Shop()
    shop.ingests["browses"].apply(Record(0, None, raw))
    (rejection,) = shop.bench.decoded("rejected")
    assert len(rejection.detail) <= 1_000
    assert base64.b64decode(rejection.raw_base64) == (raw or b"")[:REJECTED_RAW_BYTES]


def test_records_are_counted_by_what_became_of_them() -> None:
    shop = Shop()
    shop.send("browse", **BROWSE, user_id="a", colour="red")
    shop.send("browse", **BROWSE)
    text = shop.bench.metrics.render().decode()
    assert 'freshrec_events_total{result="accepted",type="browse"} 1.0' in text
    assert 'freshrec_events_total{result="rejected",type="browse"} 1.0' in text
    assert 'freshrec_rejected_total{reason="missing_field"} 1.0' in text
    assert "freshrec_unknown_fields_total 1.0" in text


def test_a_file_record_without_send_time_bears_the_time_of_the_event() -> None:
    shop = Shop()
    raw = json.dumps({"type": "erasure", "user_id": "a", "at": AT}).encode()
    shop.ingests["erasures"].apply(Record(0, None, raw))
    shop.ingests["erasures"].end_batch()
    ((event,),) = [batch.events for batch in shop.bench.decoded("events")]
    assert event.sent_at == AT


def browses(count: int, partitions: int) -> tuple[list[EventBatch], Bench]:
    bench = Bench(settings_of(partitions), topic_ids={"browses": "id-7"})
    ingest = IngestPartition("browses", 0, bench.context)
    for n in range(count):
        message = {"type": "browse", "at": AT, "event_id": f"b-{n}", "item_id": "x", "user_id": f"u{n % 50}"}
        ingest.apply(Record(n, SENT, json.dumps(message).encode()))
    assert bench.put_records == []
    ingest.end_batch()
    records = bench.taken("events")
    found: list[EventBatch] = []
    for record in records:
        batch = msgspec.msgpack.decode(record.value or b"", type=EventBatch)
        found.append(batch)
    assert {record.partition for record in records} <= set(range(partitions))
    return found, bench


def test_a_batch_is_one_record_per_partition_in_order_and_bounded() -> None:
    batches, bench = browses(3 * MAX_EVENTS_PER_RECORD, 1)
    assert [len(batch.events) for batch in batches] == [MAX_EVENTS_PER_RECORD] * 3
    assert [event.offset for batch in batches for event in batch.events] == list(range(750))
    assert {tuple(batch.topic_ids.items()) for batch in batches} == {(("browses", "id-7"),)}
    assert bench.context.partitions("events") == 1


def test_a_customers_events_stay_in_one_partition() -> None:
    batches, _ = browses(200, 4)
    where = {event.key: number for number, batch in enumerate(batches) for event in batch.events}
    assert all(where[event.key] == n for n, batch in enumerate(batches) for event in batch.events)
    assert len(batches) == 4


def test_large_events_are_split_so_that_every_record_can_be_sent() -> None:
    bench = Bench()
    ingest = IngestPartition("purchases", 0, bench.context)
    lines = [{"item_id": f"{n:0256}", "quantity": 1, "unit_price": 1} for n in range(1_000)]
    for n in range(60):
        message = {"type": "purchase", "at": AT, "order_id": f"o-{n}", "user_id": "a", "lines": lines}
        ingest.apply(Record(n, SENT, json.dumps(message).encode()))
    ingest.end_batch()
    records = bench.put_records
    assert sum(len(batch.events) for batch in bench.decoded("events")) == 60
    assert max(len(record.value or b"") for record in records) < MAX_MESSAGE_BYTES


def test_categories_that_would_burst_an_order_are_left_out() -> None:
    shop = Shop()
    shop.send("item", item_id="tea", categories=["a", "b" * 1_990, "c" * 20, "d"])
    (line,) = shop.one("browse", **BROWSE, user_id="a").lines
    assert line.categories == ["a", "b" * 1_990]


def test_a_cloud_event_in_binary_mode_is_an_event_like_any_other() -> None:
    shop = Shop()
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"7"), ("ce_source", b"/web"), ("ce_type", b"browse")]
    value = json.dumps({"user_id": "anna", "item_id": "tea", "at": AT}).encode()
    for each in (headers, [*headers, ("content-type", b"text/plain")]):
        shop.ingests["browses"].apply(Record(0, SENT, value, each))
        shop.ingests["browses"].end_batch()
    (batch,) = shop.bench.decoded("events")
    assert [(each.key, each.event_id, each.at) for each in batch.events] == [("u:anna", "/web 7", AT)]
    (refusal,) = shop.bench.decoded("rejected")
    assert (refusal.reason, refusal.detail) == (
        "wrong_content_type",
        "data of the CloudEvent is 'text/plain'; expected application/json",
    )
