"""Every store against every check of the contract."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from online_models.checks import STORE_CHECKS, CheckFailedError
from online_models.checks.stores import check_changes_need_a_put, check_what_was_put_is_got
from online_models.memory_store import MemoryStore
from online_models.protocols import Store
from schemas.state import ProgressRow
from streams.rocks_store import Frozen, RocksBudget, RocksDatabase

V = TypeVar("V")
BUDGET = RocksBudget(8 * 1024 * 1024)


class InMemory:
    """MemoryStore, which is always settled."""

    def __init__(self, _: Path) -> None:
        self._stores: dict[str, MemoryStore[Any]] = {}

    def open(self, row_type: type[V]) -> Store[V]:
        store: MemoryStore[V] = self._stores.setdefault(row_type.__name__, MemoryStore(row_type))
        return store

    def settle(self) -> None:
        pass

    def close(self) -> None:
        pass


class OnDisk:
    """Tables of one database; settling writes a cut."""

    cache_bytes = 10**7

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "db"
        self._prefixes: dict[str, str] = {}
        self._open()

    def _open(self) -> None:
        self.database = RocksDatabase(self._folder, BUDGET, cache_bytes=self.cache_bytes)

    def open(self, row_type: type[V]) -> Store[V]:
        prefix = self._prefixes.setdefault(row_type.__name__, chr(ord("a") + len(self._prefixes)))
        return self.database.table(prefix, row_type)

    def settle(self) -> None:
        self.database.write(self.database.freeze(ProgressRow()))
        self.database.thaw()

    def close(self) -> None:
        self.database.close()


class Uncached(OnDisk):
    """With a cache too small for anything but the row at hand."""

    cache_bytes = 1


class CutAndNotWritten(Uncached):
    """Settling freezes a cut that is only written at the next one: rows are seen through the frozen ones."""

    _cut: Frozen | None = None

    def settle(self) -> None:
        if self._cut is not None:
            self.database.write(self._cut)
            self.database.thaw()
        self._cut = self.database.freeze(ProgressRow())


class Reopened(OnDisk):
    """Settling closes the database and opens it anew."""

    def settle(self) -> None:
        super().settle()
        self.database.close()
        self._open()


CASES: dict[str, Callable[[Path], "InMemory | OnDisk"]] = {
    "memory": InMemory,
    "rocks": OnDisk,
    "rocks without cache": Uncached,
    "rocks cut and not written": CutAndNotWritten,
    "rocks reopened": Reopened,
}
ENCODING = {"memory", "rocks reopened"}
"""Cases in which no decoded row outlives settling; the others hand out the row that was put."""

PAIRS = [
    (case, check)
    for case in CASES
    for check in STORE_CHECKS
    if case in ENCODING or STORE_CHECKS[check] is not check_changes_need_a_put
]


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[InMemory | OnDisk]":
    made = CASES[request.param](tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(("case", "check"), PAIRS, indirect=["case"])
def test_every_store_keeps_the_contract(case: "InMemory | OnDisk", check: str) -> None:
    STORE_CHECKS[check](case)


class _Forgetful(InMemory):
    """Breaks the contract: forgets all it was given when it is settled."""

    def settle(self) -> None:
        self._stores.clear()


class _SharingStore:
    """Breaks the contract: hands out what it was given, not a copy."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self._kept.get(key)

    def put(self, key: str, value: Any) -> None:
        self._kept[key] = value

    def delete(self, key: str) -> None:
        self._kept.pop(key, None)


class _Sharing(InMemory):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._sharing: dict[str, _SharingStore] = {}

    def open(self, row_type: type[V]) -> Store[V]:
        return self._sharing.setdefault(row_type.__name__, _SharingStore())


def test_the_checks_see_a_store_that_forgets(tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError, match="put HistoryRow"):
        check_what_was_put_is_got(_Forgetful(tmp_path))


def test_the_checks_see_a_store_that_leaks(tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError, match="leaked into the store"):
        check_changes_need_a_put(_Sharing(tmp_path))
