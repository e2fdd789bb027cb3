import ast
import datetime
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.settings import KafkaSettings
from streams.app import credentials_of
from streams.connection import client_options
from streams.errors import SettingsError
from streams.local_kafka_certificates import broker_certificate

ROOT = Path(__file__).parents[2]
SHIPPED = ("schemas", "online_models", "streams", "benchmarks")
CLIENTS = {
    *("AIOKafkaProducer", "AIOKafkaConsumer", "AIOKafkaClient", "AIOKafkaAdminClient"),
    *("KafkaProducer", "KafkaConsumer", "KafkaAdminClient", "KafkaClient"),
}
KNOWN = "correct-horse"
LOGIN = KafkaSettings(security_protocol="SASL_PLAINTEXT", sasl_username="worker")


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func).split(".")[-1]


def unsafe(tree: ast.Module) -> list[str]:
    """Clients of Kafka that are not made with the options of `streams.connection`."""
    found = []
    for call in calls(tree):
        given = {keyword.arg: ast.unparse(keyword.value).split("(")[0] for keyword in call.keywords}
        if name_of(call) in CLIENTS and given.get(None) != "client_options":
            found.append(ast.unparse(call))
        if name_of(call) in ("App", "WorkerApp") and given.get("broker_credentials") != "credentials_of":
            found.append(ast.unparse(call))
    return found


def test_every_client_of_kafka_is_made_with_the_options_of_one_module() -> None:
    trees = {
        path: ast.parse(path.read_text()) for package in SHIPPED for path in (ROOT / package).rglob("*.py")
    }
    clients = [name_of(call) for tree in trees.values() for call in calls(tree)]
    assert sum(name in CLIENTS for name in clients) >= 8
    assert clients.count("WorkerApp") == 1
    assert {str(path): found for path, tree in trees.items() if (found := unsafe(tree))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "AIOKafkaProducer(bootstrap_servers='a:1')",
        "kafka.KafkaConsumer('t', **options)",
        "KafkaAdminClient()",
        "faust.App('a', broker='kafka://a:1')",
    ],
)
def test_a_client_that_is_made_without_them_is_seen(text: str) -> None:
    assert unsafe(ast.parse(text)) == [text]
    assert unsafe(ast.parse("AIOKafkaProducer(**client_options(settings), acks='all')")) == []


def test_without_protection_only_the_addresses_are_told() -> None:
    assert client_options(KafkaSettings()) == {"bootstrap_servers": ["127.0.0.1:9092"]}
    assert credentials_of(KafkaSettings()) is None


@pytest.fixture
def password_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("FRESHREC_KAFKA__SASL_PASSWORD", raising=False)
    path = tmp_path / "password"
    path.write_text(f"{KNOWN}\n")
    return path


def test_a_login_has_user_mechanism_and_password_and_shows_the_password_nowhere(password_file: Path) -> None:
    settings = replace(LOGIN, sasl_password_file=str(password_file))
    options = client_options(settings)
    assert options["security_protocol"] == "SASL_PLAINTEXT"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["sasl_plain_username"] == "worker"
    assert options["sasl_plain_password"].encode() == KNOWN.encode()
    assert "\0".join(["", options["sasl_plain_password"]]) == f"\0{KNOWN}"
    credentials = credentials_of(settings)
    shown = f"{options} {options['sasl_plain_password']} {credentials!r} {vars(credentials)} {settings}"
    assert KNOWN not in shown


def test_the_environment_s_password_wins_over_the_file_s(
    password_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRESHREC_KAFKA__SASL_PASSWORD", "another")
    options = client_options(replace(LOGIN, sasl_password_file=str(password_file)))
    assert options["sasl_plain_password"].encode() == b"another"


def _problem(settings: KafkaSettings) -> str:
    with pytest.raises(SettingsError) as caught:
        client_options(settings)
    return str(caught.value)


def test_what_a_login_lacks_is_named_with_what_to_do(password_file: Path, tmp_path: Path) -> None:
    assert "kafka.sasl_username is empty" in _problem(replace(LOGIN, sasl_username=""))
    missing = _problem(LOGIN)
    assert "'worker' has no password" in missing
    assert "kafka.sasl_password_file" in missing and "FRESHREC_KAFKA__SASL_PASSWORD" in missing
    nowhere = _problem(replace(LOGIN, sasl_password_file=str(tmp_path / "nowhere")))
    assert "No such file" in nowhere and "kafka.sasl_password_file" in nowhere
    password_file.write_text("\n")
    assert "is empty" in _problem(replace(LOGIN, sasl_password_file=str(password_file)))
    password_file.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in _problem(replace(LOGIN, sasl_password_file=str(password_file)))


@pytest.fixture
def pems(tmp_path: Path) -> tuple[Path, Path]:
    """Certificate of an authority; key and certificate of a broker on the loopback interface."""
    paths = tmp_path / "ca.pem", tmp_path / "broker.pem"
    for path, content in zip(paths, broker_certificate("broker"), strict=True):
        path.write_bytes(content)
    return paths


def test_encryption_trusts_who_is_named_checks_names_and_shows_our_certificate(
    pems: tuple[Path, Path],
) -> None:
    settings = KafkaSettings(
        security_protocol="SSL", ssl_cafile=str(pems[0]), ssl_certfile=str(pems[1]), ssl_keyfile=str(pems[1])
    )
    context = client_options(settings)["ssl_context"]
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    (authority,) = context.get_ca_certs()
    assert "freshrec local authority" in str(authority["subject"])
    year = datetime.datetime.now(datetime.UTC).year
    assert int(authority["notAfter"].split()[3]) > year
    credentials: Any = credentials_of(settings)
    assert isinstance(credentials.context, ssl.SSLContext)


def test_a_certificate_that_cannot_be_used_is_named_with_what_to_do(pems: tuple[Path, Path]) -> None:
    authority, broker = map(str, pems)
    encrypted = KafkaSettings(security_protocol="SASL_SSL", ssl_cafile=authority)
    assert "kafka.ssl_cafile = '/nowhere'" in _problem(replace(encrypted, ssl_cafile="/nowhere"))
    assert "kafka.ssl_certfile = '/nowhere'" in _problem(replace(encrypted, ssl_certfile="/nowhere"))
    without_key = _problem(replace(encrypted, ssl_certfile=authority))
    assert "not PEM, or key and certificate don't belong together" in without_key
    no_key = _problem(replace(encrypted, ssl_certfile=broker, ssl_keyfile="/nowhere"))
    assert "kafka.ssl_keyfile = '/nowhere' cannot be used (No such file" in no_key
    assert "without kafka.ssl_certfile" in _problem(replace(encrypted, ssl_keyfile=broker))
