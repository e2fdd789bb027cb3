"""The page at /docs: every path with parameters and structs, for people; nothing in it is from elsewhere."""

from collections.abc import Iterator
from html import escape
from typing import Any, Final

from streams.serving.openapi import document

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid #8888; padding-top: 1rem; overflow-wrap: anywhere; }
code, pre { font: 14px/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem; background: #8882; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .25rem 1rem .25rem 0; }
tr { border-bottom: 1px solid #8884; }
"""


def page() -> str:
    """Write the page."""
    made = document()
    title = f"{made['info']['title']}: HTTP API"
    lines = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body><main>",
        f"<h1>{title}</h1>",
        f"<p>{escape(made['info']['summary'])} The same for programs: "
        '<a href="/openapi.json">openapi.json</a>. With a token set, every request bears '
        "<code>Authorization: Bearer TOKEN</code>. Problems are <code>application/problem+json</code>.</p>",
        '<nav aria-label="Paths"><ul>',
    ]
    for path, method, operation in _operations(made):
        place, name = operation["operationId"], f"{method.upper()} {path}"
        says = escape(operation["summary"])
        lines.append(f'<li><a href="#{place}"><code>{escape(name)}</code></a> {says}</li>')
    lines.append("</ul></nav>")
    for path, method, operation in _operations(made):
        lines += _section(path, method, operation)
    lines.append("<h2>What is sent and answered</h2>")
    for name, schema in made["components"]["schemas"].items():
        lines += _schema(name, schema)
    return "\n".join([*lines, "</main></body></html>", ""])


def _operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _section(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f'<h2 id="{operation["operationId"]}"><code>{method.upper()} {escape(path)}</code></h2>'
    yield f"<p>{escape(operation['summary'])} {escape(operation['description'])}</p>"
    if parameters := operation.get("parameters"):
        yield "<table><tr><th>parameter</th><th>in</th><th>type</th><th>meaning</th></tr>"
        for each in parameters:
            yield (
                f"<tr><td><code>{escape(each['name'])}</code></td><td>{each['in']}</td>"
                f"<td>{_type(each['schema'])}</td><td>{escape(each.get('description', ''))}</td></tr>"
            )
        yield "</table>"
    if body := operation.get("requestBody"):
        yield f"<p>Body: {_type(body['content']['application/json']['schema'])}</p>"
    yield "<ul>"
    for status, answer in operation["responses"].items():
        (content,) = answer["content"].values()
        yield f"<li><code>{status}</code> {escape(answer['description'])}: {_type(content['schema'])}</li>"
    yield "</ul>"


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f'<h3 id="{escape(name)}"><code>{escape(name)}</code></h3>'
    yield f"<p>{escape(schema.get('description', ''))}</p>"
    yield "<table><tr><th>field</th><th>type</th><th></th></tr>"
    required = schema.get("required", [])
    for field, each in schema.get("properties", {}).items():
        need = "required" if field in required else ""
        yield f"<tr><td><code>{escape(field)}</code></td><td>{_type(each)}</td><td>{need}</td></tr>"
    yield "</table>"


def _type(schema: dict[str, Any]) -> str:
    """A type in words, with a link to a struct."""
    if reference := schema.get("$ref"):
        name = escape(reference.rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if several := schema.get("anyOf"):
        return " or ".join(map(_type, several))
    if schema.get("type") == "array":
        return f"array of {_type(schema.get('items', {}))}"
    if "enum" in schema:
        return escape(" or ".join(map(str, schema["enum"])))
    return escape(str(schema.get("type", "any")))
