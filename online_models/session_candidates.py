"""Candidates for the next item of a session, with the features that a ranker weighs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models.candidate_kernels import FEATURES, choose, describe_evidence, describe_items
from online_models.evidence_kernels import (
    COLUMNS,
    FOLLOWED,
    LAST_ITEMS,
    PER_ITEM,
    ask_neighbours,
    follow,
    meet,
    step_twice,
)
from online_models.session_index import SessionIndex

_LENGTH = 50
_STAND_IN = 10
_LARGEST = 2**31 - 1


class Candidates(NamedTuple):
    """Numbers of items, and their features, shape (items, `FEATURES`)."""

    numbers: NDArray[np.int32]
    features: NDArray[np.float32]

    @classmethod
    def none(cls) -> "Candidates":
        """Return no candidates."""
        return cls(np.zeros(0, np.int32), np.zeros((0, FEATURES), np.float32))


class SessionCandidates:
    """Gathers evidence for items over a session index.

    The sessions that share an item with the current one, what followed and accompanied each of its last three
    items, two steps from there, and the session itself: repeats are likely.

    Parameters
    ----------
    index : SessionIndex
        Sessions so far; only read.
    most : int
        Most candidates.
    sample : int
        Most sessions compared, and places of an item looked at.
    visits : int
        The sessions compared have so many items together, or up to the length of one more; for each of the
        last three items, the sessions in which something followed have a third of it.
    meet_most : int
        Most items for which evidence is gathered; those of the current session come first.

    Examples
    --------
    >>> index = SessionIndex()
    >>> for item in ("tea", "cup", "tea", "pot"):
    ...     index.learn_one("s:a", None, item, 0)
    >>> found = SessionCandidates(index).find("s:b", ["tea"], 9)
    >>> sorted(index.names[number] for number in found.numbers), found.features.shape[1] == FEATURES
    (['cup', 'pot', 'tea'], True)
    """

    def __init__(
        self,
        index: SessionIndex,
        *,
        most: int = 200,
        sample: int = 2500,
        visits: int = 20_000,
        meet_most: int = 20_000,
    ) -> None:
        self._index, self._most, self._sample, self._visits = index, most, sample, visits
        self._sums = np.zeros((meet_most, COLUMNS), np.float32)
        self._touched = np.zeros(meet_most, np.int64)
        # Looked up at every step of the loops: the smaller they are, the more of them is at hand.
        self._met, self._lasts = np.zeros(0, np.int32), np.zeros(0, np.uint8)
        self._base = 0

    def find(self, key: str, session: Sequence[str], now: int, *, earlier: Sequence[str] = ()) -> Candidates:
        """Return the candidates for what comes next.

        Parameters
        ----------
        key : str
            Whose session it is.
        session : sequence of str
            Its items, oldest first.
        now : int
            Epoch ms.
        earlier : sequence of str
            Items of sessions before, oldest first; the last of them stand in for a session without items.
        """
        index = self._index
        before = index.numbers(earlier[-_LENGTH:])
        current = index.numbers(session[-_LENGTH:] or earlier[-_STAND_IN:])
        own = np.concatenate([before, current])
        if not (own >= 0).any():
            return Candidates.none()
        found = self._gather(current, index.session_of(key), now)
        for number in before[before >= 0].tolist():
            found = meet(number, self._sums, self._met, self._base, self._touched, found)
        rows = np.empty(self._most, np.int64)
        looked_at = np.unique(self._met[own[own >= 0]].astype(np.int64) - self._base)
        # There is no row for what came when all were taken.
        rows = rows[: choose(self._sums, found, looked_at[looked_at >= 0], rows)]
        chosen = self._touched[rows].astype(np.int32)
        features = np.zeros((len(chosen), FEATURES), np.float32)
        describe_evidence(rows, self._sums, features)
        places = (index.items, index.links, index.heads, index.counts)
        describe_items(*places, current, before, index.newest, found, not session, chosen, features)
        return Candidates(chosen, features)

    def evidence(self, key: str, session: Sequence[str], now: int) -> dict[str, NDArray[np.float32]]:
        """Return the sums of evidence of all items that are met, by column of `evidence_kernels`."""
        index = self._index
        found = self._gather(index.numbers(session[-_LENGTH:]), index.session_of(key), now)
        names = (index.names[number] for number in self._touched[:found].tolist())
        return dict(zip(names, self._sums[:found].copy(), strict=True))

    def _gather(self, current: NDArray[np.int32], own: int, now: int) -> int:
        index, work = self._index, self._work()
        items, links, about, heads = index.items, index.links, index.about, index.heads
        known = [(n, number) for n, number in enumerate(current.tolist()) if number >= 0]
        found = 0
        for n, number in known:
            self._lasts[number] = n + 1
            found = meet(number, *work, found)
        rows = index.neighbours(current, own, self._sample, self._visits)
        visits = self._visits // LAST_ITEMS
        found = ask_neighbours(
            items, about, index.counts, current, self._lasts, index.newest, now, rows, *work, found
        )
        column = FOLLOWED
        for n, number in reversed(known):
            if self._lasts[number] == n + 1 and column < FOLLOWED + LAST_ITEMS * PER_ITEM:
                prior = int(current[n - 1]) if n == len(current) - 1 and n > 0 else -1
                found = follow(
                    items, links, about, heads, number, prior, own, self._sample, visits, column, *work, found
                )
                column += PER_ITEM
        self._lasts[[number for _, number in known]] = 0
        return int(step_twice(items, links, about, heads, index.counts, own, *work, found))

    def _work(self) -> tuple[NDArray[np.float32], NDArray[np.int32], int, NDArray[np.int64]]:
        size, most = len(self._index.heads), len(self._touched)
        if len(self._met) < size or self._base > _LARGEST - 2 * most:
            self._met, self._lasts, self._base = np.zeros(size, np.int32), np.zeros(size, np.uint8), 0
        self._base += most
        return self._sums, self._met, self._base, self._touched
