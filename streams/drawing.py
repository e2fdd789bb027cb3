"""The picture of the topology, as text and as Mermaid; everything comes from `streams.topology`.

`freshrec topology --document > docs/topology.md` writes the page.
"""

import re
from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from streams.topology import GROUPS, STAGES, TOPIC_BY_NAME, TOPICS, Stage, Topic

_WIDTH = 88
_KINDS = {
    "entry": "a storefront writes it",
    "log": "stages learn from it",
    "view": "followed: the newest value of each key counts",
    "output": "for services downstream",
}
_SHAPES = {"entry": '(["{}"])', "log": '[/"{}"/]', "view": '[("{}")]', "output": '(["{}"])'}


def as_text() -> str:
    """Draw stages from top to bottom, in the order in which data flows.

    Examples
    --------
    >>> for line in as_text().splitlines()[:4]:
    ...     print(line[:42])
    browses  purchases  ratings  items  custom
            │ from the storefront
    ┌───────▼── ingest ── process customers ──
    │  learns from  browses, purchases, rating
    """
    return "\n".join(_text())


def _text() -> Iterator[str]:
    yield "  ".join(topic.name for topic in TOPICS if topic.kind == "entry")
    for stage in STAGES:
        yield from _box(stage)
    yield ""
    width = max(len(topic.name) for topic in TOPICS)
    for kind, meaning in _KINDS.items():
        yield f"{kind} ({meaning})"
        for topic in TOPICS:
            if topic.kind == kind:
                yield f"  {topic.name:{width}}  by {topic.key}{', compacted' if topic.compacted else ''}"


def _box(stage: Stage) -> Iterator[str]:
    writers = ", ".join(x.name for x in STAGES if set(x.writes) & set(stage.reads)) or "the storefront"
    yield f"        │ from {writers}"
    by = "" if stage.key == "none" else f" ── by {stage.key}"
    yield f"┌───────▼── {stage.name} ── process {stage.group}{by} ".ljust(_WIDTH - 1, "─") + "┐"
    parts = {
        "learns from": stage.reads,
        "follows": stage.follows,
        "remembers": stage.remembers,
        "keeps": stage.keeps,
        "writes": stage.writes,
    }
    for what, names in parts.items():
        for number, line in enumerate(wrap(", ".join(names), _WIDTH - 18)):
            yield f"│  {what if number == 0 else '':11}  {line}".ljust(_WIDTH - 1) + "│"
    yield "└" + "─" * (_WIDTH - 2) + "┘"


def as_mermaid() -> str:
    """Draw a Mermaid flowchart: solid arrows are learned from or written, dotted ones are followed."""
    lines = ["flowchart TB"]
    for group in GROUPS:
        lines.append(f'  subgraph group_{group}["process {group}"]')
        lines += [f'    {_stage(stage.name)}[["{stage.name}"]]' for stage in STAGES if stage.group == group]
        lines.append("  end")
    lines += [f"  {_topic(topic.name)}{_SHAPES[topic.kind].format(topic.name)}" for topic in TOPICS]
    for stage in STAGES:
        lines += [f"  {_topic(name)} --> {_stage(stage.name)}" for name in stage.reads]
        followed = (*stage.follows, *stage.remembers)
        lines += [f"  {_topic(name)} -.-> {_stage(stage.name)}" for name in followed]
        lines += [f"  {_stage(stage.name)} --> {_topic(name)}" for name in stage.writes]
    return "\n".join(lines)


# Prefixes keep the names of topics, stages and processes apart: "rules" and "segments" are several things.
def _topic(name: str) -> str:
    return f"topic_{TOPIC_BY_NAME[name].name.replace('-', '_')}"


def _stage(name: str) -> str:
    return f"stage_{name}"


def as_data() -> dict[str, list[dict[str, Any]]]:
    """Give topics and stages as plain data, messages by the names of their types."""
    topics = [_fields(topic) | {"message": _type_name(topic.message)} for topic in TOPICS]
    return {"topics": topics, "stages": [_fields(stage) for stage in STAGES]}


def _fields(row: Topic | Stage) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def _type_name(message: object) -> str:
    return message.__name__ if isinstance(message, type) else re.sub(r"\w+\.", "", str(message))


def document() -> str:
    """Write docs/topology.md."""
    return (
        "# The topology\n\n"
        "Generated from `streams/topology.py` by `freshrec topology --document > docs/topology.md`: every\n"
        "topic and every stage. Rounded topics are public, cylinders are views; solid arrows are learned\n"
        "from or written, dotted ones are followed.\n\n"
        f"```mermaid\n{as_mermaid()}\n```\n\n"
        f"The same from top to bottom, as `freshrec topology` prints it:\n\n```text\n{as_text()}\n```\n"
    )
