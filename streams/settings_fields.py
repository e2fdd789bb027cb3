"""What `schemas.settings` says of each setting, as a table: type, range, default, description.

Nothing is read here; `streams.config` gets values from files and the environment.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple, cast, get_type_hints

import msgspec
from msgspec import inspect

from schemas.settings import Settings
from streams.errors import SettingsError

Value = bool | int | float | str

ENVIRONMENT_PREFIX = "FRESHREC_"
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class Field(NamedTuple):
    """One setting, named `section.key`; `expected` says in words what values it takes."""

    key: str
    default: Value
    description: str
    expected: str
    annotation: object

    @property
    def variable(self) -> str:
        """Name of the environment variable that sets it."""
        return ENVIRONMENT_PREFIX + self.key.replace(".", "__").upper()

    def parse(self, text: str, origin: str) -> Value:
        """Value that `text` from the environment stands for, checked."""
        kind = type(self.default)
        try:
            value = _BOOLEANS[text.strip().lower()] if kind is bool else kind(text)
        except (KeyError, ValueError):
            raise self.refusal(text, origin) from None
        return self.check(value, origin)

    def check(self, value: object, origin: str) -> Value:
        """`value` in this setting's type.

        Raises
        ------
        SettingsError
            If the type is another or the value is out of range.
        """
        try:
            converted = msgspec.convert(value, self.annotation)
        except msgspec.ValidationError:
            raise self.refusal(value, origin) from None
        if isinstance(converted, float) and not math.isfinite(converted):
            raise self.refusal(value, origin)
        return cast("Value", converted)

    def refusal(self, value: object, origin: str) -> SettingsError:
        """Build the error that says what was seen, what was expected and what to do."""
        return SettingsError(
            f"{self.key} = {value!r} ({origin}) cannot be used: expected {self.expected}. "
            f"Correct it, or remove it for the default {self.default!r}"
        )


def read(settings: Settings, key: str) -> Value:
    """Value of `section.key` in `settings`.

    Examples
    --------
    >>> read(Settings(), "metrics.port")
    9108
    """
    section, name = key.split(".")
    return cast("Value", getattr(getattr(settings, section), name))


def _fields() -> Iterator[Field]:
    defaults = Settings()
    for section, struct in get_type_hints(Settings).items():
        if section == "experiments":
            continue  # tables whose names are the operator's: see `streams.experiment_settings`
        for name, annotation in get_type_hints(struct, include_extras=True).items():
            key = f"{section}.{name}"
            description, kind = _unwrap(inspect.type_info(annotation))
            yield Field(key, read(defaults, key), description, _expected(kind), annotation)


def _unwrap(kind: inspect.Type) -> tuple[str, inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        return (kind.extra_json_schema or {}).get("description", ""), kind.type
    return "", kind


def _expected(kind: inspect.Type) -> str:
    match kind:
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(map(str, values))
        case inspect.IntType() | inspect.FloatType():
            return _expected_number(kind)
        case inspect.StrType(pattern=str(pattern)):
            return f"text that matches {pattern}"
        case inspect.StrType(min_length=int()):
            return "text that is not empty"
        case _:
            return "text"


def _expected_number(kind: inspect.IntType | inspect.FloatType) -> str:
    number = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
    if kind.ge is not None and kind.le is not None:
        return f"{number} from {kind.ge} to {kind.le}"
    bounds = {"above": kind.gt, "at least": kind.ge, "below": kind.lt, "at most": kind.le}
    words = [f"{name} {bound}" for name, bound in bounds.items() if bound is not None]
    return f"{number} {' and '.join(words)}".strip()


FIELDS: dict[str, Field] = {field.key: field for field in _fields()}
"""Every setting by `section.key`, in the order of `schemas.settings`."""
