"""Programs of Debian packages for tests, without root: found by PATH, else unpacked into the user's cache.

apt downloads them from wherever this machine's sources say, and checks their signatures; lists of packages
are fetched into the cache only where the machine has none. Nothing is installed: a program that needs
libraries which the machine lacks finds them beside itself, by `library_path`.
"""

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from streams.local_kafka_jars import cache_directory
from streams.local_kafka_lock import turn

_LOCK_WAIT_S = 600.0


class NotHadError(Exception):
    """A program that tests need is not here and cannot be fetched; says what to do."""


def program(package: str, name: str) -> Path:
    """Where a program of a Debian package is, after fetching the package if need be.

    Raises
    ------
    NotHadError
        It is not installed, and apt cannot fetch it here.
    """
    installed = shutil.which(name)
    return Path(installed) if installed is not None else unpacked(package, f"usr/bin/{name}")


def unpacked(package: str, file: str, *, libraries: bool = False) -> Path:
    """Where a file of a Debian package is, after fetching the package if need be.

    Parameters
    ----------
    package, file : str
        The file by its path below /.
    libraries : bool
        Fetch also what the package depends on and this machine has not installed.

    Raises
    ------
    NotHadError
        apt cannot fetch it here, or it is not in the package.
    """
    folder = _cache() / package
    found = folder / file
    if not found.is_file():
        with turn(_cache() / "download.lock", _LOCK_WAIT_S, lambda _: None):
            if not found.is_file():
                _fetch(package, folder, libraries=libraries)
    if not found.is_file():
        raise NotHadError(f"Debian's package {package} has no {file}")
    return found


def library_path(package: str) -> str:
    """Folders with libraries of an unpacked package, as LD_LIBRARY_PATH wants them."""
    folders = {path.parent for path in (_cache() / package / "usr" / "lib").rglob("lib*.so*")}
    return os.pathsep.join(sorted(map(str, folders)))


def _cache() -> Path:
    return cache_directory().parent / "debian"


def _fetch(package: str, folder: Path, *, libraries: bool) -> None:
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise NotHadError(
            f"{package} is not unpacked here, and Debian's {' and '.join(missing)} is not here to fetch it; "
            f"install {package} by the means of this {platform.system()}"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        for archive in _download(package, Path(draft), libraries=libraries):
            _run("dpkg-deb", "--extract", str(archive), "unpacked", folder=Path(draft))
        shutil.rmtree(folder, ignore_errors=True)
        (Path(draft) / "unpacked").rename(folder)


def _download(package: str, draft: Path, *, libraries: bool) -> list[Path]:
    """Ask the lists of packages that the machine has, then fresh ones of our own."""
    for each in ("lists/partial", "cache/archives/partial"):
        (draft / each).mkdir(parents=True)
    command = ["download", package]
    if libraries:
        command = ["install", "--yes", "--download-only", "--no-install-recommends", package]
    # Who may not install anything may still ask what is missing.
    ours = _options(f"Dir::Cache={draft / 'cache'}", "APT::Sandbox::User=", "Debug::NoLocking=1")
    lists = _options(f"Dir::State::Lists={draft / 'lists'}")
    done = _run("apt-get", *ours, *command, folder=draft)
    if done.returncode != 0:
        _run("apt-get", *ours, *lists, "update", folder=draft)
        done = _run("apt-get", *ours, *lists, *command, folder=draft)
    if done.returncode != 0:
        raise NotHadError(
            f"apt cannot download {package}: {done.stderr.strip()}. Install it, or give apt a mirror that it "
            "reaches"
        )
    return [*draft.glob("*.deb"), *(draft / "cache" / "archives").glob("*.deb")]


def _options(*options: str) -> list[str]:
    return [word for option in options for word in ("--option", option)]


def _run(*command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  # commands of our own
