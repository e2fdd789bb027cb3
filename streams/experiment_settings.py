"""The tables `[experiments.NAME]`: from TOML and environment to checked experiments.

A variant names the settings that differ as tables do (`recommend.k = 20` below its own), and so does the
environment: FRESHREC_EXPERIMENTS__LENGTH__VARIANTS__LONG__RECOMMEND__K=20.
"""

import difflib
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any, Final

import msgspec

from schemas.experiments import MAX_EXPERIMENTS, MAX_VARIANTS, Change, Experiment
from schemas.times import parse_at
from streams.errors import SettingsError
from streams.settings_fields import FIELDS

SECTION: Final = "experiments"
CHANGEABLE: Final = (
    *(
        key
        for key in FIELDS
        if key.startswith("recommend.") and key not in ("recommend.enabled", "recommend.refresh_interval_ms")
    ),
    "ranker.enabled",
)
"""Settings that may differ between variants: what a list looks like, not what is learned or when."""

_TIMES: Final = ("starts_at", "ends_at")
_SLACK: Final = 1e-9


def read_experiments(
    table: object, variables: Iterable[tuple[str, str]], *, origin: str
) -> tuple[Experiment, ...]:
    """Make experiments of what a file and the environment say.

    Parameters
    ----------
    table : object
        The file's table `experiments`; an empty one where there is none.
    variables : iterable of (str, str)
        Keys below `experiments`, in lower case and joined by two underscores, with their texts.
    origin : str
        Of the table, for messages.

    Raises
    ------
    SettingsError
        Something is unknown, of another type or out of range, or contradicts something else.

    Examples
    --------
    >>> halves = {"control": {"share": 0.5}, "long": {"share": 0.5, "recommend": {"k": 20}}}
    >>> found, *_ = read_experiments({"length": {"variants": halves}}, [], origin="file freshrec.toml")
    >>> found.name, found.variants[1].changes
    ('length', (('recommend.k', 20),))
    """
    if not isinstance(table, dict):
        raise SettingsError(f"experiments ({origin}) is not a table; write [experiments.NAME]")
    tree: dict[str, Any] = _copied(table)
    for path, text in variables:
        _put(tree, path.split("__"), text)
        origin = "environment and file" if table else "environment"
    experiments = tuple(_experiment(name, each, origin) for name, each in tree.items())
    check_experiments(experiments)
    return experiments


def check_experiments(experiments: Sequence[Experiment]) -> None:
    """Check what types alone do not say.

    Raises
    ------
    SettingsError
        Too many of them, a share or a control that cannot be, a setting that may not differ, or two
        experiments in the same slots at the same time.
    """
    if len(experiments) > MAX_EXPERIMENTS:
        raise SettingsError(
            f"there are {len(experiments)} experiments, at most {MAX_EXPERIMENTS} are possible; "
            f"remove those that are over: what was counted of them stays"
        )
    for experiment in experiments:
        _check(experiment)
    for a, b in combinations(experiments, 2):
        if _meet(a, b):
            raise SettingsError(
                f"experiments {a.name} and {b.name} have the same customers at the same time: slots "
                f"{a.first_slot} to {a.last_slot} and {b.first_slot} to {b.last_slot}. Give them slots of "
                f"their own with first_slot and last_slot, or times that do not overlap"
            )


def flat(experiments: Sequence[Experiment]) -> Iterator[tuple[str, object]]:
    """Every setting of the experiments by its whole name, as `freshrec config` prints them."""
    for experiment in experiments:
        head = f"{SECTION}.{experiment.name}"
        for field, value in msgspec.to_builtins(experiment).items():
            if field not in ("name", "variants"):
                yield f"{head}.{field}", value
        for variant in experiment.variants:
            for key, value in (("share", variant.share), *variant.changes):
                yield f"{head}.variants.{variant.name}.{key}", value


def _copied(table: dict[str, Any]) -> dict[str, Any]:
    return {name: _copied(each) if isinstance(each, dict) else each for name, each in table.items()}


def _put(tree: dict[str, Any], path: list[str], text: str) -> None:
    *heads, last = path
    for head in heads:
        below = tree.setdefault(head, {})
        if not isinstance(below, dict):
            raise SettingsError(f"experiments.{'.'.join(path)} (environment): {head} is no table")
        tree = below
    tree[last] = text


