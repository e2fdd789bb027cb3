"""`freshrec doctor`: name the cause of trouble, and what to do."""

from pathlib import Path

import click
import msgspec
from rich.console import Console

from schemas.settings import Settings
from streams.commands.context import pass_settings, with_state
from streams.doctor import examine


@click.command()
@click.option("--wait", "wait_s", type=click.FloatRange(min=0.1), default=3.0, show_default=True)
@click.option("--state", type=click.Path(file_okay=False, path_type=Path), help="State directory.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@pass_settings
def doctor(settings: Settings, wait_s: float, state: Path | None, as_json: bool) -> int:
    """Look for the cause of trouble: disk, state, broker, topics, lag, models."""
    findings = examine(with_state(settings, state), wait_s=wait_s)
    if as_json:
        click.echo(msgspec.json.encode(findings).decode())
    else:
        console = Console(highlight=False)
        for finding in findings:
            mark = "[green]ok   [/]" if finding.ok else "[red]wrong[/]"
            console.print(f"{mark} {finding.check}")
            if not finding.ok:
                console.print(f"      {finding.cause}", markup=False)
                console.print(f"      → {finding.what_to_do}", markup=False)
    return 0 if all(finding.ok for finding in findings) else 1
