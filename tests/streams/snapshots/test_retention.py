"""How much of a topic's retention is used up, and when that is told."""

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.settings import SnapshotSettings
from streams.kafka_outbox import KafkaOutbox
from streams.runtime import Runtime
from streams.snapshots.retention import ALARM_RATIO, RetentionWatch, no_snapshot, required_s, used_ratio
from tests.streams.stages.parts import Bench

HOUR_MS = 3_600_000
times = st.integers(0, 2**41)


@given(times, times, st.integers(1, 2**41))
def test_the_ratio_grows_with_the_age_of_what_is_needed(at_ms: int, later_ms: int, retention_ms: int) -> None:
    first, second = sorted((at_ms, later_ms))
    now_ms = second + 1
    old = used_ratio(first, now_ms, retention_ms, lost=False)
    assert old >= used_ratio(second, now_ms, retention_ms, lost=False) > 0


def test_what_is_read_to_the_end_needs_nothing_and_what_is_gone_all() -> None:
    assert used_ratio(None, 10 * HOUR_MS, HOUR_MS, lost=False) == 0
    assert used_ratio(0, 10 * HOUR_MS, -1, lost=False) == 0
    assert used_ratio(0, HOUR_MS, 2 * HOUR_MS, lost=False) == 0.5
    assert used_ratio(None, 0, HOUR_MS, lost=True) == 1


def test_without_snapshots_only_the_outage_and_the_restart_count() -> None:
    settings = SnapshotSettings(interval_s=600, keep=5, longest_outage_s=100, restore_s=10)
    assert required_s(settings) == 110
    assert required_s(SnapshotSettings(url="there", interval_s=600, keep=5, restore_s=0)) == 3_000 + 86_400


class Watching:
    """A watch over nothing yet."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(state=folder)
        outbox = KafkaOutbox(self.bench.settings.kafka, self._fail)
        runtime = Runtime(("history",), self.bench.context, outbox, self._fail, cluster="c")
        self.watch = RetentionWatch(runtime, no_snapshot, self.bench.settings, self.bench.metrics)

    def _fail(self, error: Exception) -> None:
        raise error


@pytest.fixture
def watching(tmp_path: Path) -> Watching:
    return Watching(tmp_path)


def test_half_of_the_retention_is_an_alarm_once(watching: Watching, caplog: pytest.LogCaptureFixture) -> None:
    place = ("history", "events")
    with caplog.at_level(logging.WARNING):
        watching.watch.tell({place: ALARM_RATIO - 0.01})
        assert caplog.text == ""
        for ratio in (ALARM_RATIO, 0.6, 0.1, 0.7):
            watching.watch.tell({place: ratio})
    said = [record.getMessage() for record in caplog.records]
    assert [text.split(" % ")[0].rpartition(" ")[2] for text in said] == ["50", "70"]
    assert "raise the topic's retention.ms" in said[0]
    assert watching.bench.shows('freshrec_retention_used_ratio{stage="history",topic="events"} 0.7')


def test_a_retention_that_is_too_short_is_told_once(
    watching: Watching, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        watching.watch.compare_with_required("events", -1)
        watching.watch.compare_with_required("events", 25 * HOUR_MS)
        assert caplog.text == ""
        watching.watch.compare_with_required("events", 24 * HOUR_MS)
        watching.watch.compare_with_required("events", 24 * HOUR_MS)
    assert len(caplog.records) == 1
    assert "events keeps records for 24.0 h" in caplog.text and "need 25.0 h" in caplog.text
