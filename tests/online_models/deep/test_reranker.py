"""A list is put into the order of its values; what comes after its first places, and who is in it, stays."""

from collections.abc import Sequence

import pytest

from online_models.deep.reranker import Reranker
from online_models.deep.row_vectors import Floats
from online_models.deep.settings import SlateLearning, SlateShape
from online_models.deep.slate_values import Slates, SlateValues
from online_models.evaluation.contract import Query
from schemas.messages import Event
from schemas.settings import WeightSettings
from tests.online_models.deep.plain_networks import Evidence
from tests.online_models.evaluation.events import act

SHAPE = SlateShape(length=3, width=4, places=3)
ITEMS = ("tea", "cup", "pot", "jam", "ink")


class Always:
    """The same list for everybody."""

    def __init__(self) -> None:
        self.learned: list[Event] = []

    def learn_one(self, x: Event) -> None:
        self.learned.append(x)

    def rank(self, query: Query) -> Sequence[tuple[str, float]]:
        items = [item for item in ITEMS if item not in query.exclude]
        return [(item, -float(n)) for n, item in enumerate(items[: query.k])]


class Contrary(Evidence):
    """What speaks for an item speaks against it."""

    def values(self, slates: Slates) -> Floats:
        return -slates.evidence


def a_reranker(network: Evidence, *, repeats: bool = True) -> Reranker:
    values = SlateValues(network, SHAPE, SlateLearning(items=40, every=1, batch=1))
    return Reranker(Always(), values, SHAPE, WeightSettings(), repeats=repeats)


def test_the_first_places_are_ordered_by_value_and_the_others_stay_behind() -> None:
    model = a_reranker(Contrary())
    for k, expected in ((5, ["pot", "cup", "tea", "jam", "ink"]), (2, ["pot", "cup"])):
        ranked = model.rank(Query(key="u:a", now=0, k=k))
        assert [item for item, _ in ranked] == expected
        assert [score for _, score in ranked] == sorted((score for _, score in ranked), reverse=True)


def test_what_is_excluded_is_not_in_the_list() -> None:
    ranked = a_reranker(Contrary()).rank(Query(key="u:a", now=0, k=2, exclude=frozenset({"pot"})))
    assert [item for item, _ in ranked] == ["jam", "cup"]


@pytest.mark.parametrize(
    ("event", "earned"),
    [
        (act("u:a", "cup"), 1.0),
        (act("u:a", "cup", kind="purchase"), 4.0),
        (act("u:a", "cup", kind="rating", value=5.0), 3.0),
        (act("u:a", "cup", kind="rating", value=2.0), 0.0),
    ],
)
def test_an_act_earns_its_weight_for_the_place_in_the_list_that_would_have_been_shown(
    event: Event, earned: float
) -> None:
    network = Evidence()
    model = a_reranker(network)
    model.learn_one(event)
    model.learn_one(act("u:a", "tea", 1))
    *_, rewards, weights = network.batches[-1]
    assert rewards.tolist() == [[0.0, earned, 0.0]]
    assert weights.tolist() == [[1.0, 1.0, 1.0]]


@pytest.mark.parametrize(("repeats", "there"), [(True, 0.0), (False, 1.0)])
def test_without_repeats_a_slate_holds_nothing_of_the_session(repeats: bool, there: float) -> None:
    network = Evidence()
    model = a_reranker(network, repeats=repeats)
    for at, item in enumerate(("tea", "jam", "ink")):
        model.learn_one(act("u:a", item, at))
    *_, rewards, _ = network.batches[-1]
    assert float(rewards.sum()) == there
