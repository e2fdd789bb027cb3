"""Settings: environment over file over default, and errors that say what to correct."""

import logging
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.settings import MetricsSettings, Settings, StateSettings
from streams.config import default_toml, load, validate
from streams.errors import SettingsError
from streams.settings_fields import FIELDS, read

ROOT = Path(__file__).parents[2]


@pytest.fixture
def in_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, text: str, name: str = "freshrec.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refusal(environ: dict[str, str], file: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(file, environ)
    return str(caught.value)


def test_without_file_and_environment_everything_is_default(in_empty_directory: Path) -> None:
    assert in_empty_directory.is_dir()
    loaded = load(environ={})
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}
    assert list(loaded.origins) == list(FIELDS)


def test_environment_wins_over_file_and_file_over_default(in_empty_directory: Path) -> None:
    written(in_empty_directory, '[metrics]\nport = 1\nhost = "::1"\n')
    loaded = load(environ={"FRESHREC_METRICS__PORT": "2"})
    assert (loaded.settings.metrics.port, loaded.settings.metrics.host) == (2, "::1")
    assert loaded.settings.metrics.watchdog_s == 60.0
    assert loaded.origins["metrics.port"] == "environment FRESHREC_METRICS__PORT"
    assert loaded.origins["metrics.host"] == "file freshrec.toml"
    assert loaded.origins["metrics.watchdog_s"] == "default"


def test_the_named_file_wins_over_the_variable_and_the_variable_over_the_working_directory(
    in_empty_directory: Path,
) -> None:
    written(in_empty_directory, "[metrics]\nport = 1\n")
    by_variable = written(in_empty_directory, "[metrics]\nport = 2\n", "variable.toml")
    named = written(in_empty_directory, "[metrics]\nport = 3\n", "named.toml")
    environ = {"FRESHREC_CONFIG": str(by_variable)}
    assert load(environ={}).settings.metrics.port == 1
    assert load(environ=environ).settings.metrics.port == 2
    assert load(named, environ).settings.metrics.port == 3
    assert load(environ={"FRESHREC_CONFIG": ""}).settings.metrics.port == 1


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("FRESHREC_KAFKA__BOOTSTRAP_SERVERS", "a:1,b:2", "kafka.bootstrap_servers", "a:1,b:2"),
        ("FRESHREC_KAFKA__TOPIC_PREFIX", "shop.", "kafka.topic_prefix", "shop."),
        ("FRESHREC_STATE__DIR", "s", "state.dir", "s"),
        ("FRESHREC_METRICS__PORT", "0", "metrics.port", 0),
        ("FRESHREC_RULES__HALF_LIFE_S", "0", "rules.half_life_s", 0),
        ("FRESHREC_RECOMMEND__REFRESH_INTERVAL_MS", "0", "recommend.refresh_interval_ms", 0),
        ("freshrec_metrics__Watchdog_s", "7", "metrics.watchdog_s", 7.0),
        ("FRESHREC_WEIGHTS__CART", "2.5", "weights.cart", 2.5),
        ("FRESHREC_LOG__JSON", "1", "log.json", True),
        ("FRESHREC_LOG__JSON", "True", "log.json", True),
        ("FRESHREC_RECOMMEND__ENABLED", "0", "recommend.enabled", False),
        ("FRESHREC_RECOMMEND__ENABLED", "false", "recommend.enabled", False),
    ],
)
def test_environment_is_parsed_to_the_settings_type(
    variable: str, text: str, key: str, value: object
) -> None:
    loaded = load(environ={variable: text})
    seen = read(loaded.settings, key)
    assert (seen, type(seen)) == (value, type(value))
    assert loaded.origins[key] == f"environment {variable}"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"FRESHREC_METRICS__PORT": "many"}, ("metrics.port", "'many'", "from 0 to 65535", "9108")),
        ({"FRESHREC_METRICS__PORT": "70000"}, ("metrics.port", "70000", "from 0 to 65535")),
        ({"FRESHREC_METRICS__PORT": "-1"}, ("metrics.port", "-1")),
        ({"FRESHREC_KAFKA__PARTITIONS": "0"}, ("kafka.partitions", "at least 1")),
        ({"FRESHREC_KAFKA__PARTITIONS": "1.5"}, ("kafka.partitions", "'1.5'", "a whole number")),
        ({"FRESHREC_KAFKA__BOOTSTRAP_SERVERS": ""}, ("kafka.bootstrap_servers", "not empty")),
        ({"FRESHREC_KAFKA__TOPIC_PREFIX": "my shop"}, ("kafka.topic_prefix", "'my shop'")),
        ({"FRESHREC_STATE__FLUSH_MAX_SHARE": "1.01"}, ("state.flush_max_share", "at most 1")),
        ({"FRESHREC_METRICS__WATCHDOG_S": "nan"}, ("metrics.watchdog_s", "nan")),
        ({"FRESHREC_METRICS__WATCHDOG_S": "inf"}, ("metrics.watchdog_s", "inf")),
        ({"FRESHREC_LOG__JSON": "yes"}, ("log.json", "'yes'", "true or false")),
        ({"FRESHREC_LOG__LEVEL": "loud"}, ("log.level", "'loud'", "debug", "warning")),
        (
            {"FRESHREC_METRIC__PORT": "1"},
            ("FRESHREC_METRIC__PORT", "'1'", "did you mean metrics.port?"),
        ),
        ({"FRESHREC_XYZ__QQQ": "1"}, ("FRESHREC_XYZ__QQQ", "freshrec config")),
        (
            {"FRESHREC_STATE__FLUSH_INTERVAL_MS": "140000"},
            (
                "state.flush_interval_ms = 140000",
                "environment",
                "state.flush_max_interval_ms = 120000 (default)",
            ),
        ),
    ],
)
def test_a_wrong_variable_is_refused_with_its_name_its_value_and_what_was_expected(
    environ: dict[str, str], said: tuple[str, ...]
) -> None:
    message = refusal(environ)
    assert all(part in message for part in said), message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[metrics]\nprot = 1\n", ("metrics.prot = 1", "did you mean metrics.port?")),
        ("[metrics]\nport = true\n", ("metrics.port = True", "a whole number")),
        ('[metrics]\nport = "9"\n', ("metrics.port = '9'",)),
        ("[metrics]\nport = [9]\n", ("metrics.port = [9]",)),
        ("[metrics]\nport = 65536\n", ("metrics.port = 65536", "from 0 to 65535")),
        ("[log]\njson = 1\n", ("log.json = 1", "true or false")),
        ("[metrix]\n", ("[metrix]", "did you mean [metrics]?")),
        ("[zzz]\na = 1\n", ("[zzz]", "kafka", "recommend")),
        ("port = 1\n", ("port = 1", "metrics.port")),
        ("zzz = 1\n", ("zzz = 1", "section")),
        ("[metrics\n", ("not TOML",)),
    ],
)
def test_a_wrong_file_is_refused_with_the_name_of_the_file(
    tmp_path: Path, text: str, said: tuple[str, ...]
) -> None:
    path = written(tmp_path, text)
    message = refusal({}, path)
    assert all(part in message for part in (*said, str(path))), message


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "freshrec.toml"
    path.write_bytes(b"\xff\xfe")
    assert "not TOML" in refusal({}, path)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    assert str(missing) in refusal({}, missing)
    assert str(missing) in refusal({"FRESHREC_CONFIG": str(missing)})
    assert str(tmp_path) in refusal({}, tmp_path)


