"""Settings from freshrec.toml and the environment: environment over file over default.

What settings exist is in `schemas.settings`. Reads one file and the environment, writes nothing; an
unknown name or a value out of range is an error that names where it came from.
"""

import difflib
import json
import logging
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from schemas.settings import Settings
from streams.errors import SettingsError
from streams.experiment_settings import SECTION as EXPERIMENTS
from streams.experiment_settings import check_experiments, flat, read_experiments
from streams.secrets import SECRETS, shown
from streams.settings_fields import ENVIRONMENT_PREFIX, FIELDS, Value, read

CONFIG_FILE = "freshrec.toml"
CONFIG_VARIABLE = "FRESHREC_CONFIG"

_ORDERED = (
    ("state.flush_interval_ms", "state.flush_max_interval_ms"),
    ("popularity.published", "popularity.leaders"),
)
"""Pairs of settings of which the first may not be above the second."""

_SECTIONS = tuple(dict.fromkeys(key.split(".")[0] for key in FIELDS))

_EXPERIMENTS_PREFIX = f"{ENVIRONMENT_PREFIX}{EXPERIMENTS.upper()}__"

_log = logging.getLogger(__name__)


class Loaded(msgspec.Struct, frozen=True):
    """The effective settings, and for each `section.key` where its value came from."""

    settings: Settings
    origins: dict[str, str]


def load(file: Path | None = None, environ: Mapping[str, str] | None = None) -> Loaded:
    """Read the settings in force.

    Parameters
    ----------
    file : Path, optional
        TOML file; by default the one that FRESHREC_CONFIG names, else freshrec.toml in the working
        directory if there is one.
    environ : Mapping[str, str], optional
        Environment variables; the process's own by default.

    Raises
    ------
    SettingsError
        If the file cannot be read, or a name is unknown, or a value has the wrong type or range.

    Examples
    --------
    >>> loaded = load(environ={"FRESHREC_METRICS__PORT": "9200"})
    >>> loaded.settings.metrics.port, loaded.origins["metrics.port"]
    (9200, 'environment FRESHREC_METRICS__PORT')
    """
    variables = os.environ if environ is None else environ
    values: dict[str, Value] = {key: field.default for key, field in FIELDS.items()}
    origins = dict.fromkeys(FIELDS, "default")
    path = _find_file(file, variables)
    tables = {} if path is None else _parse_file(path)
    for key, value, origin in (*_from_file(tables, path), *_from_environment(variables)):
        values[key], origins[key] = value, origin
    if int(values["privacy.min_customers"]) > float(values["rules.min_count"]):
        values["rules.min_count"] = float(values["privacy.min_customers"])
        origins["rules.min_count"] = "privacy.min_customers"
    experiments = read_experiments(
        tables.get(EXPERIMENTS, {}), _of_experiments(variables), origin=f"file {path}"
    )
    origins |= dict.fromkeys((key for key, _ in flat(experiments)), "file or environment")
    settings = msgspec.structs.replace(_build(values), experiments=experiments)
    validate(settings, origins)
    return Loaded(settings, origins)


def validate(settings: Settings, origins: Mapping[str, str] | None = None) -> None:
    """Check types and ranges of all settings, also of those made by code.

    Raises
    ------
    SettingsError
        If a value is out of range or contradicts another.
    """
    sources = origins or {}
    for key, field in FIELDS.items():
        field.check(read(settings, key), sources.get(key, "code"))
    for lower, upper in _ORDERED:
        smaller, larger = read(settings, lower), read(settings, upper)
        if isinstance(smaller, int) and isinstance(larger, int) and smaller > larger:
            raise SettingsError(
                f"{lower} = {smaller} ({sources.get(lower, 'code')}) is above "
                f"{upper} = {larger} ({sources.get(upper, 'code')}); lower the first or raise the second"
            )
    check_experiments(settings.experiments)


def default_toml() -> str:
    """Text of a freshrec.toml that explains every setting and changes none.

    Examples
    --------
    >>> [line for line in default_toml().splitlines() if line == "#port = 9108"]
    ['#port = 9108']
    """
    lines = [
        "# Every setting of freshrec with its default: remove the # in front of a setting to change it.",
        "# An environment variable wins over this file: FRESHREC_METRICS__PORT=9200 is port in [metrics].",
    ]
    section = ""
    for field in FIELDS.values():
        head, name = field.key.split(".")
        if head != section:
            section = head
            lines += ["", f"[{section}]", f"# {type(getattr(Settings(), section)).__doc__}"]
        lines += ["", f"# {field.description} ({field.expected})", f"#{name} = {_toml_value(field.default)}"]
    lines += [
        "",
        "# Experiments are tables of their own, [experiments.NAME]: see docs/experiments.md.",
    ]
    return "\n".join(lines) + "\n"


