"""Stores for looking at a step: one that encodes every row, one that keeps objects, one that is watched."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from online_models.memory_store import MemoryStore
from online_models.protocols import Store

V = TypeVar("V")
_encode = msgspec.msgpack.Encoder().encode


class Memory:
    """Stores in memory by prefix; every row is encoded at each put and decoded at each get."""

    def __init__(self) -> None:
        self._stores: dict[str, MemoryStore[Any]] = {}

    def make(self, prefix: str, row_type: type[V]) -> Store[V]:
        """Give the store of a prefix."""
        store: MemoryStore[V] = self._stores.setdefault(prefix, MemoryStore(row_type))
        return store

    def rows(self) -> dict[str, bytes]:
        """All rows as encoded, by prefix and key."""
        return {
            prefix + key: row for prefix, store in self._stores.items() for key, row in store.rows().items()
        }


class Kept(Generic[V]):
    """Hands out the very object that was put, as a cache of decoded rows does; encodes only at the cut."""

    def __init__(self) -> None:
        self.kept: dict[str, V] = {}
        self.dirty: dict[str, V | None] = {}
        self.cut: dict[str, bytes] = {}

    def get(self, key: str) -> V | None:
        return self.kept.get(key)

    def put(self, key: str, value: V) -> None:
        self.kept[key] = self.dirty[key] = value

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)
        self.dirty[key] = None

    def freeze(self) -> None:
        """Encode what was put since the last time."""
        for key, row in self.dirty.items():
            if row is None:
                self.cut.pop(key, None)
            else:
                self.cut[key] = _encode(row)
        self.dirty = {}


class Watched(Generic[V]):
    """A store that tells which keys are touched."""

    def __init__(self, inner: Store[V], on_touch: Callable[[str], None], on_put: Callable[[V], None]) -> None:
        self._inner, self._on_touch, self._on_put = inner, on_touch, on_put

    def get(self, key: str) -> V | None:
        self._on_touch(key)
        return self._inner.get(key)

    def put(self, key: str, value: V) -> None:
        self._on_touch(key)
        self._on_put(value)
        self._inner.put(key, value)

    def delete(self, key: str) -> None:
        self._on_touch(key)
        self._inner.delete(key)
