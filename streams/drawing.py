"""The picture of the topology, as text and as Mermaid; everything comes from `streams.topology`."""

from collections.abc import Iterator

from streams.topology import GROUPS, STAGES, TOPIC_BY_NAME, TOPICS


def as_text() -> str:
    """Draw stages from top to bottom, in the order in which data flows."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for group in GROUPS:
        yield f"process {group}"
        for stage in STAGES:
            if stage.group != group:
                continue
            yield f"  stage {stage.name} (by {stage.key})"
            yield f"    reads    {', '.join(stage.reads)}"
            if stage.follows:
                yield f"    follows  {', '.join(stage.follows)}"
            if stage.keeps:
                yield f"    keeps    {', '.join(stage.keeps)}"
            yield f"    writes   {', '.join(stage.writes)}"
        yield ""
    yield "topics"
    for topic in TOPICS:
        kept = ", compacted" if topic.compacted else ""
        yield f"  {topic.name:18} {topic.kind:6} key: {topic.key}{kept}"


def as_mermaid() -> str:
    """Draw a Mermaid flowchart: solid arrows are learned from, dotted ones are followed."""
    lines = ["flowchart TB"]
    for group in GROUPS:
        lines.append(f"  subgraph {group}")
        lines += [f"    {stage.name}[[{stage.name}]]" for stage in STAGES if stage.group == group]
        lines.append("  end")
    for topic in TOPICS:
        shape = "([{}])" if topic.kind in {"entry", "output"} else "[{}]"
        lines.append(f"  {_node(topic.name)}{shape.format(topic.name)}")
    for stage in STAGES:
        lines += [f"  {_node(name)} --> {stage.name}" for name in stage.reads]
        lines += [f"  {_node(name)} -.-> {stage.name}" for name in stage.follows]
        lines += [f"  {stage.name} --> {_node(name)}" for name in stage.writes]
    return "\n".join(lines)


def document() -> str:
    """Write docs/topology.md."""
    return (
        "# The topology\n\n"
        "Generated from `streams/topology.py` by `freshrec topology --document`. Rounded topics are public; "
        "solid arrows are learned from, dotted ones are followed as views.\n\n"
        f"```mermaid\n{as_mermaid()}\n```\n\n```text\n{as_text()}\n```\n"
    )


def _node(topic: str) -> str:
    return f"t_{TOPIC_BY_NAME[topic].name.replace('-', '_')}"
