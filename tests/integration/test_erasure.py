"""What is left of a customer who asked to be forgotten: nothing, in no topic, no store and no snapshot."""

import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from online_models.worlds import Emitted, Storefront
from streams.topology import TOPICS
from tests.integration.shop_topics import ShopTopics
from tests.integration.shops import a_shop, a_topology
from tests.integration.worker_process import until
from tests.traces import files_with

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

NAME = "conspicuous-4711"
"""The customer, and part of the ids of all sessions, orders, lists and events."""

HOUR_MS = 3_600_000
_OF_PEOPLE = ("user_id", "session_id", "order_id", "event_id", "target_id")


def conspicuous(records: Iterable[Emitted], user: str) -> Iterator[Emitted]:
    """The same records, with one customer under an id that nobody overlooks."""
    for record in records:
        message: dict[str, Any] = msgspec.json.decode(record.value)
        if message.get("user_id") != user:
            yield record
            continue
        message |= {name: f"{message[name]}-{NAME}" for name in _OF_PEOPLE if message.get(name)}
        yield Emitted(record.topic, NAME, msgspec.json.encode(message | {"user_id": NAME}), record.at)


def topics_with(topics: ShopTopics, name: str) -> set[str]:
    """Topics in which a record has a name in it."""
    return {
        topic.name
        for topic in TOPICS
        for record in topics.read(topic.name)
        if name.encode() in (record.key or b"") + (record.value or b"")
    }


def busiest(records: Iterable[Emitted]) -> str:
    """The customer with the most events."""
    names: list[str | None] = [msgspec.json.decode(each.value).get("user_id") for each in records]
    return max((name for name in names if name), key=names.count)


def test_after_the_stated_time_no_topic_no_store_and_no_snapshot_has_a_trace_of_who_was_forgotten(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = Storefront(a_shop(31))
    events = list(islice(shop.events(), 1_500))
    records = list(conspicuous(chain(shop.catalogue(), events), busiest(events)))
    chosen = {
        "SEGMENTS__WARMUP_SAMPLES": 20,
        "PROFILES__PUBLISH_INTERVAL_S": 0,
        "HISTORY__ERASURE_TTL_S": 3_600,
        "STATE__REWRITE_S": 1,
        "SNAPSHOT__URL": tmp_path / "shots",
        "SNAPSHOT__INTERVAL_S": 1,
        "SNAPSHOT__KEEP": 1,
    }
    with a_topology(kafka, topic_prefix, tmp_path, **chosen) as topology:
        topics = topology.topics
        worker = topology.worker().wait_ready()
        topics.send(records)
        topics.wait_caught_up()
        until(lambda: bool(topics.newest("segments").get(NAME)), "a segment")
        until(lambda: bool(topics.newest("customer-profiles").get(NAME)), "a profile")
        named = topics_with(topics, NAME)
        assert named >= {
            "events",
            "facts",
            "customer-view",
            "recommendations",
            "segments",
            "customer-profiles",
        }
        assert files_with(tmp_path / "state", NAME)

        done = topology.command("forget", NAME, "--json")
        assert done.returncode == 0, done.stderr
        at = msgspec.json.decode(done.stdout)["at"]
        topics.wait_caught_up()
        topics.expire_soon()

        def later(number: int) -> None:
            """Others go on: an hour passes, then the files of every topic are followed by others."""
            for user in range(8):
                later_at = at + (3 + number) * HOUR_MS // 2
                message = {"user_id": f"other-{user}", "at": min(later_at, at + 20 * HOUR_MS)}
                view = {"type": "browse", "event_id": f"later-{number}-{user}", "item_id": "i00001"}
                topics.send_raw("browses", f"other-{user}".encode(), msgspec.json.encode(message | view))
                told = message | {"type": "customer", "age_band": "25-34"}
                topics.send_raw("customers", f"other-{user}".encode(), msgspec.json.encode(told))
                for topic in TOPICS:
                    # Whoever writes there next begins another file; here it is nobody's deletion.
                    if topic.name not in ("browses", "customers") and topic.kind != "log":
                        topics.send_raw(topic.name, f"other-{user}".encode(), None)
            topics.flush()
            topics.wait_caught_up()

        def traces() -> set[str]:
            number = int(time.monotonic() - began)
            later(number)
            return topics_with(topics, NAME)

        began = time.monotonic()
        until(lambda: not traces(), "topics without a trace", timeout_s=240)
        until(lambda: not files_with(tmp_path / "shots", NAME), "snapshots without a trace", timeout_s=60)
        assert worker.terminate() == 0
        assert files_with(tmp_path / "state", NAME) == []
        assert files_with(tmp_path / "shots", NAME) == []
        assert "items are taken back; no trace is left after" in worker.log
        assert NAME not in worker.log
