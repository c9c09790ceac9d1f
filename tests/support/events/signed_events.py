"""Signed events of agencies and of the bus for tests: the shortest lawful ones, built with the real code."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import topic
from casebus_schemas.sealed.public_keys import encryption_key_id
from casebus_schemas.wire.codec import encode
from casebus_schemas.wire.compose import Composed, compose
from casebus_schemas.wire.partitioning import partition_of
from casebus_schemas.wire.records import Outgoing, Record
from casebus_schemas.wire.signing import SigningKey
from casebus_schemas.wire.stream_head import StreamHead

NAMESPACE = UUID("11111111-2222-5333-8444-555555555555")
AT = datetime(2016, 10, 18, 0, 0, tzinfo=UTC)


def seed_of(name: str) -> bytes:
    """The seed of a test key."""
    return sha256(f"casebus test key {name}".encode()).digest()


def chain(number: int) -> str:
    """The chain id of the test's n-th matter."""
    return str(uuid5(NAMESPACE, f"chain {number}"))


def envelope(**changes: Any) -> dict[str, Any]:
    """A lawful envelope."""
    return {
        "message_class": "initial",
        "to": ["mps"],
        "cc": [],
        "local_refs": [{"issuer": "csrc", "scheme": "case", "value": "demo-1"}],
        "occurred_at": AT,
        "precision": "day",
        "date_basis": "stated",
        "handling": "H1",
        **changes,
    }


def referral(**changes: Any) -> dict[str, Any]:
    """Data of a `referral.submitted`; `changes` replace fields, those of the envelope go to `envelope`."""
    return {
        "envelope": envelope(),
        "security": {"market": "SSE", "code": "600518", "name": None},
        "suspects": [
            {"ref": "S1", "kind": "natural", "name": "姜某君", "role": "controller of a fund", "tokens": []}
        ],
        "charges": [{"suspect": "S1", "article": "180(4)"}],
        "amounts": [],
        "annexes": [],
        **changes,
    }


@dataclass
class Speaker:
    """One agency (or the bus) with a key, an outbox's stream heads and a running number."""

    agency: str
    partitions: int = 4
    key: SigningKey | None = None
    producer: str | None = None
    heads: dict[tuple[str, int], StreamHead] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: count(1))
    catalog: Catalog = field(default_factory=Catalog.load)

    def __post_init__(self) -> None:
        self.key = self.key or SigningKey(seed_of(self.agency))
        self.producer = self.producer or f"{self.agency}-1.1"

    def say(
        self,
        type: str,
        data: dict[str, Any],
        subject: str | None = None,
        *,
        topic_name: str | None = None,
        source: str | None = None,
        key: SigningKey | None = None,
        id: UUID | None = None,
    ) -> Composed:
        """The next event of its stream, signed."""
        schema = self.catalog.latest(type)
        name = topic_name or self.catalog.types[type].topic(self.agency)
        place = topic(name, self.partitions)
        subject = subject or chain(1)
        signer = key or self.key
        assert place is not None
        stream = (name, partition_of(subject.encode(), place.partitions))
        assert signer is not None
        assert self.producer is not None
        composed = compose(
            value=encode(schema, data),
            fingerprint=schema.fingerprint,
            id=id or uuid5(NAMESPACE, f"{self.agency} {self.producer} {next(self.numbers)}"),
            type=type,
            source=source or f"/{self.agency}/office",
            time_ms=int(data["envelope"]["occurred_at"].timestamp() * 1000),
            subject=subject,
            topic=name,
            partitions=place.partitions,
            producer=self.producer,
            head=self.heads.get(stream, StreamHead()),
            key=signer,
        )
        self.heads[stream] = composed.head
        return composed

    def refer(self, number: int = 1, **changes: Any) -> Composed:
        """A `referral.submitted` in the n-th matter; `changes` go to the envelope."""
        return self.say("referral.submitted", referral(envelope=envelope(**changes)), chain(number))

    def announce(
        self, key: SigningKey | None = None, *, by: SigningKey | None = None, **changes: Any
    ) -> Composed:
        """A `key.announced` of `key`, signed with `by` (by itself if absent)."""
        announced = key or self.key
        assert announced is not None
        return self.say("key.announced", self._key_data(announced, **changes), key=by or announced)

    def announce_encryption(self, public: bytes, **changes: Any) -> Composed:
        """A `key.announced` of an encryption key, signed with the speaker's own."""
        assert self.key is not None
        facts = {"algorithm": "x25519", "role": "encrypt", "public_key": public}
        facts["key_id"] = encryption_key_id(public)
        return self.say("key.announced", {**self._key_data(self.key), **facts, **changes}, key=self.key)

    def rotate(self, old: SigningKey, new: SigningKey, *, by: SigningKey | None = None) -> Composed:
        """A `key.rotated` from `old` to `new`."""
        return self.say("key.rotated", {**self._key_data(new), "replaces": old.key_id}, key=by or old)

    def end(self, what: str, key: SigningKey, *, by: SigningKey | None = None, **changes: Any) -> Composed:
        """A `key.retired` or `key.revoked` of `key`."""
        data = {"envelope": envelope(to=[]), "holder": self.agency, "key_id": key.key_id, "reasons": "test"}
        return self.say(what, {**data, **changes}, key=by or key)

    def _key_data(self, key: SigningKey, **changes: Any) -> dict[str, Any]:
        return {
            "envelope": envelope(to=[]),
            "holder": self.agency,
            "key_id": key.key_id,
            "algorithm": key.algorithm.name,
            "role": "event",
            "public_key": key.public,
            **changes,
        }


def stored(outgoing: Outgoing | Composed, offset: int = 0, timestamp_ms: int = 1_700_000_000_000) -> Record:
    """The record as the broker would store it at an offset, LogAppendTime."""
    record = outgoing.record if isinstance(outgoing, Composed) else outgoing
    return Record(
        record.topic, record.partition, offset, timestamp_ms, 1, record.key, record.value, record.headers
    )


def keyring_of(*speakers: Speaker) -> Keyring:
    """A keyring that knows the key of each speaker."""
    return Keyring(Catalog.load()).extend(stored(speaker.announce()) for speaker in speakers)


def bus_keys() -> list[Record]:
    """Announcements of the test keys `operator` and `router`, for a broker that several tests share.

    The operator's comes first, as the router's own tests announce it: the first key of a topic vouches for
    all later ones, and a repeat changes nothing.
    """
    operator = Speaker("bus", key=SigningKey(seed_of("operator")), producer="operator-0.1")
    key = SigningKey(seed_of("router"))
    return [stored(operator.announce()), stored(operator.announce(key, by=operator.key))]
