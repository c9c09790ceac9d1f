"""The clocks of the law as values; clocks/README.md says what each part of a file means."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any, Literal

from casebus_schemas.errors import UsageError
from casebus_schemas.texts.sentence import Sentence

from .limits import ReadingName

Kind = Literal["duty", "right"]
PartyKind = Literal["speaker", "addressees", "role", "outsider"]

RECEIPTS = ("receipt.delivered", "receipt.signed")
"""What says that somebody has an event: a term that starts at receipt starts with the first of them."""
STANDARDS = "standards"
"""What an amount may have to reach: the filing standards of all articles."""
SIGNED = RECEIPTS[1]
"""What an officer says with his name."""


OVERDUE, SILENCE, UNSTARTED, UNANSWERED, UNVERIFIED = "R10", "R02", "R14", "R15", "R50"
"""The rules that say that a duty is late: of a term of the law, of what is practice only, of a case that no
desk has passed on to the administrative one, of an opinion of the procuratorate that nobody answers, and of
what nobody has looked at."""
FOUND_BY = (OVERDUE, SILENCE, UNSTARTED, UNANSWERED, UNVERIFIED)


@dataclass(frozen=True, slots=True)
class Article:
    """Where a rule stands."""

    instrument: str
    article: str

    def to_json(self) -> dict[str, str]:
        """As in `law` and `legal_basis` of records.md."""
        return {"instrument": self.instrument, "article": self.article}


@dataclass(frozen=True, slots=True)
class Instrument:
    """A text that is cited: from when to when it is in force, and whether it is law or agreed on for the bus.

    `until` is the first day on which it is not in force any more, None while it is.
    """

    title: Sentence
    in_force: date
    verified: bool
    is_law: bool
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether it is in force on that day."""
        return self.in_force <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Condition:
    """What the starting event must be like: one of some values in a data field, or who says it (a role).

    With `reaches` an amount that it states must reach every filing standard of the day of the act.
    """

    field: str | None
    values: tuple[object, ...]
    speaker: str | None
    reaches: bool = False

    def holds(self, data: Mapping[str, Any], roles: Collection[str], said_on: date) -> bool:
        """Whether it does, said on that day; an absent field has the value None."""
        if self.reaches:
            from .thresholds import reached_by  # which imports this module

            return reached_by(data, said_on) is not None
        if self.speaker is not None and self.speaker not in roles:
            return False
        return self.field is None or data.get(self.field) in self.values

    @property
    def text(self) -> str:
        """The condition in words, as `competent = false`."""
        if self.reaches:
            return "an amount reaches every filing standard"
        if self.field is None:
            return f"speaker = {self.speaker}"
        return f"{self.field} = " + " | ".join(str(value).lower() for value in self.values)

    def to_json(self) -> dict[str, object]:
        """The condition, for `casebus law show`."""
        if self.reaches:
            return {"reaches": STANDARDS}
        if self.field is None:
            return {"speaker": self.speaker}
        return {"field": self.field, "one_of": list(self.values)}


@dataclass(frozen=True, slots=True)
class PartyName:
    """How a clock names who owes or is owed.

    `speaker` and `addressees` are those of the starting event, with `units` down to the unit; a `role`, and
    maybe a unit of it; an `outsider` is whom a data field of the starting event names.
    """

    kind: PartyKind
    role: str | None = None
    unit: str | None = None
    field: str | None = None
    units: bool = False

    @property
    def text(self) -> str:
        """As the file says it."""
        if self.kind == "outsider":
            return f"outsider named in {self.field}"
        if self.kind == "role":
            return f"{self.role}/{self.unit}" if self.unit else str(self.role)
        return f"{self.kind}/unit" if self.units else self.kind


