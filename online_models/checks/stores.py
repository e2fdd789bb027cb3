"""What every store must do: give back what was put, whatever the key, and forget what was deleted.

A store is looked at through a `StoreCase`, which can settle it: write it out, drop its caches, open it anew.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

import msgspec

from online_models.checks.failure import require
from online_models.protocols import Store
from schemas.messages import WEIGHT_ONE
from schemas.state import (
    Behaviour,
    ExpiryRow,
    GuestChunk,
    HistoryRow,
    ItemMark,
    Pending,
    PopularityRow,
    RuleRow,
    SegmentRow,
    SessionMark,
    TotalsRow,
)

V = TypeVar("V")

KEYS = ("", "a", "A", "a\x00", "a\x00b", " a", "é", "e\u0301", "日本", "\U0001f375", "\x7f", "~", "x" * 256)
"""Keys that are all different, and that a careless encoding, order or prefix would mix up."""

LARGEST, SMALLEST = 2**63 - 1, -(2**63)


class StoreCase(Protocol):
    """A store under test: `settle` makes durable what was put, and `open` gives it as of now."""

    def open(self, row_type: type[V]) -> Store[V]: ...

    def settle(self) -> None: ...


def sample_rows() -> list[msgspec.Struct]:
    """Rows of every type that is kept: empty ones, full ones, and numbers at the edge of 64 bits."""
    mark = ItemMark(4 * WEIGHT_ONE, LARGEST, had=True, disliked=True)
    behaviour = Behaviour(spent=1e300, price_sum=-0.0, categories={"é": 5e-324}, attributes={"gender": ""})
    pending = Pending("browses", 0, LARGEST, SMALLEST, 0, 1, ["b-1", ""])
    return [
        HistoryRow(),
        HistoryRow(
            {"b": mark, "a": ItemMark(0, SMALLEST), "": ItemMark(1, 0)},
            [SessionMark(None, SMALLEST, LARGEST, []), SessionMark("é", 0, 0, ["b", "a"])],
            bytes(range(256)),
            behaviour,
            newest=pending,
            erased_until=SMALLEST,
        ),
        RuleRow(),
        RuleRow(SMALLEST, LARGEST, [2**64 - 1, 0, 1], bytearray(range(256)), LARGEST),
        TotalsRow(3, [LARGEST, 0, 1], SMALLEST),
        ExpiryRow(LARGEST, {-3: 1, 2: LARGEST}),
        GuestChunk(["s:1", "o:é"]),
        PopularityRow(2, {"": 1, "\U0001f375": LARGEST}, 3),
        SegmentRow([0.1, 1e300], [-0.0], [("a", ["x", ""], LARGEST), ("b", [], 0)], 0.3, 1, 2, 3),
    ]


def check_what_was_put_is_got(case: StoreCase) -> None:
    """Every type of row comes back equal, also its order."""
    for row in sample_rows():
        row_type = type(row)
        case.open(row_type).put("key", row)
        case.settle()
        found = case.open(row_type).get("key")
        require(found == row, f"{row_type.__name__}: put {row!r}, got {found!r}")
        require(repr(found) == repr(row), f"{row_type.__name__}: order or signs changed: {found!r}")


def check_unknown_keys_are_none(case: StoreCase) -> None:
    """A key that was never put gives None and stays unknown."""
    for _ in range(2):
        for key in KEYS:
            found = case.open(GuestChunk).get(key)
            require(found is None, f"unknown key {key!r} gave {found!r}; expected None")
        case.settle()


def check_keys_do_not_mix(case: StoreCase) -> None:
    """Any text is a key of its own."""
    for key in KEYS:
        case.open(GuestChunk).put(key, GuestChunk([key]))
    case.settle()
    for key in KEYS:
        found = case.open(GuestChunk).get(key)
        require(found == GuestChunk([key]), f"key {key!r} gave {found!r}; expected its own row")


def check_the_last_put_counts(case: StoreCase) -> None:
    """A row is replaced as a whole, settled or not."""
    for settled in (False, True):
        for number in range(3):
            case.open(GuestChunk).put("key", GuestChunk([str(number)]))
            if settled:
                case.settle()
            found = case.open(GuestChunk).get("key")
            require(found == GuestChunk([str(number)]), f"after put number {number} the row is {found!r}")


def check_deleted_rows_are_gone(case: StoreCase) -> None:
    """A deleted row is None until it is put again; deleting what isn't there does nothing."""
    for settled in (False, True):
        case.open(GuestChunk).put("gone", GuestChunk(["a"]))
        case.open(GuestChunk).put("kept", GuestChunk(["b"]))
        if settled:
            case.settle()
        case.open(GuestChunk).delete("gone")
        case.open(GuestChunk).delete("never put")
        for _ in range(2):
            found, kept = case.open(GuestChunk).get("gone"), case.open(GuestChunk).get("kept")
            require(found is None, f"a deleted row is still {found!r}")
            require(kept == GuestChunk(["b"]), f"another row became {kept!r} by a deletion")
            case.settle()
    case.open(GuestChunk).put("gone", GuestChunk(["c"]))
    case.settle()
    found = case.open(GuestChunk).get("gone")
    require(found == GuestChunk(["c"]), f"a row that was put after its deletion is {found!r}")


def check_changes_need_a_put(case: StoreCase) -> None:
    """What is changed after it was settled, and not put, is not in the store."""
    row = GuestChunk(["a"])
    case.open(GuestChunk).put("key", row)
    case.settle()
    row.keys.append("leaked")
    found = case.open(GuestChunk).get("key")
    require(found == GuestChunk(["a"]), f"a change after settling leaked into the store: {found!r}")


STORE_CHECKS: Mapping[str, Callable[[StoreCase], None]] = MappingProxyType(
    {
        check.__name__.removeprefix("check_"): check
        for check in (
            check_what_was_put_is_got,
            check_unknown_keys_are_none,
            check_keys_do_not_mix,
            check_the_last_put_counts,
            check_deleted_rows_are_gone,
            check_changes_need_a_put,
        )
    }
)
"""All checks of stores by name."""
