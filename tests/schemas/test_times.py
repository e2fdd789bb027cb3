"""`parse_at` knows RFC 3339 and epoch milliseconds, and nothing else."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import MAX_EPOCH_MS, MIN_EPOCH_MS, parse_at

OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("at", [0, -1, 1_700_000_000_000, MIN_EPOCH_MS, MAX_EPOCH_MS])
def test_epoch_milliseconds_stand_for_themselves(at: int) -> None:
    assert parse_at(at) == at


@pytest.mark.parametrize("at", [MIN_EPOCH_MS - 1, MAX_EPOCH_MS + 1, 10**30])
def test_a_number_that_no_calendar_can_show_is_refused(at: int) -> None:
    assert parse_at(at) is None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01 00:00:00Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:30:00-00:30", 0),
        ("1970-01-01T00:00:00-00:00", 0),
        ("1970-01-01T00:00:00.5Z", 500),
        ("1970-01-01T00:00:00.123456789Z", 123),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2000-02-29T00:00:00Z", 951_782_400_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("0001-01-01T00:00:00Z", MIN_EPOCH_MS),
        ("9999-12-31T23:59:59.999Z", MAX_EPOCH_MS),
    ],
)
def test_rfc_3339_is_read(text: str, at: int) -> None:
    assert parse_at(text) == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1700000000000",
        "2020-01-01",
        "2020-01-01T00:00:00",
        "2020-01-01T00:00Z",
        "20200101T000000Z",
        "2020-W01-1T00:00:00Z",
        "2020-01-01T00:00:00,5Z",
        "2020-01-01T00:00:00.Z",
        "2020-01-01T00:00:00+0100",
        "2020-01-01T00:00:00+24:00",
        "2020-01-01T00:00:00+01:60",
        "2020-01-01T24:00:00Z",
        "2020-01-01T00:60:00Z",
        "2020-01-01T00:00:61Z",
        "2020-02-30T00:00:00Z",
        "2021-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        " 2020-01-01T00:00:00Z",
        "2020-01-01T00:00:00Z\n",
        "\uff12020-01-01T00:00:00Z",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    assert parse_at(text) is None


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31), timezones=OFFSETS))
def test_whatever_datetime_writes_is_read_to_the_millisecond(moment: datetime) -> None:
    assert parse_at(moment.isoformat()) == (moment - EPOCH) // timedelta(milliseconds=1)


@given(st.text())
def test_any_text_is_either_a_time_or_none(text: str) -> None:
    assert parse_at(text) is None or text[0].isdigit()
