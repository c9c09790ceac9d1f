"""What reconciliation says: a finding with the agencies' accounts side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from casebus_schemas.agencies import BUS
from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import Agency, ChainId, RuleId
from casebus_schemas.times import beijing_text

FindingClass = Literal["state", "arrival"]
Severity = Literal["info", "medium", "high"]
FindingState = Literal["open", "explained", "accepted", "closed"]


@dataclass(frozen=True, slots=True)
class Account:
    """What one agency says about the matter of a finding, and in which event."""

    agency: Agency
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
    by: Agency


@dataclass(frozen=True, slots=True)
class Finding:
    """A disagreement or defect that the bus shows, with all accounts; nobody's account wins by it."""

    id: UUID
    rule: RuleId
    cls: FindingClass
    severity: Severity
    chain: ChainId
    subject: str
    accounts: tuple[Account, ...]
    law: tuple[Article, ...]
    because: Sentence
    suggestion: Suggestion | None
    opened_at: datetime
    causes: tuple[Digest, ...]
    state: FindingState = "open"

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
            "because": self.because.to_json(),
            "suggestion": {"type": self.suggestion.type, "by": self.suggestion.by}
            if self.suggestion
            else None,
            "opened_at": beijing_text(self.opened_at),
        }

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> "Finding":
        """Reads what `to_json` wrote; subject and causes are not in it."""
        suggestion = body["suggestion"]
        return cls(
            id=UUID(body["id"]),
            rule=body["rule"],
            cls=body["class"],
            severity=body["severity"],
            chain=body["chain"],
            subject="",
            accounts=tuple(
                Account(a["agency"], a["value"], None if a["event"] is None else bytes.fromhex(a["event"]))
                for a in body["accounts"]
            ),
            law=tuple(Article(**article) for article in body["law"]),
            because=Sentence(**body["because"]),
            suggestion=suggestion and Suggestion(suggestion["type"], suggestion["by"]),
            opened_at=datetime.fromisoformat(body["opened_at"]),
            causes=(),
            state=body["state"],
        )

    def concerned(self) -> tuple[Agency, ...]:
        """The agencies whose accounts it shows or who should act, in a fixed order; never the bus itself."""
        agencies = {account.agency for account in self.accounts}
        if self.suggestion:
            agencies.add(self.suggestion.by)
        return tuple(sorted(agencies - {BUS}))


def account(event: ChainEvent, value: object) -> Account:
    """What an event's speaker says."""
    return Account(Agency(event.agency), value, event.digest)


def said(event: ChainEvent) -> Account:
    """That an event's speaker said it, and when."""
    return account(
        event,
        {
            "type": event.type,
            "time": beijing_text(event.occurred_at),
            "digest": event.digest.hex(),
        },
    )
