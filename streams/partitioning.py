"""Which partition a key belongs to: murmur2 as Kafka's default partitioner does it."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=262_144)
def partition_of(key: str, partitions: int) -> int:
    """Partition of a key among `partitions`.

    Examples
    --------
    >>> partition_of("u1", 4), partition_of("u1", 1)
    (0, 0)
    """
    if partitions == 1:
        return 0
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % partitions)
