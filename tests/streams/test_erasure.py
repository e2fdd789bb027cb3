"""How long traces last follows from the settings, and is said when it is too long."""

import pytest

from schemas.settings import HistorySettings, KafkaSettings, Settings, SnapshotSettings, StateSettings
from streams.cluster import topic_specs
from streams.doctor import check_erasure
from streams.erasure import days, too_long, traces
from streams.topology import TOPICS


def test_with_the_defaults_no_trace_is_left_after_thirty_days() -> None:
    assert 7 < days(Settings()) <= 30
    assert too_long(Settings()) is None
    (finding,) = check_erasure(Settings())
    assert finding.ok
    assert "15 days" in finding.cause


@pytest.mark.parametrize(
    ("settings", "where", "setting"),
    [
        (Settings(kafka=KafkaSettings(retention_hours=24 * 20)), "compacted topics", "kafka.retention_hours"),
        (Settings(history=HistorySettings(erasure_ttl_s=86_400 * 40)), "stores", "history.erasure_ttl_s"),
        (Settings(state=StateSettings(rewrite_s=86_400 * 40)), "stores", "state.rewrite_s"),
        (
            Settings(snapshot=SnapshotSettings(url="shots", keep=30, interval_s=86_400.0)),
            "snapshots",
            "snapshot.keep",
        ),
    ],
)
def test_what_lasts_too_long_is_named_with_its_setting(settings: Settings, where: str, setting: str) -> None:
    said = too_long(settings)
    assert said is not None
    assert f"stay in {where} for" in said
    assert setting in said
    (finding,) = check_erasure(settings)
    assert not finding.ok
    assert setting in finding.what_to_do


def test_topics_are_made_so_that_they_keep_to_it() -> None:
    settings = Settings(kafka=KafkaSettings(retention_hours=70))
    hours = {where: days * 24 for where, days in traces(settings).items()}
    for topic, spec in zip(TOPICS, topic_specs(settings.kafka), strict=True):
        times = {name: int(value) / 3_600_000 for name, value in spec.config.items() if name.endswith(".ms")}
        if topic.compacted:
            lag = times["max.compaction.lag.ms"]
            assert 2 * lag + times["delete.retention.ms"] == pytest.approx(hours["compacted topics"])
        else:
            assert times["retention.ms"] + times["segment.ms"] == pytest.approx(hours["topics"])
