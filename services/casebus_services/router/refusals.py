"""What a refusal says: what was found, what was expected, what to do. Pure."""

from typing import NamedTuple

from casebus_schemas.errors import RefusalCode, Refused
from casebus_schemas.texts.harmless import harmless

MAX_RECORD_BYTES = 1 << 20
"""What an agency's topic takes. A broker that did not unpack compressed batches would let more through."""
_DETAIL_CHARS = 1000


class Refusal(NamedTuple):
    """Why a record is refused. A value of its own: a kept exception would keep its frames alive."""

    code: RefusalCode
    detail: str


def refusal(refused: Refused) -> Refusal:
    """The value of an exception, bounded in length; it repeats no control character."""
    return Refusal(refused.code, harmless(refused.detail[:_DETAIL_CHARS]))


def too_large(size: int) -> Refused:
    """The record is larger than an agency's topic takes."""
    return Refused(
        "too-large",
        "the record is too large",
        found=f"{size} bytes",
        expected=f"at most {MAX_RECORD_BYTES}",
        remedy="leave attachments with the sender: an event carries their digest, size and title",
    )


def mismatch(what: str, header: object, body: object) -> Refused:
    """Headers and body disagree."""
    return Refused(
        "header-mismatch",
        f"headers and body disagree on {what}",
        found=f"{header} in the headers, {body} in the body",
        expected="the same",
        remedy="publish anew with headers made from the body",
    )


def misplaced(what: str, found: object, expected: object) -> Refused:
    """The record stands where it does not belong."""
    return Refused(
        "misplaced",
        what,
        found=found,
        expected=expected,
        remedy="publish anew where it belongs: the signature covers topic, partition and key",
    )


def unknown_key(agency: str, identifier: bytes, found: str) -> Refused:
    """No valid key of the agency has signed."""
    return Refused(
        "unknown-key",
        f"signed with key {identifier.hex()[:16]}…",
        found=found,
        expected=f"a valid key of {agency}",
        remedy=f"announce the key on {agency}.key, then have the record judged again",
    )


def unknown_encryption_key(agency: str, identifier: bytes) -> Refused:
    """Sealed under a key of which nobody knows whether the agency has it."""
    return Refused(
        "unknown-key",
        f"sealed for {agency} under key {identifier.hex()[:16]}…",
        found="no encryption key of that agency",
        expected=f"one that {agency} has announced",
        remedy="say the event anew: it is sealed anew for the keys of today",
        pointer="/data/sealed",
    )


def bad_signature_block(found: str) -> Refused:
    """The header holds no signature block."""
    return Refused(
        "bad-signature", "casebus-sig is no signature block", found=found, expected="version 1, Ed25519"
    )


def bad_signature() -> Refused:
    """The signature does not fit."""
    return Refused(
        "bad-signature",
        "the signature does not fit the event",
        found="other bytes, place or headers than were signed",
        expected="an Ed25519 signature of this event at this place",
        remedy="publish anew; an event is never moved or changed after signing",
    )


def number_in_headers() -> Refused:
    """A person's number in clear outside the body."""
    return Refused(
        "personal-data",
        "a resident identity number (居民身份证号) in clear in key or headers; only digests are kept",
        found="18 digits with a valid check digit",
        expected="none",
        remedy="publish anew without the number",
    )
