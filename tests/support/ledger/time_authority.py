"""A time-stamping authority (RFC 3161) of a test: its certificates, and answers to requests. No network."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

REJECTED = bytes.fromhex("30053003020102")
"""A response without a time stamp: status 2, rejection."""
STAMPED = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
_FROM, _TO = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)


class Authority:
    """One with a root and a certificate for time stamps below it."""

    def __init__(self, usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING) -> None:
        root_key = ec.generate_private_key(ec.SECP256R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        root_name, own_name = _name("Test TSA root"), _name("Test TSA")
        root = _builder(root_name, root_name, root_key.public_key(), 1)
        root = root.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.root = root.sign(root_key, hashes.SHA256())
        own = _builder(own_name, root_name, self._key.public_key(), 2)
        own = own.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        own = own.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        self._own = own.sign(root_key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        """Its root, as a reader has it."""
        return self.root.public_bytes(Encoding.PEM)

    def stamp(self, request: bytes, at: datetime = STAMPED) -> bytes:
        """The response to a request."""
        asked = tsp.TimeStampReq.load(request)
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": "1.3.6.1.4.1.99999.1",
                "message_imprint": asked["message_imprint"],
                "serial_number": 77,
                "gen_time": at,
                "accuracy": {"seconds": 1},
                "nonce": asked["nonce"].native,
            }
        )
        token = cms.ContentInfo({"content_type": "signed_data", "content": self._signed(info.dump(), at)})
        return bytes(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump())

    def _signed(self, info: bytes, at: datetime) -> Any:
        der = self._own.public_bytes(Encoding.DER)
        certificate = asn1_x509.Certificate.load(der)
        stamped = cms.EncapsulatedContentInfo(
            {"content_type": "tst_info", "content": core.ParsableOctetString(info)}
        )
        named = tsp.SigningCertificateV2({"certs": [{"cert_hash": sha256(der).digest()}]})
        attributes = cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
                cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": at})]}),
                cms.CMSAttribute({"type": "message_digest", "values": [sha256(info).digest()]}),
                cms.CMSAttribute({"type": "signing_certificate_v2", "values": [named]}),
            ]
        )
        signature = self._key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256()))
        serial = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier({"issuer_and_serial_number": serial}),
                "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                "signed_attrs": attributes,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
                "signature": signature,
            }
        )
        return cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
                "encap_content_info": stamped,
                "certificates": [certificate],
                "signer_infos": [signer],
            }
        )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject: x509.Name, issuer: x509.Name, key: Any, serial: int) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder(
        subject_name=subject, issuer_name=issuer, public_key=key, serial_number=serial
    )
    return made.not_valid_before(_FROM).not_valid_after(_TO)


def years_later(years: int) -> datetime:
    """A time that lies behind the certificates' term, for eleven years and more."""
    return STAMPED + timedelta(days=366 * years)
