"""What a local broker needs to encrypt, to know its users and to allow them only what they may.

Made once per data directory and kept there, readable by its user alone: a certificate and who signed it,
and a password for each of a few users. For development and tests; the key that signs is thrown away.
"""

import secrets
from pathlib import Path
from typing import Final, NamedTuple

from schemas.settings import KafkaSettings, Mechanism
from streams.errors import BrokerError

ADMIN: Final = "admin"
USERS: Final = (ADMIN, "worker", "storefront", "reader", "operator")
"""The administrator, and one user for each kind of program that `freshrec topics acls` knows."""

MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_BROKER: Final = "freshrec-broker"


class SecurityFiles(NamedTuple):
    """The files of one data directory, in a folder that is there only if its broker is a secure one."""

    folder: Path

    @property
    def ca(self) -> Path:
        """Certificate of who signed the broker's: what clients trust."""
        return self.folder / "ca.pem"

    @property
    def broker(self) -> Path:
        """Key and certificate of the broker."""
        return self.folder / "broker.pem"

    def password_file(self, user: str) -> Path:
        """File with the password of a user."""
        return self.folder / f"{user}.password"

    @property
    def exists(self) -> bool:
        """Whether everything was made."""
        return self.broker.is_file()


def make(files: SecurityFiles) -> None:
    """Make certificates and passwords.

    Raises
    ------
    BrokerError
        The package `cryptography` is not installed.
    """
    try:
        # Needed by those alone who want a secure local broker, and slow to import.
        from streams.local_kafka_certificates import broker_certificate  # noqa: PLC0415
    except ImportError as error:
        raise BrokerError(
            "a secure local Kafka needs the package cryptography: pip install 'freshrec[secure]'"
        ) from error
    authority, certificate = broker_certificate(_BROKER)
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for user in USERS:
        _write(files.password_file(user), secrets.token_urlsafe(18).encode() + b"\n")
    _write(files.ca, authority)
    # Written last: where it stands, all is there.
    _write(files.broker, certificate)


def client_settings(
    files: SecurityFiles, bootstrap: str, user: str, mechanism: Mechanism = "SCRAM-SHA-512"
) -> KafkaSettings:
    """How a user connects to the broker of this directory."""
    return KafkaSettings(
        bootstrap_servers=bootstrap,
        security_protocol="SASL_SSL",
        sasl_mechanism=mechanism,
        sasl_username=user,
        sasl_password_file=str(files.password_file(user)),
        ssl_cafile=str(files.ca),
    )


def scram_users(files: SecurityFiles) -> list[str]:
    """Arguments of the formatting tool that make the users known to SCRAM."""
    arguments = []
    for user in USERS:
        password = files.password_file(user).read_text().strip()
        for mechanism in MECHANISMS[1:]:
            arguments += ["--add-scram", f"{mechanism}=[name={user},password={password}]"]
    return arguments


def broker_properties(files: SecurityFiles) -> dict[str, str]:
    """Settings of a broker that takes clients only with encryption, a login and an explicit permission."""
    passwords = {user: files.password_file(user).read_text().strip() for user in USERS}
    known = " ".join(f'user_{user}="{password}"' for user, password in passwords.items())
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return {
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:SSL",
        "security.inter.broker.protocol": "SASL_SSL",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        "listener.name.sasl_ssl.plain.sasl.jaas.config": (
            f'{plain} username="{ADMIN}" password="{passwords[ADMIN]}" {known};'
        ),
        "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": scram,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": scram,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(files.broker),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(files.ca),
        # Only the node itself holds a certificate by which the controller lets anybody in.
        "listener.name.controller.ssl.client.auth": "required",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN};User:CN={_BROKER}",
    }


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
