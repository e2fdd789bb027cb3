"""What is measured in one process, without a broker: the topology learns bench-1, or makes lists.

Times are processor time of the process. Beside each run stands the same with the plainest Python that counts
the same things, on the same records: figures of two machines can't be compared, ratios can.
"""

import json
import tempfile
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, combinations, count, cycle, islice
from multiprocessing import get_context
from statistics import median
from time import process_time

import msgspec
from msgspec.structs import replace

from online_models.worlds import PRESETS, Emitted, Storefront
from schemas.state import Pending
from streams.bench.scenarios import ENVIRONMENT
from streams.config import load
from streams.formats import FileRecord
from streams.garbage import collect_rarely
from streams.replay import Replay
from streams.stages.history import HistoryPartition

LEARN_CORE, LEARN_ALL, REFRESH = "learn-core", "learn-all", "refresh"
NAMES = (LEARN_CORE, LEARN_ALL, REFRESH)

LINKED = 20
_START_MS = 1_750_000_000_000
_NEVER_MS = 10**9
_CORE = {"FRESHREC_RECOMMEND__ENABLED": "false", "FRESHREC_PROFILES__ENABLED": "false"}
_ALL = {"FRESHREC_RECOMMEND__REFRESH_INTERVAL_MS": str(_NEVER_MS)}


class Spread(msgspec.Struct, frozen=True):
    """The least, the median and the most of some runs."""

    min: float
    median: float
    max: float


class Alone(msgspec.Struct, frozen=True, omit_defaults=True):
    """Figures of the runs of a scenario.

    `per_s` are events learned, or lists made, per second of one core; `us` is what one takes. `times_plain`
    is how many times as long as the plain version an event takes, on the same records in the same run.
    """

    scenario: str
    runs: int
    count: int
    per_s: Spread
    us: dict[str, Spread]
    times_plain: Spread | None = None


class Plan(msgspec.Struct, frozen=True):
    """How much is learned before, and how much is measured.

    `past` orders of the past that bench-1 gives its customers are learned, `settle` events after it, and
    `count` events, or lists, are measured.
    """

    items: int = PRESETS["bench-1"].items
    customers: int = PRESETS["bench-1"].customers
    past: int = 3_000
    settle: int = 5_000
    count: int = 10_000


def measure(scenario: str, plan: Plan, *, runs: int) -> Alone:
    """Measure a scenario some times, each in a process of its own.

    Parameters
    ----------
    scenario : str
        One of `NAMES`.
    plan : Plan
        How much.
    runs : int
        How often; events differ from run to run by their seed.
    """
    taken: list[list[float]] = []
    plain: list[float] = []
    for seed in range(1, runs + 1):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            seconds, of_plain = pool.submit(_run, scenario, plan, seed).result()
        taken.append(sorted(seconds))
        plain.append(of_plain)
    per_one = [sum(each) / plan.count for each in taken]
    parts = {"mean": per_one}
    if scenario == REFRESH:
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            parts[name] = [each[min(len(each) - 1, int(share * len(each)))] for each in taken]
    ratios = [mine / other for mine, other in zip(per_one, plain, strict=True) if other]
    return Alone(
        scenario,
        runs,
        plan.count,
        _spread([1 / each for each in per_one], 1),
        {name: _spread([1e6 * each for each in values], 1) for name, values in parts.items()},
        _spread(ratios, 3) if ratios else None,
    )


def _run(scenario: str, plan: Plan, seed: int) -> tuple[list[float], float]:
    """Return the seconds of what was measured, and what the plain version takes for one."""
    using = {**ENVIRONMENT, **(_CORE if scenario == LEARN_CORE else _ALL)}
    catalogue, past, events = _records(plan, seed)
    with tempfile.TemporaryDirectory(prefix="freshrec-bench-") as folder:
        settings = load(environ={**using, "FRESHREC_STATE__DIR": folder}).settings
        collect_rarely()
        replay = Replay(settings, on_recommendation=_dropped, measure=False)
        try:
            replay.feed(catalogue)
            replay.feed(past)
            replay.catch_up()
            if scenario == REFRESH:
                replay.flush()
                return _lists(replay, plan.count), 0.0
            begun = process_time()
            replay.feed(events)
            replay.catch_up()
            seconds = process_time() - begun
        finally:
            replay.close()
    return [seconds], plainly(past, events)


def _records(plan: Plan, seed: int) -> tuple[Iterator[FileRecord], list[FileRecord], list[FileRecord]]:
    """Return the catalogue, what is learned before anything is measured, and the events that are."""
    world = replace(
        PRESETS["bench-1"], items=plan.items, customers=plan.customers, seed=seed, start_at_ms=_START_MS
    )
    store, number = Storefront(world), count(1)

    def records(emitted: Iterable[Emitted]) -> Iterator[FileRecord]:
        for each in emitted:
            yield FileRecord(each.topic, each.key, each.value, each.at, next(number))

    past, events = records(islice(store.past(), plan.past)), records(store.events())
    return records(store.catalogue()), [*past, *islice(events, plan.settle)], list(islice(events, plan.count))


def _dropped(_value: bytes) -> None:
    pass


def _lists(replay: Replay, count: int) -> list[float]:
    """Make lists for customers who acted, one after another; the seconds of each, with what it is sent as."""
    taken: list[float] = []
    for history, key, newest in islice(_known(replay), count):
        begun = process_time()
        history.refresh(key, newest)
        taken.append(process_time() - begun)
    return taken


def _known(replay: Replay) -> Iterator[tuple[HistoryPartition, str, Pending]]:
    """Go through all customers who are known, with their newest event, again and again."""
    known = []
    for history in replay.histories:
        for raw, _ in history.database.rows("hu:"):
            key = raw[1:].decode()
            row = history.rows.get(key)
            if row is not None and row.newest is not None:
                known.append((history, key, row.newest))
    return cycle(known)


def plainly(past: Sequence[FileRecord], records: Sequence[FileRecord]) -> float:
    """Return the processor seconds that a record takes where dicts count pairs and popularity.

    No deduplication, no decay, no bound, no measures, nothing on disk: what a notebook does.
    """
    histories: dict[str, OrderedDict[str, None]] = {}
    pairs: Counter[tuple[str, str]] = Counter()
    popular: Counter[str] = Counter()
    begun = 0.0
    for number, record in enumerate(chain(past, records)):
        if number == len(past):
            begun = process_time()
        message = json.loads(record.value)
        user = message.get("user_id") or message.get("session_id")
        items = [line["item_id"] for line in message.get("lines", ())] or [message.get("item_id")]
        if user is None or items[0] is None:
            continue
        history = histories.setdefault(user, OrderedDict())
        for item in items:
            popular[item] += 1
            for other in history:
                pairs[item, other] += 1
                pairs[other, item] += 1
            history[item] = None
            if len(history) > LINKED:
                history.popitem(last=False)
        for one, other in combinations(items, 2):
            pairs[one, other] += 1
    return (process_time() - begun) / len(records)


def _spread(values: list[float], digits: int) -> Spread:
    return Spread(*(round(each, digits) for each in (min(values), median(values), max(values))))
