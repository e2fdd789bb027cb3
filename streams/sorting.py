"""Records of a file in the order of time, in bounded memory.

What does not fit into memory is spooled to one unnamed temporary file, which the system removes when it is
closed, also when the process is killed. A file that is in order already is written once and read once.
"""

import heapq
import struct
import tempfile
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import IO, Final

import msgspec

from streams.errors import StateError
from streams.formats.entries import FileRecord

MAX_IN_MEMORY_BYTES: Final = 256 * 1024 * 1024
"""Messages may be large: a run ends at this many bytes of them, whatever their number."""

BLOCK_BYTES: Final = 32 * 1024
"""Each run holds about one decoded block of this size in memory while runs are merged."""

_order: Final = attrgetter("at", "line")
_length: Final = struct.Struct("<I")
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[FileRecord]).decode


class _Run(msgspec.Struct):
    """A part of the spool that is in order: its first and past-the-end byte, and where it ends in order."""

    start: int
    end: int
    last: tuple[int, int]


def sorted_by_time(
    records: Iterable[FileRecord], *, max_in_memory: int = 200_000, spool_dir: Path | None = None
) -> Iterator[FileRecord]:
    """Return the records ordered by (at, line), those with the same as they came.

    Parameters
    ----------
    records
        Any number of them.
    max_in_memory
        Records sorted at a time; a smaller file is not spooled at all.
    spool_dir
        Folder for the temporary file; None takes the system's.

    Raises
    ------
    ValueError
        `max_in_memory` is below 1.
    StateError
        While iterating: the temporary file can't be written.
    """
    if max_in_memory < 1:
        raise ValueError(f"max_in_memory is {max_in_memory}, expected at least 1")
    return _sorted(iter(records), max_in_memory, spool_dir)


def _sorted(source: Iterator[FileRecord], max_in_memory: int, spool_dir: Path | None) -> Iterator[FileRecord]:
    chunk, is_last = _sorted_chunk(source, max_in_memory)
    if is_last:
        yield from chunk
        return
    with _temporary_file(spool_dir) as spool:
        runs: list[_Run] = []
        while chunk:
            try:
                _spool(spool, runs, chunk)
            except OSError as error:
                raise _unusable(spool_dir, error) from error
            chunk, _ = _sorted_chunk(source, max_in_memory)
        yield from heapq.merge(*(_read(spool, run) for run in runs), key=_order)


def _temporary_file(spool_dir: Path | None) -> IO[bytes]:
    # Unbuffered: blocks are large, and closing after a full disk must not try to write again.
    try:
        return tempfile.TemporaryFile(buffering=0, dir=spool_dir)
    except OSError as error:
        raise _unusable(spool_dir, error) from error


def _sorted_chunk(source: Iterator[FileRecord], max_in_memory: int) -> tuple[list[FileRecord], bool]:
    """Take what fits into memory, in order; tell whether the source ended with it."""
    chunk: list[FileRecord] = []
    size = 0
    is_last = True
    for record in source:
        chunk.append(record)
        size += len(record.value)
        if len(chunk) >= max_in_memory or size >= MAX_IN_MEMORY_BYTES:
            is_last = False
            break
    chunk.sort(key=_order)
    return chunk, is_last


def _spool(spool: IO[bytes], runs: list[_Run], chunk: list[FileRecord]) -> None:
    """Append a sorted chunk: to the last run if it goes on from there, else as a run of its own."""
    if not runs or _order(chunk[0]) < runs[-1].last:
        start = runs[-1].end if runs else 0
        runs.append(_Run(start, start, _order(chunk[0])))
    run = runs[-1]
    run.last = _order(chunk[-1])
    block: list[FileRecord] = []
    size = 0
    for record in chunk:
        block.append(record)
        size += len(record.value)
        if size >= BLOCK_BYTES:
            run.end += _write(spool, block)
            block, size = [], 0
    if block:
        run.end += _write(spool, block)


def _write(spool: IO[bytes], block: list[FileRecord]) -> int:
    payload = _encode(block)
    data = _length.pack(len(payload)) + payload
    rest = memoryview(data)
    while rest:
        rest = rest[spool.write(rest) :]
    return len(data)


def _read(spool: IO[bytes], run: _Run) -> Iterator[FileRecord]:
    """Yield the records of a run, a block at a time: other runs read the same file in between."""
    position = run.start
    while position < run.end:
        spool.seek(position)
        (length,) = _length.unpack(spool.read(_length.size))
        payload = spool.read(length)
        position += _length.size + length
        yield from _decode(payload)


def _unusable(spool_dir: Path | None, error: OSError) -> StateError:
    return StateError(
        f"sorting needs space for a temporary file in {spool_dir or tempfile.gettempdir()}, which can't be "
        f"written ({error}); make room there, or name another folder."
    )
