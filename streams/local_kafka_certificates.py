"""The certificate of a local broker, signed by an authority that exists for it alone.

Pure but for the clock and random keys; the key of the authority is never written anywhere.
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID: Final = timedelta(days=3650)
_PEM: Final = serialization.Encoding.PEM
_ISSUER: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "freshrec local authority")])


def broker_certificate(name: str) -> tuple[bytes, bytes]:
    """Make a certificate of this machine's loopback interface.

    Parameters
    ----------
    name
        Common name of the certificate.

    Returns
    -------
    (bytes, bytes)
        Certificate of the authority; key and certificate of the broker. All in PEM.

    Examples
    --------
    >>> authority, broker = broker_certificate("broker")
    >>> authority.splitlines()[0], broker.splitlines()[0]
    (b'-----BEGIN CERTIFICATE-----', b'-----BEGIN PRIVATE KEY-----')
    """
    signer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    signs = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    authority = _certificate(
        _ISSUER, signer, signer, (x509.BasicConstraints(ca=True, path_length=0), True), (signs, True)
    )
    here = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
    # The node is a client of its own controller.
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    broker = _certificate(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        key,
        signer,
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.SubjectAlternativeName(here), False),
        (usage, False),
    )
    private = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return authority.public_bytes(_PEM), private + broker.public_bytes(_PEM)


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *extensions: tuple[x509.ExtensionType, bool],
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_ISSUER)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A clock that was set back a little does not make it invalid.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
    )
    identifiers = (
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    )
    for extension, critical in (*extensions, *identifiers):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256())
