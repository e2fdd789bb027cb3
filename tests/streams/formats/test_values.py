"""Numbers and times as tables write them."""

from collections.abc import Callable

import pytest

from streams.formats.values import date_and_time, milliseconds, number, seconds, whole_number


@pytest.mark.parametrize(
    ("text", "value"),
    [("6", 6), ("6.0", 6), ("0.5", 0.5), ("-1", -1), ("9000000000", 9e9), ("1" + "0" * 300, 1e300)],
)
def test_a_whole_number_is_an_integer_where_it_can_be(text: str, value: float) -> None:
    assert whole_number(text, "Quantity") == value
    assert isinstance(whole_number(text, "Quantity"), type(value))


@pytest.mark.parametrize(
    ("text", "at"),
    [("0", 0), ("1411464902", 1_411_464_902_000), ("1.5", 1_500), ("1.4e9", 1_400_000_000_000)],
)
def test_seconds_become_milliseconds(text: str, at: int) -> None:
    assert seconds(text, "Time") == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2019-10-01 00:00:00 UTC", 1_569_888_000_000),
        ("2019-10-01 00:00:00", 1_569_888_000_000),
        ("2019-10-01 00:00:00.250", 1_569_888_000_250),
        ("10/1/2019 0:00", 1_569_888_000_000),
    ],
)
def test_dates_and_times_are_utc(text: str, at: int) -> None:
    assert date_and_time(text, "event_time") == at


@pytest.mark.parametrize("convert", [number, whole_number, milliseconds, seconds, date_and_time])
@pytest.mark.parametrize(
    "text", ["", "x", "nan", "inf", "-Infinity", "13/1/2019 0:00", "9" * 400, "9" * 5_000]
)
def test_what_is_none_is_refused_with_the_name_of_the_field(
    convert: Callable[[str, str], float], text: str
) -> None:
    with pytest.raises(ValueError, match="the field is"):
        convert(text, "the field")
