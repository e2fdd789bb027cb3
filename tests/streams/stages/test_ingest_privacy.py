"""What ingest lets through of people: pseudonyms under a key, and consent from the moment it is told."""

import json
from typing import Any

import msgspec
import pytest

from online_models.worlds.bad_records import bad_record
from schemas.events import TOPIC_OF_TYPE
from schemas.messages import CustomerFacts, Event
from schemas.recommendations import Rejection
from streams.outbox import Outgoing, Record
from streams.pseudonyms import Pseudonyms
from streams.secrets import Hidden
from streams.stages.ingest import IngestPartition
from tests.streams.stages.parts import AT, Bench

PSEUDONYMS = Pseudonyms(Hidden("0123456789abcdef0123456789abcdef"))
ANNA, BOB, COOKIE, ORDER = "anna.k@example.org", "bob.m@example.org", "cookie-4711", "order-0815"
RAW = (ANNA, BOB, COOKIE, ORDER)


class SlowBench(Bench):
    """Rows of views don't come back at once: they are on their way through Kafka."""

    def put(self, record: Outgoing) -> None:
        self.put_records.append(record)

    def arrive(self, topic: str) -> None:
        """Let the rows that are on their way come back."""
        for record in self.taken(topic):
            assert record.key is not None and record.version is not None
            self.views.topics[topic].learn(record.key.decode(), record.value, record.version)


