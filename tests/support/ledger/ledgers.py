"""Made-up records for ledgers in tests."""

import hashlib
import uuid
from collections.abc import Sequence
from pathlib import Path

from casebus_schemas.wire.records import Batch, Record

TOPIC = "csrc.referral"


def ce_id(number: int) -> uuid.UUID:
    """The `ce_id` of the made-up record with this number."""
    return uuid.UUID(int=number + 1, version=4)


def record(offset: int, *, topic: str = TOPIC, partition: int = 0, value: bytes | None = None) -> Record:
    """A made-up record whose bytes depend on its place only, of about the size of a real event."""
    seed = hashlib.sha256(f"{topic}/{partition}/{offset}".encode()).hexdigest()
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", str(ce_id(offset)).encode()),
        ("ce_source", b"/csrc/shanghai-office"),
        ("ce_type", b"referral.submitted"),
        ("ce_time", b"2016-10-18T00:00:00Z"),
        ("ce_subject", b"7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44"),
        ("ce_dataschema", b"sha256:" + seed.encode()),
        ("content-type", b"application/avro"),
        ("casebus-producer", b"csrc-1.1"),
        ("casebus-seq", str(offset + 1).encode()),
        ("casebus-prev", seed[:43].encode()),
        ("casebus-sig", (seed * 3)[:131].encode()),
    )
    body = (seed * 8)[:500].encode() if value is None else value
    key = b"7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44"
    return Record(topic, partition, offset, 1_669_000_000_000 + offset, 1, key, body, headers)


def batch(records: Sequence[Record], next_offset: int | None = None) -> Batch:
    """The records as one fetched run."""
    last = records[-1]
    return Batch(last.topic, last.partition, records, last.offset + 1 if next_offset is None else next_offset)


def run(first: int, last: int, *, topic: str = TOPIC, partition: int = 0) -> Batch:
    """A run of made-up records with offsets [first, last)."""
    return batch([record(offset, topic=topic, partition=partition) for offset in range(first, last)])


def empty_sqlite(folder: Path) -> str:
    """URL of a ledger file that does not exist yet."""
    return f"sqlite:///{folder / f'ledger-{uuid.uuid4().hex}.db'}"
