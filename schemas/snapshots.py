"""What the manifest of a snapshot says: which state it is, up to where, and of which files it consists.

A manifest comes from a place that others may write to: names and digests are checked on decoding, so
that a file name can never lead out of a folder.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.state import MetaRow

SNAPSHOT_FORMAT = 1

FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*\Z", max_length=200)]
"""The plain name of a file, without any folder."""

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""SHA-256, in hexadecimal digits."""

Natural = Annotated[int, Meta(ge=0)]
"""A whole number that can be 0."""


class SnapshotOrigin(MetaRow, array_like=False):
    """Whose state it is: the meta row of the store, written with names."""


class SnapshotFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a database; it is kept under its digest."""

    name: FileName
    sha256: Digest
    bytes: Natural


class SnapshotManifest(msgspec.Struct, frozen=True, kw_only=True):
    """One stage partition as it was after all records below `next_offset` (`created_at`: epoch ms)."""

    format: int = SNAPSHOT_FORMAT
    stage: FileName
    partition: Natural
    epoch: Natural
    next_offset: Natural
    created_at: int
    origin: SnapshotOrigin
    files: list[SnapshotFile]

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.bytes for file in self.files)


class SealedManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A manifest as it is stored: its bytes, their digest, and their signature when there is a key."""

    body: msgspec.Raw
    sha256: Digest
    hmac_sha256: Digest | None = None
