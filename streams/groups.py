"""The worker's consumer groups while no worker runs: waiting until nobody is left, and moving their offsets.

A stage reads on where its store says; the group's offset is what an operator sees.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from schemas.settings import KafkaSettings
from streams.errors import BrokerError
from streams.offsets import NOBODY
from streams.topics import admin_of
from streams.topology import STAGE_BY_NAME

_GRACE_S: Final = 5.0
_POLL_S: Final = 0.3


def wait_until_nobody_reads(settings: KafkaSettings) -> None:
    """Wait until no worker is in a consumer group; a killed one is, for the session timeout.

    Raises
    ------
    BrokerError
        No broker answers, or a worker runs somewhere.
    """
    deadline = time.monotonic() + settings.session_timeout_s + _GRACE_S
    prefix = f"{settings.topic_prefix}freshrec-"
    with admin_of(settings) as admin:
        while taken := _taken(admin, prefix):
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"a worker is in the consumer group {taken[0]}: stop every worker, also those of other "
                    f"machines, then run this again"
                )
            time.sleep(_POLL_S)


def _taken(admin: Any, prefix: str) -> list[str]:
    return [
        each["group_id"]
        for each in admin.list_groups()
        if each["group_id"].startswith(prefix) and each["group_state"] not in NOBODY
    ]


def move_groups(settings: KafkaSettings, starts: Mapping[tuple[str, int], int]) -> None:
    """Commit where each stage (name, partition) reads on, so that its lag is seen from now on.

    Raises
    ------
    BrokerError
        No broker answers, or it refuses.
    """
    groups: dict[str, dict[TopicPartition, OffsetAndMetadata]] = {}
    for (stage_name, partition), offset in starts.items():
        stage = STAGE_BY_NAME[stage_name]
        place = TopicPartition(settings.topic_prefix + stage.reads[0], partition)
        group = groups.setdefault(f"{settings.topic_prefix}freshrec-{stage.group}", {})
        group[place] = OffsetAndMetadata(offset, "", -1)
    with admin_of(settings) as admin:
        for name, offsets in groups.items():
            for place, error in admin.alter_group_offsets(name, offsets).items():
                if error.errno:
                    raise BrokerError(
                        f"the offset of group {name} for {place.topic} could not be moved: {error.__name__}"
                    )
