"""Followed topics on disk: rows and offsets together, read on after a restart, looked at from beside."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from online_models.pair_table import name_key
from schemas.messages import ItemCounts, ItemFacts
from schemas.settings import ContentSettings, RecommendSettings, Settings, StateSettings
from schemas.state import ViewRow
from streams.errors import StateError
from streams.rocks_store import RocksBudget
from streams.topology import GROUPS, STAGES, TOPIC_BY_NAME
from streams.view_store import ViewDatabase, followed_by, open_views, remembered_by

BUDGET = RocksBudget(8 * 1024 * 1024)
SETTINGS = Settings(state=StateSettings(cache_bytes=1_000_000))
ROW = ViewRow((0, 1, 7), b"value")


def a_database(path: Path, *, read_only: bool = False) -> ViewDatabase:
    return ViewDatabase(path, BUDGET, SETTINGS, read_only=read_only)


def a_value(n: int) -> bytes:
    return msgspec.msgpack.encode(ItemCounts("tea", 0, (n, n, n)))


def test_a_new_view_is_empty_and_begins_at_the_start_of_its_topic(tmp_path: Path) -> None:
    database = a_database(tmp_path / "popular")
    assert database.offsets == {}
    assert database.rows.get("tea") is None
    database.close()


def test_rows_and_offsets_come_back_after_a_restart(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    database.rows.put("tea", ROW)
    database.offsets |= {0: 12, 3: 4}
    database.flush()
    database.close()

    again = a_database(tmp_path)
    assert again.rows.get("tea") == ROW
    assert again.offsets == {0: 12, 3: 4}
    again.close()


def test_rows_on_disk_are_told_as_they_arrived_up_to_so_many(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    for name in ("tea", "cup", "pot"):
        database.rows.put(name, replace(ROW, value=name.encode()))
    database.flush()
    assert list(database.stored(2)) == [("cup", b"cup"), ("pot", b"pot")]
    assert list(database.stored(0)) == []
    database.close()


def test_what_was_not_flushed_is_gone_with_its_offset(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    database.offsets[0] = 1
    database.flush()
    database.rows.put("tea", ROW)
    database.offsets[0] = 2
    database.close()

    again = a_database(tmp_path)
    assert (again.rows.get("tea"), again.offsets) == (None, {0: 1})
    again.close()


def test_a_deleted_row_stays_deleted(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    database.rows.put("tea", ROW)
    database.flush()
    database.rows.delete("tea")
    database.flush()
    database.close()

    again = a_database(tmp_path)
    assert again.rows.get("tea") is None
    again.close()


def test_a_flush_in_a_thread_writes_what_was_there_when_it_was_cut(tmp_path: Path) -> None:
    database = a_database(tmp_path)

    async def flush_while_rows_arrive() -> None:
        database.rows.put("tea", ROW)
        database.offsets[0] = 1
        flushing = asyncio.create_task(database.flush_in_thread())
        await asyncio.sleep(0)
        database.rows.put("cup", ROW)
        database.offsets[0] = 2
        await flushing

    asyncio.run(flush_while_rows_arrive())
    beside = a_database(tmp_path, read_only=True)
    assert (beside.rows.get("tea"), beside.rows.get("cup"), beside.offsets) == (ROW, None, {0: 1})
    beside.close()

    database.flush()
    database.close()
    again = a_database(tmp_path)
    assert (again.rows.get("cup"), again.offsets) == (ROW, {0: 2})
    again.close()


def test_one_process_owns_a_view_and_others_may_look(tmp_path: Path) -> None:
    owner = a_database(tmp_path)
    owner.rows.put("tea", ROW)
    owner.flush()
    with pytest.raises(StateError, match="in use by another process"):
        a_database(tmp_path)
    beside = a_database(tmp_path, read_only=True)
    assert beside.rows.get("tea") == ROW
    beside.close()
    owner.close()
    a_database(tmp_path).close()


def test_looking_at_a_view_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="there is no state in"):
        a_database(tmp_path / "missing", read_only=True)
    assert not (tmp_path / "missing" / "CURRENT").exists()


def test_each_topic_that_stages_follow_is_named_once() -> None:
    assert followed_by(("ingest", "history"), SETTINGS) == (
        *("item-view", "customer-view", "neighbours", "popular", "centroids", "ranker"),
        "experiment-tallies",
    )
    assert followed_by(("popularity", "clusters"), SETTINGS) == ()
    assert followed_by((), SETTINGS) == ()


def test_who_only_learns_follows_nothing_for_lists() -> None:
    learning = replace(SETTINGS, recommend=RecommendSettings(enabled=False))
    assert followed_by(("ingest", "history"), learning) == ("item-view", "customer-view")
    assert followed_by(("rules",), learning) == followed_by(("rules",), SETTINGS)
    assert remembered_by(("history",), SETTINGS)
    assert not remembered_by(("history",), learning)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_follows_views_only(group: str) -> None:
    names = followed_by(tuple(stage.name for stage in STAGES if stage.group == group), SETTINGS)
    assert len(set(names)) == len(names)
    assert {TOPIC_BY_NAME[name].kind for name in names} == {"view"}


def test_opened_views_learn_into_their_databases_and_know_it_again(tmp_path: Path) -> None:
    views, databases = open_views(tmp_path, ("item-counts", "totals"), BUDGET, SETTINGS)
    views.topics["item-counts"].learn("tea", a_value(3), (0, 0, 5))
    databases["item-counts"].offsets[2] = 6
    for database in databases.values():
        database.flush()
        database.close()

    views, databases = open_views(tmp_path, ("item-counts", "totals"), BUDGET, SETTINGS)
    assert views.counts_of([name_key("tea"), name_key("cup")]) == [ItemCounts("tea", 0, (3, 3, 3)), None]
    assert (databases["item-counts"].offsets, databases["totals"].offsets) == ({2: 6}, {})
    # What comes again from before the restart is still known to be older.
    views.topics["item-counts"].learn("tea", a_value(1), (0, 0, 4))
    assert views.counts_of([name_key("tea")]) == [ItemCounts("tea", 0, (3, 3, 3))]
    for database in databases.values():
        database.close()


def test_the_newest_items_are_held_by_what_they_are_like_also_after_a_restart(tmp_path: Path) -> None:
    using = Settings(content=ContentSettings(held=2))

    def told(item: str, category: str, at: int) -> bytes:
        return msgspec.msgpack.encode(ItemFacts(item, None, [category], None, None, [], True, at))

    views, databases = open_views(tmp_path, ("item-view",), BUDGET, using)
    for offset, (item, at) in enumerate([("tea", 9), ("cup", 1), ("pot", 5)], 1):
        views.topics["item-view"].learn(item, told(item, "new", at), (0, 0, offset))
    views.topics["item-view"].learn("pot", None, (0, 0, 9))
    views.topics["item-view"].learn("tea", told("tea", "old", 9), (0, 0, 0))
    index = views.content()
    assert index is not None and sorted(index.known()) == ["cup"]
    for item, at in (("pot", 5), ("jam", 7)):
        views.topics["item-view"].learn(item, told(item, "new", at), (0, 0, 20 + at))
    assert sorted(index.known()) == ["jam", "pot"]
    assert views.newest is not None
    views.newest.offsets[0] = 5
    views.newest.save(views.newest.frozen())
    for database in databases.values():
        database.flush()
        database.close()

    views, databases = open_views(tmp_path, ("item-view",), BUDGET, using)
    index = views.content()
    assert index is not None and sorted(index.known()) == ["jam", "pot"]
    assert views.newest is not None and views.newest.offsets == {0: 5}
    for database in databases.values():
        database.close()


def test_each_topic_has_a_folder_of_its_own(tmp_path: Path) -> None:
    views, databases = open_views(tmp_path, followed_by(("rules",), SETTINGS), BUDGET, SETTINGS)
    assert sorted(views.topics) == sorted(databases) == ["item-counts", "totals"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["item-counts", "totals"]
    # A topic that is not followed answers as if it were empty.
    assert views.centroids() is None
    for database in databases.values():
        database.close()
