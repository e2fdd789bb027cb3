"""The columns of each table format, and how to tell from its first line which format a file is of.

Rows are read in `table`; what they mean is in the module of the format.
"""

from pathlib import Path
from typing import Final

import msgspec

from streams.errors import FormatError


class Layout(msgspec.Struct, frozen=True):
    """The columns that a format needs, in the order in which its reader takes them.

    Parameters
    ----------
    format
        Name after `--format`.
    columns
        Names in the header line; others may stand between them, in any order.
    required
        How many of the columns, from the first, must not be empty.
    """

    format: str
    columns: tuple[str, ...]
    required: int


LAYOUTS: Final = (
    Layout("retailrocket", ("timestamp", "visitorid", "event", "itemid", "transactionid"), 4),
    Layout(
        "rees46",
        (
            "event_time",
            "event_type",
            "product_id",
            "user_id",
            "user_session",
            "category_code",
            "brand",
            "price",
        ),
        4,
    ),
    Layout(
        "online-retail",
        ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Description"),
        5,
    ),
    Layout("movielens", ("userId", "movieId", "rating", "timestamp"), 4),
    Layout("sessions", ("SessionId", "ItemId", "Time"), 3),
    Layout("sessions", ("session_id", "item_id", "timestamp"), 3),
)
"""Country, category_id and whatever else a file has are not looked at."""


def delimiter_of(line: str) -> str:
    """Return what separates the fields of a line: a tab where there is one, else a comma."""
    return "\t" if "\t" in line else ","


def header_names(line: str) -> list[str]:
    """Return the column names of a header line."""
    return [name.strip().strip('"') for name in line.split(delimiter_of(line))]


def matching_layout(names: list[str], layouts: tuple[Layout, ...] = LAYOUTS) -> Layout | None:
    """Return the first layout whose columns are all among the names."""
    return next((layout for layout in layouts if set(layout.columns) <= set(names)), None)


def is_headerless_ratings(line: str) -> bool:
    """Tell whether a line is one of `u.data`: user, item, rating and time, all numbers, between tabs."""
    fields = line.split("\t")
    return len(fields) == 4 and all(field.replace(".", "", 1).isdecimal() for field in fields)


def wrong_header(path: Path, format: str, line: str) -> FormatError:
    """Return the error that says what the first line was, what it should be, and what looks right."""
    expected = " or ".join(",".join(layout.columns) for layout in LAYOUTS if layout.format == format)
    likely = _likely_format(line)
    advice = f"--format {likely} looks right" if likely else "check the file and --format"
    return FormatError(
        f"{path} is not of the format {format}: its first line is {line[:200]!r}, expected a header with "
        f"the columns {expected}; {advice}."
    )


def _likely_format(line: str) -> str | None:
    if line.lstrip().startswith("{"):
        return "jsonl"
    if is_headerless_ratings(line):
        return "movielens"
    if line.count("\t") == 1 and line.partition("\t")[0].isdecimal():
        return "session-lists"
    layout = matching_layout(header_names(line))
    return layout.format if layout else None
