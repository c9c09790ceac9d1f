"""The bus's own events say what is entered of duties and findings, and no more often than need be."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from casebus_schemas.times import beijing_text
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Outgoing
from casebus_services.reconciler.accounts_database import Database
from support.events.admissions import data_of
from support.reconciler.desk import Desk, envelope_at


def _plain(value: Any) -> Any:
    """Decoded Avro as the JSON of records.md 5 writes it."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return beijing_text(value)
    return value.hex() if isinstance(value, bytes) else str(value) if isinstance(value, UUID) else value


def _words(record: Outgoing) -> list[dict[str, Any]]:
    """The obligations or findings of an announcement, as JSON."""
    body = _plain(data_of(record))
    said: list[dict[str, Any]] = body.get("obligations") or body["findings"]
    for account in (account for one in said for account in one.get("accounts", ())):
        account["value"] = json.loads(account["value"])
    return said


def _said_of(body: dict[str, Any]) -> dict[str, Any]:
    """What of a row is announced: neither who may see it nor what was said to it since."""
    return {name: value for name, value in body.items() if name not in ("sight", "words")}


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk over an empty database."""
    return Desk(database)


def test_what_is_announced_is_what_is_entered(desk: Desk) -> None:
    """The last word on each duty and finding is its JSON in the tables, under an envelope that fits."""
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    desk.now_ms += 10**10
    desk.agent.tick()
    last: dict[str, dict[str, Any]] = {}
    for record in desk.sink.sent:
        body, headers = data_of(record), EventHeaders.parse(record.headers)
        last.update((one["id"], one) for one in _words(record))
        assert int(body["envelope"]["occurred_at"].timestamp() * 1000) == headers.time_ms
        assert {one["chain"] for one in _words(record)} == {headers.subject}
        assert body["envelope"]["to"]
    entered = desk.rows("SELECT id, body FROM recon_obligation UNION SELECT id, body FROM recon_finding")
    assert last == {id: _said_of(json.loads(body)) for id, body in entered}
    assert {("R10", "open"), ("DL10", "overdue")} <= {(one["rule"], one["state"]) for one in last.values()}


def test_what_one_event_changes_is_said_once(desk: Desk) -> None:
    """A filing that meets one duty and starts another is one announcement to the same agencies."""
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    said = [_words(record) for record in desk.sink.sent if record.topic == "bus.obligation"]
    assert [[(one["rule"], one["state"]) for one in words] for words in said] == [
        [("DL06", "open")],
        [("DL06", "met"), ("DL10", "open")],
    ]


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
    (gone,) = body["findings"]
    assert (EventHeaders.parse(closed.headers).type, gone["rule"], gone["state"]) == (
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
