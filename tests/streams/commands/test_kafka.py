import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.commands.kafka import kafka


@pytest.mark.parametrize("arguments", [["up", "--port", "70000"], ["up", "--prot", "1"], ["stop"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(kafka, arguments).exit_code == 2


def test_a_directory_without_a_broker_is_told_in_words_and_in_json(tmp_path: Path) -> None:
    words = CliRunner().invoke(kafka, ["status", "--data", str(tmp_path)])
    told = CliRunner().invoke(kafka, ["status", "--json", "--data", str(tmp_path)])
    stopped = CliRunner().invoke(kafka, ["down", "--data", str(tmp_path)])

    assert (words.exit_code, told.exit_code, stopped.exit_code) == (0, 0, 0)
    assert words.stdout.startswith("not running")
    assert json.loads(told.stdout)["running"] is False
    assert stopped.stdout == f"no broker of {tmp_path} was running\n"
