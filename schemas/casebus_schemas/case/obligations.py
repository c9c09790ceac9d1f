"""The duties of a chain: which clocks started, who owes what until when, and how each duty stands."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from casebus_schemas.law import Answer, Clock, Reading, State, opened_by, state_at
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.clocks import Version
from casebus_schemas.law.duty_state import last_day_of
from casebus_schemas.law.terms import COUNTABLE, Precision, due_earliest, due_latest, readings
from casebus_schemas.times import BEIJING, in_beijing
from casebus_schemas.wire.ids import bus_id

from .chain import ChainEvent
from .chain_index import ChainIndex
from .duty import Duty, Rung
from .fold import Folded


@dataclass(frozen=True, slots=True)
class Step:
    """A rung of a duty's ladder with all its readings."""

    step: str
    readings: tuple[Reading, ...]
    needs: str | None

    @property
    def due_latest(self) -> datetime:
        """The largest admissible reading."""
        return due_latest(self.readings)

    @property
    def over_at(self) -> datetime:
        """The instant from which every reading is over for certain."""
        return max(reading.latest_possible for reading in self.readings)


@dataclass(frozen=True, slots=True)
class Obligation:
    """A duty that an event started. `rung` is the index of the highest step in force in `steps`.

    `met_by` is the event that answers it; `moot_by`, where there is none, the one that ends it without.
    `approvals` are the approvals of an extension, in order.
    """

    id: UUID
    clock: Clock
    version: Version
    cause: ChainEvent
    owed_by: str
    owed_to: tuple[str, ...]
    started_at: datetime
    steps: tuple[Step, ...]
    rung: int
    met_by: ChainEvent | None
    moot_by: ChainEvent | None
    approvals: tuple[ChainEvent, ...]

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The readings of the highest rung in force."""
        return self.steps[self.rung].readings

    def state(self, now: datetime) -> State:
        """How the duty stands at `now`."""
        return state_at(now, self.readings, met=_answer(self.met_by), moot=_answer(self.moot_by))

    def turns(self) -> list[datetime]:
        """The instants at which time alone may change its state or open a finding about it."""
        if self.met_by is not None:
            return []
        first = due_earliest(self.readings)
        last = last_day_of(first)
        day_begins = datetime(last.year, last.month, last.day, tzinfo=BEIJING)
        edges = [day_begins, first]
        edges.extend(edge for reading in self.readings for edge in (reading.due, reading.latest_possible))
        edges.extend(step.over_at for step in self.steps)
        # A term in hours still holds at its last instant: look again just after it.
        return [edge for at in edges for edge in (at, at + timedelta(milliseconds=1))]

    def said(self, now: datetime) -> Duty:
        """The duty as it stands at `now`."""
        return Duty(
            id=self.id,
            rule=self.clock.id,
            chain=self.cause.chain,
            owed_by=self.owed_by,
            owed_to=self.owed_to,
            duty=self.clock.duty,
            cause=self.cause.digest,
            started_at=self.started_at,
            readings=self.readings,
            ladder=self._ladder() if self.version.is_ladder else (),
            state=self.state(now),
            met=_answer(self.met_by),
        )

    def _ladder(self) -> tuple[Rung, ...]:
        return tuple(
            Rung(
                step.step,
                step.due_latest,
                f"{self.clock.approval}{{level: {step.needs}}}" if step.needs else None,
            )
            for step in self.steps
        )


@dataclass(frozen=True, slots=True)
class Start:
    """A clock that an event started, and from when it counts."""

    clock: Clock
    version: Version
    cause: ChainEvent
    at: datetime
    precision: Precision

    @property
    def countable(self) -> bool:
        """Whether the time is one from which a term can be counted."""
        return self.at.year in COUNTABLE


def obligations(folded: Folded, started: Iterable[Start]) -> list[Obligation]:
    """Every duty of the chain, in the order of the events that started them (`starts`)."""
    index = ChainIndex(folded)
    return [duty for start in started for duty in duties_of(start, index)]


def duties_of(start: Start, index: ChainIndex) -> tuple[Obligation, ...]:
    """The duties of one start, one for each that owes; none where no term can be counted.

    Takes time for the events that can touch them, not for the chain's length. A later event of a type that
    is not in `start.clock.touched_by`, or that `touches` no duty of the start, does not change them.
    """
    return tuple(_started(start, index)) if start.countable else ()


def touches(event: ChainEvent, start: Start, index: ChainIndex) -> bool:
    """Whether an event at the end of the chain may change the duties of a start; says yes where in doubt.

    A correction or withdrawal re-folds the chain: what it changes is not asked here.
    """
    if event.type not in start.clock.touched_by:
        return False
    # A new start of the same kind may tie to itself what so far was tied to none.
    return event.type == start.cause.type or index.touches(event, start.cause)


def starts(folded: Folded, law_of: date | None = None) -> Iterator[Start]:
    """Every clock that the chain's events started, under the law of then or of another day."""
    corrected = {event.digest: event for event in folded.standing}
    for said in folded.order:
        # A withdrawn cause keeps its duties, as moot: what was announced must not vanish.
        if said.digest in corrected or said.digest in folded.withdrawn:
            yield from starts_of(corrected.get(said.digest, said), law_of)


