"""What the tests of the readers share: a small file, its entries, and messages as plain objects."""

import gzip
from pathlib import Path
from typing import Any

import msgspec

from streams.formats import FileReader, FileRecord, UnreadableLine


def written(folder: Path, content: str | bytes, *, compressed: bool = False) -> Path:
    """Write a file to read."""
    data = content.encode() if isinstance(content, str) else content
    path = folder / ("events.gz" if compressed else "events")
    path.write_bytes(gzip.compress(data) if compressed else data)
    return path


def read(folder: Path, format: str, content: str | bytes) -> tuple[list[FileRecord], list[UnreadableLine]]:
    """Read content in a format, records and unreadable lines apart."""
    entries = list(FileReader(written(folder, content), format))
    return (
        [entry for entry in entries if isinstance(entry, FileRecord)],
        [entry for entry in entries if isinstance(entry, UnreadableLine)],
    )


def message(record: FileRecord) -> dict[str, Any]:
    """Return the message of a record without its absent fields."""
    decoded: dict[str, Any] = msgspec.json.decode(record.value)
    return {field: value for field, value in decoded.items() if value is not None}
