"""Every message of a simulated storefront against a validator written from the rules, not from the code."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from itertools import chain, islice
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from online_models.worlds import PRESETS, Emitted, Storefront, StorefrontSettings, diverging_twins, enact
from online_models.worlds.bad_records import bad_record

TOPIC_OF_TYPE = {
    "browse": "browses",
    "purchase": "purchases",
    "rating": "ratings",
    "item": "items",
    "customer": "customers",
    "link": "links",
    "impression": "impressions",
}
FIELDS = {
    "browse": {
        "event_id",
        "user_id",
        "session_id",
        "item_id",
        "action",
        "at",
        "dwell_s",
        "recommendation_id",
    },
    "purchase": {"event_id", "user_id", "session_id", "order_id", "at", "lines", "recommendation_id"},
    "rating": {"event_id", "user_id", "item_id", "value", "scale_max", "at"},
    "item": {"item_id", "title", "categories", "brand", "price", "tags", "text", "available", "at"},
    "customer": {"user_id", "age_band", "gender", "location", "income_band", "consent", "at"},
    "link": {"user_id", "target_id", "weight", "at"},
    "impression": {"event_id", "user_id", "session_id", "recommendation_id", "items", "at"},
}


def complaint(record: Emitted) -> str | None:
    """Say what is wrong with a record, or None."""
    try:
        message = msgspec.json.decode(record.value)
    except msgspec.DecodeError:
        return "not JSON"
    if not isinstance(message, dict):
        return "not an object"
    kind = message.pop("type", None)
    if kind not in FIELDS:
        return f"unknown type {kind}"
    if TOPIC_OF_TYPE[kind] != record.topic:
        return f"{kind} on {record.topic}"
    if not set(message) <= FIELDS[kind]:
        return f"unknown fields {set(message) - FIELDS[kind]}"
    if not isinstance(message["at"], int) or message["at"] != record.at:
        return f"at is {message['at']}, the record's {record.at}"
    return ids_complaint(kind, message, record.key) or values_complaint(kind, message)


def ids_complaint(kind: str, message: dict[str, Any], key: str) -> str | None:
    needed = {
        "browse": ("event_id", "item_id"),
        "purchase": ("event_id", "order_id"),
        "rating": ("event_id", "user_id", "item_id"),
        "item": ("item_id",),
        "customer": ("user_id",),
        "link": ("user_id", "target_id"),
        "impression": ("event_id", "recommendation_id"),
    }[kind]
    ids = [message.get(name) for name in needed]
    instead = "order_id" if kind == "purchase" else "session_id"
    owner = message.get("item_id") if kind == "item" else message.get("user_id") or message.get(instead)
    for name in [*ids, owner]:
        if not isinstance(name, str) or not 0 < len(name.encode()) <= 256:
            return f"{kind} has the id {name!r}"
    return None if key == owner else f"key is {key}, expected {owner}"


def values_complaint(kind: str, message: dict[str, Any]) -> str | None:
    numbers = [
        *(line[name] for line in message.get("lines", []) for name in ("quantity", "unit_price")),
        *(message[name] for name in ("value", "scale_max", "price", "dwell_s", "weight") if name in message),
    ]
    if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
        return f"numbers {numbers}"
    if kind == "browse" and (message["action"] not in {"view", "cart"} or message.get("dwell_s", 1) <= 0):
        return f"{message['action']}, dwell {message.get('dwell_s')}"
    if kind == "purchase":
        lines = message["lines"]
        fine = all(line["quantity"] > 0 and line["unit_price"] >= 0 and line["item_id"] for line in lines)
        distinct = len({line["item_id"] for line in lines}) == len(lines)
        return None if fine and distinct and 0 < len(lines) <= 1_000 else f"lines {lines}"
    if kind == "rating":
        fine = message["scale_max"] > 0 and 0 <= message["value"] <= message["scale_max"]
        return None if fine else f"value {message['value']}"
    if kind == "impression":
        items = message["items"]
        return None if 0 < len(items) == len(set(items)) else f"items {items}"
    return None


def complaints(records: Iterable[Emitted]) -> Counter[str]:
    return Counter(found for record in records if (found := complaint(record)) is not None)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_message_of_a_preset_is_valid(name: str) -> None:
    shop = Storefront(replace(PRESETS[name], bad_share=0.0))
    stream = chain(shop.catalogue(), islice(shop.past(), 2_000), islice(shop.events(), 20_000))

    assert complaints(stream) == Counter()


@given(
    made=st.builds(
        StorefrontSettings,
        seed=st.integers(0, 2**32),
        customers=st.integers(5, 60),
        items=st.integers(12, 80),
        categories=st.integers(1, 12),
        groups=st.integers(1, 9),
        events_per_s=st.floats(0.01, 1_000),
        rating_delay_s=st.floats(0, 20),
        pairs=st.integers(0, 6),
        zipf=st.floats(0, 2),
        zipf_over=st.sampled_from(["category", "shop"]),
        guest_share=st.floats(0, 1),
        hours_strength=st.floats(0, 1),
        impression_share=st.floats(0, 1),
        late_share=st.floats(0, 1),
        duplicate_share=st.floats(0, 1),
        day_s=st.floats(60, 86_400),
        drift_per_day=st.floats(0, 1),
        season_strength=st.floats(0, 1),
        linked_items=st.integers(0, 6),
    )
)
@settings(max_examples=30)
def test_any_settings_give_a_valid_stream_that_never_ends(made: StorefrontSettings) -> None:
    shop = Storefront(made)
    stream = [*shop.catalogue(), *shop.past(), *islice(shop.events(), 300)]

    assert complaints(stream) == Counter()
    assert len(stream) > 300 + made.items + made.customers - 1


def test_bad_records_come_in_their_share_and_each_is_refused_for_its_own_reason() -> None:
    made = replace(PRESETS["small"], bad_share=0.2)
    found = complaints(islice(Storefront(made).events(), 20_000))

    assert 0.18 < found.total() / 20_000 < 0.22
    assert all(complaint(Emitted(*written(number))) is not None for number in range(26))
    assert len({complaint(Emitted(*written(number))) for number in range(13)}) >= 10


def written(number: int) -> tuple[str, str, bytes, int]:
    topic, value = bad_record(number, "anna", 1_000)
    return topic, "anna", value, 1_000


def test_a_storm_of_bad_records_still_lets_good_events_through() -> None:
    made = replace(PRESETS["small"], bad_share=0.95)
    records = list(islice(Storefront(made).events(), 20_000))

    assert 0.94 < complaints(records).total() / len(records) < 0.96


def test_the_items_of_a_shop_have_distinct_readable_titles_and_prices() -> None:
    shop = Storefront(PRESETS["small"])
    items = [msgspec.json.decode(record.value) for record in shop.catalogue() if record.topic == "items"]

    titles = [item["title"] for item in items]
    assert len(set(titles)) == len(titles) == 200
    assert all(re.fullmatch(r"[A-Z][a-z]+( [a-z-]+)+( no\. \d+)?", title) for title in titles)
    assert all(0.5 <= item["price"] < 1_000 for item in items)
    assert {item["item_id"]: item["categories"][0] for item in items} == shop.answer().categories
    assert {item["item_id"]: item["price"] for item in items} == shop.answer().prices


def test_the_named_customers_consent_and_links_join_mostly_the_same_group() -> None:
    shop = Storefront(PRESETS["small"])
    messages = [msgspec.json.decode(record.value) for record in shop.catalogue()]
    groups = shop.answer().groups

    customers = {message["user_id"]: message for message in messages if message["type"] == "customer"}
    assert list(customers)[:5] == ["anna", "ben", "carla", "david", "c000004"]
    assert all(customers[name]["consent"]["profiling"] for name in ("anna", "ben", "carla", "david"))
    links = [(message["user_id"], message["target_id"]) for message in messages if message["type"] == "link"]
    assert all(source != target for source, target in links)
    assert sum(groups[source] == groups[target] for source, target in links) > 0.75 * len(links)


def test_the_acts_of_twins_are_valid_messages() -> None:
    answer = Storefront(PRESETS["demo"]).answer()
    plan = diverging_twins(answer, seed=3)
    acts = [*plan.shared, *plan.first_then, *plan.second_then]

    records = [enact(act, answer, user_id="anna", number=n, at_ms=1_000 + n) for n, act in enumerate(acts)]

    assert complaints(records) == Counter()
    assert {record.topic for record in records} == {"browses", "purchases", "ratings"}
