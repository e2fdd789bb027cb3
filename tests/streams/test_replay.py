"""A file through the whole topology in one process: what is learned, who is answered, and what goes on."""

import base64
import json
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from online_models.worlds import PRESETS, Storefront
from schemas.codec import YEAR_2100_MS
from schemas.events import TOPIC_OF_TYPE
from schemas.recommendations import Recommendation, Rejection
from schemas.settings import Settings
from streams.doctor_models import has_rows, stores_of, switched_off
from streams.errors import StateError
from streams.formats import FileRecord
from streams.replay import Replay
from streams.rocks_store import META, PROGRESS, Frozen, RocksBudget, RocksDatabase
from streams.stored_views import StoredViews
from streams.topology import STAGES

AT = 1_700_000_000_000
BUDGET = RocksBudget(8 * 1024 * 1024)
BOOKKEEPING = (META, PROGRESS, b"~")


def settings_in(folder: Path, partitions: int = 1, **recommend: Any) -> Settings:
    """Exact counts; two clusters, so that a handful of customers has segments."""
    sections = {
        "kafka": {"partitions": partitions},
        "state": {"dir": str(folder)},
        "rules": {"half_life_s": 0},
        "segments": {"clusters": 2},
        "recommend": recommend,
    }
    return msgspec.convert(sections, Settings)


def a_record(kind: str, line: int, *, at: int | None = None, **fields: Any) -> FileRecord:
    """A message of a file; by default a second after the one in the line before."""
    at = AT + line * 1_000 if at is None else at
    message = {"type": kind, "at": at, **fields}
    return FileRecord(
        TOPIC_OF_TYPE[kind], fields.get("user_id") or "", json.dumps(message).encode(), at, line
    )


def a_browse(line: int, user: str | None = "anna", item: str = "tea", **fields: Any) -> FileRecord:
    return a_record("browse", line, **({"event_id": f"b-{line}", "user_id": user, "item_id": item} | fields))


def an_order(line: int, user: str, *items: str) -> FileRecord:
    lines = [{"item_id": item, "quantity": 1, "unit_price": 2.5} for item in items]
    return a_record("purchase", line, order_id=f"o-{line}", user_id=user, lines=lines)


ORDERS = [
    an_order(1, "anna", "tea", "cup"),
    an_order(2, "ben", "tea", "pot"),
    an_order(3, "carla", "tea", "cup"),
    an_order(4, "david", "jam"),
]


def a_shop(events: int) -> list[FileRecord]:
    """A small shop's catalogue and its first events, some of them repeated, late or bad."""
    world = msgspec.structs.replace(
        PRESETS["small"],
        customers=12,
        items=16,
        pairs=3,
        rating_delay_s=60.0,
        events_per_s=2.0,
        duplicate_share=0.1,
        late_share=0.05,
        bad_share=0.05,
    )
    shop = Storefront(world)
    messages = [*shop.catalogue(), *islice(shop.events(), events)]
    return [
        FileRecord(each.topic, each.key, each.value, each.at, line)
        for line, each in enumerate(messages, start=1)
    ]


class Told(NamedTuple):
    """A replay that has ended, and what it said meanwhile."""

    run: Replay
    lists: list[bytes]
    rejected: list[Rejection]

    @property
    def messages(self) -> list[Recommendation]:
        return [msgspec.json.decode(each, type=Recommendation) for each in self.lists]

    @property
    def causes(self) -> list[list[str]]:
        return [each.caused_by for each in self.messages]


def replayed(settings: Settings, records: Iterable[FileRecord], *, to_the_end: bool = True) -> Told:
    lists: list[bytes] = []
    rejected: list[Rejection] = []
    run = Replay(settings, on_recommendation=lists.append, on_rejected=rejected.append)
    try:
        run.feed(records)
        if to_the_end:
            run.finish()
    finally:
        run.close()
    return Told(run, lists, rejected)


def learned(folder: Path, *, ranker: bool = True) -> dict[str, dict[bytes, bytes]]:
    """All rows of all stages by the place of their store; bookkeeping left out.

    The ranker learns from lists as they were, which depend on what had been published by then.
    """
    found = {}
    for stage in STAGES[1:]:
        if stage.name == "ranker" and not ranker:
            continue
        for path in stores_of(folder, stage.name):
            store = RocksDatabase(path, BUDGET, cache_bytes=1_000, read_only=True)
            rows = {key: row for key, row in store.rows() if not key.startswith(BOOKKEEPING)}
            found[f"{stage.name}/{path.name}"] = rows
            store.close()
    return found


