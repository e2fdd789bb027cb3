"""History: every event counts once, packets follow each other, lists are owed, given and taken back."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from online_models.protocols import Answer, Request
from schemas.messages import BEFORE_ALL, WEIGHT_ONE, Event, Fact, ItemDeltas, Packet, Popular, Totals
from schemas.recommendations import Latency, Recommendation, RecommendedItem
from schemas.settings import Settings
from schemas.state import HistoryRow
from streams.packing import MAX_PACKET_BYTES
from streams.stages.history import DELTAS_INTERVAL_MS, MODELS, TOTALS_INTERVAL_MS, HistoryPartition
from streams.stages.partition import KeptPartition
from tests.streams.stages.parts import AT, Bench, a_batch, an_event, decoded, flushed, settings_of, worked

INTERVAL = 100


def at_once(part: KeptPartition) -> KeptPartition:
    """Let item deltas leave with every batch."""
    vars(part)["_deltas_interval"] = 0
    return part


class Desk(Bench):
    """The history stage of partition 0, with something popular to recommend."""

    def __init__(self, state: Path, settings: Settings | None = None, **fields: Any) -> None:
        super().__init__(settings, state, **fields)
        self.part: KeptPartition = at_once(self.open("history"))
        popular = Popular(0, "all", 0, [("jam", 9 * WEIGHT_ONE), ("cup", WEIGHT_ONE)])
        self.follow("popular", "0|all", popular, version=(0, 0, 1))

    def learn(self, offset: int, *events: Event, ids: dict[str, str] | None = None) -> None:
        """Apply one record of `events`, and let its packets leave."""
        self.part.apply(a_batch(offset, *events, ids=ids))
        self.part.end_batch()

    def crash(self) -> None:
        """Begin again with what was flushed."""
        self.part = at_once(self.reopened(self.part))

    def row(self, key: str = "u:anna") -> HistoryRow | None:
        return self.part.database.table("h", HistoryRow).get(key)

    def facts(self) -> list[Fact]:
        return [fact for packet in self.decoded("facts") for fact in packet.entries]

    def lists(self) -> list[Recommendation]:
        """Answer all who are due."""
        worked(self.part)
        return self.decoded("recommendations")


def items_of(message: Recommendation) -> list[str]:
    return [item.item_id for item in message.items]


def test_an_event_leaves_as_a_fact_and_as_item_deltas_at_its_position(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(3, an_event(0), an_event(1, "view", "cup"))
    (facts,) = desk.decoded("facts")
    assert (facts.epoch, facts.source_topic, facts.source_partition) == (0, "events", 0)
    assert (facts.after, facts.upto, facts.positions) == (BEFORE_ALL, (3, 1), [(3, 0), (3, 1)])
    assert [(fact.key, fact.at, fact.session_start) for fact in facts.entries] == [
        ("u:anna", AT, True),
        ("u:anna", AT + 1, False),
    ]
    (packet,) = desk.decoded("item-deltas")
    (deltas,) = packet.entries
    assert (packet.after, packet.upto, deltas.positions) == (BEFORE_ALL, (3, 1), [(3, 0), (3, 1)])
    assert set(deltas.names) == {"tea", "cup"}
    assert desk.part.progress.next_offset == 4


def test_a_packet_begins_where_the_last_one_to_that_partition_ended_also_after_a_crash(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, settings_of(2))
    ranges: dict[int, list[tuple[Any, Any]]] = {}
    for offset, key in enumerate(["u:a", "u:a", "u:b", "u:c", "u:d", "u:a", "u:b"]):
        desk.learn(offset, an_event(offset, key=key))
        if offset == 3:
            flushed(desk.part)
            desk.crash()
        for record in desk.taken("facts"):
            packet: Packet[Fact] = decoded(record)
            ranges.setdefault(record.partition, []).append((packet.after, packet.upto))
    assert sorted(ranges) == [0, 1]
    for found in ranges.values():
        assert [after for after, _ in found] == [BEFORE_ALL, *(upto for _, upto in found[:-1])]


def test_a_batch_that_says_nothing_seals_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0))
    desk.put_records.clear()
    desk.learn(1)
    assert desk.put_records == []
    assert desk.part.progress.next_offset == 2


def test_a_record_that_ingest_appended_again_is_known_by_its_public_offset(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    nameless = an_event(7, event_id=None)
    desk.learn(0, nameless)
    desk.learn(1, nameless, an_event(6, event_id=None), an_event(8, event_id=None))
    assert [fact.at for fact in desk.facts()] == [AT + 7, AT + 8]


def test_partitions_and_recreated_topics_have_their_own_offsets(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(7, event_id="a"), ids={"browses": "first"})
    desk.learn(1, an_event(7, event_id="b", partition=1), ids={"browses": "first"})
    desk.learn(2, an_event(7, event_id="c"), ids={"browses": "second"})
    desk.learn(3, an_event(7, event_id="d"), ids={"browses": "second"})
    assert len(desk.facts()) == 3
    assert sorted(desk.part.progress.applied) == ["first/0", "first/1", "second/0"]


def test_files_need_no_marks(tmp_path: Path) -> None:
    desk = Desk(tmp_path, public_marks=False)
    desk.learn(0, an_event(7, event_id="a"), an_event(7, event_id="b"), an_event(7, event_id="b"))
    assert len(desk.facts()) == 2
    assert desk.part.progress.applied == {}


def test_an_event_that_the_storefront_sent_again_is_counted_and_changes_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0, event_id="b-1"))
    row = msgspec.msgpack.encode(desk.row())
    desk.put_records.clear()
    desk.learn(1, an_event(1, event_id="b-1"))
    assert desk.shows("freshrec_duplicates_total 1.0")
    assert (desk.put_records, msgspec.msgpack.encode(desk.row())) == ([], row)


def test_marks_are_flushed_with_the_rows(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(7, event_id=None))
    flushed(desk.part)
    desk.crash()
    desk.put_records.clear()
    desk.learn(1, an_event(7, event_id=None))
    assert desk.facts() == []


def test_what_was_not_flushed_is_learned_again_into_the_same_packets(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0))
    flushed(desk.part)
    desk.put_records.clear()
    found = []
    for _ in range(2):
        desk.learn(1, an_event(1, "view", "cup"), an_event(2, "purchase", "tea", "cup"))
        found.append([desk.taken(topic) for topic in ("facts", "item-deltas")])
        desk.crash()
    assert found[0] == found[1]
    assert all(len(records) == 1 for records in found[0])


def test_a_list_says_why_it_came_to_be_for_whom_and_how_old_it_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(4, an_event(7, "purchase", "cup", order_id="o-1"))
    worked(desk.part)
    (record,) = desk.taken("recommendations")
    assert (record.partition, record.key) == (0, b"anna")
    message: Recommendation = decoded(record)
    jam = message.items[0]
    assert message == Recommendation(
        "purchases:0:7",
        "anna",
        "s1",
        desk.now,
        ["purchase-7"],
        [RecommendedItem("jam", 1, jam.score, None, jam.reasons)],
        None,
        MODELS,
        None,
        Latency(AT + 7, AT + 8, desk.now),
    )
    assert jam.reasons[0]["source"] == "popularity"
    assert desk.shows('freshrec_recommendations_total{source="popularity"} 1.0')


def test_a_guest_is_answered_under_the_session_and_a_bare_order_never(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0, key="s:s1"), an_event(1, "purchase", "cup", key="o:o-1", session_id=None))
    worked(desk.part)
    (record,) = desk.taken("recommendations")
    message: Recommendation = decoded(record)
    assert (record.key, message.user_id, message.session_id) == (b"s1", None, "s1")
    assert len(desk.facts()) == 2


class Asked:
    """A recommender that notes what it is asked and knows nothing."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def recommend(self, request: Request) -> Answer:
        self.requests.append(request)
        return Answer([], None)


