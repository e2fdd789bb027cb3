"""A file as a log of events and catalogue rows: the same readers, checks and ingest as everywhere."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from online_models.evaluation.actions import Logged
from schemas.codec import YEAR_2100_MS
from schemas.messages import CustomerFacts, EventBatch, ItemFacts
from schemas.recommendations import Rejection
from schemas.settings import Settings
from schemas.state import ViewRow
from streams.followed import FollowedTopic, Views
from streams.formats import FileReader, FileRecord
from streams.monitoring import Metrics
from streams.outbox import Outgoing, Record
from streams.sorting import sorted_by_time
from streams.stages.ingest import IngestPartition
from streams.stages.partition import StageContext

BATCH_RECORDS = 100
_decode_events = msgspec.msgpack.Decoder(EventBatch).decode
_decode_item = msgspec.msgpack.Decoder(ItemFacts).decode
_decode_rejection = msgspec.json.Decoder(Rejection).decode


class LogReader:
    """Reads a file into a log, in the order of time, and counts what could not be used.

    Parameters
    ----------
    settings : Settings
        Section `ingest`: what is accepted.

    Attributes
    ----------
    unusable : Counter
        Lines and messages that were refused, by reason.
    skipped : Counter
        Rows that a format leaves out by design, by name.
    """

    def __init__(self, settings: Settings) -> None:
        kafka = msgspec.structs.replace(settings.kafka, partitions=1)
        self._settings = msgspec.structs.replace(settings, kafka=kafka)
        self.unusable: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()

    def read(self, path: Path, format: str) -> list[Logged]:
        """Return what a file holds, ordered by time, then line.

        Raises
        ------
        FormatError
            There is no such file, or it is not of this format.
        """
        reader = FileReader(path, format)
        log = list(_ingested(sorted_by_time(self._usable(reader)), self._settings, self.unusable))
        self.skipped += reader.skipped
        return log

    def _usable(self, reader: FileReader) -> Iterator[FileRecord]:
        for entry in reader:
            if isinstance(entry, FileRecord):
                yield entry
            else:
                self.unusable[entry.reason] += 1


class _Outbox:
    """Takes what ingest puts out: events and items as a log, followed rows where ingest looks them up."""

    def __init__(self, views: Views, unusable: Counter[str]) -> None:
        self._views, self._unusable = views, unusable
        self.log: list[Logged] = []

    def put(self, record: Outgoing) -> None:
        """Take a record."""
        if record.value is None:
            return
        if record.topic == "events":
            self.log += _decode_events(record.value).events
        elif record.topic == "rejected":
            self._unusable[_decode_rejection(record.value).reason] += 1
        elif record.topic == "item-view" and record.key is not None and record.version is not None:
            self._views.topics["item-view"].learn(record.key.decode(), record.value, record.version)
            self.log.append(_decode_item(record.value))


class _Rows:
    """Rows of a followed topic, in a dict."""

    def __init__(self) -> None:
        self._rows: dict[str, ViewRow] = {}

    def get(self, key: str) -> ViewRow | None:
        return self._rows.get(key)

    def put(self, key: str, value: ViewRow) -> None:
        self._rows[key] = value

    def delete(self, key: str) -> None:
        self._rows.pop(key, None)


def _ingested(records: Iterator[FileRecord], settings: Settings, unusable: Counter[str]) -> Iterator[Logged]:
    views = Views(
        {
            "item-view": FollowedTopic(_Rows(), ItemFacts, cache_rows=settings.state.views_cache_rows),
            "customer-view": FollowedTopic(
                _Rows(), CustomerFacts, cache_rows=settings.state.views_cache_rows
            ),
        },
        settings,
    )
    outbox, clock = _Outbox(views, unusable), 0
    context = StageContext(settings, outbox, views, Metrics(), lambda: clock, public_marks=False)
    parts: dict[str, IngestPartition] = {}
    part: IngestPartition | None = None
    for number, record in enumerate(records):
        if part is not None and (part.topic != record.topic or number % BATCH_RECORDS == 0):
            part.end_batch()
            yield from outbox.log
            outbox.log.clear()
        part = parts.get(record.topic)
        if part is None:
            part = parts[record.topic] = IngestPartition(record.topic, 0, context)
        if clock < record.at <= YEAR_2100_MS:
            clock = record.at
        part.apply(Record(record.line, None, record.value))
    if part is not None:
        part.end_batch()
    yield from outbox.log
