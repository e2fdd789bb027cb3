"""One kind of row in a RocksDB: a write-back cache of decoded rows in front of encoded ones.

Nothing is written here: `freeze` hands the dirty rows over, encoded, and they stay visible through
`frozen` until the database says that they are on disk.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

V = TypeVar("V")
DECODED_BYTES_PER_ENCODED = 6
ROW_OVERHEAD_BYTES = 200


class _Missing:
    pass


_MISSING = _Missing()


class Table(Generic[V]):
    """Rows of one type, under keys that begin with `prefix`; the `Store` contract.

    Parameters
    ----------
    prefix : str
        One character that sets this table's keys apart; "~" marks bookkeeping that is no state.
    row_type : type
        msgspec type of every row.
    read : callable
        Raw bytes of a key that is not in the cache (bytes -> bytes or None).
    cache_bytes : int
        Estimated bytes of decoded clean rows kept; dirty rows are kept besides, until frozen.
    """

    def __init__(
        self, prefix: str, row_type: type[V], read: Callable[[bytes], bytes | None], *, cache_bytes: int
    ) -> None:
        self.prefix = prefix.encode()
        self._read = read
        self._encode = msgspec.msgpack.Encoder().encode
        self.decode = msgspec.msgpack.Decoder(row_type).decode
        self._half = max(1, cache_bytes // 2)
        self._young: dict[str, V] = {}
        self._old: dict[str, V] = {}
        self._young_bytes = 0
        self._dirty: dict[str, V | None] = {}
        self._frozen: dict[bytes, bytes | None] = {}
        self._encoded_bytes = 0.0
        self.hits = 0
        self.misses = 0

    def get(self, key: str) -> V | None:
        young = self._young.get(key)
        if young is not None:
            self.hits += 1
            return young
        row: V | _Missing | None = self._dirty.get(key, _MISSING)
        if not isinstance(row, _Missing):
            self.hits += 1
            return row
        row = self._old.get(key, _MISSING)
        if not isinstance(row, _Missing):
            self.hits += 1
            self._keep(key, row, ROW_OVERHEAD_BYTES)
            return row
        self.misses += 1
        raw = self._raw(self.prefix + key.encode())
        if raw is None:
            return None
        loaded = self.decode(raw)
        self._keep(key, loaded, ROW_OVERHEAD_BYTES + DECODED_BYTES_PER_ENCODED * len(raw))
        return loaded

    def put(self, key: str, value: V) -> None:
        if key in self._young:
            self._young[key] = value
        else:
            self._keep(key, value, ROW_OVERHEAD_BYTES)
        self._dirty[key] = value

    def delete(self, key: str) -> None:
        self._young.pop(key, None)
        self._old.pop(key, None)
        self._dirty[key] = None

    @property
    def dirty(self) -> int:
        """How many rows wait to be frozen."""
        return len(self._dirty)

    @property
    def dirty_bytes(self) -> int:
        """Estimated bytes of the rows that wait to be frozen, as stored, going by the last ones that were."""
        return int(len(self._dirty) * (ROW_OVERHEAD_BYTES + self._encoded_bytes))

    def dirty_keys(self) -> list[str]:
        """Keys that were put and are not frozen yet."""
        return [key for key, row in self._dirty.items() if row is not None]

    def unwritten_keys(self) -> list[str]:
        """Keys that were put and are not on disk for certain: dirty ones, and those being written."""
        start = len(self.prefix)
        written = [key[start:].decode() for key, raw in self._frozen.items() if raw is not None]
        return [*self.dirty_keys(), *(key for key in written if key not in self._dirty)]

    def freeze(self) -> dict[bytes, bytes | None]:
        """Encode the dirty rows as they are now; None stands for a deletion."""
        encode, prefix = self._encode, self.prefix
        frozen: dict[bytes, bytes | None] = {}
        total = 0
        for key, row in self._dirty.items():
            if row is None:
                frozen[prefix + key.encode()] = None
                continue
            raw = encode(row)
            frozen[prefix + key.encode()] = raw
            total += len(raw)
        self._young_bytes += total
        if frozen:
            self._encoded_bytes = total / len(frozen)
        self._dirty = {}
        self._frozen = frozen
        self._turn()
        return frozen

    def thaw(self) -> None:
        """What was frozen is on disk."""
        self._frozen = {}

    def _raw(self, key: bytes) -> bytes | None:
        if key in self._frozen:
            return self._frozen[key]
        return self._read(key)

    def _keep(self, key: str, row: V, size: int) -> None:
        self._young[key] = row
        self._young_bytes += size
        self._turn()

    def _turn(self) -> None:
        """Forget the rows that were not touched since the last turn, once the young ones fill half."""
        if self._young_bytes > self._half:
            self._old, self._young, self._young_bytes = self._young, {}, 0
