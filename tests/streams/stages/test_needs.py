"""The needs stage: lessons are learned once, and what is told of all customers is not about few of them."""

from pathlib import Path

import msgspec

from online_models.memory_store import MemoryStore
from online_models.needs import NeedsStep
from schemas.messages import BEFORE_ALL, Packet
from schemas.profiles import NeedLesson, NeedsRow
from schemas.settings import PrivacySettings, ProfilesSettings, Settings
from streams.outbox import Record
from tests.streams.stages.parts import Bench, worked

DAY_MS = 86_400_000


def lessons() -> list[NeedLesson]:
    """Customers who come daily and buy every other day, long enough for some answers."""
    return [
        NeedLesson(
            who, day * DAY_MS, day, 0, day * DAY_MS, day // 2, (day // 2) * 2 * DAY_MS, 5.0 * day,
            "teas", ["cups" if who else "pots"], [0.5], [0.1], day % 2 == 0,
        )
        for day in range(1, 100)
        for who in range(40)
    ]  # fmt: skip


def packed(entries: list[NeedLesson]) -> Record:
    positions = [(n, 0) for n in range(len(entries))]
    return Record(
        0, 0, msgspec.msgpack.encode(Packet(0, "facts", 0, BEFORE_ALL, positions[-1], positions, entries))
    )


def test_what_is_published_is_what_the_step_says(tmp_path: Path) -> None:
    settings = Settings(profiles=ProfilesSettings(needs_interval_ms=0))
    bench, step = Bench(settings, tmp_path), NeedsStep(MemoryStore(NeedsRow), settings)
    part = bench.open("needs")
    record = packed(lessons())
    part.apply(record)
    worked(part)
    part.apply(record)
    worked(part)
    for lesson in lessons():
        step.learn_one(lesson)
    (told,) = bench.decoded("needs")
    assert told == step.needs() == bench.views.needs()
    assert bench.shows(f"freshrec_buying_answers {float(told.answers)}")
    assert bench.shows(f"freshrec_buying_calibration_error_ratio {told.calibration_error}")


def test_what_followed_at_few_visits_is_not_told(tmp_path: Path) -> None:
    bench = Bench(Settings(privacy=PrivacySettings(min_customers=200)), tmp_path)
    part = bench.open("needs")
    part.apply(packed(lessons()))
    worked(part)
    (told,) = bench.decoded("needs")
    assert [name for name, _ in told.after["teas"]] == ["cups"]
