"""`freshrec kafka up|down|status`: a local single-node Kafka for development, demos and tests.

Addresses and results go to stdout, progress to stderr. What is done and kept is `streams.local_kafka`'s.
"""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from rich.console import Console

from schemas.settings import KafkaSettings
from streams import local_kafka
from streams.local_kafka_security import ADMIN
from streams.settings_fields import FIELDS

_data_option = click.option(
    "--data",
    "data_dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".freshrec/kafka"),
    show_default=True,
    help="Directory of the broker's topics, settings and log.",
)


@click.group()
def kafka() -> None:
    """Run a real single-node Kafka on this machine; needs neither Java nor Docker."""


@kafka.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9092,
    show_default=True,
    help="Where clients connect, on 127.0.0.1 only; 0 takes a free port.",
)
@_data_option
@click.option("--fresh", is_flag=True, help="Delete all topics and their data first.")
@click.option("--secure", is_flag=True, help="Take clients only over TLS, with a login and permissions.")
def up(port: int, data_dir: Path, fresh: bool, secure: bool) -> None:
    """Start the broker and print its address once it answers.

    The first time, some 45 MB are downloaded into the user's cache. A broker that already runs is left as it
    is, unless --fresh is given. Topics and their data are kept between starts.

    With --secure, what the administrator's environment has to hold is printed to stderr. The users worker,
    storefront, reader and operator may do nothing until it is granted: see freshrec topics acls.
    """
    with _progress() as tell:
        address = local_kafka.up(data_dir, port, fresh, secure, on_progress=tell)
    if port and not address.endswith(f":{port}"):
        click.echo(f"the broker of {data_dir} already runs, on another port than {port}", err=True)
    click.echo(address)
    if secure:
        for variable in _variables(local_kafka.client_settings(data_dir, ADMIN)):
            click.echo(variable, err=True)


@kafka.command()
@_data_option
def down(data_dir: Path) -> None:
    """Stop the broker; its topics and their data are kept."""
    click.echo("stopped" if local_kafka.down(data_dir) else f"no broker of {data_dir} was running")


@kafka.command()
@_data_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(data_dir: Path, as_json: bool) -> None:
    """Tell whether the broker runs, and where."""
    found = local_kafka.status(data_dir)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    elif found.running:
        click.echo(
            f"running at {found.bootstrap} (Kafka {found.version}, process {found.pid}, {found.data_dir})"
        )
    elif found.pid is not None:
        click.echo(
            f"process {found.pid} is there but does not answer at {found.bootstrap} ({found.data_dir})"
        )
    else:
        click.echo(f"not running ({found.data_dir})")


def _variables(settings: KafkaSettings) -> Iterator[str]:
    """What an environment has to hold so that commands connect with these settings."""
    defaults = KafkaSettings()
    for name in KafkaSettings.__struct_fields__:
        value = getattr(settings, name)
        if value != getattr(defaults, name):
            yield f"export {FIELDS[f'kafka.{name}'].variable}={shlex.quote(str(value))}"


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    if console.is_terminal:
        with console.status("") as shown:
            yield shown.update
    else:
        yield console.print
