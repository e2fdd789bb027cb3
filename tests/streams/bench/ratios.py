"""What learning and taking in cost beside plain Python on the same records, as a ratio that can be repeated.

`python -m tests.streams.bench.ratios > tests/streams/bench/ratios.json` measures the ratios anew that
`test_ratios` compares with. They belong to a version of Python, and to a commit that is as fast as wanted.
"""

import json
import platform
import sys
import tempfile
from collections.abc import Callable
from itertools import islice
from time import process_time

from online_models.worlds import PRESETS, Emitted, Storefront
from schemas.settings import Settings
from streams.bench.alone import LEARN_CORE, Plan, dropped, plainly, records_of, settings_of
from streams.followed import Views
from streams.memory_log import MemoryLog
from streams.monitoring import Metrics
from streams.outbox import Outgoing, Record
from streams.replay import Replay
from streams.stages.ingest import IngestPartition
from streams.stages.partition import StageContext

SHOP = Plan(items=2_000, customers=200, past=40, settle=100, count=400)
RECORDS = 4_000
Pair = tuple[float, float]
"""Processor seconds of ours and of the plain version."""


def python_version() -> str:
    """Return the version of Python that ratios belong to, without its patch."""
    return ".".join(platform.python_version_tuple()[:2])


def learning() -> Callable[[], Pair]:
    """Return what learns the same events once more: the topology without lists, and plain dicts."""
    catalogue, past, events = records_of(SHOP, 1)
    items = list(catalogue)

    def once() -> Pair:
        with tempfile.TemporaryDirectory() as folder:
            replay = Replay(settings_of(LEARN_CORE, folder), on_recommendation=dropped, measure=False)
            try:
                replay.feed(items)
                replay.feed(past)
                replay.catch_up()
                begun = process_time()
                replay.feed(events)
                replay.catch_up()
                ours = process_time() - begun
            finally:
                replay.close()
        return ours, len(events) * min(plainly(past, events) for _ in range(5))

    return once


def taking_in() -> Callable[[], Pair]:
    """Return what takes the same events in once more: the ingest stage, and `json.loads` of each."""
    events = list(islice(Storefront(PRESETS["bench-1"]).events(), RECORDS))
    settings = Settings()
    views = Views({}, settings)

    def once() -> Pair:
        context = StageContext(settings, MemoryLog(views, _refused), views, Metrics(), lambda: 0)
        return _seconds(events, context), _plain_seconds(events)

    return once


def _refused(record: Outgoing) -> None:
    raise ValueError(f"bench-1 has a bad record: {record}")


def _seconds(events: list[Emitted], context: StageContext) -> float:
    ingests = {topic: IngestPartition(topic, 0, context) for topic in {each.topic for each in events}}
    begun = process_time()
    for offset, each in enumerate(events):
        ingests[each.topic].apply(Record(offset, None, each.value))
    for ingest in ingests.values():
        ingest.end_batch()
    return process_time() - begun


def _plain_seconds(events: list[Emitted]) -> float:
    begun = process_time()
    found: dict[str, list[object]] = {}
    for each in events:
        message = json.loads(each.value)
        found.setdefault(message.get("user_id") or message["session_id"], []).append(message)
    return process_time() - begun


SCENARIOS = {"learn-core": (learning, 5), "ingest": (taking_in, 15)}
"""What is compared, and in how many rounds."""


def ratio(name: str) -> float:
    """Return how many times as long ours takes, each at its fastest of some rounds that take turns."""
    make, rounds = SCENARIOS[name]
    once = make()
    taken = [once() for _ in range(rounds)]
    return min(ours for ours, _ in taken) / min(plain for _, plain in taken)


if __name__ == "__main__":
    measured = {name: round(ratio(name), 2) for name in SCENARIOS}
    json.dump({python_version(): measured}, sys.stdout, indent=2)
    sys.stdout.write("\n")
