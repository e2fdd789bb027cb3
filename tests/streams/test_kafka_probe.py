import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from streams.kafka_probe import broker_answers, split_addresses

CORRELATION_AT = slice(8, 12)


@contextmanager
def _server(head: bytes, tail: bytes) -> Iterator[str]:
    """Answer one request with `head`, the request's correlation id, and `tail`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                request = connection.recv(1024)
                connection.sendall(head + request[CORRELATION_AT] + tail)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_a_broker_that_knows_itself_answers() -> None:
    with _server(struct.pack(">i", 8), struct.pack(">i", 1)) as address:
        assert broker_answers(address)


def test_a_broker_that_is_not_yet_part_of_its_cluster_does_not() -> None:
    with _server(struct.pack(">i", 8), struct.pack(">i", 0)) as address:
        assert not broker_answers(address)


def test_another_program_does_not() -> None:
    with _server(b"HTTP/1.1 400 Bad Request\r\n", b"") as address:
        assert not broker_answers(address)


def test_a_connection_that_ends_without_an_answer_does_not() -> None:
    with _server(b"", b"") as address:
        assert not broker_answers(address)


def test_one_answer_of_several_addresses_is_enough() -> None:
    with socket.socket() as unused, _server(struct.pack(">i", 8), struct.pack(">i", 3)) as address:
        unused.bind(("127.0.0.1", 0))
        assert broker_answers(f"127.0.0.1:{unused.getsockname()[1]},{address}")


@pytest.mark.parametrize("bootstrap", ["", "host", ":9092", "host:", "host:0", "host:65536", "a:1,,b:2"])
def test_what_is_not_an_address_is_refused(bootstrap: str) -> None:
    with pytest.raises(ValueError, match="is not host:port"):
        split_addresses(bootstrap)
