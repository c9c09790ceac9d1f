"""Notices, obligations and findings as JSON (docs/records.md 5), and as data of the bus's own events."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from casebus_schemas.catalogue.catalog import Catalog, EventSchema
from casebus_schemas.times import beijing_text
from casebus_schemas.wire.json_form import NOT_FACTS, facts_from_json, moment_to_text
from casebus_schemas.wire.json_form import to_json as data_to_json

FINDING_OPENED = "finding.opened"
FINDING_CLOSED = "finding.closed"
OBLIGATION_ANNOUNCED = "obligation.announced"


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


def finding_json(catalog: Catalog, data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON of `finding.opened` data; what each agency says becomes a JSON value again."""
    finding = _facts_json(catalog.latest(FINDING_OPENED), data)
    finding["opened_at"] = beijing_text(data["opened_at"])
    for account in finding["accounts"]:
        if account["value"] is not None:
            account["value"] = json.loads(account["value"])
    return finding


def finding_data(catalog: Catalog, finding: Mapping[str, Any], envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Data of `finding.opened` from a finding's JSON and an envelope of data. Raises DoorProblem."""
    accounts = [
        {**account, "value": None if account["value"] is None else account_text(account["value"])}
        for account in finding["accounts"]
    ]
    return facts_data(catalog.latest(FINDING_OPENED), {**finding, "accounts": accounts}, envelope)


def obligation_json(catalog: Catalog, data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON of `obligation.announced` data; the times of a term are legal ones, so at +08:00."""
    found = _facts_json(catalog.latest(OBLIGATION_ANNOUNCED), data)
    found |= {name: beijing_text(data[name]) for name in ("started_at", "due_earliest", "due_latest")}
    for name, due in (("readings", "due"), ("ladder", "due_latest")):
        for written, said in zip(found[name], data[name], strict=True):
            written[due] = beijing_text(said[due])
    if data["met"] is not None:
        found["met"] = {name: at and beijing_text(at) for name, at in data["met"].items()}
    return found


def obligation_data(
    catalog: Catalog, obligation: Mapping[str, Any], envelope: Mapping[str, Any]
) -> dict[str, Any]:
    """Data of `obligation.announced` from an obligation's JSON and an envelope. Raises DoorProblem."""
    return facts_data(catalog.latest(OBLIGATION_ANNOUNCED), obligation, envelope)


def account_text(value: Any) -> str:
    """Canonical JSON text of what an agency says: keys sorted, no spaces, nothing escaped."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def facts_data(schema: EventSchema, facts: Mapping[str, Any], envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Data of any event of the bus: facts in JSON, the envelope already data. Raises DoorProblem."""
    return {"envelope": dict(envelope), **facts_from_json(schema, facts), "sealed": None}


def _facts_json(schema: EventSchema, data: Mapping[str, Any]) -> dict[str, Any]:
    written = data_to_json(schema, data)
    return {name: value for name, value in written.items() if name not in NOT_FACTS}
