"""`freshrec topics create|list`: the topics of the topology on the broker.

Existing topics are never altered. Results go to stdout.
"""

import click
import msgspec
from rich.console import Console
from rich.table import Table

from schemas.settings import KafkaSettings, Settings
from streams.cluster import topic_specs
from streams.commands.context import pass_settings
from streams.offsets import offset_ranges
from streams.topics import check_topics, create_topics, list_topics


class Row(msgspec.Struct, frozen=True):
    """One topic as `topics list` shows it; what is not there has 0 partitions."""

    topic: str
    partitions: int
    replication: int
    compacted: bool
    messages: int
    problems: list[str]


@click.group()
def topics() -> None:
    """Create and list the topics of the topology."""


@topics.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_settings
def create(settings: Settings, as_json: bool) -> None:
    """Create the topics that are missing.

    Partitions, replication and retention are those of the settings. What exists is left as it is; if it
    has another number of partitions, nothing is created and the command fails.
    """
    kafka = settings.kafka
    specs = topic_specs(kafka)
    created = create_topics(kafka, specs, replication=kafka.replication)
    if as_json:
        existed = [spec.name for spec in specs if spec.name not in created]
        click.echo(msgspec.json.encode({"created": created, "existed": existed}).decode())
        return
    width = max(len(spec.name) for spec in specs)
    for spec in specs:
        state = "created" if spec.name in created else "existed"
        many = "1 partition" if spec.partitions == 1 else f"{spec.partitions} partitions"
        click.echo(f"{state}  {spec.name:{width}}  {many}")


@topics.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@pass_settings
def list_(settings: Settings, as_json: bool) -> None:
    """List the topics of the topology: how large they are, and what is wrong with them."""
    rows = _rows(settings.kafka)
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    table = Table(box=None, header_style="bold")
    table.add_column("topic", no_wrap=True)
    for name in ("partitions", "replication", "messages"):
        table.add_column(name, justify="right")
    table.add_column("compacted")
    table.add_column("as wanted")
    for row in rows:
        numbers = (f"{number:,}" for number in (row.partitions, row.replication, row.messages))
        table.add_row(row.topic, *numbers, "yes" if row.compacted else "no", "; ".join(row.problems) or "yes")
    Console(markup=False, highlight=False).print(table)


def _rows(kafka: KafkaSettings) -> list[Row]:
    specs = topic_specs(kafka)
    present = {state.name: state for state in list_topics(kafka)}
    known = {spec.name: present[spec.name].partitions for spec in specs if spec.name in present}
    messages = dict.fromkeys(known, 0)
    for (topic, _), (first, end) in offset_ranges(kafka, known).items():
        messages[topic] += end - first
    problems = check_topics(kafka, specs)
    rows = []
    for spec in specs:
        own = [problem for problem in problems if problem.startswith(f"topic {spec.name} ")]
        if spec.name not in present:
            rows.append(Row(spec.name, 0, 0, _compacted(spec.config), 0, own))
            continue
        state = present[spec.name]
        rows.append(
            Row(
                spec.name,
                state.partitions,
                state.replication,
                _compacted(state.config),
                messages[spec.name],
                own,
            )
        )
    return rows


def _compacted(config: dict[str, str]) -> bool:
    return config.get("cleanup.policy") == "compact"
