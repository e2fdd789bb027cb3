"""Forgetting guests, and in the end also who asked to be forgotten: by event time alone.

A guest's row is dropped a set time after the last event; what an erasure leaves behind, to shut out late
events from before it, a longer time after the erasure. The clock is the partition's highest `at`, in offset
order, so a replay drops the same rows at the same events. At most one chunk is looked at per event: no event
pays for a whole hour.
"""

from online_models.protocols import Store
from schemas.state import ExpiryRow, GuestChunk, HistoryRow

HOUR_MS = 3_600_000
CHUNK_KEYS = 64
KEY = "clock"


class Expiry:
    """Registers guests by the hour of their last event, and erasures, and drops the rows that are due.

    Parameters
    ----------
    rows : Store of HistoryRow
        Where the rows are.
    clock : Store of ExpiryRow
        One row: the highest `at` and the number of chunks per hour.
    chunks : Store of GuestChunk
        Keys by hour, at most `CHUNK_KEYS` a chunk.
    guest_ttl_s : int
        A guest is forgotten this long after the last event.
    erasure_ttl_s : int
        What is left of an erasure is dropped this long after it.
    """

    def __init__(
        self,
        rows: Store[HistoryRow],
        clock: Store[ExpiryRow],
        chunks: Store[GuestChunk],
        *,
        guest_ttl_s: int,
        erasure_ttl_s: int,
    ) -> None:
        self._rows, self._clock, self._chunks = rows, clock, chunks
        self._ttl_ms, self._erasure_ttl_ms = guest_ttl_s * 1000, erasure_ttl_s * 1000

    @property
    def watermark(self) -> int:
        """The highest `at` so far, epoch ms; -1 before the first event."""
        clock = self._clock.get(KEY)
        return -1 if clock is None else clock.watermark

    def advance(self, at: int) -> ExpiryRow:
        """Move the clock to `at` if that is later, and drop the rows of at most one due chunk."""
        clock = self._clock.get(KEY) or ExpiryRow()
        if at > clock.watermark:
            clock.watermark = at
            self._clock.put(KEY, clock)
        if clock.chunks:
            hour = next(iter(clock.chunks))
            if (hour + 1) * HOUR_MS + self._ttl_ms <= clock.watermark:
                self._drop_chunk(clock, hour)
        return clock

    def is_gone(self, row: HistoryRow, clock: ExpiryRow) -> bool:
        """Whether a guest's row counts as dropped although its chunk was not due yet."""
        return row.last_at + self._ttl_ms < clock.watermark

    def register(self, key: str, last_at: int, previous_at: int, clock: ExpiryRow) -> None:
        """Note a guest's event; a guest stands once in each hour that was its latest."""
        hour = last_at // HOUR_MS
        if previous_at // HOUR_MS == hour and previous_at:
            return
        self._enter(key, hour, clock)

    def register_erasure(self, key: str, clock: ExpiryRow) -> None:
        """Note that a row is what an erasure left behind."""
        # The hour at which a guest would be due at the same time.
        self._enter(key, (clock.watermark + self._erasure_ttl_ms - self._ttl_ms) // HOUR_MS, clock)

    def _enter(self, key: str, hour: int, clock: ExpiryRow) -> None:
        count = clock.chunks.get(hour, 0)
        chunk = self._chunks.get(f"{hour}:{count - 1}") if count else None
        if chunk is None or len(chunk.keys) >= CHUNK_KEYS:
            chunk = GuestChunk([])
            count += 1
            clock.chunks[hour] = count
            if count == 1:
                clock.chunks = dict(sorted(clock.chunks.items()))
            self._clock.put(KEY, clock)
        chunk.keys.append(key)
        self._chunks.put(f"{hour}:{count - 1}", chunk)

    def _is_due(self, key: str, row: HistoryRow, clock: ExpiryRow) -> bool:
        """Whether nobody needs the row any more; a customer who came back after an erasure does."""
        if key.startswith("u:"):
            return row == HistoryRow(erased_until=row.erased_until)
        return self.is_gone(row, clock)

    def _drop_chunk(self, clock: ExpiryRow, hour: int) -> None:
        last = clock.chunks[hour] - 1
        chunk = self._chunks.get(f"{hour}:{last}")
        for key in chunk.keys if chunk else ():
            row = self._rows.get(key)
            if row is not None and self._is_due(key, row, clock):
                self._rows.delete(key)
        self._chunks.delete(f"{hour}:{last}")
        if last:
            clock.chunks[hour] = last
        else:
            del clock.chunks[hour]
        self._clock.put(KEY, clock)