@dataclass(frozen=True, slots=True)
class Begin:
    """One way in which a clock starts: the type, from when it counts, under which conditions and law.

    `answers` are types of which it must answer one, be it through others; none are asked for if it is empty.
    Where agencies with all of the roles `unless_told` were told of the event, it starts nothing.
    """

    on: str
    owed_by: PartyName
    owed_to: PartyName
    at_receipt: bool = False
    at_delivery: bool = False
    field: str | None = None
    required: bool = False
    when: tuple[Condition, ...] = ()
    since: date | None = None
    until: date | None = None
    answers: tuple[str, ...] = ()
    unless_told: tuple[str, ...] = ()

    def fits(self, data: Mapping[str, Any], roles: Collection[str], said_on: date) -> bool:
        """Whether an event with these facts, said by somebody with these roles, starts the clock."""
        if self.required and data.get(self.field or "") is None:
            return False
        return all(condition.holds(data, roles, said_on) for condition in self.when)

    def in_force(self, day: date) -> bool:
        """Whether the clock could start in this way on a day."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder: its limit from the start, how it may be counted, the approval that it needs.

    `when` says for which starting events the rung is there at all.
    """

    step: str
    limit: str
    needs: str | None
    readings: tuple[ReadingName, ...]
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """What lifts a limit: an event of this type, by the debtor (None) or by a role, its level in a field."""

    type: str
    by: str | None
    level: str


@dataclass(frozen=True, slots=True)
class Suspension:
    """Between an event of `begins` and the next one of `ends` the term stands still."""

    begins: tuple[str, ...]
    ends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Absence:
    """The term starts only when this span has gone by without an event of these types."""

    of: tuple[str, ...]
    span: str


@dataclass(frozen=True, slots=True)
class Version:
    """A text of the rule in force from `since` up to, not including, `until`.

    A rule without a ladder has one rung, `limit`. `last_day` is the field of the starting event that may name
    the last day in place of the limit.
    """

    since: date
    until: date | None
    since_verified: bool
    rungs: tuple[Rung, ...]
    source: tuple[Article, ...]
    verified: bool
    is_ladder: bool
    last_day: str | None = None
    _base: list[int] = field(default_factory=list, init=False, compare=False, repr=False)

    def base_rung(self) -> int:
        """Index of the highest rung that needs no approval: it is in force until one is given."""
        if not self._base:
            self._base.append(max(index for index, rung in enumerate(self.rungs) if rung.needs is None))
        return self._base[0]

    def for_event(self, data: Mapping[str, Any], roles: Collection[str], day: date) -> "Version | None":
        """The version with the rungs that are there for such a starting event; None if none is."""
        if not any(rung.when for rung in self.rungs):
            return self
        rungs = tuple(r for r in self.rungs if all(condition.holds(data, roles, day) for condition in r.when))
        if rungs == self.rungs:
            return self
        return replace(self, rungs=rungs) if any(rung.needs is None for rung in rungs) else None


@dataclass(frozen=True, slots=True)
class Clock:
    """A duty, or a right, with its limit: what starts it, who owes what to whom, what meets or ends it.

    `restart_fields` are the fields that name from when a restart counts, by its type. `touched_by` are all
    types of events that can start it or change one of its duties.
    """

    id: str
    title: Sentence
    kind: Kind
    begins: tuple[Begin, ...]
    restarted_by: tuple[str, ...]
    restart_fields: Mapping[str, str]
    duty: tuple[str, ...]
    moot_by: tuple[str, ...]
    met_by_cause: bool
    owed_by: PartyName
    owed_to: PartyName
    for_each_suspect: bool
    approval: Approval | None
    suspension: Suspension | None
    absence: Absence | None
    at_most: int | None
    versions: tuple[Version, ...]
    touched_by: frozenset[str]
    found_by: str = OVERDUE
    ended_by: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """The types that end it without an answer, or begin it anew, each once."""
    silenced_by: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """These, and the types whose absence it waits for."""

    def __post_init__(self) -> None:
        """Joins the types once: every duty of the clock asks for them."""
        ended_by = tuple(dict.fromkeys((*self.moot_by, *self.restarted_by)))
        of = self.absence.of if self.absence else ()
        object.__setattr__(self, "ended_by", ended_by)
        object.__setattr__(self, "silenced_by", tuple(dict.fromkeys((*ended_by, *of))))

    @property
    def starts_on(self) -> tuple[str, ...]:
        """The types that start it by themselves, each once."""
        return tuple(dict.fromkeys(begin.on for begin in self.begins))

    def in_force(self, day: date) -> Version | None:
        """The text in force on a day, None where there was none."""
        for version in self.versions:
            if version.since <= day and (version.until is None or day < version.until):
                return version
        return None

    def needs(self, level: str | None) -> str | None:
        """The approval of a level as the records write it: the type and the field's value."""
        if level is None or self.approval is None:
            return None
        return f"{self.approval.type}{{{self.approval.level}: {level}}}"


