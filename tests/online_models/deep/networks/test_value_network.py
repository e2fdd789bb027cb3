"""Targets and gradients are as written down by hand; in a shop where patience pays, it finds what pays."""

from collections.abc import Sequence

import numpy as np
import pytest
from msgspec.structs import replace

from online_models.deep.contenders import slate_values
from online_models.deep.in_worlds import SESSION_MS, policy_of, teach_slates, worth_of_chance
from online_models.deep.open_slates import Shown
from online_models.deep.row_vectors import Floats
from online_models.deep.settings import SlateLearning, SlateShape
from online_models.deep.slate_values import Slates, SlateValues
from online_models.deep.value_network import DoubleQNetwork
from online_models.worlds.foresight import Foresight

pytestmark = pytest.mark.slow

SMALL = SlateShape(length=2, width=3, units=4, places=3)
REWARDS = np.array([[1.0, 0.0, 4.0], [0.0, 0.0, 0.0]], np.float32)
WEIGHTS = np.array([[1.0, 3.0, 2.0], [5.0, 1.0, 9.0]], np.float32)


def slates(seed: int, there: Sequence[Sequence[int]] = ((1, 1, 1), (1, 1, 0))) -> Slates:
    rng = np.random.default_rng(seed)
    windows, items = (rng.normal(0, 1, shape).astype(np.float32) for shape in ((2, 2, 3), (2, 3, 3)))
    return Slates(windows, items, rng.random((2, 3), np.float32), np.array(there, bool))


def a_network(discount: float = 0.5) -> DoubleQNetwork:
    """One that has left its beginning, where values do not depend on items; its copy is as it was."""
    network = DoubleQNetwork(SMALL, rate=0.05, discount=discount, seed=1)
    for n in range(20):
        network.learn(slates(n), slates(n + 50), REWARDS, WEIGHTS)
    return network


def test_an_item_is_worth_its_chance_before_anything_is_learned() -> None:
    shown = slates(1)
    values = DoubleQNetwork(SMALL, rate=0.05, discount=0.5, seed=1).values(shown)
    assert values == pytest.approx(shown.evidence, rel=1e-5)


def test_the_loss_is_towards_rewards_and_the_place_the_network_prefers_as_the_copy_values_it() -> None:
    network, copy = a_network(), DoubleQNetwork(SMALL, rate=0.05, discount=0.5, seed=1)
    shown, following = slates(7), slates(8, there=((1, 1, 0), (0, 0, 0)))
    values, preferred = network.values(shown), int(network.values(following)[0, :2].argmax())
    targets = REWARDS.copy()
    targets[0] += 0.5 * copy.values(following)[0, preferred]
    counts = WEIGHTS * shown.there
    expected = float((counts * (values - targets) ** 2 / 2).sum() / counts.sum())
    assert network.learn(shown, following, REWARDS, WEIGHTS).loss == pytest.approx(expected, rel=1e-4)


def test_the_copy_follows_when_it_is_told_to() -> None:
    for follow in (False, True):
        network = a_network()
        if follow:
            network.follow()
        one, following = network.values(slates(8)), slates(8)
        copy = one if follow else following.evidence
        best = np.where(following.there, one, -np.inf).argmax(axis=1)
        targets = REWARDS + 0.5 * copy[[0, 1], best][:, None]
        shown = slates(7)
        counts = WEIGHTS * shown.there
        expected = float((counts * (network.values(shown) - targets) ** 2 / 2).sum() / counts.sum())
        assert network.learn(shown, following, REWARDS, WEIGHTS).loss == pytest.approx(expected, rel=1e-4)


def test_gradients_are_those_of_finite_differences() -> None:
    shown, following = slates(7), slates(8)
    found = a_network().learn(shown, following, REWARDS, WEIGHTS)
    parts: dict[str, Floats] = {"windows": found.windows, "items": found.items}
    for name, slope in parts.items():
        for place in (0, slope.size // 2):
            ends = []
            for change in (0.01, -0.01):
                moved = getattr(shown, name).copy()
                moved.flat[place] += change
                ends.append(
                    a_network().learn(shown._replace(**{name: moved}), following, REWARDS, WEIGHTS).loss
                )
            assert (ends[0] - ends[1]) / 0.02 == pytest.approx(float(slope.flat[place]), abs=5e-3)
    # Nobody is at the last place of the second slate.
    assert not found.items[1, 2].any()


SHOP = Foresight()


def taught(sessions: int, **changes: float) -> SlateValues:
    learning = replace(SlateLearning(gap_ms=SESSION_MS // 2, follow=100), **changes)
    values = slate_values(SlateShape(places=len(SHOP.items)), learning)
    teach_slates(values, SHOP, sessions)
    return values


def test_where_patience_pays_it_beats_chance_what_it_was_and_what_earns_most_at_once() -> None:
    untrained = SHOP.worth(policy_of(taught(0)))
    learned = SHOP.worth(policy_of(taught(1_000)))
    assert learned > 0.8 * SHOP.best()
    assert learned > 1.5 * max(untrained, SHOP.myopic(), worth_of_chance(SHOP))


def test_without_looking_ahead_it_finds_what_earns_most_at_once_and_no_more() -> None:
    values = taught(1_000, discount=0.0)
    first = policy_of(values)((), SHOP.items)[0]
    assert first.startswith("bait")
    assert policy_of(values)(("guide0",), SHOP.items)[0].startswith("goal")


def test_learning_is_the_same_each_time() -> None:
    shown = [Shown(item) for item in SHOP.items]
    one, other = (taught(40).values(("guide0",), shown) for _ in range(2))
    assert one == pytest.approx(other, rel=1e-3, abs=1e-4)
