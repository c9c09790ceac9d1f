"""The embedded broker's certificate: made once, renewed before its end, its authority's key not kept."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from casebus_deploy.embedded.broker_properties import BrokerPorts, server_properties
from casebus_deploy.embedded.certificates import AUTHORITY, LASTS, NODE, RENEWED, broker_certificate


def test_a_certificate_is_made_once(tmp_path: Path) -> None:
    """A second start uses the first one's, so that clients keep their authority."""
    node = broker_certificate(tmp_path)
    first = node.read_bytes()
    assert broker_certificate(tmp_path) == node
    assert node.read_bytes() == first
    assert node.stat().st_mode & 0o777 == 0o600


def test_it_is_renewed_before_its_end(tmp_path: Path) -> None:
    """Half a year before its end a start makes a new one."""
    now = datetime.now(UTC)
    first = broker_certificate(tmp_path, now).read_bytes()
    assert broker_certificate(tmp_path, now + LASTS - RENEWED * 1.1).read_bytes() == first
    assert broker_certificate(tmp_path, now + LASTS - RENEWED * 0.9).read_bytes() != first


def test_nobody_can_make_another_certificate(tmp_path: Path) -> None:
    """One private key is in the folder, and it is not that of the authority."""
    broker_certificate(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {NODE, AUTHORITY}
    authority = x509.load_pem_x509_certificate((tmp_path / AUTHORITY).read_bytes())
    text = (tmp_path / NODE).read_bytes()
    leaf = x509.load_pem_x509_certificate(text[text.index(b"-----BEGIN CERT") :])
    assert text.count(b"PRIVATE KEY-----") == 2
    assert leaf.public_key() != authority.public_key()
    leaf.verify_directly_issued_by(authority)


def test_a_python_client_takes_it(tmp_path: Path) -> None:
    """OpenSSL's strict checks find key and certificate to fit."""
    node = broker_certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(node)
    context = ssl.create_default_context(cafile=str(tmp_path / AUTHORITY))
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    sent, received = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(sent, received, server_hostname="127.0.0.1")
    served = server.wrap_bio(received, sent, server_side=True)
    done: set[ssl.SSLObject] = set()
    for _ in range(10):
        for side in (client, served):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
    assert done == {client, served}


def test_without_a_certificate_there_is_no_tls(tmp_path: Path) -> None:
    """What the broker is told of its clients' listener follows from the certificate alone."""
    ports = BrokerPorts(1, 2, 3)
    plain = server_properties(tmp_path, ports, "x")
    secured = server_properties(tmp_path, ports, "x", tmp_path / NODE)
    assert "CLIENT:SASL_PLAINTEXT," in plain["listener.security.protocol.map"]
    assert "CLIENT:SASL_SSL," in secured["listener.security.protocol.map"]
    assert not [name for name in plain if ".ssl." in name]
