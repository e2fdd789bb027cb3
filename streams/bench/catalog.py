"""The scenarios in one process that have a plan and figures, by name."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeVar

import msgspec

from streams.bench import ingest, memory, restore, rule_mining, scale, session_query, start
from streams.bench.figures import Figures


class Measure(Protocol):
    """Measures a plan some times."""

    def __call__(self, plan: Any, *, runs: int) -> Figures: ...


SCENARIOS: Final[Mapping[str, tuple[type[msgspec.Struct], Measure]]] = MappingProxyType(
    {
        ingest.NAME: (ingest.Plan, ingest.measure),
        session_query.NAME: (session_query.Plan, session_query.measure),
        rule_mining.NAME: (rule_mining.Plan, rule_mining.measure),
        start.NAME: (start.Plan, start.measure),
        scale.NAME: (scale.Plan, scale.measure),
        memory.NAME: (memory.Plan, memory.measure),
        restore.NAME: (restore.Plan, restore.measure),
    }
)
NAMES: Final = tuple(SCENARIOS)
OF_A_FILE: Final = "-file"
"""Ends the name of a scenario that was measured on a file: its figures are not those of what is drawn."""

Plan = TypeVar("Plan", bound=msgspec.Struct)


def plan_of(name: str, **asked: object) -> msgspec.Struct:
    """Return the plan of a scenario, with what was asked for where it has such a thing."""
    return planned(SCENARIOS[name][0], **asked)


def planned(plan: type[Plan], **asked: object) -> Plan:
    """Return a plan with what was asked for; what is None or empty was not.

    Examples
    --------
    >>> class Some(msgspec.Struct):
    ...     count: int = 5
    ...     items: int = 7
    ...     file: str | None = None
    >>> planned(Some, count=None, items=(3, 9), file=Path("a/b.csv"), lists=4)
    Some(count=5, items=9, file='a/b.csv')
    """
    given: dict[str, Any] = {}
    for field in msgspec.structs.fields(plan):
        value = asked.get(field.name)
        if value is None or value == ():
            continue
        if isinstance(value, tuple) and field.type is int:
            value = value[-1]
        given[field.name] = str(value) if isinstance(value, Path) else value
    return plan(**given)


def measure(name: str, plan: msgspec.Struct, *, runs: int) -> Figures:
    """Measure a scenario."""
    found = SCENARIOS[name][1](plan, runs=runs)
    if any(value is not None for field, value in msgspec.structs.asdict(plan).items() if _is_file(field)):
        return msgspec.structs.replace(found, scenario=name + OF_A_FILE)
    return found


def told(plan: msgspec.Struct) -> dict[str, object]:
    """Return a plan for a results file: where files are is this machine's business, their names are enough.

    Examples
    --------
    >>> class Some(msgspec.Struct):
    ...     baskets_file: str
    >>> told(Some("/data/shop/baskets.csv"))
    {'baskets_file': 'shop/baskets.csv'}
    """
    return {
        field: "/".join(Path(value).parts[-2:]) if value is not None and _is_file(field) else value
        for field, value in msgspec.structs.asdict(plan).items()
    }


def _is_file(field: str) -> bool:
    return field.endswith("_file")
