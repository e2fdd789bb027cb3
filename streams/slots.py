"""Which of the processes of one kind that share a state directory this is, told by a file that it locks."""

import fcntl
from pathlib import Path
from typing import IO

from streams.errors import StateError

MAX_SLOTS = 256


def take_slot(state_dir: Path) -> tuple[int, IO[str]]:
    """Lock the first free slot of the state directory; it is free again when the process ends.

    Raises
    ------
    StateError
        All slots are taken.
    """
    folder = state_dir / "slots"
    folder.mkdir(parents=True, exist_ok=True)
    for slot in range(MAX_SLOTS):
        file = (folder / str(slot)).open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        return slot, file
    raise StateError(
        f"all {MAX_SLOTS} worker slots in {folder} are taken; stop a worker or use another state.dir"
    )
