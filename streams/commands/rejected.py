"""`freshrec rejected list`: what was refused, and why."""

import base64
import binascii
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from schemas.recommendations import Rejection
from schemas.settings import Settings
from streams import rejections
from streams.commands.context import pass_settings

SHOWN_CHARACTERS = 200


@click.group()
def rejected() -> None:
    """Look at refused records."""


@rejected.command(name="list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="State directory of a replay; without it, the topic on Kafka is read.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array of the topic's messages.")
@pass_settings
def list_(settings: Settings, limit: int, state: Path | None, as_json: bool) -> None:
    """List the newest refused records, the newest last, with the reason and how they begin."""
    found = rejections.of_replay(state, limit) if state else rejections.of_kafka(settings.kafka, limit)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    if not found:
        click.echo("nothing was rejected")
        return
    Console(markup=False, highlight=False).print(_table(found))


def _table(found: list[Rejection]) -> Table:
    table = Table(box=None, header_style="bold")
    for name in ("at (UTC)", "reason", "record"):
        table.add_column(name, no_wrap=True)
    for name in ("detail", "begins with"):
        table.add_column(name, overflow="fold")
    for each in found:
        place = f"{each.topic}/{each.partition} {each.offset}"
        table.add_row(in_words(each.at), each.reason, place, printable(each.detail), beginning(each))
    return table


def in_words(at_ms: int) -> str:
    """Write a time (epoch ms) for people, to the second.

    Examples
    --------
    >>> in_words(1_736_121_600_500)
    '2025-01-06 00:00:00'
    >>> in_words(10**20)
    '100000000000000000000'
    """
    try:
        return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return str(at_ms)


def beginning(rejection: Rejection) -> str:
    """Give the first characters of the refused record; what a terminal would obey is escaped."""
    try:
        raw = base64.b64decode(rejection.raw_base64, validate=True)
    except binascii.Error:
        return ""
    text = raw[: 4 * SHOWN_CHARACTERS].decode(errors="backslashreplace")
    shown = printable(text[:SHOWN_CHARACTERS])
    return shown if len(text) <= SHOWN_CHARACTERS else f"{shown}…"


def printable(text: str) -> str:
    r"""Escape the characters of a text that can't be printed.

    Examples
    --------
    >>> print(printable("glück\x1b[2J\n"))
    glück\x1b[2J\n
    """
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
