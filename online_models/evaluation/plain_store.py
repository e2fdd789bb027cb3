"""A store for evaluation: rows in a dict as they are, since millions of them are read."""

from typing import Generic, TypeVar

V = TypeVar("V")


class PlainStore(Generic[V]):
    """Rows of one type under string keys, kept as the very objects that were put.

    A step that changes a row puts it back, so sharing it does no harm; what must not be shared goes into
    `online_models.memory_store.MemoryStore`.

    Examples
    --------
    >>> store = PlainStore[list[int]]()
    >>> store.put("a", [1, 2])
    >>> store.get("a"), store.get("b"), len(store)
    ([1, 2], None, 1)
    """

    def __init__(self) -> None:
        self.rows: dict[str, V] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def get(self, key: str) -> V | None:
        return self.rows.get(key)

    def put(self, key: str, value: V) -> None:
        self.rows[key] = value

    def delete(self, key: str) -> None:
        self.rows.pop(key, None)