def test_a_list_is_asked_for_as_of_the_event_with_the_history_after_it(tmp_path: Path) -> None:
    desk, asked = Desk(tmp_path, settings_of(recommend={"k": 3})), Asked()
    desk.part = HistoryPartition(0, desk.part.database, desk.context, asked)
    desk.learn(0, an_event(5))
    (message,) = desk.lists()
    assert (message.items, message.segment) == ([], None)
    assert asked.requests == [
        Request(
            history=desk.row(),
            now=AT + 5,
            key="u:anna",
            k=3,
            seed=message.recommendation_id,
            ruled_at=AT + 5,
        )
    ]
    assert message.recommendation_id == "browses:0:5"


@pytest.mark.parametrize(
    ("kind", "answered"),
    [
        *[(kind, True) for kind in ("view", "cart", "purchase", "rating")],
        *[(kind, False) for kind in ("customer", "link", "impression")],
    ],
)
def test_what_a_customer_does_is_answered_and_what_is_told_of_them_is_not(
    tmp_path: Path, kind: str, answered: bool
) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0, kind, value=5.0, scale_max=5.0))
    assert bool(desk.lists()) == answered
    assert len(desk.facts()) == 1


def test_events_within_the_interval_share_a_list_that_is_named_after_the_newest(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0))
    assert [each.recommendation_id for each in desk.lists()] == ["browses:0:0"]
    desk.learn(1, an_event(1, "view", "cup"))
    desk.learn(2, an_event(2, "view", "jam"))
    desk.now += INTERVAL - 1
    assert desk.lists() == []
    desk.now += 1
    (message,) = desk.lists()
    assert (message.recommendation_id, message.caused_by) == ("browses:0:2", ["view-1", "view-2"])
    assert message.latency == Latency(AT + 2, AT + 3, desk.now)
    desk.now += INTERVAL
    assert desk.lists() == []


