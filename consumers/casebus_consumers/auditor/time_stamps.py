"""Time stamps of checkpoints by an authority outside (RFC 3161): request, response, and what both show.

What is stamped is the checkpoint's file, byte for byte: its text, the ledger's signature and the cosignatures
that it has. Who verifies brings the authority's certificate himself. Needs `casebus[timestamp]`.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from casebus_schemas.errors import RetryLater, UsageError
from casebus_schemas.evidence.cose_receipt import CoseReceipt, is_receipt
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.tlog_proof import FIRST_LINE, TlogProof
from casebus_schemas.evidence.trust_policy import TrustPolicy, Verdict

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

MAX_RESPONSE_BYTES = 1 << 20
TIMEOUT_S = 30.0
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


def _library() -> Any:
    try:
        import rfc3161_client
    except ModuleNotFoundError as error:
        raise UsageError(
            "time stamps need the package rfc3161-client",
            found="it is not installed",
            expected="the extra of casebus for time stamps",
            remedy="pip install 'casebus[timestamp]'",
        ) from error
    return rfc3161_client


def request_for(note: SignedNote) -> bytes:
    """A request for a time stamp over the checkpoint's bytes: SHA-256, with a nonce and the certificate."""
    library = _library()
    builder = library.TimestampRequestBuilder(
        data=note.to_bytes(), hash_algorithm=library.HashAlgorithm.SHA256, nonce=True, cert_req=True
    )
    return bytes(builder.build().as_bytes())


def check_answer(request: bytes, response: bytes) -> None:
    """Raises UsageError unless the response grants that very request: the same digest, the same nonce.

    The authority's signature is judged by who verifies, with a certificate of his own.
    """
    answer = _response(response)
    # Which of its digests and nonces: both stand in the request as they are, as OCTET STRING and INTEGER.
    info = answer.tst_info
    imprint = bytes(info.message_imprint.message)
    nonce = int(info.nonce or 0)
    encoded = nonce.to_bytes(nonce.bit_length() // 8 + 1)
    if imprint not in request or encoded not in request:
        raise UsageError(
            "the response is for another request",
            found=f"digest {imprint.hex()[:16]}…",
            expected="the digest and nonce of the request beside it",
            remedy="take the authority's answer to this request",
        )


def ask(url: str, request: bytes) -> bytes:
    """Sends a request to an authority by HTTP and gives its response, not yet looked at.

    Raises UsageError for another kind of address or answer, RetryLater if it does not answer.
    """
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    if not url.startswith(("http://", "https://")):
        raise UsageError("the authority's address", found=url[:100], expected="http:// or https://")
    sent = Request(url, request, {"Content-Type": _QUERY, "Accept": _REPLY})
    try:
        with urlopen(sent, timeout=TIMEOUT_S) as answer:
            kind, body = answer.headers.get_content_type(), answer.read(MAX_RESPONSE_BYTES + 1)
    except (URLError, OSError) as error:
        raise RetryLater(f"{url} does not answer: {error}") from error
    if kind != _REPLY or len(body) > MAX_RESPONSE_BYTES:
        raise UsageError("no time stamp", found=f"{kind}, {len(body)} bytes", expected=_REPLY)
    return bytes(body)


@dataclass(frozen=True, slots=True)
class ProvenTime:
    """What a time stamp shows: the checkpoint was there at `stamped_at`; it does if `problem` is None.

    `accuracy_s` is what the authority says of its clock, None where it says nothing.
    """

    verdict: Verdict
    stamped_at: datetime | None = None
    accuracy_s: float | None = None
    authority: str | None = None
    serial: int | None = None
    problem: str | None = None


def judge_time(raw: bytes, response: bytes, authority: bytes, policy: TrustPolicy) -> ProvenTime:
    """What a response shows of a checkpoint, or of that in a proof or receipt, under what the reader brought.

    `authority` is PEM of the certificates that he trusts as roots. Raises ValueError or UsageError for bytes
    that are no such file.
    """
    from cryptography.x509 import load_pem_x509_certificates

    library = _library()
    note = stamped_note(raw)
    verdict = policy.judge(note)
    if verdict.problem is not None:
        return ProvenTime(verdict, problem=verdict.problem)
    answer = _response(response)
    roots = load_pem_x509_certificates(authority)
    verifier = library.VerifierBuilder(roots=list(roots)).build()
    try:
        verifier.verify(answer, hashlib.sha256(note.to_bytes()).digest())
    except library.VerificationError as error:
        return ProvenTime(verdict, problem=f"the time stamp: {error}")
    info = answer.tst_info
    signers = list(answer.signed_data.signer_infos)
    issuer = signers[0].issuer.rfc4514_string() if signers else None
    return ProvenTime(verdict, info.gen_time, _accuracy(info), issuer, int(info.serial_number))


def stamped_note(raw: bytes) -> SignedNote:
    """The checkpoint in a file: a note, or the one in a tlog-proof or COSE receipt. Raises ValueError."""
    if is_receipt(raw):
        carried = CoseReceipt.parse(raw).carried
        if carried is None:
            raise ValueError("a receipt without a checkpoint")
        return stamped_note(carried)
    if raw.startswith(FIRST_LINE.encode()):
        return TlogProof.parse(raw).note
    return SignedNote.parse(raw)


def _response(raw: bytes) -> "TimeStampResponse":
    library = _library()
    try:
        answer: TimeStampResponse = library.decode_timestamp_response(raw)
        status = library.PKIStatus(answer.status)
    except ValueError as error:
        raise UsageError("no response of RFC 3161", found=str(error)[:200], expected="its DER") from error
    if status != library.PKIStatus.GRANTED:
        raise UsageError("the authority granted no time stamp", found=status.name.lower(), expected="granted")
    return answer


def _accuracy(info: Any) -> float | None:
    try:
        found = info.accuracy
    except (ValueError, AttributeError):
        return None
    if found is None:
        return None
    return (found.seconds or 0) + (found.millis or 0) / 1e3 + (found.micros or 0) / 1e6
