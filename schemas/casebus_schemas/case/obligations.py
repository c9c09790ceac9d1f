"""The duties of a chain, found from the starts of clocks: parties, receipt, standstills, answers."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import islice

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law.calendar import Calendar, beijing_day
from casebus_schemas.law.clocks import SIGNED, SILENCE, Rung, Version
from casebus_schemas.law.terms import Pause, Precision, Reading, countable, due_latest, readings
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.ids import bus_id

from .chain import ChainEvent
from .chain_index import ChainIndex
from .duty import Obligation, Step
from .endings import ended_by
from .fold import Folded
from .parties import Party, parties
from .proof import is_apart, proven_time
from .starts import Start, starts, starts_of

__all__ = [
    "Obligation",
    "Start",
    "Step",
    "duties_of",
    "obligations",
    "starts",
    "starts_of",
]

_FROM_SENDING = Sentence(
    "【暂定】尚无签收回执,自发出之日起算:", "provisional, no receipt is there yet, from the sending: "
)
_FROM_ARRIVAL = Sentence(
    "【暂定】尚无签收回执,自总线送达收件箱起算:",
    "provisional, no receipt is there yet, from the arrival in the inbox: ",
)
MOST_DAYS = 3_660
"""How far behind the start a named last day may lie: ten years."""
MOST_CHANGES = 20
"""So many approvals of one duty count, and so many events by which it stands still or goes on: no law has
rungs for more."""
_Beginning = tuple[datetime, Precision, Sentence | None]
"""From when is counted, how precisely that is known, and what to say of it where it is provisional."""


def obligations(chain: Folded | ChainIndex, started: Iterable[Start]) -> list[Obligation]:
    """Every duty of the chain, in the order of the events that started them (`starts`)."""
    index = chain if isinstance(chain, ChainIndex) else ChainIndex(chain)
    return [duty for start in started for duty in duties_of(start, index)]


def duties_of(start: Start, index: ChainIndex) -> tuple[Obligation, ...]:
    """The duties of one start, one for each that owes, and for each suspect where the clock says so.

    None where no term can be counted. Takes time for the events that can touch them, not for the chain's
    length. A later event that does not touch the start (`OpenStarts.touched`) does not change them.
    """
    return tuple(_duties(start, index)) if start.countable else ()


def _duties(start: Start, index: ChainIndex) -> Iterator[Obligation]:
    owed_to = parties(start.begin.owed_to, start.cause, index)
    for debtor in parties(start.begin.owed_by, start.cause, index):
        if start.begin.owed_by.kind == "addressees" and not _may_say(debtor, start.clock.duty):
            continue
        creditors = tuple(party for party in owed_to if party != debtor)
        for suspect in _suspects(start):
            duty = _Finder(start, debtor, suspect, index).duty(creditors)
            if not _was_no_silence(duty):
                yield duty


def _was_no_silence(duty: Obligation) -> bool:
    """Whether the bus had an answer before silence began to be counted: then there was never a duty."""
    end = duty.met_by or duty.moot_by
    if duty.clock.found_by != SILENCE or end is None or duty.waits_until is None:
        return False
    return end.admitted_at < duty.waits_until


def _may_say(debtor: Party, duty: Iterable[str]) -> bool:
    """Whether it may say any of these: who is told of what he may not answer owes nothing."""
    return debtor.agency is None or _may_say_one(debtor.agency, tuple(duty))


@lru_cache(maxsize=1024)
def _may_say_one(agency: str, duty: tuple[str, ...]) -> bool:
    types = Catalog.load().types
    return any(type not in types or agency in types[type].speakers for type in duty)


def _suspects(start: Start) -> Sequence[str | None]:
    """References of the suspects of whom each has a duty of its own; None where there is one for all.

    There is one for all, too, where the starting event lists nobody.
    """
    listed = start.cause.data.get("suspects") or ()
    if not start.clock.for_each_suspect or not listed:
        return (None,)
    return tuple(dict.fromkeys(str(entry["ref"]) for entry in listed))


class _Finder:
    """Finds what belongs to the duty of one debtor about one suspect, or about all of them."""

    def __init__(self, start: Start, debtor: Party, suspect: str | None, index: ChainIndex) -> None:
        self._start, self._debtor, self._index = start, debtor, index
        self._clock, self._cause = start.clock, start.cause
        self._ref = suspect
        named = start.version.last_day
        day = start.cause.data.get(named) if named is not None else None
        self._last_day = day if isinstance(day, date) else None
        self._person = index.folded.suspects.find(start.cause, suspect) if suspect is not None else None

    def duty(self, owed_to: tuple[Party, ...]) -> Obligation:
        start, clock, cause = self._start, self._clock, self._cause
        met_by = cause if clock.met_by_cause and cause.type in clock.duty else self._met_by()
        ended_by = self._ended_before(met_by)
        met_by = met_by if ended_by is None else None
        approvals = self._approvals()
        pauses, stands_since = self._pauses(met_by)
        beginnings = self._beginnings()
        waits_until = self._waits_until(beginnings)
        if waits_until is not None:
            beginnings = [(waits_until, "second", None)]
        steps = self._steps(beginnings, pauses)
        about = "" if self._ref is None else f"\n{self._ref}"
        return Obligation(
            id=bus_id(clock.id, f"{cause.chain}\n{self._debtor.text}{about}", [cause.digest]),
            clock=clock,
            version=start.version,
            cause=cause,
            debtor=self._debtor,
            creditors=owed_to,
            suspect=self._name_of_suspect(),
            number=start.number,
            started_at=beginnings[0][0],
            awaits_receipt=beginnings[0][2] is not None,
            waits_until=waits_until,
            stands_since=stands_since,
            steps=steps,
            proven_steps=self._proven_steps(steps, beginnings, pauses, waits_until),
            rung=_rung(start.version, approvals, clock.approval.level if clock.approval else ""),
            met_by=met_by,
            moot_by=ended_by or (None if met_by is not None else self._moot_by(waits_until)),
            approvals=approvals,
        )

    def _steps(self, beginnings: Sequence[_Beginning], pauses: tuple[Pause, ...]) -> tuple[Step, ...]:
        return tuple(
            Step(
                rung.step,
                _counted(beginnings, rung, pauses, self._last_day, self._index.calendar),
                rung.needs,
                self._clock.needs(rung.needs),
            )
            for rung in self._start.version.rungs
        )

    def _proven_steps(
        self,
        steps: tuple[Step, ...],
        beginnings: list[_Beginning],
        pauses: tuple[Pause, ...],
        waits_until: datetime | None,
    ) -> tuple[Step, ...]:
        """The steps counted from what the bus can prove; the same ones where no claim is far from that.

        What an agency says against itself needs no proof: its own start counts from its claim if that is the
        earlier time, another's from its admission; its receipt only if it came while the term ran.
        """
        at = self._proven_start()
        if waits_until is not None or (at is not None and not countable(at)):
            return steps
        proven_pauses = self._pauses(self._met_by(), proven=True)[0] if pauses else pauses
        proven = self._proven_beginnings(self._beginnings(at), at, proven_pauses)
        return (
            steps if (proven, proven_pauses) == (beginnings, pauses) else self._steps(proven, proven_pauses)
        )

    def _proven_beginnings(
        self, said: list[_Beginning], at: datetime | None, pauses: tuple[Pause, ...]
    ) -> list[_Beginning]:
        """From when is counted by proof: a debtor that is silent until its term is over had what arrived.

        Else it would move the end of its term by a receipt that it says when it likes.
        """
        start = self._start
        arrived = max(at or start.at, self._cause.admitted_at)
        receipts = self._receipts() if start.begin.at_receipt and countable(arrived) else []
        if not receipts:
            return said
        arrival: list[_Beginning] = [(arrived, "second", None)]
        rung = start.version.rungs[start.version.base_rung()]
        counted = _counted(arrival, rung, pauses, self._last_day, self._index.calendar)
        over = due_latest(counted)
        return said if min(receipt.admitted_at for receipt, _ in receipts) < over else arrival

    def _receipts(self) -> list[tuple[ChainEvent, datetime]]:
        """The debtor's receipts of what starts the clock, each with the time that it names."""
        given = self._index.receipts_of(self._cause)
        if not given:
            return []
        spoke = self._debtor.spoke
        return [(receipt, at) for receipt, at in given if spoke(receipt) and countable(at)]

    def _proven_start(self) -> datetime | None:
        """Where the term would start by proof, if that is another time than the one claimed."""
        claimed, admitted = self._start.at, self._cause.admitted_at
        if self._start.counts_back:
            return None  # the end of what runs, no time at which somebody claims to have acted
        if not is_apart(claimed, admitted, self._start.version.rungs[0].limit):
            return None
        at = (min if self._debtor.spoke(self._cause) else max)(claimed, admitted)
        return None if at == claimed else at

    def _beginnings(self, proven: datetime | None = None) -> list[_Beginning]:
        """From when the debtor's term is counted: where no receipt is there yet, from two instants."""
        start, cause = self._start, self._cause
        at, precision = (start.at, start.precision) if proven is None else (proven, "second")
        if not start.begin.at_receipt:
            return [(at, precision, None)]
        had = [max(at, min(claimed, receipt.admitted_at)) for receipt, claimed in self._receipts()]
        if had:
            received = min(had)
            return [(received, precision if received == at else "second", None)]
        arrived = max(at, cause.admitted_at)
        found: list[_Beginning] = [(at, precision, _FROM_SENDING)]
        if countable(arrived):
            found.append((arrived, "second", _FROM_ARRIVAL))
        return found

    def _waits_until(self, beginnings: Sequence[_Beginning]) -> datetime | None:
        """When the time without certain events is over, after which the term starts."""
        absence = self._clock.absence
        if absence is None:
            return None
        at, precision, _ = beginnings[-1]
        over = due_latest(readings(at, absence.span, ["calendar"], precision=precision))
        return over if countable(over) else at

    def _met_by(self) -> ChainEvent | None:
        answers = self._index.belonging(self._cause, self._clock.duty)
        return next((e for e in answers if self._debtor.spoke(e) and self._is_about(e)), None)

    def _ended_before(self, met_by: ChainEvent | None) -> ChainEvent | None:
        """What ended the term, or began it anew, before its answer: that answers the later term only."""
        ends = self._clock.ended_by
        if met_by is None or met_by is self._cause or not ends:
            return None
        answered = self._index.place(met_by)
        for event in self._index.belonging(self._cause, ends):
            if self._index.place(event) >= answered:
                return None
            if self._is_about(event):
                return event
        return None

    def _moot_by(self, waits_until: datetime | None) -> ChainEvent | None:
        folded, clock = self._index.folded, self._clock
        withdrawal = folded.withdrawn.get(self._cause.digest)
        if withdrawal is not None:
            return folded.by_digest[withdrawal]
        ends = clock.ended_by
        number = None if self._person is None else self._person.number
        ending = ended_by(self._cause, self._index.endings(self._cause), folded, number)
        found = [] if ending is None else [ending]
        if clock.found_by == SILENCE:
            receipts = (receipt for receipt, _ in self._index.receipts_of(self._cause))
            found += [one for one in receipts if one.type == SIGNED and self._debtor.spoke(one)]
        for event in self._index.belonging(self._cause, clock.silenced_by, as_said=True):
            if event.digest in folded.withdrawn or folded.is_idle(event) or not self._is_about(event):
                continue
            if event.type in ends or (waits_until is not None and event.occurred_at < waits_until):
                found.append(event)
                break
        return min(found, key=self._index.place, default=None)

    def _approvals(self) -> tuple[ChainEvent, ...]:
        approval = self._clock.approval
        if approval is None:
            return ()
        roles_of = self._index.members.roles_of
        given = self._index.belonging(self._cause, (approval.type,))
        counted = (
            event
            for event in given
            if (self._debtor.spoke(event) if approval.by is None else approval.by in roles_of(event.agency))
            and self._is_about(event)
        )
        return tuple(islice(counted, MOST_CHANGES))

    def _pauses(
        self, met_by: ChainEvent | None, *, proven: bool = False
    ) -> tuple[tuple[Pause, ...], datetime | None]:
        """The times during which the term stood still, and since when it stands still now."""
        suspension = self._clock.suspension
        if suspension is None:
            return (), None
        found: list[Pause] = []
        since: datetime | None = None
        stands = self._index.belonging(self._cause, (*suspension.begins, *suspension.ends))
        for event in islice(stands, MOST_CHANGES):
            at = max(proven_time(event) if proven else event.occurred_at, self._start.at)
            if not countable(at) or not self._is_about(event):
                continue
            if event.type in suspension.begins:
                since = at if since is None else since
            elif since is not None:
                found.append((since, max(since, at)))
                since = None
        if since is not None and met_by is not None:
            found.append((since, max(since, met_by.occurred_at)))
            since = None
        return tuple(found), since

    def _is_about(self, event: ChainEvent) -> bool:
        """Whether an event speaks of the duty's suspect: it lists him, or lists nobody."""
        if self._person is None:
            return True
        listed = [str(entry["ref"]) for entry in event.data.get("suspects") or ()]
        if not listed:
            return True
        of = self._index.folded.suspects
        numbers = {person.number for ref in listed if (person := of.find(event, ref)) is not None}
        return self._person.number in numbers

    def _name_of_suspect(self) -> str | None:
        if self._ref is None:
            return None
        listed = self._cause.data.get("suspects") or ()
        return next((entry.get("name") for entry in listed if entry["ref"] == self._ref), None) or self._ref