def test_a_name_without_double_underscore_only_warns(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        loaded = load(environ={"FRESHREC_METRICS_PORT": "1", "FRESHREC_CONFIG": "", "PATH": "x"})
    assert loaded.settings.metrics == MetricsSettings()
    assert ["FRESHREC_METRICS_PORT" in record.getMessage() for record in caplog.records] == [True]


def test_settings_made_by_code_are_checked_too() -> None:
    validate(Settings())
    with pytest.raises(SettingsError, match=r"metrics\.port = 65536"):
        validate(Settings(metrics=MetricsSettings(port=65536)))
    with pytest.raises(SettingsError, match=r"state\.dir"):
        validate(Settings(state=StateSettings(dir="")))


def test_every_setting_is_described() -> None:
    assert [key for key, field in FIELDS.items() if not field.description] == []


def test_the_default_file_changes_nothing_and_names_every_setting(tmp_path: Path) -> None:
    path = written(tmp_path, default_toml())
    assert load(path, {}).settings == Settings()
    assert set(load(path, {}).origins.values()) == {"default"}
    active = "\n".join(
        line[1:] if line.startswith("#") and not line.startswith("# ") else line
        for line in default_toml().splitlines()
    )
    sections = msgspec.to_builtins(Settings())
    assert tomllib.loads(active) | {"experiments": ()} == sections


def test_the_file_in_the_project_is_the_default_one() -> None:
    assert (ROOT / "freshrec.toml").read_text() == default_toml(), (
        "run: freshrec config --toml > freshrec.toml"
    )


@given(st.sampled_from(sorted(FIELDS)), st.text(max_size=12))
def test_any_text_is_either_used_or_refused(key: str, text: str) -> None:
    environ = {FIELDS[key].variable: text}
    try:
        loaded = load(environ=environ)
    except SettingsError as error:
        assert key in str(error)
    else:
        assert loaded.origins[key].startswith("environment")
