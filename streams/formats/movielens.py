"""`movielens`: ratings of up to 5 stars, csv with a header or the tab-separated `u.data` without one."""

from collections.abc import Iterator
from typing import Final

from schemas.events import Rating
from streams.formats.entries import Entry, FileRecord, rating_record
from streams.formats.source import Source
from streams.formats.table import Values, converted_rows
from streams.formats.values import number, seconds

_SCALE_MAX: Final = 5.0


def read_movielens(source: Source) -> Iterator[Entry]:
    """Yield a rating for each row."""
    return converted_rows(source, "movielens", _rating)


def _rating(line: int, values: Values) -> list[FileRecord]:
    user, movie, stars, timestamp = values
    at = seconds(timestamp, "timestamp")
    rating = Rating(
        event_id=f"ml-{line}",
        user_id=user,
        item_id=movie,
        value=number(stars, "rating"),
        scale_max=_SCALE_MAX,
        at=at,
    )
    return [rating_record(rating, at, line)]