def _counted(
    beginnings: Sequence[_Beginning],
    rung: Rung,
    pauses: tuple[Pause, ...],
    last_day: date | None,
    calendar: Calendar,
) -> tuple[Reading, ...]:
    """The readings of a rung, or up to a last day, from each instant; two that end alike are one."""
    if len(beginnings) == 1 and beginnings[0][2] is None:
        at, precision, _ = beginnings[0]
        limit = _until(last_day, at) or rung.limit
        return readings(at, limit, rung.readings, precision=precision, pauses=pauses, calendar=calendar)
    found: dict[tuple[str, datetime], Reading] = {}
    for at, precision, note in beginnings:
        limit = _until(last_day, at) or rung.limit
        for reading in readings(
            at,
            limit,
            rung.readings,
            precision=precision,
            pauses=pauses,
            calendar=calendar,
            provisionally=note,
        ):
            found.setdefault((reading.name, reading.due), reading)
    return tuple(found.values())


def _until(last_day: date | None, at: datetime) -> str | None:
    """The limit that ends on a last day; None for a day before the start, or so far behind it that it is no
    term."""
    days = (last_day - beijing_day(at)).days if last_day is not None else 0
    return f"P{days}D" if 0 < days <= MOST_DAYS else None


def _rung(version: Version, approvals: Sequence[ChainEvent], field: str) -> int:
    levels = {event.data.get(field) for event in approvals}
    lifted = [index for index, rung in enumerate(version.rungs) if rung.needs in levels and rung.needs]
    return max([version.base_rung(), *lifted])
