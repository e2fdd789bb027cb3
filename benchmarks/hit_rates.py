"""Replays public data sets: the hit rate at 10 of the lists and of popularity, on the last tenth.

The data is not part of the project: `python -m benchmarks.hit_rates DATA` wants the folder that holds it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from streams.bench.machine import describe

RESULTS = Path("benchmarks/results/hit-rates.json")
SETS = {
    "retailrocket": ("retailrocket", "retailrocket/events_sample.csv.gz"),
    "rees46": ("rees46", "rees46/2019-oct-head.csv.gz"),
    "ml-latest-small": ("movielens", "ml-latest-small/ratings.csv.gz"),
    "online_retail": ("online-retail", "online_retail/online_retail_all.csv.gz"),
}
"""Name -> format of the file, its place below DATA."""


def replayed(format_: str, file: Path, folder: Path) -> dict[str, Any]:
    """What `freshrec replay --json` says of a file."""
    command = [sys.executable, "-m", "streams.cli", "replay", str(file), "--format", format_]
    command += ["--state", str(folder / "state"), "--out", str(folder / "lists.jsonl"), "--json"]
    found = subprocess.run(command, stdout=subprocess.PIPE, check=False)  # noqa: S603  # a command of our own
    if found.returncode:
        raise click.ClickException(f"replay of {file.name} ended with {found.returncode}; see above")
    summary: dict[str, Any] = msgspec.json.decode(found.stdout)
    return summary


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", type=click.Choice(list(SETS)), multiple=True, help="All by default.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
def main(data: Path, only: tuple[str, ...], out: Path) -> None:
    """Replay the data sets below DATA and write what their lists hit."""
    chosen = {name: SETS[name] for name in SETS if not only or name in only}
    missing = [place for _, place in chosen.values() if not (data / place).is_file()]
    if missing:
        raise click.ClickException(f"{data} does not hold {', '.join(missing)}; name the folder that does")
    summaries = {}
    table = Table("data", "events", "lists", "popularity", "events/s", title="hit rate at 10, last tenth")
    for name, (format_, place) in chosen.items():
        with tempfile.TemporaryDirectory(prefix="freshrec-hits-") as folder:
            found = summaries[name] = replayed(format_, data / place, Path(folder))
        shown = (found["hit_rate_last_tenth"], found["popularity_hit_rate_last_tenth"])
        events = sum(found["events"].values())
        table.add_row(
            name, f"{events:,}", *(f"{rate:.4f}" for rate in shown), f"{found['events_per_s']:,.0f}"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": describe(), "results": summaries}
    out.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    Console().print(table)
    click.echo(str(out))


if __name__ == "__main__":
    main()
