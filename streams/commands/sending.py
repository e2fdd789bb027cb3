"""What `produce` and `simulate` share: progress while sending, a clean end on a signal, the summary."""

import asyncio
import signal
from collections.abc import Iterable
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from schemas.settings import KafkaSettings
from streams.producing import Message, Sent, send_all


async def send_with_progress(
    settings: KafkaSettings, messages: Iterable[Message], *, rate: float, console: Console
) -> Sent:
    """Send until the messages end, or until SIGINT or SIGTERM; what was sent by then is acknowledged."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with console.status("connecting") as status:
        return await send_all(
            settings,
            messages,
            rate=rate,
            stop=stopping.is_set,
            on_progress=lambda sent: status.update(f"{sent:,} messages sent"),
        )


def report(summary: dict[str, Any], *, as_json: bool) -> None:
    """Print a summary as JSON or as a table."""
    if as_json:
        click.echo(msgspec.json.encode(summary).decode())
        return
    table = Table(show_header=False)
    for name, value in summary.items():
        if isinstance(value, dict):
            text = ", ".join(f"{key} {count:,}" for key, count in sorted(value.items())) or "none"
        else:
            text = f"{value:,}"
        table.add_row(name.replace("_", " "), text)
    Console().print(table)
