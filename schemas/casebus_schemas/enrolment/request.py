"""An agency's request to join: its public keys, the proof that it has the private ones, whom to ask."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.ed25519 import PrivateKey
from casebus_schemas.evidence.signed_note import VerifierKey
from casebus_schemas.sealed.cipher import DecryptionKey
from casebus_schemas.sealed.public_keys import encryption_key_id
from casebus_schemas.times import utc_text
from casebus_schemas.wire.ids import uuid7
from casebus_schemas.wire.records import Outgoing
from casebus_schemas.wire.signing import SigningKey, key_id, parse_block

from .announcements import announced
from .signed_file import Sign, SignedFile, read_signed, signed

KIND = "enrolment-request"
VALID_MS = 30 * 86_400_000
"""How long an operator may take: a request that lies about longer is made anew."""
MOST_CONTACT = 200


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Times are milliseconds since 1970 UTC; `ledger` is the bus's origin.

    `events` are what the agency's key topic is to say first, signed by the agency itself.
    """

    file: SignedFile
    id: UUID
    agency: str
    ledger: str
    contact: str
    made_at_ms: int
    not_after_ms: int
    signing_key: bytes
    encryption_key: bytes
    witness: VerifierKey | None
    events: tuple[Outgoing, ...]

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """The request in a file. Raises UsageError unless it is whole and each of its keys has signed it."""
        file = read_signed(KIND, raw)
        said = file.statement
        try:
            witness = said["witness"]
            found = cls(
                file=file,
                id=UUID(said["id"]),
                agency=_text(said["agency"]),
                ledger=_text(said["ledger"]),
                contact=_text(said["contact"]),
                made_at_ms=_number(said["made_at_ms"]),
                not_after_ms=_number(said["not_after_ms"]),
                signing_key=bytes.fromhex(said["signing_key"]),
                encryption_key=bytes.fromhex(said["encryption_key"]),
                witness=None if witness is None else VerifierKey.parse(witness),
                events=tuple(_event(one) for one in said["events"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
            raise UsageError(
                "not a request to join",
                found=str(error)[:200],
                expected="what `casebus enroll request` writes",
            ) from error
        signers = {"signing": found.signing_key}
        if found.witness is not None:
            signers["witness"] = found.witness.public
        for part, public in signers.items():
            if not file.is_signed_by(part, public):
                raise UsageError(
                    "the request is not signed by the key that it names",
                    found=f"no valid signature of the {part} key",
                    expected="the file as `casebus enroll request` wrote it",
                    remedy="ask the agency for the file once more",
                )
        return found

    @property
    def key_ids(self) -> Mapping[str, bytes]:
        """What each key is for, and its id: SHA-256 of the number of its algorithm and its public half."""
        ids = {"signing": key_id(self.signing_key), "encryption": encryption_key_id(self.encryption_key)}
        return ids if self.witness is None else {**ids, "witness": key_id(self.witness.public)}


def make_request(
    agency: str,
    ledger: str,
    contact: str,
    signing: SigningKey,
    encryption: DecryptionKey,
    *,
    now_ms: int,
    randomness: bytes,
    witness: tuple[VerifierKey, PrivateKey] | None = None,
) -> Request:
    """A request with the first two events of the agency's key topic, signed now. `randomness` is 30 bytes.

    Raises UsageError for a contact that is empty or too long.
    """
    if not contact.strip() or len(contact) > MOST_CONTACT:
        raise UsageError(
            "whom may the operator ask?",
            found=f"{len(contact)} characters",
            expected=f"an office and how to reach it, at most {MOST_CONTACT} characters",
        )
    now_ms -= now_ms % 1000
    events = announced(agency, signing, encryption, now_ms=now_ms, randomness=randomness[10:])
    statement: dict[str, Any] = {
        "id": str(uuid7(now_ms, randomness[:10])),
        "agency": agency,
        "ledger": ledger,
        "contact": contact.strip(),
        "made_at": utc_text(now_ms),
        "made_at_ms": now_ms,
        "not_after_ms": now_ms + VALID_MS,
        "signing_key": signing.public.hex(),
        "encryption_key": encryption.public.hex(),
        "witness": None if witness is None else str(witness[0]),
        "events": [_spelled(event) for event in events],
    }
    signers: dict[str, Sign] = {"signing": lambda message: parse_block(signing.sign(message)).signature}
    if witness is not None:
        signers["witness"] = witness[1].sign
    return Request.read(signed(KIND, statement, signers).to_bytes())


def _spelled(event: Outgoing) -> dict[str, Any]:
    return {
        "topic": event.topic,
        "partition": event.partition,
        "key": (event.key or b"").decode(),
        "value": b64encode(event.value or b"").decode(),
        "headers": [[name, b64encode(value or b"").decode()] for name, value in event.headers],
    }


def _event(body: Mapping[str, Any]) -> Outgoing:
    headers: Sequence[Sequence[str]] = body["headers"]
    return Outgoing(
        topic=_text(body["topic"]),
        partition=_number(body["partition"]),
        key=_text(body["key"]).encode(),
        value=b64decode(body["value"], validate=True),
        headers=tuple((_text(name), b64decode(value, validate=True)) for name, value in headers),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r}, expected a text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 62:
        raise ValueError(f"{value!r}, expected a whole number")
    return value
