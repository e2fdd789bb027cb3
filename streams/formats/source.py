"""A file as numbered lines, plain or gzip, with a bound on the length of a line.

What the lines mean is for the readers. A file that is absent, or a gzip stream that is damaged, raises
`FormatError`; the lines before the damage have been handed out by then.
"""

import gzip
import io
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, Self

from streams.errors import FormatError
from streams.formats.entries import UnreadableLine

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
"""A longer line is unreadable, and never held as a whole."""

_BUFFER_BYTES: Final = 256 * 1024
_GZIP_MAGIC: Final = b"\x1f\x8b"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

RawLine = tuple[int, bytes] | UnreadableLine
TextLine = tuple[int, str] | UnreadableLine


def existing_file(path: Path) -> Path:
    """Return the path of a file that is there.

    Raises
    ------
    FormatError
        There is no such file, it is a folder, or out of reach.
    """
    try:
        if path.is_dir():
            raise FormatError(f"{path} is a folder; name the file in it that is to be read.")
        path.stat()
    except OSError as error:
        raise FormatError(
            f"{path} can't be read ({error.strerror}); check the path, a relative one starts at {Path.cwd()}."
        ) from error
    return path


class Source:
    """One pass over a file.

    Parameters
    ----------
    path
        The file; gzip is recognised by its first bytes.
    skipped
        Takes the number of rows that a format leaves out by design, by name.
    """

    def __init__(self, path: Path, skipped: Counter[str]) -> None:
        self.path = path
        self.skipped = skipped

    def raw_lines(self) -> Iterator[RawLine]:
        """Yield the number and the bytes of each line, without its line end."""
        number = 0
        try:
            with _open(self.path) as stream:
                readline = partial(stream.readline, MAX_LINE_BYTES + 2)
                for number, raw in enumerate(iter(readline, b""), 1):
                    line = raw.rstrip(b"\r\n")
                    if len(line) > MAX_LINE_BYTES:
                        _skip_rest(raw, readline)
                        yield UnreadableLine(number, "too_large", f"more than {MAX_LINE_BYTES} bytes")
                    else:
                        yield number, line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FormatError(
                f"{self.path}: the gzip stream is damaged after line {number} ({error}); get the file again."
            ) from error
        except OSError as error:
            raise FormatError(f"{self.path}: can't be read after line {number}: {error}.") from error

    def text_lines(self) -> "TextLines":
        """Return the lines as text, blank ones included."""
        return TextLines(self.raw_lines())


class TextLines:
    """Lines as text; what a reader gives back is read again.

    Parameters
    ----------
    raw_lines
        The lines as bytes. One that is not UTF-8 comes out as unreadable.
    """

    def __init__(self, raw_lines: Iterator[RawLine]) -> None:
        self._raw_lines = raw_lines
        self._again: deque[TextLine] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> TextLine:
        if self._again:
            return self._again.popleft()
        entry = next(self._raw_lines)
        if isinstance(entry, UnreadableLine):
            return entry
        number, raw = entry
        try:
            return number, raw.decode()
        except UnicodeDecodeError as error:
            return UnreadableLine(number, "invalid_utf8", f"byte {raw[error.start]:#04x} at {error.start}")

    def give_back(self, lines: list[TextLine]) -> None:
        """Put lines, in their order, before all that is still to come."""
        self._again.extendleft(reversed(lines))


def _skip_rest(part: bytes, readline: Callable[[], bytes]) -> None:
    while part and not part.endswith(b"\n"):
        part = readline()


def _open(path: Path) -> io.BufferedReader:
    stream = path.open("rb")
    if stream.peek(2)[:2] != _GZIP_MAGIC:
        return stream
    stream.close()
    return io.BufferedReader(gzip.GzipFile(path, "rb"), _BUFFER_BYTES)
