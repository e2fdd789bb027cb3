"""Looking for a text that should have left no trace on a disk."""

from pathlib import Path


def files_with(folder: Path, text: str) -> list[Path]:
    """Files below a folder that have a text in any of their bytes."""
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
