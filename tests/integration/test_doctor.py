"""Each cause that doctor names on Kafka, brought about for real; those without a broker are unit tests."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.structs import OffsetAndMetadata

from schemas.settings import KafkaSettings, Settings, StateSettings
from schemas.state import MetaRow, ProgressRow, RuleRow
from streams.cli import run
from streams.cluster import topic_specs
from streams.doctor import check_topology, examine
from streams.doctor_finding import Finding
from streams.doctor_lag import check_lag
from streams.doctor_models import check_models, switched_off
from streams.offsets import group_lags
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.stages.opening import database_path
from streams.topics import create_topics
from streams.topology import STAGES

pytestmark = pytest.mark.kafka

FLUSH_MAX_INTERVAL_MS = 2_000


@pytest.fixture
def settings(kafka: str, topic_prefix: str, tmp_path: Path) -> Settings:
    """A topology of one partition each, all topics made."""
    made = Settings(
        kafka=KafkaSettings(bootstrap_servers=kafka, topic_prefix=topic_prefix, partitions=1),
        state=StateSettings(dir=str(tmp_path / "state"), flush_max_interval_ms=FLUSH_MAX_INTERVAL_MS),
    )
    create_topics(made.kafka, topic_specs(made.kafka), replication=1)
    return made


def put(settings: Settings, *topics: str, records: int = 5) -> None:
    """Fill topics with records that nobody will read."""
    producer: Any = KafkaProducer(bootstrap_servers=[settings.kafka.bootstrap_servers])
    for topic in topics:
        for _ in range(records):
            producer.send(settings.kafka.topic_prefix + topic, b"{}")
    producer.flush(timeout=30)
    producer.close()


def place_of(settings: Settings, topic: str) -> TopicPartition:
    return TopicPartition(settings.kafka.topic_prefix + topic, 0)


def commit(settings: Settings, group: str, topic: str, offset: int) -> None:
    """Say that a group has got so far, as a worker does after a flush."""
    # Waits until the broker knows who coordinates the groups.
    group_lags(settings.kafka)
    admin: Any = KafkaAdminClient(bootstrap_servers=[settings.kafka.bootstrap_servers])
    name = f"{settings.kafka.topic_prefix}freshrec-{group}"
    admin.alter_group_offsets(name, {place_of(settings, topic): OffsetAndMetadata(offset, "", -1)})
    admin.close()


@contextmanager
def a_member(settings: Settings, group: str, topic: str) -> Iterator[None]:
    """A worker that joined its group and hangs: it never commits."""
    consumer: Any = KafkaConsumer(
        settings.kafka.topic_prefix + topic,
        bootstrap_servers=[settings.kafka.bootstrap_servers],
        group_id=f"{settings.kafka.topic_prefix}freshrec-{group}",
        enable_auto_commit=False,
        # It may join before it knows of the topic, and is then assigned nothing until it asks again.
        metadata_max_age_ms=500,
    )
    try:
        while not consumer.assignment():
            consumer.poll(timeout_ms=100)
        yield
    finally:
        consumer.close()


def wrong(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if not finding.ok]


def a_store(settings: Settings, stage: str) -> RocksDatabase:
    path = database_path(Path(settings.state.dir), stage, 0)
    database = RocksDatabase(path, RocksBudget(4 * 1024 * 1024), cache_bytes=1_000)
    database.write_meta(MetaRow(1, "1", "c", "item-deltas", "t", 0, 1, stage, 0, "f", {}))
    database.write(database.freeze(ProgressRow(next_offset=3)))
    return database


def test_nothing_sent_and_all_topics_made_leaves_only_the_missing_state(settings: Settings) -> None:
    findings = examine(settings, wait_s=0.0)

    assert [finding.name for finding in wrong(findings)] == ["state"]
    assert [finding.name for finding in findings][2:] == [
        *("erasure", "broker", "topics", "lag", "lag", "lag", "models")
    ]


def test_missing_topics_are_named_together(kafka: str, topic_prefix: str) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka, topic_prefix=topic_prefix)
    specs = topic_specs(settings)
    create_topics(settings, specs[1:], replication=1)

    (finding,) = check_topology(settings)

    assert finding.cause == f"1 of {len(specs)} topics is missing: {topic_prefix}browses"
    assert "freshrec topics create" in finding.what_to_do


def test_a_wrong_partition_count_is_named_with_both_numbers(settings: Settings) -> None:
    wider = msgspec.structs.replace(settings.kafka, partitions=3)

    findings = check_topology(wider)

    keyed = [spec for spec in topic_specs(wider) if spec.partitions == 3]
    assert [finding.ok for finding in findings] == [False] * len(keyed)
    assert findings[0].cause == f"topic {settings.kafka.topic_prefix}browses has 1 partitions, expected 3"
    assert findings[0].what_to_do.startswith("set the number in the settings")


def test_lag_without_a_worker_asks_for_one(settings: Settings) -> None:
    put(settings, "browses")
    commit(settings, "customers", "browses", 2)

    (finding,) = wrong(check_lag(settings, wait_s=0.0))

    assert "freshrec-customers has not moved" in finding.cause
    assert f"most in {settings.kafka.topic_prefix}browses/0: 3" in finding.cause
    assert "start 'freshrec worker'" in finding.what_to_do


def test_lag_of_a_worker_that_hangs_points_to_its_log_after_the_longest_flush_interval(
    settings: Settings,
) -> None:
    put(settings, "item-deltas")
    commit(settings, "models", "item-deltas", 5)
    waits: list[float] = []

    with a_member(settings, "rules", "item-deltas"):
        (finding,) = wrong(check_lag(settings, wait_s=1.0, wait=waits.append))

    assert "freshrec-rules has not moved for 3.0 s" in finding.cause
    assert sum(waits) * 1000 >= FLUSH_MAX_INTERVAL_MS
    assert "see its log" in finding.what_to_do


def test_lag_that_moves_is_well(settings: Settings) -> None:
    put(settings, "browses")
    commit(settings, "customers", "browses", 1)

    findings = check_lag(settings, wait_s=1.0, wait=lambda _: commit(settings, "customers", "browses", 2))

    assert wrong(findings) == []
    assert findings[0].cause.endswith("freshrec-customers: 3 records wait, and are being read")


def test_a_stage_whose_topic_has_records_and_whose_stores_are_empty_is_without_data(
    settings: Settings,
) -> None:
    put(settings, "item-deltas")
    a_store(settings, "rules").close()
    learned = a_store(settings, "popularity")
    learned.table("i", RuleRow).put("i1", RuleRow())
    learned.write(learned.freeze(ProgressRow()))

    findings = check_models(settings)
    learned.close()

    assert [(finding.ok, finding.cause.split()[0]) for finding in findings] == [
        (True, "popularity"),
        (False, "rules"),
    ]
    assert "although its topic holds 5 records: its 1 stores" in findings[1].cause
    assert "with stage rules" in findings[1].what_to_do


def test_a_stage_without_any_store_is_without_data(settings: Settings) -> None:
    put(settings, *(stage.reads[0] for stage in STAGES if stage.keeps))

    findings = check_models(settings)

    off = switched_off(settings)
    assert [finding.cause.split()[0] for finding in wrong(findings)] == [
        stage.name for stage in STAGES if stage.keeps and stage.name not in off
    ]
    assert [finding.cause for finding in findings if finding.ok] == [
        f"{name} is switched off" for name in off
    ]
    assert "it has no store in" in findings[0].cause


def test_a_store_that_cannot_be_opened_is_the_cause(settings: Settings) -> None:
    put(settings, "item-deltas")
    database = a_store(settings, "rules")
    database.close()
    (database.path / "CURRENT").write_text("damaged\n")

    finding = next(each for each in check_models(settings) if str(database.path) in each.cause)

    assert not finding.ok


def test_the_command_is_content_with_a_topology_that_has_nothing_to_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a_store(settings, "rules").close()
    monkeypatch.setenv("FRESHREC_KAFKA__BOOTSTRAP_SERVERS", settings.kafka.bootstrap_servers)
    monkeypatch.setenv("FRESHREC_KAFKA__TOPIC_PREFIX", settings.kafka.topic_prefix)
    monkeypatch.setenv("FRESHREC_KAFKA__PARTITIONS", "1")

    assert run(["doctor", "--json", "--wait", "0", "--state", settings.state.dir]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert {finding["name"] for finding in told["findings"]} == {
        "disk",
        "state",
        "erasure",
        "broker",
        "topics",
        "lag",
        "models",
    }
