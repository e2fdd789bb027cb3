"""What a topic recorded: the records of one partition in offset order, as a stage read them.

Reads only, in no consumer group.
"""

import time
from collections.abc import Iterator
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from schemas.settings import KafkaSettings
from streams.connection import client_options
from streams.errors import BrokerError
from streams.outbox import Record

_PATIENCE_S: Final = 30.0


def records_of(
    settings: KafkaSettings, topic: str, partition: int, *, first: int, end: int
) -> Iterator[Record]:
    """Records of a partition from offset `first` up to, not with, offset `end`.

    Parameters
    ----------
    settings : KafkaSettings
        Broker and prefix.
    topic : str
        Name without prefix.
    partition, first, end : int
        Which part of it; the broker has to hold it.

    Raises
    ------
    BrokerError
        The records don't come.
    """
    if first >= end:
        return
    place = TopicPartition(settings.topic_prefix + topic, partition)
    consumer: Any = KafkaConsumer(
        **client_options(settings),
        group_id=None,
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
    )
    try:
        consumer.assign([place])
        consumer.seek(place, first)
        heard = time.monotonic()
        while (at := consumer.position(place)) < end:
            for each in consumer.poll(timeout_ms=200).get(place, ()):
                if each.offset >= end:
                    return
                yield Record(each.offset, each.timestamp, each.value)
                heard = time.monotonic()
            if time.monotonic() - heard > _PATIENCE_S:
                raise BrokerError(
                    f"{place.topic}/{partition} was read up to offset {at} of {end}, then nothing came "
                    f"for {_PATIENCE_S:g} s; 'freshrec doctor' looks for the cause"
                )
    except KafkaError as error:
        raise BrokerError(
            f"{place.topic}/{partition} cannot be read: {error}. 'freshrec doctor' looks for the cause"
        ) from error
    finally:
        consumer.close()
