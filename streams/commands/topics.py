"""`freshrec topics create|list`: the topics of the topology on the broker."""

import click
import msgspec
from rich.console import Console
from rich.table import Table

from schemas.settings import Settings
from streams.cluster import topic_specs
from streams.commands.context import pass_settings
from streams.topics import check_topics, create_topics, list_topics


@click.group()
def topics() -> None:
    """Create and list the topics of the topology."""


@topics.command()
@pass_settings
def create(settings: Settings) -> None:
    """Create what is missing, with partitions and replication from the settings."""
    kafka = settings.kafka
    specs = topic_specs(kafka)
    created = create_topics(kafka.bootstrap_servers, specs, replication=kafka.replication)
    for spec in specs:
        state = "created" if spec.name in created else "exists"
        click.echo(f"{state:8} {spec.name} ({spec.partitions} partitions)")


@topics.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@pass_settings
def list_(settings: Settings, as_json: bool) -> None:
    """List the topics of the topology and what is wrong with them."""
    kafka = settings.kafka
    specs = topic_specs(kafka)
    known = {state.name: state for state in list_topics(kafka.bootstrap_servers)}
    problems = check_topics(kafka.bootstrap_servers, specs)
    rows = [
        {
            "topic": spec.name,
            "partitions": known[spec.name].partitions if spec.name in known else 0,
            "replication": known[spec.name].replication if spec.name in known else 0,
            "compacted": spec.config.get("cleanup.policy") == "compact",
            "problem": next((each for each in problems if f" {spec.name} " in f" {each} "), None),
        }
        for spec in specs
    ]
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    table = Table("topic", "partitions", "replication", "compacted", "problem")
    for row in rows:
        kept = "yes" if row["compacted"] else ""
        table.add_row(
            str(row["topic"]),
            str(row["partitions"]),
            str(row["replication"]),
            kept,
            str(row["problem"] or ""),
        )
    Console().print(table)
