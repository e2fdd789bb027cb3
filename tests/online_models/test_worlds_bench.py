"""What the workload `bench-1` promises: customers per second, a Zipf law, 20 linked items, mostly new."""

from collections import Counter, OrderedDict, defaultdict
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from online_models.worlds import PRESETS, Emitted, Storefront

BENCH = PRESETS["bench-1"]
LINKED = 20


def decode(record: Emitted) -> dict[str, Any]:
    message: dict[str, Any] = msgspec.json.decode(record.value)
    return message


def items_of(message: dict[str, Any]) -> list[str]:
    if "lines" in message:
        return [line["item_id"] for line in message["lines"]]
    return [message["item_id"]]


@pytest.mark.parametrize("events_per_s", [100.0, 1_000.0, 3_000.0, 10_000.0, 50_000.0])
def test_each_second_has_enough_distinct_customers(events_per_s: float) -> None:
    shop = Storefront(replace(BENCH, events_per_s=events_per_s))
    seconds: dict[int, list[str]] = defaultdict(list)
    for record in islice(shop.events(), int(min(5 * events_per_s, 100_000))):
        seconds[record.at // 1_000].append(record.key)

    for customers in seconds.values():
        assert len(set(customers)) >= min(2_000, len(customers) / 2)


def test_the_shop_has_its_size_and_its_kinds_their_shares() -> None:
    shop = Storefront(BENCH)
    kinds: Counter[str] = Counter()
    for message in map(decode, islice(shop.events(), 60_000)):
        kinds[message.get("action", message["type"])] += 1

    assert (BENCH.customers, BENCH.items, BENCH.zipf) == (100_000, 100_000, 1.0)
    assert Counter(record.topic for record in shop.catalogue()) == {"items": 100_000, "customers": 100_000}
    shares = {kind: count / kinds.total() for kind, count in kinds.items()}
    assert shares["view"] + shares["cart"] == pytest.approx(0.93, abs=0.015)
    assert shares["cart"] == pytest.approx(0.055, abs=0.015)
    assert shares["purchase"] == pytest.approx(0.05, abs=0.005)
    assert shares["rating"] == pytest.approx(0.02, abs=0.005)


def test_views_follow_a_zipf_law_with_exponent_one() -> None:
    views = Counter(
        message["item_id"]
        for message in map(decode, islice(Storefront(BENCH).events(), 200_000))
        if message.get("action") == "view"
    )
    counts = np.array([count for _, count in views.most_common(300)], dtype=np.float64)

    slope = np.polyfit(np.log(np.arange(1, 301)), np.log(counts), 1)[0]

    assert slope == pytest.approx(-1.0, abs=0.06)
    assert views.most_common(1)[0][1] / views.total() == pytest.approx(1 / 12.1, abs=0.03)


def test_customers_are_equally_active() -> None:
    shop = Storefront(replace(BENCH, customers=2_000))
    events = Counter(record.key for record in islice(shop.events(), 100_000))

    assert len(events) > 1_980
    assert np.quantile(list(events.values()), (0.1, 0.5, 0.9)) == pytest.approx((30, 50, 70), abs=5)


def test_with_the_past_every_event_meets_20_linked_items_and_mostly_brings_a_new_one() -> None:
    # Fewer customers reach the steady state sooner; what happens to one of them is the same.
    shop = Storefront(replace(BENCH, customers=2_000))
    histories: dict[str, OrderedDict[str, None]] = defaultdict(OrderedDict)
    past = list(map(decode, shop.past()))
    for message in past:
        touch(histories[message["user_id"]], items_of(message))
    assert len({message["user_id"] for message in past}) == len(past) == 2_000
    assert all(len(history) == LINKED for history in histories.values())

    new = []
    for message in map(decode, islice(shop.events(), 120_000)):
        history = histories[message["user_id"]]
        new.append(any(item not in history for item in items_of(message)))
        touch(history, items_of(message))
        assert len(history) == LINKED

    # The last third: 40 to 60 events after the start for each customer.
    assert np.mean(new[80_000:]) >= 0.8


def test_without_the_past_the_linked_items_grow_to_20_and_stay() -> None:
    shop = Storefront(replace(BENCH, customers=1_000))
    histories: dict[str, OrderedDict[str, None]] = defaultdict(OrderedDict)
    met = []
    for message in map(decode, islice(shop.events(), 80_000)):
        history = histories[message["user_id"]]
        met.append(len(history))
        touch(history, items_of(message))

    assert np.mean(met[:5_000]) < 5
    assert np.mean(met[50_000:65_000]) > 19.9
    assert np.mean(met[65_000:]) > 19.9


def touch(history: OrderedDict[str, None], items: list[str]) -> None:
    """Note items as the newest ones of a history that keeps the last 20 distinct ones."""
    for item in items:
        history[item] = None
        history.move_to_end(item)
    while len(history) > LINKED:
        history.popitem(last=False)


def test_the_past_lies_before_the_start_in_order_of_time() -> None:
    times = [record.at for record in islice(Storefront(BENCH).past(), 3_000)]

    assert times == sorted(times)
    assert BENCH.start_at_ms - 1_000 * BENCH.past_span_s <= times[0] < BENCH.start_at_ms