def test_without_an_interval_each_event_is_answered_as_it_is_learned(tmp_path: Path) -> None:
    desk = Desk(tmp_path, settings_of(recommend={"refresh_interval_ms": 0}))
    desk.learn(0, an_event(0), an_event(1, "purchase", "jam"), an_event(2))
    messages = desk.decoded("recommendations")
    assert [each.recommendation_id for each in messages] == ["browses:0:0", "purchases:0:1", "browses:0:2"]
    assert ["jam" in items_of(each) for each in messages] == [True, False, False]
    assert desk.lists() == []


def test_the_same_record_gives_the_same_id_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    found = []
    for _ in range(2):
        desk.learn(0, an_event(5, partition=3))
        found += [(each.recommendation_id, each.items) for each in desk.lists()]
        desk.crash()
    assert found[0] == found[1]
    assert found[0][0] == "browses:3:5"


def test_a_stage_that_only_learns_recommends_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, settings_of(recommend={"enabled": False}))
    desk.learn(0, an_event(0))
    assert (desk.lists(), desk.part.progress.pending) == ([], {})
    assert len(desk.facts()) == 1


def test_a_list_that_is_owed_survives_a_crash(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0))
    desk.lists()
    desk.learn(1, an_event(1))
    flushed(desk.part)
    desk.crash()
    (message,) = desk.lists()
    assert (message.recommendation_id, message.caused_by) == ("browses:0:1", ["view-1"])
    flushed(desk.part)
    desk.crash()
    assert desk.lists() == []


def test_a_list_that_was_given_after_the_last_flush_is_given_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0))
    flushed(desk.part)
    first = desk.lists()
    desk.crash()
    assert desk.lists() == first
    assert len(first) == 1


def test_without_consent_there_is_no_list_and_the_old_one_is_taken_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0), an_event(1, "view", "cup", profiling=False))
    worked(desk.part)
    (record,) = desk.taken("recommendations")
    assert (record.key, record.value) == (b"anna", None)
    assert [fact.kind for fact in desk.facts()] == ["view", "erasure"]
    row = desk.row()
    assert row is not None
    assert (row.items, row.sessions) == ({}, [])
    assert desk.part.progress.pending == {}


