"""Passes over all rows of a table, a few at a time and no faster than allowed, to find what is stale."""

from streams.rocks_store import RocksDatabase

SWEEP_ROWS = 20
"""Rows that are looked at in one go, so that nothing else waits long."""


class Sweep:
    """One pass after another over the keys of a table, as they are on disk, in key order.

    Parameters
    ----------
    database : RocksDatabase
        Where the rows are.
    prefix : str
        The table.
    rows_per_s : int
        At most so many keys are given in a second.
    """

    def __init__(self, database: RocksDatabase, prefix: str, *, rows_per_s: int) -> None:
        self._database, self._prefix, self._rows_per_ms = database, prefix, rows_per_s / 1000
        self._after: str | None = None
        self._paid_until = 0.0

    @property
    def running(self) -> bool:
        """Whether a pass has begun and not ended."""
        return self._after is not None

    def start(self) -> None:
        """Begin a pass, from the first key on."""
        self._after = ""

    def take(self, now: int, *, at_once: bool) -> list[str]:
        """Give the next keys, none if it is too early; the pass ends with the last ones.

        Parameters
        ----------
        now : int
            The time, epoch ms.
        at_once : bool
            True gives them whatever the time is.
        """
        if self._after is None or (now < self._paid_until and not at_once):
            return []
        keys = self._database.keys_after(self._prefix, self._after, SWEEP_ROWS)
        self._went_on(keys, SWEEP_ROWS, now)
        return keys

    def take_rows(self, now: int, *, at_once: bool, most: int) -> list[tuple[str, bytes]]:
        """Give the next rows, at most so many, each with its key; else as `take`."""
        if self._after is None or (now < self._paid_until and not at_once):
            return []
        rows = self._database.rows_after(self._prefix, self._after, most)
        self._went_on([key for key, _ in rows], most, now)
        return rows

    def _went_on(self, keys: list[str], most: int, now: int) -> None:
        self._after = keys[-1] if len(keys) == most else None
        self._paid_until = now + len(keys) / self._rows_per_ms