class ClockTable:
    """Clocks by id, and by the types of events that start, meet or touch them."""

    def __init__(self, clocks: Iterable[Clock], instruments: Mapping[str, Instrument]) -> None:
        self.by_id = {clock.id: clock for clock in clocks}
        self.instruments = instruments
        self._opened = self._by_type(lambda clock: (*clock.starts_on, *clock.restarted_by))
        self._met = self._by_type(lambda clock: clock.duty)
        self._touched = self._by_type(lambda clock: clock.touched_by)

    def opened_by(self, event_type: str) -> tuple[Clock, ...]:
        """Clocks that an event of this type may start or start again."""
        return self._opened.get(event_type, ())

    def met_by(self, event_type: str) -> tuple[Clock, ...]:
        """Clocks whose duty an event of this type is."""
        return self._met.get(event_type, ())

    def touched_by(self, event_type: str) -> tuple[Clock, ...]:
        """Clocks of which an event of this type may start, meet, end or change a duty."""
        return self._touched.get(event_type, ())

    def find(self, clock_id: str) -> Clock:
        """A clock by its id. Raises UsageError naming the known ones."""
        if clock_id not in self.by_id:
            raise UsageError("no such clock", found=repr(clock_id[:20]), expected=", ".join(self.by_id))
        return self.by_id[clock_id]

    def _by_type(self, types_of: Callable[[Clock], Iterable[str]]) -> dict[str, tuple[Clock, ...]]:
        found: dict[str, tuple[Clock, ...]] = {}
        for clock in self.by_id.values():
            for event_type in dict.fromkeys(types_of(clock)):
                found[event_type] = (*found.get(event_type, ()), clock)
        return found


@cache
def clock_table() -> ClockTable:
    """The clocks of this package, read once for the process."""
    from .clock_files import package_table

    return package_table()


def instruments() -> Mapping[str, Sentence]:
    """Short name of an instrument -> its title."""
    return {name: instrument.title for name, instrument in clock_table().instruments.items()}


def clocks() -> Mapping[str, Clock]:
    """Every clock of this package by its id, in the order of the ids."""
    return clock_table().by_id


def is_verified(clock_id: str, day: date) -> bool | None:
    """Whether the limit that a clock had on a day was read in a text of the law; None where there is none.

    What is practice and no law was read in none.
    """
    clock = clock_table().by_id.get(clock_id)
    version = None if clock is None else clock.in_force(day)
    return None if version is None else version.verified


def opened_by(event_type: str) -> tuple[Clock, ...]:
    """As `ClockTable.opened_by`, of this package's clocks."""
    return clock_table().opened_by(event_type)


def met_by(event_type: str) -> tuple[Clock, ...]:
    """As `ClockTable.met_by`, of this package's clocks."""
    return clock_table().met_by(event_type)


def touched_by(event_type: str) -> tuple[Clock, ...]:
    """As `ClockTable.touched_by`, of this package's clocks."""
    return clock_table().touched_by(event_type)


def find_clock(clock_id: str) -> Clock:
    """As `ClockTable.find`, of this package's clocks."""
    return clock_table().find(clock_id)
