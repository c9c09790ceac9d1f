"""The book of one chain: takes events and time in order, and says what is to be announced. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.duty_said import Duty
from casebus_schemas.case.fold import Folded, fold
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.reconcile import Moved, reconcile
from casebus_schemas.rules.register import of_scope
from casebus_schemas.small_types import Agency

AnnouncementKind = Literal["obligation.announced", "finding.opened", "finding.closed"]

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
KEPT_RULES = frozenset(of_scope("stream"))
"""Arrival findings that the stream watch makes: nothing in the chain's events makes them go away."""

AGREES_NOW = Sentence("差异已因新的事件消除", "later events have removed what was found")


@dataclass(frozen=True, slots=True)
class Closing:
    """That a finding no longer holds."""

    finding: Finding
    because: Sentence
    cause: Digest
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class Announcement:
    """What one event, or one instant, makes the bus say of a chain to the same agencies, once.

    `subject` and `causes` give its event the id; `about` holds duties, findings or closings as `kind` says.
    """

    kind: AnnouncementKind
    subject: str
    causes: tuple[Digest, ...]
    chain: str
    about: tuple[Duty, ...] | tuple[Finding, ...] | tuple[Closing, ...]
    law: tuple[Article, ...]
    to: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class DutyEntry:
    """A duty as last entered: how it stood, and the event that last changed it."""

    duty: Duty
    basis: Digest
    moot_at: datetime | None


class ChainBook:
    """What is entered of one chain so far, up to the time `told_until`.

    Events and time are taken in the order of admission. The announcements depend on that order only, not on
    how it was cut into batches or when a timer looked: all turns of time before an event are taken first.
    An event enters only what it touches: it costs no more in a long chain.
    """

    def __init__(
        self,
        chain: str,
        folded: Folded | None = None,
        told_until: datetime = LONG_AGO,
        duties: Mapping[UUID, DutyEntry] | None = None,
        findings: Mapping[UUID, Finding] | None = None,
    ) -> None:
        self.chain = chain
        self.told_until = told_until
        self.meaning = reconcile(folded if folded is not None else fold(()))
        self.duties: dict[UUID, DutyEntry] = dict(duties or {})
        self.findings: dict[UUID, Finding] = dict(findings or {})
        self._entered: dict[UUID, DutyEntry] = {}
        self._found: dict[UUID, Finding] = {}
        self.meaning.look(self.meaning.everything(), told_until)

    @property
    def folded(self) -> Folded:
        """All events taken, folded."""
        return self.meaning.folded

    def known(self, digest: Digest) -> ChainEvent | None:
        """The event of that digest, if the chain holds it."""
        return self.folded.by_digest.get(digest)

    def take(self, event: ChainEvent) -> list[Announcement]:
        """Takes the next admitted event; a repeat changes nothing."""
        said = self.advance(event.admitted_at)
        if event.digest in self.folded.by_digest:
            return said
        moved = self.meaning.take(event)
        said.extend(self._enter(moved, event.digest))
        return said

    def add(self, finding: Finding) -> list[Announcement]:
        """Enters a finding of the stream watch, once."""
        if finding.id in self.findings:
            return []
        self.enter(finding)
        return opened_said([finding], self.chain, None)

    def advance(self, now: datetime) -> list[Announcement]:
        """Lets time pass to `now`; time that is told already does not run back."""
        said: list[Announcement] = []
        while (turn := self.wakes_at()) is not None and turn <= now:
            self.told_until = turn
            said.extend(self._enter(Moved(self.meaning.turning(turn)), None))
        self.told_until = max(self.told_until, now)
        return said

    def wakes_at(self) -> datetime | None:
        """The next instant at which time alone changes something."""
        return self.meaning.wakes_at(self.told_until)

    def changes(self) -> tuple[Collection[DutyEntry], Collection[Finding]]:
        """The duties and findings entered since this was last asked."""
        entered, self._entered = self._entered, {}
        found, self._found = self._found, {}
        return entered.values(), found.values()

    # --- what an event or the time enters -------------------------------------------------------------

    def _enter(self, moved: Moved, trigger: Digest | None) -> list[Announcement]:
        now, meaning = self.told_until, self.meaning
        keys = meaning.everything() if moved.all else moved.keys
        before, after = meaning.look(keys, now)
        duties = [duty for key in keys for duty in meaning.duties_at(key)]
        changed = self._enter_duties(duties, now, trigger)
        if moved.all:
            changed += self._end_duties(self.duties.keys() - {duty.id for duty in duties}, now, trigger)
            before = [known for known in self.findings.values() if known.rule not in KEPT_RULES]
            after = [*meaning.content, *after]
        else:
            before, after = [*moved.before, *before], [*moved.after, *after]
        found = {finding.id: meaning.answered(finding) for finding in after}
        opened, closed = self._enter_findings(found, trigger)
        gone = [self.findings[f.id] for f in before if f.id not in found and f.id in self.findings]
        for finding in {known.id: known for known in gone if known.state != "closed"}.values():
            self.enter(replace(finding, state="closed"))
            closed.append(Closing(finding, AGREES_NOW, trigger or self.folded.order[-1].digest, now))
        return [
            *_announced(changed, self.chain, now),
            *opened_said(opened, self.chain, trigger),
            *closed_said(closed, self.chain, now),
        ]

    def _enter_duties(
        self, duties: Iterable[Obligation], now: datetime, trigger: Digest | None
    ) -> list[DutyEntry]:
        """Enters duties as they stand now; those that have to be announced."""
        changed = []
        for duty in duties:
            known = self.duties.get(duty.id)
            entry = _entry(duty, now, known, trigger)
            if entry == known:
                continue
            self._write(entry)
            if known is None or _moved(known.duty, entry.duty):
                if known is None and duty.clock.met_by_cause and entry.duty.state == "met":
                    continue  # nobody has to be told of a duty that was done when it began
                if "waiting" in (entry.duty.state, known and known.duty.state) and entry.duty.state != "open":
                    continue  # nor of one that has not begun
                changed.append(entry)
        return changed

    def _end_duties(self, ids: Iterable[UUID], now: datetime, trigger: Digest | None) -> list[DutyEntry]:
        """Ends duties that no event starts any more."""
        ended = []
        for id in ids:
            entry = self.duties[id]
            if entry.duty.state != "moot":
                was_told = entry.duty.state != "waiting"
                entry = DutyEntry(replace(entry.duty, state="moot"), trigger or entry.basis, now)
                self._write(entry)
                if was_told:
                    ended.append(entry)
        return ended

    def _enter_findings(
        self, found: Mapping[UUID, Finding], trigger: Digest | None
    ) -> tuple[list[Finding], list[Closing]]:
        opened, closed = [], []
        for id, finding in found.items():
            known = self.findings.get(id)
            was_open = known is not None and known.state != "closed"
            if finding.state != "closed" and not was_open:
                opened.append(finding)
            if finding.state == "closed" and known is not None and was_open:
                closed.append(Closing(known, AGREES_NOW, trigger or finding.causes[0], self.told_until))
            if finding != known:
                self.enter(finding)
        return opened, closed

    def _write(self, entry: DutyEntry) -> None:
        self.duties[entry.duty.id] = self._entered[entry.duty.id] = entry

    def enter(self, finding: Finding) -> None:
        """Enters a finding as it stands now."""
        self.findings[finding.id] = self._found[finding.id] = finding


