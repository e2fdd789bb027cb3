"""Manifests as bytes: sealed with a digest and, when there is a key, a signature; and their names.

Pure. A name holds what decides which snapshot is the newest and whose it is, so that a listing is enough
to choose: EPOCH-OFFSET-LOG-LEARNING.json, with digests of the source log and of what decides the learning.
"""

import hashlib
import hmac
import re
from typing import NamedTuple

import msgspec

from schemas.snapshots import SNAPSHOT_FORMAT, SealedManifest, SnapshotManifest
from schemas.state import MetaRow
from streams.errors import SnapshotError

_NAME = re.compile(r"^(\d{10})-(\d{20})-([0-9a-f]{12})-([0-9a-f]{12})\.json\Z")
_DIGITS = 12
_decode_sealed = msgspec.json.Decoder(SealedManifest).decode
_decode_body = msgspec.json.Decoder(SnapshotManifest).decode


class ManifestName(NamedTuple):
    """What the name of a manifest says; names sort as (epoch, offset) do."""

    epoch: int
    offset: int
    log: str
    learning: str

    def __str__(self) -> str:
        return f"{self.epoch:010d}-{self.offset:020d}-{self.log}-{self.learning}.json"

    @classmethod
    def parse(cls, text: str) -> "ManifestName | None":
        """The parts of a name; None when it is not one.

        Examples
        --------
        >>> name = ManifestName(1, 27, "0" * 12, "f" * 12)
        >>> ManifestName.parse(str(name)) == name
        True
        >>> ManifestName.parse("1-27.json") is None
        True
        """
        found = _NAME.match(text)
        return None if found is None else cls(int(found[1]), int(found[2]), found[3], found[4])


def log_of(meta: MetaRow) -> str:
    """A digest of the log that was learned from: its cluster, topic and the topic's id."""
    return _short((meta.cluster_id, meta.topic, meta.topic_id))


def learning_of(meta: MetaRow) -> str:
    """A digest of what decides how it was learned: stage, partition, partitions, format, fingerprint."""
    return _short((meta.stage, meta.partition, meta.partitions, meta.format, meta.fingerprint))


def _short(parts: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:_DIGITS]


def name_of(manifest: SnapshotManifest) -> ManifestName:
    """The name that a manifest has to have."""
    origin = manifest.origin
    return ManifestName(manifest.epoch, manifest.next_offset, log_of(origin), learning_of(origin))


def seal(manifest: SnapshotManifest, key: bytes | None) -> bytes:
    """Bytes of a manifest, with their digest, signed when there is a key."""
    body = msgspec.json.encode(manifest)
    signature = None if key is None else _sign(body, key)
    return msgspec.json.encode(SealedManifest(msgspec.Raw(body), _digest(body), signature))


def unseal(raw: bytes, key: bytes | None) -> tuple[SnapshotManifest, bool]:
    """Check the bytes of a manifest; what it says, and whether it bears a signature.

    Without a key a signature cannot be checked; the digest always is.

    Raises
    ------
    SnapshotError
        It is cut off, changed, of another format, or not signed with this key.
    """
    try:
        sealed = _decode_sealed(raw)
        body = bytes(sealed.body)
        if not hmac.compare_digest(_digest(body), sealed.sha256):
            raise SnapshotError("its digest is another than that of its content: it was changed or cut off")
        _check_signature(body, sealed.hmac_sha256, key)
        manifest = _decode_body(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SnapshotError(f"it is no manifest ({error})") from error
    if manifest.format != SNAPSHOT_FORMAT:
        raise SnapshotError(f"its format is {manifest.format}, this version reads {SNAPSHOT_FORMAT}")
    names = [file.name for file in manifest.files]
    if len(names) != len(set(names)):
        raise SnapshotError("it names a file twice")
    return manifest, sealed.hmac_sha256 is not None


def _check_signature(body: bytes, signature: str | None, key: bytes | None) -> None:
    if key is None:
        return
    if signature is None:
        raise SnapshotError("it is not signed, and snapshot.signing_key_file demands a signature")
    if not hmac.compare_digest(_sign(body, key), signature):
        raise SnapshotError("it is signed with another key than that in snapshot.signing_key_file")


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _sign(body: bytes, key: bytes) -> str:
    return hmac.new(key, body, hashlib.sha256).hexdigest()
