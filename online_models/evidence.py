"""Adds up, per item, what many sources say, and keeps apart what each of them said.

Items are numbered, so that a few thousand pieces of evidence cost two array operations; what a source is
and what its numbers mean is not known here.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from online_models.blend_kernels import gather, strongest, sum_up
from schemas.recommendations import Reason

Numbers = NDArray[np.intp]
Amounts = NDArray[np.float64]

_NO_AMOUNTS: Amounts = np.zeros(0)
_NO_NUMBERS: Numbers = np.zeros(0, dtype=np.intp)
_RANKED_TOGETHER = 32
"""Most lists are full before so many items have been looked at."""


def best_first(names: Sequence[str], scores: Amounts) -> list[tuple[str, float]]:
    """Return names with their scores, the largest first, ties by name.

    Examples
    --------
    >>> best_first(["tea", "cup", "pot"], np.array([1.0, 1.0, 2.0]))
    [('pot', 2.0), ('cup', 1.0), ('tea', 1.0)]
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    found = [(names[place], score) for place, score in zip(order.tolist(), ordered.tolist(), strict=True)]
    if (ordered[1:] == ordered[:-1]).any():
        found.sort(key=lambda each: (-each[1], each[0]))
    return found


class ItemNumbers:
    """Consecutive numbers for item ids, in the order in which they are first asked for.

    Examples
    --------
    >>> numbers = ItemNumbers()
    >>> numbers.of(["tea", "cup", "tea"]).tolist(), numbers.names
    ([0, 1, 0], ['tea', 'cup'])
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._places: Numbers = _NO_NUMBERS

    def of(self, items: Sequence[str]) -> Numbers:
        """Return the number of each item."""
        known = self._numbers
        try:
            return np.array([known[item] for item in items], dtype=np.intp)
        except KeyError:
            self._add(items)
            return np.array([known[item] for item in items], dtype=np.intp)

    @property
    def places(self) -> Numbers:
        """An array with an entry for each number there is, for whoever needs one for a moment."""
        if len(self._places) < len(self.names):
            self._places = np.empty(2 * len(self.names), np.intp)
        return self._places

    def places_if(self, numbers: Numbers, among: Numbers) -> Numbers:
        """Return the place of each number among distinct ones, -1 where they don't have it.

        Examples
        --------
        >>> numbers = ItemNumbers()
        >>> numbers.places_if(numbers.of(["tea", "cup", "tea"]), numbers.of(["tea"])).tolist()
        [0, -1, 0]
        """
        places = self.places
        places[numbers] = -1
        places[among] = np.arange(len(among))
        found: Numbers = places[numbers]
        return found

    def best_first(self, numbers: Numbers, scores: Amounts) -> Iterator[tuple[str, float]]:
        """Iterate over items and their scores, the largest first, ties by id.

        Examples
        --------
        >>> numbers = ItemNumbers()
        >>> list(numbers.best_first(numbers.of(["tea", "cup", "pot"]), np.array([1.0, 1.0, 2.0])))
        [('pot', 2.0), ('cup', 1.0), ('tea', 1.0)]
        """
        most = _RANKED_TOGETHER
        while len(numbers) > most:
            least = np.partition(scores, len(scores) - most)[len(scores) - most]
            best = scores >= least
            yield from self._ranked(numbers[best], scores[best])
            numbers, scores, most = numbers[~best], scores[~best], 8 * most
        yield from self._ranked(numbers, scores)

    def _ranked(self, numbers: Numbers, scores: Amounts) -> list[tuple[str, float]]:
        return best_first([self.names[number] for number in numbers.tolist()], scores)

    def _add(self, items: Sequence[str]) -> None:
        for item in items:
            if item not in self._numbers:
                self._numbers[item] = len(self.names)
                self.names.append(item)


class Index(Protocol):
    """What numbers items in its own way, and goes on to others with a number now and then.

    `named[n]` changes whenever number n goes on to another item than `names[n]` was.
    """

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def named(self) -> NDArray[np.int64]: ...


class Renumbered:
    """Tells the numbers of the evidence by those of an index, and asks for each name once.

    Parameters
    ----------
    index : Index
        Its numbers are given.
    numbers : ItemNumbers
        Those of the evidence.

    Examples
    --------
    >>> from online_models.session_index import SessionIndex
    >>> index, numbers = SessionIndex(), ItemNumbers()
    >>> index.learn_one("s:a", None, "tea", 0)
    >>> numbers.of(["cup"]).tolist()
    [0]
    >>> Renumbered(index, numbers).of(index.numbers(["tea", "tea"])).tolist(), numbers.names
    ([1, 1], ['cup', 'tea'])
    """

    def __init__(self, index: Index, numbers: ItemNumbers) -> None:
        self.index, self.numbers = index, numbers
        self._found: Numbers = _NO_NUMBERS
        self._named = np.zeros(0, np.int64)

    def of(self, in_index: NDArray[np.integer[Any]]) -> Numbers:
        """Return the numbers of items by those that the index has given them."""
        index = self.index
        if len(self._named) < len(index.named):
            self._named = np.full(len(index.named), -1)
            self._found = np.zeros(len(index.named), np.intp)
        other = in_index[self._named[in_index] != index.named[in_index]]
        if len(other):
            self._found[other] = self.numbers.of([index.names[number] for number in other.tolist()])
            self._named[other] = index.named[other]
        found: Numbers = self._found[in_index]
        return found


class Block(Protocol):
    """What sources say: `amounts[n]`, at least 0, speaks for item `numbers[n]` because of `reason(n)`.

    `sources[n]` numbers the source that says it.
    """

    @property
    def numbers(self) -> Numbers: ...

    @property
    def amounts(self) -> Amounts: ...

    @property
    def sources(self) -> Numbers: ...

    def reason(self, n: int) -> Reason: ...


class Evidence:
    """The sum of weighted blocks.

    Parameters
    ----------
    numbers : ItemNumbers
        The numbers that the blocks use.
    blocks : sequence of (float, Block)
        A factor, at least 0, for all amounts of the block.

    Examples
    --------
    >>> from online_models.sources import PopularBlock
    >>> numbers = ItemNumbers()
    >>> here = PopularBlock(numbers, "all", [("tea", 4.0), ("cup", 2.0)])
    >>> there = PopularBlock(numbers, "category:x", [("cup", 1.0)])
    >>> evidence = Evidence(numbers, [(0.1, here), (0.2, there)])
    >>> list(evidence.best_first())
    [('cup', 0.25), ('tea', 0.1)]
    >>> [reason["scope"] for reason in evidence.reasons(["cup"], max_reasons=2)[0]]
    ['category:x', 'all']
    """

    def __init__(self, numbers: ItemNumbers, blocks: Sequence[tuple[float, Block]]) -> None:
        self._numbers, self._blocks = numbers, [block for _, block in blocks]
        self._starts = [0, *accumulate(len(block.numbers) for block in self._blocks)]
        ends = np.array(self._starts[1:], np.intp)
        factors = np.array([factor for factor, _ in blocks], np.float64)
        self._amounts = np.concatenate([_NO_AMOUNTS, *(block.amounts for block in self._blocks)])
        pieces = np.concatenate([_NO_NUMBERS, *(block.numbers for block in self._blocks)])
        items = np.empty(len(pieces), np.intp)
        # Each piece of evidence belongs to one item: `_place` is that item's place in `_items`.
        self._place = np.empty(len(pieces), np.intp)
        found = sum_up(pieces, self._amounts, factors, ends, numbers.places, items, self._place)
        self._items: Numbers = items[:found]
        self._sums: Amounts = np.bincount(self._place, self._amounts, found).astype(np.float64, copy=False)

    def items(self) -> list[str]:
        """All items that any block speaks for."""
        return [self._numbers.names[number] for number in self._items.tolist()]

    def among_best(self, most: int) -> tuple[Numbers, Amounts]:
        """Return the items with the largest sums and these, the largest first; at most so many."""
        items, sums = self._items, self._sums
        if len(items) > most:
            best = np.argpartition(sums, len(sums) - most)[len(sums) - most :]
            items, sums = items[best], sums[best]
        order = np.argsort(-sums, kind="stable")
        return items[order], sums[order]

    def described(self, best: Numbers, proposed: Numbers, sources: int) -> tuple[Numbers, Amounts]:
        """Put items together, each once, with what each source, by number, says of each.

        Parameters
        ----------
        best : array of int
            Different items that any block speaks for.
        proposed : array of int
            Different items; they come first.
        sources : int
            How many sources there are.

        Returns
        -------
        items : array of int, shape (n,)
        sums : array of float, shape (n, sources)

        Examples
        --------
        >>> from online_models.sources import POPULAR_ALL, PopularBlock
        >>> numbers = ItemNumbers()
        >>> evidence = Evidence(numbers, [(0.5, PopularBlock(numbers, "all", [("tea", 4.0)]))])
        >>> items, sums = evidence.described(numbers.of(["tea"]), numbers.of(["cup"]), sources=7)
        >>> [numbers.names[number] for number in items], sums[:, POPULAR_ALL].tolist()
        (['cup', 'tea'], [0.0, 0.5])
        """
        most = len(best) + len(proposed)
        together, sums = np.empty(most, np.intp), np.empty((most, sources))
        pieces = np.concatenate([_NO_NUMBERS, *(block.sources for block in self._blocks)])
        count = gather(
            self._items,
            self._place,
            self._amounts,
            pieces,
            best,
            proposed,
            self._numbers.places,
            together,
            sums,
        )
        return together[:count], sums[:count]

    def best_first(self, score: Callable[[Amounts], Amounts] = np.positive) -> Iterator[tuple[str, float]]:
        """Iterate over all items and their scores, the largest first, ties by id.

        Parameters
        ----------
        score : callable
            Makes scores of sums of evidence, a larger one never from a smaller sum; the sums by default.
        """
        return self._numbers.best_first(self._items, score(self._sums))

    def reasons(self, items: Sequence[str], *, max_reasons: int) -> list[list[Reason]]:
        """Return for each of different items the reasons, the strongest first; none without evidence."""
        wanted = self._numbers.of(items)
        pieces, counts = np.empty((len(items), max_reasons), np.intp), np.empty(len(items), np.intp)
        strongest(self._items, self._place, self._amounts, wanted, self._numbers.places, pieces, counts)
        return [
            [self._reason(piece) for piece in of_item[:count]]
            for of_item, count in zip(pieces.tolist(), counts.tolist(), strict=True)
        ]

    def _reason(self, piece: int) -> Reason:
        block = bisect_right(self._starts, piece) - 1
        return self._blocks[block].reason(piece - self._starts[block])
