"""Notices as JSON (docs/records.md 5)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from casebus_schemas.wire.json_form import moment_to_text


def notice_json(
    *, seq: int, notice: UUID, role: str, event: Mapping[str, Any], admitted_at: datetime
) -> dict[str, Any]:
    """JSON of a notice: `seq` is its offset in the inbox, `event` the event as the door writes it."""
    return {
        "seq": seq,
        "notice": str(notice),
        "role": role,
        "event": dict(event),
        "admitted_at": moment_to_text(admitted_at),
    }
