"""Where topics begin and end, and how far the worker's consumer groups are, asked of the broker.

Reads only. Names are Kafka's own here: topics and groups with their prefix.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import msgspec
from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError

from schemas.settings import KafkaSettings
from streams.topics import admin_of
from streams.topology import GROUPS, STAGES, TOPIC_BY_NAME, partitions_of

Place = tuple[str, int]
"""A topic, with prefix, and the number of one of its partitions."""

T = TypeVar("T")
_NONE: Final = -1
NOBODY: Final = (None, "Empty", "Dead")
_COORDINATOR_WAIT_S: Final = 15.0
_POLL_S: Final = 0.1
_NOT_YET: Final = (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError)


class GroupLag(msgspec.Struct, frozen=True):
    """How far the consumer group of a stage group is.

    `joined` says whether any worker is in it; `committed` is, for each partition that its stages read,
    the offset to read on at, and `waiting` the number of records from there to the end.
    """

    group: str
    joined: bool
    committed: dict[Place, int]
    waiting: dict[Place, int]


def offset_ranges(settings: KafkaSettings, partitions: Mapping[str, int]) -> dict[Place, tuple[int, int]]:
    """First offset of each partition, and the one behind its last record.

    Parameters
    ----------
    settings
        Where the broker is and how to connect.
    partitions
        How many partitions each topic has; all have to be there.

    Raises
    ------
    BrokerError
        No broker answers, or it refuses.
    """
    places = [TopicPartition(name, number) for name, many in partitions.items() for number in range(many)]
    if not places:
        return {}
    with admin_of(settings) as admin:
        first = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
        end = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    return {(each.topic, each.partition): (first[each].offset, end[each].offset) for each in places}


def source_ranges(settings: KafkaSettings) -> dict[Place, tuple[int, int]]:
    """First and end offset of every partition that any stage reads.

    Raises
    ------
    BrokerError
        No broker answers, or a topic is missing.
    """
    names = dict.fromkeys(name for stage in STAGES for name in stage.reads)
    wanted = {
        settings.topic_prefix + name: partitions_of(TOPIC_BY_NAME[name], settings.partitions)
        for name in names
    }
    return offset_ranges(settings, wanted)


def group_lags(settings: KafkaSettings) -> list[GroupLag]:
    """How far each stage group's consumer group is; one that never ran stands at the beginning.

    Raises
    ------
    BrokerError
        No broker answers, or a topic is missing.
    """
    names = {group: f"{settings.topic_prefix}freshrec-{group}" for group in GROUPS}
    with admin_of(settings) as admin:
        committed = _once_coordinated(lambda: admin.list_group_offsets(dict.fromkeys(names.values())))
        # Not described in full: the client cannot read what Faust writes about members, and logs that.
        states = {each["group_id"]: each["group_state"] for each in admin.list_groups()}
    # The ends are asked for last: what arrives meanwhile waits, and is not more than nothing.
    ranges = source_ranges(settings)
    found = []
    for group, name in names.items():
        known = {(place.topic, place.partition): meta.offset for place, meta in committed[name].items()}
        reads = {settings.topic_prefix + topic for x in STAGES if x.group == group for topic in x.reads}
        at = {
            place: max(first, known.get(place, _NONE))
            for place, (first, _) in ranges.items()
            if place[0] in reads
        }
        waiting = {place: max(0, ranges[place][1] - offset) for place, offset in at.items()}
        found.append(GroupLag(name, states.get(name) not in NOBODY, at, waiting))
    return found


def _once_coordinated(ask: Callable[[], T]) -> T:
    """Ask about groups; a cluster that never had one makes its topic of offsets first, and says so."""
    deadline = time.monotonic() + _COORDINATOR_WAIT_S
    while True:
        try:
            return ask()
        except _NOT_YET:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)
