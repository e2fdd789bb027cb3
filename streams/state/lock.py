"""Who may touch a state directory: any number of workers, or one command that changes stores.

The lock is the kernel's: it ends with the process that holds it, however that ends.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from streams.errors import StateError
from streams.state.interrupted import refuse_interrupted

LOCK_FILE: Final = "lock"


@contextmanager
def shared(state_dir: Path) -> Iterator[None]:
    """Use the stores of a state directory, beside others.

    Raises
    ------
    StateError
        A command is changing them, or a reset was interrupted.
    """
    with _held(
        state_dir,
        fcntl.LOCK_SH,
        f"a command is changing the stores in {state_dir} ('freshrec reset' or 'freshrec migrate'); "
        f"start again when it has ended",
    ):
        refuse_interrupted(state_dir)
        yield


@contextmanager
def exclusive(state_dir: Path) -> Iterator[None]:
    """Change the stores of a state directory that nobody uses.

    Raises
    ------
    StateError
        A worker uses them, or another command changes them.
    """
    with _held(
        state_dir,
        fcntl.LOCK_EX,
        f"a worker uses the stores in {state_dir}; stop every worker first (SIGTERM), then run this again",
    ):
        yield


@contextmanager
def _held(state_dir: Path, kind: int, refusal: str) -> Iterator[None]:
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / LOCK_FILE).open("w") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except OSError as error:
            raise StateError(refusal) from error
        yield
