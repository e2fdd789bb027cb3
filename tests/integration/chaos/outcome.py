"""What a run of a scenario found, the line that says it, and the file in which runs accumulate."""

from pathlib import Path
from typing import Any

import msgspec

from streams.bench.machine import describe

RESULTS = Path("benchmarks/results/chaos.json")


class Run(msgspec.Struct, kw_only=True):
    """One run of one scenario.

    `kills` are the faults that were made, `events` what was sent, `keys` the rows, entries and lists
    compared, `differing` those that were not as the oracle says, `lost` what was sent and not counted.
    """

    scenario: str
    seed: int
    kills: int
    events: int = 0
    keys: int = 0
    differing: int = 0
    lost: int = 0
    seconds: float = 0.0
    notes: dict[str, Any] = {}
    faults: list[str] = []
    commit: str = ""
    machine: str = ""

    @property
    def well(self) -> bool:
        """Whether something was compared and nothing differs."""
        return not (self.differing or self.lost or self.faults) and self.keys > 0

    @property
    def command(self) -> str:
        """What runs the same again."""
        return f"make chaos SCENARIO={self.scenario} KILLS={self.kills} SEED={self.seed}"

    def summary(self) -> str:
        """The last line of a run."""
        notes = "".join(f", {name} {value}" for name, value in self.notes.items())
        return (
            f"{'ok' if self.well else 'FAILED'} {self.scenario}: seed {self.seed}, {self.kills} faults, "
            f"{self.events} events, {self.keys} keys compared, {self.differing} differing, {self.lost} lost, "
            f"{self.seconds:.0f} s{notes}"
        )


class Results(msgspec.Struct):
    """All runs, oldest first."""

    runs: list[Run] = []


def read(path: Path = RESULTS) -> Results:
    """The runs of a results file; none if there is no file."""
    return msgspec.json.decode(path.read_bytes(), type=Results) if path.exists() else Results()


def add(run: Run, path: Path = RESULTS) -> None:
    """Put a run at the end of a results file, with commit and machine."""
    where = describe()
    run.commit = str(where["commit"])
    run.machine = f"{where['processor']}, {where['cores']} cores, Python {where['python']}"
    results = read(path)
    results.runs.append(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
