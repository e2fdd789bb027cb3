"""What the Q-network is given: slates, what each place earned, how much it counts, and what came next."""

import numpy as np
import pytest
from msgspec.structs import replace

from online_models.deep.open_slates import Shown
from online_models.deep.settings import SlateLearning, SlateShape
from online_models.deep.slate_values import SlateValues
from tests.online_models.deep.plain_networks import Evidence

SHAPE = SlateShape(length=3, width=4, places=3)


def learning(**changes: float) -> SlateLearning:
    small = SlateLearning(items=40, examples=10, open_slates=8, gap_ms=100, every=1, batch=1, follow=3)
    return replace(small, **changes)


def test_a_slate_is_learned_with_what_it_earned_and_what_was_shown_next() -> None:
    network = Evidence()
    values = SlateValues(network, SHAPE, learning(most_weight=5.0))
    values.show("u:a", None, [Shown("tea", 0.5), Shown("cup", 0.25, 0.5), Shown("pot", 0.0, 0.01)], 0)
    values.act("u:a", None, "cup", 4.0, 1)
    assert network.batches == []
    values.show("u:a", None, [Shown("jam", 0.7)], 2)
    slates, following, earned, weights = network.batches[-1]
    assert (slates.evidence.tolist(), slates.there.tolist()) == ([[0.5, 0.25, 0.0]], [[True] * 3])
    assert (earned.tolist(), weights.tolist()) == ([[0.0, 4.0, 0.0]], [[1.0, 2.0, 5.0]])
    assert not slates.windows.any()
    assert following.there.tolist() == [[True, False, False]]
    assert following.evidence[0, 0] == pytest.approx(0.7)
    assert (following.windows[0, -1] != 0).any()
    values.act("u:b", None, "tea", 1.0, 500)
    slates, following, *_ = network.batches[-1]
    assert slates.there.tolist() == [[True, False, False]]
    assert not following.there.any()


def test_values_are_those_of_the_places_shown() -> None:
    values = SlateValues(Evidence(), SHAPE, learning())
    assert values.values([], [Shown("tea", 0.5), Shown("cup", 0.25)]) == [0.5, 0.25]


def test_what_is_learned_towards_follows_after_so_many_steps() -> None:
    network = Evidence()
    values = SlateValues(network, SHAPE, learning())
    followed = []
    for n in range(7):
        values.show("u:a", None, [Shown("tea")], n)
        followed.append(network.followed)
    assert followed == [0, 0, 0, 1, 1, 1, 2]
    # Steps moved the item that is shown; what follows is seen as it was when the copy was made.
    (slates, following, *_), same = network.batches[-1], network.batches[-2][1]
    assert following.items.tolist() == same.items.tolist()
    assert (slates.items != following.items).any()


def test_memory_is_bounded_on_a_stream_ten_times_longer() -> None:
    values = SlateValues(Evidence(), SHAPE, learning())
    for n in range(400):
        values.show(f"u:{n}", None, [Shown(f"i{n}"), Shown(f"j{n}")], n)
        values.act(f"u:{n}", None, f"i{n}", 1.0, n)
        items, examples, opened = values.held()
        assert items <= 40
        assert examples <= 10
        assert opened <= 8
    assert values.held() == (40, 10, 8)


def test_what_is_shown_of_items_that_are_gone_is_not_there() -> None:
    network = Evidence()
    values = SlateValues(network, SlateShape(length=3, width=4, places=2), learning(items=10, batch=20))
    for n in range(60):
        values.show("u:a", None, [Shown(f"i{n}")], n)
    slates, *_ = network.batches[-1]
    assert 0 < np.count_nonzero(slates.there) < len(slates.there)
    assert not slates.items[~slates.there].any()


def test_items_are_as_many_as_two_slates_can_name() -> None:
    with pytest.raises(ValueError, match="items is 11; expected at least 12"):
        SlateValues(Evidence(), SHAPE, learning(items=11))