def _find_file(file: Path | None, variables: Mapping[str, str]) -> Path | None:
    named = file or next(
        (Path(value) for name, value in variables.items() if name.upper() == CONFIG_VARIABLE and value), None
    )
    if named is not None:
        return named
    found = Path(CONFIG_FILE)
    return found if found.is_file() else None


def _from_file(tables: Mapping[str, object], path: Path | None) -> Iterator[tuple[str, Value, str]]:
    origin = f"file {path}"
    for section, entries in tables.items():
        if section == EXPERIMENTS:
            continue
        if not isinstance(entries, dict) or section not in _SECTIONS:
            raise _misplaced(section, entries, origin)
        for name, value in entries.items():
            key = f"{section}.{name}"
            if key in SECRETS:
                raise _secret_in_file(key, origin)
            if key not in FIELDS:
                raise _unknown(key, value, origin)
            yield key, FIELDS[key].check(value, origin), origin


def _secret_in_file(key: str, origin: str) -> SettingsError:
    source = SECRETS[key]
    return SettingsError(
        f"{key} is a secret and cannot stand among the settings ({origin}): write it to a file of its own "
        f"and name that with {source.setting}, or set the environment variable {source.variable}"
    )


def _misplaced(name: str, value: object, origin: str) -> SettingsError:
    if isinstance(value, dict):
        close = difflib.get_close_matches(name, _SECTIONS, n=1)
        advice = f"did you mean [{close[0]}]?" if close else f"sections are {', '.join(_SECTIONS)}"
        return SettingsError(f"unknown section [{name}] ({origin}); {advice}")
    homes = [key for key in FIELDS if key.endswith(f".{name}")]
    advice = f"did you mean {' or '.join(homes)}?" if homes else "every setting stands in a section"
    return SettingsError(
        f"unknown setting {name} = {shown(name, value)} outside of any section ({origin}); {advice}"
    )


def _parse_file(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise SettingsError(
            f"settings file {path} cannot be read ({error.strerror}); name another one"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"settings file {path} is not TOML: {error}; 'freshrec config --toml' prints one"
        ) from error


def _from_environment(variables: Mapping[str, str]) -> Iterator[tuple[str, Value, str]]:
    by_variable = {field.variable: field for field in FIELDS.values()}
    elsewhere = {CONFIG_VARIABLE, *(source.variable for source in SECRETS.values())}
    for name in sorted(variables):
        spelled = name.upper()
        if not spelled.startswith(ENVIRONMENT_PREFIX) or spelled in elsewhere:
            continue
        if spelled.startswith(_EXPERIMENTS_PREFIX):
            continue
        field = by_variable.get(spelled)
        if field is not None:
            origin = f"environment {name}"
            yield field.key, field.parse(variables[name], origin), origin
        elif "__" in spelled:
            key = spelled.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".", 1)
            raise _unknown(key, variables[name], f"environment {name}")
        else:
            _log.warning("environment variable %s is ignored: settings are FRESHREC_SECTION__KEY", name)


def _of_experiments(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Return what the environment says of experiments, without the prefix and in lower case."""
    for name in sorted(variables):
        if name.upper().startswith(_EXPERIMENTS_PREFIX):
            yield name[len(_EXPERIMENTS_PREFIX) :].lower(), variables[name]


def _unknown(key: str, value: object, origin: str) -> SettingsError:
    close = difflib.get_close_matches(key, FIELDS, n=1)
    advice = f"did you mean {close[0]}?" if close else "'freshrec config' lists all settings"
    return SettingsError(f"unknown setting {key} = {shown(key, value)} ({origin}); {advice}")


def _build(values: Mapping[str, Value]) -> Settings:
    nested: dict[str, dict[str, Value]] = {}
    for key, value in values.items():
        section, name = key.split(".")
        nested.setdefault(section, {})[name] = value
    return msgspec.convert(nested, Settings)


def _toml_value(value: Value) -> str:
    return json.dumps(value)
