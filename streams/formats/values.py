"""Numbers and times as the fields of a table write them; a `ValueError` says which field is wrong.

Nothing is guessed: a number that is not finite, or a time that no calendar has, is an error.
"""

import math
import re
from functools import lru_cache
from typing import Final

from schemas.times import parse_at

_MONTH_FIRST: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}) ([0-9]{1,2}):([0-9]{2})")

_INTEGERS_BELOW: Final = 2**31
"""Sums of a million smaller ones still fit into the 64 bits that JSON encoding takes."""


def number(text: str, name: str) -> float:
    """Return a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} is {text[:80]!r}, expected a number")
    return value


def whole_number(text: str, name: str) -> int | float:
    """Return a finite number, as an integer where it is one of ordinary size."""
    value = number(text, name)
    return int(value) if value.is_integer() and abs(value) < _INTEGERS_BELOW else value


def milliseconds(text: str, name: str) -> int:
    """Return epoch milliseconds that stand as such."""
    try:
        at = parse_at(int(text))
    except ValueError:
        at = None
    if at is None:
        raise ValueError(f"{name} is {text[:80]!r}, expected epoch milliseconds")
    return at


def seconds(text: str, name: str) -> int:
    """Return the epoch milliseconds of epoch seconds, which may have a fraction."""
    try:
        at = parse_at(int(text) * 1_000)
    except ValueError:
        at = _from_fractional_seconds(text)
    if at is None:
        raise ValueError(f"{name} is {text[:80]!r}, expected epoch seconds")
    return at


def _from_fractional_seconds(text: str) -> int | None:
    try:
        return parse_at(round(float(text) * 1_000))
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=4_096)
def date_and_time(text: str, name: str) -> int:
    """Return the epoch milliseconds of a UTC date and time without an offset.

    Examples
    --------
    >>> date_and_time("2019-10-01 00:00:00 UTC", "event_time")
    1569888000000
    >>> date_and_time("10/1/2019 0:00", "InvoiceDate")
    1569888000000
    """
    match = _MONTH_FIRST.fullmatch(text)
    if match is not None:
        month, day, year, hour, minute = match.groups()
        at = parse_at(f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute}:00Z")
    else:
        at = parse_at(text.removesuffix(" UTC") + "Z")
    if at is None:
        raise ValueError(f"{name} is {text[:80]!r}, expected YYYY-MM-DD HH:MM:SS")
    return at
