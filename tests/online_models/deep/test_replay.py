"""The newest examples are kept, in so much memory and no more; a batch has the very newest and others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_models.deep.replay import Replay


def filled(most: int, added: int) -> Replay:
    replay = Replay(most, {"number": np.zeros((), np.int64), "pair": np.zeros(2, np.float32)})
    for number in range(added):
        replay.add({"number": number, "pair": [number, -number]})
    return replay


@given(st.integers(1, 8), st.integers(1, 30), st.integers(1, 12), st.integers(0, 5))
def test_a_batch_has_the_newest_and_others_that_are_kept(
    most: int, added: int, count: int, newest: int
) -> None:
    batch = filled(most, added).draw(np.random.default_rng(1), count, newest=newest)
    numbers = batch["number"].tolist()
    sure = min(newest, count, most, added)
    assert len(numbers) == count
    assert numbers[:sure] == [added - 1 - n for n in range(sure)]
    assert set(numbers) <= set(range(max(0, added - most), added))
    assert batch["pair"].tolist() == [[number, -number] for number in numbers]


def test_all_that_are_kept_have_their_turn() -> None:
    batch = filled(5, 50).draw(np.random.default_rng(1), 200, newest=1)
    assert set(batch["number"].tolist()) == {45, 46, 47, 48, 49}


def test_a_batch_is_a_copy() -> None:
    replay = filled(3, 3)
    replay.draw(np.random.default_rng(1), 3, newest=3)["pair"][:] = 9
    assert replay.draw(np.random.default_rng(1), 3, newest=3)["pair"].max() == 2


def test_there_is_room_for_one() -> None:
    with pytest.raises(ValueError, match="most is 0"):
        filled(0, 0)
