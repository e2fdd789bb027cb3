"""What every step must do: learn from its log alone, touch its own rows alone, and keep them bounded.

A check runs a model of the catalogue over a log; which log is up to the caller.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec

from online_models.catalog import Model
from online_models.checks.doubles import Kept, Memory, Watched
from online_models.checks.failure import require
from online_models.protocols import Step, Store
from schemas.messages import BEFORE_ALL, ItemDeltas
from schemas.settings import Settings

V = TypeVar("V")
Log = Sequence[Any]
_encode = msgspec.msgpack.Encoder().encode


def digest(model: Model, log: Log, settings: Settings) -> str:
    """Fingerprint of all outputs and rows of a run, for comparing runs in different processes."""
    memory = Memory()
    outputs = _learn(model.make(memory.make, settings), log)
    return blake2b(_encode([outputs, sorted(memory.rows().items())]), digest_size=16).hexdigest()


def check_deterministic(model: Model, log: Log, settings: Settings) -> None:
    """The same log gives the same outputs and rows, to the bit."""
    one, two = digest(model, log, settings), digest(model, log, settings)
    require(one == two, "two runs over one log differ; a step may depend on its log alone")


def check_lists(model: Model, log: Log, settings: Settings) -> None:
    """`learn_one` returns a list, whose elements are final when it returns."""
    step = model.make(Memory().make, settings)
    for x in log:
        found = step.learn_one(x)
        require(isinstance(found, list), f"learn_one returned a {type(found).__name__}; expected a list")


def check_keys(model: Model, log: Log, settings: Settings) -> None:
    """A step touches the rows under key(x) and the bookkeeping that it documents, nothing else."""
    memory, touched = Memory(), list[tuple[str, str]]()

    def watch(prefix: str, row_type: type[V]) -> Store[V]:
        return Watched(
            memory.make(prefix, row_type), lambda key: touched.append((prefix, key)), lambda _: None
        )

    step = model.make(watch, settings)
    for x in log:
        touched.clear()
        step.learn_one(x)
        own = step.key(x)
        for prefix, key in touched:
            mine = prefix == model.own and key == own
            documented = re.fullmatch(model.bookkeeping.get(prefix, r"(?!)"), key)
            require(
                bool(mine or documented),
                f"learning {own!r} touched {key!r} of {prefix!r}; expected only what Model documents",
            )


def check_round_trips(model: Model, log: Log, settings: Settings) -> None:
    """It makes no difference whether rows are encoded after every event or kept as objects between cuts."""
    memory, kept = Memory(), dict[str, Kept[Any]]()

    def keep(prefix: str, row_type: type[V]) -> Store[V]:  # noqa: ARG001  # objects need no type
        store: Kept[V] = kept.setdefault(prefix, Kept())
        return store

    one, two = model.make(memory.make, settings), model.make(keep, settings)
    for number, x in enumerate(log):
        encoded, by_reference = one.learn_one(x), two.learn_one(x)
        require(_encode(encoded) == _encode(by_reference), f"outputs differ at event {number}: {x!r}")
        if number % 7 == 0:
            for store in kept.values():
                store.freeze()
    for store in kept.values():
        store.freeze()
    rows = {prefix + key: row for prefix, store in kept.items() for key, row in store.cut.items()}
    differing = sorted(
        key for key in rows.keys() | memory.rows().keys() if rows.get(key) != memory.rows().get(key)
    )
    require(not differing, f"rows that were changed and not put, or put and changed: {differing[:5]}")


def check_bounded(model: Model, log: Log, settings: Settings, *, id_bytes: int) -> None:
    """No row ever takes more bytes than the model says."""
    memory, most = Memory(), model.bounds(settings, id_bytes)

    def measure(prefix: str, row_type: type[V]) -> Store[V]:
        def on_put(row: V) -> None:
            size = len(_encode(row))
            require(
                size <= most[prefix], f"a row of {prefix!r} takes {size} bytes; the bound is {most[prefix]}"
            )

        return Watched(memory.make(prefix, row_type), lambda _: None, on_put)

    _learn(model.make(measure, settings), log)


def check_learn_many(model: Model, cuts: Sequence[Sequence[ItemDeltas]], settings: Settings) -> None:
    """`learn_many` equals `learn_one` in a loop, and a batch that was applied before changes nothing.

    Parameters
    ----------
    model : Model
        One with `split`.
    cuts : sequence of sequence of ItemDeltas
        The same log, cut into batches in different ways.
    settings : Settings
        For the model.
    """
    if model.split is None:
        raise ValueError("the model has no learn_many")
    memory = Memory()
    looped = [x for deltas in cuts[0] for x in model.split(deltas)]
    changed = {name for names in _learn(model.make(memory.make, settings), looped) for name in names}
    expected = memory.rows()
    for batches in cuts:
        many = Memory()
        step: Any = model.make(many.make, settings)
        names: set[str] = set()
        for deltas in batches:
            names.update(step.learn_many(deltas, BEFORE_ALL))
            again = step.learn_many(deltas, deltas.positions[-1]) if deltas.positions else set()
            require(not again, f"a batch that was applied before changed {sorted(again)[:5]}")
        rows = many.rows()
        differing = sorted(key for key in rows.keys() | expected.keys() if rows.get(key) != expected.get(key))
        require(
            not differing, f"in {len(batches)} batches these rows differ from learn_one's: {differing[:5]}"
        )
        require(names == changed, f"learn_many named {len(names)} changes, learn_one {len(changed)}")


def _learn(step: Step[Any, Any], log: Log) -> list[Sequence[Any]]:
    return [step.learn_one(x) for x in log]


def _differing(one: Mapping[str, bytes], two: Mapping[str, bytes]) -> list[str]:
    """Keys of the first rows that differ."""
    return sorted(key for key in one.keys() | two.keys() if one.get(key) != two.get(key))[:5]
