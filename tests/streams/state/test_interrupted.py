"""A reset that was interrupted keeps workers away until it was run again to its end."""

from pathlib import Path

import pytest

from streams.errors import StateError
from streams.state.interrupted import MARK_FILE, Interrupted, interrupted, mark, refuse_interrupted, unmark
from streams.state.lock import exclusive, shared

RESET = Interrupted("rules", 3, "aside")


def test_a_mark_keeps_workers_away_and_lets_the_command_repeat(tmp_path: Path) -> None:
    assert interrupted(tmp_path) is None
    mark(tmp_path, RESET)
    assert interrupted(tmp_path) == RESET
    words = "`freshrec reset rules` was interrupted .*epoch 3"
    with pytest.raises(StateError, match=words), shared(tmp_path):
        pass
    with pytest.raises(StateError, match=words):
        refuse_interrupted(tmp_path)
    with exclusive(tmp_path):
        unmark(tmp_path)
    with shared(tmp_path):
        refuse_interrupted(tmp_path)


def test_a_mark_that_cannot_be_read_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / MARK_FILE).write_bytes(b"{")
    with pytest.raises(StateError, match=r"cannot be read .*delete it, and run `freshrec reset` again"):
        interrupted(tmp_path)
