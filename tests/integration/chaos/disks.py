"""Workers that lose their disk, and snapshots that are damaged before they are needed."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from schemas.settings import Settings
from streams.snapshots.library import Library, Shelf
from streams.snapshots.manifest import ManifestName
from streams.snapshots.storage import Storage
from streams.topology import STAGES, TOPIC_BY_NAME, partitions_of
from tests.integration.chaos.house import House
from tests.integration.worker_process import until

URL = "snapshots"
"""Relative: below the folder of the worker's log, which is where it runs."""

SETTINGS = {"SNAPSHOT__INTERVAL_S": 1, "SNAPSHOT__KEEP": 3, "SNAPSHOT__URL": URL}


def disk(house: House) -> None:
    """SIGKILL and the loss of all stores, or of those of one stage, as often as told, under load."""
    worker = house.open()
    state = Path(house.topics.settings.state.dir)
    kept = [stage.name for stage in STAGES if stage.keeps]
    with house.load():
        wait_for_snapshots(house)
        for number in range(house.run.kills):
            house.pause(0.5, 3.0)
            worker.kill()
            lost = state / house.random.choice(kept) if number % 2 else state
            shutil.rmtree(lost)
            worker.start().wait_ready()
            restored = worker.metric("freshrec_restore_bytes_total")
            house.check(restored > 0, f"nothing was restored after {lost.name} was lost")
    house.settle([worker])
    house.prove()


def snapshot(house: House) -> None:
    """Damage the newest snapshot of every store in another way each time, and lose the disk."""
    worker, library = house.open(), library_of(house)
    state = Path(house.topics.settings.state.dir)
    root = house.folder / URL
    with house.load():
        for number in range(house.run.kills):
            wait_for_snapshots(house, at_least=2)
            worker.kill()
            shelves = _shelves(house.topics.settings)
            damaged = {shelf: library.names(shelf)[0] for shelf in shelves}
            for shelf in shelves:
                DAMAGES[number % len(DAMAGES)]((root / shelf.manifests).parent)
            shutil.rmtree(state)
            worker.start().wait_ready()
            restored = worker.metric("freshrec_restore_bytes_total")
            house.check(restored > 0, "no older snapshot was restored")
            house.check("is not used" in worker.log, "the damage was not told")
            until(partial(_replaced, library, damaged), "two snapshots after the damaged ones")
    house.settle([worker])
    house.prove()
    house.run.notes["damages"] = min(house.run.kills, len(DAMAGES))


def older(house: House) -> None:
    """Stages go on from snapshots of different ages: `history` from an older one, those below, or each."""
    worker, library = house.open(), library_of(house)
    back = 0
    with house.load(per_s=100.0):
        for number in range(house.run.kills):
            wait_for_snapshots(house, at_least=3)
            house.pause(0.5, 2.0)
            worker.kill()
            goes_back = AGES[(number + house.run.seed) % len(AGES)]
            for shelf in _shelves(house.topics.settings):
                if goes_back(shelf.stage):
                    back += _lose_the_newest(house, library, shelf)
            worker.start().wait_ready()
            restored = worker.metric("freshrec_restore_bytes_total")
            house.check(restored > 0, "no older snapshot was restored")
    house.settle([worker])
    house.prove()
    house.check(back > 0, "no stage went back")
    house.run.notes["records_back"] = back


AGES: tuple[Callable[[str], bool], ...] = (
    lambda stage: stage == "history",
    lambda stage: stage != "history",
    lambda _: True,
)
"""Which stages go back: that above alone, those below, all of them and each differently far."""


def _lose_the_newest(house: House, library: Library, shelf: Shelf) -> int:
    """Remove a store and some of its newest snapshots; how many records the one that is left is behind."""
    names = library.names(shelf)
    left = house.random.randint(1, len(names) - 1)
    for name in names[:left]:
        library.remove(shelf, name)
    shutil.rmtree(Path(house.topics.settings.state.dir) / shelf.stage / str(shelf.partition))
    return names[0].offset - names[left].offset


def _replaced(library: Library, damaged: dict[Shelf, ManifestName]) -> bool:
    """Whether each store has two snapshots that are newer than the damaged one."""
    return all(library.names(shelf)[1:2] > [name] for shelf, name in damaged.items())


def _flip_a_byte(folder: Path) -> None:
    """One bit of a file that the newest snapshot alone names."""
    file = _newest_file(folder)
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)


def _remove_a_file(folder: Path) -> None:
    _newest_file(folder).unlink()


def _cut_a_file(folder: Path) -> None:
    file = _newest_file(folder)
    file.write_bytes(file.read_bytes()[:-1])


def _cut_the_manifest(folder: Path) -> None:
    manifest = max((folder / "manifests").iterdir(), key=lambda each: each.name)
    manifest.write_bytes(manifest.read_bytes()[:-20])


DAMAGES: tuple[Callable[[Path], None], ...] = (_flip_a_byte, _remove_a_file, _cut_a_file, _cut_the_manifest)


def _newest_file(folder: Path) -> Path:
    """The file that came last: only the newest snapshot can need it."""
    files = [file for file in (folder / "files").iterdir() if file.stat().st_size]
    return max(files, key=lambda each: each.stat().st_mtime_ns)


def wait_for_snapshots(house: House, *, at_least: int = 1) -> None:
    """Wait until every store has so many snapshots."""
    library = library_of(house)
    shelves = _shelves(house.topics.settings)
    until(lambda: all(len(library.names(each)) >= at_least for each in shelves), "snapshots of every store")


def library_of(house: House) -> Library:
    """Where the workers of a house keep their snapshots."""
    return Library(Storage(str(house.folder / URL)))


def _shelves(settings: Settings) -> list[Shelf]:
    """Every stage partition that keeps state."""
    return [
        Shelf(stage.name, number)
        for stage in STAGES
        if stage.keeps
        for number in range(partitions_of(TOPIC_BY_NAME[stage.reads[0]], settings.kafka.partitions))
    ]
