"""`freshrec forget USER...`: ask that customers be forgotten. What comes of it is decided behind ingest."""

import time

import click
import msgspec
from rich.console import Console

from schemas.events import Erasure
from schemas.settings import Settings
from streams.commands.context import pass_settings
from streams.commands.sending import report, send
from streams.erasure import days, too_long
from streams.producing import Message

TOPIC = "erasures"


class _Request(msgspec.Struct, frozen=True):
    """An erasure as the producer takes it."""

    topic: str
    key: str
    value: bytes
    at: int


def _named(_: click.Context, __: click.Parameter, users: tuple[str, ...]) -> tuple[str, ...]:
    if not all(users):
        raise click.BadParameter("an id is empty; nobody has that one")
    return users


@click.command()
@click.argument("users", metavar="USER...", nargs=-1, required=True, callback=_named)
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object.")
@pass_settings
def forget(settings: Settings, users: tuple[str, ...], as_json: bool) -> int:
    """Ask that customers be forgotten: an `erasures` message for each, as of now.

    History, segment and list go at once, and what the history remembers is taken back from all counts. Events
    of before now that come later are dropped, later ones begin a new history. The summary, and what a worker
    logs, names nobody; it says after how many days no trace is left in any store, topic or snapshot.
    """
    now = time.time_ns() // 1_000_000
    requests: list[Message] = [
        _Request(TOPIC, user, msgspec.json.encode(Erasure(user_id=user, at=now)), now)
        for user in dict.fromkeys(users)
    ]
    sent = send(
        settings.kafka,
        requests,
        what="erasures",
        stop=lambda: False,
        total=len(requests),
        console=Console(stderr=True, markup=False),
    )
    warning = too_long(settings)
    if warning is not None:
        click.echo(f"warning: {warning}", err=True)
    gone = {"at": now, "no_trace_after_days": round(days(settings), 1)}
    report(msgspec.to_builtins(sent) | gone, as_json=as_json)
    return 0
