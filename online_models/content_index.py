"""The newest items of a catalogue by what they are like, in bounded memory: attribute -> newest items."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from online_models.attributes import KINDS, MOST, attributes_of
from online_models.content_kernels import HELD, ask, compare
from schemas.messages import ItemFacts
from schemas.state import ContentRows

BUCKETS: Final = 1 << 18
"""Attributes are numbered by hashing; two that share a bucket are taken for the same one."""

ASKED: Final = 32
"""Buckets of a profile, its strongest, of which items are looked at."""

EACH: Final = 50
"""Items of a bucket that are compared, the newest ones."""

STEPS: Final = 4_000
COMPARED: Final = 400
"""Items that are compared for one answer."""

_NONE: Final = -1
_NO_ROWS: Final = np.zeros(0, np.int64)


def _bucket(attribute: str) -> int:
    return crc32(attribute.encode()) % BUCKETS


def _kind(attribute: str) -> str:
    return attribute.partition(":")[0]


class Content(NamedTuple):
    """What an item is like: bucket and weight of each attribute by name, and as arrays, each bucket once."""

    attributes: dict[str, tuple[int, float]]
    buckets: NDArray[np.int32]
    weights: NDArray[np.float32]

    @classmethod
    def of(cls, facts: ItemFacts) -> "Content":
        """Return the content of an item.

        Examples
        --------
        >>> content = Content.of(ItemFacts("i1", None, ["a", "b"], None, 9.9, [], True, 0))
        >>> [*content.attributes], content.weights.tolist()
        (['category:a', 'category:b', 'price:8-11.3'], [1.0, 1.0, 0.5])
        """
        named = {name: (_bucket(name), KINDS[_kind(name)]) for name in attributes_of(facts)}
        weights: dict[int, float] = {}
        for bucket, weight in named.values():
            weights.setdefault(bucket, weight)
        found = np.fromiter(weights, np.int32, len(weights)), np.fromiter(weights.values(), np.float32)
        return cls(named, *found)


class ContentIndex:
    """Items by their attributes, the newest first, with how rare each attribute is.

    Of each item held is known what it is like; an attribute leads to the items that have it, the newest
    first. When all rows are taken, the item that was described first is forgotten. An item that is described
    otherwise than before is new again; one that is not available is not held.

    The vector of an item has, for each attribute, the weight of its kind * (1 + ln((1 + items held) /
    (1 + items that have it))).

    Parameters
    ----------
    items : int
        Most items held.
    euclidean : bool
        Whether two vectors are compared by their distance d, as 1 / (1 + d), instead of by the cosine.

    Attributes
    ----------
    buckets, weights : arrays, shape (items, `MOST`)
        Attributes of each row, by bucket, -1 where there are no more; and the weights of their kinds.
    links : array of int32, shape (items, `MOST`)
        For each attribute the next older place, row * `MOST` + position, that has the same; -1 for none.
    lengths, numbers : arrays of int64, shape (items,)
        How many attributes a row has, 0 for an item that is gone; how many items had been described before.
    heads, items_with : arrays of int32, shape (`BUCKETS`,)
        Newest place of a bucket, -1 for none, and how many items have it.

    References
    ----------
    Lops, de Gemmis, Semeraro: Content-based Recommender Systems, Recommender Systems Handbook, 2011;
    Weinberger, Dasgupta, Langford, Smola, Attenberg: Feature Hashing for Large Scale Multitask Learning,
    ICML 2009.

    Examples
    --------
    >>> index = ContentIndex(items=3)
    >>> for item, categories in (("tea", ["drinks"]), ("cup", ["dishes"]), ("mate", ["drinks", "new"])):
    ...     index.learn_one(ItemFacts(item, None, categories, None, None, [], True, 0))
    >>> tea = Content.of(ItemFacts("tea", None, ["drinks"], None, None, [], True, 0))
    >>> found = index.like(stacked([tea]), [1.0])
    >>> [index.names[row] for row in found.rows]
    ['mate', 'tea']
    >>> [round(float(similarity), 3) for similarity in found.similarities]
    [0.605, 1.0]
    """

    def __init__(self, *, items: int = 100_000, euclidean: bool = False) -> None:
        self.buckets = np.zeros((items, MOST), np.int32)
        self.weights = np.zeros((items, MOST), np.float32)
        self.links = np.zeros((items, MOST), np.int32)
        self.lengths = np.zeros(items, np.int64)
        self.numbers = np.zeros(items, np.int64)
        self.heads = np.full(BUCKETS, _NONE, np.int32)
        self.items_with = np.zeros(BUCKETS, np.int32)
        self._table = np.zeros((BUCKETS, 2), np.float32)
        self.names: list[str] = []
        self._rows: dict[str, int] = {}
        self._described = 0
        # Of 1 + n: logarithms are looked up, so that what is counted up and down is exactly as before.
        self._logs = np.log1p(np.arange(items + 1)).astype(np.float32)
        self._marks, self._mark = np.zeros(items, np.int64), 0
        self._found, self._similarities = np.zeros(COMPARED, np.int64), np.zeros(COMPARED, np.float32)
        self.euclidean = euclidean

    def __len__(self) -> int:
        return len(self._rows)

    def learn_one(self, facts: ItemFacts) -> None:
        """Take the catalogue row of an item."""
        if not facts.available:
            self.forget(facts.item)
            return
        content, row = Content.of(facts), self._rows.get(facts.item)
        if row is not None:
            held = self.lengths[row]
            if np.array_equal(self.buckets[row, :held], content.buckets):
                return
            self.forget(facts.item)
        if len(content.buckets):
            self._append(facts.item, content)

    def known(self) -> list[str]:
        """Return the items that are held."""
        return list(self._rows)

    def forget(self, item: str) -> None:
        """Let go of an item, if it is held."""
        row = self._rows.pop(item, None)
        if row is not None:
            # Its links stay: what is older is found through them until the row is taken by another.
            self._count(self.buckets[row, : self.lengths[row]], -1)
            self.lengths[row] = 0

    def rows(self, items: Collection[str]) -> NDArray[np.int64]:
        """Return the rows of those of some items that are held."""
        known = self._rows
        return np.array([known[item] for item in items if item in known], np.int64)

    def all(self) -> ContentRows:
        """Return a copy of all that is held, from which `restore` makes the same index."""
        taken = len(self.names)
        return ContentRows(
            self._described,
            len(self.lengths),
            list(self.names),
            self.buckets[:taken].tobytes(),
            self.weights[:taken].tobytes(),
            self.links[:taken].tobytes(),
            self.lengths[:taken].tobytes(),
            self.numbers[:taken].tobytes(),
            self.heads.tobytes(),
            self.items_with.tobytes(),
        )

    def restore(self, rows: ContentRows) -> bool:
        """Take over what another index of the same bounds held; False, and nothing, if it had others."""
        taken = len(rows.names)
        shape = (taken, MOST)
        if rows.capacity != len(self.lengths) or len(rows.heads) != self.heads.nbytes:
            return False
        if len(rows.buckets) != 4 * taken * MOST:
            return False
        self._described, self.names = rows.described, list(rows.names)
        self.buckets[:taken] = np.frombuffer(rows.buckets, np.int32).reshape(shape)
        self.weights[:taken] = np.frombuffer(rows.weights, np.float32).reshape(shape)
        self.links[:taken] = np.frombuffer(rows.links, np.int32).reshape(shape)
        self.lengths[:taken] = np.frombuffer(rows.lengths, np.int64)
        self.numbers[:taken] = np.frombuffer(rows.numbers, np.int64)
        self.heads[:] = np.frombuffer(rows.heads, np.int32)
        self.items_with[:] = np.frombuffer(rows.items_with, np.int32)
        self._table[:, HELD] = self._logs[self.items_with]
        self._rows = {name: row for row, name in enumerate(self.names) if self.lengths[row]}
        return True

    @property
    def named(self) -> NDArray[np.int64]:
        """What tells whether a row still has the item that it had: how many had been described before it."""
        return self.numbers

    def like(
        self,
        vectors: "Vectors",
        strengths: Sequence[float],
        *,
        without: NDArray[np.int64] = _NO_ROWS,
    ) -> "Like":
        """Return the items that were compared with a profile, in the order in which they were met.

        Parameters
        ----------
        vectors : Vectors
            What the items of a profile are like.
        strengths : sequence of float
            How much each counts; the profile is their mean.
        without : array of int
            Rows that are passed over.

        Notes
        -----
        The newest `EACH` items of the `ASKED` strongest buckets of the profile, at most `COMPARED` together.
        """
        total = sum(strengths)
        if total <= 0 or not self._rows:
            return Like(_NO_ROWS, self._similarities[:0])
        # What is years old may weigh less than a float32 can tell from 0; its share may not.
        shares = (np.array(strengths) / total).astype(np.float32)
        self._mark += 1
        found = ask(
            *vectors,
            shares,
            ASKED,
            without,
            self.buckets,
            self.weights,
            self.links,
            self.lengths,
            self.numbers,
            self.heads,
            self._worth(),
            self._table,
            self.euclidean,
            EACH,
            STEPS,
            self._marks,
            self._mark,
            self._found,
            self._similarities,
        )
        return Like(self._found[:found].copy(), self._similarities[:found].copy())

    def similarities(self, content: Content, others: "Vectors") -> NDArray[np.float32]:
        """Return how similar an item is to each of some others."""
        found = np.empty(len(others.lengths), np.float32)
        compare(
            content.buckets,
            content.weights,
            others.buckets,
            others.weights,
            others.lengths,
            self._worth(),
            self._table,
            self.euclidean,
            found,
        )
        return found

    def rarest(self, attributes: Mapping[str, tuple[int, float]]) -> list[str]:
        """Return attributes in the order in which they count: rare ones of weighty kinds first.

        Parameters
        ----------
        attributes : mapping of str to (int, float)
            Bucket and weight of each, as `Content` has them.
        """
        worth, held = self._worth(), self._table[:, HELD]
        return sorted(
            attributes, key=lambda name: -attributes[name][1] * (worth - float(held[attributes[name][0]]))
        )

    def _worth(self) -> float:
        """Return what an attribute that no item has is worth."""
        return 1.0 + float(self._logs[len(self._rows)])

    def _count(self, buckets: NDArray[np.int32], one: int) -> None:
        self.items_with[buckets] += one
        self._table[buckets, HELD] = self._logs[self.items_with[buckets]]

    def _append(self, item: str, content: Content) -> None:
        row = self._described % len(self.lengths)
        if row == len(self.names):
            self.names.append(item)
        else:
            if self.lengths[row]:
                self.forget(self.names[row])
            self.names[row] = item
        length, buckets = len(content.buckets), content.buckets
        # Of who was here before nothing is left that a bucket could lead to.
        self.buckets[row] = _NONE
        self.buckets[row, :length], self.weights[row, :length] = buckets, content.weights
        self.links[row, :length] = self.heads[buckets]
        self.heads[buckets] = row * MOST + np.arange(length, dtype=np.int32)
        self._count(buckets, 1)
        self.lengths[row], self.numbers[row] = length, self._described
        self._rows[item] = row
        self._described += 1


class Like(NamedTuple):
    """Rows of a content index, and how similar each is to what was asked."""

    rows: NDArray[np.int64]
    similarities: NDArray[np.float32]


class Vectors(NamedTuple):
    """Contents of items, one behind the other, and how many attributes each has."""

    buckets: NDArray[np.int32]
    weights: NDArray[np.float32]
    lengths: NDArray[np.int64]


def stacked(contents: Sequence[Content]) -> Vectors:
    """Put contents one behind the other."""
    return Vectors(
        np.concatenate([each.buckets for each in contents] or [np.zeros(0, np.int32)]),
        np.concatenate([each.weights for each in contents] or [np.zeros(0, np.float32)]),
        np.array([len(each.buckets) for each in contents], np.int64),
    )
