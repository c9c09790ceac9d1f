"""Notices, findings and obligations as JSON and as data of the bus's events."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from casebus_schemas.admission.notices import (
    account_text,
    finding_data,
    finding_json,
    notice_json,
    obligation_data,
    obligation_json,
)
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode, encode
from casebus_schemas.wire.json_form import DoorProblem

CATALOG = Catalog.load()
ENVELOPE: dict[str, Any] = {
    "message_class": "initial",
    "to": ["csrc", "mps"],
    "occurred_at": datetime(2022, 9, 9, tzinfo=UTC),
    "precision": "second",
    "date_basis": "stated",
    "handling": "H1",
}
FINDING: dict[str, Any] = {
    "id": str(UUID(int=1)),
    "rule": "R30",
    "class": "state",
    "severity": "high",
    "chain": str(UUID(int=2)),
    "state": "open",
    "accounts": [
        {"agency": "csrc", "value": {"illegal_gain": "46190000.00"}, "event": "01" * 32},
        {"agency": "mps", "value": None, "event": None},
    ],
    "law": [{"instrument": "decree-310", "article": "6"}],
    "because": "金额不一致 / the figures differ",
    "suggestion": {"type": "referral.corrected", "by": "csrc"},
    "opened_at": "2022-09-09T08:00:00+08:00",
}
OBLIGATION: dict[str, Any] = {
    "id": str(UUID(int=3)),
    "rule": "DL06",
    "chain": str(UUID(int=2)),
    "owed_by": "mps",
    "owed_to": ["csrc"],
    "duty": ["referral.filed", "referral.not_filed"],
    "cause": "02" * 32,
    "started_at": "2022-09-29T10:20:00+08:00",
    "due_earliest": "2022-10-10T00:00:00+08:00",
    "due_latest": "2022-10-19T00:00:00+08:00",
    "readings": [{"name": "calendar", "due": "2022-10-10T00:00:00+08:00", "why": "ten days"}],
    "ladder": [{"step": "target", "due_latest": "2022-10-10T00:00:00+08:00", "needs": None}],
    "state": "met",
    "met": {"by_claim": "2022-10-08T08:00:00+08:00", "provably": None},
}


def test_finding() -> None:
    """A finding travels as an event of the bus and its JSON comes back, accounts as JSON values."""
    data = finding_data(CATALOG, FINDING, ENVELOPE)
    _, read = decode(CATALOG, encode(CATALOG.latest("finding.opened"), data))
    assert finding_json(CATALOG, read) == FINDING
    assert read["envelope"]["to"] == ["csrc", "mps"]


def test_obligation() -> None:
    """An obligation travels as an event of the bus and its JSON comes back, its legal times at +08:00."""
    data = obligation_data(CATALOG, OBLIGATION, ENVELOPE)
    _, read = decode(CATALOG, encode(CATALOG.latest("obligation.announced"), data))
    assert obligation_json(CATALOG, read) == OBLIGATION


def test_unknown_fields_are_errors() -> None:
    """A finding with a field that the schema does not have is not published."""
    with pytest.raises(DoorProblem) as problem:
        finding_data(CATALOG, {**FINDING, "colour": "red"}, ENVELOPE)
    assert problem.value.pointer == "/colour"


def test_account_text_is_canonical() -> None:
    """Two equal accounts have one text, whatever their order."""
    assert account_text({"b": 1, "a": "案"}) == account_text({"a": "案", "b": 1}) == '{"a":"案","b":1}'


def test_notice() -> None:
    """A notice says why one hears of an event, under which number and since when it is admitted."""
    assert notice_json(
        seq=12,
        notice=UUID(int=4),
        role="by-law",
        event={"type": "referral.submitted"},
        admitted_at=datetime(2022, 9, 9, tzinfo=UTC),
    ) == {
        "seq": 12,
        "notice": str(UUID(int=4)),
        "role": "by-law",
        "event": {"type": "referral.submitted"},
        "admitted_at": "2022-09-09T00:00:00Z",
    }
