"""Files of events in any of the known formats, read into public messages.

Every line becomes records or an `UnreadableLine`; reading goes on after one. The order is that of the file
(orders that take several rows come when they are complete): `streams.sorting` puts it into that of time.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from streams.errors import FormatError
from streams.formats.baskets import read_baskets
from streams.formats.entries import Entry, FileRecord, UnreadableLine
from streams.formats.jsonl import read_jsonl
from streams.formats.movielens import read_movielens
from streams.formats.online_retail import read_online_retail
from streams.formats.rees46 import read_rees46
from streams.formats.retailrocket import read_retailrocket
from streams.formats.sessions import read_session_lists, read_sessions
from streams.formats.source import Source, existing_file

__all__ = ["FORMATS", "FileReader", "FileRecord", "Reader", "UnreadableLine", "read_file"]

Reader = Callable[[Source], Iterator[Entry]]

FORMATS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "jsonl": read_jsonl,
        "retailrocket": read_retailrocket,
        "rees46": read_rees46,
        "online-retail": read_online_retail,
        "movielens": read_movielens,
        "sessions": read_sessions,
        "session-lists": read_session_lists,
        "baskets": read_baskets,
    }
)


class FileReader:
    """An event file; each iteration reads it from the start.

    Parameters
    ----------
    path
        The file, plain or gzip.
    format
        A name in `FORMATS`.

    Attributes
    ----------
    skipped
        Rows that the format leaves out by design, by name, so far.

    Raises
    ------
    FormatError
        There is no such format or file; while reading: another header, or damaged gzip.
    """

    def __init__(self, path: Path, format: str) -> None:
        if format not in FORMATS:
            raise FormatError(f"unknown format {format!r}, expected one of {', '.join(FORMATS)}.")
        self.path = existing_file(path)
        self.skipped: Counter[str] = Counter()
        self._read = FORMATS[format]

    def __iter__(self) -> Iterator[Entry]:
        self.skipped.clear()
        return self._read(Source(self.path, self.skipped))


def read_file(path: Path, format: str) -> Iterator[FileRecord | UnreadableLine]:
    """Yield what a file holds; see `FileReader`, which also tells how many rows were skipped."""
    return iter(FileReader(path, format))