def test_every_stage_has_learned_and_stands_at_the_end_of_its_log(tmp_path: Path) -> None:
    told = replayed(settings_in(tmp_path, 2), a_shop(300))
    offsets, off = Counter[str](), switched_off(Settings())
    for stage in [each for each in STAGES[1:] if each.name not in off]:
        stores = stores_of(tmp_path, stage.name)
        assert len(stores) == (1 if stage.key == "constant" else 2)
        assert all(map(has_rows, stores)), stage.name
        for path in stores:
            store = RocksDatabase(path, BUDGET, cache_bytes=1_000, read_only=True)
            offsets[stage.name] += store.progress().next_offset
            store.close()
    assert offsets["history"] == told.run.events.total()
    assert offsets["rules"] == offsets["popularity"] > 0


def test_counts_are_those_of_a_recount_by_hand(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    replayed(settings, ORDERS)
    views = StoredViews(settings)
    (rules,) = views.association_rules("tea", everything=True)
    views.close()
    assert (rules.scope, rules.transactions, rules.count) == ("orders", 4, 3)
    assert [(rule.item_id, rule.count, rule.confidence) for rule in rules.rules] == [
        ("cup", 2, 2 / 3),
        ("pot", 1, 1 / 3),
    ]


def test_the_same_file_gives_the_same_bytes_in_another_folder(tmp_path: Path) -> None:
    records = a_shop(250)
    first, second = (replayed(settings_in(tmp_path / name, 2), records) for name in ("first", "second"))
    assert first.lists == second.lists
    assert first.rejected == second.rejected
    assert learned(tmp_path / "first") == learned(tmp_path / "second")


def test_what_a_customer_does_within_the_interval_is_answered_once_in_event_time(tmp_path: Path) -> None:
    times = [("anna", 0), ("anna", 10), ("anna", 20), ("ben", 99), ("ben", 105), ("anna", 150)]
    records = [a_browse(n, user, at=AT + after) for n, (user, after) in enumerate(times)]
    final = [["b-5"], ["b-4"]]

    told = replayed(settings_in(tmp_path / "coalesced"), records)
    # Those of anna's that waited are due at 100, which is seen at 105; the last two wait for the end.
    assert told.causes == [["b-0"], ["b-3"], ["b-1", "b-2"], ["b-4"], ["b-5"], *final]
    assert [each.at - AT for each in told.messages] == [0, 99, 105, 150, 150, 150, 150]

    told = replayed(settings_in(tmp_path / "every", refresh_interval_ms=0), records)
    assert told.causes == [[f"b-{n}"] for n in range(6)] + final


def test_at_the_end_each_customer_gets_the_list_that_all_events_lead_to(tmp_path: Path) -> None:
    records = [
        a_record("customer", 1, user_id="zoe", consent={"profiling": False}),
        a_browse(2, "anna", "jam"),
        a_browse(3, "zoe"),
        a_browse(4, "gone"),
        a_browse(5, user=None, session_id="guest"),
        an_order(6, "ben", "jam", "tea"),
        an_order(7, "carla", "jam", "tea"),
        a_record("erasure", 8, user_id="gone"),
        an_order(9, "david", "pot"),
    ]
    told = replayed(settings_in(tmp_path, max_reasons=9), records)
    final = {each.user_id: each for each in told.messages[-4:]}
    assert sorted(map(str, final)) == ["anna", "ben", "carla", "david"]
    assert final["anna"].caused_by == ["b-2"]
    # What anna looked at was bought with tea later on.
    (tea,) = [each for each in final["anna"].items if each.item_id == "tea"]
    assert {reason["source"] for reason in tea.reasons} >= {"similarity", "rules"}
    assert {each.session_id for each in told.messages if each.user_id is None} == {"guest"}


def test_without_recommending_it_only_learns(tmp_path: Path) -> None:
    told = replayed(settings_in(tmp_path / "quiet", enabled=False), ORDERS)
    assert (told.lists, told.run.recommendations, told.run.hits) == ([], 0, None)
    replayed(settings_in(tmp_path / "loud"), ORDERS)
    assert learned(tmp_path / "quiet") == learned(tmp_path / "loud")


def test_what_customers_do_is_compared_with_the_lists_they_had(tmp_path: Path) -> None:
    others = [an_order(n, f"c-{n}", "tea", "cup") for n in range(1, 9)]
    settings = settings_in(tmp_path, refresh_interval_ms=0)
    told = replayed(settings, [*others, a_browse(9, "anna", "tea"), a_browse(10, "anna", "cup")])
    assert told.run.hits is not None
    assert (told.run.hits.queries, told.run.hits.hits, told.run.hits.popular_hits) == (1, 1, 1)
    assert told.run.last_tenth() == (1, 1, 1)


def test_repeated_events_are_counted_and_change_nothing(tmp_path: Path) -> None:
    records = a_shop(250)
    seen, unique = set[bytes](), []
    for each in records:
        if each.value not in seen or "event_id" not in each.value.decode():
            unique.append(each)
        seen.add(each.value)
    repeated = replayed(settings_in(tmp_path / "repeated"), records)
    rejected_twice = len(repeated.rejected) - len({each.raw_base64 for each in repeated.rejected})
    assert repeated.run.duplicates == len(records) - len(unique) - rejected_twice > 10

    once = replayed(settings_in(tmp_path / "once"), unique)
    assert once.run.duplicates == 0
    assert learned(tmp_path / "repeated", ranker=False) == learned(tmp_path / "once", ranker=False)


def test_what_is_refused_is_told_with_its_place_and_counted_by_reason(tmp_path: Path) -> None:
    records = [
        a_browse(1),
        a_browse(2, item=""),
        a_record("rating", 3, event_id="r-1", user_id="anna", item_id="tea", value=9.0, scale_max=5.0),
        a_browse(4, at=YEAR_2100_MS + 1),
        FileRecord("browses", "", b"{", AT, 5),
        a_browse(6),
    ]
    told = replayed(settings_in(tmp_path), records)
    assert [(each.reason, each.topic, each.partition, each.offset) for each in told.rejected] == [
        ("missing_field", "browses", 0, 2),
        ("bad_value", "ratings", 0, 3),
        ("in_future", "browses", 0, 4),
        ("invalid_json", "browses", 0, 5),
    ]
    assert told.run.rejected == Counter(each.reason for each in told.rejected)
    assert base64.b64decode(told.rejected[3].raw_base64) == b"{"
    assert told.run.events == {"view": 2}
    # An event of a far future is not what time it is.
    assert told.messages[-1].at == records[-1].at


def test_a_replay_that_was_cut_off_before_it_wrote_anything_starts_again(tmp_path: Path) -> None:
    records = a_shop(150)
    whole = replayed(settings_in(tmp_path / "whole"), records)
    replayed(settings_in(tmp_path / "cut"), records[:130], to_the_end=False)
    assert not any(learned(tmp_path / "cut").values())
    assert replayed(settings_in(tmp_path / "cut"), records).lists == whole.lists


def test_what_a_replay_wrote_before_it_was_cut_off_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = a_shop(200)
    monkeypatch.setattr("streams.replay.FLUSH_ROWS", 0)
    replayed(settings_in(tmp_path), records[:128], to_the_end=False)
    assert any(learned(tmp_path).values())
    with pytest.raises(StateError, match=r"in the middle of a replay; delete that folder"):
        replayed(settings_in(tmp_path), records)


@pytest.mark.parametrize("written", range(6))
def test_a_replay_that_ends_while_it_writes_is_refused_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    write, left = RocksDatabase.write, iter(range(written))

    def write_some(database: RocksDatabase, frozen: Frozen) -> None:
        if next(left, None) is None:
            raise OSError("the disk is full")
        write(database, frozen)

    with monkeypatch.context() as broken:
        broken.setattr(RocksDatabase, "write", write_some)
        with pytest.raises(OSError, match="the disk is full"):
            replayed(settings_in(tmp_path), ORDERS)
    with pytest.raises(StateError, match=r"in the middle of a replay; delete that folder"):
        replayed(settings_in(tmp_path), ORDERS)


def test_a_later_file_may_change_what_an_earlier_one_told_further_down(tmp_path: Path) -> None:
    def told(line: int, title: str, at: int) -> FileRecord:
        item = {"type": "item", "item_id": "tea", "title": title, "at": at}
        return FileRecord("items", "tea", msgspec.json.encode(item), at, line)

    replayed(settings_in(tmp_path), [*ORDERS, told(90, "old", AT)])
    replayed(settings_in(tmp_path), [told(2, "new", AT + 10)])
    views = StoredViews(settings_in(tmp_path))
    facts = views.item("tea")
    views.close()
    assert facts is not None and facts.title == "new"


def test_another_file_goes_on_where_the_first_one_ended(tmp_path: Path) -> None:
    records = a_shop(200)
    whole = replayed(settings_in(tmp_path / "whole"), records)
    first = replayed(settings_in(tmp_path / "parts"), records[:150])
    second = replayed(settings_in(tmp_path / "parts"), records[150:])
    assert first.run.events + second.run.events == whole.run.events
    assert learned(tmp_path / "parts", ranker=False) == learned(tmp_path / "whole", ranker=False)


def test_the_same_file_again_is_all_duplicates(tmp_path: Path) -> None:
    replayed(settings_in(tmp_path), ORDERS)
    before = learned(tmp_path)
    again = replayed(settings_in(tmp_path), ORDERS)
    assert again.run.duplicates == len(ORDERS)
    assert learned(tmp_path) == before


def test_stores_that_do_not_fit_together_are_refused_with_what_to_do(tmp_path: Path) -> None:
    replayed(settings_in(tmp_path / "old"), ORDERS[:2])
    replayed(settings_in(tmp_path / "state"), ORDERS[:2])
    replayed(settings_in(tmp_path / "state"), ORDERS)
    place = tmp_path / "state" / "popularity" / "0"
    place.rename(tmp_path / "newer")
    (tmp_path / "old" / "popularity" / "0").rename(place)

    with pytest.raises(StateError, match=r"left in the middle of a replay; delete that folder and replay"):
        replayed(settings_in(tmp_path / "state"), ORDERS)
    # The refusal holds nothing: with the right store back it goes on.
    place.rename(tmp_path / "older")
    (tmp_path / "newer").rename(place)
    assert replayed(settings_in(tmp_path / "state"), [an_order(9, "emma", "tea")]).run.duplicates == 0


def test_a_stage_that_lacks_what_history_has_sent_refuses_to_learn_on(tmp_path: Path) -> None:
    replayed(settings_in(tmp_path), ORDERS)
    for stage in ("rules", "popularity"):
        (tmp_path / stage).rename(tmp_path / f"lost-{stage}")
    with pytest.raises(StateError, match=r"popularity, partition 0: events/0 jumps .*reset popularity"):
        replayed(settings_in(tmp_path), [an_order(9, "emma", "tea", "cup")])


def test_a_state_is_held_until_it_is_closed(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    run = Replay(settings, on_recommendation=lambda _: None)
    with pytest.raises(StateError, match="in use by another process"):
        replayed(settings, ORDERS)
    run.close()
    assert len(replayed(settings, ORDERS).lists) == 2 * len(ORDERS)


def test_rules_of_the_file_hold_in_every_list_and_change_nothing_that_is_learned(tmp_path: Path) -> None:
    records = [a_record("item", 1, item_id="cup", categories=["cups"]), *ORDERS[1:], *ORDERS[:1]]
    records += [a_browse(9, "eve", "tea"), a_browse(10, "eve", "pot")]
    rules = tmp_path / "rules.toml"
    rules.write_text('rule = [{name = "no cups", action = "exclude", categories = ["cups"]}]')
    folders = tmp_path / "plain", tmp_path / "ruled"
    plain = replayed(settings_in(folders[0]), records)
    ruled = replayed(settings_in(folders[1], rules_file=str(rules)), records)
    shown = [{place.item_id for one in told.messages for place in one.items} for told in (plain, ruled)]
    assert "cup" in shown[0]
    assert shown[1] == shown[0] - {"cup"}
    assert learned(folders[0]) == learned(folders[1])


def test_a_window_that_opens_halfway_withdraws_from_lists_that_stand_the_same_ones_each_time(
    tmp_path: Path,
) -> None:
    rules = tmp_path / "rules.toml"
    opens = AT + 6_000
    rules.write_text(
        'rule = [{name = "no jam", action = "exclude", items = ["jam"], from = "2023-11-14T22:13:26Z"}]'
    )
    records = [*ORDERS, a_browse(5, "eve", "tea"), a_browse(6, "finn", "pot"), a_browse(7, "finn", "cup")]
    one, same = (
        replayed(settings_in(tmp_path / name, rules_file=str(rules), refresh_interval_ms=0), records)
        for name in ("one", "same")
    )
    assert one.lists == same.lists
    with_jam = {each.user_id for each in one.messages if _shows(each, "jam")}
    assert "eve" in with_jam
    last = {each.user_id: each for each in one.messages}
    assert not any(_shows(each, "jam") for each in last.values())
    withdrawn = [each for each in one.messages if "-" in each.recommendation_id]
    assert {each.user_id for each in withdrawn} == with_jam
    assert all(each.latency.event_at < opens <= each.at for each in withdrawn)


def _shows(message: Recommendation, item: str) -> bool:
    return any(place.item_id == item for place in message.items)


@pytest.mark.parametrize(
    ("using", "packets"),
    [({"enabled": False}, 1), ({"refresh_interval_ms": 100}, 1), ({"refresh_interval_ms": 0}, len(ORDERS))],
    ids=["no lists", "lists now and then", "a list for each event"],
)
def test_what_events_change_is_sealed_once_a_batch_unless_each_is_answered(
    using: dict[str, Any], packets: int, tmp_path: Path
) -> None:
    replayed(settings_in(tmp_path, **using), ORDERS)
    (place,) = stores_of(tmp_path, "popularity")
    database = RocksDatabase(place, RocksBudget(2**22), cache_bytes=2**20)
    assert database.progress().next_offset == packets
    database.close()
