"""The folder that a demo happens in: made at its beginning, removed at its end."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.errors import StateError
from streams.interrupts import undisturbed


@contextmanager
def own_folder(data: Path | None, *, keep: bool) -> Iterator[Path]:
    """Make a folder, and remove it with all that is in it when the block ends.

    Parameters
    ----------
    data : Path or None
        Which folder; it must be absent or empty, so that nothing of anybody else is ever removed. A
        temporary one by default.
    keep : bool
        Leave it there.

    Raises
    ------
    StateError
        The folder cannot be made or isn't empty.
    """
    folder = Path(tempfile.mkdtemp(prefix="freshrec-demo-")) if data is None else _make(data)
    try:
        yield folder
    finally:
        if not keep:
            with undisturbed():
                shutil.rmtree(folder, ignore_errors=True)


def _make(data: Path) -> Path:
    folder = data.expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        used = any(folder.iterdir())
    except OSError as error:
        raise StateError(f"the folder {folder} cannot be used: {error}. Name another one") from error
    if used:
        raise StateError(
            f"the folder {folder} isn't empty, and a demo removes its folder at the end; "
            "name one that is empty or isn't there"
        )
    return folder
