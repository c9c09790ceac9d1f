"""The clocks of the law as values read from clocks.yaml."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

import yaml

from casebus_schemas.errors import UsageError
from casebus_schemas.texts.sentence import Sentence

from .terms import READINGS_OF_UNIT, ReadingName, Term


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder: its limit from the start, and the level of approval it needs (None: none)."""

    step: str
    limit: str
    needs: str | None


@dataclass(frozen=True, slots=True)
class Article:
    """Where a rule stands."""

    instrument: str
    article: str

    def to_json(self) -> dict[str, str]:
        """As in `law` and `legal_basis` of records.md."""
        return {"instrument": self.instrument, "article": self.article}


@dataclass(frozen=True, slots=True)
class Condition:
    """A data field of the starting event and the value it must have."""

    field: str
    equals: object

    def holds(self, data: Mapping[str, Any]) -> bool:
        """Whether the data has that value; an absent field has it only where None is asked for."""
        return bool(data.get(self.field) == self.equals)


@dataclass(frozen=True, slots=True)
class Version:
    """A text of the rule in force from `since` up to, not including, `until`.

    A rule without a ladder has one rung, `limit`.
    """

    since: date
    until: date | None
    since_verified: bool
    rungs: tuple[Rung, ...]
    readings: tuple[ReadingName, ...]
    source: tuple[Article, ...]
    verified: bool
    is_ladder: bool

    def base_rung(self) -> int:
        """Index of the highest rung that needs no approval: it is in force until one is given."""
        return max(index for index, rung in enumerate(self.rungs) if rung.needs is None)


@dataclass(frozen=True, slots=True)
class Clock:
    """A duty with its limit: what starts it, who owes what to whom, what meets or ends it.

    `touched_by` are all types of events that can start it or change one of its duties.
    """

    id: str
    title: Sentence
    on: str
    start_field: str | None
    start_required: bool
    when: Condition | None
    duty: tuple[str, ...]
    moot_by: tuple[str, ...]
    met_by_cause: bool
    owed_by: str
    owed_to: str
    approval: str | None
    versions: tuple[Version, ...]
    touched_by: frozenset[str]

    def in_force(self, day: date) -> Version | None:
        """The text in force on a day, None where there was none."""
        for version in self.versions:
            if version.since <= day and (version.until is None or day < version.until):
                return version
        return None

    def to_json(self) -> dict[str, object]:
        """The clock and its sources, for `casebus law show`."""
        names = instruments()
        return {
            "id": self.id,
            "title": self.title.text,
            "starts_on": self.on,
            "starts_from": self.start_field or "time",
            "condition": {"field": self.when.field, "equals": self.when.equals} if self.when else None,
            "duty": list(self.duty),
            "owed_by": self.owed_by,
            "owed_to": self.owed_to,
            "moot_by": list(self.moot_by),
            "versions": [
                {
                    "since": version.since.isoformat(),
                    "until": version.until.isoformat() if version.until else None,
                    "since_verified": version.since_verified,
                    "limits": [
                        {"step": rung.step, "limit": rung.limit, "needs": _needs(self.approval, rung.needs)}
                        for rung in version.rungs
                    ],
                    "readings": list(version.readings),
                    "source": [
                        {**article.to_json(), "title": names[article.instrument].text}
                        for article in version.source
                    ],
                    "verified": version.verified,
                }
                for version in self.versions
            ],
        }


def _needs(approval: str | None, level: str | None) -> str | None:
    return f"{approval}{{level: {level}}}" if level else None


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    text = files(__package__).joinpath("clocks.yaml").read_text(encoding="utf-8")
    return cast(dict[str, Any], yaml.safe_load(text))


@lru_cache(maxsize=1)
def instruments() -> Mapping[str, Sentence]:
    """Short name of an instrument -> its title."""
    return {key: Sentence(title["zh"], title["en"]) for key, title in _document()["instruments"].items()}


@lru_cache(maxsize=1)
def clocks() -> Mapping[str, Clock]:
    """Every clock by its id, in the order of the table."""
    return {entry["id"]: _clock(entry) for entry in _document()["clocks"]}


def opened_by(event_type: str) -> tuple[Clock, ...]:
    """Clocks that an event of this type may start."""
    return _by_type(_starting).get(event_type, ())


def met_by(event_type: str) -> tuple[Clock, ...]:
    """Clocks whose duty an event of this type is."""
    return _by_type(_meeting).get(event_type, ())


def touched_by(event_type: str) -> tuple[Clock, ...]:
    """Clocks of which an event of this type may start, meet, end or change a duty."""
    return _by_type(_touching).get(event_type, ())


def _starting(clock: Clock) -> Iterable[str]:
    return (clock.on,)


def _meeting(clock: Clock) -> Iterable[str]:
    return clock.duty


def _touching(clock: Clock) -> Iterable[str]:
    return clock.touched_by


@lru_cache(maxsize=3)
def _by_type(types_of: Callable[[Clock], Iterable[str]]) -> Mapping[str, tuple[Clock, ...]]:
    found: dict[str, tuple[Clock, ...]] = {}
    for clock in clocks().values():
        for event_type in types_of(clock):
            found[event_type] = (*found.get(event_type, ()), clock)
    return found


def find_clock(clock_id: str) -> Clock:
    """A clock by its id. Raises UsageError naming the known ones."""
    known = clocks()
    if clock_id not in known:
        raise UsageError("no such clock", found=repr(clock_id[:20]), expected=", ".join(known))
    return known[clock_id]


def _clock(entry: Mapping[str, Any]) -> Clock:
    when = entry.get("when")
    approval = [entry["approval"]] if "approval" in entry else []
    return Clock(
        id=entry["id"],
        title=Sentence(entry["title"]["zh"], entry["title"]["en"]),
        on=entry["starts_on"],
        start_field=entry.get("starts_from"),
        start_required=entry.get("starts_from_required", False),
        when=Condition(when["field"], when["equals"]) if when else None,
        duty=tuple(entry["duty"]),
        moot_by=tuple(entry.get("moot_by", ())),
        met_by_cause=entry.get("met_by_cause", False),
        owed_by=entry["owed_by"],
        owed_to=entry["owed_to"],
        approval=entry.get("approval"),
        versions=tuple(_version(version) for version in entry["versions"]),
        touched_by=frozenset([entry["starts_on"], *entry["duty"], *entry.get("moot_by", ()), *approval]),
    )


def _version(entry: Mapping[str, Any]) -> Version:
    ladder = entry.get("ladder")
    rungs = (
        tuple(Rung(rung["step"], rung["limit"], rung.get("needs")) for rung in ladder)
        if ladder
        else (Rung("limit", entry["limit"], None),)
    )
    readings = tuple(entry["readings"])
    for rung in rungs:
        possible = READINGS_OF_UNIT[Term.parse(rung.limit).unit]
        if not set(readings) <= set(possible):
            raise UsageError("clocks.yaml admits an impossible reading", found=readings, expected=possible)
    return Version(
        since=entry["since"],
        until=entry.get("until"),
        since_verified=entry["since_verified"],
        rungs=rungs,
        readings=cast(tuple[ReadingName, ...], readings),
        source=tuple(Article(article["instrument"], article["article"]) for article in entry["source"]),
        verified=entry["verified"],
        is_ladder=bool(ladder),
    )
