"""The time of an event: from RFC 3339 or epoch milliseconds to epoch milliseconds UTC.

No clock is read here, and whether a time is too far in the future is for ingest to say.
"""

import re
from datetime import date
from typing import Final

MIN_EPOCH_MS: Final = -62_135_596_800_000
"""0001-01-01T00:00:00Z, the first moment that a `datetime` can show."""

MAX_EPOCH_MS: Final = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z, the last one."""

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_RFC_3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)


def parse_at(value: int | str) -> int | None:
    """Return the epoch milliseconds that an event's `at` stands for.

    Parameters
    ----------
    value
        Epoch milliseconds, or an RFC 3339 date and time with `Z` or an offset. Fractions of a second are
        cut to milliseconds; a leap second counts as the first second of the next minute.

    Returns
    -------
    int | None
        Epoch milliseconds UTC; None for anything else: other text, a time without an offset, a date that
        does not exist, or a moment outside the years 1 to 9999.

    Examples
    --------
    >>> parse_at(1_700_000_000_000)
    1700000000000
    >>> parse_at("2023-11-14T23:13:20.25+01:00")
    1700000000250
    >>> parse_at("2023-11-14T22:13:20") is None
    True

    References
    ----------
    RFC 3339, Date and Time on the Internet: Timestamps, section 5.6.
    """
    at = _from_text(value) if isinstance(value, str) else value
    return at if at is not None and MIN_EPOCH_MS <= at <= MAX_EPOCH_MS else None


def _from_text(text: str) -> int | None:
    match = _RFC_3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = match.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    if hour > "23" or minute > "59" or second > "60":
        return None
    seconds = days * 86_400 + int(hour) * 3_600 + int(minute) * 60 + int(second)
    if sign is not None:
        if offset_hour > "23" or offset_minute > "59":
            return None
        offset = int(offset_hour) * 3_600 + int(offset_minute) * 60
        seconds += offset if sign == "-" else -offset
    return seconds * 1_000 + (int(fraction[:3].ljust(3, "0")) if fraction else 0)
