"""Candidates for the next item of a session, with the features that a ranker weighs."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_models.candidate_kernels import FEATURES
from online_models.evidence_kernels import COLUMNS, LAST_ITEMS
from online_models.proposal_kernels import gather, propose
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
        if max(before.max(initial=-1), current.max(initial=-1)) < 0:
            return Candidates.none()
        chosen, features = np.empty(self._most, np.int32), np.zeros((self._most, FEATURES), np.float32)
        kept = propose(before, not session, chosen, features, *self._asked(current, key, now))
        return Candidates(chosen[:kept], features[:kept])

    def evidence(self, key: str, session: Sequence[str], now: int) -> dict[str, NDArray[np.float32]]:
        """Return the sums of evidence of all items that are met, by column of `evidence_kernels`."""
        index = self._index
        found = gather(*self._asked(index.numbers(session[-_LENGTH:]), key, now))
        names = (index.names[number] for number in self._touched[:found].tolist())
        return dict(zip(names, self._sums[:found].copy(), strict=True))

    def _asked(self, current: NDArray[np.int32], key: str, now: int) -> tuple[Any, ...]:
        """Return the arguments of `proposal_kernels.gather`."""
        index, own, visits = self._index, self._index.session_of(key), self._visits
        rows = index.neighbours(current, own, self._sample, visits)
        places = (index.items, index.links, index.about, index.heads, index.counts)
        bounds = (self._sample, visits // LAST_ITEMS)
        return *places, rows, current, index.newest, own, *bounds, now, *self._work()

    def _work(self) -> tuple[Any, ...]:
        size, most = len(self._index.heads), len(self._touched)
        if len(self._met) < size or self._base > _LARGEST - 2 * most:
            self._met, self._lasts, self._base = np.zeros(size, np.int32), np.zeros(size, np.uint8), 0
        self._base += most
        return self._lasts, self._sums, self._met, self._base, self._touched
