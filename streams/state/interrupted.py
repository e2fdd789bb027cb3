"""A mark in the state directory while `freshrec reset` replaces stores: only the same command may go on.

Half of the stores are of the old epoch then, or missing. It is on disk before the first store is touched,
and goes when the last one and the offsets of the groups are in place.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from streams.errors import StateError

MARK_FILE: Final = ".reset"


class Interrupted(msgspec.Struct, frozen=True):
    """A reset that began: of which stage, to which epoch, and the folder that takes the old stores."""

    stage: str
    epoch: int
    aside: str


def interrupted(state_dir: Path) -> Interrupted | None:
    """The reset that did not come to its end; None if there is none.

    Raises
    ------
    StateError
        The mark cannot be read.
    """
    path = state_dir / MARK_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Interrupted)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise StateError(
            f"{path} marks a reset that was interrupted and cannot be read ({error}); delete it, and run "
            f"`freshrec reset` again for the stage that was to begin anew"
        ) from error


def mark(state_dir: Path, reset: Interrupted) -> None:
    """Say that stores are being replaced; on disk when this returns."""
    made = state_dir / f"{MARK_FILE}.new"
    with made.open("wb") as file:
        file.write(msgspec.json.encode(reset))
        file.flush()
        os.fsync(file.fileno())
    made.replace(state_dir / MARK_FILE)


def unmark(state_dir: Path) -> None:
    """Say that all stores are in place."""
    (state_dir / MARK_FILE).unlink(missing_ok=True)


def refuse_interrupted(state_dir: Path) -> None:
    """Let nobody use stores of which some began anew and others did not.

    Raises
    ------
    StateError
        A reset was interrupted.
    """
    found = interrupted(state_dir)
    if found is not None:
        raise StateError(
            f"`freshrec reset {found.stage}` was interrupted in {state_dir}: some stores are of epoch "
            f"{found.epoch}, others are not; run it again to its end"
        )
