"""Forward decay: known weights, and that integers stay close to the exponential they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.decay import ONE, Decay

AT = st.integers(-(10**13), 10**13)
HALF_LIFE_S = st.integers(1, 10**8)


def test_a_weight_doubles_every_half_life() -> None:
    decay = Decay(half_life_s=10)
    assert [decay.weight(at) for at in (0, 5_000, 10_000, 25_000)] == [
        (0, ONE),
        (0, round(ONE * 2**0.5)),
        (1, ONE),
        (2, round(ONE * 2**0.5)),
    ]


def test_times_before_1970_have_landmarks_too() -> None:
    assert Decay(half_life_s=10).weight(-5_000) == (-1, round(ONE * 2**0.5))


@given(AT, HALF_LIFE_S)
def test_a_fresh_event_is_worth_one(at: int, half_life_s: int) -> None:
    decay = Decay(half_life_s)
    epoch, weight = decay.weight(at)
    assert decay.value(weight, epoch=epoch, at=at) == pytest.approx(1.0, rel=1e-3)


@given(AT, st.integers(0, 20), HALF_LIFE_S)
def test_an_event_halves_with_every_half_life_that_passes(at: int, lives: int, half_life_s: int) -> None:
    decay = Decay(half_life_s)
    epoch, weight = decay.weight(at)
    later = at + lives * decay.half_life_ms
    assert decay.value(weight, epoch=epoch, at=later) == pytest.approx(0.5**lives, rel=1e-3)


@given(st.integers(0, 2**62), st.integers(-40, 40), st.integers(0, 40))
def test_moving_loses_less_than_one_unit(count: int, epoch: int, shift: int) -> None:
    moved = Decay.move(count, from_epoch=epoch, to_epoch=epoch + shift)
    assert moved * 2**shift <= count < (moved + 1) * 2**shift
    assert Decay.move(moved, from_epoch=epoch + shift, to_epoch=epoch) <= count


@given(st.integers(0, 2**62), st.integers(0, 20), st.integers(0, 20))
def test_moving_twice_is_moving_once(count: int, first: int, second: int) -> None:
    step = Decay.move(count, from_epoch=0, to_epoch=first)
    both = Decay.move(step, from_epoch=first, to_epoch=first + second)
    assert both == Decay.move(count, from_epoch=0, to_epoch=first + second)


@given(AT, AT, st.integers(0, 10**6))
def test_without_decay_every_event_weighs_one(at: int, now: int, count: int) -> None:
    decay = Decay(half_life_s=0)
    assert decay.weight(at) == (0, 1)
    assert decay.value(count, epoch=0, at=now) == count


def test_a_negative_half_life_is_refused() -> None:
    with pytest.raises(ValueError, match="half_life_s is -1; expected 0"):
        Decay(half_life_s=-1)
