"""Lines: their numbers, their bound, and those that are not text."""

from collections import Counter
from pathlib import Path

import pytest

from streams.formats.entries import UnreadableLine
from streams.formats.source import MAX_LINE_BYTES, Source
from tests.streams.formats.reading import written


@pytest.mark.parametrize("compressed", [False, True])
def test_a_line_above_the_bound_is_unreadable_and_the_next_one_has_its_number(
    tmp_path: Path, compressed: bool
) -> None:
    longest = b"x" * MAX_LINE_BYTES
    content = b"\n".join([b"a", longest, longest + b"y", 3 * longest, b"b"])
    source = Source(written(tmp_path, content, compressed=compressed), Counter())
    first, fits, above, far_above, last = source.raw_lines()
    assert (first, fits, last) == ((1, b"a"), (2, longest), (5, b"b"))
    assert isinstance(above, UnreadableLine) and (above.line, above.reason) == (3, "too_large")
    assert isinstance(far_above, UnreadableLine) and (far_above.line, far_above.reason) == (4, "too_large")


def test_the_bound_does_not_count_the_line_end(tmp_path: Path) -> None:
    longest = b"x" * MAX_LINE_BYTES
    source = Source(written(tmp_path, longest + b"\r\n" + longest), Counter())
    assert list(source.raw_lines()) == [(1, longest), (2, longest)]


def test_a_line_that_is_not_utf_8_is_unreadable(tmp_path: Path) -> None:
    source = Source(written(tmp_path, b"a\nb\xff\nc\n"), Counter())
    assert list(source.text_lines()) == [
        (1, "a"),
        UnreadableLine(2, "invalid_utf8", "byte 0xff at 1"),
        (3, "c"),
    ]


def test_lines_that_are_given_back_come_again_in_order(tmp_path: Path) -> None:
    lines = Source(written(tmp_path, "a\nb\nc\n"), Counter()).text_lines()
    taken = list(lines)
    lines.give_back(taken[1:])
    assert list(lines) == [(2, "b"), (3, "c")]
