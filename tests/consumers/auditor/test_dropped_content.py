"""Content removed by order: the ledger stays whole, and verification says who ordered what."""

from pathlib import Path

import pytest
from sqlalchemy import text

from casebus_consumers.auditor.against_kafka import Comparison
from casebus_consumers.auditor.verify import verify_ledger
from casebus_schemas.wire.records import Record
from casebus_services.ledger.drop import drop_payload
from casebus_services.ledger.store import LedgerStore
from support.events.signed_events import Speaker, chain, envelope, stored
from support.ledger.ledgers import TOPIC, batch, record, run

SECRET = b"4101" + b"02199003078888"
"""Not a person's number: only the bytes that must go."""


def order(speaker: Speaker, digest: bytes, *, before: int | None = None) -> Record:
    """An order to remove the content of the record at offset 4."""
    data = {
        "envelope": envelope(to=[]),
        "origin": {"topic": TOPIC, "partition": 0, "offset": 4},
        "value_sha256": digest,
        "kafka_before": before,
        "reasons": "an identity number",
    }
    return stored(speaker.say("payload.drop_ordered", data, chain(9), topic_name="bus.command"))


@pytest.fixture
def digest(store: LedgerStore) -> bytes:
    """A ledger of ten records, one of them with content that must go: the digest of that."""
    records = [record(offset, value=SECRET * 40 if offset == 4 else None) for offset in range(10)]
    store.append([batch(records), batch([stored(Speaker("bus").announce())])])
    with store.database.readers.connect() as connection:
        found = connection.execute(text("SELECT value_sha256 FROM entry WHERE koffset = 4"))
        return bytes(found.scalar_one())


def test_b6_content_goes_by_order_and_the_ledger_stays_whole(store: LedgerStore, digest: bytes) -> None:
    """Once an order is carried out nothing is damaged, the gap is named with it, appending goes on."""
    store.append([batch([order(Speaker("bus"), digest)])])
    waiting = verify_ledger(store.database)
    assert (waiting.ok, waiting.dropped, len(waiting.kept)) == (True, [], 1)
    roots = [log.root for log in waiting.logs]
    assert drop_payload(store.database, digest)
    assert not drop_payload(store.database, digest)
    report = verify_ledger(store.database)
    assert report.damages == []
    assert [log.root for log in report.logs] == roots
    (dropped,) = report.dropped
    assert (dropped.log, dropped.index, dropped.order.place) == (f"casebus/{TOPIC}/0", 4, "bus.command/0/0")
    assert dropped.order.reasons == "an identity number"
    assert report.to_json()["dropped_count"] == 1
    assert report.kept == []
    store.append([run(10, 12)])
    assert verify_ledger(store.database).ok


def test_b6_the_bytes_are_gone_from_the_file(store: LedgerStore, digest: bytes) -> None:
    """Neither the file of the database nor its log holds the removed bytes any more."""
    if store.database.dialect != "sqlite":
        return
    file = Path(str(store.database.engine.url.database))

    def held() -> bool:
        return any(SECRET in one.read_bytes() for one in file.parent.glob(f"{file.name}*"))

    assert held()
    drop_payload(store.database, digest)
    assert not held()


@pytest.mark.parametrize("speaker", [Speaker("csrc"), Speaker("bus", key=Speaker("mps").key)])
def test_b6_an_order_of_somebody_else_explains_nothing(
    store: LedgerStore, digest: bytes, speaker: Speaker
) -> None:
    """A gap that only an agency, or a key of nobody, has ordered is a damage."""
    store.append([batch([order(speaker, digest)])])
    drop_payload(store.database, digest)
    report = verify_ledger(store.database)
    assert (report.damage_count, report.dropped) == (1, [])
    assert digest.hex() in report.damages[0].row


def test_b6_copies_that_kafka_lost_by_order_are_no_damage(store: LedgerStore, digest: bytes) -> None:
    """Records below the offset of an order may be missing in Kafka, those behind it may not."""
    store.append([batch([order(Speaker("bus"), digest, before=5)])])
    report = verify_ledger(store.database)
    Comparison(store.database, report).take(run(5, 10))
    assert report.damages == []
    Comparison(store.database, report).take(run(7, 10))
    (damage,) = report.damages
    assert damage.row == "offset 5, 6"
