"""Rows: columns by name, quotes over lines, and rows that do not fit."""

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from streams.formats.entries import UnreadableLine
from streams.formats.table import MAX_LINES_OF_ROW
from tests.streams.formats.reading import message, read

HEADER = "userId,movieId,rating,timestamp\n"


def test_columns_are_found_by_name_whatever_their_order_and_company(tmp_path: Path) -> None:
    content = 'note,"timestamp",movieId, rating ,userId\nfine,5,i1,4,u1\n'
    (record,), unreadable = read(tmp_path, "movielens", content)
    assert message(record)["item_id"] == "i1"
    assert (record.key, record.at, unreadable) == ("u1", 5_000, [])


def test_a_row_of_another_width_is_unreadable_and_the_run_goes_on(tmp_path: Path) -> None:
    content = HEADER + "u1,i1,4\nu1,i1,4,5,6\nu2,i2,4,5\n"
    records, unreadable = read(tmp_path, "movielens", content)
    assert [record.line for record in records] == [4]
    assert [(entry.line, entry.reason) for entry in unreadable] == [(2, "invalid_csv"), (3, "invalid_csv")]
    assert unreadable[0].detail == "3 fields, the header has 4: 'u1,i1,4'"


def test_blank_lines_are_ignored_and_counted_as_lines(tmp_path: Path) -> None:
    records, unreadable = read(tmp_path, "movielens", "\n" + HEADER + "\n  \nu2,i2,4,5\n\n")
    assert [record.line for record in records] == [5]
    assert unreadable == []


def test_an_empty_required_field_is_named(tmp_path: Path) -> None:
    records, unreadable = read(tmp_path, "movielens", HEADER + "u1,,4,5\n")
    assert (records, unreadable) == ([], [UnreadableLine(2, "missing_field", "movieId is empty")])


def test_a_row_that_is_not_utf_8_is_unreadable(tmp_path: Path) -> None:
    records, unreadable = read(tmp_path, "movielens", HEADER.encode() + b"u\xe9,i1,4,5\nu2,i2,4,5\n")
    assert [record.line for record in records] == [3]
    assert [(entry.line, entry.reason) for entry in unreadable] == [(2, "invalid_utf8")]


def test_a_quoted_field_may_hold_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    content = HEADER + 'u1,"a,""b""\n\nc",4,5\nu2,i2,4,5\n'
    records, unreadable = read(tmp_path, "movielens", content)
    assert [message(record)["item_id"] for record in records] == ['a,"b"\n\nc', "i2"]
    assert [record.line for record in records] == [2, 5]
    assert unreadable == []


def test_a_quote_inside_a_field_is_an_ordinary_character(tmp_path: Path) -> None:
    (record,), _ = read(tmp_path, "movielens", HEADER + 'u1,5" pipe,4,5\n')
    assert message(record)["item_id"] == '5" pipe'


def test_a_quote_that_is_never_closed_costs_its_own_line_only(tmp_path: Path) -> None:
    rows = "".join(f"u{number},i1,4,5\n" for number in range(2 * MAX_LINES_OF_ROW))
    records, unreadable = read(tmp_path, "movielens", HEADER + 'u1,"stray,4,5\n' + rows)
    assert [(entry.line, entry.reason) for entry in unreadable] == [(2, "invalid_csv")]
    assert [record.line for record in records] == list(range(3, 3 + 2 * MAX_LINES_OF_ROW))


def test_two_stray_quotes_cost_a_line_each(tmp_path: Path) -> None:
    content = HEADER + 'u1,"stray,4,5\nu2,i2,4,5\nu3,"stray,4,5\nu4,i4,4,5\n'
    records, unreadable = read(tmp_path, "movielens", content)
    assert [record.line for record in records] == [3, 5]
    assert [entry.line for entry in unreadable] == [2, 4]


def test_an_unclosed_quote_before_an_unreadable_line_hides_neither(tmp_path: Path) -> None:
    content = HEADER.encode() + b'u1,"stray,4,5\nu\xff,i2,4,5\nu3,i3,4,5\n'
    records, unreadable = read(tmp_path, "movielens", content)
    assert [record.line for record in records] == [4]
    assert [(entry.line, entry.reason) for entry in unreadable] == [(2, "invalid_csv"), (3, "invalid_utf8")]


def test_a_quote_open_at_the_end_of_the_file_is_unreadable(tmp_path: Path) -> None:
    records, unreadable = read(tmp_path, "movielens", HEADER + 'u1,i1,4,"5')
    assert (records, [entry.line for entry in unreadable]) == ([], [2])


def test_a_quoted_field_above_the_csv_limit_costs_its_own_line_only(tmp_path: Path) -> None:
    content = HEADER + f'u1,"{"x" * 200_000}",4,5\nu2,i2,4,5\n'
    records, unreadable = read(tmp_path, "movielens", content)
    assert [record.line for record in records] == [3]
    assert [(entry.line, entry.reason) for entry in unreadable] == [(2, "invalid_csv")]


FIELDS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=8)


@given(st.lists(st.tuples(FIELDS, FIELDS), max_size=8))
def test_whatever_a_csv_writer_writes_is_read_back(pairs: list[tuple[str, str]]) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["userId", "movieId", "rating", "timestamp"])
    for user, item in pairs:
        writer.writerow([user, item, 4, 5])
    with tempfile.TemporaryDirectory() as folder:
        records, unreadable = read(Path(folder), "movielens", stream.getvalue())
    assert [(record.key, message(record)["item_id"]) for record in records] == pairs
    assert unreadable == []
