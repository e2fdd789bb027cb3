"""What showing an item is worth in the long run: a deep Q-network over logged slates, learned off-policy."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from online_models.deep.item_rows import NO_ROW, ItemRows, Rows
from online_models.deep.open_slates import Ended, OpenSlates, Shown, Slate
from online_models.deep.replay import Columns, Replay
from online_models.deep.row_vectors import Floats, RowVectors
from online_models.deep.settings import SlateLearning, SlateShape


class Slates(NamedTuple):
    """Slates of a batch, as a network sees them.

    Attributes
    ----------
    windows : array of float32, shape (batch, length, width)
        Vectors of the items acted on before, oldest first.
    items : array of float32, shape (batch, places, width)
        Vectors of the items that are shown.
    evidence : array of float32, shape (batch, places)
        What was known of each: a chance.
    there : array of bool, shape (batch, places)
        Which places are taken.
    """

    windows: Floats
    items: Floats
    evidence: Floats
    there: NDArray[np.bool_]


class Slopes(NamedTuple):
    """The loss of a batch, and its slope in the vectors of windows and of what was shown."""

    loss: float
    windows: Floats
    items: Floats


class ValueNetwork(Protocol):
    """Tells the value of each place of a slate, and keeps a copy of itself that follows later."""

    def values(self, slates: Slates) -> Floats:
        """Return the value of each place, shape (batch, places)."""
        ...

    def learn(self, slates: Slates, following: Slates, rewards: Floats, weights: Floats) -> Slopes:
        """Take one step towards rewards, and the best place of what follows as the copy values it.

        Parameters
        ----------
        slates : Slates
            What was shown.
        following : Slates
            What was shown next in the session; nobody is there where it ended. Its vectors are the copy's.
        rewards : array of float32, shape (batch, places)
            What was earned with each place before the next slate.
        weights : array of float32, shape (batch, places)
            How much each place counts.
        """
        ...

    def follow(self) -> None:
        """Make the copy what the network is now."""
        ...

    def weights(self) -> list[Floats]:
        """Return copies of all weights, as plain arrays."""
        ...


_DEVIATION: Final = 0.3
"""Of the length of a vector as it begins."""


class SlateValues:
    """Learns from slates what each item in them was worth, with all that came of it in the session.

    The state is the items that somebody acted on last, the action an item shown, its reward the weights of
    the acts on it until the next slate. Each place is an action of its own: what it is worth is the mean over
    what else was shown. Rare places count more, as if all had been shown equally often. A session's last
    slate is learned once the session has ended by event time.

    Memory: `items` rows, `examples` slates that are over, `open_slates` sessions.

    Parameters
    ----------
    network : ValueNetwork
        Nobody else may teach it.
    shape : SlateShape
        Of the network.
    learning : SlateLearning
        How it is learned.

    References
    ----------
    Mnih et al.: Human-level control through deep reinforcement learning, Nature 518, 2015. Ie et al.: SlateQ:
    A Tractable Decomposition for Reinforcement Learning with Recommendation Sets, IJCAI 2019, from which this
    differs: a place is learned whether or not it was acted on. Strehl, Langford, Li, Kakade: Learning from
    Logged Implicit Exploration Data, NIPS 2010 (clipped weights).
    """

    def __init__(
        self, network: ValueNetwork, shape: SlateShape | None = None, learning: SlateLearning | None = None
    ) -> None:
        self._network = network
        self._shape, self._learning = shape or SlateShape(), learning or SlateLearning()
        rows, width, length = self._learning.items, self._shape.width, self._shape.length
        if rows < (fewest := 2 * (self._shape.places + length)):
            raise ValueError(f"items is {rows}; expected at least {fewest}, as many as two slates can name")
        self._open = OpenSlates(self._learning.open_slates, length=length, gap_ms=self._learning.gap_ms)
        self._items = ItemRows(rows)
        deviation = _DEVIATION / np.sqrt(width)
        self._vectors = RowVectors(rows, width, rate=self._learning.item_rate, deviation=deviation)
        self._followed = self._vectors.vectors.copy()
        self._replay = Replay(self._learning.examples, _columns(self._shape))
        self._rng = np.random.default_rng(self._learning.seed)
        self._slates = self._steps = 0
        self.loss = float("nan")
        """Of the newest batch."""

    def held(self) -> tuple[int, int, int]:
        """Return how many items have a row, how many slates are kept and how many sessions are open."""
        return len(self._items), len(self._replay), len(self._open)

    def session(self, key: str, session_id: str | None, at: int) -> tuple[str, ...]:
        """Return what a key has acted on in its session, oldest first."""
        return self._open.session(key, session_id, at)

    def show(self, key: str, session_id: str | None, shown: Sequence[Shown], at: int) -> None:
        """Learn what somebody is shown, at a time in epoch ms; their slate before is over."""
        for ended in self._open.show(key, session_id, shown[: self._shape.places], at):
            self._keep(ended)

    def act(self, key: str, session_id: str | None, item: str, worth: float, at: int) -> None:
        """Learn that somebody acted on an item, which is worth so much, at a time in epoch ms."""
        for ended in self._open.act(key, session_id, item, worth, at):
            self._keep(ended)

    def values(self, session: Sequence[str], shown: Sequence[Shown]) -> list[float]:
        """Return the value of showing each item, as many as there are places, after acts of the session."""
        window, items, evidence = self._rows(Slate(tuple(session), tuple(shown)))
        seen = self._seen(window[None], items[None], evidence[None], self._vectors.vectors)
        found = self._network.values(seen)
        return [float(value) for value in found[0, : len(shown)]]

    def _keep(self, ended: Ended) -> None:
        slate, _, following = ended
        for each in (slate, following) if following is not None else (slate,):
            for item in (*each.session, *(one.item for one in each.shown)):
                self._enter(item)
        places = len(slate.shown)
        earned, weights = (np.zeros(self._shape.places, np.float32) for _ in range(2))
        earned[:places] = ended.earned
        weights[:places] = [min(1 / each.propensity, self._learning.most_weight) for each in slate.shown]
        window, items, evidence = self._rows(slate)
        next_window, next_items, next_evidence = self._rows(following or Slate((), ()))
        self._replay.add(
            {
                "window": window,
                "items": items,
                "evidence": evidence,
                "next_window": next_window,
                "next_items": next_items,
                "next_evidence": next_evidence,
                "earned": earned,
                "weights": weights,
                "act": self._items.acts,
            }
        )
        self._slates += 1
        if self._slates % self._learning.every == 0:
            self._step()

    def _enter(self, item: str) -> None:
        row, given = self._items.enter(item)
        if given:
            self._vectors.begin(row, item)
            self._followed[row] = self._vectors.vectors[row]

    def _step(self) -> None:
        batch = self._replay.draw(self._rng, self._learning.batch, newest=self._learning.every)
        acts = batch["act"][:, None]
        for name in ("window", "items", "next_window", "next_items"):
            batch[name][self._items.stale(batch[name], acts)] = NO_ROW
        windows, items = batch["window"], batch["items"]
        found = self._network.learn(
            self._seen(windows, items, batch["evidence"], self._vectors.vectors),
            self._seen(batch["next_window"], batch["next_items"], batch["next_evidence"], self._followed),
            batch["earned"],
            batch["weights"],
        )
        self.loss = found.loss
        width = self._shape.width
        self._vectors.descend(
            np.concatenate([windows.ravel(), items.ravel()]),
            np.concatenate([found.windows.reshape(-1, width), found.items.reshape(-1, width)]),
        )
        self._steps += 1
        if self._steps % self._learning.follow == 0:
            self._network.follow()
            np.copyto(self._followed, self._vectors.vectors)

    def _rows(self, slate: Slate) -> tuple[Rows, Rows, Floats]:
        """Return the rows of a slate's window and places, and the evidence."""
        window = np.full(self._shape.length, NO_ROW, np.int32)
        items = np.full(self._shape.places, NO_ROW, np.int32)
        evidence = np.zeros(self._shape.places, np.float32)
        newest = slate.session[-self._shape.length :]
        window[len(window) - len(newest) :] = self._items.of(newest)
        items[: len(slate.shown)] = self._items.of([each.item for each in slate.shown])
        evidence[: len(slate.shown)] = [each.evidence for each in slate.shown]
        return window, items, evidence

    def _seen(self, windows: Rows, items: Rows, evidence: Floats, vectors: Floats) -> Slates:
        return Slates(_of(vectors, windows), _of(vectors, items), evidence, items != NO_ROW)


def _of(vectors: Floats, rows: Rows) -> Floats:
    """Return the vectors of rows, zeros for `NO_ROW`."""
    found: Floats = (vectors[rows] * (rows != NO_ROW)[..., None]).astype(np.float32, copy=False)
    return found


def _columns(shape: SlateShape) -> Columns:
    rows, values = np.zeros(shape.places, np.int32), np.zeros(shape.places, np.float32)
    window = np.zeros(shape.length, np.int32)
    return {
        "window": window,
        "items": rows,
        "evidence": values,
        "next_window": window,
        "next_items": rows,
        "next_evidence": values,
        "earned": values,
        "weights": values,
        "act": np.zeros((), np.int64),
    }
