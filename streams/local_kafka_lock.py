"""A lock file that makes commands take turns on a directory; it ends with the process that holds it."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.errors import BrokerError

_POLL_S = 0.1


@contextmanager
def turn(lock_file: Path, wait_s: float, on_progress: Callable[[str], None]) -> Iterator[None]:
    """Hold an exclusive lock for the length of a `with` block.

    Parameters
    ----------
    lock_file
        Created, with its directory, when missing; never removed, since another command may wait on it.
    wait_s
        How long to wait for another holder.
    on_progress
        Told once when there is a wait.

    Raises
    ------
    BrokerError
        The directory cannot be written, or the other holder did not finish in time.
    """
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        handle = lock_file.open("a")
    except OSError as error:
        msg = f"cannot write in {lock_file.parent}: {error}. Choose a directory that this user may write"
        raise BrokerError(msg) from error
    with handle:
        _wait(handle.fileno(), lock_file, wait_s, on_progress)
        yield


def _wait(descriptor: int, lock_file: Path, wait_s: float, on_progress: Callable[[str], None]) -> None:
    deadline = time.monotonic() + wait_s
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                msg = (
                    f"another command has held {lock_file} for {wait_s:.0f} s. "
                    "Wait for it, or end it, and try again"
                )
                raise BrokerError(msg) from None
        else:
            return
        if not told:
            on_progress(f"waiting for another command that works on {lock_file.parent}")
            told = True
        time.sleep(_POLL_S)
