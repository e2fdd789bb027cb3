"""Asks an address whether a Kafka broker answers there, with one hand-made request and no client library.

Connecting is not enough: a broker accepts connections before it is part of its cluster, and another program
may own the port. Reads only; nothing is retried here.
"""

import socket
import struct
from typing import Final

_CORRELATION_ID: Final = 0x66726563
_METADATA, _SASL_HANDSHAKE, _SASL_AUTHENTICATE = 3, 17, 36
_MAX_ANSWER_BYTES: Final = 65_536
_NO_TOPICS: Final = struct.pack(">i", 0)


class NoKafkaError(OSError):
    """What answers isn't a Kafka broker, or it hung up on the request."""


def split_addresses(bootstrap: str) -> list[tuple[str, int]]:
    """Split a bootstrap list into hosts and ports.

    Parameters
    ----------
    bootstrap
        One or more `host:port`, separated by commas; an IPv6 host stands in brackets.

    Returns
    -------
    list of (str, int)
        Hosts without brackets, and ports.

    Raises
    ------
    ValueError
        A part has no host, or no port between 1 and 65535.

    Examples
    --------
    >>> split_addresses("127.0.0.1:9092, [::1]:9093")
    [('127.0.0.1', 9092), ('::1', 9093)]
    >>> split_addresses("broker")
    Traceback (most recent call last):
    ...
    ValueError: 'broker' is not host:port
    """
    addresses = []
    for part in bootstrap.split(","):
        host, _, port = part.strip().rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            msg = f"{part.strip()!r} is not host:port"
            raise ValueError(msg)
        addresses.append((host.removeprefix("[").removesuffix("]"), int(port)))
    return addresses


def broker_answers(bootstrap: str, timeout_s: float = 2.0) -> bool:
    """Tell whether at least one of the addresses is a broker that is part of a working cluster.

    Parameters
    ----------
    bootstrap
        As in `split_addresses`.
    timeout_s
        Longest wait for each address, connecting and answering separately.

    Returns
    -------
    bool
        False when nothing listens, when nothing or nonsense is answered, or while the broker still starts.
    """
    return any(_answers(host, port, timeout_s) for host, port in split_addresses(bootstrap))


def _answers(host: str, port: int, timeout_s: float) -> bool:
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            return live_brokers(connection) > 0
    except OSError:
        return False


def live_brokers(connection: socket.socket) -> int:
    """How many brokers the cluster knows to live, asked on an open connection; 0 while it still starts.

    Raises
    ------
    OSError
        The connection ends, or no Kafka is at its other end.
    """
    # Version 1 for no topics at all: the oldest request that lists the live brokers.
    (count,) = struct.unpack_from(">i", _ask(connection, _METADATA, 1, _NO_TOPICS))
    return int(count)


def offered_mechanisms(connection: socket.socket, wanted: str) -> list[str]:
    """Mechanisms that a broker takes logins by; `wanted` is the one that this connection asks for.

    Raises
    ------
    OSError
        The connection ends, or no Kafka that wants a login is at its other end.
    """
    name = wanted.encode()
    answer = _ask(connection, _SASL_HANDSHAKE, 1, struct.pack(">h", len(name)) + name)
    (count,), at = struct.unpack_from(">i", answer, 2), 6
    found = []
    for _ in range(count):
        (length,) = struct.unpack_from(">h", answer, at)
        found.append(answer[at + 2 : at + 2 + length].decode())
        at += 2 + length
    return found


class RefusedError(OSError):
    """A broker takes a login for a wrong one; the message is its own."""


def send_login(connection: socket.socket, token: bytes) -> bytes:
    """Send one step of a login and return what the broker answers to it; `offered_mechanisms` goes before.

    Raises
    ------
    RefusedError
        The broker refuses the login.
    OSError
        The connection ends.
    """
    answer = _ask(connection, _SASL_AUTHENTICATE, 0, struct.pack(">i", len(token)) + token)
    error, length = struct.unpack_from(">hh", answer)
    at = 4 + max(0, length)
    if error:
        raise RefusedError(answer[4:at].decode() or f"error {error}")
    (size,) = struct.unpack_from(">i", answer, at)
    return answer[at + 4 : at + 4 + size]


def _ask(connection: socket.socket, api_key: int, version: int, body: bytes) -> bytes:
    """Send one request and return what follows the head of its answer."""
    client = b"freshrec"
    request = struct.pack(">hhih", api_key, version, _CORRELATION_ID, len(client)) + client + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    length, correlation_id = struct.unpack(">ii", _read(connection, 8))
    # The number is checked because a connection to a free local port can meet itself and echo the request.
    if correlation_id != _CORRELATION_ID or not 8 <= length <= _MAX_ANSWER_BYTES:
        raise NoKafkaError("what was answered is not Kafka's")
    return _read(connection, length - 4)


def _read(connection: socket.socket, size: int) -> bytes:
    # An encrypted socket knows no MSG_WAITALL.
    read = b""
    while len(read) < size:
        piece = connection.recv(size - len(read))
        if not piece:
            raise NoKafkaError("the connection was closed instead of an answer")
        read += piece
    return read