def starts_of(event: ChainEvent, law_of: date | None = None) -> Iterator[Start]:
    """The clocks that one event starts, with its facts as they stand."""
    for clock in opened_by(event.type):
        if clock.when is not None and not clock.when.holds(event.data):
            continue
        at, precision = _start(clock, event)
        version = None if at is None else clock.in_force(law_of or beijing_day(at))
        if at is not None and version is not None:
            yield Start(clock, version, event, at, precision)


def _started(start: Start, index: ChainIndex) -> Iterator[Obligation]:
    clock, version, cause = start.clock, start.version, start.cause
    steps = tuple(
        Step(
            rung.step, readings(start.at, rung.limit, version.readings, precision=start.precision), rung.needs
        )
        for rung in version.rungs
    )
    for owed_by, owed_to in _parties(clock, cause):
        approvals = _approvals(clock, cause, owed_by, index)
        met_by = cause if clock.met_by_cause else _met_by(clock, cause, owed_by, index)
        yield Obligation(
            id=bus_id(clock.id, f"{cause.chain}\n{owed_by}", [cause.digest]),
            clock=clock,
            version=version,
            cause=cause,
            owed_by=owed_by,
            owed_to=owed_to,
            started_at=start.at,
            steps=steps,
            rung=_rung(version, approvals),
            met_by=met_by,
            moot_by=None if met_by is not None else _moot_by(clock, cause, index),
            approvals=approvals,
        )


def _start(clock: Clock, cause: ChainEvent) -> tuple[datetime | None, Precision]:
    """When counting starts, and how precisely that is known."""
    stated = cause.data.get(clock.start_field) if clock.start_field else None
    if stated is None and clock.start_required:
        return None, "day"
    start = stated if isinstance(stated, datetime) else cause.occurred_at
    local = in_beijing(start)
    midnight = (local.hour, local.minute, local.second) == (0, 0, 0)
    return start, "day" if cause.day_only and midnight else "second"


def _parties(clock: Clock, cause: ChainEvent) -> list[tuple[str, tuple[str, ...]]]:
    addressees = tuple(dict.fromkeys(agency.partition("/")[0] for agency in cause.envelope.get("to") or ()))
    others = tuple(agency for agency in addressees if agency != cause.agency)
    owed_to = (cause.agency,) if clock.owed_to == "speaker" else others
    if clock.owed_by == "addressees":
        return [(agency, owed_to) for agency in others]
    owed_by = cause.agency if clock.owed_by == "speaker" else clock.owed_by
    return [(owed_by, tuple(agency for agency in owed_to if agency != owed_by))]


def _met_by(clock: Clock, cause: ChainEvent, owed_by: str, index: ChainIndex) -> ChainEvent | None:
    answers = index.belonging(cause, clock.duty)
    return next((event for event in answers if event.agency == owed_by), None)


def _moot_by(clock: Clock, cause: ChainEvent, index: ChainIndex) -> ChainEvent | None:
    folded = index.folded
    withdrawal = folded.withdrawn.get(cause.digest)
    if withdrawal is not None:
        return folded.by_digest[withdrawal]
    ends = index.belonging(cause, clock.moot_by, as_said=True)
    return next((event for event in ends if event.digest not in folded.withdrawn), None)


def _approvals(clock: Clock, cause: ChainEvent, owed_by: str, index: ChainIndex) -> tuple[ChainEvent, ...]:
    if clock.approval is None:
        return ()
    given = index.belonging(cause, (clock.approval,))
    return tuple(event for event in given if event.agency == owed_by)


def _rung(version: Version, approvals: Sequence[ChainEvent]) -> int:
    levels = {event.data.get("level") for event in approvals}
    lifted = [index for index, rung in enumerate(version.rungs) if rung.needs in levels and rung.needs]
    return max([version.base_rung(), *lifted])


def _answer(event: ChainEvent | None) -> Answer | None:
    return None if event is None else Answer(event.occurred_at, event.admitted_at)
