"""The book of one chain: takes events and time in order, and says what is to be announced. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.duty_said import Duty
from casebus_schemas.case.fold import Folded, fold
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.case.shares import Shares
from casebus_schemas.law.calendars import PUBLISHED, Calendars
from casebus_schemas.law.clocks import SILENCE
from casebus_schemas.rules.chain import r09
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.reconcile import Moved, reconcile
from casebus_schemas.rules.running import made_at_arrival, run_word
from casebus_schemas.rules.word import finding_spoken_of

from .hearing import Announcement, DutyEntry, Turn, duties_said, findings_said
from .spoken_of import SpokenOf

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


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
        shares: Shares | None = None,
        calendars: Calendars = PUBLISHED,
    ) -> None:
        self.chain = chain
        self.told_until = told_until
        self.shares = shares or Shares()
        self.spent_s = 0.0
        """Processor time that was spent on it so far."""
        self.calendars = calendars
        """Which calendar is in force from when."""
        self.meaning = reconcile(
            folded if folded is not None else fold(()), calendar=calendars.at(told_until)
        )
        self.duties: dict[UUID, DutyEntry] = dict(duties or {})
        self.findings: dict[UUID, Finding] = dict(findings or {})
        self._provisional = {id for id, entry in self.duties.items() if _is_provisional(entry)}
        self._said_too_long: set[str] = set()
        self._spoken_of = SpokenOf(self.folded.order)
        self._entered: dict[UUID, DutyEntry] = {}
        self._found: dict[UUID, Finding] = {}
        self.meaning.look(self.meaning.everything(), told_until)
        self.bytes = sum(event.size for event in self.folded.order)

    @property
    def is_full(self) -> bool:
        """Whether an event came that is kept, but not computed."""
        return bool(self.shares.full)

    @property
    def folded(self) -> Folded:
        """All events taken, folded."""
        return self.meaning.folded

    def known(self, digest: Digest) -> ChainEvent | None:
        """The event of that digest, if the chain holds it; of a repeat the event that it says again."""
        return self.folded.by_digest.get(self.folded.repeats.of.get(digest, digest))

    def take(self, event: ChainEvent) -> list[Announcement]:
        """Takes the next admitted event; one that says again what it holds is a finding at most (R03)."""
        said = self.advance(event.admitted_at)
        if self.meaning.folded.known(event.digest) is not None:
            return said
        if not self.shares.takes(event):
            return said + self._say_too_long(event)
        self.bytes += event.size
        moved = self.meaning.take(event)
        said.extend(self._enter(moved, event.digest))
        if event.digest not in self.meaning.folded.repeats.said:
            self._spoken_of.add(event)
            said.extend(self._hear(event))
        return said

    def add(self, finding: Finding) -> list[Announcement]:
        """Enters a finding of the stream watch, once."""
        if finding.id in self.findings:
            return []
        turn = Turn(None, finding)
        self.enter(finding)
        return findings_said([turn], self.chain, None, self.told_until)

    def _hear(self, event: ChainEvent) -> list[Announcement]:
        """Takes a word on a finding that the events alone do not give, and who had no right to say it."""
        about = finding_spoken_of(event)
        if about is None:
            return []
        known = self.findings.get(about)
        if known is None and self._spoken_of.may_be(about, event.agency):
            return []  # found across chains, or of figures: this chain alone does not know whether it was
        if known is not None and made_at_arrival(known):
            self._answer_anew(known)
        return [said for finding in run_word(event, known) for said in self.add(finding)]

    def _answer_anew(self, known: Finding) -> None:
        bare = replace(known, state="open", words=())  # nothing but words ever closes it
        finding = self.meaning.answered(bare)
        if finding != known:
            self.enter(finding)

    def advance(self, now: datetime) -> list[Announcement]:
        """Lets time pass to `now`; time that is told already does not run back."""
        said: list[Announcement] = []
        while True:
            turn = self.meaning.wakes_at(self.told_until)
            entered = self.calendars.next_after(self.told_until)
            if entered is not None and entered.in_force_from <= min(now, turn or now):
                self.told_until = entered.in_force_from
                moved = self.meaning.count_by(self.calendars.at(self.told_until))
                said.extend(self._enter(moved, entered.order))
            elif turn is not None and turn <= now:
                self.told_until = turn
                said.extend(self._enter(Moved(self.meaning.turning(turn)), None))
            else:
                break
        self.told_until = max(self.told_until, now)
        return said

    def _say_too_long(self, event: ChainEvent) -> list[Announcement]:
        """Says once of an agency that it says more in the chain than is computed."""
        if event.agency in self._said_too_long:
            return []
        self._said_too_long.add(event.agency)
        order = self.folded.order or [event]
        addresses = {to for one in order for to in (*one.envelope["to"], *one.envelope["cc"])}
        agencies = {one.agency for one in order} | {to.partition("/")[0] for to in addresses}
        return self.add(r09.too_long(order[0], event.agency, agencies, event.admitted_at))

    def wakes_at(self) -> datetime | None:
        """The next instant at which time alone changes something."""
        turn, entered = self.meaning.wakes_at(self.told_until), self.calendars.next_after(self.told_until)
        if entered is None or not self.waits_for_notices:
            return turn
        return entered.in_force_from if turn is None else min(turn, entered.in_force_from)

    @property
    def waits_for_notices(self) -> bool:
        """Whether a duty that is entered and not ended has a provisional reading."""
        return bool(self._provisional)

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
            kept = [known for known in self.findings.values() if made_at_arrival(known)]
            for known in kept:
                self._answer_anew(known)
            before = [known for known in self.findings.values() if not made_at_arrival(known)]
            after = [*meaning.content, *after]
        else:
            before, after = [*moved.before, *before], [*moved.after, *after]
        found = {finding.id: meaning.answered(finding) for finding in after}
        turns = self._enter_findings(found)
        gone = [self.findings[f.id] for f in before if f.id not in found and f.id in self.findings]
        for finding in {known.id: known for known in gone if known.state != "closed"}.values():
            ended = replace(finding, state="closed")
            self.enter(ended)
            turns.append(Turn(finding, ended))
        if not changed and not turns:
            return []
        cause = trigger or (self.folded.order[-1].digest if self.folded.order else None)
        settled = None if cause is None else self.folded.by_digest.get(cause)
        told_cause = None if settled is None else settled.audience
        return [
            *duties_said(changed, self.chain, now),
            *findings_said(turns, self.chain, trigger, now, cause, told_cause=told_cause),
        ]

    def _enter_duties(
        self, duties: Iterable[Obligation], now: datetime, trigger: Digest | None
    ) -> list[DutyEntry]:
        """Enters duties as they stand now; those that have to be announced."""
        changed = []
        for duty in duties:
            known = self.duties.get(duty.id)
            entry = _entry(duty, now, known, trigger)
            if entry == known or (known is None and _is_only_silent(entry, duty)):
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

    def _enter_findings(self, found: Mapping[UUID, Finding]) -> list[Turn]:
        turns = []
        for id, finding in found.items():
            known = self.findings.get(id)
            if finding != known:
                turns.append(Turn(known, finding))
                self.enter(finding)
        return turns

    def _write(self, entry: DutyEntry) -> None:
        id = entry.duty.id
        self.duties[id] = self._entered[id] = entry
        (self._provisional.add if _is_provisional(entry) else self._provisional.discard)(id)

    def enter(self, finding: Finding) -> None:
        """Enters a finding as it stands now."""
        self.findings[finding.id] = self._found[finding.id] = finding


def _is_provisional(entry: DutyEntry) -> bool:
    """Whether a notice on holidays may still move the end of a duty."""
    duty = entry.duty
    return duty.state not in ("met", "moot") and any(reading.provisional for reading in duty.readings)


def _is_only_silent(entry: DutyEntry, duty: Obligation) -> bool:
    """Whether a duty to answer is not even a duty yet: most are answered before."""
    return duty.clock.found_by == SILENCE and entry.duty.state == "waiting"


def _entry(duty: Obligation, now: datetime, known: DutyEntry | None, trigger: Digest | None) -> DutyEntry:
    said = duty.said(now)
    moved = known is None or _moved(known.duty, said)
    basis = trigger if trigger and moved else known.basis if known else duty.cause.digest
    return DutyEntry(said, basis, duty.moot_by.occurred_at if duty.moot_by else None)


def _moved(known: Duty, said: Duty) -> bool:
    return (known.state, known.due_latest) != (said.state, said.due_latest)
