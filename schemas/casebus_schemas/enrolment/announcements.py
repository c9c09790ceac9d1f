"""The first two events of an agency's key topic, signed by the agency: its signing and its encryption key."""

from datetime import datetime
from typing import Any
from uuid import UUID

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.sealed.cipher import DecryptionKey
from casebus_schemas.times import to_datetime
from casebus_schemas.wire.codec import encode
from casebus_schemas.wire.compose import compose
from casebus_schemas.wire.ids import bus_id, uuid7
from casebus_schemas.wire.records import Outgoing
from casebus_schemas.wire.signing import SigningKey
from casebus_schemas.wire.stream_head import StreamHead

_TYPE = "key.announced"


def announced(
    agency: str, signing: SigningKey, encryption: DecryptionKey, *, now_ms: int, randomness: bytes
) -> tuple[Outgoing, ...]:
    """Both events as records of `<agency>.key`, the first vouching for itself, the second under the first.

    `now_ms` is a whole second; `randomness` is 20 bytes, for the two ids.
    """
    schema, topic = Catalog.load().latest(_TYPE), f"{agency}.key"
    facts = (
        _facts(agency, signing.key_id, "ed25519", "event", signing.public),
        _facts(agency, encryption.key_id, "x25519", "encrypt", encryption.public),
    )
    head, events = StreamHead(), []
    for number, fact in enumerate(facts):
        composed = compose(
            value=encode(schema, {"envelope": _envelope(to_datetime(now_ms)), **fact}),
            fingerprint=schema.fingerprint,
            id=_id(now_ms, randomness, number),
            type=_TYPE,
            source=f"/{agency}",
            time_ms=now_ms,
            subject=str(bus_id("thread", topic)),
            topic=topic,
            partitions=1,
            producer=f"{agency}-enrolment.{now_ms}",
            head=head,
            key=signing,
        )
        head = composed.head
        events.append(composed.record)
    return tuple(events)


def _id(now_ms: int, randomness: bytes, number: int) -> UUID:
    return uuid7(now_ms, randomness[10 * number : 10 * number + 10])


def _facts(holder: str, key_id: bytes, algorithm: str, role: str, public: bytes) -> dict[str, Any]:
    return {
        "holder": holder,
        "key_id": key_id,
        "algorithm": algorithm,
        "role": role,
        "public_key": public,
    }


def _envelope(now: datetime) -> dict[str, Any]:
    return {
        "message_class": "initial",
        "to": [],
        "occurred_at": now,
        "precision": "second",
        "date_basis": "stated",
        "handling": "H1",
    }
