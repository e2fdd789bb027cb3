"""`freshrec rejected list`: what was refused, and why."""

import asyncio
import base64
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from rich.console import Console
from rich.table import Table

from schemas.recommendations import Rejection
from schemas.settings import KafkaSettings, Settings
from streams.commands.context import pass_settings
from streams.errors import BrokerError, NotFoundError
from streams.kafka_probe import broker_answers

SHOWN_BYTES = 80
_decode = msgspec.json.Decoder(Rejection).decode


@click.group()
def rejected() -> None:
    """Look at refused records."""


@rejected.command(name="list")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="The newest so many.")
@click.option("--state", type=click.Path(file_okay=False, path_type=Path), help="Of a replay, not of Kafka.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@pass_settings
def list_(settings: Settings, limit: int, state: Path | None, as_json: bool) -> None:
    """List the newest refused records, oldest first."""
    found = _of_replay(state, limit) if state else asyncio.run(_of_kafka(settings.kafka, limit))
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    table = Table("at", "topic", "partition", "offset", "reason", "detail", "record")
    for each in found:
        at = datetime.fromtimestamp(each.at / 1000, UTC).isoformat(timespec="seconds") if each.at else ""
        raw = base64.b64decode(each.raw_base64)[:SHOWN_BYTES].decode(errors="replace")
        table.add_row(
            at, each.topic, str(each.partition), str(each.offset), each.reason, each.detail, ascii(raw)
        )
    Console().print(table)


def _of_replay(state: Path, limit: int) -> list[Rejection]:
    path = state / "rejected.jsonl"
    if not path.exists():
        raise NotFoundError(f"there is no {path}; name the --state of a `freshrec replay`")
    with path.open("rb") as lines:
        return [_decode(line) for line in deque(lines, maxlen=limit)]


async def _of_kafka(settings: KafkaSettings, limit: int) -> list[Rejection]:
    if not broker_answers(settings.bootstrap_servers):
        raise BrokerError(
            f"no Kafka broker answers at {settings.bootstrap_servers}; `freshrec doctor` looks for the cause"
        )
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap_servers)
    await consumer.start()
    try:
        topic = settings.topic_prefix + "rejected"
        places = [TopicPartition(topic, number) for number in range(settings.partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        starts = await consumer.beginning_offsets(places)
        found: list[Rejection] = []
        for place in places:
            start = max(starts[place], ends[place] - limit)
            consumer.seek(place, start)
            while start < ends[place]:
                for record in (await consumer.getmany(place, timeout_ms=1000)).get(place, []):
                    start = record.offset + 1
                    if record.value is not None:
                        found.append(_decode(record.value))
        return sorted(found, key=lambda each: each.at)[-limit:]
    finally:
        await consumer.stop()
