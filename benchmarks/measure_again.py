"""Measure again what docs/models.md shows: the command of each results file, on the data in a folder.

`python -m benchmarks.measure_again DATA [NAME...]` overwrites benchmarks/results/evaluate-NAME.json, by
default all of them, one after the other; `python -m benchmarks.models_page > docs/models.md` comes after.
"""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from benchmarks.models_page import RESULTS, command_of

PROGRAM: Final = "freshrec"
_PREFIX: Final = "evaluate-"


def arguments(found: dict[str, Any], data: Path, out: Path) -> list[str]:
    """Arguments of the program that measured a results file, for data elsewhere.

    Examples
    --------
    >>> request = {"format": "sessions", "test_share": 0.1, "relevant": "", "repeats": False}
    >>> found = {"protocol": "sessions", "mode": "live", "k": 20, "request": request, "seed": 1,
    ...          "options": {"sr": {}}, "data": {"events": "shop/sessions.csv"}, "reference": None}
    >>> " ".join(arguments(found, Path("data"), Path("out.json")))[:66]
    'evaluate --protocol sessions --format sessions --k 20 --events dat'
    """
    words = shlex.split(command_of(found))
    program, paths = words[0], set(found["data"].values())
    if program != PROGRAM:
        raise click.ClickException(
            f"{out.name} was measured by {program}, which has options of its own:"
            " run it as the page of models says"
        )
    return [*(str(data / word) if word in paths else word for word in words[1:]), "--json", str(out)]


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("names", nargs=-1)
def main(data: Path, names: Sequence[str]) -> None:
    """Measure NAMES (evaluate-NAME.json), or all, again on DATA."""
    files = [RESULTS / f"{_PREFIX}{name}.json" for name in names] or sorted(RESULTS.glob(f"{_PREFIX}*.json"))
    for file in files:
        if not file.exists():
            known = ", ".join(each.stem.removeprefix(_PREFIX) for each in sorted(RESULTS.glob(f"{_PREFIX}*")))
            raise click.ClickException(f"there is no {file.name}; expected one of {known}")
    program = Path(sys.executable).with_name(PROGRAM)
    for file in files:
        command = [str(program), *arguments(msgspec.json.decode(file.read_bytes()), data, file)]
        click.echo(shlex.join(command), err=True)
        subprocess.run(command, check=True)  # noqa: S603  # our own


if __name__ == "__main__":
    main()
