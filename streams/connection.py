"""How every client connects to Kafka: addresses, encryption and login, the same for each library.

Every client of aiokafka and kafka-python is made with `client_options`; a test reads all the calls.
"""

import ssl
from pathlib import Path
from typing import Any

from schemas.settings import KafkaSettings
from streams.errors import SettingsError
from streams.secrets import SASL_PASSWORD, Hidden, read_secret


def encrypts(settings: KafkaSettings) -> bool:
    """Whether connections are encrypted."""
    return settings.security_protocol in ("SSL", "SASL_SSL")


def logs_in(settings: KafkaSettings) -> bool:
    """Whether connections begin with a login."""
    return settings.security_protocol in ("SASL_PLAINTEXT", "SASL_SSL")


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """Keyword arguments by which a client of aiokafka or of kafka-python finds the brokers and gets in.

    Raises
    ------
    SettingsError
        A certificate, the user or the password is missing or cannot be used.

    Examples
    --------
    >>> client_options(KafkaSettings(bootstrap_servers="a:9092, b:9092"))
    {'bootstrap_servers': ['a:9092', 'b:9092']}
    """
    options: dict[str, Any] = {
        "bootstrap_servers": [each.strip() for each in settings.bootstrap_servers.split(",")]
    }
    if settings.security_protocol == "PLAINTEXT":
        return options
    options["security_protocol"] = settings.security_protocol
    if encrypts(settings):
        options["ssl_context"] = tls_context(settings)
    if logs_in(settings):
        options |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": _username(settings),
            "sasl_plain_password": _password(settings),
        }
    return options


def tls_context(settings: KafkaSettings) -> ssl.SSLContext:
    """What certificates are trusted and which one is shown; names of hosts are always checked.

    Raises
    ------
    SettingsError
        A file is missing or isn't a certificate or key in PEM.
    """
    if settings.ssl_keyfile and not settings.ssl_certfile:
        raise SettingsError(
            f"kafka.ssl_keyfile = {settings.ssl_keyfile!r} is set without kafka.ssl_certfile; "
            f"name the certificate that the key belongs to"
        )
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile or None)
    except OSError as error:
        raise _unusable("ssl_cafile", settings.ssl_cafile, error) from error
    if settings.ssl_certfile:
        try:
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile or None)
        except OSError as error:
            missing = settings.ssl_keyfile and not Path(settings.ssl_keyfile).is_file()
            name = "ssl_keyfile" if missing else "ssl_certfile"
            raise _unusable(name, getattr(settings, name), error) from error
    return context


def _unusable(name: str, path: str, error: OSError) -> SettingsError:
    # OpenSSL's own words for a damaged file say nothing to an operator.
    reason = "not PEM, or key and certificate don't belong together"
    if not isinstance(error, ssl.SSLError):
        reason = error.strerror or str(error)
    return SettingsError(
        f"kafka.{name} = {path!r} cannot be used ({reason}); name a PEM file that this user may read"
    )


def _username(settings: KafkaSettings) -> str:
    if not settings.sasl_username:
        raise SettingsError(
            f"kafka.sasl_username is empty; kafka.security_protocol = {settings.security_protocol} needs "
            f"the user that logs in"
        )
    return settings.sasl_username


def _password(settings: KafkaSettings) -> Hidden:
    password = read_secret(SASL_PASSWORD, settings.sasl_password_file)
    if password is None:
        raise SettingsError(
            f"user {settings.sasl_username!r} has no password; kafka.security_protocol = "
            f"{settings.security_protocol} needs one: write it to a file and name that with "
            f"{SASL_PASSWORD.setting}, or set {SASL_PASSWORD.variable}"
        )
    return password
