from pathlib import Path

import pytest

from schemas.settings import Settings
from streams.cli import run
from streams.config import load
from streams.errors import SettingsError
from streams.secrets import SECRETS, Hidden, SecretSource, read_secret, shown
from streams.settings_fields import FIELDS

EVERY = pytest.mark.parametrize("source", SECRETS.values(), ids=SECRETS)
KNOWN = "correct-horse"


def test_hidden_text_is_text_to_a_library_and_shows_itself_to_nobody() -> None:
    hidden = Hidden(KNOWN)
    assert (hidden.encode(), "".join([hidden]), len(hidden)) == (KNOWN.encode(), KNOWN, len(KNOWN))
    for form in ("{0}", "{0!r}", "{0!s}", "{0:>20}", "{1}"):
        assert KNOWN not in form.format(hidden, {"password": hidden})


@EVERY
def test_a_secret_is_no_setting_but_its_file_is(source: SecretSource) -> None:
    assert source.name not in FIELDS
    assert FIELDS[source.setting].default == ""
    assert source.variable == "FRESHREC_" + source.name.replace(".", "__").upper()


@EVERY
def test_a_secret_comes_from_the_environment_else_from_a_file_else_there_is_none(
    source: SecretSource, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{KNOWN}\r\n")
    assert read_secret(source, str(path), {}) == KNOWN
    assert read_secret(source, str(path), {source.variable: "other"}) == "other"
    assert read_secret(source, str(path), {source.variable.lower(): "other"}) == "other"
    assert read_secret(source, "", {source.variable: ""}) is None


@EVERY
def test_a_secret_in_the_environment_is_neither_an_unknown_setting_nor_shown(
    source: SecretSource, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(source.variable, KNOWN)
    for form in ([], ["--json"], ["--toml"]):
        assert run(["config", *form]) == 0
    said = capsys.readouterr()
    assert KNOWN not in said.out + said.err
    assert KNOWN not in repr(load())


@EVERY
def test_a_secret_among_the_settings_of_a_file_is_refused_without_being_shown(
    source: SecretSource, tmp_path: Path
) -> None:
    section, name = source.name.split(".")
    file = tmp_path / "freshrec.toml"
    file.write_text(f'[{section}]\n{name} = "{KNOWN}"\n')
    with pytest.raises(SettingsError) as caught:
        load(file, {})
    assert f"{source.name} is a secret" in str(caught.value)
    assert source.setting in str(caught.value) and source.variable in str(caught.value)
    assert KNOWN not in str(caught.value)


@pytest.mark.parametrize("name", ["SASL_PASWORD_", "PASSWORD", "API_TOKEN", "SECRET", "PSEUDONYM_KEYS"])
def test_a_misspelled_secret_is_refused_by_name_without_its_value(name: str, tmp_path: Path) -> None:
    variable = f"FRESHREC_KAFKA__{name}"
    file = tmp_path / "freshrec.toml"
    for line in (f'[kafka]\n{name.lower()} = "{KNOWN}"\n', f'{name.lower()} = "{KNOWN}"\n'):
        file.write_text(line)
        with pytest.raises(SettingsError) as in_file:
            load(file, {})
        assert (name.lower() in str(in_file.value)) > (KNOWN in str(in_file.value))
    with pytest.raises(SettingsError) as caught:
        load(environ={variable: KNOWN})
    assert variable in str(caught.value)
    assert KNOWN not in str(caught.value)


def test_only_what_is_named_like_a_secret_is_hidden() -> None:
    assert shown("kafka.partions", 3) == "3"
    assert shown("kafka.key", 3) == "(hidden)"
    assert all(shown(key, 3) != "3" for key in SECRETS)
    assert Settings() == load(environ={}).settings
