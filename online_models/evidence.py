"""Adds up, per item, what many sources say, and keeps apart what each of them said.

Items are numbered, so that a few thousand pieces of evidence cost two array operations; what a source is
and what its numbers mean is not known here.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.recommendations import Reason

Numbers = NDArray[np.intp]
Amounts = NDArray[np.float64]

_NO_AMOUNTS: Amounts = np.zeros(0)
_NO_NUMBERS: Numbers = np.zeros(0, dtype=np.intp)
_RANKED_TOGETHER = 64
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

    def distinct(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """Return the distinct ones of some numbers, and the place among them of each.

        Examples
        --------
        >>> numbers = ItemNumbers()
        >>> [each.tolist() for each in numbers.distinct(numbers.of(["tea", "cup", "tea"]))]
        [[1, 0], [1, 0, 1]]
        """
        if len(self._places) < len(self.names):
            self._places = np.empty(2 * len(self.names), dtype=np.intp)
        # Of several values for one place the last is kept: no sorting is needed to tell what is distinct.
        order = np.arange(len(numbers))
        self._places[numbers] = order
        found = numbers[self._places[numbers] == order]
        return found, self.places(numbers, found)

    def places(self, numbers: Numbers, among: Numbers) -> Numbers:
        """Return the place of each number among distinct ones, which have it."""
        self._places[among] = np.arange(len(among))
        return self._places[numbers]

    def places_if(self, numbers: Numbers, among: Numbers) -> Numbers:
        """Return the place of each number among distinct ones, -1 where they don't have it."""
        if len(self._places) < len(self.names):
            self._places = np.empty(2 * len(self.names), dtype=np.intp)
        self._places[numbers] = -1
        return self.places(numbers, among)

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
        sizes = np.array([len(block.numbers) for block in self._blocks], dtype=np.intp)
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        factors = np.repeat(np.array([factor for factor, _ in blocks], dtype=np.float64), sizes)
        self._amounts = factors * np.concatenate([_NO_AMOUNTS, *(block.amounts for block in self._blocks)])
        items = np.concatenate([_NO_NUMBERS, *(block.numbers for block in self._blocks)])
        # Each piece of evidence belongs to one item: `_place` is that item's place in `_items`.
        self._items, self._place = numbers.distinct(items)
        self._sums: Amounts = np.bincount(self._place, self._amounts, len(self._items)).astype(np.float64)

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

    def of_sources(self, items: Numbers, sources: int) -> Amounts:
        """Return what each source, by number, says for each of some items: shape (items, sources).

        Examples
        --------
        >>> from online_models.sources import POPULAR_ALL, PopularBlock
        >>> numbers = ItemNumbers()
        >>> evidence = Evidence(numbers, [(0.5, PopularBlock(numbers, "all", [("tea", 4.0)]))])
        >>> evidence.of_sources(numbers.of(["cup", "tea"]), sources=7)[:, POPULAR_ALL].tolist()
        [0.0, 0.5]
        """
        found = np.zeros((len(items), sources))
        if self._blocks:
            pieces = np.concatenate([block.sources for block in self._blocks])
            row_of_piece = self._numbers.places_if(self._items, items)[self._place]
            known = row_of_piece >= 0
            flat = row_of_piece[known] * sources + pieces[known]
            found += np.bincount(flat, self._amounts[known], found.size).reshape(found.shape)
        return found

    def best_first(self, score: Callable[[Amounts], Amounts] = np.positive) -> Iterator[tuple[str, float]]:
        """Iterate over all items and their scores, the largest first, ties by id.

        Parameters
        ----------
        score : callable
            Makes scores of sums of evidence, a larger one never from a smaller sum; the sums by default.
        """
        return self._numbers.best_first(self._items, score(self._sums))

    def reasons(self, items: Sequence[str], *, max_reasons: int) -> list[list[Reason]]:
        """Return for each item the reasons, the strongest first; none where no block speaks for it."""
        places = self._numbers.places_if(self._numbers.of(items), self._items)
        known = np.flatnonzero(places >= 0)
        row_of_place = np.full(len(self._items), -1)
        row_of_place[places[known]] = known
        rows = row_of_place[self._place]
        pieces = np.flatnonzero(rows >= 0)
        pieces = pieces[np.lexsort((-self._amounts[pieces], rows[pieces]))]
        # What is told of an item stands together now, the strongest first: only that is looked at one by one.
        first_of_row = np.searchsorted(rows[pieces], np.arange(len(items)))
        pieces = pieces[np.arange(len(pieces)) - first_of_row[rows[pieces]] < max_reasons]
        blocks = np.searchsorted(self._starts, pieces, side="right") - 1
        found: list[list[Reason]] = [[] for _ in items]
        of_blocks = (pieces - self._starts[blocks]).tolist()
        for row, block, n in zip(rows[pieces].tolist(), blocks.tolist(), of_blocks, strict=True):
            found[row].append(self._blocks[block].reason(n))
        return found
