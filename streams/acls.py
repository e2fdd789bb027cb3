"""What each kind of program has to be allowed on a broker that asks, derived from the topology.

Inert data: nothing is asked or changed here. Whoever is not listed may do nothing.
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from streams.topology import GROUPS, SERVE, STAGES, TOPICS

Role = Literal["worker", "server", "storefront", "reader", "operator"]
Operation = Literal["READ", "WRITE", "CREATE", "DESCRIBE", "DESCRIBE_CONFIGS"]

ROLES: Final[dict[Role, str]] = {
    "worker": "`freshrec worker`",
    "server": "`freshrec serve`",
    "storefront": "whoever sends events, `freshrec produce` and `simulate` among them",
    "reader": "a service that reads recommendations, rules and segments",
    "operator": "`freshrec topics`, `doctor` and `rejected`",
}
"""Each kind of program, and who that is."""

READER_GROUPS: Final = "reader-"
"""How names of readers' consumer groups begin; a reader without a group needs none."""


class Permission(msgspec.Struct, frozen=True):
    """A principal may do `operations` on a topic or group, or on all whose names begin so."""

    role: Role
    principal: str
    resource: Literal["topic", "group"]
    name: str
    pattern: Literal["literal", "prefixed"]
    operations: tuple[Operation, ...]


def permissions(prefix: str, principals: dict[Role, str]) -> list[Permission]:
    """List all that has to be allowed, and no more.

    Parameters
    ----------
    prefix : str
        `kafka.topic_prefix`.
    principals : dict of str to str
        Kafka's name of whoever plays each role, like `User:worker`; roles that are missing are left out.

    Examples
    --------
    >>> for each in permissions("", {"storefront": "User:shop"})[:1]:
    ...     print(each.principal, each.resource, each.name, each.operations)
    User:shop topic browses ('WRITE', 'DESCRIBE_CONFIGS')
    """
    found = []
    for role, principal in principals.items():
        for name, operations in _topics(role):
            found.append(Permission(role, principal, "topic", prefix + name, "literal", operations))
        for name, operations in _groups(role):
            found.append(Permission(role, principal, "group", prefix + name, "prefixed", operations))
    return found


def _topics(role: Role) -> Iterator[tuple[str, tuple[Operation, ...]]]:
    read = {name for stage in STAGES for name in (*stage.reads, *stage.follows)}
    written = {name for stage in STAGES for name in stage.writes}
    for topic in TOPICS:
        operations: tuple[Operation, ...] = ()
        if role == "worker":
            operations = (*_if(topic.name in read, "READ"), *_if(topic.name in written, "WRITE"))
        elif role == "server":
            followed = topic.name in (*SERVE.follows, *SERVE.remembers, *SERVE.shows)
            operations = (*_if(followed, "READ"), *_if(topic.name in SERVE.writes, "WRITE"))
        elif role == "storefront" and topic.kind == "entry":
            operations = ("WRITE",)
        elif role == "reader" and topic.kind == "output" and topic.name != "rejected":
            # What was refused may hold anything that a storefront sent.
            yield topic.name, ("READ",)
        elif role == "operator":
            operations = ("CREATE", "DESCRIBE", *_if(topic.name == "rejected", "READ"))
        if operations:
            # The commands compare topics with the topology before they begin.
            yield topic.name, (*operations, "DESCRIBE_CONFIGS")


def _groups(role: Role) -> Iterator[tuple[str, tuple[Operation, ...]]]:
    if role in ("worker", "operator"):
        for group in GROUPS:
            # A worker of some stages only has their names behind its group's.
            yield f"freshrec-{group}", ("READ",) if role == "worker" else ("DESCRIBE",)
    elif role == "reader":
        yield READER_GROUPS, ("READ",)


def _if(condition: bool, operation: Operation) -> tuple[Operation, ...]:  # reads as a sentence
    return (operation,) if condition else ()


def table() -> str:
    """The table of SECURITY.md: names with the same permissions stand in one row.

    Examples
    --------
    >>> print(table().splitlines()[0])
    | who | on | may |
    """
    rows: dict[tuple[str, str, tuple[Operation, ...]], list[str]] = {}
    for each in permissions("", {role: role for role in ROLES}):
        name = f"`{each.name}*`" if each.pattern == "prefixed" else f"`{each.name}`"
        rows.setdefault((each.role, each.resource, each.operations), []).append(name)
    lines = ["| who | on | may |", "|---|---|---|"]
    for (role, resource, operations), names in rows.items():
        what = resource if len(names) == 1 else f"{resource}s"
        lines.append(f"| {role} | {what} {' '.join(names)} | {', '.join(operations)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
