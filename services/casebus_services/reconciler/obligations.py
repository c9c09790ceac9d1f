"""The duties of a chain: which clocks started, who owes what until when, and how each duty stands."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from casebus_schemas.ids import bus_id
from casebus_schemas.law import Answer, Clock, Reading, State, clocks_opened_by, standing
from casebus_schemas.law.calendar import BEIJING, beijing_day, beijing_text, in_beijing
from casebus_schemas.law.clocks import Version
from casebus_schemas.law.standing import last_day_of
from casebus_schemas.law.terms import COUNTABLE, Precision, due_earliest, due_latest, readings

from .chain import ChainEvent
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

    `met_by` is the event that answers it, `moot_by` the one that ends it without an answer; `approvals` are
    the approvals of an extension, in order.
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
        return standing(now, self.readings, met=_answer(self.met_by), moot=_answer(self.moot_by))

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

    def to_json(self, now: datetime) -> dict[str, Any]:
        """The obligation as in records.md 5."""
        answer = _answer(self.met_by)
        return {
            "id": str(self.id),
            "rule": self.clock.id,
            "chain": self.cause.chain,
            "owed_by": self.owed_by,
            "owed_to": list(self.owed_to),
            "duty": list(self.clock.duty),
            "cause": self.cause.digest.hex(),
            "started_at": beijing_text(self.started_at),
            "due_earliest": beijing_text(due_earliest(self.readings)),
            "due_latest": beijing_text(due_latest(self.readings)),
            "readings": [reading.to_json() for reading in self.readings],
            "ladder": self._ladder(),
            "state": self.state(now),
            "met": {
                "by_claim": beijing_text(answer.by_claim),
                "provably": beijing_text(answer.provably),
            }
            if answer
            else None,
        }

    def _ladder(self) -> list[dict[str, Any]]:
        if not self.version.is_ladder:
            return []
        return [
            {
                "step": step.step,
                "due_latest": beijing_text(step.due_latest),
                "needs": f"{self.clock.approval}{{level: {step.needs}}}" if step.needs else None,
            }
            for step in self.steps
        ]


def obligations(folded: Folded, law_of: date | None = None) -> list[Obligation]:
    """Every duty of the chain, in the order of the events that started them.

    Under the texts in force when each clock started, or those of another day.
    """
    return [duty for start in starts(folded, law_of) if start.countable for duty in _started(start, folded)]


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


def starts(folded: Folded, law_of: date | None = None) -> Iterator[Start]:
    """Every clock that the chain's events started, under the law of then or of another day."""
    corrected = {event.digest: event for event in folded.standing}
    for said in folded.order:
        # A withdrawn cause keeps its duties, as moot: what was announced must not vanish.
        if said.digest not in corrected and said.digest not in folded.withdrawn:
            continue
        event = corrected.get(said.digest, said)
        for clock in clocks_opened_by(event.type):
            if clock.when is not None and not clock.when.holds(event.data):
                continue
            at, precision = _start(clock, event)
            version = None if at is None else clock.in_force(law_of or beijing_day(at))
            if at is not None and version is not None:
                yield Start(clock, version, event, at, precision)


def _started(start: Start, folded: Folded) -> Iterator[Obligation]:
    clock, version, cause = start.clock, start.version, start.cause
    steps = tuple(
        Step(
            rung.step, readings(start.at, rung.limit, version.readings, precision=start.precision), rung.needs
        )
        for rung in version.rungs
    )
    for owed_by, owed_to in _parties(clock, cause):
        approvals = _approvals(clock, cause, owed_by, folded)
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
            met_by=cause if clock.met_by_cause else _met_by(clock, cause, owed_by, folded),
            moot_by=_moot_by(clock, cause, folded),
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


def _met_by(clock: Clock, cause: ChainEvent, owed_by: str, folded: Folded) -> ChainEvent | None:
    return next(
        (
            event
            for event in _after(cause, folded)
            if event.type in clock.duty and event.agency == owed_by and _belongs(event, cause, folded)
        ),
        None,
    )


def _moot_by(clock: Clock, cause: ChainEvent, folded: Folded) -> ChainEvent | None:
    withdrawal = folded.withdrawn.get(cause.digest)
    if withdrawal is not None:
        return folded.by_digest[withdrawal]
    for event in _after(cause, folded, said=True):
        if (
            event.type in clock.moot_by
            and event.digest not in folded.withdrawn
            and _belongs(event, cause, folded)
        ):
            return event
    return None


def _approvals(clock: Clock, cause: ChainEvent, owed_by: str, folded: Folded) -> tuple[ChainEvent, ...]:
    if clock.approval is None:
        return ()
    return tuple(
        event
        for event in _after(cause, folded)
        if event.type == clock.approval and event.agency == owed_by and _belongs(event, cause, folded)
    )


def _rung(version: Version, approvals: Sequence[ChainEvent]) -> int:
    levels = {event.data.get("level") for event in approvals}
    lifted = [index for index, rung in enumerate(version.rungs) if rung.needs in levels and rung.needs]
    return max([version.base_rung(), *lifted])


def _after(cause: ChainEvent, folded: Folded, *, said: bool = False) -> Iterable[ChainEvent]:
    """Events behind the cause in the chain's order; with `said` also those that no longer stand."""
    place = {event.digest: index for index, event in enumerate(folded.order)}
    start = place[cause.digest]
    for event in folded.order if said else folded.standing:
        if place[event.digest] > start:
            yield event


def _belongs(event: ChainEvent, cause: ChainEvent, folded: Folded) -> bool:
    """Whether an event belongs to this cause and not to a like one of the same chain.

    It does if following its `in_reply_to` meets the cause or what the cause itself answers; one that meets
    another start of the same kind does not; one that is tied to neither does.
    """
    own = {cause.digest, *_thread(cause, folded)}
    thread = {event.digest, *_thread(event, folded)}
    withdraws = event.withdraws
    if withdraws is not None:
        thread.add(folded.origin_of(withdraws))
    if thread & own:
        return True
    likes = [like for like in folded.order if like.type == cause.type and like.digest != cause.digest]
    return not any(thread & {like.digest, *_thread(like, folded)} for like in likes)


def _thread(event: ChainEvent, folded: Folded) -> list[bytes]:
    """Digests of what it answers, what that answers, and so on; corrections count as what they correct."""
    found: list[bytes] = []
    request = folded.request_of(event)
    while request is not None:
        digest = folded.origin_of(request.digest)
        if digest in found:
            break
        found.append(digest)
        request = folded.request_of(folded.by_digest[digest])
    return found


def _answer(event: ChainEvent | None) -> Answer | None:
    return None if event is None else Answer(event.occurred_at, event.admitted_at)
