"""A store without room says so, keeps what it has, and goes on once there is some."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.disk import is_full
from tests.streams.snapshots.stores import Place, read, write

FILLS = """
import resource, sys
from pathlib import Path
from streams.disk import DiskFullError
from tests.streams.snapshots.stores import Place, write

database = Place(Path(sys.argv[1])).open()
write(database, 1, {b"kept": b"1"})
# As a full disk or a quota does, this refuses a write half way.
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
try:
    for offset in range(2, 100):
        write(database, offset, {b"%d" % offset: bytes(10_000)})
except DiskFullError as error:
    print(offset, error)
"""


def test_a_store_without_room_says_so_and_keeps_what_was_written(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FILLS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # our own
    failed_at, _, told = done.stdout.partition(" ")
    assert "rules/1 is full (" in told and "File too large" in told
    assert "make room" in told and "Do not delete parts of the state" in told
    place = Place(tmp_path)
    offset, rows = read(place.path)
    assert offset == int(failed_at) - 1
    assert rows.keys() == {b"kept", *(b"%d" % each for each in range(2, offset + 1))}
    database = place.open()
    write(database, offset + 1, {b"later": b"1"})
    database.close()
    assert read(place.path)[0] == offset + 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_each_way_to_have_no_room_is_known(number: int) -> None:
    assert is_full(OSError(number, os.strerror(number)))
