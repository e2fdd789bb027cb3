"""Asks an address whether a Kafka broker answers there, with one hand-made request and no client library.

Connecting is not enough: a broker accepts connections before it is part of its cluster, and another program
may own the port. Reads only; nothing is retried here.
"""

import socket
import struct

_CORRELATION_ID = 0x66726563
# Metadata (api key 3) version 1 for no topics at all: the oldest request that lists the live brokers.
_REQUEST = struct.pack(">hhih8si", 3, 1, _CORRELATION_ID, 8, b"freshrec", 0)
_ANSWER_HEAD = struct.Struct(">iii")


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
            connection.sendall(struct.pack(">i", len(_REQUEST)) + _REQUEST)
            head = connection.recv(_ANSWER_HEAD.size, socket.MSG_WAITALL)
    except OSError:
        return False
    if len(head) < _ANSWER_HEAD.size:
        return False
    _, correlation_id, live_brokers = _ANSWER_HEAD.unpack(head)
    # The number is checked because a connection to a free local port can meet itself and echo the request.
    return bool(correlation_id == _CORRELATION_ID and live_brokers > 0)
