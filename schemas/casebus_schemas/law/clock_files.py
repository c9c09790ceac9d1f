"""Reads clocks from their files, strictly: what a file cannot mean is refused, with what was expected."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from importlib.resources import files
from typing import Any, cast

from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import entries, known_keys, read_yaml, text, texts
from casebus_schemas.texts.sentence import Sentence

from .clocks import (
    FOUND_BY,
    OVERDUE,
    RECEIPTS,
    SILENCE,
    STANDARDS,
    Absence,
    Approval,
    Article,
    Begin,
    Clock,
    ClockTable,
    Condition,
    Instrument,
    PartyName,
    Rung,
    Suspension,
    Version,
)
from .limits import ReadingName, Term
from .namable import Namable, package_namable

_ID = re.compile(r"DL\d{2}\Z")
_REQUIRED = ("id", "title", "starts", "duty", "owed_by", "owed_to", "values")
_BEGIN_PARTIES = ("unless_told", "owed_by", "owed_to")
_OPTIONAL = (
    *("kind", "restarted_by", "moot_by", "met_by_cause", "for_each", "approval"),
    *("suspended", "absence", "at_most", "found_by"),
)


def clock_table_of(clock_files: Mapping[str, str], instruments: str, namable: Namable) -> ClockTable:
    """The clocks of these files (name -> text) in the order of their ids.

    Raises UsageError naming the file, what was found and what was expected.
    """
    known = dict(_instruments(instruments))
    read = [_File(name, namable, known).clock(clock_files[name]) for name in sorted(clock_files)]
    return ClockTable(read, known)


def package_table() -> ClockTable:
    """The clocks of this package."""
    folder = files(__package__)
    found = {
        entry.name: entry.read_text(encoding="utf-8")
        for entry in (folder / "clocks").iterdir()
        if entry.name.endswith(".yaml")
    }
    return clock_table_of(found, (folder / "instruments.yaml").read_text(encoding="utf-8"), package_namable())


def _instruments(source: str) -> Iterable[tuple[str, Instrument]]:
    where = "instruments.yaml"
    for name, entry in entries(where, read_yaml(where, source)):
        required = ("zh", "en", "in_force", "verified", "law")
        known_keys(f"{where}: {name}", entry, required=required, optional=("until",))
        title = Sentence(text(where, "zh", entry["zh"]), text(where, "en", entry["en"]))
        flags = [_flag(f"{where}: {name}", key, entry[key]) for key in ("verified", "law")]
        since = _day(f"{where}: {name}: in_force", entry["in_force"])
        until = _day(f"{where}: {name}: until", entry["until"]) if "until" in entry else None
        if until is not None and until <= since:
            raise UsageError(
                f"{where}: {name}: until", found=until.isoformat(), expected=f"a day after {since}"
            )
        verified, is_law = flags
        yield name, Instrument(title, since, verified, is_law, until)


class _File:
    """One file of a clock."""

    def __init__(self, name: str, namable: Namable, instruments: Collection[str]) -> None:
        self._name = name
        self._namable = namable
        self._instruments = instruments

    def clock(self, source: str) -> Clock:
        entry = read_yaml(self._name, source)
        known_keys(self._name, entry, required=_REQUIRED, optional=_OPTIONAL)
        clock_id = text(self._name, "id", entry["id"])
        if not _ID.match(clock_id) or f"{clock_id}.yaml" != self._name:
            raise self._refused("its id", clock_id, f"{self._name.removesuffix('.yaml')}, DL and two digits")
        known_keys(f"{self._name}: title", entry["title"], required=("zh", "en"))
        begins = self._begins(entry)
        starting = tuple(dict.fromkeys(begin.on for begin in begins))
        restart_fields = self._restarts(entry.get("restarted_by", []))
        restarted_by = tuple(restart_fields)
        approval = self._approval(entry.get("approval"))
        suspension = self._suspension(entry.get("suspended"))
        absence = self._absence(entry.get("absence"))
        duty = self._types("duty", entry["duty"], some=True)
        moot_by = self._types("moot_by", entry.get("moot_by", []))
        at_most = entry.get("at_most")
        if at_most is not None and (type(at_most) is not int or at_most < 1):
            raise self._refused("at_most", at_most, "a number of 1 or more")
        touching = {*starting, *restarted_by, *duty, *moot_by}
        touching |= {approval.type} if approval else set()
        touching |= {*suspension.begins, *suspension.ends} if suspension else set()
        touching |= set(absence.of) if absence else set()
        touching |= set(RECEIPTS) if any(begin.at_receipt for begin in begins) else set()
        found_by = self._choice("found_by", entry.get("found_by", OVERDUE), FOUND_BY)
        touching |= set(RECEIPTS) if found_by == SILENCE else set()
        return Clock(
            id=clock_id,
            title=Sentence(*(text(self._name, key, entry["title"][key]) for key in ("zh", "en"))),
            kind=self._choice("kind", entry.get("kind", "duty"), ("duty", "right")),
            begins=begins,
            restarted_by=restarted_by,
            restart_fields={kind: field for kind, field in restart_fields.items() if field is not None},
            duty=duty,
            moot_by=moot_by,
            met_by_cause=_flag(self._name, "met_by_cause", entry.get("met_by_cause", False)),
            owed_by=self._party("owed_by", entry["owed_by"], starting),
            owed_to=self._party("owed_to", entry["owed_to"], starting),
            for_each_suspect=self._for_each(entry.get("for_each"), starting),
            approval=approval,
            suspension=suspension,
            absence=absence,
            at_most=at_most,
            versions=self._versions(entry["values"], starting, approval),
            touched_by=frozenset(touching),
            found_by=found_by,
        )

    def _begins(self, entry: Mapping[str, Any]) -> tuple[Begin, ...]:
        if not isinstance(entry["starts"], list) or not entry["starts"]:
            raise self._refused("starts", entry["starts"], "a list of what starts it")
        return tuple(self._begin(start, entry) for start in entry["starts"])

    def _restarts(self, listed: Any) -> dict[str, str | None]:
        """The types that start it again, each with the field that names from when, if one does."""
        if not isinstance(listed, list):
            raise self._refused("restarted_by", listed, "a list of types, or of {event, from}")
        found: dict[str, str | None] = {}
        for one in listed:
            entry = one if isinstance(one, dict) else {"event": one}
            known_keys(f"{self._name}: restarted_by", entry, required=("event",), optional=("from",))
            kind, field = self._type("restarted_by", entry["event"]), entry.get("from")
            if field is not None:
                self._field("restarted_by: from", field, (kind,))
            found[kind] = field
        return found

    def _begin(self, start: Any, entry: Mapping[str, Any]) -> Begin:
        optional = ("at", "from", "required", "when", "answers", "since", "until", *_BEGIN_PARTIES)
        known_keys(f"{self._name}: starts", start, required=("event",), optional=optional)
        on = self._type("starts", start["event"])
        at = self._choice("starts: at", start.get("at", "time"), ("time", "receipt", "delivery"))
        field = start.get("from")
        if field is not None:
            self._field("from", field, (on,))
        required = _flag(self._name, "required", start.get("required", False))
        if (at != "time" and field is not None) or (required and field is None):
            raise self._refused("starts", start, "`at` without `from`, `required` only with `from`")
        days = {key: self._day(key, start[key]) for key in ("since", "until") if key in start}
        return Begin(
            on=on,
            owed_by=self._party("owed_by", start.get("owed_by", entry["owed_by"]), (on,)),
            owed_to=self._party("owed_to", start.get("owed_to", entry["owed_to"]), (on,)),
            at_receipt=at == "receipt",
            at_delivery=at == "delivery",
            field=field,
            required=required,
            when=self._conditions(start.get("when", []), (on,)),
            answers=self._types("starts: answers", start.get("answers", [])),
            unless_told=self._roles("starts: unless_told", start.get("unless_told", [])),
            **days,
        )

    def _conditions(self, listed: Any, on: Collection[str]) -> tuple[Condition, ...]:
        if not isinstance(listed, list):
            raise self._refused("when", listed, "a list of conditions")
        found = []
        optional = ("field", "equals", "one_of", "speaker", "reaches")
        for one in listed:
            known_keys(f"{self._name}: when", one, required=(), optional=optional)
            if "reaches" in one:
                if one != {"reaches": STANDARDS} or any("amounts" not in self._namable.types[k] for k in on):
                    raise self._refused("when", one, f"reaches: {STANDARDS}, of a type with amounts")
                found.append(Condition(None, (), None, reaches=True))
                continue
            field, speaker = one.get("field"), one.get("speaker")
            said = [key for key in ("equals", "one_of") if key in one]
            if (field is None) == (speaker is None) or len(said) != (field is not None):
                raise self._refused("when", one, "a speaker, or a field with equals or one_of")
            if speaker is not None:
                self._role("when", speaker)
                found.append(Condition(None, (), speaker))
                continue
            self._field("when", field, on)
            values = one["one_of"] if said == ["one_of"] else [one["equals"]]
            if not isinstance(values, list) or not values:
                raise self._refused("when: one_of", values, "a list of values")
            for kind in on:
                self._symbols(kind, field, values)
            found.append(Condition(field, tuple(values), None))
        return tuple(found)

    def _party(self, key: str, named: Any, on: Collection[str]) -> PartyName:
        if isinstance(named, dict):
            known_keys(f"{self._name}: {key}", named, required=("outsider",))
            self._field(key, named["outsider"], on)
            return PartyName("outsider", field=named["outsider"])
        who, slash, unit = text(self._name, key, named).partition("/")
        if who in ("speaker", "addressees"):
            if slash and unit != "unit":
                raise self._refused(key, named, f"{who} or {who}/unit")
            return PartyName(cast(Any, who), units=bool(slash))
        self._role(key, who)
        if slash and not unit:
            raise self._refused(key, named, f"{who} or {who}/<unit>")
        return PartyName("role", role=who, unit=unit or None)

    def _for_each(self, value: Any, starting: Collection[str]) -> bool:
        if value is None:
            return False
        self._choice("for_each", value, ("suspect",))
        self._field("for_each", "suspects", starting)
        return True

    def _approval(self, entry: Any) -> Approval | None:
        if entry is None:
            return None
        known_keys(f"{self._name}: approval", entry, required=("type", "by", "level"))
        kind, by = self._type("approval", entry["type"]), text(self._name, "approval: by", entry["by"])
        if by != "debtor":
            self._role("approval: by", by)
        self._field("approval: level", entry["level"], (kind,))
        return Approval(kind, None if by == "debtor" else by, entry["level"])

    def _suspension(self, entry: Any) -> Suspension | None:
        if entry is None:
            return None
        known_keys(f"{self._name}: suspended", entry, required=("from", "to"))
        return Suspension(*(self._types("suspended", entry[key], some=True) for key in ("from", "to")))

    def _absence(self, entry: Any) -> Absence | None:
        if entry is None:
            return None
        known_keys(f"{self._name}: absence", entry, required=("of", "for"))
        if self._term("absence: for", entry["for"]).unit not in ("days", "months"):
            raise self._refused("absence: for", entry["for"], "days or months: P3M")
        return Absence(self._types("absence", entry["of"], some=True), entry["for"])

    def _versions(self, values: Any, on: Collection[str], approval: Approval | None) -> tuple[Version, ...]:
        dated = [(self._day("values", day), value) for day, value in entries(f"{self._name}: values", values)]
        if [day for day, _ in dated] != sorted(day for day, _ in dated):
            raise self._refused("values", ", ".join(str(day) for day, _ in dated), "the oldest first")
        found: list[Version] = []
        ends = [day for day, _ in dated[1:]]
        for (since, value), until in zip(dated, [*ends, None], strict=True):
            if value == {"ends": True} and found:
                continue  # the rule ended on that day: nothing is in force until the next value
            found.append(self._version(since, until, value, on, approval))
        return tuple(found)

    def _version(
        self, since: date, until: date | None, value: Any, on: Collection[str], approval: Approval | None
    ) -> Version:
        where = f"{self._name}: {since}"
        known_keys(
            where,
            value,
            required=("readings", "reference", "verified", "since_verified"),
            optional=("limit", "ladder", "last_day"),
        )
        last_day = value.get("last_day")
        if last_day is not None:
            self._field(f"{since}: last_day", last_day, on)
        if ("limit" in value) == ("ladder" in value):
            raise self._refused(str(since), list(value), "a limit or a ladder")
        ladder = value.get("ladder", [{"step": "limit", "limit": value.get("limit")}])
        if not isinstance(ladder, list) or not ladder:
            raise self._refused(f"{since}: ladder", ladder, "a list of rungs")
        rungs = tuple(self._rung(rung, value["readings"], on, approval) for rung in ladder)
        steps = [rung.step for rung in rungs]
        if len(set(steps)) != len(steps) or all(rung.needs for rung in rungs):
            raise self._refused(f"{since}: ladder", ", ".join(steps), "steps once each, one without approval")
        return Version(
            since=since,
            until=until,
            since_verified=_flag(where, "since_verified", value["since_verified"]),
            rungs=rungs,
            source=self._reference(where, value["reference"]),
            verified=_flag(where, "verified", value["verified"]),
            is_ladder="ladder" in value,
            last_day=last_day,
        )

    def _rung(self, rung: Any, readings: Any, on: Collection[str], approval: Approval | None) -> Rung:
        where = f"{self._name}: ladder"
        known_keys(where, rung, required=("step", "limit"), optional=("needs", "readings", "when"))
        limit, needs = text(where, "limit", rung["limit"]), rung.get("needs")
        admitted = texts(where, "readings", rung.get("readings", readings))
        possible = self._term("limit", limit).readings
        if not admitted or not set(admitted) <= set(possible):
            raise self._refused(
                f"readings of {limit}", ", ".join(admitted) or "none", f"some of {', '.join(possible)}"
            )
        if needs is not None:
            if approval is None:
                raise self._refused(f"rung {rung['step']}: needs", needs, "a clock with `approval`")
            self._symbols(approval.type, approval.level, [needs])
        return Rung(
            step=text(where, "step", rung["step"]),
            limit=limit,
            needs=needs,
            readings=cast(tuple[ReadingName, ...], admitted),
            when=self._conditions(rung.get("when", []), on),
        )

    def _reference(self, where: str, listed: Any) -> tuple[Article, ...]:
        if not isinstance(listed, list) or not listed:
            raise UsageError(f"{where}: reference", found=repr(listed)[:100], expected="a list of articles")
        for entry in listed:
            known_keys(f"{where}: reference", entry, required=("instrument", "article"))
            if entry["instrument"] not in self._instruments:
                raise UsageError(
                    f"{where}: instrument",
                    found=repr(entry["instrument"]),
                    expected="one of instruments.yaml: " + ", ".join(self._instruments),
                )
        return tuple(Article(e["instrument"], text(where, "article", e["article"])) for e in listed)

    def _term(self, key: str, limit: Any) -> Term:
        try:
            return Term.parse(text(self._name, key, limit))
        except UsageError as error:
            raise self._refused(key, limit, "PT24H, P3D, P3WD, P2M, P1M15D or -P7D") from error

    def _types(self, key: str, value: Any, *, some: bool = False) -> tuple[str, ...]:
        listed = texts(self._name, key, value)
        if some and not listed:
            raise self._refused(key, value, "at least one event type")
        return tuple(self._type(key, kind) for kind in listed)

    def _type(self, key: str, kind: Any) -> str:
        if kind not in self._namable.types:
            raise self._refused(key, kind, "an event type of events.yaml")
        return str(kind)

    def _field(self, key: str, field: Any, on: Collection[str]) -> None:
        for kind in on:
            if field not in self._namable.types[kind]:
                raise self._refused(key, field, f"a field of {kind}: {', '.join(self._namable.types[kind])}")

    def _symbols(self, kind: str, field: str, values: Collection[object]) -> None:
        symbols = self._namable.types[kind][field]
        if symbols is not None and not set(values) <= {*symbols, None}:
            raise self._refused(f"{field} of {kind}", list(values), f"some of {', '.join(symbols)}")

    def _role(self, key: str, role: Any) -> None:
        if role not in self._namable.roles:
            raise self._refused(key, role, "a role of agencies.yaml: " + ", ".join(self._namable.roles))

    def _roles(self, key: str, listed: Any) -> tuple[str, ...]:
        roles = texts(self._name, key, listed)
        for role in roles:
            self._role(key, role)
        return roles

    def _choice(self, key: str, value: Any, choices: tuple[str, ...]) -> Any:
        if value not in choices:
            raise self._refused(key, value, " or ".join(choices))
        return value

    def _day(self, key: str, value: Any) -> date:
        return _day(f"{self._name}: {key}", value)

    def _refused(self, key: str, found: object, expected: str) -> UsageError:
        return UsageError(f"{self._name}: {key}", found=repr(found)[:200], expected=expected)


def _day(where: str, value: Any) -> date:
    if type(value) is not date:
        raise UsageError(where, found=repr(value)[:100], expected="a day such as 2018-01-01")
    return value


def _flag(where: str, key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{where}: {key}", found=repr(value)[:100], expected="true or false")
    return value
