"""Answers from a state directory are those of the views of the run that wrote it, at its last flush."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from online_models.pair_table import name_key
from schemas.events import TOPIC_OF_TYPE
from schemas.messages import ORDERS, SCOPES
from schemas.settings import Settings
from streams.errors import StateError
from streams.formats import FileRecord
from streams.partitioning import partition_of
from streams.replay import Replay
from streams.stored_views import StoredViews

AT = 1_700_000_000_000
BASKETS = {
    "anna": ["tea", "cup"],
    "ben": ["tea", "cup", "pot"],
    "carla": ["tea", "pot"],
    "david": ["jam", "bread"],
    "emma": ["jam", "bread", "tea"],
}
ITEMS = ("tea", "cup", "pot", "jam", "bread")
KEYS = list(map(name_key, ITEMS))
PAIRS = {frozenset((i, j)) for basket in BASKETS.values() for i in basket for j in basket if i != j}


def settings_in(folder: Path, partitions: int = 2, **rules: Any) -> Settings:
    sections = {
        "kafka": {"partitions": partitions},
        "state": {"dir": str(folder)},
        "rules": {"half_life_s": 0, "min_count": 1} | rules,
        "segments": {"clusters": 2},
    }
    return msgspec.convert(sections, Settings)


def a_record(kind: str, line: int, **fields: Any) -> FileRecord:
    at = AT + line * 1_000
    return FileRecord(
        TOPIC_OF_TYPE[kind], "", json.dumps({"type": kind, "at": at, **fields}).encode(), at, line
    )


def an_order(line: int, user: str | None, items: list[str]) -> FileRecord:
    lines = [{"item_id": item, "quantity": 1, "unit_price": 2.5} for item in items]
    return a_record("purchase", line, order_id=f"o-{line}", user_id=user, lines=lines)


def the_file() -> list[FileRecord]:
    """A catalogue and an order of each customer; a guest buys and another one looks."""
    catalogue = [
        a_record("item", line, item_id=item, title=f"The {item}", categories=["food"])
        for line, item in enumerate(ITEMS)
    ]
    orders = [an_order(line, user, items) for line, (user, items) in enumerate(BASKETS.items(), start=10)]
    guests = [
        an_order(20, None, ["pot"]),
        a_record("browse", 21, event_id="b-21", session_id="s-1", item_id="cup"),
    ]
    return [*catalogue, *orders, *guests]


def a_run(settings: Settings) -> Replay:
    """Replay the file; the run still holds its state."""
    run = Replay(settings, on_recommendation=lambda _: None)
    run.feed(the_file())
    run.finish()
    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_in(tmp_path_factory.mktemp("state"))
    a_run(settings).close()
    return settings


@pytest.fixture
def views(finished: Settings) -> Iterator[StoredViews]:
    opened = StoredViews(finished)
    yield opened
    opened.close()


def test_beside_a_running_owner_every_answer_is_that_of_its_own_views(tmp_path: Path) -> None:
    run = a_run(settings_in(tmp_path))
    stored, live = StoredViews(run.settings), run.views
    assert list(stored.totals()) == list(live.totals())
    assert stored.centroids() is not None
    assert stored.centroids() == live.centroids()
    for item in ITEMS:
        assert stored.neighbours(item) == live.neighbours(item)
        assert stored.item(item) == live.item(item)
    held, of_live = stored.content(), live.content()
    assert held is not None and of_live is not None and held is stored.content()
    assert sorted(held.known()) == sorted(of_live.known()) != []
    assert stored.counts_of(KEYS) == live.counts_of(KEYS)
    for scope in ("all", "category:food"):
        assert stored.popular(scope) == live.popular(scope)
        assert stored.popular(scope)[0][0] == "tea"
    stored.close()
    run.close()


def test_what_was_not_flushed_is_not_seen(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    run = a_run(settings)
    run.feed([an_order(30, "frank", ["tea", "salt"])])
    stored = StoredViews(settings)
    assert stored.history("u:frank") is None
    assert stored.rule_row("salt") is None
    stored.close()

    run.finish()
    stored = StoredViews(settings)
    history = stored.history("u:frank")
    assert history is not None
    assert list(history.items) == ["tea", "salt"]
    assert stored.rule_row("salt") is not None
    stored.close()
    run.close()


def test_sizes_are_customers_items_and_distinct_pairs_without_guests(views: StoredViews) -> None:
    assert views.sizes() == (len(BASKETS), len(ITEMS), len(PAIRS))


def test_rule_items_are_all_items_that_have_counts(views: StoredViews) -> None:
    assert sorted(views.rule_items()) == sorted(ITEMS)


def test_histories_are_found_by_internal_key_in_whatever_partition(views: StoredViews) -> None:
    assert {partition_of(f"u:{user}", 2) for user in BASKETS} == {0, 1}
    for user, items in BASKETS.items():
        history = views.history(f"u:{user}")
        assert history is not None
        assert set(history.items) == set(items)
    assert views.history("s:s-1") is not None
    assert views.history("u:nobody") is None


def test_totals_are_those_of_every_partition(views: StoredViews) -> None:
    totals = views.totals()
    assert [each.partition for each in totals] == [0, 1]
    assert sum(each.totals[ORDERS] for each in totals) == len(BASKETS) + 1


def test_rules_are_those_of_a_recount(views: StoredViews) -> None:
    orders = [*BASKETS.values(), ["pot"]]
    for item in ITEMS:
        (message,) = views.association_rules(item, everything=True)
        own = sum(item in order for order in orders)
        assert (message.scope, message.transactions, message.count) == (SCOPES[ORDERS], len(orders), own)
        assert {rule.item_id: rule.count for rule in message.rules} == {
            other: together
            for other in ITEMS
            if other != item and (together := sum({item, other} <= set(order) for order in orders))
        }


def test_everything_leaves_out_no_rule_and_otherwise_the_bounds_apply(finished: Settings) -> None:
    few = settings_in(Path(finished.state.dir), min_count=2)
    views = StoredViews(few)
    (some,), (every,) = (views.association_rules("tea", everything=all_) for all_ in (False, True))
    assert {rule.item_id for rule in some.rules} == {"cup", "pot"}
    assert {rule.item_id for rule in every.rules} == {"cup", "pot", "jam", "bread"}
    views.close()


def test_profiles_describe_each_segment_and_count_each_customer_once(views: StoredViews) -> None:
    profiles = views.profiles()
    assert [profile.segment for profile in profiles] == ["0", "1"]
    assert sum(profile.size for profile in profiles) == len(BASKETS)


def test_what_nobody_knows_is_none(views: StoredViews) -> None:
    assert views.neighbours("salt") is None
    assert views.association_rules("salt") == []
    assert views.counts_of([name_key("salt"), name_key("tea")])[0] is None
    assert views.item("salt") is None
    assert views.customer("anna") is None
    assert views.popular("category:none") == []


@pytest.mark.parametrize("made", [lambda folder: folder, lambda folder: folder / "missing"])
def test_a_folder_without_state_is_refused_with_what_to_do(
    tmp_path: Path, made: Callable[[Path], Path]
) -> None:
    folder = made(tmp_path)
    with pytest.raises(StateError, match=r"no state in .*; run `freshrec worker` or `freshrec replay` first"):
        StoredViews(settings_in(folder))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("partitions", [1, 3])
def test_another_number_of_partitions_is_refused_with_the_right_one(
    finished: Settings, partitions: int
) -> None:
    with pytest.raises(StateError, match=rf"made with 2 .* say {partitions}; set kafka.partitions to 2"):
        StoredViews(settings_in(Path(finished.state.dir), partitions))


def test_a_state_that_has_only_histories_answers_without_the_other_stages(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "state")
    a_run(settings).close()
    for name in ("rules", "popularity", "segments", "clusters", "views"):
        (tmp_path / "state" / name).rename(tmp_path / name)
    views = StoredViews(settings)
    assert views.sizes() == (len(BASKETS), 0, 0)
    assert (views.neighbours("tea"), views.centroids(), views.profiles()) == (None, None, [])
    assert (list(views.popular("all")), views.item("tea")) == ([], None)
    views.close()
