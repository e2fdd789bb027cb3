"""The newest refused records: from the topic `rejected`, or from what a replay wrote down.

Reads only, in no consumer group. What is not a rejection (a foreign record, a line cut off) is left out.
"""

import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from schemas.recommendations import Rejection
from schemas.settings import KafkaSettings
from streams.connection import client_options
from streams.errors import BrokerError, NotFoundError
from streams.offsets import offset_ranges
from streams.topics import list_topics, missing

REPLAY_FILE: Final = "rejected.jsonl"
_TOPIC: Final = "rejected"
_PATIENCE_S: Final = 15.0
_decode: Final = msgspec.json.Decoder(Rejection).decode


def of_replay(state_dir: Path, limit: int) -> list[Rejection]:
    """Return the last `limit` rejections that a replay wrote beside its state, oldest first.

    Raises
    ------
    NotFoundError
        The folder has no such file.
    """
    path = state_dir / REPLAY_FILE
    if not path.is_file():
        raise NotFoundError(
            f"there is no {path}: name the --state of a 'freshrec replay'; without --state, the topic is read"
        )
    with path.open("rb") as lines:
        return _rejections(deque(lines, maxlen=limit))


def of_kafka(settings: KafkaSettings, limit: int) -> list[Rejection]:
    """Return the `limit` newest rejections of all partitions by their `at`, oldest first.

    Raises
    ------
    BrokerError
        No broker answers, the topic is missing, or its records don't come.
    """
    topic = settings.topic_prefix + _TOPIC
    state = next((each for each in list_topics(settings) if each.name == topic), None)
    if state is None:
        raise BrokerError(missing(topic, settings))
    ranges = offset_ranges(settings, {topic: state.partitions})
    wanted = {
        TopicPartition(*place): (max(first, end - limit), end)
        for place, (first, end) in ranges.items()
        if end > first
    }
    try:
        values = _read(settings, wanted) if wanted else []
    except KafkaError as error:
        raise BrokerError(
            f"{topic} cannot be read: {error}. 'freshrec doctor' looks for the cause"
        ) from error
    return sorted(_rejections(values), key=lambda each: each.at)[-limit:]


def _read(settings: KafkaSettings, wanted: dict[TopicPartition, tuple[int, int]]) -> list[bytes]:
    """Values from a first offset up to an end offset in each partition."""
    values: list[bytes] = []
    consumer: Any = KafkaConsumer(
        **client_options(settings), group_id=None, enable_auto_commit=False, fetch_max_wait_ms=50
    )
    try:
        consumer.assign(list(wanted))
        for place, (first, _) in wanted.items():
            consumer.seek(place, first)
        deadline = time.monotonic() + _PATIENCE_S
        while any(consumer.position(place) < end for place, (_, end) in wanted.items()):
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"the rejected records did not come within {_PATIENCE_S:g} s; "
                    f"'freshrec doctor' looks for the cause"
                )
            for records in consumer.poll(timeout_ms=200).values():
                values += [record.value for record in records if record.value is not None]
    finally:
        consumer.close()
    return values


def _rejections(values: Iterable[bytes]) -> list[Rejection]:
    found = []
    for value in values:
        try:
            found.append(_decode(value))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
    return found
