"""`freshrec topology` prints the picture in the form that is asked for."""

import json

import pytest

from streams import drawing
from streams.cli import run


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        ([], drawing.as_text() + "\n"),
        (["--mermaid"], drawing.as_mermaid() + "\n"),
        (["--document"], drawing.document()),
    ],
)
def test_the_picture_is_printed(
    capsys: pytest.CaptureFixture[str], arguments: list[str], printed: str
) -> None:
    assert run(["topology", *arguments]) == 0
    assert capsys.readouterr().out == printed


def test_json_holds_topics_and_stages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["topology", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["topics"][0] == {
        "name": "browses",
        "key": "user, else session",
        "message": "browse",
        "kind": "entry",
        "codec": "json",
        "partitions": 0,
        "compacted": False,
    }
    assert data["stages"][1]["reads"] == ["events"]
