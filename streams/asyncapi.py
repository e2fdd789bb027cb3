"""The topics as an AsyncAPI 3 document, made from `streams.topology` and the structs of their messages.

`python -m streams.asyncapi > docs/asyncapi.json` writes it. The application that it describes is the worker:
it receives what storefronts send and sends what other services read.
"""

import sys
from collections.abc import Iterator
from typing import Any, Final, get_args

import msgspec

from schemas.events import PublicMessage
from streams import enveloped
from streams.topology import JSON, SERVE, STAGES, TOPICS, Topic

_REFERENCES: Final = "#/components/schemas/{name}"
_CONTENT: Final = {JSON: "application/json"}
_STRUCTS: Final[dict[object, Any]] = {each.__struct_config__.tag: each for each in get_args(PublicMessage)}
"""Structs of the public messages by type, which is what the topology names."""

_DATA: Final = "Data"
"""Behind the name of a message's schema: that of the message in an envelope."""

_MODES: Final = {"-structured": enveloped.structured, "-binary": enveloped.binary}
"""Behind the name of a topic: its messages in envelopes of CloudEvents."""

_KINDS: Final = {
    "entry": "A storefront sends it.",
    "log": "Between stages: they learn from it.",
    "view": "Between processes: the newest value of each key counts.",
    "output": "For services downstream.",
}


def document() -> dict[str, Any]:
    """Make the document.

    Examples
    --------
    >>> made = document()
    >>> made["asyncapi"], made["channels"]["browses"]["address"]
    ('3.0.0', 'browses')
    """
    schemas, components = msgspec.json.schema_components(
        [_STRUCTS.get(topic.message, topic.message) for topic in TOPICS], ref_template=_REFERENCES
    )
    payloads = {topic.name: schema for topic, schema in zip(TOPICS, schemas, strict=True)}
    messages = {name: each for topic in TOPICS for name, each in _messages(topic, payloads[topic.name])}
    data = {
        f"{name}{_DATA}": enveloped.data_schema(components[name])
        for name in (each.__name__ for each in get_args(PublicMessage))
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "freshrec",
            "version": "1",
            "description": "Every topic; names take the prefix kafka.topic_prefix of the settings.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": dict(_operations()),
        "components": {
            "messages": messages,
            "schemas": components | data,
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    readers = [x.name for x in (*STAGES, SERVE) if topic.name in (*x.reads, *x.follows, *x.remembers)]
    told = f" Read by {', '.join(readers)}." if readers else ""
    policy = ["compact"] if topic.compacted else ["delete"]
    return {
        "address": topic.name,
        "description": _KINDS[topic.kind] + told,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names(topic)},
        "bindings": {"kafka": {"topicConfiguration": {"cleanup.policy": policy}}},
    }


def _operations() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for stage in STAGES:
        for action, names in (("receive", stage.reads), ("send", stage.writes)):
            for name in names:
                channel = {"$ref": f"#/channels/{name}"}
                found.append((f"{stage.name}-{action}s-{name}", {"action": action, "channel": channel}))
    return found


def _names(topic: Topic) -> list[str]:
    """What the messages of a topic are called: an entry topic takes them in envelopes, too."""
    enveloped_too = [topic.name + mode for mode in _MODES] if topic.kind == "entry" else []
    return [topic.name, *enveloped_too]


def _messages(topic: Topic, payload: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    bare = _message(topic, payload)
    yield topic.name, bare
    if topic.kind == "entry":
        data = {"$ref": payload["$ref"] + _DATA}
        for mode, make in _MODES.items():
            name = topic.name + mode
            yield name, make(name, data, bare["bindings"])


def _message(topic: Topic, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": topic.name,
        "contentType": _CONTENT.get(topic.codec, "application/vnd.msgpack"),
        "payload": payload,
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}}},
    }


def as_json(made: dict[str, Any]) -> bytes:
    """Write a document as it stands in docs."""
    return msgspec.json.format(msgspec.json.encode(made)) + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(as_json(document()))