def _experiment(name: str, table: object, origin: str) -> Experiment:
    if not isinstance(table, dict):
        raise SettingsError(
            f"experiments.{name} = {table!r} ({origin}) is not a table; write [experiments.{name}]"
        )
    variants = table.get("variants", {})
    if not isinstance(variants, dict):
        raise SettingsError(f"experiments.{name}.variants ({origin}) is not a table of variants")
    fields = {key: _time(f"{name}.{key}", each, origin) for key, each in table.items()}
    made = [_variant(name, variant, each, origin) for variant, each in variants.items()]
    try:
        return msgspec.convert(fields | {"name": name, "variants": made}, Experiment, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(
            f"experiments.{name} ({origin}) cannot be used: {error}. "
            f"docs/experiments.md says what an experiment has"
        ) from None


def _time(key: str, value: object, origin: str) -> object:
    """Epoch ms of a time; any other value as it is."""
    if key.rpartition(".")[2] not in _TIMES or isinstance(value, int):
        return value
    at = parse_at(value.isoformat() if hasattr(value, "isoformat") else str(value))
    if at is None and isinstance(value, str) and value.isdecimal():
        return int(value)
    if at is None:
        raise SettingsError(
            f"experiments.{key} = {value} ({origin}) is no time: write 2026-11-27T00:00:00Z or epoch ms"
        )
    return at


def _variant(experiment: str, name: str, table: object, origin: str) -> dict[str, object]:
    key = f"{experiment}.variants.{name}"
    if not isinstance(table, dict):
        raise SettingsError(f"experiments.{key} = {table!r} ({origin}) is not a table; it needs a share")
    found: dict[str, object] = {}
    changes: dict[str, Change] = {}
    for section, value in table.items():
        if not isinstance(value, dict):
            found[section] = value
            continue
        for setting, each in value.items():
            changed = f"{section}.{setting}"
            changes[changed] = _change(changed, each, f"experiments.{key}, {origin}")
    return found | {"name": name, "changes": list(changes.items())}


def _change(key: str, value: object, origin: str) -> Change:
    if key not in CHANGEABLE:
        close = difflib.get_close_matches(key, CHANGEABLE, n=1)
        advice = f"did you mean {close[0]}?" if close else "it is not about what a list looks like"
        raise SettingsError(f"{key} ({origin}) may not differ between variants; {advice}")
    field = FIELDS[key]
    return field.parse(value, origin) if isinstance(value, str) else field.check(value, origin)


def _check(experiment: Experiment) -> None:
    name, variants = experiment.name, experiment.variants
    names = [each.name for each in variants]
    if not 2 <= len(variants) <= MAX_VARIANTS:
        raise SettingsError(
            f"experiment {name} has {len(variants)} variants; expected from 2 to {MAX_VARIANTS}"
        )
    if experiment.control not in names:
        raise SettingsError(
            f"experiment {name}: control = {experiment.control!r} is none of its variants "
            f"({', '.join(names)}); the others are compared with it"
        )
    total = math.fsum(each.share for each in variants)
    if abs(total - 1) > _SLACK:
        raise SettingsError(
            f"experiment {name}: the shares of its variants sum to {total:g}, expected 1; "
            f"with first_slot and last_slot fewer customers take part"
        )
    if experiment.first_slot > experiment.last_slot:
        raise SettingsError(f"experiment {name}: first_slot is above last_slot; exchange them")
    if None not in (experiment.starts_at, experiment.ends_at) and _ends(experiment) <= _starts(experiment):
        raise SettingsError(f"experiment {name} ends before it starts; correct ends_at")
    for variant in variants:
        for key, value in variant.changes:
            _change(key, value, f"experiments.{name}")


def _meet(one: Experiment, other: Experiment) -> bool:
    apart = one.last_slot < other.first_slot or other.last_slot < one.first_slot
    return not apart and _starts(one) < _ends(other) and _starts(other) < _ends(one)


def _starts(experiment: Experiment) -> float:
    return -math.inf if experiment.starts_at is None else experiment.starts_at


def _ends(experiment: Experiment) -> float:
    return math.inf if experiment.ends_at is None else experiment.ends_at
