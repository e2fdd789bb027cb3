"""`freshrec topics create|list|acls`: the topics of the topology on the broker.

Existing topics are never altered. Results go to stdout.
"""

import click
import msgspec
from rich.console import Console
from rich.table import Table

from schemas.settings import KafkaSettings, Settings
from streams.acls import ROLES, Permission, Role, permissions
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
    """Create and list the topics of the topology, and who has to be allowed what."""


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


@topics.command()
@click.option("--worker", default="User:worker", show_default=True, help="Who runs the worker.")
@click.option("--server", default="User:server", show_default=True, help="Who answers over HTTP.")
@click.option("--storefront", default="User:storefront", show_default=True, help="Who sends events.")
@click.option("--reader", default="User:reader", show_default=True, help="Who reads what comes out.")
@click.option("--operator", default="User:operator", show_default=True, help="Who looks after the topics.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@pass_settings
def acls(
    settings: Settings, worker: str, server: str, storefront: str, reader: str, operator: str, as_json: bool
) -> None:
    """List what a broker with permissions has to allow to whom, for each topic and consumer group.

    Nothing is asked or changed: an administrator grants it with Kafka's own tools. All are ALLOW, from any
    host; whoever is not listed needs nothing.
    """
    who: dict[Role, str] = {
        "worker": worker,
        "server": server,
        "storefront": storefront,
        "reader": reader,
        "operator": operator,
    }
    found = permissions(settings.kafka.topic_prefix, who)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for role in ROLES:
        click.echo(f"{who[role]}: {ROLES[role].replace('`', '')}")
        for each in (each for each in found if each.role == role):
            name = each.name + ("*" if each.pattern == "prefixed" else "")
            click.echo(f"  {each.resource:5}  {name:{_width(found)}}  {', '.join(each.operations)}")


def _width(found: list[Permission]) -> int:
    return max(len(each.name) for each in found) + 1


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
