"""The density stage: samples are learned once where it is on, and groups are told; else it only moves on."""

from pathlib import Path

from online_models.density import DensityStep
from online_models.evaluation.plain_store import PlainStore
from schemas.density import DensityRow
from schemas.messages import BEFORE_ALL, Sample
from schemas.settings import DensitySettings, Settings
from tests.online_models.test_dbstream import customers
from tests.streams.stages.parts import Bench, samples_record, worked


def samples() -> list[Sample]:
    return [Sample(n, features, [], [], 0.0, 0) for n, features in enumerate(customers(400, 4))]


def test_what_is_published_is_what_the_step_says(tmp_path: Path) -> None:
    settings = Settings(density=DensitySettings(enabled=True))
    bench, step = Bench(settings, tmp_path), DensityStep(PlainStore[DensityRow](), settings)
    part = bench.open("density")
    for _ in range(2):
        part.apply(samples_record(0, samples(), after=BEFORE_ALL))
        worked(part, drain=True)
    for sample in samples():
        step.learn_one(sample)
    (told,) = bench.decoded("density")
    assert told == step.groups() == bench.views.density()
    assert bench.shows("freshrec_density_groups 3.0")


def test_where_it_is_off_nothing_is_learned(tmp_path: Path) -> None:
    bench = Bench(Settings(), tmp_path)
    part = bench.open("density")
    part.apply(samples_record(0, samples(), after=BEFORE_ALL))
    worked(part, idle=True, drain=True)
    assert (bench.put_records, part.progress.next_offset) == ([], 1)
