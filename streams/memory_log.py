"""The broker's part in one process: logs as queues, followed topics updated at once, outputs handed on.

Nothing is kept here once it was read: after a crash, a replay starts again from its file.
"""

from collections import deque
from collections.abc import Callable

from streams.followed import Views
from streams.outbox import Outgoing, Record
from streams.remembered import FACTS
from streams.topology import TOPIC_BY_NAME


class MemoryLog:
    """An outbox whose records go straight to those who read them.

    Parameters
    ----------
    views : Views
        Followed topics; a row is visible as soon as it was put.
    on_output : callable
        Called with every record of an output topic.
    """

    def __init__(self, views: Views, on_output: Callable[[Outgoing], None]) -> None:
        self._views, self._on_output = views, on_output
        self._queues: dict[tuple[str, int], list[deque[Record]]] = {}
        self._next: dict[tuple[str, int], int] = {}
        self.now = 0
        self.put_bytes = 0

    def read(self, topic: str, partition: int, next_offset: int) -> deque[Record]:
        """Queue of the records of one partition for one more reader, who has read up to `next_offset`."""
        queue: deque[Record] = deque()
        self._queues.setdefault((topic, partition), []).append(queue)
        at = self._next.get((topic, partition), next_offset)
        self._next[topic, partition] = max(at, next_offset)
        return queue

    def put(self, record: Outgoing) -> None:
        """Deliver a record."""
        topic = TOPIC_BY_NAME[record.topic]
        if topic.kind == "log":
            place = (record.topic, record.partition)
            offset = self._next.get(place, 0)
            self._next[place] = offset + 1
            if record.topic == FACTS and self._views.remembered is not None:
                self._views.remembered.learn(record.partition, offset, record.value)
            for queue in self._queues.get(place, ()):
                queue.append(Record(offset, self.now, record.value))
                self.put_bytes += len(record.value or b"")
            return
        followed = self._views.topics.get(record.topic)
        if followed is not None and record.key is not None and record.version is not None:
            # Here rows arrive in the order in which they were written, whatever file they came from.
            key = record.key.decode()
            followed.learn(key, record.value, max(record.version, followed.version(key)))
        if topic.kind == "output":
            self._on_output(record)
