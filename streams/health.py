"""Whether a process lives and is ready, as a value, and how several become one. Pure."""

from collections.abc import Mapping

import msgspec


class Health(msgspec.Struct, frozen=True):
    """`live`: it need not be restarted; `ready`: it does its work; `reasons`: why not, in words."""

    live: bool
    ready: bool
    reasons: list[str]


HEALTHY = Health(live=True, ready=True, reasons=[])


def combined(parts: Mapping[str, Health]) -> Health:
    """Health of a whole whose every part must be well; reasons name the part.

    Examples
    --------
    >>> slow = Health(live=True, ready=False, reasons=["stage rules is opening its stores"])
    >>> combined({"history": HEALTHY, "rules": slow})
    Health(live=True, ready=False, reasons=['rules: stage rules is opening its stores'])
    """
    return Health(
        live=all(part.live for part in parts.values()),
        ready=all(part.ready for part in parts.values()),
        reasons=[f"{name}: {reason}" for name, part in parts.items() for reason in part.reasons],
    )
