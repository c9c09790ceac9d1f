"""The book of one chain: takes events and time in order, and says what is to be announced. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.fold import Folded, extend, fold
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.law import Sentence
from casebus_schemas.law.calendar import beijing_text
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.reconcile import Reconciled, reconcile
from casebus_schemas.rules.register import of_scope

AnnouncementKind = Literal["obligation.announced", "finding.opened", "finding.closed"]

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
KEPT_RULES = frozenset(of_scope("stream"))
"""Arrival findings that the stream watch makes: nothing in the chain's events makes them go away."""

_AGREES_NOW = Sentence("差异已因新的事件消除", "later events have removed what was found")


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that the bus says to agencies, once.

    `subject` and `causes` give its event the id; `body` is the JSON of records.md 5, of a closed finding what
    `finding.closed` holds, of duties `{"obligations": […]}`.
    """

    kind: AnnouncementKind
    subject: str
    causes: tuple[Digest, ...]
    chain: str
    body: Mapping[str, Any]
    to: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class DutyEntry:
    """A duty as last entered: its state, the event that last changed it, and its JSON."""

    id: str
    rule: str
    owed_by: str
    state: str
    basis: Digest
    due_earliest: datetime
    due_latest: datetime
    moot_at: datetime | None
    body: Mapping[str, Any]
    look: tuple[object, ...] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """A finding as last entered, closed ones included."""

    id: str
    rule: str
    cls: str
    severity: str
    state: str
    opened_at: datetime
    body: Mapping[str, Any]


@dataclass
class ChainBook:
    """What is entered of one chain so far, up to the time `told_until`.

    Events and time are taken in the order of admission. The announcements depend on that order only, not on
    how it was cut into batches or when a timer looked: all turns of time before an event are taken first.
    """

    chain: str
    folded: Folded = field(default_factory=lambda: fold(()))
    told_until: datetime = LONG_AGO
    duties: dict[str, DutyEntry] = field(default_factory=dict)
    findings: dict[str, FindingEntry] = field(default_factory=dict)
    _meaning: Reconciled | None = None

    @property
    def meaning(self) -> Reconciled:
        """Accounts, duties and findings of all events taken."""
        if self._meaning is None:
            self._meaning = reconcile(self.folded)
        return self._meaning

    def take(self, event: ChainEvent) -> list[Announcement]:
        """Takes the next admitted event; a repeat changes nothing."""
        said = self.advance(event.admitted_at)
        if event.digest in self.folded.by_digest:
            return said
        self.folded = extend(self.folded, event)
        self._meaning = None
        said.extend(self._enter(event.digest))
        return said

    def add(self, finding: Finding) -> list[Announcement]:
        """Enters a finding of the stream watch, once."""
        if str(finding.id) in self.findings:
            return []
        self.findings[str(finding.id)] = _finding_entry(finding)
        return _opened(finding, finding.causes[0])

    def advance(self, now: datetime) -> list[Announcement]:
        """Lets time pass to `now`; time that is told already does not run back."""
        said: list[Announcement] = []
        while (turn := self.wakes_at()) is not None and turn <= now:
            self.told_until = turn
            said.extend(self._enter(None))
        self.told_until = max(self.told_until, now)
        return said

    def wakes_at(self) -> datetime | None:
        """The next instant at which time alone changes something."""
        return self.meaning.wakes_at(self.told_until) if self.folded.order else None

    def _enter(self, trigger: Digest | None) -> list[Announcement]:
        now = self.told_until
        return [*self._enter_duties(now, trigger), *self._enter_findings(now, trigger)]

    def _enter_duties(self, now: datetime, trigger: Digest | None) -> list[Announcement]:
        entered: dict[str, DutyEntry] = {}
        changed = []
        for duty in self.meaning.duties:
            known = self.duties.get(str(duty.id))
            entry = _duty_entry(duty, now, known, trigger)
            entered[entry.id] = entry
            if known is None or (known.state, known.due_latest) != (entry.state, entry.due_latest):
                if known is None and duty.clock.met_by_cause and entry.state == "met":
                    continue  # nobody has to be told of a duty that was done when it began
                changed.append(entry)
        for gone in self.duties.keys() - entered.keys():
            entry = self.duties[gone]
            if entry.state != "moot":
                body = {**entry.body, "state": "moot"}
                entry = replace(entry, state="moot", body=body, moot_at=now, basis=trigger or entry.basis)
                changed.append(entry)
            entered[gone] = entry
        self.duties = entered
        return _announced(changed, self.chain, now)

    def _enter_findings(self, now: datetime, trigger: Digest | None) -> Iterable[Announcement]:
        said: list[Announcement] = []
        found = {str(finding.id): finding for finding in self.meaning.findings(now)}
        for name, finding in found.items():
            known = self.findings.get(name)
            if finding.state != "closed" and (known is None or known.state == "closed"):
                said.extend(_opened(finding, trigger or finding.causes[0]))
            if finding.state == "closed" and known is not None and known.state != "closed":
                said.extend(_closed(known, self.chain, now, trigger or finding.causes[0]))
            self.findings[name] = _finding_entry(finding)
        for name, known in list(self.findings.items()):
            if name in found or known.state == "closed" or known.rule in KEPT_RULES:
                continue
            closed = replace(known, state="closed", body={**known.body, "state": "closed"})
            self.findings[name] = closed
            said.extend(_closed(known, self.chain, now, trigger or self.folded.order[-1].digest))
        return said


def _duty_entry(
    duty: Obligation, now: datetime, known: DutyEntry | None, trigger: Digest | None
) -> DutyEntry:
    state, look = duty.state(now), duty.look
    # Written anew only if something of it changed: a long chain has many duties that stay as they are.
    same = known is not None and (known.state, known.look) == (state, look)
    body = known.body if known is not None and same else duty.to_json(now)
    due_latest = max(reading.due for reading in duty.readings)
    moved = known is None or known.due_latest != due_latest or known.state != state
    basis = trigger if trigger and moved else known.basis if known else duty.cause.digest
    return DutyEntry(
        id=str(duty.id),
        rule=duty.clock.id,
        owed_by=duty.owed_by,
        state=state,
        basis=basis,
        due_earliest=min(reading.due for reading in duty.readings),
        due_latest=due_latest,
        moot_at=duty.moot_by.occurred_at if duty.moot_by else None,
        body=body,
        look=look,
    )


def _announced(changed: Iterable[DutyEntry], chain: str, now: datetime) -> list[Announcement]:
    """One announcement for all duties that changed together and concern the same agencies."""
    of_parties: dict[tuple[str, ...], list[DutyEntry]] = {}
    for entry in changed:
        parties = tuple(sorted({entry.owed_by, *entry.body["owed_to"]}))
        of_parties.setdefault(parties, []).append(entry)
    return [
        Announcement(
            "obligation.announced",
            "\n".join(f"{entry.id}\n{entry.state}" for entry in entries),
            tuple(dict.fromkeys(entry.basis for entry in entries)),
            chain,
            {"obligations": [entry.body for entry in entries]},
            parties,
            now,
        )
        for parties, entries in of_parties.items()
    ]


def _finding_entry(finding: Finding) -> FindingEntry:
    return FindingEntry(
        id=str(finding.id),
        rule=finding.rule,
        cls=finding.cls,
        severity=finding.severity,
        state=finding.state,
        opened_at=finding.opened_at,
        body=finding.to_json(),
    )


def _opened(finding: Finding, cause: Digest) -> list[Announcement]:
    if finding.severity == "info":
        return []  # listed, but nobody is disturbed by it
    body = finding.to_json()
    return [
        Announcement(
            "finding.opened",
            f"{finding.id}\n{finding.state}",
            (cause,),
            finding.chain,
            body,
            finding.concerned(),
            finding.opened_at,
        )
    ]


def _closed(known: FindingEntry, chain: str, now: datetime, cause: Digest) -> list[Announcement]:
    if known.severity == "info":
        return []
    body = {
        "id": known.id,
        "rule": known.rule,
        "chain": chain,
        "state": "closed",
        "because": _AGREES_NOW.to_json(),
        "cause": cause.hex(),
        "closed_at": beijing_text(now),
    }
    concerned = {account["agency"] for account in known.body["accounts"]}
    if known.body["suggestion"]:
        concerned.add(known.body["suggestion"]["by"])
    return [
        Announcement(
            "finding.closed", f"{known.id}\nclosed", (cause,), chain, body, tuple(sorted(concerned)), now
        )
    ]
