"""The order, the rate and the shares of a simulated storefront's stream, and that it can be repeated."""

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import islice, pairwise
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from online_models.worlds import PRESETS, Emitted, Storefront, StorefrontSettings

CALM = StorefrontSettings(late_share=0.0, duplicate_share=0.0)
DIGEST = """
import hashlib, sys
from itertools import chain, islice
from online_models.worlds import PRESETS, Storefront
shop = Storefront(PRESETS[sys.argv[1]])
digest = hashlib.sha256()
for record in chain(shop.catalogue(), shop.past(), islice(shop.events(), 5_000)):
    digest.update(repr(record).encode())
print(digest.hexdigest())
"""


def take(made: StorefrontSettings, count: int) -> list[Emitted]:
    return list(islice(Storefront(made).events(), count))


def decode(record: Emitted) -> dict[str, Any]:
    message: dict[str, Any] = msgspec.json.decode(record.value)
    return message


def event_ids(records: list[Emitted]) -> list[str]:
    return [decode(record)["event_id"] for record in records]


@pytest.mark.parametrize("name", ["demo", "drift"])
def test_the_same_seed_gives_the_same_bytes_in_every_process(name: str) -> None:
    digests = {
        subprocess.run(  # noqa: S603  # a command of our own
            [sys.executable, "-c", DIGEST, name],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "4321")
    }

    assert len(digests) == 1
    assert len(digests.pop().strip()) == hashlib.sha256().digest_size * 2


def test_another_seed_gives_another_shop() -> None:
    assert take(CALM, 200) != take(replace(CALM, seed=2), 200)


def test_taking_the_events_anew_starts_from_the_beginning() -> None:
    shop = Storefront(PRESETS["demo"])

    assert list(islice(shop.events(), 3_000)) == list(islice(shop.events(), 3_000))


def test_events_come_in_order_of_time_from_the_start_on() -> None:
    times = [record.at for record in take(CALM, 20_000)]

    assert times == sorted(times)
    assert 0 <= times[0] - CALM.start_at_ms < 5_000


def test_only_the_planned_share_is_late_and_by_no_more_than_planned() -> None:
    records = take(replace(CALM, late_share=0.1, late_s=60.0), 20_000)
    newest, late = 0, []
    for record in records:
        late.append(newest - record.at)
        newest = max(newest, record.at)

    assert max(late) <= 60_000
    assert 0.08 < sum(lateness > 0 for lateness in late) / len(late) < 0.105


def test_events_sent_twice_are_the_same_to_the_byte() -> None:
    records = take(replace(CALM, duplicate_share=0.05), 20_000)
    times_sent = Counter(record.value for record in records)

    assert set(times_sent.values()) == {1, 2}
    assert 0.04 < sum(sent == 2 for sent in times_sent.values()) / len(times_sent) < 0.06
    assert len(set(event_ids(records))) == len(times_sent)


def test_event_ids_are_unique_when_nothing_is_sent_twice() -> None:
    ids = event_ids(take(CALM, 20_000))

    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("events_per_s", [0.5, 5.0, 200.0, 5_000.0])
def test_the_rate_is_kept_from_the_first_event_on(events_per_s: float) -> None:
    records = take(replace(CALM, events_per_s=events_per_s), 20_000)

    for part in (records[:5_000], records[5_000:]):
        seconds = (part[-1].at - part[0].at) / 1_000
        assert len(part) / seconds == pytest.approx(events_per_s, rel=0.1)


def test_nobody_is_in_two_visits_at_once() -> None:
    spans: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for record in take(replace(CALM, events_per_s=50.0), 30_000):
        message = decode(record)
        if message["user_id"] and message["type"] != "rating":
            spans[message["user_id"]][message["session_id"]].append(record.at)

    for visits in spans.values():
        ordered = sorted((min(times), max(times)) for times in visits.values())
        assert all(earlier[1] < later[0] for earlier, later in pairwise(ordered))


def test_scripted_customers_never_act_and_other_named_ones_are_often_seen() -> None:
    seen = Counter(decode(record)["user_id"] for record in take(CALM, 30_000))
    usual = sorted(seen.values())[len(seen) // 2]

    assert seen["anna"] == seen["ben"] == 0
    assert min(seen["carla"], seen["david"]) > usual


def test_guests_come_in_their_share_of_visits_and_rate_nothing() -> None:
    messages = [decode(record) for record in take(replace(CALM, guest_share=0.25), 30_000)]
    visits = {m["session_id"]: m["user_id"] for m in messages if m["type"] != "rating"}

    assert 0.22 < sum(user is None for user in visits.values()) / len(visits) < 0.28
    assert all(m["user_id"] for m in messages if m["type"] == "rating")


def test_a_visit_goes_from_views_to_the_cart_to_the_order_and_ratings_follow() -> None:
    carts: dict[str, set[str]] = defaultdict(set)
    bought: dict[str, set[str]] = defaultdict(set)
    orders = ratings = unknown = 0
    for record in take(replace(CALM, impulse_share=0.0, rating_delay_s=60.0), 30_000)[2_000:]:
        message = decode(record)
        if message.get("action") == "cart":
            carts[message["session_id"]].add(message["item_id"])
        elif message["type"] == "purchase":
            orders += 1
            items = {line["item_id"] for line in message["lines"]}
            bought[message["user_id"]] |= items
            unknown += not items & carts[message["session_id"]]
        elif message["type"] == "rating":
            ratings += 1
            unknown += message["item_id"] not in bought[message["user_id"]]

    assert orders > 1_000
    assert ratings > 300
    # Visits that were under way where the first events were cut off.
    assert unknown < 30


def test_a_view_that_answers_a_shown_list_is_of_one_of_its_items() -> None:
    shown: dict[str, list[str]] = {}
    answered = 0
    for message in map(decode, take(CALM, 20_000)):
        if message["type"] == "impression":
            shown[message["recommendation_id"]] = message["items"]
        elif message.get("recommendation_id") in shown:
            answered += 1
            assert message["item_id"] in shown[message["recommendation_id"]][:3]

    assert answered >= 0.98 * len(shown) > 100


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"late_share": -0.1}, "late_share is -0.1; expected a share from 0 to 1"),
        ({"events_per_s": 0.0}, "events_per_s is 0.0; expected more than 0"),
        ({"zipf": -1.0}, "zipf is -1.0; expected 0 or more"),
        ({"categories": 201}, "categories is 201; expected at most items, 200"),
        ({"pairs": 101}, "pairs is 101; expected at most half of items, 100"),
        ({"linked_items": 101}, "linked_items is 101; expected at most half of items"),
        ({"customers": 3}, "4 customers are named; there are 3"),
        ({"scripted_customers": 500}, "scripted_customers is 500; expected fewer than customers"),
        ({"bad_share": 1.0}, "bad_share is 1.0; expected less"),
    ],
)
def test_settings_that_make_no_shop_are_refused_by_name(change: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(CALM, **change)
