"""Programs of Debian packages for tests, without root: found by PATH, else unpacked into the user's cache.

apt downloads them from wherever this machine's sources say, and checks their signatures; lists of packages
are fetched into the cache only where the machine has none. Nothing is installed.
"""

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
    if installed is not None:
        return Path(installed)
    folder = _cache() / package
    found = folder / "usr" / "bin" / name
    if not found.is_file():
        with turn(_cache() / "download.lock", _LOCK_WAIT_S, lambda _: None):
            if not found.is_file():
                _fetch(package, name, folder)
    if not found.is_file():
        raise NotHadError(f"Debian's package {package} has no program {name}")
    return found


def _cache() -> Path:
    return cache_directory().parent / "debian"


def _fetch(package: str, name: str, folder: Path) -> None:
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise NotHadError(
            f"{name} is not on PATH, and Debian's {' and '.join(missing)} is not here to fetch it; "
            f"install {package} by the means of this {platform.system()}"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        _download(package, name, Path(draft))
        (archive,) = Path(draft).glob("*.deb")
        _run("dpkg-deb", "--extract", archive.name, "unpacked", folder=Path(draft))
        shutil.rmtree(folder, ignore_errors=True)
        (Path(draft) / "unpacked").rename(folder)


def _download(package: str, name: str, draft: Path) -> None:
    """Ask the lists of packages that the machine has, then fresh ones of our own."""
    first = _run("apt-get", "download", package, folder=draft)
    if first.returncode == 0:
        return
    for each in ("lists/partial", "cache/archives/partial"):
        (draft / each).mkdir(parents=True)
    own = [f"Dir::State::Lists={draft / 'lists'}", f"Dir::Cache={draft / 'cache'}", "APT::Sandbox::User="]
    options = [word for option in own for word in ("--option", option)]
    _run("apt-get", *options, "update", folder=draft)
    second = _run("apt-get", *options, "download", package, folder=draft)
    if second.returncode != 0:
        raise NotHadError(
            f"{name} is not on PATH, and apt cannot download {package}: {second.stderr.strip()}. Install it, "
            "or give apt a mirror that it reaches"
        )


def _run(*command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  # commands of our own
