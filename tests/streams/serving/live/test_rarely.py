"""A costly view: made once for all who ask within a while, and anew after it."""

import pytest

from streams.serving.live.rarely import Rarely


def test_it_is_made_once_for_all_who_ask_and_anew_when_it_is_too_old() -> None:
    now, made = [100.0], list[float]()

    def make() -> int:
        made.append(now[0])
        return len(made)

    view = Rarely(make, 1.0, lambda: now[0])
    for at, expected in ((100.0, 1), (100.5, 1), (100.99, 1), (101.0, 2), (101.9, 2), (500.0, 3)):
        now[0] = at
        assert view.get() == expected
    assert made == [100.0, 101.0, 500.0]


def test_what_could_not_be_made_is_tried_again() -> None:
    parts = [0, 4]

    def make() -> float:
        return 2 / parts.pop(0)

    view = Rarely(make, 1.0, lambda: 0.0)
    with pytest.raises(ZeroDivisionError):
        view.get()
    assert view.get() == 0.5
