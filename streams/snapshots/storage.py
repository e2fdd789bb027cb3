"""Files at an fsspec URL: listed, read, written whole or not at all, deleted. Blocking; safe in threads.

Delivery: `create` never replaces a file; a file that was put is complete or, after a crash, shorter than
it should be, which its size and digest tell.
"""

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from streams.disk import is_full
from streams.errors import SettingsError, StorageError

UNFINISHED = "."
"""How the name of a file begins that is being written in a folder of this machine."""


class Entry(NamedTuple):
    """Size of a file, and when it was written (epoch seconds)."""

    bytes: int
    written_at: float


class Storage:
    """A place for files.

    Parameters
    ----------
    url : str
        A folder, or any URL that fsspec knows: file://, memory://, s3:// (extra `s3`).

    Raises
    ------
    SettingsError
        No installed package serves such a URL.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            fs, root = url_to_fs(url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise SettingsError(
                f"snapshots cannot be kept at {url!r}: {error}. Use a folder or file://; "
                f"s3:// comes with `pip install 'freshrec[s3]'`"
            ) from error
        self._fs: Any = fs
        self._root = str(root).rstrip("/")
        self._local = isinstance(fs, LocalFileSystem)

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def folders(self, path: str) -> list[str]:
        """Names of the folders in a folder; none where there is nothing."""
        return [name for name, entry in self._listed(path).items() if entry["type"] == "directory"]

    def files(self, path: str) -> dict[str, Entry]:
        """The files in a folder by name; none where there is nothing."""
        return {
            name: Entry(int(entry["size"] or 0), _written_at(entry))
            for name, entry in self._listed(path).items()
            if entry["type"] == "file"
        }

    def _listed(self, path: str) -> dict[str, dict[str, Any]]:
        with self._asked():
            try:
                entries = self._fs.ls(self._at(path), detail=True)
            except FileNotFoundError:
                return {}
            return {entry["name"].rstrip("/").rpartition("/")[2]: entry for entry in entries}

    def read(self, path: str) -> bytes:
        """Content of a small file."""
        with self._asked():
            return bytes(self._fs.cat_file(self._at(path)))

    def create(self, path: str, content: bytes) -> bool:
        """Write a new file; False, and nothing is changed, if there is one of that name."""
        with self._asked():
            try:
                if self._local:
                    _create_locally(Path(self._at(path)), content)
                else:
                    self._fs.pipe_file(self._at(path), content, mode="create")
            except FileExistsError:
                return False
            return True

    def put(self, source: Path, path: str) -> None:
        """Copy a file of this machine there."""
        with self._asked():
            if self._local:
                _put_locally(source, Path(self._at(path)))
            else:
                self._fs.put_file(str(source), self._at(path))

    def get(self, path: str, target: Path) -> None:
        """Copy a file from there to this machine."""
        with self._asked():
            self._fs.get_file(self._at(path), str(target))

    def delete(self, path: str) -> None:
        """Delete a file; one that is gone already is no error."""
        with self._asked():
            try:
                self._fs.rm_file(self._at(path))
            except FileNotFoundError:
                return

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # each file system has exceptions of its own
            if is_full(error):
                raise StorageError(
                    f"snapshots at {self.url} have no room: {type(error).__name__}: {error}. Those that are "
                    f"there stay whole; make room, or keep fewer (snapshot.keep)"
                ) from error
            raise StorageError(
                f"snapshots at {self.url} cannot be used: {type(error).__name__}: {error}. "
                f"Check snapshot.url, the network and who may read and write there"
            ) from error


def _written_at(entry: dict[str, Any]) -> float:
    """When a file was written; now where the file system does not say, so that it counts as young."""
    found = entry.get("mtime") or entry.get("LastModified") or entry.get("created")
    if isinstance(found, datetime):
        return found.timestamp()
    return float(found) if isinstance(found, int | float) else time.time()


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A file of another name in the same folder, gone at the end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.parent / f"{UNFINISHED}{secrets.token_hex(8)}"
    try:
        yield made
    finally:
        made.unlink(missing_ok=True)


def _create_locally(target: Path, content: bytes) -> None:
    with _beside(target) as made:
        with made.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(made, target)


def _put_locally(source: Path, target: Path) -> None:
    with _beside(target) as made:
        with source.open("rb") as reading, made.open("xb") as writing:
            shutil.copyfileobj(reading, writing, 1 << 20)
            writing.flush()
            os.fsync(writing.fileno())
        made.replace(target)
