"""Every step against every check of the contract, over the events of simulated shops."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from online_models.catalog import STEPS
from online_models.checks import (
    check_bounded,
    check_deterministic,
    check_keys,
    check_learn_many,
    check_lists,
    check_round_trips,
    digest,
)
from online_models.checks.doubles import Memory
from online_models.open_sessions import ACTIONS
from online_models.session_index import SessionIndex
from schemas.messages import Fact
from schemas.state import ProgressRow
from streams.rocks_store import RocksBudget, RocksDatabase
from tests.contracts.event_logs import (
    COUNT,
    DEFAULTS,
    PRESET_NAMES,
    PRESETS_IN_TURN,
    TIGHT,
    deltas,
    events,
    history_outputs,
    log_for,
    taught,
)

CHECKS = {"deterministic": check_deterministic, "lists": check_lists, "keys": check_keys} | {
    "round trips": check_round_trips
}
USING = {"defaults": DEFAULTS, "tight": TIGHT}
MANY = [name for name, model in STEPS.items() if model.split is not None]
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("using", USING)
@pytest.mark.parametrize("preset", PRESETS_IN_TURN)
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("model", STEPS)
def test_every_step_keeps_the_contract(model: str, check: str, preset: str, using: str) -> None:
    CHECKS[check](STEPS[model], log_for(model, preset, COUNT, USING[using]), USING[using])


@pytest.mark.parametrize("preset", PRESETS_IN_TURN)
@pytest.mark.parametrize("model", STEPS)
def test_rows_stay_within_their_bounds(model: str, preset: str) -> None:
    log = log_for(model, preset, 3 * COUNT, TIGHT)
    check_bounded(STEPS[model], log, TIGHT, id_bytes=16)


@pytest.mark.parametrize("using", USING)
@pytest.mark.parametrize("preset", PRESETS_IN_TURN)
@pytest.mark.parametrize("model", MANY)
def test_learning_many_equals_learning_one_by_one_however_cut(model: str, preset: str, using: str) -> None:
    settings = USING[using]
    cuts = [deltas(preset, COUNT, settings, batch=batch) for batch in (1, 2, 7, 64, COUNT + 99)]
    check_learn_many(STEPS[model], cuts, settings)


@pytest.mark.parametrize("model", STEPS)
def test_rows_in_rocksdb_are_those_in_memory(model: str, tmp_path: Path) -> None:
    """With a cache of next to nothing and a cut every few events, so that rows come back from disk."""
    log, memory = log_for(model, "small", COUNT, TIGHT), Memory()
    database = RocksDatabase(tmp_path / "db", RocksBudget(2**23), cache_bytes=1)
    one = STEPS[model].make(memory.make, TIGHT)
    two = STEPS[model].make(database.table, TIGHT)
    for number, x in enumerate(log):
        assert one.learn_one(x) == two.learn_one(x)
        if number % 5 == 4 or number == len(log) - 1:
            database.write(database.freeze(ProgressRow()))
            database.thaw()
    rows = {key.decode(): row for key, row in database.rows() if not key.startswith(b"\x00")}
    assert rows == memory.rows()
    database.close()


def digests() -> dict[str, str]:
    """Fingerprints of a run of each model with each of the settings."""
    return {
        f"{name} {using}": digest(model, log_for(name, "demo", COUNT, settings), settings)
        for name, model in STEPS.items()
        for using, settings in USING.items()
    }


def test_what_is_learned_does_not_depend_on_the_hash_seed() -> None:
    code = "import json; from tests.contracts.test_models import digests; print(json.dumps(digests()))"
    found = []
    for seed in ("0", "4242"):
        result = subprocess.run(  # noqa: S603  # a command of our own
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(json.loads(result.stdout))
    assert found[0] == found[1] == digests()


def test_logs_reach_what_they_are_there_for() -> None:
    log = [event for preset in PRESET_NAMES for event in events(preset, COUNT)]
    assert {event.kind for event in log} >= {
        "view",
        "cart",
        "purchase",
        "rating",
        "erasure",
        "customer",
        "link",
    }
    assert {event.key[0] for event in log} == {"u", "s", "o"}
    assert {event.profiling for event in log} == {True, False}
    assert any(line.categories for event in log for line in event.lines)
    memory = Memory()
    step = STEPS["history"].make(memory.make, TIGHT)
    for event in events("small", COUNT):
        step.learn_one(event)
    assert len([key for key in memory.rows() if key.startswith("hs:")]) < len(
        {event.key for event in events("small", COUNT) if event.key.startswith("s:")}
    )


@pytest.mark.parametrize("preset", PRESETS_IN_TURN)
def test_lessons_reach_what_they_are_there_for(preset: str) -> None:
    tight, all_of_them = taught(preset, COUNT, TIGHT), taught(preset, COUNT, DEFAULTS)
    known, index = tight.views.ranker(), tight.views.sessions()
    assert known is not None
    assert index is not None
    # Lessons are drawn, chosen by a warm ranker and cut to their bound, and sessions were let go of.
    assert TIGHT.ranker.warm_up < TIGHT.ranker.all_lessons < known.learned < len(all_of_them.lessons)
    sizes = [len(lesson.features) // (2 * lesson.width) for lesson in tight.lessons]
    assert TIGHT.ranker.lesson_candidates in sizes
    assert max(sizes) <= TIGHT.ranker.lesson_candidates + max(len(lesson.chosen) for lesson in tight.lessons)
    assert index.newest >= TIGHT.sessions.held
    assert any(len(lesson.chosen) > 1 for lesson in all_of_them.lessons)


@pytest.mark.parametrize("preset", PRESETS_IN_TURN)
def test_no_session_of_who_is_forgotten_is_in_the_index(preset: str) -> None:
    index, taken_out = SessionIndex(), 0
    for _, fact in history_outputs(preset, COUNT, DEFAULTS):
        if not isinstance(fact, Fact):
            continue
        before = index.session_of(fact.key)
        index.learn_fact(fact)
        if fact.kind == "erasure":
            assert index.session_of(fact.key) == -1
            taken_out += before >= 0
        elif fact.kind in ACTIONS:
            assert index.session_of(fact.key) >= max(before, 0)
    assert taken_out > 1
    held = np.frombuffer(index.rows().owners, np.int64).reshape(-1, 2)
    emptied = index.about[: len(held), 1] == 0
    assert emptied.sum() >= taken_out
    assert not held[emptied].any()
