"""A duty of a chain as a value: who owes what until when, how it stands, what is written of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from casebus_schemas.frozen import quickly_made
from casebus_schemas.law import Answer, Clock, Reading, State, state_at
from casebus_schemas.law.clocks import Version
from casebus_schemas.law.duty_state import last_day_of
from casebus_schemas.law.terms import due_earliest, due_latest
from casebus_schemas.times import BEIJING

from .chain import ChainEvent
from .duty_said import Duty, Rung
from .parties import Party
from .proof import claimed_time

_INSTANT = timedelta(milliseconds=1)


@quickly_made
@dataclass(frozen=True, slots=True)
class Step:
    """A rung of a duty's ladder with all its readings; `needs` is a level, `approval` with its type."""

    step: str
    readings: tuple[Reading, ...]
    needs: str | None
    approval: str | None = None

    @property
    def due_latest(self) -> datetime:
        """The largest admissible reading."""
        return due_latest(self.readings)

    @property
    def over_at(self) -> datetime:
        """The instant from which every reading is over for certain."""
        return max([reading.latest_possible for reading in self.readings])


@quickly_made
@dataclass(frozen=True, slots=True)
class Obligation:
    """A duty, or a right, that an event started. `rung` is the index of the highest step in force in `steps`.

    `met_by` is the event that answers it, `moot_by`, where there is none, the one that ends it without;
    `approvals` are the approvals of an extension, in order. `suspect` is the one that it is about, None for
    all of the case; `number` counts the starts of its clock. With `awaits_receipt` it is counted from the
    sending until the debtor's receipt is there; before `waits_until` its term has not begun; since
    `stands_since` it stands still. `proven_steps` are the steps counted from what the bus can prove.
    """

    id: UUID
    clock: Clock
    version: Version
    cause: ChainEvent
    debtor: Party
    creditors: tuple[Party, ...]
    started_at: datetime
    steps: tuple[Step, ...]
    proven_steps: tuple[Step, ...]
    rung: int
    met_by: ChainEvent | None
    moot_by: ChainEvent | None
    approvals: tuple[ChainEvent, ...]
    suspect: str | None = None
    number: int = 1
    awaits_receipt: bool = False
    waits_until: datetime | None = None
    stands_since: datetime | None = None

    @property
    def owed_by(self) -> str:
        """Who owes: an agency, `agency/unit`, or an outsider's name."""
        return self.debtor.text

    @property
    def owed_to(self) -> tuple[str, ...]:
        """To whom it is owed, as `owed_by`."""
        return tuple(party.text for party in self.creditors)

    @property
    def to_tell(self) -> tuple[str, ...]:
        """Addresses of those whom it concerns and who take part in the bus, the debtor first."""
        concerned = (self.debtor, *self.creditors)
        return tuple(dict.fromkeys(party.text for party in concerned if party.agency is not None))

    @property
    def is_right(self) -> bool:
        """Whether it may be used, but nobody is accused where it is not."""
        return self.clock.kind == "right"

    @property
    def beyond(self) -> bool:
        """Whether the law does not allow its clock to start so often in one chain."""
        return self.clock.at_most is not None and self.number > self.clock.at_most

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The readings of the highest rung in force."""
        return self.steps[self.rung].readings

    def level_of(self, approval: ChainEvent) -> object:
        """The level that an approval of an extension names."""
        return approval.data.get(self.clock.approval.level) if self.clock.approval else None

    def state(self, now: datetime) -> State:
        """How the duty stands at `now`."""
        return state_at(
            now,
            self.readings,
            met=_answer(self.met_by),
            moot=_answer(self.moot_by),
            is_right=self.is_right,
            begins=self.waits_until,
            stands_since=self.stands_since,
        )

    def claimed_state(self, now: datetime) -> State:
        """How it stands at `now` if every time is as claimed."""
        return self._state_by(now, self.steps, claimed_time)

    def proven_state(self, now: datetime) -> State:
        """How it stands at `now` by what the bus can prove: what was answered late counts as late."""
        return self._state_by(now, self.proven_steps, _proven)

    def _state_by(
        self, now: datetime, steps: tuple[Step, ...], at: Callable[[ChainEvent], datetime]
    ) -> State:
        def answer(event: ChainEvent | None) -> Answer | None:
            return None if event is None else Answer(at(event), at(event))

        return state_at(
            now,
            steps[self.rung].readings,
            met=answer(self.met_by),
            moot=answer(self.moot_by),
            is_right=self.is_right,
            begins=self.waits_until,
            stands_since=self.stands_since,
        )

    def turns(self) -> list[datetime]:
        """The instants at which time alone may change its state or open a finding about it."""
        if self.met_by is not None:
            return []
        readings = self.steps[self.rung].readings
        first = due_earliest(readings)
        edges = {_day_of_last(first), first}
        for reading in readings:
            edges.add(reading.due)
            if reading.provisional:
                edges.add(reading.latest_possible)
        for step in self.steps:
            edges.add(step.over_at)
        if self.proven_steps is not self.steps:
            edges.update([step.over_at for step in self.proven_steps])
        if self.waits_until is not None:
            edges.add(self.waits_until)
        # A term in hours still holds at its last instant: look again just after it.
        return [*edges, *[at + _INSTANT for at in edges]]

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
            right=self.is_right,
            suspect=self.suspect,
            number=self.number,
            awaits_receipt=self.awaits_receipt,
            waits_until=self.waits_until,
            stands_since=self.stands_since,
            told=self.cause.audience,
            answer_told=self.cause.audience if self.met_by is None else self.met_by.audience,
            handling=max(self.cause.handling, (self.met_by or self.cause).handling),
        )

    def to_json(self, now: datetime) -> dict[str, Any]:
        """The obligation as in records.md 5."""
        return self.said(now).to_json()

    def _ladder(self) -> tuple[Rung, ...]:
        return tuple(Rung(step.step, step.due_latest, step.approval) for step in self.steps)


@lru_cache(maxsize=8192)
def _day_of_last(due: datetime) -> datetime:
    """When the last day of a term begins that ends then."""
    last = last_day_of(due)
    return datetime(last.year, last.month, last.day, tzinfo=BEIJING)


def _proven(event: ChainEvent) -> datetime:
    return event.admitted_at


def _answer(event: ChainEvent | None) -> Answer | None:
    return None if event is None else Answer(claimed_time(event), event.admitted_at)
