"""What a refused record costs ingest, against an accepted event: a ratio, from the same process and minute.

Run `python -m benchmarks.poison`.
"""

from itertools import islice
from pathlib import Path
from statistics import median
from time import process_time

import click
import msgspec

from online_models.worlds import PRESETS, Storefront
from online_models.worlds.bad_records import bad_record
from schemas.settings import Settings
from streams.bench.machine import describe
from streams.followed import Views
from streams.monitoring import Metrics
from streams.outbox import Outgoing, Record
from streams.stages.ingest import IngestPartition
from streams.stages.partition import StageContext

RESULTS = Path("benchmarks/results/poison.json")
RECORDS, ROUNDS = 10_000, 7
Sent = tuple[str, bytes]


class Nowhere:
    """An outbox that counts and forgets."""

    records = 0

    def put(self, record: Outgoing) -> None:
        self.records += record.value is not None


def seconds(records: list[Sent]) -> float:
    """CPU time that ingest takes for records, in order."""
    settings = Settings()
    context = StageContext(settings, Nowhere(), Views({}, settings), Metrics(), lambda: 0)
    ingests = {topic: IngestPartition(topic, 0, context) for topic, _ in records}
    started = process_time()
    for offset, (topic, value) in enumerate(records):
        ingests[topic].apply(Record(offset, None, value))
    for ingest in ingests.values():
        ingest.end_batch()
    return process_time() - started


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
def main(out: Path) -> None:
    """Compare ten thousand refused records in a row with ten thousand events."""
    events = islice(Storefront(PRESETS["bench-1"]).events(), RECORDS)
    good = [(each.topic, each.value) for each in events]
    bad = [bad_record(number, "anna", 1_736_121_600_000) for number in range(RECORDS)]
    rounds = [(seconds(good), seconds(bad)) for _ in range(ROUNDS)]
    us = [1e6 * median(each) / RECORDS for each in zip(*rounds, strict=True)]
    result = {"valid_us": round(us[0], 2), "refused_us": round(us[1], 2), "ratio": round(us[1] / us[0], 3)}
    out.parent.mkdir(parents=True, exist_ok=True)
    document = {"records": RECORDS, "rounds": ROUNDS, "machine": describe(), "result": result}
    out.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    click.echo(f"an accepted event takes {us[0]:.1f} us, a refused record {us[1]:.1f} us; see {out}")


if __name__ == "__main__":
    main()
