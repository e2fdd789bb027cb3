"""`freshrec config`: every setting in force, and whether the default, a file or the environment gave it."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.settings import Settings
from streams.cli import run
from streams.settings_fields import FIELDS


@pytest.fixture(autouse=True)
def in_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    for name in [name for name in os.environ if name.upper().startswith("FRESHREC_")]:
        monkeypatch.delenv(name)


def printed(capsys: pytest.CaptureFixture[str], *before: str) -> dict[str, dict[str, Any]]:
    """What it prints as JSON; `before` are options of `freshrec` itself."""
    assert run([*before, "config", "--json"]) == 0
    told: dict[str, dict[str, Any]] = json.loads(capsys.readouterr().out)
    return told


def rows(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """The rows of the table by setting: the value and where it came from, word by word."""
    assert run(["config"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["setting", "value", "from"]
    return {name: rest for name, *rest in lines[1:]}


def test_with_nothing_set_every_setting_is_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys)
    assert list(told) == list(FIELDS)
    assert {key: entry["value"] for key, entry in told.items()} == {
        key: field.default for key, field in FIELDS.items()
    }
    assert {entry["origin"] for entry in told.values()} == {"default"}


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("freshrec.toml").write_text("[kafka]\npartitions = 8\nreplication = 3\n")
    monkeypatch.setenv("FRESHREC_KAFKA__PARTITIONS", "16")
    told = printed(capsys)
    assert told["kafka.partitions"] == {"value": 16, "origin": "environment FRESHREC_KAFKA__PARTITIONS"}
    assert told["kafka.replication"] == {"value": 3, "origin": "file freshrec.toml"}
    assert told["kafka.linger_ms"] == {"value": 5, "origin": "default"}


def test_a_value_that_equals_the_default_still_tells_where_it_was_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRESHREC_RECOMMEND__K", "10")
    assert printed(capsys)["recommend.k"]["origin"] == "environment FRESHREC_RECOMMEND__K"


def test_the_file_is_named_as_it_was_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("freshrec.toml").write_text("[recommend]\nk = 1\n")
    Path("variable.toml").write_text("[recommend]\nk = 2\n")
    Path("named.toml").write_text("[recommend]\nk = 3\n")
    assert printed(capsys)["recommend.k"] == {"value": 1, "origin": "file freshrec.toml"}
    monkeypatch.setenv("FRESHREC_CONFIG", "variable.toml")
    assert printed(capsys)["recommend.k"] == {"value": 2, "origin": "file variable.toml"}
    assert printed(capsys, "--config", "named.toml")["recommend.k"] == {
        "value": 3,
        "origin": "file named.toml",
    }


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("FRESHREC_LOG__JSON", "true", "log.json", True),
        ("FRESHREC_METRICS__WATCHDOG_S", "7", "metrics.watchdog_s", 7.0),
        ("FRESHREC_KAFKA__TOPIC_PREFIX", "shop.", "kafka.topic_prefix", "shop."),
        ("FRESHREC_RULES__HALF_LIFE_S", "0", "rules.half_life_s", 0),
    ],
)
def test_json_keeps_the_type_of_a_value(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    text: str,
    key: str,
    value: Any,
) -> None:
    monkeypatch.setenv(variable, text)
    found = printed(capsys)[key]["value"]
    assert (found, type(found)) == (value, type(value))


def test_the_table_shows_value_and_origin_of_every_setting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("freshrec.toml").write_text('[kafka]\ntopic_prefix = "shop."\n')
    monkeypatch.setenv("FRESHREC_STATE__DIR", "[red]state")
    shown = rows(capsys)
    assert list(shown) == list(FIELDS)
    assert shown["kafka.topic_prefix"] == ["shop.", "file", "freshrec.toml"]
    # Text in brackets is shown as it is.
    assert shown["state.dir"] == ["[red]state", "environment", "FRESHREC_STATE__DIR"]
    assert shown["metrics.port"] == ["9108", "default"]


def test_names_of_settings_are_whole_on_a_narrow_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert run(["config"]) == 0
    first_words = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert set(FIELDS) <= first_words


def test_the_printed_file_changes_nothing_until_a_line_is_uncommented(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["config", "--toml"]) == 0
    text = capsys.readouterr().out
    assert not any(tomllib.loads(text).values())
    Path("freshrec.toml").write_text(text.replace("#partitions = 4", "partitions = 9"))
    told = printed(capsys)
    assert told["kafka.partitions"] == {"value": 9, "origin": "file freshrec.toml"}
    assert {entry["origin"] for key, entry in told.items() if key != "kafka.partitions"} == {"default"}


def test_the_defaults_are_printed_even_when_a_file_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    Path("freshrec.toml").write_text("[kafka\n")
    assert run(["config", "--toml"]) == 0
    assert "#partitions = 4" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[kafka]\npartition = 8\n", "did you mean kafka.partitions?"),
        ("[kafka]\npartitions = 0\n", "expected a whole number at least 1"),
        ("[kafka\n", "is not TOML"),
    ],
)
def test_a_wrong_file_ends_with_1_and_prints_nothing_but_the_reason(
    capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    Path("freshrec.toml").write_text(text)
    assert run(["config", "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "freshrec.toml" in captured.err


def test_a_variable_without_two_underscores_only_warns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRESHREC_PARTITIONS", "8")
    assert run(["config", "--json"]) == 0
    captured = capsys.readouterr()
    assert "FRESHREC_PARTITIONS is ignored" in captured.err
    assert json.loads(captured.out)["kafka.partitions"]["origin"] == "default"


def test_what_json_holds_is_enough_to_build_the_settings_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRESHREC_WEIGHTS__CART", "2.5")
    sections: dict[str, dict[str, Any]] = {}
    for key, entry in printed(capsys).items():
        section, name = key.split(".")
        sections.setdefault(section, {})[name] = entry["value"]
    built = msgspec.convert(sections, Settings)
    assert built == msgspec.structs.replace(
        Settings(), weights=msgspec.structs.replace(Settings().weights, cart=2.5)
    )


@pytest.mark.parametrize("arguments", [["--json", "--toml"], ["--yaml"], ["kafka.partitions"]])
def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(["config", *arguments]) == 2
    assert "Usage: freshrec config" in capsys.readouterr().err
