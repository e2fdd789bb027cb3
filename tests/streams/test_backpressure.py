"""What waits is bounded in bytes: a slow disk or a slow broker holds up what is learned."""

import asyncio
import threading
from pathlib import Path

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faust.types import TP
from msgspec.structs import replace

from schemas.settings import KafkaSettings
from streams.bounded_fetch import LEAST_BYTES, bound_batches, fetch_bytes
from streams.hosted import Hosted
from streams.kafka_outbox import MAX_WAITING_BYTES, KafkaOutbox
from streams.outbox import Outgoing, Record
from streams.rocks_store import Frozen, RocksBudget, RocksDatabase
from streams.runtime import Runtime
from streams.transport import Batch
from tests.streams.stages.parts import Bench, a_batch, an_event, settings_of

PLACE = TP("events", 0)
MANY = 400


def fail(error: Exception) -> None:
    raise error


class SlowDisk(RocksDatabase):
    """A store whose writes take until they are let through."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, RocksBudget(2**22), cache_bytes=2**20)
        self.may_write, self.writes = threading.Event(), 0

    def write(self, frozen: Frozen) -> None:
        self.writes += 1
        self.may_write.wait()
        super().write(frozen)


def test_while_a_write_is_slow_nothing_more_is_learned_than_memory_is_set_to(tmp_path: Path) -> None:
    settings = settings_of()
    settings = replace(settings, state=replace(settings.state, flush_max_rows=50))
    bench = Bench(settings, tmp_path / "state")
    outbox = KafkaOutbox(bench.settings.kafka, fail)
    runtime = Runtime(("history",), bench.context, outbox, fail, cluster="c")
    part = bench.open("history")
    disk = SlowDisk(tmp_path / "slow")
    hosted = Hosted(part, part.database, PLACE.topic, PLACE.partition, 0, calm_ms=0)
    hosted.generation = 1
    runtime.hosted[PLACE] = hosted
    part.database.write = disk.write  # type: ignore[method-assign]  # as slow as it is
    records = [_Raw(a_batch(at, an_event(at, key=f"u:{at}"))) for at in range(MANY)]
    batches = [Batch("events", 0, 1, records[first : first + 100]) for first in range(0, MANY, 100)]

    async def learn() -> int:
        async def all_of_them() -> None:
            for batch in batches:
                await runtime.handle(batch)

        learning = asyncio.create_task(all_of_them())
        while not (disk.writes or learning.done()):
            await asyncio.sleep(0)
        for _ in range(1_000):
            await asyncio.sleep(0)
        held_up_at = hosted.next_offset
        disk.may_write.set()
        await learning
        return held_up_at

    assert asyncio.run(learn()) < MANY
    assert hosted.next_offset == MANY
    runtime.close()
    disk.close()


class _Raw:
    """A record as the consumer hands it out."""

    def __init__(self, record: Record) -> None:
        self.offset, self.timestamp, self.value = record.offset, record.sent_at, record.value
        self.headers: tuple[tuple[str, bytes], ...] = ()


def test_changed_rows_are_bounded_by_their_bytes(tmp_path: Path) -> None:
    settings = settings_of()
    bench = Bench(settings, tmp_path)
    part = bench.open("history")
    hosted = Hosted(part, part.database, "events", 0, 0, calm_ms=0)
    for at in range(10):
        part.apply(a_batch(at, an_event(at, key=f"u:{at}")))
    part.freeze()
    for at in range(10, 20):
        part.apply(a_batch(at, an_event(at, key=f"u:{at}")))
    size = part.database.dirty_bytes
    encoded = sum(len(value or b"") for _, value in part.freeze().rows)
    assert encoded <= size < 10 * encoded
    for at in range(20, 30):
        part.apply(a_batch(at, an_event(at, key=f"u:{at}")))
    one_store = replace(settings.state, flush_max_bytes=2 * size)
    assert not hosted.overfull(one_store, among=1)
    assert hosted.overfull(one_store, among=4)
    part.database.close()


def test_an_outbox_says_when_its_bytes_have_to_leave_first() -> None:
    outbox = KafkaOutbox(KafkaSettings(), fail)
    for _ in range(7):
        outbox.put(Outgoing("rejected", 0, None, bytes(MAX_WAITING_BYTES // 8)))
    assert not outbox.full
    outbox.put(Outgoing("rejected", 0, b"key", bytes(MAX_WAITING_BYTES // 8)))
    assert outbox.full


def test_what_is_fetched_ahead_is_shared_by_all_partitions() -> None:
    kafka = KafkaSettings()
    for partitions in (1, 32, 256):
        assert partitions * fetch_bytes(kafka, partitions) <= kafka.fetch_ahead_bytes
    assert fetch_bytes(kafka, 10**6) == LEAST_BYTES


@pytest.mark.parametrize(("size", "expected"), [(10, [500, 500, 200]), (100_000, [11] * 109 + [1])])
def test_records_that_were_compressed_well_are_handed_out_a_few_at_a_time(
    monkeypatch: pytest.MonkeyPatch, size: int, expected: list[int]
) -> None:
    monkeypatch.setattr(fetcher, "FetchResult", fetcher.FetchResult)
    bound_batches(1_048_576)
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=1,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=2**30,
    )
    for offset in range(1_200):
        builder.append(offset, 1_000, b"k", bytes(size), [])
    records = fetcher.PartitionRecords(
        PLACE, MemoryRecords(bytes(builder.build())), [], 0, None, None, False, fetcher.READ_UNCOMMITTED
    )
    state = _Assignment()
    result = fetcher.FetchResult(PLACE, assignment=state, partition_records=records, backoff=0)
    sizes, offsets = [], []
    while result.has_more() and (found := result.getall(500)):
        sizes.append(len(found))
        offsets += [each.offset for each in found]
    assert sizes == expected
    assert offsets == list(range(1_200)) and state.position == 1_200


class _Assignment:
    """One assigned partition, as the consumer's own state answers."""

    active, paused, position = True, False, 0

    def state_value(self, _: object) -> "_Assignment":
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position
