"""What reconciliation says: the shape of a finding, and the run of all rules over one folded chain."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.times import beijing_text
from casebus_schemas.wire.ids import bus_id

FindingClass = Literal["state", "arrival"]
Severity = Literal["info", "medium", "high"]
FindingState = Literal["open", "explained", "accepted", "closed"]


@dataclass(frozen=True, slots=True)
class Account:
    """What one agency says about the matter of a finding, and in which event."""

    agency: str
    value: object
    event: Digest | None

    def to_json(self) -> dict[str, Any]:
        """As in records.md 5."""
        return {
            "agency": self.agency,
            "value": self.value,
            "event": self.event.hex() if self.event else None,
        }


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The event that would mend it, and who would have to say it."""

    type: str
    by: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A disagreement or defect that the bus shows, with all accounts; nobody's account wins by it."""

    id: UUID
    rule: str
    cls: FindingClass
    severity: Severity
    chain: str
    subject: str
    accounts: tuple[Account, ...]
    law: tuple[Article, ...]
    because: Sentence
    suggestion: Suggestion | None
    opened_at: datetime
    causes: tuple[Digest, ...]
    state: FindingState = "open"
    by_time: bool = False
    """Whether the passing of time decides it (R10, R11): such findings are not part of the accounts' hash."""

    def to_json(self) -> dict[str, Any]:
        """The finding as in records.md 5."""
        return {
            "id": str(self.id),
            "rule": self.rule,
            "class": self.cls,
            "severity": self.severity,
            "chain": self.chain,
            "state": self.state,
            "accounts": [account.to_json() for account in self.accounts],
            "law": [article.to_json() for article in self.law],
            "because": self.because.text,
            "suggestion": {"type": self.suggestion.type, "by": self.suggestion.by}
            if self.suggestion
            else None,
            "opened_at": beijing_text(self.opened_at),
        }

    def concerned(self) -> tuple[str, ...]:
        """The agencies whose accounts it shows or who should act, in a fixed order."""
        agencies = {account.agency for account in self.accounts}
        if self.suggestion:
            agencies.add(self.suggestion.by)
        return tuple(sorted(agencies))


def finding(
    rule: str,
    *,
    chain: str,
    subject: str,
    causes: Iterable[ChainEvent],
    severity: Severity,
    accounts: Sequence[Account],
    because: Sentence,
    cls: FindingClass = "state",
    law: Sequence[Article] = (),
    suggestion: Suggestion | None = None,
    opened_at: datetime | None = None,
    by_time: bool = False,
) -> Finding:
    """A finding whose id follows from rule, chain and subject, and the digests of the causing events.

    `opened_at` is by default when the last of its causes was admitted.
    """
    found = sorted({event.digest: event for event in causes}.values(), key=lambda event: event.digest)
    digests = tuple(event.digest for event in found)
    return Finding(
        id=bus_id(rule, f"{chain}\n{subject}", digests),
        rule=rule,
        cls=cls,
        severity=severity,
        chain=chain,
        subject=subject,
        accounts=tuple(accounts),
        law=tuple(law),
        because=because,
        suggestion=suggestion,
        opened_at=opened_at or max(event.admitted_at for event in found),
        causes=digests,
        by_time=by_time,
    )


def account(event: ChainEvent, value: object) -> Account:
    """What an event's speaker says."""
    return Account(event.agency, value, event.digest)


def canonical(value: object) -> bytes:
    """Canonical JSON: keys sorted, no spaces, UTF-8."""
    return canonical_text(value).encode()


# Made once: json.dumps would make an encoder each time.
canonical_text = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
