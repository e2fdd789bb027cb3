"""What the history stage tells of experiments: each change once, in rows that may be sent again."""

import msgspec
import pytest

from online_models.memory_store import MemoryStore
from online_models.recommender import BlendRecommender
from schemas.experiments import ArmTallies
from schemas.messages import Event, Line
from schemas.settings import Settings
from schemas.state import HistoryRow
from streams.followed import Views
from streams.monitoring import Metrics
from streams.outbox import Outgoing
from streams.stages.experiments import PUBLISH_INTERVAL_MS, TOPIC, PartitionExperiments
from streams.stages.partition import StageContext


class Outbox:
    """Keeps what is put."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []

    def put(self, record: Outgoing) -> None:
        self.records.append(record)


class Stage:
    """Experiments of partition 3, and what they put into the outbox."""

    def __init__(self) -> None:
        self.rows, self.tallies, self.outbox = MemoryStore(HistoryRow), MemoryStore(ArmTallies), Outbox()
        self.experiments = self.begun()

    def begun(self) -> PartitionExperiments:
        settings = Settings()
        views = Views({}, settings)
        context = StageContext(settings, self.outbox, views, Metrics(), lambda: 0)
        recommender = BlendRecommender(views, settings)
        return PartitionExperiments(3, self.rows, self.tallies, context, recommender)

    def show(self, n: int) -> None:
        key = f"u:{n}"
        self.rows.put(key, HistoryRow())
        event = Event(
            key,
            "impression",
            n,
            "impressions",
            0,
            n,
            n,
            n,
            lines=[Line("tea", [])],
            recommendation_id="r",
            arm="a:b",
        )
        self.experiments.learn(event)

    @property
    def told(self) -> list[int]:
        """Customers of the arm in each record that was sent."""
        decode = msgspec.msgpack.Decoder(ArmTallies).decode
        return [decode(each.value or b"").arms["a:b"].customers for each in self.outbox.records]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_tallies_are_told_when_they_changed_and_at_most_once_in_an_interval(stage: Stage) -> None:
    stage.experiments.work(PUBLISH_INTERVAL_MS, (0, 3, 1), drain=False)
    assert stage.told == []
    stage.show(1)
    stage.experiments.work(PUBLISH_INTERVAL_MS + 1, (0, 3, 1), drain=False)
    assert stage.told == []
    stage.experiments.work(2 * PUBLISH_INTERVAL_MS, (0, 3, 1), drain=False)
    stage.experiments.work(9 * PUBLISH_INTERVAL_MS, (0, 3, 1), drain=False)
    assert stage.told == [1]
    stage.show(2)
    stage.experiments.work(9 * PUBLISH_INTERVAL_MS + 1, (0, 3, 2), drain=True)
    assert stage.told == [1, 2]


def test_a_row_is_that_of_its_partition_with_a_version(stage: Stage) -> None:
    stage.show(1)
    stage.experiments.work(PUBLISH_INTERVAL_MS, (0, 3, 7), drain=False)
    (record,) = stage.outbox.records
    assert (record.topic, record.key, record.version) == (TOPIC, b"3", (0, 3, 7))


def test_after_a_restart_the_same_is_told_again(stage: Stage) -> None:
    stage.show(1)
    stage.experiments.work(PUBLISH_INTERVAL_MS, (0, 3, 1), drain=False)
    stage.experiments = stage.begun()
    stage.experiments.work(PUBLISH_INTERVAL_MS, (0, 3, 1), drain=False)
    assert stage.told == [1, 1]
