"""A full disk, told as such wherever it is noticed: nothing is damaged, and room is all that is missing."""

from pathlib import Path
from typing import Final

from streams.errors import StateError

_SAYS: Final = ("No space left on device", "Disk quota exceeded", "File too large")
"""ENOSPC, EDQUOT and EFBIG in the words of the system, which RocksDB passes on."""


class DiskFullError(StateError):
    """There is no room for state: what was not written is read from the log again, once there is."""


def is_full(error: BaseException) -> bool:
    """Whether an error, of whatever library, says that a disk is full.

    Examples
    --------
    >>> is_full(OSError(28, "No space left on device")), is_full(OSError(13, "Permission denied"))
    (True, False)
    """
    return any(words in str(error) for words in _SAYS)


def full(path: Path, error: BaseException) -> DiskFullError:
    """The error to raise where state could not be written for lack of room."""
    return DiskFullError(
        f"the disk of {path} is full ({error}). What is on it stays valid, nothing is lost: make room, or "
        f"enlarge the disk; the worker then reads on where it stopped. Do not delete parts of the state"
    )
