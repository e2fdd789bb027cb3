"""The convolutional sequence recommender: learns which item follows the last ones, event by event."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from online_models.deep.item_rows import NO_ROW, ItemRows, Rows
from online_models.deep.replay import Replay
from online_models.deep.row_vectors import Floats, RowVectors
from online_models.deep.settings import SequenceLearning, SequenceShape
from online_models.evaluation.contract import Query
from online_models.open_sessions import ACTIONS, Held, OpenSessions
from schemas.messages import Event


class Gradients(NamedTuple):
    """The loss of a batch, and its slope in all that came from tables."""

    loss: float
    windows: Floats
    candidates: Floats
    biases: Floats


class NextItemNetwork(Protocol):
    """Turns a window of vectors into the vector of what comes next."""

    def state(self, window: Floats) -> Floats:
        """Return the vector of what follows a window, shape (length, width), oldest first."""
        ...

    def learn(
        self, windows: Floats, candidates: Floats, biases: Floats, possible: NDArray[np.bool_]
    ) -> Gradients:
        """Take one step.

        Parameters
        ----------
        windows : array of float32, shape (batch, length, width)
        candidates : array of float32, shape (batch + negatives, width)
            The right item of each window, then the negatives.
        biases : array of float32, shape (batch + negatives,)
        possible : array of bool, shape (batch, batch + negatives)
            Which candidates the right one of each window is held against, itself included.
        """
        ...

    def weights(self) -> list[Floats]:
        """Return copies of all weights, as plain arrays."""
        ...


_DEVIATION: Final = 1.5
"""Of the length of a vector as it begins."""


class NextItems:
    """Ranks all items that have a row by how likely they come next.

    Vectors of items are the network's input and, in a product with the state that it returns, its output: so
    that an item seen a few times can be both recognised and recommended. An item's bias is its popularity.
    Memory: `items` rows, `examples` windows, the last items of `open_sessions` keys.

    Parameters
    ----------
    network : NextItemNetwork
        Nobody else may teach it.
    shape : SequenceShape
        Of the network.
    learning : SequenceLearning
        How it is learned.

    References
    ----------
    Tang, Wang: Personalized Top-N Sequential Recommendation via Convolutional Sequence Embedding, WSDM 2018
    (Caser; without vectors of customers, of whom nothing is kept here). Jean, Cho, Memisevic, Bengio: On
    Using Very Large Target Vocabulary for Neural Machine Translation, ACL 2015 (sampled softmax).
    """

    def __init__(
        self,
        network: NextItemNetwork,
        shape: SequenceShape | None = None,
        learning: SequenceLearning | None = None,
    ) -> None:
        self._network = network
        self._shape, self._learning = shape or SequenceShape(), learning or SequenceLearning()
        self._sessions = OpenSessions(sessions=self._learning.open_sessions, length=self._shape.length)
        most, width, length = self._learning.items, self._shape.width, self._shape.length
        self._items = ItemRows(most)
        deviation = _DEVIATION / np.sqrt(width)
        self._vectors = RowVectors(most, width, rate=self._learning.item_rate, deviation=deviation)
        self._biases = RowVectors(most, 1, rate=self._learning.item_rate, deviation=0.0)
        self._replay = Replay(
            self._learning.examples,
            {
                "window": np.zeros(length, np.int32),
                "item": np.zeros((), np.int32),
                "act": np.zeros((), np.int64),
            },
        )
        self._rng = np.random.default_rng(self._learning.seed)
        self.loss = float("nan")
        """Of the newest batch."""

    def held(self) -> tuple[int, int, int]:
        """Return how many items have a row, how many examples are kept and how many keys are known."""
        return len(self._items), len(self._replay), len(self._sessions)

    def learn_one(self, x: Event) -> None:
        if x.kind in ACTIONS:
            for line in x.lines:
                self._learn_item(self._sessions.grow(x.key, x.session_id, line.item, x.at), line.item)

    def _learn_item(self, before: Held, item: str) -> None:
        window = self._window([*before.earlier, *before.session])
        row, given = self._items.enter(item)
        if given:
            self._vectors.begin(row, item)
            self._biases.begin(row, item)
            # A window may still hold what had this row before.
            window[window == row] = NO_ROW
        if (window != NO_ROW).any():
            self._replay.add({"window": window, "item": row, "act": self._items.acts})
        if self._items.acts % self._learning.every == 0 and len(self._replay):
            self._step()

    def _step(self) -> None:
        learning = self._learning
        batch = self._replay.draw(self._rng, learning.batch, newest=learning.every)
        windows, right, acts = batch["window"], batch["item"], batch["act"]
        windows[self._items.stale(windows, acts[:, None])] = NO_ROW
        gone = self._items.stale(right, acts)
        negatives = self._rng.integers(0, len(self._items), learning.negatives, dtype=np.int32)
        candidates = np.concatenate([right, negatives])
        found = self._network.learn(
            self._of(windows),
            self._vectors.vectors[candidates],
            self._biases.vectors[candidates, 0],
            _possible(right, negatives),
        )
        self.loss = found.loss
        candidates[: len(right)][gone] = NO_ROW
        self._descend(windows, candidates, found)

    def _descend(self, windows: Rows, candidates: Rows, found: Gradients) -> None:
        width = self._shape.width
        rows = np.concatenate([windows.ravel(), candidates])
        gradients = np.concatenate([found.windows.reshape(-1, width), found.candidates])
        self._vectors.descend(rows, gradients)
        self._biases.descend(candidates, found.biases[:, None])

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        names = self._items.names
        if not names:
            return []
        session, earlier = self._sessions.held(query.key)
        seen = [*earlier, *session] if not query.session else [*earlier, *query.session]
        state = self._network.state(self._of(self._window(seen)))
        # The whole table: what a list costs does not depend on how much of it is in use.
        scores = (self._vectors.vectors @ state + self._biases.vectors[:, 0])[: len(names)]
        return _best(scores, names, query)

    def _window(self, items: Sequence[str]) -> Rows:
        """Return the rows of the newest items, oldest first, `NO_ROW` in front of them."""
        newest = self._items.of(items[-self._shape.length :])
        window = np.full(self._shape.length, NO_ROW, np.int32)
        window[len(window) - len(newest) :] = newest
        return window

    def _of(self, windows: Rows) -> Floats:
        """Return the vectors of items, zeros for `NO_ROW`."""
        found: Floats = self._vectors.vectors[windows] * (windows != NO_ROW)[..., None]
        return found.astype(np.float32, copy=False)


def _possible(right: Rows, negatives: Rows) -> NDArray[np.bool_]:
    """Return which candidates, right ones and then negatives, each right one is held against.

    Examples
    --------
    >>> _possible(np.array([4, 6], np.int32), np.array([5, 4], np.int32)).astype(int).tolist()
    [[1, 0, 1, 0], [0, 1, 1, 1]]
    """
    return np.concatenate([np.eye(len(right), dtype=bool), right[:, None] != negatives], axis=1)


def _best(scores: Floats, names: Sequence[str], query: Query) -> list[tuple[str, float]]:
    wanted = min(query.k + len(query.exclude), len(scores))
    least = np.partition(scores, -wanted)[-wanted]
    places = np.flatnonzero(scores >= least)
    ranked = sorted((-float(scores[n]), names[n]) for n in places.tolist() if names[n] not in query.exclude)
    return [(item, -negative) for negative, item in ranked[: query.k]]
