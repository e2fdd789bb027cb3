"""The stream that costs are measured on: its order, its shares, and that it is the same every time."""

from collections import Counter, defaultdict
from itertools import islice, pairwise

import pytest

from benchmarks.loads import Load, catalogue, events, key_of, rows
from schemas.messages import Event

LOAD = Load(items=1_000, customers=200, seed=3)
SOME = 60_000


@pytest.fixture(scope="module")
def some() -> list[Event]:
    return list(islice(events(LOAD), SOME))


def test_events_come_in_the_order_of_time_also_from_block_to_block(some: list[Event]) -> None:
    assert all(before.at <= after.at for before, after in pairwise(some))
    assert [event.offset for event in some] == list(range(SOME))


def test_the_same_load_gives_the_same_events_and_another_seed_others(some: list[Event]) -> None:
    assert list(islice(events(LOAD), 5_000)) == some[:5_000]
    assert next(events(Load(items=1_000, customers=200, seed=4))) != some[0]


def test_sessions_are_of_one_key_and_have_their_mean_length(some: list[Event]) -> None:
    keys: dict[str, set[str]] = defaultdict(set)
    lengths: Counter[str] = Counter()
    for event in some:
        assert event.session_id is not None
        keys[event.session_id].add(event.key)
        lengths[event.session_id] += 1
    assert {len(each) for each in keys.values()} == {1}
    # The last ones go on after these events, and the longest of all are still open.
    done = [lengths[str(number)] for number in range(5_000)]
    assert min(done) >= 2
    assert sum(done) / len(done) == pytest.approx(LOAD.events_per_session, rel=0.03)


def test_guests_customers_and_kinds_have_their_shares(some: list[Event]) -> None:
    owners = {event.session_id: event.key for event in some}
    guests = sum(key.startswith("s:") for key in owners.values()) / len(owners)
    assert guests == pytest.approx(LOAD.guest_share, abs=0.02)
    assert len({key for key in owners.values() if key.startswith("u:")}) > 0.95 * LOAD.customers
    kinds = Counter(event.kind for event in some)
    shares = {kind: count / SOME for kind, count in kinds.items()}
    expected = {"view": 0.87, "cart": 0.06, "purchase": 0.05, "rating": 0.02}
    assert shares == pytest.approx(expected, abs=0.01)


def test_popularity_follows_a_zipf_law(some: list[Event]) -> None:
    counts = Counter(event.lines[0].item for event in some)
    total = sum(1 / rank for rank in range(1, LOAD.items + 1))
    for rank in (1, 2, 10):
        assert counts[f"i{rank - 1}"] / SOME == pytest.approx(1 / rank / total, rel=0.1)


def test_only_orders_have_two_lines_and_only_ratings_a_value(some: list[Event]) -> None:
    for event in some[:5_000]:
        bought, rated = event.kind == "purchase", event.kind == "rating"
        assert (len(event.lines), event.order_id is not None) == (1 + bought, bought)
        assert (event.value is not None) == (event.scale_max is not None) == rated


def test_rows_are_the_events_as_columns(some: list[Event]) -> None:
    block = next(rows(LOAD))
    pairs = zip(block.session.tolist(), block.customer.tolist(), strict=True)
    assert [key_of(*pair) for pair in islice(pairs, 500)] == [event.key for event in some[:500]]
    assert block.at[:500].tolist() == [event.at for event in some[:500]]


def test_the_catalogue_has_every_item_with_the_categories_that_events_say(some: list[Event]) -> None:
    facts = {each.item: each for each in catalogue(LOAD)}
    assert len(facts) == LOAD.items
    assert all(facts[line.item].categories == line.categories for event in some for line in event.lines)
