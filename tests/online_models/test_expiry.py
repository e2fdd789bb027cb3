"""Guests are forgotten by event time alone, a chunk at a time, and nobody else is."""

from hypothesis import given
from hypothesis import strategies as st

from online_models.expiry import CHUNK_KEYS, HOUR_MS, KEY, Expiry
from online_models.memory_store import MemoryStore
from schemas.state import ExpiryRow, GuestChunk, HistoryRow

TTL_S = 2 * 3_600
TTL_MS = TTL_S * 1_000
ERASURE_TTL_S = 5 * 3_600


class Guests:
    """Guests' rows and their expiry, driven as the history step does it."""

    def __init__(self) -> None:
        self.rows, self.clock = MemoryStore(HistoryRow), MemoryStore(ExpiryRow)
        self.chunks = MemoryStore(GuestChunk)
        self.expiry = Expiry(
            self.rows, self.clock, self.chunks, guest_ttl_s=TTL_S, erasure_ttl_s=ERASURE_TTL_S
        )

    def event(self, key: str, at: int) -> None:
        clock = self.expiry.advance(at)
        row = self.rows.get(key)
        if row is None or self.expiry.is_gone(row, clock):
            row = HistoryRow()
        previous, row.last_at = row.last_at, max(row.last_at, at)
        self.expiry.register(key, row.last_at, previous, clock)
        self.rows.put(key, row)

    def known(self) -> set[str]:
        return set(self.rows.rows())


def test_a_guest_is_dropped_once_the_whole_hour_is_over() -> None:
    guests = Guests()
    guests.event("s:1", HOUR_MS)
    guests.expiry.advance(2 * HOUR_MS + TTL_MS - 1)
    assert guests.known() == {"s:1"}
    guests.expiry.advance(2 * HOUR_MS + TTL_MS)
    assert guests.known() == set()
    assert guests.chunks.rows() == {}


def test_a_guest_counts_as_gone_to_the_millisecond() -> None:
    guests = Guests()
    guests.event("s:1", HOUR_MS)
    row = guests.rows.get("s:1")
    assert row is not None
    assert not guests.expiry.is_gone(row, guests.expiry.advance(HOUR_MS + TTL_MS))
    assert guests.expiry.is_gone(row, guests.expiry.advance(HOUR_MS + TTL_MS + 1))


def test_a_guest_who_goes_on_stays() -> None:
    guests = Guests()
    for n in range(1, 12):
        guests.event("s:1", n * HOUR_MS)
        assert guests.known() == {"s:1"}


def test_at_most_one_chunk_is_looked_at_per_event() -> None:
    guests = Guests()
    for n in range(3 * CHUNK_KEYS):
        guests.event(f"s:{n}", HOUR_MS + n)
    left = []
    for n in range(4):
        guests.expiry.advance(10 * HOUR_MS + n)
        left.append(len(guests.known()))
    assert left == [2 * CHUNK_KEYS, CHUNK_KEYS, 0, 0]


def test_chunks_are_bounded() -> None:
    guests = Guests()
    for n in range(CHUNK_KEYS + 1):
        guests.event(f"s:{n}", HOUR_MS)
    sizes = [len(chunk.keys) for name in guests.chunks.rows() if (chunk := guests.chunks.get(name))]
    assert sorted(sizes) == [1, CHUNK_KEYS]


def test_many_events_of_a_guest_in_one_hour_are_one_entry() -> None:
    guests = Guests()
    for n in range(1_000):
        guests.event("s:1", HOUR_MS + n)
    chunk = guests.chunks.get("1:0")
    assert chunk is not None
    assert chunk.keys == ["s:1"]


def test_the_clock_never_goes_back() -> None:
    guests = Guests()
    guests.expiry.advance(9 * HOUR_MS)
    assert guests.expiry.advance(HOUR_MS).watermark == 9 * HOUR_MS


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.integers(-2 * HOUR_MS, 5 * HOUR_MS)), min_size=1, max_size=60
    )
)
def test_nobody_is_dropped_early_and_everybody_in_the_end(events: list[tuple[str, int]]) -> None:
    guests, last, watermark, now = Guests(), dict[str, int](), -1, 0
    for name, ahead in events:
        at = max(0, now + ahead)
        now = max(now, at)
        watermark = max(watermark, at)
        if last.get(name, 0) + TTL_MS < watermark:
            last[name] = 0
        last[name] = max(last.get(name, 0), at)
        guests.event(name, at)
        alive = {key for key, last_at in last.items() if last_at + TTL_MS >= watermark}
        assert alive <= guests.known()
    for n in range(60):
        guests.expiry.advance(watermark + TTL_MS + 2 * HOUR_MS + n)
    assert guests.known() == set()
    assert guests.chunks.rows() == {}
    clock = guests.clock.get(KEY)
    assert clock is not None
    assert clock.chunks == {}