class Shop:
    """Ingest of all public topics, in one partition."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.ingests = {topic: IngestPartition(topic, 0, bench.context) for topic in TOPIC_OF_TYPE.values()}
        self._offset = 0

    def send(self, kind: str, **fields: Any) -> None:
        self.send_raw(TOPIC_OF_TYPE[kind], json.dumps({"type": kind, "at": AT} | fields).encode())

    def send_raw(self, topic: str, raw: bytes) -> None:
        self.ingests[topic].apply(Record(self._offset, AT, raw))
        self.ingests[topic].end_batch()
        self._offset += 1

    def events(self) -> list[Event]:
        return [event for batch in self.bench.decoded("events") for event in batch.events]


@pytest.fixture
def shop() -> Shop:
    return Shop(Bench(pseudonyms=PSEUDONYMS))


LINES = [{"item_id": "tea", "quantity": 1, "unit_price": 2.0}]
BROWSE = {"event_id": "b-1", "item_id": "tea"}


def test_people_sessions_and_orders_have_pseudonyms_in_every_event(shop: Shop) -> None:
    user, session, order = PSEUDONYMS.user(ANNA), PSEUDONYMS.session(COOKIE), PSEUDONYMS.order(ORDER)
    shop.send("browse", **BROWSE, user_id=ANNA, session_id=COOKIE)
    shop.send("browse", **BROWSE, session_id=COOKIE)
    shop.send("purchase", lines=LINES, order_id=ORDER, user_id=ANNA)
    shop.send("purchase", lines=LINES, order_id=ORDER)
    shop.send("link", user_id=ANNA, target_id=BOB, weight=1)
    seen, guest, bought, anonymous, link = shop.events()
    assert (seen.key, seen.session_id) == (f"u:{user}", session)
    assert (guest.key, guest.session_id) == (f"s:{session}", session)
    assert (bought.key, bought.order_id) == (f"u:{user}", order)
    assert anonymous.key == f"o:{order}"
    assert (link.key, link.target) == (f"u:{user}", PSEUDONYMS.user(BOB))


def test_nothing_that_leaves_ingest_holds_an_id_of_a_person(shop: Shop) -> None:
    shop.send("customer", user_id=ANNA, age_band="25-34", consent={"profiling": True})
    shop.send("browse", **BROWSE, user_id=ANNA, session_id=COOKIE)
    shop.send("purchase", lines=LINES, order_id=ORDER, user_id=ANNA, session_id=COOKIE)
    shop.send("rating", event_id="r-1", user_id=ANNA, item_id="tea", value=4, scale_max=5)
    shop.send("link", user_id=ANNA, target_id=BOB, weight=1)
    shop.send("impression", event_id="v-1", user_id=ANNA, recommendation_id="r", items=["tea"])
    shop.send("erasure", user_id=BOB)
    shop.send("browse", **BROWSE, user_id=ANNA, action=ORDER)
    shop.send("rating", event_id="r-1", user_id=ANNA, item_id="tea", value=BOB, scale_max=5)
    shop.send("browse", **BROWSE | {"at": ANNA}, user_id=BOB)
    shop.send("browse", **BROWSE | {"at": f"{ANNA}'s"}, user_id=BOB)
    shop.send_raw("browses", json.dumps({"type": ANNA}).encode())
    shop.send_raw("browses", f"{ANNA} {COOKIE}".encode())
    for number in range(50):
        shop.send_raw(*bad_record(number, ANNA, AT))
    left = b"".join((each.key or b"") + (each.value or b"") for each in shop.bench.put_records)
    assert PSEUDONYMS.user(ANNA).encode() in left
    assert [raw for raw in RAW if raw.encode() in left] == []


def test_a_refused_record_is_told_by_place_and_reason_only(shop: Shop) -> None:
    shop.send("browse", **BROWSE, user_id=ANNA, action=ANNA)
    (rejection,) = shop.bench.decoded("rejected")
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.raw_base64, rejection.offset) == ("bad_value", "", 0)
    assert rejection.detail == "`action` is (hidden)"


def test_without_a_key_ids_stay_and_a_refused_record_is_kept() -> None:
    shop = Shop(Bench())
    shop.send("browse", **BROWSE, user_id=ANNA, session_id=COOKIE)
    shop.send("browse", **BROWSE, user_id=ANNA, action="stare")
    (event,) = shop.events()
    assert (event.key, event.session_id) == (f"u:{ANNA}", COOKIE)
    (rejection,) = shop.bench.decoded("rejected")
    assert rejection.raw_base64 and "'stare'" in rejection.detail


def test_what_the_shop_told_of_a_customer_is_found_under_the_pseudonym(shop: Shop) -> None:
    shop.send("customer", user_id=ANNA, location="GB", consent={"profiling": True})
    user = PSEUDONYMS.user(ANNA)
    row = shop.bench.views.customer(user)
    assert row == CustomerFacts(user, {"location": "GB"}, True, AT)
    assert shop.bench.views.customer(ANNA) is None


@pytest.mark.parametrize("pseudonyms", [Pseudonyms(), PSEUDONYMS], ids=["plain", "pseudonyms"])
def test_consent_that_is_taken_back_holds_for_the_very_next_event(pseudonyms: Pseudonyms) -> None:
    bench = SlowBench(pseudonyms=pseudonyms)
    shop = Shop(bench)
    shop.send("customer", user_id=ANNA, consent={"profiling": True})
    shop.send("browse", **BROWSE, user_id=ANNA)
    shop.send("customer", user_id=ANNA, consent={"profiling": False})
    shop.send("browse", **BROWSE, user_id=ANNA)
    assert [event.profiling for event in shop.events()] == [True, True, False, False]
    bench.arrive("customer-view")
    shop.send("browse", **BROWSE, user_id=ANNA)
    assert [event.profiling for event in shop.events()] == [False]


def test_who_is_erased_is_a_stranger_for_the_very_next_event() -> None:
    bench = SlowBench()
    shop = Shop(bench)
    shop.send("customer", user_id=ANNA, consent={"profiling": False})
    bench.arrive("customer-view")
    shop.send("erasure", user_id=ANNA)
    assert bench.views.customer(ANNA) is None
    (tombstone,) = bench.taken("customer-view")
    assert (tombstone.key, tombstone.value) == (ANNA.encode(), None)


def test_a_customer_without_consent_leaves_no_attributes_in_the_view() -> None:
    shop = Shop(Bench())
    shop.send("customer", user_id=ANNA, location="GB", consent={"profiling": False})
    (record,) = shop.bench.taken("customer-view")
    assert msgspec.msgpack.decode(record.value or b"", type=CustomerFacts) == CustomerFacts(
        ANNA, {}, False, AT
    )


def test_a_record_of_five_megabytes_costs_the_topic_of_refusals_a_few_kilobytes() -> None:
    shop = Shop(Bench())
    for raw in (b"x" * 5_000_000, b'{"type":"browse","at":"' + b"9" * 1_000_000 + b'"}', b"[" * 900_000):
        shop.send_raw("browses", raw)
    sizes = [len(record.value or b"") for record in shop.bench.taken("rejected")]
    assert len(sizes) == 3
    assert max(sizes) < 8_192
    assert shop.events() == []
