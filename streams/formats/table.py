"""Rows of a file with a header line, tab- or comma-separated, quoted fields over several lines included.

A row that can't be read is a value and the next one follows; only a wrong header raises `FormatError`.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import itemgetter
from typing import Final

import msgspec

from streams.errors import FormatError
from streams.formats.entries import Entry, FileRecord, UnreadableLine
from streams.formats.layouts import (
    LAYOUTS,
    Layout,
    delimiter_of,
    header_names,
    is_headerless_ratings,
    matching_layout,
    wrong_header,
)
from streams.formats.source import Source, TextLine, TextLines

MAX_LINES_OF_ROW: Final = 100
"""A quote that is still open after so many lines is taken for a stray one, which costs its own line only."""

Values = tuple[str, ...]
Convert = Callable[[int, Values], Iterable[FileRecord]]


class _Shape(msgspec.Struct, frozen=True):
    """What a header line says about the rows below it."""

    layout: Layout
    delimiter: str
    width: int
    pick: Callable[[list[str]], Values]


def converted_rows(source: Source, format: str, convert: Convert) -> Iterator[Entry]:
    """Yield the records that each row stands for.

    Parameters
    ----------
    source
        The file.
    format
        Whose layouts apply.
    convert
        Takes the line number and the layout's columns of a row; a `ValueError` from it makes the row
        unreadable.

    Raises
    ------
    FormatError
        The file has another header, or none.
    """
    for entry in _rows(source, format):
        if isinstance(entry, UnreadableLine):
            yield entry
            continue
        line, values = entry
        try:
            records = convert(line, values)
        except ValueError as error:
            yield UnreadableLine(line, "bad_value", str(error))
            continue
        yield from records


def _rows(source: Source, format: str) -> Iterator[tuple[int, Values] | UnreadableLine]:
    lines = source.text_lines()
    shape = _shape(source, format, lines)
    layout, delimiter, width, pick = shape.layout, shape.delimiter, shape.width, shape.pick
    for entry in lines:
        if isinstance(entry, UnreadableLine):
            yield entry
            continue
        number, text = entry
        row = _quoted_row(text, lines, shape) if '"' in text else text.split(delimiter)
        if row is None:
            yield UnreadableLine(number, "invalid_csv", f"a quote out of place or not closed: {text[:200]!r}")
        elif len(row) == width:
            values = pick(row)
            if "" in values[: layout.required]:
                name = layout.columns[values.index("")]
                yield UnreadableLine(number, "missing_field", f"{name} is empty")
            else:
                yield number, values
        elif text and not text.isspace():
            yield UnreadableLine(
                number, "invalid_csv", f"{len(row)} fields, the header has {width}: {text[:200]!r}"
            )


def _shape(source: Source, format: str, lines: TextLines) -> _Shape:
    """Read the header, or see that the first line is already a row of a format that may lack one."""
    first = next((entry for entry in lines if isinstance(entry, UnreadableLine) or entry[1].strip()), None)
    if first is None:
        raise FormatError(f"{source.path} is empty; the format {format} starts with a header line.")
    if isinstance(first, UnreadableLine):
        raise FormatError(
            f"{source.path} is not of the format {format}: its first line can't be read "
            f"({first.reason}: {first.detail}); expected a header line in UTF-8."
        )
    text = first[1]
    layouts = tuple(layout for layout in LAYOUTS if layout.format == format)
    names = header_names(text)
    if format == "movielens" and is_headerless_ratings(text):
        lines.give_back([first])
        names = list(layouts[0].columns)
    layout = matching_layout(names, layouts)
    if layout is None:
        raise wrong_header(source.path, format, text)
    pick = itemgetter(*(names.index(column) for column in layout.columns))
    return _Shape(layout, delimiter_of(text), len(names), pick)


def _quoted_row(text: str, lines: TextLines, shape: _Shape) -> list[str] | None:
    """Parse a row with quotes; lines that it took without becoming a fitting row are given back."""
    taken: list[TextLine] = []

    def row_lines() -> Iterator[str]:
        yield text + "\n"
        for entry in islice(lines, MAX_LINES_OF_ROW - 1):
            taken.append(entry)
            if isinstance(entry, UnreadableLine):
                return
            yield entry[1] + "\n"

    try:
        # Strict: else two stray quotes on different lines would make one row of all between them.
        row = next(csv.reader(row_lines(), delimiter=shape.delimiter, strict=True))
    except csv.Error:
        row = []
    if not row or (taken and len(row) != shape.width):
        lines.give_back(taken)
        return None
    return row
