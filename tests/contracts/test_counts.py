"""Learned event by event, packed, partitioned and cut into batches at will, counts equal a batch recount."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from online_models.deltas import Delta
from online_models.history import TOTALS_KEY, HistoryStep
from online_models.memory_store import MemoryStore
from online_models.pair_table import by_key, name_id, name_key, named
from online_models.popularity import PopularityStep
from online_models.rules import RulesStep
from schemas.messages import BEFORE_ALL, SCOPES, SIMILARITY, Event, ItemDeltas, Line, Packet, Position
from schemas.settings import PopularitySettings, Settings
from schemas.state import ExpiryRow, GuestChunk, HistoryRow, PopularityRow, RuleRow, TotalsRow
from streams.packing import DeltaPacker, PacketSealer
from streams.partitioning import partition_of
from tests.online_models.batch_recount import Recount, recount
from tests.online_models.shoppers import MINUTE, T0, settings_with

UNBOUNDED = msgspec.structs.replace(
    settings_with(
        history={"linked_items": 1_000, "linked_age_days": 1_000, "max_items": 1_000, "max_sessions": 1_000}
        | {"guest_ttl_s": 10**8, "max_orders": 1_000},
        rules={"max_set_size": 0, "max_row": 0, "max_events_per_hour": 0},
    ),
    popularity=PopularitySettings(half_life_s=0),
)
KEYS = ["u:anna", "u:bert", "s:1", "o:1"]
ITEMS = st.sampled_from([f"i{n}" for n in range(7)])
_decode = msgspec.msgpack.Decoder(Packet[ItemDeltas]).decode


@st.composite
def logs(draw: st.DrawFn, *, kinds: tuple[str, ...], in_order: bool) -> list[Event]:
    events: list[Event] = []
    at = T0
    for n in range(draw(st.integers(0, 30))):
        kind = draw(st.sampled_from(kinds))
        size = draw(st.integers(1, 5)) if kind == "purchase" else 1
        at += draw(st.sampled_from([0, MINUTE, 29 * MINUTE, 31 * MINUTE]))
        late = 0 if in_order else draw(st.sampled_from([0, 0, MINUTE, 400 * MINUTE]))
        event = Event(
            draw(st.sampled_from(KEYS)),
            kind,
            at - late,
            "entries",
            0,
            n,
            at,
            at,
            event_id=f"e-{draw(st.integers(0, 40))}",
            session_id=draw(st.sampled_from("ab")),
            order_id=f"o-{draw(st.integers(0, 9))}" if kind == "purchase" else None,
            lines=[Line(draw(ITEMS), []) for _ in range(size)],
            value=draw(st.floats(0, 5)) if kind == "rating" else None,
            scale_max=5.0 if kind == "rating" else None,
        )
        events.append(event)
    return events


class Pipeline:
    """History per partition of events, rules and popularity per partition of items, and packets between."""

    def __init__(self, sources: int, partitions: int, using: Settings = UNBOUNDED) -> None:
        self.sources, self.partitions = sources, partitions
        self.histories = [MemoryStore(HistoryRow) for _ in range(sources)]
        self.totals = [MemoryStore(TotalsRow) for _ in range(sources)]
        self._histories = [
            HistoryStep(rows, totals, MemoryStore(ExpiryRow), MemoryStore(GuestChunk), using)
            for rows, totals in zip(self.histories, self.totals, strict=True)
        ]
        self._packers = [
            DeltaPacker(partitions, PacketSealer("item-deltas", "events", source, 0, {}))
            for source in range(sources)
        ]
        self.rules = [RulesStep(MemoryStore(RuleRow), MemoryStore(str), using) for _ in range(partitions)]
        self.popularity = [
            PopularityStep(MemoryStore(PopularityRow), MemoryStore(PopularityRow), using)
            for _ in range(partitions)
        ]
        self._marks: dict[tuple[int, int], Position] = {}

    def learn(self, event: Event, position: Position) -> None:
        source = partition_of(event.key, self.sources)
        for output in self._histories[source].learn_one(event):
            if isinstance(output, Delta):
                self._packers[source].add(position, output)

    def cut(self, upto: Position, *, twice: bool) -> None:
        """End the batch; a packet may arrive again."""
        for source, packer in enumerate(self._packers):
            for sealed in packer.seal(upto):
                for _ in range(1 + twice):
                    self._deliver(source, sealed.partition, _decode(sealed.value))

    def _deliver(self, source: int, partition: int, packet: Packet[ItemDeltas]) -> None:
        mark = self._marks.get((source, partition), BEFORE_ALL)
        assert packet.after <= mark
        for deltas in packet.entries:
            self.rules[partition].learn_many(deltas, mark)
            self.popularity[partition].learn_many(deltas, mark)
        self._marks[source, partition] = max(mark, packet.upto)

    def kept(self) -> list[object]:
        """All state, partition by partition, but for how often and when a row was changed."""
        found: list[object] = [
            {key: store.get(key) for key in store.rows() if key.startswith(("u:", "s:", "o:"))}
            for store in self.histories
        ]
        found += [row.totals if (row := store.get(TOTALS_KEY)) else [0, 0, 0] for store in self.totals]
        for rules, popularity in zip(self.rules, self.popularity, strict=True):
            rows, names = rules.rows, rules.names
            items, leaders = popularity.items, popularity.leaders
            assert isinstance(rows, MemoryStore)
            assert isinstance(names, MemoryStore)
            assert isinstance(items, MemoryStore)
            assert isinstance(leaders, MemoryStore)
            found.append(
                {key: (row.counts, bytes(row.pairs)) for key in rows.rows() if (row := rows.get(key))}
            )
            found.append({key: names.get(key) for key in names.rows()})
            for store in (items, leaders):
                found.append({key: row.counts for key in store.rows() if (row := store.get(key))})
        return found

    def counts(self) -> Recount:
        found = recount([])
        stores = [step.rows for step in self.rules if isinstance(step.rows, MemoryStore)]
        names = by_key(item for store in stores for item in store.rows())
        for partition, step in enumerate(self.rules):
            assert isinstance(step.rows, MemoryStore)
            for item in step.rows.rows():
                row = step.rows.get(item)
                assert row is not None
                assert partition_of(item, self.partitions) == partition
                for scope, _ in enumerate(SCOPES):
                    found.own[scope][item] += row.counts[scope]
                    for partner, count in named(row.pairs, scope, names).items():
                        found.pairs[scope][item, partner] += count
        for store in self.totals:
            row = store.get(TOTALS_KEY)
            for scope, count in enumerate(row.totals if row else ()):
                found.totals[scope] += count
        return found


def run(
    log: list[Event],
    cuts: set[int],
    sources: int,
    partitions: int,
    *,
    twice: bool,
    using: Settings = UNBOUNDED,
) -> Pipeline:
    pipeline = Pipeline(sources, partitions, using)
    for n, event in enumerate(log):
        pipeline.learn(event, (n, 0))
        if n in cuts:
            pipeline.cut((n, 0), twice=twice)
    pipeline.cut((len(log), 0), twice=twice)
    return pipeline


_cuts = st.sets(st.integers(0, 30))
_sizes = st.integers(1, 3)
_KINDS = ("view", "cart", "purchase", "rating")


@given(
    logs(kinds=("view", "cart", "purchase", "rating"), in_order=False), _cuts, _sizes, _sizes, st.booleans()
)
def test_similarity_and_orders_equal_a_recount_in_any_order_of_time(
    log: list[Event], cuts: set[int], sources: int, partitions: int, twice: bool
) -> None:
    learned, expected = run(log, cuts, sources, partitions, twice=twice).counts(), recount(log)
    assert learned.own[:2] == expected.own[:2]
    assert learned.pairs[:2] == expected.pairs[:2]
    assert learned.totals[1] == expected.totals[1]


@given(logs(kinds=_KINDS[:3], in_order=True), _cuts, _sizes, _sizes, st.booleans())
def test_sessions_equal_a_recount_of_a_log_in_order(
    log: list[Event], cuts: set[int], sources: int, partitions: int, twice: bool
) -> None:
    assert run(log, cuts, sources, partitions, twice=twice).counts() == recount(log)


def erasure(key: str, offset: int, at: int = T0 + 10**9) -> Event:
    return Event(key, "erasure", at, "erasures", 0, offset, at, at)


@given(logs(kinds=_KINDS, in_order=False), _cuts, _sizes, _sizes, st.booleans(), st.integers(0, 30))
def test_after_an_erasure_all_is_as_if_the_customer_had_never_been(
    log: list[Event], cuts: set[int], sources: int, partitions: int, twice: bool, erased_at: int
) -> None:
    # Where in the log it stands does not matter: earlier events that come behind it are dropped.
    asked = [*log[:erased_at], erasure("u:anna", 99), *log[erased_at:]]
    left = run(asked, cuts, sources, partitions, twice=twice)
    others = run([x for x in log if x.key != "u:anna"], cuts, sources, partitions, twice=twice)
    for store in left.histories:
        if store.get("u:anna") is not None:
            assert store.get("u:anna") == HistoryRow(erased_until=T0 + 10**9)
            store.delete("u:anna")
    assert left.kept() == others.kept()


@given(logs(kinds=_KINDS, in_order=False), _cuts, _sizes, _sizes, st.booleans())
def test_when_all_are_forgotten_nothing_is_left(
    log: list[Event], cuts: set[int], sources: int, partitions: int, twice: bool
) -> None:
    log = [x for x in log if x.key.startswith("u:")]
    log += [erasure(key, 90 + n) for n, key in enumerate(("u:anna", "u:bert"))]
    left = run(log, cuts, sources, partitions, twice=twice)
    nothing = run([], set(), sources, partitions, twice=False)
    for store in left.histories:
        for key in ("u:anna", "u:bert"):
            store.delete(key)
    assert left.kept() == nothing.kept()


BOUNDED = msgspec.structs.replace(
    UNBOUNDED, history=msgspec.structs.replace(UNBOUNDED.history, linked_items=2, max_items=4)
)


@given(logs(kinds=_KINDS, in_order=False), _cuts, _sizes, _sizes)
def test_similarity_is_at_any_time_the_sum_over_the_items_that_customers_have(
    log: list[Event], cuts: set[int], sources: int, partitions: int
) -> None:
    learned = run(log, cuts, sources, partitions, twice=False, using=BOUNDED)
    expected = recount([])
    for store in learned.histories:
        for key in store.rows():
            row = store.get(key)
            assert row is not None
            for item, mark in row.items.items():
                expected.own[SIMILARITY][item] += mark.weight
                for other, theirs in row.items.items():
                    if item != other and abs(mark.met - theirs.met) <= 2:
                        expected.pairs[SIMILARITY][item, other] += min(mark.weight, theirs.weight)
    found = learned.counts()
    assert found.own[SIMILARITY] == expected.own[SIMILARITY]
    assert found.pairs[SIMILARITY] == expected.pairs[SIMILARITY]


def test_names_of_items_go_with_their_rows() -> None:
    view = Event("u:anna", "view", T0, "browses", 0, 0, T0, T0, "b-1", "s", lines=[Line("tea", [])])
    step = run([view], set(), 1, 1, twice=False).rules[0]
    assert step.names.get(name_id(name_key("tea"))) == "tea"
    step = run([view, erasure("u:anna", 1)], set(), 1, 1, twice=False).rules[0]
    assert step.names.get(name_id(name_key("tea"))) is None
