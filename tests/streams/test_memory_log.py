"""The log in memory: every reader gets every record once, views are up to date, outputs are handed on."""

import msgspec

from online_models.memory_store import MemoryStore
from online_models.pair_table import name_key
from schemas.messages import ItemCounts
from schemas.settings import Settings
from schemas.state import ViewRow
from streams.followed import Views, followed_topic
from streams.memory_log import MemoryLog
from streams.outbox import Outgoing, Record

COUNTS = ItemCounts("tea", 0, (1, 2, 3))


def a_log() -> tuple[MemoryLog, Views, list[Outgoing]]:
    outputs: list[Outgoing] = []
    counts = followed_topic("item-counts", MemoryStore(ViewRow), object, cache_rows=9)
    views = Views({"item-counts": counts}, Settings())
    return MemoryLog(views, outputs.append), views, outputs


def test_every_reader_of_a_partition_gets_every_record_in_order() -> None:
    log, _, _ = a_log()
    readers = [log.read("events", 0, 0), log.read("events", 0, 0)]
    other = log.read("events", 1, 0)
    log.now = 7
    for value in (b"a", b"b"):
        log.put(Outgoing("events", 0, None, value))
    assert [list(reader) for reader in readers] == [[Record(0, 7, b"a"), Record(1, 7, b"b")]] * 2
    assert list(other) == []


def test_offsets_go_on_from_what_readers_had_read() -> None:
    log, _, _ = a_log()
    reader = log.read("facts", 0, 5)
    log.put(Outgoing("facts", 0, None, b"x"))
    assert [record.offset for record in reader] == [5]


def test_what_nobody_reads_is_dropped() -> None:
    log, _, outputs = a_log()
    log.put(Outgoing("facts", 0, None, b"x"))
    assert [record.offset for record in log.read("facts", 0, 0)] == []
    assert outputs == []


def test_a_followed_row_is_visible_at_once() -> None:
    log, views, outputs = a_log()
    log.put(Outgoing("item-counts", 0, b"tea", msgspec.msgpack.encode(COUNTS), (0, 0, 1)))
    assert views.counts_of([name_key("tea")]) == [COUNTS]
    log.put(Outgoing("item-counts", 0, b"tea", None, (0, 0, 2)))
    assert views.counts_of([name_key("tea")]) == [None]
    assert outputs == []


def test_a_view_that_nobody_follows_is_dropped() -> None:
    log, views, outputs = a_log()
    log.put(Outgoing("totals", 0, b"0", b"", (0, 0, 1)))
    assert (views.changes, outputs) == (0, [])


def test_outputs_are_handed_on_deletions_too() -> None:
    log, _, outputs = a_log()
    records = [Outgoing("recommendations", 0, b"anna", value) for value in (b"{}", None)]
    for record in records:
        log.put(record)
    assert outputs == records
