"""Followed topics: the newest version of a row counts, in whatever order rows come; caches never lie."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.memory_store import MemoryStore
from online_models.pair_table import name_key
from schemas.messages import (
    WEIGHT_ONE,
    Centroids,
    CustomerFacts,
    ItemCounts,
    ItemFacts,
    Neighbours,
    Popular,
    Totals,
)
from schemas.settings import KafkaSettings, PopularitySettings, Settings
from schemas.state import ViewRow
from streams.followed import FollowedTopic, Views, followed_topic

SETTINGS = Settings(
    kafka=KafkaSettings(partitions=2), popularity=PopularitySettings(half_life_s=10, published=3)
)
_encode = msgspec.msgpack.encode


def a_topic(cache_rows: int = 100) -> FollowedTopic[ItemCounts]:
    return FollowedTopic(MemoryStore(ViewRow), ItemCounts, cache_rows=cache_rows)


def a_value(n: int) -> bytes:
    return _encode(ItemCounts("tea", 0, (n, n, n)))


def count_of(topic: FollowedTopic[ItemCounts], key: str = "tea") -> int | None:
    row = topic.get(key)
    return None if row is None else row.counts[0]


def test_the_newest_version_counts_and_an_older_one_is_ignored() -> None:
    topic = a_topic()
    for n, version in enumerate([(0, 0, 5), (0, 0, 4), (0, 0, 6), (1, 0, 1), (0, 9, 9)]):
        topic.learn("tea", a_value(n), version)
    assert count_of(topic) == 3
    assert topic.changes == 3


def test_a_row_of_the_same_version_is_taken_again() -> None:
    topic = a_topic()
    topic.learn("tea", a_value(1), (0, 0, 5))
    topic.learn("tea", a_value(1), (0, 0, 5))
    assert count_of(topic) == 1


def test_a_row_without_value_is_deleted_unless_it_is_older() -> None:
    topic = a_topic()
    topic.learn("tea", a_value(1), (0, 0, 5))
    topic.learn("tea", None, (0, 0, 4))
    assert count_of(topic) == 1
    topic.learn("tea", None, (0, 0, 6))
    assert topic.get("tea") is None


def test_what_is_taken_is_told_and_what_is_older_is_not() -> None:
    topic, told = a_topic(), list[tuple[str, bytes | None]]()
    topic.tell = lambda key, value: told.append((key, value))
    topic.learn("tea", a_value(2), (0, 0, 2))
    topic.learn("tea", a_value(1), (0, 0, 1))
    topic.learn("tea", None, (0, 0, 3))
    assert told == [("tea", a_value(2)), ("tea", None)]


def test_what_was_absent_is_seen_once_it_arrives() -> None:
    topic = a_topic()
    assert topic.get("tea") is None
    topic.learn("tea", a_value(1), (0, 0, 1))
    assert count_of(topic) == 1


def test_the_very_same_object_is_given_until_the_row_changes() -> None:
    topic = a_topic()
    topic.learn("tea", a_value(1), (0, 0, 1))
    row = topic.get("tea")
    assert topic.get("tea") is row
    topic.learn("tea", a_value(1), (0, 0, 2))
    assert topic.get("tea") is not row


_moves = st.lists(
    st.tuples(st.sampled_from("abcd"), st.none() | st.integers(0, 9), st.integers(0, 3)), max_size=60
)


@given(_moves, st.integers(1, 6))
def test_a_cache_of_any_size_gives_what_a_dict_gives(
    moves: list[tuple[str, int | None, int]], cache_rows: int
) -> None:
    topic, model = a_topic(cache_rows), dict[str, tuple[int, int]]()
    for key, count, version in moves:
        if count is None:
            assert count_of(topic, key) == (model[key][1] if key in model else None)
        elif key not in model or version >= model[key][0]:
            model[key] = version, count
            topic.learn(key, a_value(count), (0, 0, version))
        else:
            topic.learn(key, a_value(count), (0, 0, version))
    assert {key: count_of(topic, key) for key in "abcd"} == {
        key: model[key][1] if key in model else None for key in "abcd"
    }


@given(st.permutations([((0, 0, 1), 1), ((0, 0, 2), 2), ((0, 1, 0), 3), ((1, 0, 0), 4)]))
def test_rows_may_come_in_any_order(rows: list[tuple[tuple[int, int, int], int]]) -> None:
    topic = a_topic()
    for version, count in rows:
        topic.learn("tea", a_value(count), version)
    assert count_of(topic) == 4


# -- all views of a process ---------------------------------------------------------------------------

FACTS = ItemFacts("tea", None, [], None, None, [], True, 0)
ROWS: dict[str, tuple[type[object], str, msgspec.Struct]] = {
    "neighbours": (Neighbours, "tea", Neighbours("tea", [], {})),
    "item-view": (ItemFacts, "tea", FACTS),
    "customer-view": (CustomerFacts, "anna", CustomerFacts("anna", {}, False, 0)),
    "centroids": (Centroids, "centroids", Centroids("1", [], [], [], [], 0)),
    "item-counts": (ItemCounts, "tea", ItemCounts("tea", 0, (1, 2, 3))),
}


def views_of(*names: str) -> Views:
    types: dict[str, type[object]] = {name: type_ for name, (type_, _, _) in ROWS.items()}
    types |= {"totals": Totals, "popular": Popular}
    topics = {name: followed_topic(name, MemoryStore(ViewRow), types[name], cache_rows=10) for name in names}
    return Views(topics, SETTINGS)


def all_rows(views: Views) -> dict[str, object]:
    """What the views say of tea, of anna and of the clustering, by topic."""
    return {
        "neighbours": views.neighbours("tea"),
        "item-view": views.item("tea"),
        "customer-view": views.customer("anna"),
        "centroids": views.centroids(),
        "item-counts": views.counts_of([name_key("tea")])[0],
    }


@pytest.mark.parametrize("name", ROWS)
def test_each_view_gives_the_row_of_its_topic(name: str) -> None:
    views, (_, key, row) = views_of(name), ROWS[name]
    assert set(all_rows(views).values()) == {None}
    views.topics[name].learn(key, _encode(row), (0, 0, 0))
    assert all_rows(views) == dict.fromkeys(ROWS) | {name: row}
    assert views.changes == 1


def test_a_topic_that_is_not_followed_answers_nothing() -> None:
    views = views_of()
    assert set(all_rows(views).values()) == {None}
    assert (len(views.totals()), len(views.popular("all")), views.changes) == (0, 0, 0)


def test_totals_are_those_of_all_partitions_that_told_theirs() -> None:
    views = views_of("totals")
    one = Totals(1, 0, (0, 2, 3), 9)
    views.topics["totals"].learn("1", _encode(one), (0, 1, 0))
    assert views.totals() == [one]


def test_popular_items_of_all_partitions_are_one_list_as_of_the_newest_landmark() -> None:
    views = views_of("popular")
    rows = [
        Popular(0, "all", 0, [("old", 8 * 65_536 * WEIGHT_ONE), ("older", 2 * 65_536 * WEIGHT_ONE)]),
        Popular(1, "all", 1, [("new", 3 * 65_536 * WEIGHT_ONE), ("b", 65_536 * WEIGHT_ONE)]),
    ]
    for row in rows:
        views.topics["popular"].learn(f"{row.partition}|all", _encode(row), (0, row.partition, 0))
    assert list(views.popular("all")) == [("old", 4.0), ("new", 3.0), ("b", 1.0)]
    assert views.popular("all") is views.popular("all")
    assert list(views.popular("category:x")) == []


def test_popular_items_change_with_any_partitions_row() -> None:
    views = views_of("popular")
    for n in range(3):
        row = Popular(1, "all", 0, [("tea", (n + 1) * 65_536 * WEIGHT_ONE)])
        views.topics["popular"].learn("1|all", _encode(row), (0, 1, n))
        assert list(views.popular("all")) == [("tea", n + 1.0)]
