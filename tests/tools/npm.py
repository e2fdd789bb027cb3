"""Files of npm packages for tests: fetched by `npm pack` into the user's cache, and checked by their sum.

Nothing is installed, and no script of a package is run.
"""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from streams.local_kafka_jars import cache_directory
from streams.local_kafka_lock import turn
from tests.tools.debian import NotHadError

_LOCK_WAIT_S = 600.0


def packed(package: str, version: str, file: str, *, sha256: str) -> Path:
    """Where a file of a package is, after fetching the package if need be.

    Parameters
    ----------
    package, version, file : str
        The file by its path in the package.
    sha256 : str
        Sum of the file: another one is not taken.

    Raises
    ------
    NotHadError
        npm is not here, cannot fetch it, or what it fetches is another file.
    """
    folder = cache_directory().parent / "npm"
    found = folder / f"{package}-{version}" / file
    with turn(folder / "download.lock", _LOCK_WAIT_S, lambda _: None):
        if not found.is_file():
            _fetch(f"{package}@{version}", file, found)
    if hashlib.sha256(found.read_bytes()).hexdigest() != sha256:
        raise NotHadError(f"{found} is not the file that is expected; remove it")
    return found


def _fetch(wanted: str, file: str, found: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotHadError(f"{wanted} is needed, and npm is not here to fetch it: install Node.js")
    with tempfile.TemporaryDirectory() as draft:
        done = subprocess.run(  # noqa: S603  # a command of our own
            [npm, "pack", "--silent", wanted], cwd=draft, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise NotHadError(f"`npm pack {wanted}` failed: {done.stderr.strip()[-500:]}")
        (archive,) = Path(draft).glob("*.tgz")
        with tarfile.open(archive) as files:
            member = files.extractfile(f"package/{file}")
            if member is None:
                raise NotHadError(f"{wanted} has no {file}")
            found.parent.mkdir(parents=True, exist_ok=True)
            found.write_bytes(member.read())
