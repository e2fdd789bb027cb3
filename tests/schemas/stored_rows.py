"""Rows as each version stored them: samples, written once per version, read for as long as it is supported.

`python -m tests.schemas.stored_rows` writes those of the versions of now that are not there yet. A row
changed? Raise its version in `schemas.state.ROW_VERSIONS`, run this, and see to it that the older file is
still read as what it says (or delete it: that version is then not supported any more).
"""

from pathlib import Path
from typing import Any

import msgspec

from online_models.memory_store import MemoryStore
from online_models.pair_columns import columns_of
from online_models.rules import RulesStep
from schemas.clusters import ClusterRow, KMeansState, SegmentSums
from schemas.density import DensityRow
from schemas.experiments import Act, ArmTallies, ArmTally, Exposure, ShownList
from schemas.messages import ItemDeltas, ItemTouch, PairDeltas, Sample
from schemas.profiles import NeedsRow, PanelMember, ProfileRow, Slice
from schemas.settings import Settings
from schemas.state import (
    ROW_VERSIONS,
    Behaviour,
    ExpiryRow,
    GuestChunk,
    HistoryRow,
    ItemMark,
    MetaRow,
    OrderMark,
    Pending,
    PopularityRow,
    ProgressRow,
    PublishedRow,
    RankerRow,
    RuleRow,
    SegmentRow,
    SessionMark,
    TotalsRow,
    ViewProgress,
    ViewRow,
)
from schemas.trees import (
    AdwinState,
    Duel,
    LeafRow,
    OpenVisits,
    Outcome,
    TaskState,
    TreeNodes,
    TreesRow,
    VisitRow,
)

FOLDER = Path(__file__).parents[1] / "fixtures" / "state"
_PENDING = Pending("browses", 2, 1041, 1_700_000_000_000, 1_700_000_000_100, 1_700_000_000_150, ["b-1"])


class StoredRow(msgspec.Struct, frozen=True):
    """One row: its type, its bytes, and what they have to be read as today."""

    row: str
    hex: str
    value: Any


def samples() -> dict[str, list[msgspec.Struct]]:
    """Rows of every type, with something in every field, by the name of their version."""
    marks = {
        "kettle": ItemMark(1 << 20, 1_700_000_000_000, met=3, met_at=1_600_000_000_000, acted=2 << 20),
        "tea": ItemMark(4 << 20, 5, had=True),
    }
    behaviour = Behaviour(9, 4, 2, 1, 2, 3, 19.8, 29.7, 3, 8.0, 1, 5, 2, {"kitchen": 1.5}, {"gender": "f"}, 2)
    sessions = [
        SessionMark("s1", 1, 5, ["kettle", "tea"], ["kettle", "tea", "kettle"]),
        SessionMark(None, 7, 8, ["tea"], ["tea"]),
    ]
    seen, orders = b"\x00\x01\x02\x03\x04\x05\x06\xff", [OrderMark(3, ["tea", "cup"])]
    follows = {-(1 << 62): 1.5, 7: 0.5}
    history = HistoryRow(
        marks,
        sessions,
        seen,
        behaviour,
        8,
        472_222,
        3,
        _PENDING,
        4,
        orders,
        3,
        ["cup"],
        6,
        follows,
        _exposure(),
    )
    vectors = [bytearray(b"\x00\x00\x00\x00\x00\x00\xf0\x3f" * n) for n in (1, 1, 2, 3)]
    model = KMeansState(7, vectors[0], vectors[1], vectors[2], [3, 4], [6, 7], vectors[3], 400)
    sums = SegmentSums(2, 1.5, 19.8, 3.25, {"tea": 7}, {"kitchen": 9})
    sample = Sample(5, [0.5], [0.25], [("tea", ["kitchen"], 1 << 20)], 9.9, 1)
    meta = MetaRow(
        1,
        "1",
        "c-1",
        "item-deltas",
        "t-1",
        2,
        4,
        "rules",
        3,
        "0f",
        {"rules.max_row": "50"},
        6,
        {"events/0": 3},
        9,
    )
    return {
        "history": [history, ExpiryRow(472_222, {472_222: 1}), GuestChunk(["s:1", "o:2"])],
        "totals": [TotalsRow(19, [0, 65_536, 7], 1_700_000_000_000)],
        "experiments": [ArmTallies({"length:long": ArmTally(3, 1, 5, 9, [7, 2], [b"\x31" + b"\x00" * 15])})],
        "rules": [_rule_row(), PublishedRow(7, {"neighbours": b"\x00\xfe"})],
        "popularity": [PopularityRow(2_811, {"tea": 1 << 36, "kettle": 3}, 4, ["kitchen"])],
        "segments": [SegmentRow([0.5, 1.0], [0.25, 1.0], [("tea", ["kitchen"], 7)], 9.9, 1, 3, 5)],
        "clusters": [ClusterRow(model, [sums, SegmentSums()], [sample], {77: 1}, 1, 5, 2_811)],
        "ranker": [RankerRow(1, 2, 9, *(bytearray(b"\x00\x00\x80\x3f" * n) for n in (6, 1, 6, 1)))],
        "outcomes": [_visit_row(), OpenVisits(9, {"u:anna": 8, "s:1": 9}, 2, 7)],
        "trees": [_trees_row(), LeafRow(bytearray(b"\x01\x00\x00\x00\x00\x00\x00\x00"))],
        "density": [_density_row()],
        "profiles": [_profile_row()],
        "needs": [_needs_row()],
        "store": [
            meta,
            ProgressRow(9, {"events/0": (3, (8, 1))}, {"samples/0": (8, 0)}, {"u:anna": _PENDING}),
        ],
        "views": [ViewRow((3, 2, 9), b"\x93\x01"), ViewProgress({0: 5, 1: 0})],
    }


