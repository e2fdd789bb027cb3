"""A recommender of a batch library as a contender: what was learned becomes a matrix when somebody asks.

The library itself is not imported here: whatever fits a sparse matrix and recommends will do.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from online_models.evaluation.baselines.customers import MAX_CUSTOMERS
from online_models.evaluation.baselines.numbered import MAX_ITEMS, Names, Ranking
from online_models.evaluation.contract import Query
from online_models.evaluation.relevance import ACTIONS
from schemas.messages import Event
from schemas.settings import WeightSettings

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]


class Cells(NamedTuple):
    """A sparse matrix, customers by items: where it is not 0, what is there, and its shape."""

    customers: Ints
    items: Ints
    weights: Floats
    shape: tuple[int, int]


class Library(Protocol):
    """What is asked of a model; `matrix` is whatever `matrix_of` makes of cells."""

    def fit(self, user_items: Any, *, show_progress: bool) -> object:
        """Learn a matrix, customers by items."""
        ...

    def recommend(
        self,
        userid: int,
        user_items: Any,
        *,
        N: int,  # noqa: N803  # as the library calls it
        filter_already_liked_items: bool,
    ) -> tuple[Any, Any]:
        """Return the numbers of at most N items for a customer with this row, and their scores."""
        ...


class Interactions:
    """Who acted upon what, and how much: each action adds its weight, as the house weighs actions.

    A rating below half of its scale weighs nothing. What weighs nothing is not there.

    Parameters
    ----------
    weights : WeightSettings
        Of each kind of action.

    Examples
    --------
    >>> from schemas.messages import Line
    >>> acts = Interactions(WeightSettings())
    >>> for kind in ("view", "purchase"):
    ...     acts.add(Event("u:anna", kind, 0, "t", 0, 0, 0, 0, lines=[Line("tea", [])]))
    >>> acts.cells().weights.tolist(), acts.cells().shape
    ([5.0], (1, 1))
    """

    def __init__(self, weights: WeightSettings) -> None:
        self.customers, self.items = Names(MAX_CUSTOMERS), Names(MAX_ITEMS)
        self._weights = weights
        self._cells: dict[tuple[int, int], float] = {}

    def add(self, x: Event) -> None:
        """Add an action."""
        weight = self._weight(x) if x.kind in ACTIONS else 0.0
        if not weight:
            return
        customer = self.customers.add(x.key)
        for item in (self.items.add(line.item) for line in x.lines):
            if customer is not None and item is not None:
                self._cells[customer, item] = self._cells.get((customer, item), 0.0) + weight

    def cells(self) -> Cells:
        """Return all that was added."""
        places = np.array(list(self._cells), np.int32).reshape(-1, 2)
        weights = np.array(list(self._cells.values()), np.float32)
        return Cells(places[:, 0], places[:, 1], weights, (len(self.customers), len(self.items)))

    def _weight(self, x: Event) -> float:
        if x.kind != "rating":
            return float(getattr(self._weights, x.kind))
        value, scale_max = x.value or 0.0, x.scale_max or 1.0
        return 0.0 if value < scale_max / 2 else 1.0 + self._weights.rating * value / scale_max


def sparse(cells: Cells) -> Any:
    """Return cells as a matrix of scipy, by rows."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415  # an extra

    matrix = csr_matrix((cells.weights, (cells.customers, cells.items)), shape=cells.shape)
    matrix.sort_indices()
    return matrix


class LibraryModel:
    """Collects what it learns, and fits a model anew when it is asked after that.

    Parameters
    ----------
    make : callable
        Makes a model that was not fitted.
    weights : WeightSettings
        Of each kind of action.
    matrix_of : callable
        Makes a matrix of cells; its rows must be taken by `matrix[number]`.

    Attributes
    ----------
    fit_s : list of float
        How long each fit took; the question that made it necessary took as much longer.

    Notes
    -----
    The library is asked for as many items as there are places and items that must not be in them, as anybody
    would ask it. Ties among these are broken by item id; which of equal items are among them, it says itself.
    Of a customer without an action it knows nothing: the list is empty.
    """

    def __init__(
        self,
        make: Callable[[], Library],
        weights: WeightSettings,
        matrix_of: Callable[[Cells], Any] = sparse,
    ) -> None:
        self._make, self._matrix_of = make, matrix_of
        self._acts = Interactions(weights)
        self._model: Library | None = None
        self._matrix: Any = None
        self.fit_s: list[float] = []

    def learn_one(self, x: Event) -> None:
        self._acts.add(x)
        self._model = None

    def rank(self, query: Query) -> Ranking:
        customer, items = self._acts.customers.get(query.key), self._acts.items
        if customer is None:
            return []
        model = self._fitted()
        wanted = min(query.k + len(items.of(query.exclude)), len(items))
        numbers, scores = model.recommend(
            customer, self._matrix[customer], N=wanted, filter_already_liked_items=False
        )
        named = [(items.texts[number], float(score)) for number, score in zip(numbers, scores, strict=True)]
        found = [(item, score) for item, score in named if item not in query.exclude]
        found.sort(key=lambda each: (-each[1], each[0]))
        return found[: query.k]

    def _fitted(self) -> Library:
        if self._model is None:
            self._matrix, model = self._matrix_of(self._acts.cells()), self._make()
            begun = perf_counter()
            model.fit(self._matrix, show_progress=False)
            self.fit_s.append(perf_counter() - begun)
            self._model = model
        return self._model
