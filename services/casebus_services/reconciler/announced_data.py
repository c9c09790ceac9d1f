"""Raw Avro data of what the bus says, from values: times in milliseconds, ids and digests as bytes."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from casebus_schemas.case.duty_said import Duty
from casebus_schemas.law import Reading
from casebus_schemas.law.clocks import Article
from casebus_schemas.rules.finding import Account, Finding
from casebus_schemas.times import to_moment
from casebus_schemas.wire.json_text import canonical_text

from .hearing import Closing


@lru_cache(maxsize=1024)
def _chain(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))


def data_of(one: Duty | Finding | Closing) -> dict[str, Any]:
    """Data of one duty, finding or closing."""
    if isinstance(one, Duty):
        return _duty(one)
    return _finding(one) if isinstance(one, Finding) else _closing(one)


def _duty(duty: Duty) -> dict[str, Any]:
    met = duty.met
    return {
        "id": duty.id.bytes,
        "rule": duty.rule,
        "chain": _chain(duty.chain),
        "owed_by": duty.owed_by,
        "owed_to": duty.owed_to,
        "duty": duty.duty,
        "cause": duty.cause,
        "started_at": to_moment(duty.started_at),
        "due_earliest": to_moment(duty.due_earliest),
        "due_latest": to_moment(duty.due_latest),
        "readings": [_reading(reading) for reading in duty.readings],
        "ladder": [
            {"step": rung.step, "due_latest": to_moment(rung.due_latest), "needs": rung.needs}
            for rung in duty.ladder
        ],
        "state": duty.state,
        "met": met and {"by_claim": to_moment(met.by_claim), "provably": to_moment(met.provably)},
        "right": duty.right,
        "suspect": duty.suspect,
        "number": duty.number,
        "awaits_receipt": duty.awaits_receipt,
        "waits_until": duty.waits_until and to_moment(duty.waits_until),
        "stands_since": duty.stands_since and to_moment(duty.stands_since),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    suggestion = finding.suggestion
    return {
        "id": finding.id.bytes,
        "rule": finding.rule,
        "class": finding.cls,
        "severity": finding.severity,
        "chain": _chain(finding.chain),
        "state": finding.state,
        "accounts": [_account(account) for account in finding.accounts],
        "law": articles_data(finding.law),
        "because": finding.because.to_json(),
        "suggestion": suggestion and {"type": suggestion.type, "by": suggestion.by},
        "opened_at": to_moment(finding.opened_at),
    }


def _closing(closing: Closing) -> dict[str, Any]:
    return {
        "id": closing.id.bytes,
        "rule": closing.rule,
        "chain": _chain(closing.chain),
        "state": "closed",
        "because": closing.because.to_json(),
        "cause": closing.cause,
        "closed_at": to_moment(closing.closed_at),
    }


def articles_data(articles: Iterable[Article]) -> list[dict[str, str]]:
    """Data of `casebus.LegalBasis`."""
    return [article.to_json() for article in articles]


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "name": reading.name,
        "due": to_moment(reading.due),
        "why": reading.why.to_json(),
        "provisional": reading.provisional,
    }


def _account(account: Account) -> dict[str, Any]:
    value = account.value
    return {
        "agency": account.agency,
        "value": None if value is None else canonical_text(value),
        "event": account.event,
    }
