"""Notices as JSON, and the text of what agencies say in findings."""

from datetime import UTC, datetime
from uuid import UUID

from casebus_schemas.admission.notices import account_text, notice_json


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
