"""A made-up case: its papers, one after the other, and the events that the door makes of them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID, uuid5

from casebus_schemas.case.chain import ChainEvent, chain_event
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import BEIJING
from casebus_schemas.wire.door import parse_event

_NAMES = UUID("00000000-0000-5000-8000-0000000000ff")
_AFTER = timedelta(minutes=7)
"""How long the bus takes to admit what is said."""
_HOUR_OF_OPENING = 9
SOON = 80
"""Days after which a case is looked at: longer than its last terms, shorter than it may rest anywhere."""


@dataclass(slots=True)
class Paper:
    """What an agency says: a short form of an event. Pointers are labels of other papers of the matter.

    `seen` names the paper whose digest a signed receipt bears, `bound` the version that an answer is bound to
    (by default that which it answers), `id_of` a paper whose id it uses again. `lost` says that the speaker's
    event before it never arrived, `again` that the bus meets the paper twice.
    """

    label: str
    type: str
    source: str
    at: datetime
    to: tuple[str, ...]
    data: dict[str, Any]
    cc: tuple[str, ...] = ()
    replies: str | None = None
    bound: str | None = None
    corrects: str | None = None
    withdraws: str | None = None
    seen: str | None = None
    id_of: str | None = None
    admitted: datetime | None = None
    lost: bool = False
    again: bool = False
    chain: int | None = None

    @property
    def agency(self) -> str:
        """Who says it."""
        return self.source.partition("/")[0]


@dataclass
class Matter:
    """A case under way: who and what it is about, the day it has reached, and the papers so far.

    `charges` are pairs of a suspect's reference and an article, `amounts` of a basis and a figure in yuan;
    `memory` is what later papers must know of earlier ones. It is looked at `watched` days after the last.
    """

    number: int
    kind: str
    dice: Random
    now: datetime
    names: list[str] = field(default_factory=list)
    charges: list[tuple[str, str]] = field(default_factory=list)
    amounts: list[tuple[str, str]] = field(default_factory=list)
    papers: list[Paper] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)
    faults: set[str] = field(default_factory=set)
    watched: int = SOON

    # --- who and what it is about ---------------------------------------------------------------------

    @property
    def chain(self) -> str:
        """Its chain id."""
        return chain_of(self.number)

    @property
    def refs(self) -> list[str]:
        """References of all suspects."""
        return [f"S{place}" for place in range(1, len(self.names) + 1)]

    def suspects(self, refs: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """The suspects of these references, all by default."""
        chosen = self.refs if refs is None else refs
        return [{"ref": ref, "kind": "natural", "name": self.names[int(ref[1:]) - 1]} for ref in chosen]

    def charged(self, refs: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """The charges of these suspects."""
        chosen = self.refs if refs is None else refs
        return [{"suspect": ref, "article": article} for ref, article in self.charges if ref in chosen]

    def figures(self) -> list[dict[str, Any]]:
        """What the case amounts to, by basis."""
        window = {"from": "2023-02-01", "to": "2024-03-29"}
        return [
            {"basis": basis, "value": value, "currency": "CNY", "period": window}
            for basis, value in self.amounts
        ]

    @property
    def security(self) -> dict[str, Any]:
        """The security, with a code that the exchange never gave."""
        return {"market": "SSE", "code": f"{609000 + self.number % 1000}", "name": f"试验{self.number}"}

    def about(self, refs: Sequence[str] | None = None) -> dict[str, Any]:
        """Security, suspects, charges and figures: the facts of a leading paper."""
        return {
            "security": self.security,
            "suspects": self.suspects(refs),
            "charges": self.charged(refs),
            "amounts": self.figures(),
        }

    def people(self, refs: Sequence[str] | None = None) -> dict[str, Any]:
        """Suspects and charges only."""
        return {"suspects": self.suspects(refs), "charges": self.charged(refs)}

    # --- time -----------------------------------------------------------------------------------------

    def later(self, least: int, most: int | None = None) -> None:
        """Goes on by days, to the morning."""
        days = self.dice.randint(least, most if most is not None else least)
        day = (self.now + timedelta(days=days)).date()
        opening = self.dice.randint(0, 50)
        morning = datetime(day.year, day.month, day.day, _HOUR_OF_OPENING, opening, tzinfo=BEIJING)
        self.now = max(morning, self.now + timedelta(minutes=20))

    @property
    def today(self) -> str:
        """The day of the next paper."""
        return self.now.date().isoformat()

    @contextmanager
    def beside(self, since: datetime) -> Iterator[None]:
        """What goes on beside the rest from a time on; after it the matter is where it was."""
        kept, self.now = self.now, since
        try:
            yield
        finally:
            self.now = kept

    # --- saying ---------------------------------------------------------------------------------------

    def say(self, type: str, source: str, to: str = "", /, *, label: str = "", **more: Any) -> str:
        """The next paper, some minutes after the last; `to` is a list in words. Returns its label."""
        options = {name: more.pop(name) for name in _OPTIONS if name in more}
        if options.get("replies") == self.memory.get("referral") and "version" in self.memory:
            options.setdefault("bound", self.memory["version"])
        taken = {paper.label for paper in self.papers}
        name = label or type
        while name in taken:
            name += "+"
        self.now += timedelta(minutes=self.dice.randint(3, 25))
        self.papers.append(Paper(name, type, source, self.now, tuple(to.split()), more, **options))
        return name

    def signs(self, label: str, agency: str) -> None:
        """A named officer signs for a paper, at once."""
        of = self.paper(label)
        received = {"received_at": (self.now + timedelta(minutes=2)).isoformat()}
        self.say("receipt.signed", agency, of.agency, replies=label, seen=label, **received)

    def paper(self, label: str) -> Paper:
        """The paper of that label."""
        return next(paper for paper in self.papers if paper.label == label)

    def first(self, type: str) -> Paper | None:
        """The first paper of a type."""
        return next((paper for paper in self.papers if paper.type == type), None)

    def drop(self, *types: str) -> None:
        """Takes papers of these types out, with all that answers them."""
        gone = {paper.label for paper in self.papers if paper.type in types}
        while True:
            more = {p.label for p in self.papers if {p.replies, p.seen} & gone} - gone
            if not more:
                break
            gone |= more
        self.papers = [paper for paper in self.papers if paper.label not in gone]


_OPTIONS = ("cc", "replies", "bound", "corrects", "withdraws", "seen", "id_of", "admitted", "chain")


def chain_of(number: int) -> str:
    """The chain id of the n-th matter."""
    return str(uuid5(_NAMES, f"chain {number}"))


def digest_of(matter: int, label: str) -> bytes:
    """The digest of a paper."""
    return sha256(f"{matter}/{label}".encode()).digest()


def id_of(matter: int, label: str) -> UUID:
    """The id of a paper."""
    return uuid5(_NAMES, f"{matter}/{label}")


def events_of(matter: Matter, catalog: Catalog) -> list[ChainEvent]:
    """Its papers as events, read by the bus's own door, in the order of their times."""
    papers = {paper.label: paper for paper in matter.papers}
    ordered = sorted(matter.papers, key=lambda paper: (paper.admitted or paper.at, paper.label))
    return [_event(matter, paper, papers, catalog) for paper in ordered]


