"""The document of the API is current and says what is so; the page has all of it and needs nothing else."""

import re
from pathlib import Path
from typing import Any

from streams.serving.answering import Answering
from streams.serving.openapi import as_json, document
from streams.serving.page import page
from streams.serving.routes import ROUTES
from tests.streams.serving.parts import Desk, a_shop

ROOT = Path(__file__).parents[3]


def test_the_document_in_docs_is_the_generated_one() -> None:
    told = (ROOT / "docs" / "openapi.json").read_bytes()
    assert told == as_json(document()), "run: python -m streams.serving.openapi > docs/openapi.json"


def test_it_has_every_route_with_its_parameters_and_each_is_answered() -> None:
    paths = document()["paths"]
    assert {(path, method.upper()) for path, methods in paths.items() for method in methods} == {
        (route.path, route.method) for route in ROUTES
    }
    for route in ROUTES:
        assert callable(getattr(Answering, route.answers))
        told = paths[route.path][route.method.lower()]
        asked = [each["name"] for each in told.get("parameters", []) if each["in"] == "query"]
        assert asked == [each.name for each in route.parameters]
        assert str(route.status) in told["responses"]


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if "$ref" in part else set()
        return own.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_every_reference_leads_to_a_schema_and_every_schema_is_used() -> None:
    made = document()
    names = {f"#/components/schemas/{name}" for name in made["components"]["schemas"]}
    assert references(made) == names


def test_the_server_gives_the_document_and_the_page() -> None:
    desk = Desk(a_shop())
    assert desk.get("/openapi.json") == document()
    assert desk.get("/docs") == page()


def test_the_page_shows_every_path_and_links_lead_to_what_is_on_it() -> None:
    text = page()
    for route in ROUTES:
        assert f"{route.method} {route.path}" in text
        assert all(f"<code>{each.name}</code>" in text for each in route.parameters)
    anchors = set(re.findall(r'id="([^"]+)"', text))
    assert {link[1:] for link in re.findall(r'href="(#[^"]+)"', text)} <= anchors
    assert set(re.findall(r'(?:href|src)="([^#"][^"]*)"', text)) == {"/openapi.json"}
