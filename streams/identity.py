"""Whose store is this? A store made for another topic, cluster, partition count or learning setting refuses.

State that was learned under one setting and continued under another would be a wrong count that nobody
sees; so the meta row names everything that decides what is learned.
"""

import hashlib

import msgspec

from schemas.settings import Settings
from schemas.state import ROW_VERSIONS, MetaRow, ProgressRow
from streams.errors import StateError
from streams.rocks_store import RocksDatabase

FORMAT = 1
BUILD = "1"
LEARNING: dict[str, tuple[str, ...]] = {
    "history": (
        "weights",
        "history",
        "rules.half_life_s",
        "rules.max_set_size",
        "rules.max_events_per_hour",
        "segments.max_unsent_events",
        "attribution",
    ),
    "rules": ("rules.half_life_s", "rules.max_row"),
    "popularity": ("popularity.half_life_s", "popularity.leaders"),
    "segments": (),
    "clusters": (
        "segments.clusters",
        "segments.forgetting_cap",
        "segments.warmup_samples",
        "segments.top_items",
        "segments.top_categories",
        "popularity.half_life_s",
    ),
    "ranker": (),
    "outcomes": (
        "history.session_gap_s",
        "trees.looks",
        "trees.open_sessions",
        "trees.outcomes_per_minute",
    ),
    "trees": (
        "trees.criterion",
        "trees.adaptive",
        "trees.depth",
        "trees.grace",
        "trees.delta",
        "trees.tie",
        "trees.warm_up",
        "trees.categories",
    ),
    "density": ("density.enabled", "density.radius", "density.half_life_samples"),
    "profiles": ("profiles.enabled", "profiles.half_life_s", "weights"),
    "needs": ("profiles.horizon_s", "profiles.panel", "profiles.trends_s"),
}
"""Settings that decide what a stage learns: sections or single keys."""

BY_CUSTOMER = ("history", "segments", "outcomes", "profiles")
"""Stages whose rows have the names of people: under another key they would be other people's."""


def learning_settings(stage: str, settings: Settings) -> dict[str, str]:
    """Every setting that decides what `stage` learns, as text."""
    tree = msgspec.to_builtins(settings)
    found: dict[str, str] = {}
    for name in LEARNING[stage]:
        section, _, key = name.partition(".")
        values = {key: tree[section][key]} if key else tree[section]
        found |= {f"{section}.{each}": str(value) for each, value in values.items()}
    return found


def expected_meta(
    stage: str,
    partition: int,
    partitions: int,
    settings: Settings,
    *,
    source: str,
    cluster: str,
    topic_id: str,
    pseudonym_key: str,
) -> MetaRow:
    """What the meta row of this stage and partition has to say; `pseudonym_key` is the key's fingerprint."""
    learning = learning_settings(stage, settings)
    if pseudonym_key and stage in BY_CUSTOMER:
        learning["privacy.pseudonym_key"] = pseudonym_key
    text = repr((ROW_VERSIONS.get(stage), sorted(learning.items())))
    fingerprint = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return MetaRow(
        FORMAT, BUILD, cluster, source, topic_id, partition, partitions, stage, 0, fingerprint, learning
    )


def begin(database: RocksDatabase, meta: MetaRow) -> None:
    """Say whose store a new one is, and that it reads on where it begins."""
    database.write_meta(meta)
    database.write(database.freeze(ProgressRow(meta.begins_at)))


def claim(database: RocksDatabase, expected: MetaRow) -> MetaRow:
    """Check whose store it is; a new one is stamped.

    Raises
    ------
    StateError
        The store belongs to something else; the message says what differs and what to do.
    """
    found = database.meta()
    if found is None:
        database.write_meta(expected)
        return expected
    differences = differences_of(found, expected)
    if differences:
        raise StateError(
            f"{database.path} was made for something else: {'; '.join(differences)}. "
            f"Put the setting back, or point state.dir to another folder; `freshrec migrate` goes on under "
            f"other learning settings with the counts as they are, `freshrec reset {found.stage}` counts anew"
        )
    return found


def differences_of(found: MetaRow, expected: MetaRow) -> list[str]:
    """What a store says of itself and what was expected, where that is not the same."""
    names = ("format", "stage", "partition", "partitions", "topic", "cluster_id", "topic_id")
    texts = [
        f"{name} is {getattr(found, name)!r}, expected {getattr(expected, name)!r}"
        for name in names
        if getattr(found, name) != getattr(expected, name)
    ]
    if found.fingerprint != expected.fingerprint:
        keys = sorted(found.settings.keys() | expected.settings.keys())
        texts += [
            f"{key} was {found.settings.get(key)}, now {expected.settings.get(key)}"
            for key in keys
            if found.settings.get(key) != expected.settings.get(key)
        ] or ["rows of another version"]
    return texts
