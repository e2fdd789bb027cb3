"""Why a broker cannot be used: nobody listens, no encryption, no trust, a login that it refuses.

Goes through the steps of connecting by itself, because client libraries retry all of them alike until
their time is over. Reads only.
"""

import socket
import ssl
import struct
from typing import Any, Final

import msgspec
from kafka.net.sasl import get_sasl_mechanism

from schemas.settings import KafkaSettings
from streams.connection import client_options, logs_in
from streams.errors import SettingsError
from streams.kafka_probe import (
    NoKafkaError,
    RefusedError,
    live_brokers,
    offered_mechanisms,
    send_login,
    split_addresses,
)

TIMEOUT_S: Final = 5.0


class Trouble(msgspec.Struct, frozen=True):
    """What is wrong with a connection, and what to do."""

    cause: str
    what_to_do: str

    def __str__(self) -> str:
        return f"{self.cause}: {self.what_to_do}"


def find_trouble(settings: KafkaSettings, timeout_s: float = TIMEOUT_S) -> Trouble | None:
    """Tell why none of the addresses can be used as the settings say, or None when one can.

    Parameters
    ----------
    settings
        Addresses, and how connections are protected.
    timeout_s
        Longest wait for each step at each address.
    """
    try:
        addresses = split_addresses(settings.bootstrap_servers)
        options = client_options(settings)
    except ValueError as error:
        return Trouble(f"kafka.bootstrap_servers cannot be used: {error}", "correct it")
    except SettingsError as error:
        cause, _, advice = str(error).partition("; ")
        return Trouble(cause, advice)
    found = []
    for host, port in addresses:
        trouble = _look(host, port, options, settings, timeout_s)
        if trouble is None:
            return None
        found.append(trouble)
    # An address where something is wrong tells more than one where nobody is.
    return next((each for each in found if each != _nobody(settings)), found[0])


def _look(
    host: str, port: int, options: dict[str, Any], settings: KafkaSettings, timeout_s: float
) -> Trouble | None:
    try:
        connection = socket.create_connection((host, port), timeout=timeout_s)
    except OSError:
        return _nobody(settings)
    with connection:
        context: ssl.SSLContext | None = options.get("ssl_context")
        if context is None:
            return _talk(connection, options, settings)
        try:
            with context.wrap_socket(connection, server_hostname=host) as encrypted:
                return _talk(encrypted, options, settings)
        except ssl.SSLCertVerificationError as error:
            return _distrusted(f"{host}:{port}", settings, error)
        except OSError as error:
            return _unencrypted(f"{host}:{port}", settings, error)


def _talk(connection: socket.socket, options: dict[str, Any], settings: KafkaSettings) -> Trouble | None:
    try:
        trouble = _log_in(connection, options, settings) if logs_in(settings) else None
        return trouble or (None if live_brokers(connection) > 0 else _nobody(settings))
    except ssl.SSLError:
        raise
    except RefusedError as error:
        return _refused(settings, error)
    except (OSError, ValueError, KeyError, struct.error):
        return _unexpected(settings)


def _log_in(connection: socket.socket, options: dict[str, Any], settings: KafkaSettings) -> Trouble | None:
    offered = offered_mechanisms(connection, settings.sasl_mechanism)
    if settings.sasl_mechanism not in offered:
        return Trouble(
            f"the broker at {settings.bootstrap_servers} takes logins by {', '.join(offered) or 'nothing'}, "
            f"kafka.sasl_mechanism is {settings.sasl_mechanism}",
            "set it to one that the broker takes (FRESHREC_KAFKA__SASL_MECHANISM)",
        )
    login = get_sasl_mechanism(settings.sasl_mechanism)(**options)
    while not login.is_done():
        login.receive(send_login(connection, login.auth_bytes()))
    if not login.is_authenticated():
        raise NoKafkaError("the broker did not say that it took the login")
    return None


def _refused(settings: KafkaSettings, error: RefusedError) -> Trouble:
    return Trouble(
        f"the Kafka broker at {settings.bootstrap_servers} refused user {settings.sasl_username!r} with "
        f"{settings.sasl_mechanism} ({error})",
        "correct kafka.sasl_username, or the password in kafka.sasl_password_file or "
        "FRESHREC_KAFKA__SASL_PASSWORD",
    )


def _nobody(settings: KafkaSettings) -> Trouble:
    return Trouble(
        f"no Kafka broker answers at {settings.bootstrap_servers}",
        "start a local one with 'freshrec kafka up', or correct FRESHREC_KAFKA__BOOTSTRAP_SERVERS",
    )


def _unexpected(settings: KafkaSettings) -> Trouble:
    protocol = settings.security_protocol
    return Trouble(
        f"no Kafka broker answers at {settings.bootstrap_servers} to {protocol}, though something listens",
        "correct kafka.security_protocol (does the broker want encryption, or a login?) "
        "or FRESHREC_KAFKA__BOOTSTRAP_SERVERS",
    )


def _distrusted(place: str, settings: KafkaSettings, error: ssl.SSLCertVerificationError) -> Trouble:
    signer = settings.ssl_cafile or "an authority that the system trusts"
    return Trouble(
        f"the certificate of the broker at {place} is not trusted ({error.verify_message}); "
        f"expected one for this host, signed by {signer}",
        "name the PEM file of whoever signed it with kafka.ssl_cafile, or correct the broker's certificate",
    )


def _unencrypted(place: str, settings: KafkaSettings, error: OSError) -> Trouble:
    reason = getattr(error, "reason", None) or error.strerror or str(error) or type(error).__name__
    return Trouble(
        f"no encrypted connection to {place} comes about ({reason}); "
        f"kafka.security_protocol is {settings.security_protocol}",
        "see whether this port of the broker expects encryption, and whether it asks for a certificate of "
        "ours (kafka.ssl_certfile)",
    )