def _entry(duty: Obligation, now: datetime, known: DutyEntry | None, trigger: Digest | None) -> DutyEntry:
    said = duty.said(now)
    moved = known is None or _moved(known.duty, said)
    basis = trigger if trigger and moved else known.basis if known else duty.cause.digest
    return DutyEntry(said, basis, duty.moot_by.occurred_at if duty.moot_by else None)


def _moved(known: Duty, said: Duty) -> bool:
    return (known.state, known.due_latest) != (said.state, said.due_latest)


def _announced(changed: Iterable[DutyEntry], chain: str, now: datetime) -> list[Announcement]:
    of_parties: dict[tuple[str, ...], list[DutyEntry]] = {}
    for entry in changed:
        if parties := entry.duty.parties:
            of_parties.setdefault(parties, []).append(entry)
    said = []
    for told, entries in sorted(of_parties.items()):
        entries.sort(key=lambda entry: (entry.duty.rule, entry.duty.id))
        said.append(
            Announcement(
                "obligation.announced",
                "\n".join(f"{entry.duty.id}\n{entry.duty.state}" for entry in entries),
                tuple(dict.fromkeys(entry.basis for entry in entries)),
                chain,
                tuple(entry.duty for entry in entries),
                (),
                told,
                now,
            )
        )
    return said


def opened_said(opened: Iterable[Finding], chain: str, trigger: Digest | None) -> list[Announcement]:
    """Says findings that were opened, those of the same agencies together."""
    of_concerned: dict[tuple[Agency, ...], list[Finding]] = {}
    for finding in opened:
        # One that is only of information is listed, but nobody is disturbed by it.
        if finding.severity != "info" and (told := finding.concerned()):
            of_concerned.setdefault(told, []).append(finding)
    said = []
    for concerned, findings in sorted(of_concerned.items()):
        findings.sort(key=lambda finding: (finding.rule, finding.id))
        causes = (trigger,) if trigger else tuple(dict.fromkeys(found.causes[0] for found in findings))
        said.append(
            Announcement(
                "finding.opened",
                "\n".join(f"{finding.id}\n{finding.state}" for finding in findings),
                causes,
                chain,
                tuple(findings),
                tuple(dict.fromkeys(article for finding in findings for article in finding.law)),
                concerned,
                max(finding.opened_at for finding in findings),
            )
        )
    return said


def closed_said(closed: Iterable[Closing], chain: str, now: datetime) -> list[Announcement]:
    """Says that findings are gone, those of the same agencies together."""
    of_concerned: dict[tuple[Agency, ...], list[Closing]] = {}
    for closing in closed:
        if closing.finding.severity != "info" and (told := closing.finding.concerned()):
            of_concerned.setdefault(told, []).append(closing)
    said = []
    for concerned, closings in sorted(of_concerned.items()):
        closings.sort(key=lambda closing: (closing.finding.rule, closing.finding.id))
        said.append(
            Announcement(
                "finding.closed",
                "\n".join(f"{closing.finding.id}\nclosed" for closing in closings),
                tuple(dict.fromkeys(closing.cause for closing in closings)),
                chain,
                tuple(closings),
                (),
                concerned,
                now,
            )
        )
    return said