def _exposure() -> Exposure:
    shown = [ShownList(-7, 5, [3, 4], clicked=True, bought=True)]
    return Exposure("length:long", 5, 9, True, shown, [Act("purchase", 9, 8, [3], 2_500_000)], [1, 1, 0])


def _visit_row() -> VisitRow:
    look = Outcome(7, 1, [1.0, 0.5], ["drinks", ""], "kitchen", bought=True)
    names = ["tea", "cup"], ["drinks", "kitchen"], "drinks"
    return VisitRow(3, 1, 9, 0.5, 2, 1, 1, 1, 4.5, 9.0, 2, *names, 2, [look], 4, 2, 3, 5, 6, {"drinks": 1.5})


def _trees_row() -> TreesRow:
    counts = bytearray(b"\x02\x00\x00\x00\x00\x00\x00\x00" * 6)
    nodes = [
        TreeNodes(number, ["tea"], bytearray(b"\x02\xff\xff"), bytearray(b"\x01\x00\x00"), counts, {1: 7})
        for number in (1, 2)
    ]
    window = AdwinState(3, [[5], [1 << 20]], [[1], [1 << 20]])
    state = TaskState(nodes[0], window, nodes[1], Duel(4, 1, -3, 9), 7, 1, 5, 3, 1)
    return TreesRow(1, {"buys": state}, {"tea": 3}, 9)


def _density_row() -> DensityRow:
    one, two = (bytearray(b"\x00\x00\x00\x00\x00\x00\xf0\x3f" * n) for n in (1, 2))
    return DensityRow(7, one, one, two, [1.5, 2.0], [6, 7], {"0 1": (0.5, 7)}, 9)


def _profile_row() -> ProfileRow:
    hours, weekdays = [0] * 23 + [2], [2, *[0] * 6]
    row = ProfileRow([1, 0, 1, 0], hours, weekdays, 2, spent=9.9, pieces=2.0, epoch=658)
    row.first_at, row.last_at, row.visit_at, row.ordered_at = 1, 9, 8, 9
    row.categories, row.tags, row.items = {"kitchen": 7}, {"steel": 3}, {"tea": 7}
    row.visit, row.attributes, row.features, row.changes = {"kitchen": 4}, {"gender": "f"}, [0.5], 3
    return row


def _needs_row() -> NeedsRow:
    member = PanelMember(5, 3, 1, 4, 1, 4, 9.9, [0.5, -1.0], 0.25, True)
    row = NeedsRow(9, 4, {"tea": {"cups": 2}}, {"tea": 3}, [0.4, 0.2, 0.3, 0.1], {-77: member}, 1 << 60, 7)
    row.weights, row.squares, row.means, row.variances = [0.1, 0.2], [1.0, 2.0], [0.5], [1.5]
    row.calibration, row.back, row.back_squares = [[2.0, 0.5, 1.0]], [0.0, 1.0, -1.0, 1.0], [1.0] * 4
    row.slices = {-7: Slice({"tea": 2}, {"kitchen": 2})}
    return row


def _rule_row() -> RuleRow:
    """What one order of three items leaves in the row of one of them."""
    rows = MemoryStore(RuleRow)
    names = MemoryStore(str)
    touches = [ItemTouch(0, item, (0, 1, 0), 0, []) for item in range(3)]
    pairs = [PairDeltas(2, 2, [0, 1], [1, 1]), PairDeltas(3, 2, [0, 1], [1, 1])]
    order = ItemDeltas(["tea", "cup", "kettle"], [(0, 0)], [1_700_000_000_000], touches, columns_of(pairs))
    RulesStep(rows, names, Settings()).learn_many(order, after=(-1, -1))
    row = rows.get("kettle")
    assert row is not None
    return row


TYPES = {type(row).__name__: type(row) for rows in samples().values() for row in rows}


def as_stored(row: msgspec.Struct) -> StoredRow:
    """A row of today."""
    return StoredRow(type(row).__name__, msgspec.msgpack.encode(row).hex(), plain(row))


def plain(row: object) -> Any:
    """A row in the types that JSON has, as a file holds it."""
    return msgspec.json.decode(msgspec.json.encode(row))


def main() -> None:
    """Write the samples of the versions of now; what is there already stays."""
    for name, rows in samples().items():
        path = FOLDER / name / f"{ROW_VERSIONS[name]}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            raw = msgspec.json.encode([as_stored(row) for row in rows])
            path.write_bytes(msgspec.json.format(raw) + b"\n")


if __name__ == "__main__":
    main()
