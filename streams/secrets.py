"""Passwords, tokens and keys: read from a file or the environment at the moment they are used.

They are no settings: what shows settings, or hands them to a child process, never sees one. Reads one
small file, writes nothing.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from streams.errors import SettingsError

_SECRET_WORDS: Final = ("password", "pasword", "passwd", "secret", "token", "key")
_HIDDEN: Final = "(hidden)"


class Hidden(str):
    """Text that shows itself neither when printed nor when formatted; libraries read it as any text.

    Examples
    --------
    >>> password = Hidden("s3cret")
    >>> print(password, [password], f"{password}")
    (hidden) ['(hidden)'] (hidden)
    >>> password == "s3cret", password.encode()
    (True, b's3cret')
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(_HIDDEN)

    def __str__(self) -> str:
        return _HIDDEN

    def __format__(self, _spec: str) -> str:
        return _HIDDEN


class SecretSource(NamedTuple):
    """Where a secret comes from: `variable` of the environment wins over the file that `setting` names."""

    name: str
    variable: str
    setting: str


def _source(name: str) -> SecretSource:
    return SecretSource(name, "FRESHREC_" + name.replace(".", "__").upper(), f"{name}_file")


SASL_PASSWORD: Final = _source("kafka.sasl_password")
METRICS_TOKEN: Final = _source("metrics.token")
SERVE_TOKEN: Final = _source("serve.token")
PSEUDONYM_KEY: Final = _source("privacy.pseudonym_key")

SECRETS: Final[dict[str, SecretSource]] = {
    source.name: source for source in (SASL_PASSWORD, METRICS_TOKEN, SERVE_TOKEN, PSEUDONYM_KEY)
}
"""Every secret by `section.key`; none of them is a setting."""


def read_secret(source: SecretSource, file: str, environ: Mapping[str, str] | None = None) -> Hidden | None:
    """Return a secret, None where neither the environment nor a file has one.

    Parameters
    ----------
    source : SecretSource
        Which one.
    file : str
        Value of the setting that names the file; may be empty. A line end at its end is left out.
    environ : Mapping of str to str, optional
        Environment variables; the process's own by default.

    Raises
    ------
    SettingsError
        The file cannot be read, is empty or isn't UTF-8.
    """
    variables = os.environ if environ is None else environ
    given = next((text for name, text in variables.items() if name.upper() == source.variable), None)
    if given:
        return Hidden(given)
    if not file:
        return None
    try:
        text = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(
            f"{source.setting} = {file!r} cannot be read ({reason}); name a file that this user may read, "
            f"or set {source.variable}"
        ) from None
    if not text:
        raise SettingsError(f"{source.setting} = {file!r} is empty; expected the secret as its only line")
    return Hidden(text)


def shown(key: str, value: object) -> str:
    """Value of a misspelled setting as an error may show it: not if its name speaks of a secret.

    Examples
    --------
    >>> shown("kafka.partions", 3), shown("kafka.password", "s3cret")
    ('3', '(hidden)')
    """
    return _HIDDEN if any(word in key.lower() for word in _SECRET_WORDS) else repr(value)
