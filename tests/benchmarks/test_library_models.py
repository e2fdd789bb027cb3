"""A batch library as a contender: its matrix, when it is fitted, and what becomes of its answer."""

from typing import Any

import numpy as np
import pytest

from benchmarks.library_models import Cells, Interactions, LibraryModel, sparse
from online_models.evaluation.contract import Query
from schemas.settings import WeightSettings
from tests.online_models.evaluation.events import act

WEIGHTS = WeightSettings(view=1.0, cart=2.0, purchase=4.0, rating=2.0)


def dense(cells: Cells) -> np.ndarray[Any, Any]:
    matrix = np.zeros(cells.shape)
    matrix[cells.customers, cells.items] = cells.weights
    return matrix


class Fake:
    """Scores an item by its column's sum."""

    fitted = 0

    def fit(self, user_items: Any, *, show_progress: bool) -> None:
        assert not show_progress
        Fake.fitted += 1
        self.sums = user_items.sum(axis=0)

    def recommend(self, userid: int, user_items: Any, *, N: int, **options: bool) -> tuple[Any, Any]:  # noqa: N803
        assert options == {"filter_already_liked_items": False}
        assert user_items.shape == self.sums.shape
        assert userid >= 0
        best = np.argsort(-self.sums, kind="stable")[:N]
        return best, self.sums[best]


@pytest.fixture
def model() -> LibraryModel:
    Fake.fitted = 0
    return LibraryModel(Fake, WEIGHTS, dense)


def asked(key: str, k: int, *exclude: str) -> Query:
    return Query(key=key, now=0, k=k, exclude=frozenset(exclude))


def test_a_cell_adds_up_what_the_actions_weigh() -> None:
    acts = Interactions(WEIGHTS)
    for event in (
        act("u:a", "tea"),
        act("u:a", "tea", kind="cart"),
        act("u:b", "tea", kind="rating", value=4.0),
        act("u:b", "cup", kind="purchase", more=("pot",)),
        act("u:a", "jam", kind="impression"),
    ):
        acts.add(event)
    assert (acts.customers.texts, acts.items.texts) == (["u:a", "u:b"], ["tea", "cup", "pot"])
    assert dense(acts.cells()).round(4).tolist() == [[3.0, 0.0, 0.0], [2.6, 4.0, 4.0]]


@pytest.mark.parametrize(("value", "weight"), [(2.0, []), (2.5, [2.0]), (5.0, [3.0])])
def test_a_rating_below_half_of_its_scale_is_not_there(value: float, weight: list[float]) -> None:
    acts = Interactions(WEIGHTS)
    acts.add(act("u:a", "tea", kind="rating", value=value))
    assert acts.cells().weights.tolist() == weight
    assert acts.cells().shape == (len(weight), len(weight))


def test_the_matrix_of_scipy_holds_the_cells() -> None:
    cells = Cells(np.array([1, 0, 1], "i"), np.array([2, 0, 1], "i"), np.array([1, 2, 3], "f"), (2, 3))
    matrix = sparse(cells)
    assert matrix.format == "csr"
    assert matrix.toarray().tolist() == dense(cells).tolist() == [[2.0, 0.0, 0.0], [0.0, 3.0, 1.0]]
    assert matrix.indices.tolist() == [0, 1, 2]


def test_a_list_has_its_places_filled_beside_what_is_excluded(model: LibraryModel) -> None:
    for item, times in (("tea", 5), ("cup", 4), ("pot", 3), ("jam", 2)):
        for _ in range(times):
            model.learn_one(act("u:a", item))
    assert model.rank(asked("u:a", 2)) == [("tea", 5.0), ("cup", 4.0)]
    assert model.rank(asked("u:a", 2, "tea", "never seen")) == [("cup", 4.0), ("pot", 3.0)]
    assert model.rank(asked("u:a", 9, "tea", "cup", "pot")) == [("jam", 2.0)]


def test_ties_are_broken_by_item_id(model: LibraryModel) -> None:
    for item in ("tea", "cup", "jam"):
        model.learn_one(act("u:a", item))
    assert [item for item, _ in model.rank(asked("u:a", 3))] == ["cup", "jam", "tea"]


def test_it_is_fitted_when_asked_and_again_only_after_something_was_learned(model: LibraryModel) -> None:
    model.learn_one(act("u:a", "tea"))
    assert Fake.fitted == 0
    model.rank(asked("u:a", 1))
    model.rank(asked("u:a", 1))
    assert (Fake.fitted, len(model.fit_s)) == (1, 1)
    model.learn_one(act("u:b", "cup", kind="purchase"))
    assert model.rank(asked("u:a", 1)) == [("cup", 4.0)]
    assert Fake.fitted == 2


def test_whoever_did_nothing_gets_nothing(model: LibraryModel) -> None:
    assert model.rank(asked("u:a", 1)) == []
    model.learn_one(act("u:b", "tea"))
    assert model.rank(asked("u:a", 1)) == []
    assert Fake.fitted == 0
