"""The command line: quick help, exit codes, and what `freshrec config` says."""

import json
import os
import re
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from schemas.settings import Settings
from streams.cli import COMMANDS, freshrec, run
from streams.commands.context import pass_settings
from streams.config import default_toml
from streams.errors import BrokerError, FreshrecError, NotFoundError
from streams.settings_fields import FIELDS

HEAVY = (
    "faust",
    "kafka",
    "aiokafka",
    "numpy",
    "rocksdict",
    "aiohttp",
    "prometheus_client",
    "rich",
    "msgspec",
)


@click.command()
@click.argument("error")
def failing(error: str) -> None:
    """Fail in a way that the test names."""
    raise {"broker": BrokerError, "unknown": NotFoundError, "any": FreshrecError}[error](f"{error}: do this")


@click.command()
def waiting() -> None:
    """Wait until a signal comes."""
    click.echo("waiting")
    signal.pause()


@click.command()
@click.option("--times", type=int)
@pass_settings
def counted(settings: Settings, times: int) -> None:
    """Print the number of partitions several times."""
    click.echo([settings.kafka.partitions] * times)


@pytest.fixture(autouse=True)
def test_commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("FRESHREC_")]:
        monkeypatch.delenv(name)
    for name in ("failing", "waiting", "counted"):
        monkeypatch.setitem(COMMANDS, name, (f"{__name__}:{name}", "A command of the tests."))


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_help_names_every_command_without_importing_any() -> None:
    code = "import sys; from streams.cli import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(python(code), capture_output=True, text=True, check=True)  # noqa: S603  # a command of our own
    loaded = set(done.stderr.split())
    assert loaded.isdisjoint(HEAVY)
    assert not any(name.startswith(("streams.commands", "schemas", "online_models")) for name in loaded)
    listed = re.findall(r"^  ([a-z-]+)  +\S", done.stdout.split("Commands:")[1], re.MULTILINE)
    assert listed == [name for name in COMMANDS if name not in {"failing", "waiting", "counted"}]


@pytest.mark.parametrize(
    "name", [name for name, (place, _) in COMMANDS.items() if find_spec(place.split(":")[0])]
)
def test_a_command_of_the_table_is_there_and_explains_itself(name: str) -> None:
    command = freshrec.get_command(click.Context(freshrec), name)
    assert command is not None
    assert command.name == name
    assert command.help


def test_each_command_has_a_line_of_help_that_fits() -> None:
    for name, (place, told) in COMMANDS.items():
        assert re.fullmatch(r"[\w.]+:\w+", place)
        assert told.endswith(".")
        assert len(told) < 80 - 2 - len("verify-rules") - 2, name


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert re.fullmatch(r"freshrec \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


@pytest.mark.parametrize(("error", "code"), [("broker", 1), ("any", 1), ("unknown", 3)])
def test_an_error_goes_to_stderr_and_into_the_exit_code(
    capsys: pytest.CaptureFixture[str], error: str, code: int
) -> None:
    assert run(["failing", error]) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"freshrec: {error}: do this\n")


@pytest.mark.parametrize(
    "arguments",
    [["no-such-command"], ["config", "--no-such-option"], ["failing"], ["config", "--json", "--toml"], []],
)
def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(arguments) == 2
    assert "Usage: freshrec" in capsys.readouterr().err


def test_a_defect_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "absent", ("streams.commands.absent:absent", "Not there."))
    with pytest.raises(ModuleNotFoundError):
        run(["absent"])


def test_an_interrupt_ends_quietly_with_130() -> None:
    folder = Path(__file__).parents[2]
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); import {__name__} as t; import streams.cli as c; "
    )
    code += "c.COMMANDS['waiting'] = (t.__name__ + ':waiting', '.'); sys.exit(c.run(['waiting']))"
    with subprocess.Popen(python(code), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603  # a command of our own
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
    assert (process.returncode, complaint.strip()) == (130, "")


def test_a_reader_that_is_gone_makes_no_noise() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    code = "import sys; import streams.cli as c; sys.exit(c.run(['config', '--json']))"
    done = subprocess.run(python(code), stdout=writing, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603  # a command of our own
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_commands_get_the_settings_of_the_file_named_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.toml").write_text("[kafka]\npartitions = 7\n")
    assert run(["--config", "mine.toml", "counted", "--times", "2"]) == 0
    assert capsys.readouterr().out == "[7, 7]\n"
    assert run(["counted", "--times", "1"]) == 0
    assert capsys.readouterr().out == "[4]\n"


def test_config_prints_values_and_origins_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "freshrec.toml").write_text("[log]\njson = true\n")
    monkeypatch.setenv("FRESHREC_METRICS__PORT", "9200")
    assert run(["config", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == list(FIELDS)
    assert printed["metrics.port"] == {"value": 9200, "origin": "environment FRESHREC_METRICS__PORT"}
    assert printed["log.json"] == {"value": True, "origin": "file freshrec.toml"}
    assert printed["recommend.k"] == {"value": 10, "origin": "default"}


def test_config_prints_a_table_with_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows[1:]] == list(FIELDS)
    assert ["metrics.port", "9108", "default"] in rows


def test_config_prints_the_default_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "--toml"]) == 0
    assert capsys.readouterr().out == default_toml()


def test_a_wrong_setting_ends_with_1_and_says_which(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRESHREC_METRICS__PROT", "9200")
    assert run(["config"]) == 1
    assert "metrics.port" in capsys.readouterr().err
