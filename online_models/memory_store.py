"""A store in memory for tests, checks and doctests: every row is encoded and decoded, no reference leaks."""

from typing import Generic, TypeVar

import msgspec

V = TypeVar("V")


class MemoryStore(Generic[V]):
    """Rows of one type under string keys.

    Parameters
    ----------
    row_type : type
        Type of every row; a row that does not survive encoding fails at `put`.

    Examples
    --------
    >>> store = MemoryStore(list[int])
    >>> store.put("a", [1, 2])
    >>> store.get("a"), store.get("b")
    ([1, 2], None)
    """

    def __init__(self, row_type: type[V]) -> None:
        self._rows: dict[str, bytes] = {}
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(row_type)

    def get(self, key: str) -> V | None:
        raw = self._rows.get(key)
        return None if raw is None else self._decoder.decode(raw)

    def put(self, key: str, value: V) -> None:
        raw = self._encoder.encode(value)
        if self._decoder.decode(raw) != value:
            raise ValueError(f"row {key!r} does not survive encoding: {value!r}")
        self._rows[key] = raw

    def delete(self, key: str) -> None:
        self._rows.pop(key, None)

    def rows(self) -> dict[str, bytes]:
        """All rows as encoded, for comparing two stores key by key."""
        return dict(self._rows)
