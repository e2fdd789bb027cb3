"""How events arrive: in order of time, but for those that are late, sent twice or bad.

Keeps the rows whose time has not come; their number is bounded by the rate times the longest delay.
"""

import numpy as np

from online_models.worlds.latent import DELIVERY, generator
from online_models.worlds.rows import BAD, Rows, empty_rows
from online_models.worlds.settings import StorefrontSettings
from online_models.worlds.traffic import Traffic

_REPEATED_WITHIN_MS = 5_000


class Delivery:
    """Turn blocks of traffic into the order in which a consumer gets them.

    Parameters
    ----------
    settings : StorefrontSettings
        Shares of late, repeated and bad records.
    traffic : Traffic
        Where the rows come from.
    """

    def __init__(self, settings: StorefrontSettings, traffic: Traffic) -> None:
        self._settings = settings
        self._traffic = traffic
        self._rng = generator(settings, DELIVERY)
        self._waiting = empty_rows(0)
        self._bad = 0

    def next_rows(self) -> Rows:
        """Give the rows that arrive before the next block begins, in order of arrival."""
        rows = self._traffic.next_block()
        end_ms = self._traffic.next_ms
        rows = rows[rows["at_ms"] >= self._settings.start_at_ms]
        self._make_late(rows)
        bad = self._bad_rows(rows)
        rows = np.concatenate((self._waiting, rows, self._repeated(rows), bad))
        due = rows["emit_ms"] < end_ms
        self._waiting = rows[~due]
        rows = rows[due]
        return rows[np.lexsort((rows["number"], rows["emit_ms"]))]

    def _make_late(self, rows: Rows) -> None:
        late = self._rng.random(len(rows)) < self._settings.late_share
        lateness_ms = 1_000 * self._settings.late_s * self._rng.random(len(rows))
        rows["emit_ms"] += np.where(late, lateness_ms, 0.0).astype(np.int64)

    def _repeated(self, rows: Rows) -> Rows:
        again = rows[self._rng.random(len(rows)) < self._settings.duplicate_share]
        again["emit_ms"] += self._rng.integers(1, _REPEATED_WITHIN_MS, len(again))
        return again

    def _bad_rows(self, good: Rows) -> Rows:
        odds = self._settings.bad_share / (1.0 - self._settings.bad_share)
        bad = empty_rows(int(self._rng.poisson(len(good) * odds)))
        if len(bad):
            beside = good[self._rng.integers(0, len(good), len(bad))]
            bad["emit_ms"], bad["at_ms"], bad["who"] = beside["emit_ms"], beside["at_ms"], beside["who"]
        bad["kind"] = BAD
        bad["number"] = self._bad + np.arange(len(bad))
        self._bad += len(bad)
        return bad
