"""The event types of events.yaml: who says each, who hears of it, and what it means for a case."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from casebus_schemas.agencies import Members
from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import entries, known_keys, read_yaml, text, texts
from casebus_schemas.texts.sentence import Sentence

FILE = "events.yaml"
STATES = "states"
QUIET, MOST_QUIET_DAYS = "quiet_days", 3660
RECEIPTS = "receipts"
"""The channel of what the bus says on `receipt.<agency>`: the one exception to topic = speaker + channel."""

NONE = "none"
"""What the file says where there is nothing to say, so that nothing is forgotten in silence."""

About = Literal["listed", "case", "bus", "none"]
"""What it lists; what it lists, or all of the case where it lists none; the bus; none of these."""

_MEANING = ("brings_to", "about", "lists_suspects", "corrected_by", "statistics")
_REQUIRED = ("channel", "speakers", *_MEANING, "zh", "en")
_OPTIONAL = ("answers", "by_law", "names", "ends", "brings_by", "from", "elsewhere", "basis")

Named = Literal["to", "corrects", "withdraws"]
"""What of its envelope a type may have to fill."""

Ends = Literal["always", "elsewhere"]
"""When a type ends its matter: whenever it is said, or where it says that the matter goes on in another."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One entry of events.yaml.

    `speakers` agencies that may say it; `answers` types that its `in_reply_to` may name (`*` = any); `by_law`
    agencies that hear of it beside `to` and `cc`, on the `basis` of these texts; both stand in the file as
    roles. `brings_to` the state into which it brings what it is `about`, `brings_by` the states into which it
    does so by the values of one of its fields, and only what is in one of the states `moves_from`, if any are
    said (`disputed_elsewhere`: said of another state it is disputed); `lists_suspects` whether its speaker
    says with it who the suspects of the case are; `corrected_by` the type that corrects its facts;
    `statistics` the words of statistics/measures.py under which it is counted. `names` are fields of the
    envelope of which it must fill at least one, `ends` when it ends the matter with all its duties.
    """

    type: str
    channel: str
    speakers: frozenset[str]
    answers: tuple[str, ...]
    by_law: tuple[str, ...]
    brings_to: str | None
    about: About
    lists_suspects: bool
    corrected_by: str | None
    statistics: tuple[str, ...]
    title: Sentence
    names: tuple[Named, ...] = ()
    ends: Ends | None = None
    moves_from: tuple[str, ...] = ()
    disputed_elsewhere: bool = False
    basis: tuple[str, ...] = ()
    brings_by: tuple[str, Mapping[str, str]] | None = None

    def brings(self, data: Mapping[str, Any]) -> str | None:
        """The state into which an event with these facts brings what it is about."""
        if self.brings_by is None:
            return self.brings_to
        field, states = self.brings_by
        return states.get(str(data.get(field)), self.brings_to)

    @property
    def leads_to(self) -> frozenset[str]:
        """All states into which it may bring something."""
        by = () if self.brings_by is None else self.brings_by[1].values()
        return frozenset((*by, *((self.brings_to,) if self.brings_to is not None else ())))

    @property
    def title_zh(self) -> str:
        """What it is called in Chinese."""
        return self.title.zh

    @property
    def title_en(self) -> str:
        """What it is called in English."""
        return self.title.en

    @property
    def family(self) -> str:
        """The word before the dot."""
        return self.type.partition(".")[0]

    def topic(self, speaker: str) -> str:
        """Topic on which this speaker says it; for receipts of the bus `speaker` is the agency told."""
        return f"receipt.{speaker}" if self.channel == RECEIPTS else f"{speaker}.{self.channel}"

    def may_answer(self, type: str) -> bool:
        """Whether an event of this type may answer one of the given type."""
        return type in self.answers or "*" in self.answers


@dataclass(frozen=True, slots=True)
class EventList:
    """All of events.yaml: the states of a case, from the first to the furthest, and the types by name.

    `quiet_days` says after how many days without an event a case in a state is asleep; states in which
    nothing need come any more are not in it.
    """

    states: Mapping[str, Sentence]
    types: Mapping[str, EventType]
    quiet_days: Mapping[str, int]


def read_event_types(source: str, members: Members) -> EventList:
    """Reads the text of an events.yaml, its roles standing for these members.

    Raises UsageError naming the type that says too little, too much, or what is not known.
    """
    whole = read_yaml(FILE, source)
    listed = dict(whole or {})
    said = listed.pop(STATES, None)
    listed_states = [] if said is None else list(entries(STATES, said))
    states = {state: _sentence(state, entry) for state, entry in listed_states}
    quiet_days = {state: _days(state, entry[QUIET]) for state, entry in listed_states if entry[QUIET] != NONE}
    types = {name: _event_type(name, entry, members, states) for name, entry in listed.items()}
    for event in types.values():
        _check_references(event, types)
    return EventList(states, types, quiet_days)


def _sentence(state: str, entry: Any) -> Sentence:
    where = f"{FILE}: state {state}"
    known_keys(where, entry, required=("zh", "en", QUIET))
    return Sentence(text(where, "zh", entry["zh"]), text(where, "en", entry["en"]))


def _days(state: str, said: Any) -> int:
    if not isinstance(said, int) or isinstance(said, bool) or not 1 <= said <= MOST_QUIET_DAYS:
        expected = f"a number of days from 1 to {MOST_QUIET_DAYS}, or {NONE}"
        raise UsageError(f"{FILE}: state {state}: {QUIET}", found=repr(said), expected=expected)
    return said


def _event_type(name: str, entry: Any, members: Members, states: Mapping[str, Sentence]) -> EventType:
    where = f"{FILE}: {name}"
    known_keys(where, entry, required=_REQUIRED, optional=_OPTIONAL)
    about = _one_of(where, "about", entry["about"], get_args(About))
    brings_to = entry["brings_to"]
    if brings_to != NONE:
        _one_of(where, "brings_to", brings_to, states)
        _one_of(where, "about (it brings into a state)", about, ("listed", "case"))
    lists = entry["lists_suspects"]
    if not isinstance(lists, bool):
        raise UsageError(f"{where}: lists_suspects", found=repr(lists), expected="true or false")
    counted = entry["statistics"]
    moves_from = texts(where, "from", entry.get("from", []))
    for state in moves_from:
        _one_of(where, "from", state, states)
    if moves_from and brings_to == NONE:
        raise UsageError(f"{where}: from", found=", ".join(moves_from), expected="only with brings_to")
    brings_by = _brings_by(where, entry["brings_by"], states) if "brings_by" in entry else None
    if brings_by is not None and brings_to == NONE:
        raise UsageError(f"{where}: brings_by", found=brings_by[0], expected="only with brings_to")
    if "basis" in entry and "by_law" not in entry:
        raise UsageError(f"{where}: basis", found=repr(entry["basis"]), expected="only with by_law")
    if "elsewhere" in entry:
        _one_of(where, "elsewhere", entry["elsewhere"], ("disputed",))
        if not moves_from:
            raise UsageError(f"{where}: elsewhere", found="no from", expected="only with from")

    def listed(key: str) -> tuple[str, ...]:
        return texts(where, key, entry.get(key, []))

    return EventType(
        type=name,
        channel=text(where, "channel", entry["channel"]),
        speakers=frozenset(_holders(where, listed("speakers"), members)),
        answers=listed("answers"),
        by_law=_holders(where, listed("by_law"), members),
        brings_to=None if brings_to == NONE else brings_to,
        about=cast(About, about),
        lists_suspects=lists,
        corrected_by=None if entry["corrected_by"] == NONE else entry["corrected_by"],
        statistics=() if counted == NONE else texts(where, "statistics", counted),
        title=Sentence(text(where, "zh", entry["zh"]), text(where, "en", entry["en"])),
        names=tuple(cast(Named, _one_of(where, "names", name, get_args(Named))) for name in listed("names")),
        ends=cast(Ends, _one_of(where, "ends", entry["ends"], get_args(Ends))) if "ends" in entry else None,
        moves_from=moves_from,
        disputed_elsewhere="elsewhere" in entry,
        basis=listed("basis"),
        brings_by=brings_by,
    )


def _brings_by(where: str, said: Any, states: Mapping[str, Sentence]) -> tuple[str, Mapping[str, str]]:
    fields = list(entries(f"{where}: brings_by", said))
    if len(fields) != 1:
        raise UsageError(f"{where}: brings_by", found=repr(said), expected="one field with its values")
    ((field, values),) = fields
    place = f"{where}: brings_by"
    return str(field), {
        str(value): _one_of(place, str(value), state, states) for value, state in entries(place, values)
    }


def _holders(where: str, roles: tuple[str, ...], members: Members) -> tuple[str, ...]:
    try:
        return members.expanded(roles)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", found=error.found, expected=error.expected) from error


def _one_of(where: str, key: str, value: Any, known: Any) -> str:
    if value not in tuple(known):
        raise UsageError(f"{where}: {key}", found=repr(value), expected="one of " + ", ".join(known))
    return str(value)


def _check_references(event: EventType, types: Mapping[str, EventType]) -> None:
    named = {*event.answers, event.corrected_by} - {"*", None}
    unknown = sorted(str(type) for type in named if type not in types)
    if unknown:
        raise UsageError(
            f"{FILE}: {event.type} names a type", found=", ".join(unknown), expected="types of this file"
        )
    correction = types.get(event.corrected_by or "")
    if correction is not None and not (
        correction.speakers & event.speakers and correction.channel == event.channel
    ):
        raise UsageError(
            f"{FILE}: {event.type}: corrected_by",
            found=correction.type,
            expected="a type that one of its speakers may say on the same channel",
        )
