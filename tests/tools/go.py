"""Programs that are Go modules, for tests: found by PATH, else built by `go install` into a cache."""

import os
import shutil
import subprocess
from pathlib import Path

from streams.local_kafka_jars import cache_directory
from streams.local_kafka_lock import turn
from tests.tools.debian import NotHadError

_LOCK_WAIT_S = 1800.0


def program(module: str, version: str) -> Path:
    """Where the program of a module is, after building it if need be; that takes minutes, once.

    Raises
    ------
    NotHadError
        It is not installed, and Go is not here to build it, or cannot.
    """
    name = module.rpartition("/")[2]
    installed = shutil.which(name)
    if installed is not None:
        return Path(installed)
    folder = cache_directory().parent / "go" / f"{name}-{version}"
    with turn(folder.parent / "build.lock", _LOCK_WAIT_S, lambda _: None):
        if not (folder / name).is_file():
            _build(f"{module}@{version}", folder)
    return folder / name


def _build(wanted: str, folder: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise NotHadError(f"{wanted} is needed, and Go is not here to build it: install the program, or Go")
    built = subprocess.run(  # noqa: S603  # a command of our own
        [go, "install", wanted],
        env={**os.environ, "GOBIN": str(folder), "GOFLAGS": "-mod=mod"},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        raise NotHadError(f"`go install {wanted}` failed: {built.stderr.strip()[-500:]}")
