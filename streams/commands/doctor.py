"""`freshrec doctor`: name the cause of trouble, and what to do."""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.text import Text

from schemas.settings import Settings
from streams.commands.context import pass_settings, with_state
from streams.doctor import examine


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="State directory; state.dir of the settings by default.",
)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=3.0,
    show_default=True,
    metavar="S",
    help="Seconds between two looks at lag.",
)
@pass_settings
def doctor(settings: Settings, as_json: bool, state: Path | None, wait_s: float) -> int:
    """Find out why nothing comes out: disk, state, broker, topics, lag, models.

    Says for each what was seen and, where something is wrong, what to do. Exit code 1 if anything is wrong.
    """
    findings = examine(with_state(settings, state), wait_s=wait_s)
    healthy = all(finding.ok for finding in findings)
    if as_json:
        click.echo(msgspec.json.encode({"ok": healthy, "findings": findings}).decode())
        return 0 if healthy else 1
    console = Console(highlight=False)
    for finding in findings:
        mark = Text("ok   ", "green") if finding.ok else Text("WRONG", "bold red")
        console.print(mark, Text(f"{finding.name:7}"), Text(finding.cause), soft_wrap=True)
        if finding.what_to_do:
            console.print(Text(f"             → {finding.what_to_do}"), soft_wrap=True)
    return 0 if healthy else 1
