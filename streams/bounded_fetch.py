"""What is fetched ahead is bounded in bytes, whatever the size of records and the number of partitions.

aiokafka bounds what it fetches for one partition, and what it hands out by the number of records alone: a
thousand records that are large, or compressed well, would be handed out at once. One compressed batch of a
producer is decompressed as a whole; nothing on this side can bound that.
"""

from typing import Any, Final

from aiokafka.consumer import fetcher

from schemas.settings import KafkaSettings

LEAST_BYTES: Final = 65_536
"""So much of a partition is fetched however many there are: each fetch costs as much as a hundred rows."""


def fetch_bytes(kafka: KafkaSettings, partitions: int) -> int:
    """Bytes to fetch of one partition, of so many that a process reads.

    Examples
    --------
    >>> kafka = KafkaSettings(fetch_max_bytes=4_000_000, fetch_ahead_bytes=64_000_000)
    >>> fetch_bytes(kafka, 1), fetch_bytes(kafka, 100), fetch_bytes(kafka, 100_000)
    (4000000, 640000, 65536)
    """
    return max(LEAST_BYTES, min(kafka.fetch_max_bytes, kafka.fetch_ahead_bytes // max(1, partitions)))


def bound_batches(most_bytes: int) -> None:
    """From now on every consumer of this process hands out about `most_bytes` of a partition at a time.

    A batch ends with the record that reaches it; `max_records` bounds it, too.
    """

    class BoundedResult(fetcher.FetchResult):  # type: ignore[misc]  # the library is not typed
        """The fetched records of one partition."""

        _partition_records: Any

        def getall(self, max_records: int | None = None) -> list[Any]:
            if not self.check_assignment(self._topic_partition) or not self.has_more():
                return []
            found: list[Any] = []
            size = 0
            for record in self._partition_records:
                found.append(record)
                size += len(record.key or b"") + len(record.value or b"")
                if size >= most_bytes or len(found) == max_records:
                    self._update_position()
                    return found
            self._update_position()
            self._partition_records = None
            return found

    vars(fetcher)["FetchResult"] = BoundedResult
