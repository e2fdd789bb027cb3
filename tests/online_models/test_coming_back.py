"""BG/NBD: what it says of customers whose rates, and whether they are lost, are known."""

import numpy as np
import pytest

from online_models.coming_back import BEGIN, Visited, chance, expected, learn

TRUE = (0.8, 6.0, 0.8, 2.5)
DAYS, LATER = 120.0, 30.0


def customers(count: int, seed: int) -> list[tuple[Visited, bool, int]]:
    """Visits until day 120, whether the customer is not lost then, and visits in the 30 days after."""
    rng = np.random.default_rng(seed)
    found = []
    for rate, leaving in zip(
        rng.gamma(TRUE[0], 1 / TRUE[1], count), rng.beta(TRUE[2], TRUE[3], count), strict=True
    ):
        at, times, lost = 0.0, [0.0], False
        while not lost:
            at += rng.exponential(1 / rate)
            if at > DAYS + LATER:
                break
            times.append(at)
            lost = bool(rng.random() < leaving)
        before = [each for each in times if each <= DAYS]
        alive = not lost or len(before) < len(times)
        found.append((Visited(len(before) - 1, before[-1], DAYS), alive, len(times) - len(before)))
    return found


def learned(seen: list[tuple[Visited, bool, int]]) -> list[float]:
    logs, squares = list(BEGIN), [0.0] * 4
    for visited, _, _ in seen:
        learn(logs, squares, visited)
    return [float(np.exp(each)) for each in logs]


def test_the_published_example() -> None:
    back, visited = (0.243, 4.414, 0.793, 2.426), Visited(2, 30.43, 38.86)
    assert chance(back, visited) == pytest.approx(0.7266, abs=1e-4)
    assert expected(back, visited, 39.0) == pytest.approx(1.226, abs=1e-3)


def test_what_is_learned_one_customer_at_a_time_foretells_who_is_lost_and_how_often_others_come() -> None:
    back = learned(customers(3_000, 1))
    new = customers(2_000, 2)
    chances = np.array([chance(back, visited) for visited, _, _ in new])
    alive = np.array([each for _, each, _ in new])
    often = np.array([expected(back, visited, LATER) for visited, _, _ in new])
    came = np.array([each for _, _, each in new])
    assert abs(chances.mean() - alive.mean()) < 0.08
    assert often.sum() == pytest.approx(came.sum(), rel=0.15)
    # As good a guess as that of who knows the truth, but for little.
    truth = np.array([expected(TRUE, visited, LATER) for visited, _, _ in new])
    assert np.corrcoef(often, truth)[0, 1] > 0.97


def test_the_longer_somebody_who_came_often_stays_away_the_likelier_they_are_lost() -> None:
    chances = [chance(TRUE, Visited(10, 30.0, age)) for age in (30.0, 40.0, 60.0, 400.0)]
    assert chances == sorted(chances, reverse=True)
    assert (chances[0] > 0.8, chances[-1] < 0.01) == (True, True)
    assert expected(TRUE, Visited(10, 30.0, 400.0), 10.0) < 0.05


@pytest.mark.parametrize("visited", [Visited(0, 0.0, 0.0), Visited(900, 0.0, 0.0), Visited(1, 1e-9, 1e6)])
def test_extremes_stay_finite(visited: Visited) -> None:
    logs, squares = list(BEGIN), [0.0] * 4
    for _ in range(300):
        learn(logs, squares, visited)
    back = [float(np.exp(each)) for each in logs]
    assert np.isfinite([*back, chance(back, visited), expected(back, visited, 7.0)]).all()
