"""What reconciliation says: a finding with the agencies' accounts side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from casebus_schemas.agencies import BUS
from casebus_schemas.case.chain import ChainEvent, Digest, highest
from casebus_schemas.frozen import quickly_made
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import Agency, ChainId, RuleId
from casebus_schemas.times import beijing_text
from casebus_schemas.wire.uuids import uuid_text

from .word import Word

FindingClass = Literal["state", "arrival"]
Severity = Literal["info", "medium", "high"]
FindingState = Literal["open", "explained", "accepted", "closed"]


@quickly_made
@dataclass(frozen=True, slots=True)
class Account:
    """What one agency says about the matter of a finding, and in which event.

    Besides that agency it is for those `told` of all that it is taken from. The fields `compared` of the
    value come from holding it against other accounts: only who is told of all of them sees these.
    """

    agency: Agency
    value: object
    event: Digest | None
    told: frozenset[str] = frozenset()
    compared: tuple[str, ...] = ()
    handling: str = "H0"

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
class Apart:
    """What agencies hear that a finding concerns, but who were not told of all that it rests on."""

    agencies: tuple[Agency, ...]
    because: Sentence
    severity: Severity


@quickly_made
@dataclass(frozen=True, slots=True)
class Finding:
    """A disagreement or defect that the bus shows, with all accounts; nobody's account wins by it.

    `told` were told of all that it rests on; `apart` is for others whom it concerns. `beside` concerns it
    though they have no account in it: those to whom a duty is owed. `contested` says that it depends on a
    time that is claimed only; `handling` is the highest level of what it rests on; `words` is what agencies
    whom it concerns said to it, each its last.
    """

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
    told: frozenset[str] = frozenset()
    apart: Apart | None = None
    beside: tuple[Agency, ...] = ()
    contested: bool = False
    handling: str = "H1"
    words: tuple[Word, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The finding as in records.md 5, and what was said to it."""
        return {
            "id": uuid_text(self.id),
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
            "words": [word.to_json() for word in self.words],
        }

    def to_row(self) -> dict[str, Any]:
        """The same, and under `sight` who may see what of it: for the bus's own tables."""
        sight: dict[str, Any] = {
            "told": sorted(self.told),
            "beside": list(self.beside),
            "contested": self.contested,
            "handling": self.handling,
            "words": [sorted(word.told) for word in self.words],
        }
        if self.apart is not None:
            sight["apart"] = {
                "agencies": list(self.apart.agencies),
                "because": self.apart.because.to_json(),
                "severity": self.apart.severity,
            }
            sight["accounts"] = [
                {"told": sorted(account.told), "compared": list(account.compared)}
                for account in self.accounts
            ]
        return {**self.to_json(), "sight": sight}

    @classmethod
    def of_row(cls, body: Mapping[str, Any]) -> "Finding":
        """Reads what `to_row` wrote; subject and causes are not in it."""
        suggestion, sight = body["suggestion"], body["sight"]
        apart = sight.get("apart")
        seen = sight.get("accounts") or [{"told": (), "compared": ()}] * len(body["accounts"])
        return cls(
            id=UUID(body["id"]),
            rule=body["rule"],
            cls=body["class"],
            severity=body["severity"],
            chain=body["chain"],
            subject="",
            accounts=tuple(
                Account(
                    a["agency"],
                    a["value"],
                    None if a["event"] is None else bytes.fromhex(a["event"]),
                    frozenset(of["told"]),
                    tuple(of["compared"]),
                )
                for a, of in zip(body["accounts"], seen, strict=True)
            ),
            law=tuple(Article(**article) for article in body["law"]),
            because=Sentence(**body["because"]),
            suggestion=suggestion and Suggestion(suggestion["type"], suggestion["by"]),
            opened_at=datetime.fromisoformat(body["opened_at"]),
            causes=(),
            state=body["state"],
            told=frozenset(sight["told"]),
            apart=apart and Apart(tuple(apart["agencies"]), Sentence(**apart["because"]), apart["severity"]),
            beside=tuple(sight["beside"]),
            contested=sight["contested"],
            handling=sight["handling"],
            words=tuple(
                Word.of_json(word, told) for word, told in zip(body["words"], sight["words"], strict=True)
            ),
        )

    def concerned(self) -> tuple[Agency, ...]:
        """Who has an account in it, should act or is owed, in a fixed order; never the bus."""
        agencies = {account.agency for account in self.accounts} | set(self.beside)
        if self.suggestion:
            agencies.add(self.suggestion.by)
        return tuple(sorted(agencies - {BUS}))


def account(event: ChainEvent, value: object, *also: ChainEvent, compared: tuple[str, ...] = ()) -> Account:
    """What an event's speaker says; `also` are other events that the value is taken from."""
    told, handling = event.audience, event.handling
    if also:
        told = told.intersection(*(other.audience for other in also))
        handling = highest([handling, *(one.handling for one in also)])
    return Account(Agency(event.agency), value, event.digest, told, compared, handling)


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
