"""What is found out about a connection, with real sockets and real TLS but no Kafka."""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas.settings import KafkaSettings
from streams.broker_check import Trouble, find_trouble
from streams.local_kafka_certificates import broker_certificate

CORRELATION_AT = slice(8, 12)


@contextmanager
def server(*answers: bytes, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    """Answer requests of one connection, each with the request's correlation id and an answer."""
    with socket.create_server((host, 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    spoken = context.wrap_socket(connection, server_side=True) if context else connection
                    with spoken:
                        for answer in answers:
                            body = spoken.recv(1024)[CORRELATION_AT] + answer
                            spoken.sendall(struct.pack(">i", len(body)) + body)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"{host}:{listener.getsockname()[1]}"
        thread.join()


ONE_BROKER = struct.pack(">i", 1)
LOGGED_IN = struct.pack(">hhi", 0, -1, 0)
REFUSED = struct.pack(">hh", 58, 9) + b"no, never" + struct.pack(">i", 0)


def mechanisms(*names: str) -> bytes:
    listed = b"".join(struct.pack(">h", len(name)) + name.encode() for name in names)
    return struct.pack(">hi", 0, len(names)) + listed


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KafkaSettings:
    """A login with PLAIN; the broker's address is still missing."""
    monkeypatch.delenv("FRESHREC_KAFKA__SASL_PASSWORD", raising=False)
    (tmp_path / "password").write_text("pw-4711")
    return KafkaSettings(
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username="worker",
        sasl_password_file=str(tmp_path / "password"),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in zip(("ca.pem", "broker.pem"), broker_certificate("broker"), strict=True):
        (tmp_path / name).write_bytes(content)
    return tmp_path


def encrypting(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "broker.pem")
    return context


def trusting(address: str, folder: Path) -> KafkaSettings:
    return KafkaSettings(
        bootstrap_servers=address, security_protocol="SSL", ssl_cafile=str(folder / "ca.pem")
    )


def trouble_with(settings: KafkaSettings) -> Trouble:
    trouble = find_trouble(settings)
    assert trouble is not None
    return trouble


def test_a_broker_that_answers_is_no_trouble() -> None:
    with server(ONE_BROKER) as address:
        assert find_trouble(KafkaSettings(bootstrap_servers=address)) is None


def test_an_encrypted_broker_that_is_trusted_is_no_trouble(folder: Path) -> None:
    with server(ONE_BROKER, context=encrypting(folder)) as address:
        assert find_trouble(trusting(address, folder)) is None


def test_a_certificate_signed_by_somebody_else_is_named_with_what_was_expected(folder: Path) -> None:
    (folder / "ca.pem").write_bytes(broker_certificate("another")[0])
    with server(ONE_BROKER, context=encrypting(folder)) as address:
        trouble = trouble_with(trusting(address, folder))
    assert f"the certificate of the broker at {address} is not trusted" in trouble.cause
    assert f"signed by {folder / 'ca.pem'}" in trouble.cause
    assert "kafka.ssl_cafile" in trouble.what_to_do


def test_a_certificate_for_another_host_is_not_trusted(folder: Path) -> None:
    with server(ONE_BROKER, context=encrypting(folder), host="127.0.0.2") as address:
        trouble = trouble_with(trusting(address, folder))
    assert "certificate is not valid for '127.0.0.2'" in trouble.cause


def test_a_port_that_does_not_encrypt_is_told_from_one_where_nobody_is(folder: Path) -> None:
    with server(ONE_BROKER) as address:
        trouble = trouble_with(trusting(address, folder))
    assert f"no encrypted connection to {address}" in trouble.cause
    assert "kafka.security_protocol is SSL" in trouble.cause


def test_a_broker_that_wants_our_certificate_gets_it_and_refuses_who_has_none(folder: Path) -> None:
    asking = encrypting(folder)
    asking.verify_mode = ssl.CERT_REQUIRED
    asking.load_verify_locations(folder / "ca.pem")
    with server(ONE_BROKER, context=asking) as address:
        trouble = trouble_with(trusting(address, folder))
        assert "kafka.ssl_certfile" in trouble.what_to_do
    with server(ONE_BROKER, context=asking) as address:
        settings = KafkaSettings(
            bootstrap_servers=address,
            security_protocol="SSL",
            ssl_cafile=str(folder / "ca.pem"),
            ssl_certfile=str(folder / "broker.pem"),
        )
        assert find_trouble(settings) is None


def test_a_broker_that_hangs_up_on_what_is_not_encrypted_is_told_from_no_broker(folder: Path) -> None:
    with server(ONE_BROKER, context=encrypting(folder)) as address:
        trouble = trouble_with(KafkaSettings(bootstrap_servers=address))
    assert f"at {address} to PLAINTEXT, though something listens" in trouble.cause
    assert "kafka.security_protocol" in trouble.what_to_do


def test_a_mechanism_that_the_broker_does_not_take_is_named_beside_those_it_takes(
    login: KafkaSettings,
) -> None:
    with server(mechanisms("SCRAM-SHA-512", "GSSAPI")) as address:
        trouble = trouble_with(replace(login, bootstrap_servers=address))
    assert "takes logins by SCRAM-SHA-512, GSSAPI, kafka.sasl_mechanism is PLAIN" in trouble.cause
    assert "FRESHREC_KAFKA__SASL_MECHANISM" in trouble.what_to_do


def test_a_login_that_the_broker_takes_is_no_trouble(login: KafkaSettings) -> None:
    with server(mechanisms("PLAIN"), LOGGED_IN, ONE_BROKER) as address:
        assert find_trouble(replace(login, bootstrap_servers=address)) is None


def test_a_login_that_the_broker_refuses_names_user_and_reason_and_not_the_password(
    login: KafkaSettings,
) -> None:
    with server(mechanisms("PLAIN"), REFUSED) as address:
        trouble = trouble_with(replace(login, bootstrap_servers=address))
    assert f"the Kafka broker at {address} refused user 'worker' with PLAIN (no, never)" in trouble.cause
    assert "kafka.sasl_password_file" in trouble.what_to_do
    assert "pw-4711" not in str(trouble)


@pytest.mark.parametrize(
    "answers",
    [(struct.pack(">hi", 0, 7) + b"\0",), (mechanisms("PLAIN"), b"\0\0\0\0"), (mechanisms("PLAIN"),)],
)
def test_answers_that_are_cut_off_are_no_crash(login: KafkaSettings, answers: tuple[bytes, ...]) -> None:
    with server(*answers) as address:
        assert "though something listens" in trouble_with(replace(login, bootstrap_servers=address)).cause


def test_a_broker_that_cannot_prove_that_it_knows_the_password_is_not_believed(
    login: KafkaSettings,
) -> None:
    nonsense = b"r=another,s=QUJD,i=4096"
    answer = struct.pack(">hhi", 0, -1, len(nonsense)) + nonsense
    with server(mechanisms("SCRAM-SHA-512"), answer) as address:
        settings = replace(login, bootstrap_servers=address, sasl_mechanism="SCRAM-SHA-512")
        assert "though something listens" in trouble_with(settings).cause


def test_of_several_addresses_one_good_is_enough_and_what_is_wrong_is_told_before_nobody() -> None:
    with socket.socket() as unused, server(b"") as address:
        unused.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{unused.getsockname()[1]}"
        assert "no Kafka broker answers" in trouble_with(KafkaSettings(bootstrap_servers=nobody)).cause
        both = KafkaSettings(bootstrap_servers=f"{nobody},{address}")
        assert "though something listens" in trouble_with(both).cause


def test_a_certificate_file_that_is_missing_is_found_before_anything_is_asked(tmp_path: Path) -> None:
    settings = KafkaSettings(security_protocol="SSL", ssl_cafile=str(tmp_path / "none.pem"))
    trouble = trouble_with(settings)
    assert "kafka.ssl_cafile" in trouble.cause
    assert "name a PEM file" in trouble.what_to_do
