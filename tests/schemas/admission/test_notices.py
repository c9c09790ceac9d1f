"""Notices as JSON."""

from datetime import UTC, datetime
from uuid import UUID

from casebus_schemas.admission.notices import notice_json


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
