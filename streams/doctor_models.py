"""State: whether there are stores, and whether each stage has learned what there was to learn from.

Stores are opened read-only, beside a running worker, and show its last flush.
"""

from pathlib import Path
from typing import Final

from schemas.settings import Settings
from streams.doctor_finding import Finding
from streams.errors import StateError
from streams.offsets import source_ranges
from streams.rocks_store import RocksBudget, RocksDatabase
from streams.topology import STAGES

ROCKSDB_BYTES: Final = 8 * 1024 * 1024
CACHE_BYTES: Final = 1024 * 1024
_NO_ROW: Final = (b"\x00", b"~")
"""Keys of bookkeeping: a store that holds nothing else has learned nothing."""


def check_state(settings: Settings) -> list[Finding]:
    """Whether there are any stores."""
    folder = Path(settings.state.dir)
    kept = [stage.name for stage in STAGES if stage.keeps]
    stores = {name: len(stores_of(folder, name)) for name in kept}
    if any(stores.values()):
        seen = ", ".join(f"{name} {number}" for name, number in stores.items())
        return [Finding("state", ok=True, cause=f"stores in {folder}: {seen}")]
    advice = (
        "run 'freshrec worker' or 'freshrec replay', or name the right folder: FRESHREC_STATE__DIR, --state"
    )
    return [Finding("state", ok=False, cause=f"there are no stores in {folder}", what_to_do=advice)]


def check_models(settings: Settings) -> list[Finding]:
    """Whether each stage has learned something, if there is something to learn from."""
    records: dict[str, int] = {}
    for (topic, _), (first, end) in source_ranges(settings.kafka).items():
        records[topic] = records.get(topic, 0) + end - first
    found = []
    for stage in STAGES:
        number = records[settings.kafka.topic_prefix + stage.reads[0]]
        if stage.keeps and number and stage.name in switched_off(settings):
            found.append(Finding("models", ok=True, cause=f"{stage.name} is switched off"))
        elif stage.keeps and number:
            found.append(_has_learned(Path(settings.state.dir), stage.name, f"{number:,} records"))
    return found or [Finding("models", ok=True, cause="there is nothing to learn from yet")]


def switched_off(settings: Settings) -> frozenset[str]:
    """Stages that learn nothing under these settings."""
    off = [] if settings.density.enabled else ["density"]
    off += [] if settings.profiles.enabled else ["profiles", "needs"]
    return frozenset(off)


def _has_learned(state_dir: Path, stage: str, records: str) -> Finding:
    stores = stores_of(state_dir, stage)
    try:
        if any(has_rows(path) for path in stores):
            return Finding("models", ok=True, cause=f"{stage} has learned")
    except StateError as error:
        return Finding(
            "models", ok=False, cause=str(error), what_to_do="stop the worker, then do what is said"
        )
    seen = (
        f"its {len(stores)} stores in {state_dir} are empty" if stores else f"it has no store in {state_dir}"
    )
    return Finding(
        "models",
        ok=False,
        cause=f"{stage} has no data, although its topic holds {records}: {seen}",
        what_to_do=f"run 'freshrec worker' with stage {stage} on this state.dir, and see its log for errors",
    )


def stores_of(state_dir: Path, stage: str) -> list[Path]:
    """Folders of a stage's databases, by partition."""
    found = [path.parent for path in (state_dir / stage).glob("*/CURRENT") if path.parent.name.isdigit()]
    return sorted(found, key=lambda path: int(path.name))


def has_rows(path: Path) -> bool:
    """Whether a database holds more than bookkeeping, as of its last flush.

    Raises
    ------
    StateError
        It cannot be opened.
    """
    database = RocksDatabase(path, RocksBudget(ROCKSDB_BYTES), cache_bytes=CACHE_BYTES, read_only=True)
    try:
        return any(not key.startswith(_NO_ROW) for key, _ in database.rows())
    finally:
        database.close()
