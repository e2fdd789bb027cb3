"""Refused records of a replay: the last ones of the file that it wrote."""

from pathlib import Path

import msgspec
import pytest

from schemas.recommendations import Rejection
from streams.errors import NotFoundError
from streams.rejections import of_replay


def rejection(number: int) -> Rejection:
    return Rejection("bad_value", f"the {number}th", "browses", 0, number, number, "e30=")


def test_the_last_ones_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    lines = [msgspec.json.encode(rejection(number)) + b"\n" for number in range(50)]
    (tmp_path / "rejected.jsonl").write_bytes(b"".join(lines))

    assert of_replay(tmp_path, 3) == [rejection(47), rejection(48), rejection(49)]
    assert len(of_replay(tmp_path, 1_000)) == 50


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    whole = msgspec.json.encode(rejection(1))
    (tmp_path / "rejected.jsonl").write_bytes(whole + b"\n" + whole[:30])

    assert of_replay(tmp_path, 20) == [rejection(1)]


def test_a_folder_without_rejections_is_not_found_and_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"rejected.jsonl: name the --state of a 'freshrec replay'"):
        of_replay(tmp_path, 20)
