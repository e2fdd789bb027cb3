"""Lists without drawn places, judged from drawn ones: as the reference from the whole log, and as it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.experiments.off_policy import Log, off_policy
from online_models.experiments.unexplored import (
    MOST_EXPLORED,
    WeightedSums,
    unexplored,
    weight_unexplored,
)
from online_models.slates import Candidate, slate
from schemas.settings import RecommendSettings

RANKED = [Candidate(f"i{n}", 1.0 / (n + 1)) for n in range(8)]
WORTH = {each.item: 0.3 / (n + 1) for n, each in enumerate(RANKED)}
"""Chance that a customer acts on an item of the list."""

PLACES = 3


def sums_of(pairs: list[tuple[float, bool]]) -> WeightedSums:
    sums = WeightedSums()
    for weight, reward in pairs:
        sums.add(weight, float(reward))
    return sums


def hit_rate(items: list[str]) -> float:
    """With what chance one acts on any item; that they act on each other is what makes it a list."""
    best = max(WORTH[item] for item in items)
    return best + 0.1 * sum(WORTH[item] for item in items)


def simulated(lists: int, seed: int, explore: float) -> WeightedSums:
    rng, sums = np.random.default_rng(seed), WeightedSums()
    settings = RecommendSettings(explore=explore)
    for n in range(lists):
        places = slate(RANKED, PLACES, settings, f"{seed}:{n}")
        weight = weight_unexplored(place.propensity for place in places)
        assert weight is not None
        sums.add(weight, float(rng.random() < hit_rate([place.candidate.item for place in places])))
    return sums


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 1.25, 2.0, 7.5]), st.booleans()), min_size=2, max_size=40),
)
def test_sums_say_what_the_whole_log_does(pairs: list[tuple[float, bool]]) -> None:
    found = unexplored(sums_of(pairs))
    weights, rewards = np.array([w for w, _ in pairs]), np.array([r for _, r in pairs], np.float64)
    if not weights.sum():
        assert found is None
        return
    # Two choices: what is never chosen by the judged policy has the weight 0.
    chosen = (weights == 0).astype(np.intp)
    log = Log(np.zeros(len(pairs), np.intp), chosen, 1 / np.where(weights > 0, weights, 1.0), rewards)
    whole = off_policy(log, np.array([[1.0, 0.0]]))
    assert found is not None
    assert found.effective == pytest.approx(whole.effective)
    for sums, reference in ((found.ips, whole.ips), (found.snips, whole.snips)):
        assert sums.value == pytest.approx(reference.value, abs=1e-12)
        assert sums.error == pytest.approx(reference.error, abs=1e-7)
    terms = rewards.mean() + weights * (rewards - rewards.mean())
    assert found.dr.value == pytest.approx(terms.mean(), abs=1e-12)
    assert found.dr.error == pytest.approx(terms.std(ddof=1) / np.sqrt(len(terms)), abs=1e-7)


@pytest.mark.parametrize("explore", [0.1, 0.3, MOST_EXPLORED])
def test_intervals_hold_what_lists_without_drawn_places_earn(explore: float) -> None:
    truth, runs = hit_rate([each.item for each in RANKED[:PLACES]]), 100
    covered = dict.fromkeys(("ips", "snips", "dr"), 0)
    for seed in range(runs):
        sums = simulated(400, seed, explore)
        found = unexplored(sums)
        assert found is not None
        for name in covered:
            value = getattr(found, name)
            covered[name] += value.low <= truth <= value.high
    assert all(89 <= times <= runs for times in covered.values()), covered


def test_what_explored_lists_earn_themselves_is_another_question() -> None:
    truth = hit_rate([each.item for each in RANKED[:PLACES]])
    sums = simulated(20_000, 1, MOST_EXPLORED)
    found = unexplored(sums)
    assert found is not None
    assert found.snips.low < truth < found.snips.high
    earned = sums.rewards / sums.lists
    assert earned + 1.96 * (earned * (1 - earned) / sums.lists) ** 0.5 < truth


@pytest.mark.parametrize("explore", [0.01, 0.2, MOST_EXPLORED])
@pytest.mark.parametrize("candidates", [2, 3, 8])
def test_a_propensity_tells_whether_the_best_one_took_the_place(explore: float, candidates: int) -> None:
    best_first, seen = RANKED[:candidates], set[bool]()
    for seed in range(300):
        (place,) = slate(best_first, 1, RecommendSettings(explore=explore), str(seed))
        weight = weight_unexplored([place.propensity])
        assert (weight == 0) == (place.candidate != best_first[0])
        seen.add(weight == 0)
    assert seen == ({True, False} if explore > 0.1 else seen)


def test_what_has_no_propensity_or_no_place_says_nothing() -> None:
    assert weight_unexplored([]) is None
    assert weight_unexplored([0.9, None]) is None
    assert unexplored(WeightedSums()) is None
    assert unexplored(sums_of([(1.25, True)])) is None
    assert unexplored(sums_of([(0.0, True), (0.0, False)])) is None
