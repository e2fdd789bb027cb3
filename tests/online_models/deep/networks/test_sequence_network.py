"""Gradients are those of finite differences; the network tells order, and beats what it was and chance."""

import numpy as np
import pytest
from msgspec.structs import replace

from online_models.deep.contenders import sequence_model
from online_models.deep.in_worlds import hits_at_first, teach_sessions
from online_models.deep.next_items import NextItems
from online_models.deep.row_vectors import Floats
from online_models.deep.sequence_network import SequenceNetwork
from online_models.deep.settings import SequenceLearning, SequenceShape
from online_models.evaluation.baselines.markov import Markov
from online_models.evaluation.contract import Contender, Query
from online_models.worlds.successions import Successions

pytestmark = pytest.mark.slow

SMALL = SequenceShape(length=3, width=4, horizontal=2, vertical=2)


def a_batch(seed: int = 1) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    shapes = ((5, 3, 4), (8, 4), (8,))
    windows, candidates, biases = (rng.normal(0, 1, shape).astype(np.float32) for shape in shapes)
    return windows, candidates, biases


POSSIBLE = np.concatenate([np.eye(5, dtype=bool), np.ones((5, 3), bool)], axis=1)


def loss_of(windows: Floats, candidates: Floats, biases: Floats) -> float:
    return SequenceNetwork(SMALL, rate=0.01, seed=1).learn(windows, candidates, biases, POSSIBLE).loss


def sampled_softmax(network: SequenceNetwork, windows: Floats, candidates: Floats, biases: Floats) -> float:
    """The loss in plain numpy, from the states that the network gives."""
    losses = []
    for n, window in enumerate(windows):
        logits = candidates @ network.state(window) + biases
        losses.append(np.log(np.exp(logits[POSSIBLE[n]]).sum()) - logits[n])
    return float(np.mean(losses))


def test_the_loss_is_that_of_a_softmax_over_what_is_possible() -> None:
    batch = a_batch()
    assert loss_of(*batch) == pytest.approx(
        sampled_softmax(SequenceNetwork(SMALL, rate=0.01, seed=1), *batch), rel=1e-4
    )


def test_gradients_are_those_of_finite_differences() -> None:
    batch = a_batch()
    found = SequenceNetwork(SMALL, rate=0.01, seed=1).learn(*batch, POSSIBLE)
    for part, slope in enumerate((found.windows, found.candidates, found.biases)):
        assert slope.shape == batch[part].shape
        for place in (0, slope.size // 2, slope.size - 1):
            ends = []
            for change in (0.02, -0.02):
                moved = [each.copy() for each in batch]
                moved[part].flat[place] += change
                ends.append(loss_of(moved[0], moved[1], moved[2]))
            assert (ends[0] - ends[1]) / 0.04 == pytest.approx(float(slope.flat[place]), abs=3e-3)


def test_the_same_batches_give_the_same_network_and_others_another_one() -> None:
    made = [SequenceNetwork(SMALL, rate=0.01, seed=1) for _ in range(3)]
    for network, seed in zip(made, (1, 1, 2), strict=True):
        for n in range(3):
            network.learn(*a_batch(10 * seed + n), POSSIBLE)
    one, same, other = (np.concatenate([each.ravel() for each in network.weights()]) for network in made)
    assert one == pytest.approx(same, rel=1e-5)
    assert np.abs(one - other).max() > 1e-3


def test_the_order_of_a_window_matters() -> None:
    network, window = SequenceNetwork(SMALL, rate=0.01, seed=1), a_batch()[0][0]
    assert np.abs(network.state(window) - network.state(window[::-1].copy())).max() > 0.05


NEVER = 1_000_000
SHOP = Successions(items=30, surprise=0.1)


def taught(model: Contender, sessions: int = 700) -> Contender:
    teach_sessions(model, SHOP, sessions)
    return model


def a_model(**changes: float) -> NextItems:
    learning = SequenceLearning(items=100, examples=5_000, every=2, negatives=64)
    return sequence_model(SequenceShape(width=32), replace(learning, **changes))


def test_it_finds_what_follows_from_two_items_and_beats_chance_what_it_was_and_one_item_alone() -> None:
    untrained = hits_at_first(taught(a_model(every=NEVER)), SHOP)
    one_item = hits_at_first(taught(Markov()), SHOP)
    learned = hits_at_first(taught(a_model()), SHOP)
    chance = 1 / len(SHOP.items)
    assert learned > 0.7
    assert untrained < 5 * chance
    assert one_item < 0.6 < learned


def test_learning_is_the_same_each_time() -> None:
    query = Query(key="s:new", now=0, k=5, session=["i1", "i2"])
    one, other = (dict(taught(a_model(), sessions=30).rank(query)) for _ in range(2))
    assert one == pytest.approx(other, rel=1e-4)
