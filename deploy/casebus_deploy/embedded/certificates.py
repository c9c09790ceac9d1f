"""The embedded broker's own authority and certificate, for clients on this machine."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .secret_files import write_private

AUTHORITY, NODE = "authority.pem", "node.pem"
LASTS = timedelta(days=825)
"""What clients take at most of a certificate for servers."""
RENEWED = timedelta(days=180)
"""A node that starts with less than this left gets a new one."""
_SKEW = timedelta(hours=1)


def broker_certificate(folder: Path, now: datetime | None = None) -> Path:
    """The node's private key and certificate in one PEM file (0600), made where missing or nearly over.

    The authority beside it is new each time: its private key is thrown away once it has signed, so that
    nobody can make another certificate for its clients.
    """
    moment = now or datetime.now(UTC)
    node, authority = folder / NODE, folder / AUTHORITY
    if node.exists() and authority.exists():
        kept = x509.load_pem_x509_certificate(authority.read_bytes())
        if kept.not_valid_after_utc - moment > RENEWED:
            return node
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    signer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = _name("casebus embedded authority")
    root = (
        _builder(name, name, signer.public_key(), moment)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_signs_certificates(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    hosts = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    leaf = (
        _builder(name, _name("localhost"), key.public_key(), moment)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(node, (secret + leaf.public_bytes(Encoding.PEM)).decode("ascii"))
    fresh = authority.with_name(authority.name + ".new")
    fresh.write_bytes(root.public_bytes(Encoding.PEM))
    fresh.replace(authority)
    return node


def _builder(
    issuer: x509.Name, subject: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=public,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - _SKEW,
        not_valid_after=now + LASTS,
    )


def _signs_certificates() -> x509.KeyUsage:
    """What strict readers, such as Python from 3.13 on, want of an authority."""
    return x509.KeyUsage(
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


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
