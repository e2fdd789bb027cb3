"""A hosted stage: what lag and idleness are, when a flush is due, what it may spend, what a cut holds."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from schemas.settings import StateSettings
from schemas.state import HistoryRow
from streams.hosted import WORK_WINDOW_S, Hosted, Slice
from streams.outbox import Record
from streams.rocks_store import StateLockedError
from streams.stages.ingest import IngestPartition
from tests.streams.stages.parts import Bench, a_batch, an_event

TOPIC, SHARE = "shop-events", 0.1
INTERVAL_S, CALM_MS = 0.2, 300
SETTINGS = StateSettings(flush_interval_ms=200, flush_max_share=0.1, flush_max_interval_ms=30_000)


Host = Callable[[], Hosted]


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("streams.hosted.perf_counter", clock)
    return clock


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(state=tmp_path)


@pytest.fixture
def host(bench: Bench, clock: Clock) -> Host:
    """Hosts the history stage of partition 0, where its store says; its time is that of the clock."""

    def begin() -> Hosted:
        part = bench.open("history")
        hosted = Hosted(part, part.database, TOPIC, 0, part.progress.next_offset, calm_ms=CALM_MS)
        assert hosted.applied_at == clock.now
        return hosted

    return begin


@pytest.fixture
def hosted(host: Host) -> Hosted:
    return host()


def learn(hosted: Hosted, count: int = 1) -> None:
    """Apply records of one view each, every one of another customer."""
    for offset in range(hosted.next_offset, hosted.next_offset + count):
        hosted.part.apply(a_batch(offset, an_event(offset, key=f"u:{offset}")))


def flush(hosted: Hosted, clock: Clock, seconds: float = 0.0) -> float:
    """Cut and write, which takes so long."""
    started = clock.now
    frozen, offset = hosted.cut()
    assert frozen is not None
    assert hosted.database is not None
    hosted.database.write(frozen)
    clock.now += seconds
    return hosted.flushed_up_to(offset, started=started)


def due(hosted: Hosted, settings: StateSettings = SETTINGS, *, among: int = 1) -> bool:
    return hosted.flush_due(settings, among=among)


def test_it_reads_on_where_it_is_told(bench: Bench) -> None:
    ingest = IngestPartition("browses", 0, bench.context)
    hosted = Hosted(ingest, None, "browses", 0, 17, calm_ms=CALM_MS)
    assert (hosted.next_offset, hosted.flushed, hosted.lag) == (17, 17, 0)
    assert ingest.progress.next_offset == 17


def test_lag_is_what_is_known_and_not_applied(hosted: Hosted) -> None:
    hosted.high = 5
    assert hosted.lag == 5
    learn(hosted, 3)
    assert hosted.lag == 2
    learn(hosted, 4)
    assert hosted.lag == 0


def test_it_is_idle_once_nothing_waits_and_nothing_came_for_a_moment(hosted: Hosted, clock: Clock) -> None:
    found = [hosted.idle]
    clock.now += CALM_MS / 1000 + 0.01
    found.append(hosted.idle)
    hosted.high = 1
    found.append(hosted.idle)
    learn(hosted)
    hosted.applied_at = clock.now
    found.append(hosted.idle)
    clock.now += CALM_MS / 1000 + 0.01
    found.append(hosted.idle)
    assert found == [False, True, False, False, True]


def test_nothing_new_is_never_due(hosted: Hosted, clock: Clock) -> None:
    clock.now += 10_000
    assert not due(hosted)
    learn(hosted)
    flush(hosted, clock)
    clock.now += 10_000
    assert not due(hosted)


def test_what_changed_is_due_after_the_interval(hosted: Hosted, clock: Clock) -> None:
    learn(hosted)
    assert not due(hosted)
    clock.now += INTERVAL_S - 0.01
    assert not due(hosted)
    clock.now += 0.02
    assert due(hosted)
    flush(hosted, clock)
    learn(hosted)
    assert not due(hosted)
    clock.now += INTERVAL_S + 0.01
    assert due(hosted)


def test_an_offset_is_due_though_no_row_changed(hosted: Hosted, clock: Clock) -> None:
    hosted.part.apply(a_batch(0))
    assert hosted.database is not None
    assert hosted.database.dirty == 0
    clock.now += INTERVAL_S + 0.01
    assert due(hosted)


def test_rows_that_changed_without_a_record_are_due(hosted: Hosted, clock: Clock) -> None:
    assert hosted.database is not None
    hosted.database.table("h", HistoryRow).put("u:anna", HistoryRow())
    assert not due(hosted)
    clock.now += INTERVAL_S + 0.01
    assert due(hosted)


def test_too_many_changed_rows_are_due_at_once(hosted: Hosted) -> None:
    few = msgspec.structs.replace(SETTINGS, flush_max_rows=20)
    learn(hosted, 3)
    assert not due(hosted, few)
    learn(hosted, 20)
    assert due(hosted, few)


@pytest.mark.parametrize(("among", "interval_s"), [(1, 5.0), (3, 15.0), (8, 30.0)])
def test_slow_flushes_are_rarer_so_that_all_stores_keep_to_their_share(
    hosted: Hosted, clock: Clock, among: int, interval_s: float
) -> None:
    learn(hosted)
    assert flush(hosted, clock, seconds=0.5) == 0.5
    learn(hosted)
    hosted.high = 10
    clock.now += interval_s - 0.01
    assert not due(hosted, among=among)
    clock.now += 0.02
    assert due(hosted, among=among)


def test_where_nothing_comes_in_what_was_learned_last_is_flushed_at_the_interval(
    hosted: Hosted, clock: Clock
) -> None:
    learn(hosted)
    flush(hosted, clock, seconds=5.0)
    learn(hosted)
    hosted.applied_at = clock.now
    clock.now += INTERVAL_S + 0.01
    assert not due(hosted)
    clock.now += CALM_MS / 1000
    assert due(hosted)


def test_a_stage_without_state_flushes_its_offset(bench: Bench, clock: Clock) -> None:
    hosted = Hosted(IngestPartition("browses", 0, bench.context), None, "browses", 0, 0, calm_ms=CALM_MS)
    clock.now += 10
    assert not due(hosted)
    hosted.part.apply(Record(0, 0, b"{}"))
    assert due(hosted)
    assert hosted.cut() == (None, 1)
    hosted.flushed_up_to(1, started=clock.now)
    assert (hosted.flushed, due(hosted)) == (1, False)
    hosted.close()
    assert hosted.generation == -1


def test_a_cut_seals_what_was_learned_and_holds_nothing_later(bench: Bench, host: Host, clock: Clock) -> None:
    hosted = host()
    learn(hosted, 2)
    assert bench.taken("facts") == []
    frozen, offset = hosted.cut()
    (facts,) = bench.decoded("facts")
    assert (facts.upto, offset) == ((1, 0), 2)
    learn(hosted)
    assert frozen is not None
    assert hosted.database is not None
    hosted.database.write(frozen)
    hosted.flushed_up_to(offset, started=clock.now)
    assert (hosted.flushed, hosted.next_offset) == (2, 3)
    assert hosted.database.dirty > 0
    hosted.close()
    again = host()
    assert (again.next_offset, again.flushed) == (2, 2)
    assert again.database is not None
    rows = again.database.table("h", HistoryRow)
    assert [rows.get(f"u:{n}") is not None for n in range(3)] == [True, True, False]


def test_a_store_that_was_let_go_can_be_opened_again(host: Host) -> None:
    hosted = host()
    hosted.generation = 3
    with pytest.raises(StateLockedError):
        host()
    hosted.close()
    assert hosted.generation == -1
    assert host().next_offset == 0


def test_publishing_may_take_its_share_of_the_time(hosted: Hosted, clock: Clock) -> None:
    hosted.high = 1
    assert hosted.may_work(SHARE)
    hosted.worked(0.05)
    clock.now += 0.4
    assert not hosted.may_work(SHARE)
    clock.now += 0.2
    assert hosted.may_work(SHARE)


def test_what_was_taken_too_much_is_paid_back_in_the_next_window(hosted: Hosted, clock: Clock) -> None:
    hosted.high = 1
    hosted.worked(0.3)
    clock.now += WORK_WINDOW_S + 0.01
    assert not hosted.may_work(SHARE)
    clock.now += WORK_WINDOW_S + 0.01
    assert not hosted.may_work(SHARE)
    clock.now += WORK_WINDOW_S + 0.01
    assert hosted.may_work(SHARE)


def test_time_that_was_not_used_is_not_saved_up(hosted: Hosted, clock: Clock) -> None:
    hosted.high = 1
    clock.now += 100 * WORK_WINDOW_S
    assert hosted.may_work(SHARE)
    hosted.worked(0.2)
    clock.now += 0.5
    assert not hosted.may_work(SHARE)


def test_an_idle_stage_may_always_publish(hosted: Hosted, clock: Clock) -> None:
    clock.now += CALM_MS / 1000 + 0.01
    hosted.worked(100.0)
    assert hosted.may_work(SHARE)
    hosted.high = 1
    assert not hosted.may_work(SHARE)


def test_a_slice_is_over_when_its_time_is_up(clock: Clock) -> None:
    piece = Slice.of(0.02)
    assert not piece.over
    clock.now += 0.03
    assert piece.over
