"""Who may read /metrics or ask the API: all on this machine, or whoever holds the token. /health is open.

Nothing is served here; the token is read once, when the port is opened.
"""

import hmac
import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit

from schemas.settings import MetricsSettings, ServeSettings
from streams.errors import SettingsError
from streams.secrets import METRICS_TOKEN, SERVE_TOKEN, Hidden, SecretSource, read_secret

MIN_TOKEN_CHARACTERS: Final = 16
"""A shorter one could be guessed over the network."""


def bearer_token(settings: MetricsSettings) -> Hidden | None:
    """Give the token that /metrics asks for; None where it asks for none.

    Raises
    ------
    SettingsError
        `metrics.host` can be reached from other machines and there is no token, or the token is too short.
    """
    return _token("metrics", "/metrics", METRICS_TOKEN, settings)


def api_token(settings: ServeSettings) -> Hidden | None:
    """Give the token that the HTTP API asks for; None where it asks for none.

    Raises
    ------
    SettingsError
        `serve.host` can be reached from other machines and there is no token, or the token is too short.
    """
    return _token("serve", "the API", SERVE_TOKEN, settings)


def _token(
    section: str, what: str, source: SecretSource, settings: MetricsSettings | ServeSettings
) -> Hidden | None:
    token = read_secret(source, settings.token_file)
    if token is not None and len(token) < MIN_TOKEN_CHARACTERS:
        raise SettingsError(
            f"the token of {what} has {len(token)} characters, expected at least {MIN_TOKEN_CHARACTERS}: "
            f"make one with 'openssl rand -hex 32' and put it where {source.setting} says"
        )
    if token is None and not is_loopback(settings.host):
        raise SettingsError(
            f"{section}.host = {settings.host!r} can be reached from other machines, and {what} has no "
            f"token: name a file with one with {source.setting} (or set {source.variable}), "
            f"or put {section}.host back to 127.0.0.1"
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address, or every address that a name stands for.

    Examples
    --------
    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "0.0.0.0", "::")]
    [True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None)}
    except OSError:
        # Binding it will fail and say so.
        return False
    return all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in found)


def names_this_machine(host: str | None) -> bool:
    """Whether a request's Host is this machine by a name that nobody else can give it; nothing is resolved.

    A page from elsewhere whose own name is led to the loopback address afterwards (DNS rebinding) says its
    own name.

    Examples
    --------
    >>> [names_this_machine(host) for host in ("localhost", "127.0.0.1", "::1", "rebound.example", None)]
    [True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def is_of_this_machine(origin: str | None) -> bool:
    """Whether a request's Origin, if a browser sent one, is a page of this machine.

    A page from elsewhere may send what it likes to the loopback address; that it cannot read the answer takes
    nothing back.

    Examples
    --------
    >>> [is_of_this_machine(x) for x in (None, "http://localhost:3000", "https://elsewhere.example", "null")]
    [True, True, False, False]
    """
    if origin is None:
        return True
    try:
        return names_this_machine(urlsplit(origin).hostname)
    except ValueError:
        return False


def holds(header: str | None, token: Hidden) -> bool:
    """Whether an Authorization header bears the token; how long that takes tells nothing of it."""
    scheme, _, given = (header or "").partition(" ")
    right = hmac.compare_digest(given.strip().encode(errors="surrogateescape"), token.encode())
    return right and scheme.lower() == "bearer"
