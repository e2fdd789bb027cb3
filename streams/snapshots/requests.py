"""Asking a running worker for a snapshot: files in the state directory, which both can reach.

`freshrec snapshot create` leaves a request; the process that holds the store takes it away, and leaves an
answer under the same name. Whoever may write in the state directory may ask.
"""

import fcntl
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from streams.errors import StateError, StorageError
from streams.rocks_store import StateLockedError
from streams.snapshots.library import Shelf
from streams.snapshots.pruning import Pruned
from streams.snapshots.taking import Stored

REQUESTS: Final = "requests"
"""Folder in state.dir."""

NOTICE_S: Final = 15.0
"""So long a worker may take to notice a request; how long it then takes is not limited."""

LOOK_S: Final = 2.0
"""How often to look whether a worker still has the store."""

_REQUEST, _TAKEN, _ANSWER = ".request", ".taken", ".answer"
_POLL_S: Final = 0.05
_encode = msgspec.json.encode


class Created(msgspec.Struct, frozen=True):
    """A snapshot that was taken, how much of it was new, and how many older ones were dropped."""

    stage: str
    partition: int
    epoch: int
    offset: int
    files: int
    bytes: int
    new_files: int
    new_bytes: int
    dropped: int


def created(stored: Stored, pruned: Pruned) -> Created:
    """What to tell of a snapshot."""
    made = stored.manifest
    return Created(
        *(made.stage, made.partition, made.epoch, made.next_offset, len(made.files), made.bytes),
        *(stored.new_files, stored.new_bytes, len(pruned.dropped)),
    )


class Request(msgspec.Struct, frozen=True):
    """A snapshot that is wanted: of which store, and where it is to be kept."""

    stage: str
    partition: int
    url: str


class Answer(msgspec.Struct, frozen=True):
    """The snapshot that was taken, or why none was."""

    created: Created | None = None
    error: str | None = None


def pending(state_dir: Path) -> Iterator[tuple[Path, Request]]:
    """Requests that nobody has taken yet; one that cannot be read is answered so."""
    for path in sorted((state_dir / REQUESTS).glob(f"*{_REQUEST}")):
        try:
            yield path, msgspec.json.decode(path.read_bytes(), type=Request)
        except FileNotFoundError:
            continue
        except (OSError, msgspec.DecodeError) as error:
            with taken(path) as ours:
                if ours:
                    answer(path, Answer(error=f"{path} is no request ({error})"))


@contextmanager
def taken(path: Path) -> Iterator[bool]:
    """Take a request for this process, as long as the block takes; False if it is gone."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield False
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            path.rename(path.with_suffix(_TAKEN))
        except FileNotFoundError:
            yield False
            return
        try:
            yield True
        finally:
            path.with_suffix(_TAKEN).unlink(missing_ok=True)


def _died(path: Path) -> bool:
    """Whether a request was taken by a process that is no more: its lock ended with it."""
    try:
        with path.with_suffix(_TAKEN).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return not path.with_suffix(_ANSWER).exists()


def answer(path: Path, given: Answer) -> None:
    """Answer a request that was taken; who asked may be gone."""
    if path.with_suffix(_TAKEN).exists():
        _write(path.with_suffix(_ANSWER), given)


def ask(state_dir: Path, shelf: Shelf, url: str, *, held: Callable[[], bool]) -> Created | None:
    """Ask the worker that holds a store for a snapshot, and wait for it (blocking).

    Parameters
    ----------
    state_dir : Path
        The worker's.
    shelf : Shelf
        Stage and partition.
    url : str
        Where to keep it, the same for the worker as for the caller.
    held : callable
        Whether a worker still holds the store.

    Returns
    -------
    Created or None
        None if the worker let go of the store meanwhile, or ended.

    Raises
    ------
    StateError
        The worker does not answer, or could not take the snapshot.
    """
    folder = state_dir / REQUESTS
    path = folder / f"{secrets.token_hex(8)}{_REQUEST}"
    try:
        folder.mkdir(exist_ok=True)
        _write(path, Request(shelf.stage, shelf.partition, url))
        return _wait(path, shelf, held)
    except OSError as error:
        raise StateError(
            f"the worker cannot be asked for a snapshot: {error}. Run this as the user that runs the worker"
        ) from error
    finally:
        for suffix in (_REQUEST, _TAKEN, _ANSWER):
            with suppress(OSError):
                path.with_suffix(suffix).unlink(missing_ok=True)


def _wait(path: Path, shelf: Shelf, held: Callable[[], bool]) -> Created | None:
    began = looked = time.monotonic()
    while True:
        found = _read(path.with_suffix(_ANSWER))
        if found is not None:
            if found.created is None:
                raise StorageError(f"the worker could take no snapshot of {shelf}: {found.error}")
            return found.created
        now = time.monotonic()
        if now - looked > LOOK_S:
            looked = now
            if _died(path) or not held():
                return None
        if path.exists() and now - began > NOTICE_S:
            raise StateLockedError(
                f"{shelf} is in use, and who uses it did not notice a request for a snapshot within "
                f"{NOTICE_S:g} s: see whether the worker stands still (/health/live), or stop it and run "
                f"this again"
            )
        time.sleep(_POLL_S)


def _read(path: Path) -> Answer | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Answer)
    except FileNotFoundError:
        return None


def _write(path: Path, content: Request | Answer) -> None:
    """Let a file appear whole."""
    made = path.with_suffix(f"{path.suffix}-new")
    made.write_bytes(_encode(content))
    made.replace(path)
