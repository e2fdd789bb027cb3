"""The adaptive window: it notices what river's notices, keeps to its bound, and counts in integers."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.drift import ADWIN

from online_models.adwin import BUCKETS, LEVELS, ONE, Adwin, Change
from schemas.trees import AdwinState


def shifted(seed: int, *, before: float = 0.2, after: float = 0.4) -> list[float]:
    """Ones and zeros whose share changes after 2,000."""
    drawn = np.random.default_rng(seed).random(4_000)
    return [float(x) for x in drawn < np.repeat([before, after], 2_000)]


def changes(numbers: list[float]) -> list[tuple[int, Change]]:
    adwin = Adwin(AdwinState())
    return [(at, change) for at, x in enumerate(numbers) if (change := adwin.learn_one(x))]


@pytest.mark.parametrize("seed", range(5))
def test_the_first_change_is_noticed_when_river_notices_it(seed: int) -> None:
    make: Any = ADWIN
    numbers, oracle, expected = shifted(seed), make(), -1
    for at, x in enumerate(numbers):
        oracle.update(x)
        if oracle.drift_detected:
            expected = at
            break
    at, change = changes(numbers)[0]
    assert at == expected > 2_000
    assert change.before == pytest.approx(0.2, abs=0.05)
    assert change.after > change.before


def test_numbers_that_stay_the_same_change_nothing() -> None:
    assert changes(shifted(1, after=0.2)) == []
    assert changes([0.5] * 3_000) == []


def test_after_a_change_the_window_holds_what_is_new() -> None:
    adwin = Adwin(AdwinState())
    for x in shifted(3, before=0.1, after=0.8):
        adwin.learn_one(x)
    assert 1_900 < adwin.width < 2_100
    assert adwin.mean == pytest.approx(0.8, abs=0.03)


@given(st.lists(st.floats(-1, 2), max_size=200))
@settings(max_examples=30)
def test_width_and_mean_are_those_of_the_numbers_that_are_held(numbers: list[float]) -> None:
    adwin = Adwin(AdwinState(), delta=1e-9)
    for x in numbers:
        if adwin.learn_one(x):
            return
    held = [round(min(max(x, 0.0), 1.0) * ONE) for x in numbers]
    assert adwin.width == len(held)
    assert adwin.mean == (sum(held) / len(held) / ONE if held else 0.0)


def test_it_goes_on_from_stored_rows_as_if_never_stopped() -> None:
    one, two = AdwinState(), AdwinState()
    for x in shifted(2):
        Adwin(one).learn_one(x)
        two = msgspec.msgpack.decode(msgspec.msgpack.encode(two), type=AdwinState)
        Adwin(two).learn_one(x)
    assert one == two


def test_buckets_grow_with_the_logarithm_of_what_was_seen() -> None:
    state, sizes = AdwinState(), []
    adwin = Adwin(state)
    for n in range(1, 20_001):
        adwin.learn_one(0.5)
        if n in (2_000, 20_000):
            sizes.append(sum(map(len, state.sums)))
    assert max(map(len, state.sums)) <= BUCKETS
    assert len(state.sums) < LEVELS
    assert sizes[1] - sizes[0] <= 4 * BUCKETS
