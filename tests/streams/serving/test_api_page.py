"""Every example of docs/api.md is asked, and is answered as the page says."""

import re
import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.serving.routes import ROUTES
from tests.streams.serving.parts import Desk, a_shop

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
EXAMPLES = re.findall(r"```sh\n(curl .*?)\n```\n\n```json\n(.*?)```", PAGE, re.DOTALL)


def asked(command: str) -> tuple[str, bytes | None, dict[str, str]]:
    """Path, body and headers of a curl command."""
    _, url, *others = shlex.split(command)
    path = url.removeprefix("http://127.0.0.1:8090")
    options = list(zip(others[::2], others[1::2], strict=True))
    bodies = [text.encode() for option, text in options if option == "-d"]
    headers = dict(text.split(": ", 1) for option, text in options if option == "-H")
    return path, bodies[0] if bodies else None, headers


def lasting(answer: Any) -> Any:
    """An answer without what is of its moment: when and by which models it was made, and its id."""
    if isinstance(answer, dict) and answer.get("computed"):
        return answer | {"at": 0, "models": {}, "recommendation_id": answer["recommendation_id"][:5]}
    return answer


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_is_answered_as_the_page_says(number: int) -> None:
    command, told = EXAMPLES[number]
    path, body, headers = asked(command)
    found = Desk(a_shop()).ask(path, body, headers=headers).body
    assert lasting(found) == lasting(msgspec.json.decode(told))


def test_every_path_of_the_api_has_an_example() -> None:
    assert PAGE.count("curl ") == len(EXAMPLES) > len(ROUTES)
    paths = [asked(command)[0].partition("?")[0] for command, _ in EXAMPLES]
    for route in ROUTES:
        pattern = re.sub(r"{\w+}", "[^/]+", route.path)
        assert any(re.fullmatch(pattern, path) for path in paths), route.path


def test_every_parameter_and_every_status_is_in_its_tables() -> None:
    for route in ROUTES:
        assert all(f"`{each.name}`" in PAGE for each in route.parameters)
        assert all(f"| {status} |" in PAGE for status in (*route.problems, 401, 405))
