"""Knows where the jars of a Kafka broker are: from a list kept in the user's cache, or by downloading them.

Later starts only check that every listed file is there in its full length.
"""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from streams.local_kafka_download import KAFKA_VERSION, configured_repositories, download_jars
from streams.local_kafka_lock import turn

_LIST_FILE = "class_path.json"
_LOCK_WAIT_S = 900.0


class Jar(msgspec.Struct, frozen=True):
    """One file of the class path: its path below the cache directory and its length."""

    path: str
    size_bytes: int


def cache_directory() -> Path:
    """Return the directory that keeps the jars, below `$XDG_CACHE_HOME/freshrec` or `~/.cache/freshrec`."""
    configured = os.environ.get("XDG_CACHE_HOME")
    base = Path(configured) if configured else Path("~/.cache").expanduser()
    return base / "freshrec" / f"kafka-{KAFKA_VERSION}"


def class_path(on_progress: Callable[[str], None]) -> list[Path]:
    """Return every jar of the broker's class path, downloading what is missing.

    Parameters
    ----------
    on_progress
        Told what is being done, when there is something to download.

    Raises
    ------
    BrokerError
        The download failed several times, or the cache directory cannot be written.
    """
    cache = cache_directory()
    kept = read_class_path(cache)
    if kept is not None:
        return kept
    with turn(cache / "download.lock", _LOCK_WAIT_S, on_progress):
        # Whoever held the lock before may have downloaded everything.
        kept = read_class_path(cache)
        if kept is None:
            kept = download_jars(cache / "maven", configured_repositories(), on_progress)
            write_class_path(cache, kept)
        return kept


def read_class_path(cache: Path) -> list[Path] | None:
    """Return the jars listed in the cache, or None when the list or any file is missing or cut short."""
    try:
        jars = msgspec.json.decode((cache / _LIST_FILE).read_bytes(), type=list[Jar])
        whole = all((cache / jar.path).stat().st_size == jar.size_bytes for jar in jars)
    except (OSError, msgspec.DecodeError):
        return None
    return [cache / jar.path for jar in jars] if jars and whole else None


def write_class_path(cache: Path, files: list[Path]) -> None:
    """Keep the list for later starts; paths are relative, so the cache may be moved."""
    jars = [Jar(path.relative_to(cache).as_posix(), path.stat().st_size) for path in files]
    draft = cache / f"{_LIST_FILE}.new"
    draft.write_bytes(msgspec.json.encode(jars))
    draft.replace(cache / _LIST_FILE)
