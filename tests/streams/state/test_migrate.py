"""What a store says of its settings may change; what its numbers mean may not."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.settings import Settings
from schemas.state import MetaRow, ProgressRow, RuleRow
from streams.errors import StateError
from streams.identity import LEARNING, claim, expected_meta
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.stages.opening import database_path
from streams.state.migrate import MEANING, Migration
from streams.state.stores import Cluster, stores_in
from streams.topology import STAGE_BY_NAME

CLUSTER = Cluster("c-1", {"events": "t-events", "item-deltas": "t-deltas", "samples": "t-samples"})
BUDGET = RocksBudget(2**22)


def settings_of(folder: Path, **sections: dict[str, Any]) -> Settings:
    return msgspec.convert({"state": {"dir": str(folder)}, **sections}, Settings)


def expected(stage: str, settings: Settings) -> MetaRow:
    source = STAGE_BY_NAME[stage].reads[0]
    topic_id = CLUSTER.topic_ids[source]
    return expected_meta(
        stage, 0, 4, settings, source=source, cluster=CLUSTER.id, topic_id=topic_id, pseudonym_key=""
    )


def a_store(folder: Path, stage: str, **others: Any) -> None:
    """A store that has counted up to offset 9, with one row."""
    database = RocksDatabase(database_path(folder, stage, 0), BUDGET, cache_bytes=2**20)
    database.write_meta(msgspec.structs.replace(expected(stage, settings_of(folder)), epoch=3, **others))
    database.table("r", RuleRow).put("tea", RuleRow(0, 7, [1, 2, 3]))
    database.write(database.freeze(ProgressRow(9)))
    database.close()


def test_counts_stay_and_the_store_opens_under_the_settings_of_now(tmp_path: Path) -> None:
    a_store(tmp_path, "rules")
    a_store(tmp_path, "history")
    now = settings_of(tmp_path, rules={"max_row": 50})
    migration = Migration(now, CLUSTER)
    changes = migration.changes(stores_in(tmp_path, (), ()))
    assert [(each.stage, each.differences, each.migrated_at) for each in changes] == [
        ("rules", ["rules.max_row was 1000, now 50"], 9)
    ]
    migration.carry_out(changes)
    database = RocksDatabase(database_path(tmp_path, "rules", 0), BUDGET, cache_bytes=2**20)
    try:
        meta = claim(database, expected("rules", now))
        assert (meta.epoch, meta.migrated_at, meta.settings["rules.max_row"]) == (3, 9, "50")
        assert database.table("r", RuleRow).get("tea") == RuleRow(0, 7, [1, 2, 3])
        assert database.progress() == ProgressRow(9)
    finally:
        database.close()
    assert migration.changes(stores_in(tmp_path, (), ())) == []


@pytest.mark.parametrize(
    ("stage", "section", "key", "value"),
    [
        ("rules", "rules", "half_life_s", 3_600),
        ("history", "rules", "half_life_s", 0),
        ("clusters", "segments", "clusters", 7),
        ("clusters", "segments", "warmup_samples", 7),
    ],
)
def test_a_setting_that_decides_what_numbers_mean_is_refused_with_what_to_do(
    tmp_path: Path, stage: str, section: str, key: str, value: int
) -> None:
    a_store(tmp_path, stage)
    migration = Migration(settings_of(tmp_path, **{section: {key: value}}), CLUSTER)
    with pytest.raises(StateError, match=f"{section}.{key} was .*freshrec reset {stage}"):
        migration.changes(stores_in(tmp_path, (), ()))


@pytest.mark.parametrize(
    ("field", "value", "what_to_do"),
    [
        ("partitions", 8, "set kafka.partitions back"),
        ("topic_id", "t-old", "freshrec reset rules"),
        ("cluster_id", "c-2", "point kafka.bootstrap_servers or state.dir"),
        ("format", 9, "use the release that wrote it"),
    ],
)
def test_a_store_of_something_else_is_refused_with_what_to_do(
    tmp_path: Path, field: str, value: object, what_to_do: str
) -> None:
    a_store(tmp_path, "rules", **{field: value})
    with pytest.raises(StateError, match=rf"nothing was migrated. rules/0: {field} is .*{what_to_do}"):
        Migration(settings_of(tmp_path), CLUSTER).changes(stores_in(tmp_path, (), ()))


def test_one_store_that_cannot_be_migrated_holds_up_all(tmp_path: Path) -> None:
    a_store(tmp_path, "rules")
    a_store(tmp_path, "history", partitions=8)
    migration = Migration(settings_of(tmp_path, rules={"max_row": 50}), CLUSTER)
    with pytest.raises(StateError):
        migration.changes(stores_in(tmp_path, (), ()))


def test_rows_of_an_older_version_are_migrated_by_saying_so(tmp_path: Path) -> None:
    a_store(tmp_path, "rules", fingerprint="of rows as they were")
    migration = Migration(settings_of(tmp_path), CLUSTER)
    (change,) = migration.changes(stores_in(tmp_path, (), ()))
    assert change.differences == ["rows of another version"]
    migration.carry_out([change])
    assert migration.changes(stores_in(tmp_path, (), ())) == []


def test_every_setting_that_decides_a_meaning_decides_what_is_learned() -> None:
    deciding = {name for names in LEARNING.values() for name in names}
    assert set(MEANING) <= deciding
