"""Public messages in envelopes of CloudEvents, as AsyncAPI has them: what else an entry topic takes.

Made from the schema of the bare message and from what `schemas.cloud_events` asks of an envelope.
"""

from typing import Any, Final

from schemas.cloud_events import ADDED, PREFIX, REQUIRED, SPECVERSION, STRUCTURED

JSON: Final = "application/json"
_VERSION: Final = {"const": "1.0"}
_ATTRIBUTE: Final = {"type": "string", "minLength": 1}
_TIME: Final = {"type": "string", "format": "date-time", "description": "Stands in for `at` of the message."}
_TYPE: Final = {
    **_ATTRIBUTE,
    "description": "Its last part, after its last dot, stands in for `type` of the message.",
}
_ID: Final = {**_ATTRIBUTE, "description": "Together with `source` stands in for `event_id` of the message."}
_ATTRIBUTES: Final = dict.fromkeys(REQUIRED, _ATTRIBUTE) | {
    SPECVERSION: _VERSION,
    "id": _ID,
    "type": _TYPE,
    "time": _TIME,
}
"""Attributes of an envelope that are looked at, by name; their schemas."""


def data_schema(message: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a message in an envelope: what the envelope adds may be missing, or null.

    Parameters
    ----------
    message : dict
        The schema of the bare message, an object with properties.

    Examples
    --------
    >>> bare = {"properties": {"at": {"type": "integer"}, "user_id": {"type": "string"}},
    ...         "required": ["at", "user_id"]}
    >>> data_schema(bare)["required"]
    ['user_id']
    >>> data_schema(bare)["properties"]["at"]
    {'anyOf': [{'type': 'integer'}, {'type': 'null'}]}
    """
    properties = {
        name: {"anyOf": [schema, {"type": "null"}]} if name in ADDED else schema
        for name, schema in message["properties"].items()
    }
    required = [name for name in message["required"] if name not in ADDED]
    return {**message, "properties": properties, "required": required}


def structured(name: str, data: dict[str, Any], bindings: dict[str, Any]) -> dict[str, Any]:
    """Return the message of a topic in structured mode: one JSON object, the message in `data`.

    Parameters
    ----------
    name : str
        Of the message.
    data : dict
        Schema of the message in an envelope.
    bindings : dict
        As the bare message has them.
    """
    properties = _ATTRIBUTES | {
        "datacontenttype": {"type": "string", "description": "JSON, if it is there."},
        "data": data,
        "data_base64": {"type": "string", "contentEncoding": "base64", "description": "The message as JSON."},
    }
    either = [{"required": ["data"]}, {"required": ["data_base64"]}]
    return {
        "name": name,
        "summary": "The message in a CloudEvent 1.0, structured mode.",
        "description": f"Without the header content-type, too. {_MORE}",
        "contentType": STRUCTURED,
        "headers": {"type": "object", "properties": {"content-type": {"const": STRUCTURED}}},
        "payload": {"type": "object", "properties": properties, "required": [*REQUIRED], "oneOf": either},
        "bindings": bindings,
    }


def binary(name: str, data: dict[str, Any], bindings: dict[str, Any]) -> dict[str, Any]:
    """Return the message of a topic in binary mode: attributes in headers, the message is the value.

    Parameters
    ----------
    name, data, bindings
        As in `structured`.
    """
    headers = {PREFIX + attribute: schema for attribute, schema in _ATTRIBUTES.items()}
    return {
        "name": name,
        "summary": "The message in a CloudEvent 1.0, binary mode.",
        "description": _MORE,
        "contentType": JSON,
        "headers": {
            "type": "object",
            "properties": headers
            | {"content-type": {"type": "string", "description": "JSON, if it is there."}},
            "required": [PREFIX + attribute for attribute in REQUIRED],
        },
        "payload": data,
        "bindings": bindings,
    }


_MORE: Final = "Fields of the message win over attributes; other attributes mean nothing."
