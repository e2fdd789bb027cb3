"""The API as an OpenAPI 3.1 document, made from the list of routes and the structs of `schemas.answers`.

`python -m streams.serving.openapi > docs/openapi.json` writes it; the server gives it at /openapi.json.
"""

import re
import sys
from http import HTTPStatus
from typing import Any, Final

import msgspec

from schemas.answers import Problem
from schemas.cloud_events import BATCHED
from streams.serving.problems import CONTENT_TYPE
from streams.serving.routes import ROUTES, Parameter, Route

_JSON: Final = "application/json"
_CLOUD_EVENT: Final = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {name: {"type": "string"} for name in ("specversion", "id", "source", "type", "time")},
}
_REFERENCES: Final = "#/components/schemas/{name}"
_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "length": {"type": "integer", "minimum": 1},
    "id": {"type": "string", "minLength": 1},
    "ids": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "flag": {"type": "boolean", "default": True},
}


def document() -> dict[str, Any]:
    """Make the document.

    Examples
    --------
    >>> made = document()
    >>> made["openapi"], sorted(made["paths"])[:2]
    ('3.1.0', ['/v1/baskets', '/v1/events'])
    """
    types = [each for route in ROUTES for each in (route.answer, route.body) if each is not None]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=_REFERENCES)
    schema_of = dict(zip(map(str, types), schemas, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "freshrec",
            "version": "1",
            "summary": "Recommendations that are refreshed with every event.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": route.answers,
        "summary": route.says,
        "description": route.explains,
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _SCHEMAS["id"]}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    parameters += [_parameter(each) for each in route.parameters]
    if parameters:
        found["parameters"] = parameters
    if route.body is not None:
        schemas = {_JSON: schema_of[str(route.body)], BATCHED: {"type": "array", "items": _CLOUD_EVENT}}
        content = {each: {"schema": schemas.get(each, _CLOUD_EVENT)} for each in route.body_types}
        found["requestBody"] = {"required": True, "content": content}
    good = {"description": HTTPStatus(route.status).phrase, "content": _content(schema_of[str(route.answer)])}
    found["responses"] = {str(route.status): good} | {
        str(status): _problem(status) for status in sorted((*route.problems, 401, 403, 421))
    }
    return found


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.says,
        "schema": _SCHEMAS[parameter.kind],
    }


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {_JSON: {"schema": schema}}


def _problem(status: int) -> dict[str, Any]:
    reference = {"$ref": _REFERENCES.format(name="Problem")}
    return {"description": HTTPStatus(status).phrase, "content": {CONTENT_TYPE: {"schema": reference}}}


def as_json(made: dict[str, Any]) -> bytes:
    """Write a document as it stands in docs."""
    return msgspec.json.format(msgspec.json.encode(made)) + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(as_json(document()))