@pytest.mark.parametrize("interval", [0, INTERVAL])
def test_an_erasure_takes_the_list_back_and_owes_no_other(tmp_path: Path, interval: int) -> None:
    desk = Desk(tmp_path, settings_of(recommend={"refresh_interval_ms": interval}))
    desk.learn(0, an_event(0))
    desk.lists()
    desk.learn(1, an_event(1), an_event(2, "erasure", lines=[], event_id=None))
    desk.now += 10 * INTERVAL
    worked(desk.part)
    record = desk.taken("recommendations")[-1]
    assert (record.partition, record.key, record.value) == (0, b"anna", None)
    assert desk.facts()[-1] == Fact("u:anna", "erasure", AT + 2, [], [], False, [])
    assert desk.row() == HistoryRow(erased_until=AT + 2)
    desk.learn(2, an_event(1, "cart"))
    assert (desk.lists(), desk.facts()) == ([], [])


def test_one_who_comes_back_after_an_erasure_is_answered_as_a_stranger(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0, "purchase", "jam"), an_event(1, "erasure", lines=[], event_id=None))
    desk.learn(1, an_event(2))
    (message,) = desk.lists()
    assert message.recommendation_id == "browses:0:2"
    assert "jam" in items_of(message)


def test_totals_are_published_when_they_changed_and_not_too_often(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0, "purchase", "tea"), an_event(0))
    worked(desk.part)
    (record,) = desk.taken("totals")
    assert (record.key, record.version) == (b"0", (0, 0, 1))
    assert desk.views.totals() == [Totals(0, 0, (0, 1, 1), AT)]
    desk.learn(1, an_event(1, "purchase", "cup"))
    desk.now += TOTALS_INTERVAL_MS - 1
    worked(desk.part)
    assert desk.taken("totals") == []
    desk.now += 1
    worked(desk.part)
    assert desk.decoded("totals") == [Totals(0, 0, (0, 2, 1), AT + 1)]
    desk.now += 10 * TOTALS_INTERVAL_MS
    desk.learn(2, an_event(1, "purchase", "cup"))
    worked(desk.part)
    assert desk.taken("totals") == []


