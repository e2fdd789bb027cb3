"""The ranker stage: weights are published; it tells what it loses on new lessons and on some it learned."""

from pathlib import Path

import msgspec
import pytest

from online_models.memory_store import MemoryStore
from online_models.ranker_step import RankerStep
from online_models.training_gap import EVERY, HELD, TrainingGap
from schemas.messages import BEFORE_ALL, Packet
from schemas.state import RankerRow
from streams.outbox import Record
from tests.online_models.test_training_gap import a_lesson
from tests.streams.stages.parts import Bench, worked


def value_of(bench: Bench, series: str) -> float:
    lines = (line.split() for line in bench.metrics.render().decode().splitlines())
    return sum(float(words[1]) for words in lines if words[0] == series)


def test_weights_are_published_and_over_fitting_can_be_told(tmp_path: Path) -> None:
    bench, lessons = Bench(state=tmp_path), (HELD + 10) * EVERY
    part, step = bench.open("ranker"), RankerStep(MemoryStore(RankerRow))
    entries = [a_lesson(seed) for seed in range(lessons)]
    positions = [(n, 0) for n in range(lessons)]
    packet = Packet(0, "events", 0, BEFORE_ALL, positions[-1], positions, entries)
    part.apply(Record(0, 0, msgspec.msgpack.encode(packet)))
    gap, losses = TrainingGap(step), []
    for entry in entries:
        losses += [found for found in [gap.before(entry)] if found is not None]
        step.learn_one(entry)
    worked(part)
    assert bench.decoded("ranker") == [step.weights()]
    assert bench.shows("freshrec_ranker_losses_compared_total 10.0")
    for name, expected in (
        ("new", [each.new for each in losses]),
        ("learned", [each.learned for each in losses]),
    ):
        series = f'freshrec_ranker_losses_total{{lesson="{name}"}}'
        assert value_of(bench, series) == pytest.approx(sum(expected))
    assert len(losses) == 10
