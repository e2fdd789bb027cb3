"""Writes docs/reliability.md: the words of page.txt around the results of the fault scenarios."""

from collections.abc import Iterator
from pathlib import Path

from tests.integration.chaos.outcome import Run, read

WORDS = Path(__file__).with_name("page.txt")
HAPPENS = {
    "kill": "SIGKILL of one worker, then of one of three, at random moments",
    "flush": "a process ends around a send, the acknowledgements, the write and the commit of a flush",
    "taking": "a process ends at each step of a snapshot and of restoring one, then the disk is lost",
    "reset": "`freshrec reset` is ended at each of its steps, and run again",
    "send": "the broker refuses a send, or acknowledges it some seconds late",
    "scale": "one worker, three, one again, under load",
    "apart": "one worker, three with disks of their own, of which one stands still, one again, under load",
    "disk": "SIGKILL and the loss of all stores, or of one stage's, restored from snapshots",
    "snapshot": "the newest snapshots are damaged in four ways, then the disk is lost",
    "older": "stages go on from snapshots of different ages: older above, older below, each another",
    "full": "the disk of the stores is full, then that of the snapshots; both are given room again",
    "broker": "the broker is killed or stands still, a worker stands still past its session timeout",
    "slow": "a backlog of 128 MB is read from a broker that mostly stands still, or onto a slow disk",
    "duplicates": "a tenth is sent twice, a fifth up to five minutes late, with SIGKILLs between",
    "poison": "refused records, changed bytes, a record of 5 MB, tombstones, a basket of 1,110 items",
    "topics": "other learning settings or partitions, a topic made again, retention past a store's offset",
    "soak": "minutes at half rate, with restarts",
}


def rows(runs: list[Run]) -> Iterator[str]:
    """A line for each scenario that was run, over all its runs."""
    yield "| scenario | what happens | runs | faults | events | keys | differing | lost |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for name, happens in HAPPENS.items():
        own = [run for run in runs if run.scenario == name]
        found = [(run.kills, run.events, run.keys, run.differing, run.lost) for run in own]
        if found:
            numbers = (len(found), *(sum(each) for each in zip(*found, strict=True)))
            yield f"| {name} | {happens} | {' | '.join(f'{number:,}' for number in numbers)} |"


def notes(runs: list[Run]) -> Iterator[str]:
    """What the newest run of a scenario measured besides, and where the runs were made."""
    for name, run in {run.scenario: run for run in runs if run.notes}.items():
        told = ", ".join(f"{key} {value}" for key, value in run.notes.items())
        yield f"- {name}, seed {run.seed}: {told}."
    commits, machines = sorted({run.commit for run in runs}), sorted({run.machine for run in runs})
    yield f"- Runs at {', '.join(commits)} on {'; '.join(machines)}."


def main() -> None:
    """Print the page."""
    runs = read().runs
    results = "\n".join([*rows(runs), "", *notes(runs)])
    print(WORDS.read_text().replace("{results}", results), end="")


if __name__ == "__main__":
    main()
