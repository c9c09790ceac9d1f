"""Raw data of the bus's own events from the JSON of obligations and findings, without a second validation.

Times in milliseconds, ids and digests as bytes. The JSON is this service's own;
`casebus_schemas.admission.notices` reads what others hand in, ten times slower.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from casebus_schemas.admission.notices import account_text
from casebus_schemas.case.chain import milliseconds


@lru_cache(maxsize=16384)
def _time(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))


def _id(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))


def obligations_data(body: Mapping[str, Any], envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Data of `obligation.announced`."""
    return {"envelope": envelope, "obligations": [_obligation(duty) for duty in body["obligations"]]}


def _obligation(body: Mapping[str, Any]) -> dict[str, Any]:
    met = body["met"]
    return {
        **body,
        "id": _id(body["id"]),
        "chain": _id(body["chain"]),
        "cause": bytes.fromhex(body["cause"]),
        "started_at": _time(body["started_at"]),
        "due_earliest": _time(body["due_earliest"]),
        "due_latest": _time(body["due_latest"]),
        "readings": [{**reading, "due": _time(reading["due"])} for reading in body["readings"]],
        "ladder": [{**rung, "due_latest": _time(rung["due_latest"])} for rung in body["ladder"]],
        "met": {name: _time(at) for name, at in met.items()} if met else None,
        **{name: body[name] and _time(body[name]) for name in ("waits_until", "stands_since")},
    }


def finding_data(body: Mapping[str, Any], envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Data of `finding.opened`."""
    return {
        **body,
        "envelope": envelope,
        "id": _id(body["id"]),
        "chain": _id(body["chain"]),
        "accounts": [_account(account) for account in body["accounts"]],
        "opened_at": _time(body["opened_at"]),
    }


def closing_data(body: Mapping[str, Any], envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Data of `finding.closed`."""
    return {
        **body,
        "envelope": envelope,
        "id": _id(body["id"]),
        "chain": _id(body["chain"]),
        "cause": bytes.fromhex(body["cause"]),
        "closed_at": _time(body["closed_at"]),
    }


def _account(account: Mapping[str, Any]) -> dict[str, Any]:
    value, event = account["value"], account["event"]
    return {
        "agency": account["agency"],
        "value": None if value is None else account_text(value),
        "event": None if event is None else bytes.fromhex(event),
    }
