"""Finding the cause of trouble: each check looks at one thing and says what it saw and what to do."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from schemas.settings import KafkaSettings, Settings
from streams.cluster import topic_specs
from streams.errors import StateError
from streams.kafka_probe import broker_answers
from streams.offsets import end_offsets, lags
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.topics import check_topics
from streams.topology import GROUPS, STAGES

MIN_FREE_SHARE, MIN_FREE_BYTES = 0.05, 2**30
STORE_BYTES = 8 * 1024 * 1024
ROWS_OF = {"history": "h", "rules": "r", "popularity": "i", "segments": "s", "clusters": "c"}


class Finding(msgspec.Struct, frozen=True):
    """What a check found: `cause` is empty when all is well."""

    check: str
    ok: bool
    cause: str = ""
    what_to_do: str = ""


def examine(settings: Settings, *, wait_s: float = 3.0) -> list[Finding]:
    """Run every check that makes sense; without a broker those that need one are left out."""
    findings = [check_disk(Path(settings.state.dir)), check_state(settings)]
    broker = check_broker(settings.kafka)
    findings.append(broker)
    if broker.ok:
        topics = check_topology(settings.kafka)
        findings.append(topics)
        if topics.ok:
            findings.append(check_lag(settings.kafka, wait_s=wait_s))
            findings.append(check_models(settings))
    return findings


def check_broker(settings: KafkaSettings) -> Finding:
    """Whether a broker answers at all."""
    if broker_answers(settings.bootstrap_servers):
        return Finding("broker", ok=True)
    return Finding(
        "broker",
        ok=False,
        cause=f"no Kafka broker answers at {settings.bootstrap_servers}",
        what_to_do="start one with `freshrec kafka up`, or set FRESHREC_KAFKA__BOOTSTRAP_SERVERS",
    )


def check_topology(settings: KafkaSettings) -> Finding:
    """Whether every topic is there with the partitions that the settings say."""
    problems = check_topics(settings.bootstrap_servers, topic_specs(settings))
    if not problems:
        return Finding("topics", ok=True)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Finding(
        "topics",
        ok=False,
        cause=problems[0] + more,
        what_to_do="`freshrec topics create` makes what is missing",
    )


def check_state(settings: Settings) -> Finding:
    """Whether there is any state."""
    folder = Path(settings.state.dir)
    stores = [path for stage in STAGES if stage.keeps for path in (folder / stage.name).glob("*/CURRENT")]
    if stores:
        return Finding("state", ok=True)
    return Finding(
        "state",
        ok=False,
        cause=f"there are no stores under {folder}",
        what_to_do="run `freshrec worker` (or `freshrec replay`), or point FRESHREC_STATE__DIR to the state",
    )


def check_disk(
    folder: Path, *, min_share: float = MIN_FREE_SHARE, min_bytes: int = MIN_FREE_BYTES
) -> Finding:
    """Whether the disk of the state has room."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    usage = shutil.disk_usage(place)
    free, total = (round(each / 2**30, 1) for each in (usage.free, usage.total))
    if usage.free >= min_bytes and usage.free >= min_share * usage.total:
        return Finding("disk", ok=True)
    return Finding(
        "disk",
        ok=False,
        cause=f"the disk of {folder} is almost full: {free} of {total} GiB free",
        what_to_do="free space or move state.dir; RocksDB stops writing when the disk is full",
    )


def check_lag(settings: KafkaSettings, *, wait_s: float) -> Finding:
    """Whether what waits is being read: committed offsets are compared twice."""
    before = dict(_lags(settings))
    if not any(lag for lag, _ in before.values()):
        return Finding("lag", ok=True)
    time.sleep(wait_s)
    after = dict(_lags(settings))
    stuck = {
        place: lag
        for place, (lag, committed) in after.items()
        if lag and place in before and before[place][0] and before[place][1] == committed
    }
    if not stuck:
        return Finding("lag", ok=True)
    place, lag = max(stuck.items(), key=lambda item: item[1])
    return Finding(
        "lag",
        ok=False,
        cause=f"{sum(stuck.values())} records wait, nothing moved in {wait_s:g} s; most in {place}: {lag}",
        what_to_do="is a worker running? See its log and /health/ready; restart it if it hangs",
    )


def _lags(settings: KafkaSettings) -> Iterator[tuple[str, tuple[int, int]]]:
    """Lag and committed offset of every partition that a stage reads, by group, topic and partition."""
    for group in GROUPS:
        for place, known in asyncio.run(lags(settings, group)).items():
            yield f"{place.topic}/{place.partition} of {group}", known


def check_models(settings: Settings) -> Finding:
    """Whether each stage whose source has records has rows."""
    ends = _ends(settings.kafka)
    empty = [
        stage.name
        for stage in STAGES
        if stage.keeps and ends.get(stage.reads[0]) and not _has_rows(settings, stage.name)
    ]
    if not empty:
        return Finding("models", ok=True)
    return Finding(
        "models",
        ok=False,
        cause=f"no data in {', '.join(empty)}, although records wait for it to learn from",
        what_to_do="run `freshrec worker` with all stages, and look for errors of that stage in its log",
    )


def _ends(settings: KafkaSettings) -> dict[str, int]:
    """How many records each topic that a stage reads has seen."""
    sources = [topic for stage in STAGES for topic in stage.reads]
    found = dict.fromkeys(sources, 0)
    for place, end in asyncio.run(end_offsets(settings, sources)).items():
        found[place.topic.removeprefix(settings.topic_prefix)] += end
    return found


def _has_rows(settings: Settings, stage: str) -> bool:
    budget = RocksBudget(STORE_BYTES)
    for path in (Path(settings.state.dir) / stage).glob("*"):
        try:
            database = RocksDatabase(path, budget, cache_bytes=STORE_BYTES, read_only=True)
        except StateError:
            continue
        try:
            if next(iter(database.rows(ROWS_OF[stage])), None) is not None:
                return True
        finally:
            database.close()
    return False
