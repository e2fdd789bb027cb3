"""The house as a contender: it answers as the topology does, and goes on while it learns nothing."""

from itertools import islice
from pathlib import Path

import msgspec

from online_models.evaluation.actions import Logged
from online_models.evaluation.contract import Query
from online_models.evaluation.in_process import InProcess
from online_models.worlds import PRESETS, Storefront
from schemas.messages import Event, ItemFacts
from schemas.recommendations import Recommendation
from schemas.settings import Settings
from schemas.state import HistoryRow, ItemMark
from streams.evaluating.logs import LogReader
from streams.formats import FileReader, FileRecord
from streams.replay import Replay
from streams.sorting import sorted_by_time
from tests.online_models.evaluation.events import act

SETTINGS = msgspec.convert(
    {
        "kafka": {"partitions": 1},
        "rules": {"republish_growth": 0.0, "republish_interval_ms": 0},
        "popularity": {"publish_interval_ms": 0},
        "segments": {"clusters": 2, "publish_interval_ms": 0},
        # For a lesson rows are published that would not have been by now, and that counts elsewhere outdate.
        "ranker": {"enabled": False},
    },
    Settings,
)


def a_shop(path: Path) -> Path:
    """A small shop's catalogue and first events as a file."""
    world = msgspec.structs.replace(
        PRESETS["small"], customers=12, items=16, pairs=3, rating_delay_s=60.0, events_per_s=2.0
    )
    shop = Storefront(world)
    messages = [*shop.catalogue(), *islice(shop.events(), 400)]
    path.write_bytes(b"".join(record.value + b"\n" for record in messages))
    return path


def learned(log: list[Logged], settings: Settings) -> InProcess:
    house = InProcess(settings)
    for each in log:
        if isinstance(each, ItemFacts):
            house.learn_item(each)
        else:
            house.learn_one(each)
    return house


def test_it_answers_as_a_replay_of_the_same_file_does(tmp_path: Path) -> None:
    file = a_shop(tmp_path / "shop.jsonl")
    state = msgspec.structs.replace(SETTINGS.state, dir=str(tmp_path / "state"))
    lists: dict[str, Recommendation] = {}

    def keep(value: bytes) -> None:
        found = msgspec.json.decode(value, type=Recommendation)
        key = f"u:{found.user_id}" if found.user_id is not None else f"s:{found.session_id}"
        lists[key] = found

    replay = Replay(msgspec.structs.replace(SETTINGS, state=state), on_recommendation=keep, measure=False)
    records = (each for each in FileReader(file, "jsonl") if isinstance(each, FileRecord))
    replay.feed(sorted_by_time(records))
    replay.finish()
    rows = {key: replay._histories[0].rows.get(key) for key in lists}
    house = learned(LogReader(SETTINGS).read(file, "jsonl"), SETTINGS)
    compared = 0
    for key, found in lists.items():
        row = rows[key]
        if key.startswith("u:") and row is not None and row.newest is not None:
            query = Query(key=key, now=row.newest.event_at, k=10, history=row)
            assert house.rank(query) == [(place.item_id, place.score) for place in found.items]
            compared += 1
    replay.close()
    assert compared > 5


def together(house: InProcess, first: str, second: str, customers: int) -> None:
    for n in range(customers):
        for item in (first, second):
            house.learn_one(act(f"u:{first}{n}", item, 60_000 * n))


def test_a_history_that_it_did_not_learn_is_answered() -> None:
    house = InProcess(Settings())
    together(house, "tea", "cup", 8)
    together(house, "jam", "pot", 8)
    for item, partner in (("tea", "cup"), ("pot", "jam")):
        history = HistoryRow({item: ItemMark(1 << 20, 480_000)})
        query = Query(key="s:new", now=480_000, k=1, history=history)
        assert [found for found, _ in house.rank(query)] == [partner]
        assert house.rank(query) == house.rank(query)


def test_what_was_learned_since_the_last_question_is_in_the_next_answer() -> None:
    house = InProcess(SETTINGS)
    history = HistoryRow({"tea": ItemMark(1 << 20, 0)})
    query = Query(key="u:new", now=0, k=2, history=history, exclude=frozenset({"tea"}))
    assert house.rank(query) == []
    together(house, "tea", "cup", 3)
    assert [item for item, _ in house.rank(query)] == ["cup"]
    together(house, "tea", "pot", 9)
    assert [item for item, _ in house.rank(query)] == ["pot", "cup"]


def test_a_stranger_gets_what_is_popular_and_available() -> None:
    house = InProcess(SETTINGS)
    together(house, "tea", "cup", 3)
    house.learn_one(act("u:x", "cup", 60_000))
    house.learn_item(ItemFacts("cup", None, [], None, None, [], False, 0))
    assert [item for item, _ in house.rank(Query(key="u:y", now=60_000, k=2))] == ["tea"]


def test_events_that_teach_nothing_do_no_harm() -> None:
    house = InProcess(SETTINGS)
    event = Event("u:1", "customer", 0, "customers", 0, 0, 0, 0, attributes={"gender": "f"})
    house.learn_one(event)
    house.learn_one(act("u:1", "tea"))
    assert [item for item, _ in house.rank(Query(key="u:y", now=0, k=2))] == ["tea"]
