"""Which events count, as a text says it."""

import pytest

from online_models.evaluation.relevance import ACTIONS, Relevance
from tests.online_models.evaluation.events import act


@pytest.mark.parametrize("kind", ACTIONS)
def test_every_action_is_relevant_by_default(kind: str) -> None:
    assert Relevance()(act("u:1", "tea", kind=kind))


def test_what_is_no_action_never_is() -> None:
    assert not Relevance()(act("u:1", "tea", kind="impression"))


@pytest.mark.parametrize(
    ("text", "relevant"),
    [
        ("rating>=4", [4.0, 4.5]),
        ("rating > 4", [4.5]),
        ("rating<=3.5", [2.0, 3.5]),
        ("rating<3.5,view", [2.0]),
        ("rating", [2.0, 3.5, 4.0, 4.5]),
        ("purchase", []),
    ],
)
def test_ratings_are_told_apart_by_their_value(text: str, relevant: list[float]) -> None:
    given = [2.0, 3.5, 4.0, 4.5]
    assert [v for v in given if Relevance(text)(act("u:1", "tea", kind="rating", value=v))] == relevant


def test_kinds_that_are_not_named_are_not_relevant() -> None:
    assert not Relevance("rating>=4,purchase")(act("u:1", "tea"))


@pytest.mark.parametrize("text", ["click", "rating=4", "rating>=x", "value>3"])
def test_what_is_not_understood_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="expected one of view, cart, purchase, rating"):
        Relevance(text)
