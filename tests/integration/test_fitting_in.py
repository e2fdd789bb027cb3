"""On a real Kafka: CloudEvents in both modes become lists, and what is withdrawn leaves them."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.recommendations import Recommendation, Rejection
from tests.integration.answers import every_list
from tests.integration.shop_topics import ShopTopics
from tests.integration.shops import a_topology
from tests.integration.worker_process import until

pytestmark = pytest.mark.kafka

TIME = "2023-11-14T22:13:20Z"
ATTRIBUTES = {"specversion": "1.0", "source": "/shop/web", "type": "com.shop.browse", "time": TIME}
LATER = "2023-11-14T22:13:30Z"
RULE = '[[rule]]\nname = "recalled"\naction = "exclude"\nitems = ["pot"]\n'


def send(topics: ShopTopics, key: str, value: object, headers: dict[str, str] | None = None) -> None:
    pairs = [(name, text.encode()) for name, text in (headers or {}).items()]
    topics.send_raw("browses", key.encode(), msgspec.json.encode(value), pairs)


WINDOW = f'{RULE}[[rule]]\nname = "later"\naction = "exclude"\nitems = ["jam"]\nfrom = {LATER}\n'


def look(topics: ShopTopics, user: str, items: Sequence[str], at: str = TIME) -> None:
    """Somebody looks at items, one after the other: all in binary mode but the last, which is structured."""
    for number, item in enumerate(items):
        data = {"user_id": user, "item_id": item}
        told = ATTRIBUTES | {"id": f"{user}-{number}", "time": at}
        if item != items[-1]:
            send(topics, user, data, {f"ce_{name}": text for name, text in told.items()})
        else:
            structured = {"content-type": "application/cloudevents+json; charset=UTF-8"}
            send(topics, user, told | {"data": data}, structured)
    topics.flush()


def newest_of(topics: ShopTopics) -> dict[str | None, Recommendation]:
    return {each.user_id: each for each in every_list(topics)}


def holding(topics: ShopTopics, item: str) -> list[str]:
    """Whose newest list has an item."""
    lists = newest_of(topics).items()
    return sorted(str(user) for user, each in lists if any(place.item_id == item for place in each.items))


def sell_out(topics: ShopTopics, item: str) -> None:
    row: dict[str, Any] = {"type": "item", "item_id": item, "available": False, "at": time.time_ns() // 10**6}
    topics.send_raw("items", item.encode(), msgspec.json.encode(row))
    topics.flush()


@pytest.mark.slow
def test_cloud_events_become_lists_and_what_is_withdrawn_leaves_them(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("")
    with a_topology(kafka, topic_prefix, tmp_path, RECOMMEND__RULES_FILE=rules) as topology:
        worker, topics = topology.worker().wait_ready(), topology.topics
        look(topics, "anna", ["tea", "cup", "pot"])
        look(topics, "ben", ["pot", "tea"])
        look(topics, "carla", ["jam"])
        send(topics, "dora", {}, {"ce_specversion": "1.0", "content-type": "text/xml"})
        topics.flush()
        until(lambda: len(newest_of(topics)) == 3, "a list for each")
        until(lambda: len(topics.read("rejected")) == 1, "what cannot be opened is refused")
        (refused,) = topics.read("rejected")
        assert msgspec.json.decode(refused.value or b"", type=Rejection).reason == "missing_field"
        last = {f"/shop/web {user}" for user in ("anna-2", "ben-1", "carla-0")}
        until(lambda: {x.caused_by[-1] for x in newest_of(topics).values()} == last, "the newest looks")

        until(lambda: {"anna", "ben"} <= set(holding(topics, "tea")), "lists with what was looked at")
        had_tea, before = holding(topics, "tea"), newest_of(topics)
        sell_out(topics, "tea")
        until(lambda: not holding(topics, "tea"), "no list with what is sold out")
        after = newest_of(topics)
        assert [user for user in after if after[user] != before[user]] == [
            user for user in after if str(user) in had_tea
        ]
        assert after["anna"].recommendation_id.startswith(f"{before['anna'].recommendation_id}-")
        assert after["anna"].caused_by == before["anna"].caused_by[-1:]

        assert "anna" in holding(topics, "pot")
        rules.write_text(RULE)
        until(lambda: not holding(topics, "pot"), "no list with what a rule excludes")

        rules.write_text(WINDOW)
        until(lambda: worker.metric("freshrec_business_rules") == 2, "a rule that holds later")
        standing = holding(topics, "jam")
        assert "carla" in standing
        before = newest_of(topics)
        # So many that each of the two partitions has one.
        for number in range(8):
            look(topics, f"later-{number}", ["cup"], at=LATER)
        until(lambda: not holding(topics, "jam"), "no list with what a rule excludes whose window opened")
        after = newest_of(topics)
        for user in standing:
            first, again = (each[user].recommendation_id for each in (before, after))
            assert again.partition("-")[0] == first.partition("-")[0]
            assert again != first

        rules.write_text("[[rule]")
        until(lambda: worker.metric("freshrec_business_rules_faulty") == 1, "a fault that is told")
        look(topics, "emil", ["jam", "pot"])
        until(lambda: "emil" in newest_of(topics), "a list for another")
        assert "emil" not in holding(topics, "pot")
        assert worker.metric("freshrec_business_rules") == 2
        assert worker.terminate() == 0