def _event(matter: Matter, paper: Paper, papers: Mapping[str, Paper], catalog: Catalog) -> ChainEvent:
    number = matter.number

    def digest(label: str | None) -> str | None:
        return None if label is None else digest_of(number, label).hex()

    answered = papers.get(paper.replies or "")
    receipt = paper.type == "receipt.signed"
    envelope = {
        "message_class": "receipt" if receipt else "response" if paper.replies else "initial",
        "to": list(paper.to),
        "cc": list(paper.cc),
        "in_reply_to": None if paper.replies is None else str(id_of(number, paper.replies)),
        "in_reply_to_hash": digest(paper.bound or (paper.replies if answered else None)),
        "corrects": digest(paper.corrects),
        "withdraws": digest(paper.withdraws),
        "local_refs": [{"issuer": "csrc", "scheme": "case", "value": f"planted-{number}"}],
        "precision": "second",
        "date_basis": "stated",
        "legal_basis": [],
        "handling": "H1",
        "message_no": f"{number}/{paper.label}",
    }
    facts = {**paper.data, "event": digest(paper.seen)} if receipt else paper.data
    said = {
        "specversion": "1.0",
        "type": paper.type,
        "source": f"/{paper.source}",
        "time": paper.at.isoformat(),
        "data": {"envelope": envelope, **facts},
    }
    event = parse_event(said, catalog)
    known = catalog.types[paper.type]
    assert paper.agency in known.speakers, f"{paper.source} may not say {paper.type}"
    named = id_of(number, paper.id_of or paper.label)
    told = {address.partition("/")[0] for address in (*paper.to, *paper.cc)} | set(known.by_law)
    return chain_event(
        digest=digest_of(number, paper.label),
        id=named,
        type=paper.type,
        source=event.source,
        chain=matter.chain if paper.chain is None else chain_of(paper.chain),
        time_ms=int(event.time.timestamp() * 1000),
        admitted_at_ms=int(((paper.admitted or paper.at) + _AFTER).timestamp() * 1000),
        body=event.data,
        told=told - {paper.agency},
    )


def day(text: str) -> date:
    """A day."""
    return date.fromisoformat(text)
