"""The part that the history stage has in experiments: whose list is made how, and what came of it.

Tallies are cumulative: a row of `experiment-tallies` that is sent twice, or lost by a crash and sent again,
changes nothing. What is counted lies in the history store, in the batch of the events that it came from.
"""

import msgspec

from online_models.experiments.attribution import KEY, AttributionStep
from online_models.experiments.variants import Variants, Way
from online_models.protocols import Recommender, Store
from schemas.experiments import ArmTallies
from schemas.messages import Event
from schemas.state import HistoryRow
from streams.experiment_figures import show
from streams.outbox import Outgoing, Version
from streams.stages.partition import StageContext

TOPIC = "experiment-tallies"
PUBLISH_INTERVAL_MS = 1_000
MEASURE_INTERVAL_MS = 10_000
_pack = msgspec.msgpack.Encoder().encode


class PartitionExperiments:
    """Experiments in one partition of `events`.

    Parameters
    ----------
    partition : int
        Its number.
    rows, tallies : stores
        Histories, and the tallies of the arms.
    context : StageContext
        What the process shares.
    recommender : Recommender
        Makes the lists of those who are in no experiment.
    """

    def __init__(
        self,
        partition: int,
        rows: Store[HistoryRow],
        tallies: Store[ArmTallies],
        context: StageContext,
        recommender: Recommender,
    ) -> None:
        self._partition, self._tallies, self._context = partition, tallies, context
        self._step = AttributionStep(rows, tallies, context.settings)
        self._variants = Variants(context.views, context.settings, recommender)
        self._sent, self._sent_at, self._measured_at = b"", 0, 0

    def learn(self, event: Event) -> None:
        """Attribute an event that the history step accepted."""
        self._step.learn_one(event)

    def way(self, key: str, at: int) -> Way:
        """Return how a list is made."""
        return self._variants.way(key, at)

    def work(self, now: int, version: Version, *, drain: bool) -> None:
        """Publish the tallies when they changed, and show those of all partitions; `now` in epoch ms."""
        if drain or now - self._sent_at >= PUBLISH_INTERVAL_MS:
            self._publish(now, version)
        settings = self._context.settings.experiments
        if settings and (drain or now - self._measured_at >= MEASURE_INTERVAL_MS):
            self._measured_at = now
            show(settings, self._context.views.arm_tallies(), self._context.metrics)

    def _publish(self, now: int, version: Version) -> None:
        self._sent_at, row = now, self._tallies.get(KEY)
        value = b"" if row is None else _pack(row)
        if value != self._sent:
            self._sent = value
            partition = self._partition % self._context.partitions(TOPIC)
            key = str(self._partition).encode()
            self._context.outbox.put(Outgoing(TOPIC, partition, key, value, version))