def test_totals_do_not_wait_when_all_is_drained(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for offset in range(3):
        desk.learn(offset, an_event(offset, "purchase", "tea"))
        worked(desk.part, drain=True)
    assert [each.totals[1] for each in desk.decoded("totals")] == [1, 2, 3]


def test_without_any_event_there_is_nothing_to_publish(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert not desk.part.work(idle=True, drain=True)
    assert desk.put_records == []


def large_orders(count: int) -> list[Event]:
    """Orders of one hundred items each, of as many customers: some ten thousand pairs each."""
    items = [f"item-{n}" for n in range(100)]
    return [an_event(n, "purchase", *items, key=f"u:{n}", order_id=f"o-{n}") for n in range(count)]


def pairs_of(packets: list[Packet[ItemDeltas]]) -> int:
    return sum(len(deltas.pairs.partners) for packet in packets for deltas in packet.entries)


def test_a_large_batch_leaves_in_several_packets_that_follow_each_other(tmp_path: Path) -> None:
    events = large_orders(24)
    desk = Desk(tmp_path / "one", settings_of(recommend={"enabled": False}))
    desk.learn(5, *events)
    records = desk.taken("item-deltas")
    packets: list[Packet[ItemDeltas]] = [decoded(record) for record in records]
    assert len(packets) > 1
    assert all(len(record.value or b"") < MAX_PACKET_BYTES for record in records)
    assert [packet.after for packet in packets] == [BEFORE_ALL, *(packet.upto for packet in packets[:-1])]
    assert packets[-1].upto == (5, 23)
    positions = [each for packet in packets for each in packet.entries[0].positions]
    assert positions == [(5, n) for n in range(24)]
    calm = Desk(tmp_path / "other", settings_of(recommend={"enabled": False}))
    for event in events:
        calm.learn(event.offset, event)
    assert pairs_of(packets) == pairs_of(calm.decoded("item-deltas"))
    assert len(desk.facts()) == 24


def test_totals_are_published_though_lists_are_always_due(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for n in range(5):
        desk.now += 1_000
        buyers = [an_event(2 * n + each, "purchase", "tea", key=f"u:{2 * n + each}") for each in (0, 1)]
        desk.learn(n, *buyers)
        desk.part.work(idle=False)
    assert desk.taken("totals")


def test_an_erasure_is_told_to_the_audit_without_a_name(tmp_path: Path) -> None:
    told: list[str] = []
    desk = Desk(tmp_path, audit=told.append)
    desk.learn(0, an_event(0), an_event(1, "purchase", "tea", "cup"))
    assert told == []
    desk.learn(1, an_event(7, "erasure", lines=[], event_id=None))
    assert told == [
        "erasure asked for by erasures/0/7: history, segment and list are gone; 1 orders, 1 sessions and 2 "
        "items are taken back; no trace is left after 15 days"
    ]
    assert desk.shows("freshrec_erasures_total 1.0")


def test_with_each_list_the_history_is_told_that_it_was_made_of_and_not_of_guests(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(3, an_event(0), an_event(1, "view", "cup"), an_event(2, key="s:guest"))
    worked(desk.part)
    (record,) = desk.taken("histories")
    told = decoded(record)
    assert (told.user, told.at, list(told.items)) == ("anna", AT + 1, ["tea", "cup"])
    assert [mark.acts for mark in told.sessions] == [["tea", "cup"]]
    assert (record.key, record.version) == (b"anna", (0, 0, 4))
    row = desk.row()
    assert row is not None
    assert told.row().items == row.items
    assert told.row().behaviour == row.behaviour


def test_where_no_other_process_answers_no_history_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, tells_histories=False)
    desk.learn(0, an_event(0))
    assert len(desk.lists()) == 1
    assert desk.taken("histories") == []


def test_the_history_of_who_is_forgotten_is_taken_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.learn(0, an_event(0))
    worked(desk.part)
    desk.learn(1, an_event(1, "erasure"))
    told = desk.taken("histories")
    assert [(record.key, record.value is None) for record in told] == [(b"anna", False), (b"anna", True)]
    assert told[0].version is not None and told[1].version is not None
    assert told[0].version <= told[1].version


def test_item_deltas_wait_for_each_other_but_no_cut_is_without_them(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.part = desk.reopened(desk.part)
    packets, counts = [], []
    for offset, waits in enumerate((0, 30, 40, 50, 10)):
        desk.now += waits
        desk.learn(offset, an_event(offset))
        packets += desk.decoded("item-deltas")
        counts.append(len(packets))
    assert counts == [1, 1, 1, 2, 2]
    assert len(desk.facts()) == 5
    flushed(desk.part)
    packets += desk.decoded("item-deltas")
    assert [(packet.after, packet.upto) for packet in packets] == [
        (BEFORE_ALL, (0, 0)),
        ((0, 0), (3, 0)),
        ((3, 0), (4, 0)),
    ]
    assert desk.part.progress.sent["item-deltas/0"] == (4, 0)


def test_item_deltas_that_wait_leave_when_their_time_has_come_though_nothing_else_happens(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    desk.part = desk.reopened(desk.part)
    desk.learn(0, an_event(0))
    desk.learn(1, an_event(1))
    assert len(desk.decoded("item-deltas")) == 1
    desk.now += DELTAS_INTERVAL_MS
    worked(desk.part)
    (packet,) = desk.decoded("item-deltas")
    assert (packet.after, packet.upto) == ((0, 0), (1, 0))
