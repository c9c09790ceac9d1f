"""The bus's own events: the quick way to their data gives what the checked way gives."""

from typing import Any

import pytest

from casebus_schemas.admission import notices
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Outgoing
from casebus_services.reconciler.database import Database
from support.admissions import data_of
from support.desk import Desk, envelope_at


def _facts(record: Outgoing) -> dict[str, Any]:
    catalog, body = Catalog.load(), data_of(record)
    envelope = body["envelope"]
    kind = EventHeaders.parse(record.headers).type
    if kind == notices.OBLIGATION_ANNOUNCED:
        return notices.obligation_data(catalog, notices.obligation_json(catalog, body), envelope)
    if kind == notices.FINDING_OPENED:
        return notices.finding_data(catalog, notices.finding_json(catalog, body), envelope)
    return body


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk over an empty database."""
    return Desk(database)


def test_what_is_announced_reads_back_as_it_was_meant(desk: Desk) -> None:
    """Each announcement survives JSON and back, and its envelope tells when, whom and by which article."""
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    desk.now_ms += 10**10
    desk.agent.tick()
    kinds = set()
    for record in desk.sink.sent:
        body, headers = data_of(record), EventHeaders.parse(record.headers)
        kinds.add((headers.type, body.get("rule"), body["state"]))
        assert _facts(record) == body
        assert int(body["envelope"]["occurred_at"].timestamp() * 1000) == headers.time_ms
        assert headers.subject == str(body["chain"])
        assert body["envelope"]["to"]
    assert ("finding.opened", "R10", "open") in kinds
    assert ("obligation.announced", "DL10", "overdue") in kinds


def test_a_finding_that_ends_is_announced_as_closed(desk: Desk) -> None:
    """After the correction of the figure the agencies hear that the difference is gone."""
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    filed = next(
        r for b in desk.admitter.batches() for r in b.records if r.header("ce_type") == b"referral.filed"
    )
    correction = {
        "envelope": envelope_at("2022-10-01T10:00", to=["csrc"], corrects=_digest(desk, "referral.filed")),
        "reasons": "unit",
        "amounts": data_of(_first(desk, "referral.submitted"))["amounts"],
    }
    said = desk.admitter.speaker("mps").say("referral.corrected", correction, (filed.key or b"").decode())
    desk.admitter.admit(said, at_ms=int(correction["envelope"]["occurred_at"].timestamp() * 1000))
    before = len(desk.sink.sent)
    desk.agent.handle(desk.admitter.batches())
    (closed,) = [r for r in desk.sink.sent[before:] if r.topic == "bus.finding"]
    body = data_of(closed)
    assert (EventHeaders.parse(closed.headers).type, body["rule"], body["state"]) == (
        "finding.closed",
        "R30",
        "closed",
    )
    assert body["envelope"]["to"] == ["csrc", "mps"]
    assert desk.rows("SELECT state FROM recon_finding WHERE rule = 'R30'") == [("closed",)]


def _digest(desk: Desk, type: str) -> bytes:
    (row,) = desk.rows(f"SELECT digest FROM recon_event WHERE type = '{type}'")
    return bytes(row[0])


def _first(desk: Desk, type: str) -> Outgoing:
    records = [record for batch in desk.admitter.batches() for record in batch.records]
    found = next(record for record in records if record.header("ce_type") == type.encode())
    return Outgoing(found.topic, found.partition, found.key, found.value, found.headers)
