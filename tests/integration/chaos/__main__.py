"""What `make chaos` calls: faults, their proof, a line that sums it up, and a results file."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import click

from tests.integration.chaos.full_disks import mounting
from tests.integration.chaos.outcome import RESULTS, add
from tests.integration.chaos.scenarios import SCENARIOS, carry_out


@click.command()
@click.argument("scenario", type=click.Choice(list(SCENARIOS)))
@click.option(
    "--kills", type=click.IntRange(1), help="Faults (soak: minutes, poison: records); see scenarios.py."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="What is sent, and when a fault happens."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
def main(scenario: str, kills: int | None, seed: int, out: Path) -> None:
    """Make faults of one kind and prove that nothing differs; exit code 0 only if so."""
    command = mounting([sys.executable, "-m", "tests.integration.chaos", *sys.argv[1:]])
    if scenario == "full" and command[0] != sys.executable:
        os.execvp(command[0], command)  # noqa: S606  # this very command again, which may mount then
    folder = Path(tempfile.mkdtemp(prefix="freshrec-chaos-"))
    run = carry_out(scenario, folder, seed=seed, kills=kills)
    add(run, out)
    for fault in run.faults:
        click.echo(fault)
    if run.well:
        shutil.rmtree(folder)
    else:
        click.echo(f"logs and stores are in {folder}; the same again: {run.command}")
    click.echo(run.summary())
    sys.exit(0 if run.well else 1)


if __name__ == "__main__":
    main()
