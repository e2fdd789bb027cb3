"""Trees: they are published as the step answers, and changes are told as metrics."""

from pathlib import Path

import msgspec

from online_models.memory_store import MemoryStore
from online_models.trees import TreesStep
from schemas.messages import BEFORE_ALL, Packet
from schemas.trees import LeafRow, Outcome, TreesRow
from streams.outbox import Record
from streams.stages.partition import KeptPartition
from tests.online_models.test_trees import outcomes
from tests.streams.stages.parts import Bench, decoded, flushed, settings_of, worked


def apply(part: KeptPartition, some: list[Outcome]) -> None:
    """Apply the next record."""
    offset = part.progress.next_offset
    after = part.progress.applied.get("facts/0", (0, BEFORE_ALL))[1]
    positions = [(after[0] + 1 + n, 0) for n in range(len(some))]
    packet = Packet(0, "facts", 0, after, positions[-1], positions, some)
    part.apply(Record(offset, 0, msgspec.msgpack.encode(packet)))


def test_trees_are_published_as_the_step_answers_and_once_per_interval(tmp_path: Path) -> None:
    bench = Bench(settings_of(4), tmp_path)
    part, some = bench.open("trees"), outcomes(1, 1_500)
    apply(part, some[:100])
    worked(part)
    assert bench.taken("trees") == []
    apply(part, some[100:1_000])
    bench.now += 1_000
    worked(part)
    step = TreesStep(MemoryStore(TreesRow), MemoryStore(LeafRow), bench.settings)
    for x in some[:1_000]:
        step.learn_one(x)
    records = bench.taken("trees")
    assert [(record.partition, record.key) for record in records] == [(0, b"buys"), (0, b"next")]
    assert [decoded(record) for record in records] == step.published()
    bench.put_records.clear()
    apply(part, some[1_000:])
    worked(part)
    assert bench.taken("trees") == []
    flushed(part)


def test_changes_are_counted_and_the_error_is_shown(tmp_path: Path) -> None:
    bench = Bench(settings_of(1), tmp_path)
    part = bench.open("trees")
    apply(part, outcomes(1, 2_000))
    apply(part, outcomes(2, 600, turned=True))
    worked(part)
    lines = bench.metrics.render().decode().splitlines()
    values = {line.partition(" ")[0]: float(line.partition(" ")[2]) for line in lines if line[0] != "#"}
    assert values['freshrec_drift_total{series="buys"}'] >= 1
    assert 0 < values['freshrec_drift_error{series="buys"}'] < 1
    assert values['freshrec_drift_last_timestamp_seconds{series="buys"}'] > 0
    assert values['freshrec_drift_last_timestamp_seconds{series="next"}'] == 0
