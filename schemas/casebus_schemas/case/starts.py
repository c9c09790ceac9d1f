"""Which clocks the events of a chain start, and from when each counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from casebus_schemas.frozen import quickly_made
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.clocks import Begin, Clock, Version
from casebus_schemas.law.terms import Precision, countable
from casebus_schemas.times import BEIJING, in_beijing

from .chain import ChainEvent
from .chain_index import ChainIndex
from .effects import mends
from .fold import Folded
from .proof import RECEIVED, before_it_was_sent


@quickly_made
@dataclass(frozen=True, slots=True)
class Start:
    """A clock that an event started, and from when it counts.

    `at` is the sending where the term starts at receipt, which each debtor has of its own. `number` counts
    the starts of the clock in the chain, from 1.
    """

    clock: Clock
    version: Version
    begin: Begin
    cause: ChainEvent
    at: datetime
    precision: Precision
    number: int = 1

    @property
    def countable(self) -> bool:
        """Whether the time is one from which a term can be counted."""
        return countable(self.at)

    @property
    def counts_back(self) -> bool:
        """Whether its limit is counted back from the day that it names."""
        return self.version.rungs[0].limit.startswith("-")

    @property
    def beyond(self) -> bool:
        """Whether the law does not allow the clock to start so often."""
        return self.clock.at_most is not None and self.number > self.clock.at_most


def starts(chain: Folded | ChainIndex, law_of: date | None = None) -> Iterator[Start]:
    """Every clock that the chain's events started, under the law of then or of another day."""
    index = chain if isinstance(chain, ChainIndex) else ChainIndex(chain)
    folded = index.folded
    corrected = {event.digest: event for event in folded.standing}
    for said in folded.order:
        if folded.belonging.is_outside(said):
            continue
        # A withdrawn cause keeps its duties, as moot: what was announced must not vanish.
        if said.digest in corrected or said.digest in folded.withdrawn:
            yield from starts_of(corrected.get(said.digest, said), index, law_of)


def starts_of(event: ChainEvent, index: ChainIndex, law_of: date | None = None) -> Iterator[Start]:
    """The clocks that one event starts, with its facts as they stand: none if it only changes another one."""
    if mends(event):
        return
    for clock in index.table.opened_by(event.type):
        for begin in _begins(clock, event, index):
            found = _time(begin, event, index.folded)
            if found is None:
                continue
            at, precision = found
            day = law_of or beijing_day(at)
            if not begin.in_force(day):
                continue
            version = clock.in_force(day)
            roles = index.members.roles_of(event.agency)
            version = version and version.for_event(event.data, roles, beijing_day(event.occurred_at))
            if version is not None:
                yield Start(clock, version, begin, event, at, precision, _number(clock, event, index))
            break


def _begins(clock: Clock, event: ChainEvent, index: ChainIndex) -> list[Begin]:
    """The ways in which the event may start the clock: the first of them that is in force does."""
    if clock.met_by_cause and event.type in clock.duty and _answers_start(clock, event, index):
        return []
    found = [begin for begin in clock.begins if begin.on == event.type and _fits(begin, event, index)]
    if not found and event.type in clock.restarted_by and _is_running(clock, event, index):
        field = clock.restart_fields.get(event.type)
        return [Begin(on=event.type, owed_by=clock.owed_by, owed_to=clock.owed_to, field=field)]
    return found


def _answers_start(clock: Clock, event: ChainEvent, index: ChainIndex) -> bool:
    """Whether an event that is a duty of the clock answers a start of another type, and so is none itself."""
    types = [type for type in clock.starts_on if type not in clock.duty]
    return any(
        index.touches(event, earlier) and _started(clock, earlier, index)
        for earlier in index.starts_before(event, types)
    )


def _fits(begin: Begin, event: ChainEvent, index: ChainIndex) -> bool:
    if begin.answers:
        folded = index.folded
        if not any(folded.by_digest[digest].type in begin.answers for digest in folded.thread(event)):
            return False
    told = [index.members.agencies_with(role) for role in begin.unless_told]
    if told and all(not event.audience.isdisjoint(agencies) for agencies in told):
        return False
    return begin.fits(event.data, index.members.roles_of(event.agency), beijing_day(event.occurred_at))


def _is_running(clock: Clock, event: ChainEvent, index: ChainIndex) -> bool:
    """Whether a start before the event, to which it belongs, waits for its answer still."""
    place = index.place(event)
    for earlier in index.starts_before(event, (*clock.starts_on, *clock.restarted_by)):
        if earlier.type in clock.starts_on and not _started(clock, earlier, index):
            continue
        if not index.touches(event, earlier):
            continue
        ends = index.belonging(earlier, (*clock.duty, *clock.moot_by))
        if (first := next(ends, None)) is None or index.place(first) > place:
            return True
    return False


def _started(clock: Clock, event: ChainEvent, index: ChainIndex) -> bool:
    return any(begin.on == event.type and _fits(begin, event, index) for begin in clock.begins)


def _number(clock: Clock, event: ChainEvent, index: ChainIndex) -> int:
    """Which start of the clock in the chain it is; 1 where nobody counts."""
    if clock.at_most is None:
        return 1
    return 1 + index.counted(clock.id, clock.starts_on, index.place(event), partial(_started, clock))


def _time(begin: Begin, cause: ChainEvent, folded: Folded) -> tuple[datetime, Precision] | None:
    """When counting starts, and how precisely that is known."""
    stated = cause.data.get(begin.field) if begin.field else None
    if isinstance(stated, date) and not isinstance(stated, datetime):
        return datetime(stated.year, stated.month, stated.day, tzinfo=BEIJING), "day"
    start = stated if isinstance(stated, datetime) else cause.occurred_at
    if begin.at_delivery:
        return max(cause.occurred_at, cause.admitted_at), "second"
    if (
        isinstance(stated, datetime)
        and countable(stated)
        and beijing_day(stated) > beijing_day(cause.last_said_at)
    ):
        start = cause.admitted_at  # nobody says beforehand that he had something (R07)
    elif begin.field == RECEIVED and isinstance(stated, datetime) and countable(stated):
        sent = folded.request_of(cause)
        if sent is not None and before_it_was_sent(cause, sent) is not None:
            start = sent.occurred_at  # nobody has something before it was sent (R07)
    local = in_beijing(start)
    midnight = (local.hour, local.minute, local.second) == (0, 0, 0)
    return start, "day" if cause.day_only and midnight else "second"
