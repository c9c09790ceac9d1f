"""Reads the cases of rules (tests/rules/R30.yaml): events in short form, and what is to be found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import UUID

import yaml

from casebus_schemas.case.chain import ChainEvent
from support.events.signed_events import chain

from .chains import amount, at, charges, digest, event_id, results, say, suspects
from .remedy_cases import REMEDY_FIELDS, remedy_field

FOLDER = Path(__file__).resolve().parents[2] / "rules"
Part = Literal["found", "near_miss", "closes"]
PARTS: tuple[Part, ...] = get_args(Part)

_ENVELOPE = ("replies", "binds", "corrects", "withdraws", "prev", "id_of", "admitted", "precision")
_KEYS = {"case", "now", "scope", "events", "then", "finds", "failing", "head", "again", "refused", "redriven"}
_EXPECTED = {
    "rule",
    "class",
    "severity",
    "state",
    "accounts",
    "events",
    "values",
    "suggestion",
    "law",
    "subject",
    "chain",
    "opened_at",
    "zh",
    "en",
}


@dataclass(frozen=True, slots=True)
class RuleCase:
    """One case of a rule. `then` are events that come later (part `closes`); `finds` is all found at last.

    `given` holds what a rule about arrivals or a failing rule needs besides.
    """

    rule: str
    part: Part
    name: str
    scope: str
    now: str
    events: list[ChainEvent]
    then: list[ChainEvent]
    finds: list[Mapping[str, Any]]
    given: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.rule} {self.part}: {self.name}"


def rule_files() -> dict[str, Path]:
    """The files by the number of their rule."""
    return {file.stem: file for file in sorted(FOLDER.glob("*.yaml"))}


def rule_cases() -> Iterator[RuleCase]:
    """Every case of every file. Raises ValueError for a key that nobody knows."""
    for rule, file in rule_files().items():
        # Everything stays text: figures and days are read by the field that they stand in.
        whole = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        _known(rule, whole, {"events", *PARTS})
        sets = whole.get("events") or {}
        for part in PARTS:
            for entry in whole.get(part, ()):
                yield _case(rule, part, entry, sets)


def _case(rule: str, part: Part, entry: Mapping[str, Any], sets: Mapping[str, Any]) -> RuleCase:
    where = f"{rule} {part} {entry.get('case')}"
    _known(where, entry, _KEYS)
    finds = entry.get("finds", [])
    for expected in finds:
        _known(where, expected, _EXPECTED)
    return RuleCase(
        rule=rule,
        part=part,
        name=entry["case"],
        scope=entry.get("scope", ""),
        now=entry.get("now", "2023-01-01"),
        events=list(_events(where, entry["events"], sets)),
        then=list(_events(where, entry.get("then", ()), sets)),
        finds=finds,
        given=entry,
    )


def _events(where: str, entries: Any, sets: Mapping[str, Any]) -> Iterator[ChainEvent]:
    for entry in entries:
        if isinstance(entry, str):
            yield from _events(where, sets[entry], sets)
        else:
            yield _event(where, dict(entry))


def _event(where: str, entry: dict[str, Any]) -> ChainEvent:
    name, type, when = entry.pop("as"), entry.pop("say"), entry.pop("at")
    options: dict[str, Any] = {key: entry.pop(key) for key in _ENVELOPE if key in entry}
    if "message_class" in entry:
        options["message_class"] = entry.pop("message_class")
    copies = tuple(entry.pop("cc", ()))
    if "chain" in entry:
        options["chain"] = chain(int(entry.pop("chain")))
    event = say(
        name,
        type,
        when,
        agency=entry.pop("by", "csrc"),
        to=tuple(entry.pop("to", ())),
        **options,
        **{field: _value(where, field, value) for field, value in entry.items()},
    )
    if not copies:
        return event
    envelope = {**event.envelope, "cc": list(copies)}
    return replace(event, envelope=envelope, told=event.told.union(copies))


def _value(where: str, field: str, value: Any) -> Any:
    match field:
        case "suspects":
            return [_suspect(number, entry) for number, entry in enumerate(value, 1)]
        case "charges":
            return charges(*(_pair(entry) for entry in value))
        case "results":
            return results(*(_pair(entry) for entry in value))
        case "amounts":
            return [amount(*entry.split()) for entry in value]
        case "figures":
            return [_figure(entry) for entry in value]
        case "received_at" | "as_of" | "approved_at":
            return at(value)
        case "reply_by" | "ends_on":
            return date.fromisoformat(value)
        case "times":
            return int(value)
        case "executed_on" | "discovered_on" | "until":
            return date.fromisoformat(value)
        case "competent" | "complete" | "about_filing":
            return {"true": True, "false": False}[value]
        case "event":
            return digest(value)
        case "finding":
            return event_id(value)
        case "chains":
            return [_count(entry) for entry in value]
        case "parts":
            return [_part(entry) for entry in value]
        case "merged":
            return [_matter(entry) for entry in value]
        case "into":
            return _matter(value)
        case "causes":
            return [digest(entry) for entry in value]
        case "level" | "result" | "case_no" | "reasons" | "title" | "explanation":
            return value
        case "receiver" | "addressee_kind":
            return value
    if field in REMEDY_FIELDS:
        return remedy_field(field, value)
    raise ValueError(f"{where}: nobody reads the field {field}")


def _suspect(number: int, entry: str) -> dict[str, Any]:
    """`姜某君` or, with match tokens, `姜某君 =1 =2`."""
    name, *marks = entry.split()
    tokens = tuple(bytes([int(mark.removeprefix("="))]) * 32 for mark in marks)
    return {**suspects(name, tokens={name: tokens})[0], "ref": f"S{number}"}


def _matter(number: str) -> dict[str, Any]:
    """`2` is the second chain, `-` one that is called by its number only."""
    ref = {"issuer": "mps", "scheme": "case-no", "value": "A9"} if number == "-" else None
    return {"chain": None if ref else UUID(chain(int(number))), "ref": ref}


def _count(entry: str) -> dict[str, Any]:
    """`2 1 3 a b c d`: of the second chain one sent, three received, namely these events."""
    number, sent, received, *names = entry.split()
    held = sha256(b"".join(sorted(map(digest, names)))).digest()
    return {"chain": UUID(chain(int(number))), "sent": int(sent), "received": int(received), "digest": held}


def _part(entry: str) -> dict[str, Any]:
    """`2 S1 S2`: two suspects go to the second chain."""
    number, *refs = entry.split()
    return {"into": _matter(number), "suspects": refs, "unit": None}


def _pair(entry: str) -> tuple[str, str]:
    ref, article = entry.split()
    return ref, article


def _figure(entry: str) -> dict[str, Any]:
    """`F1 3 persons_prosecuted persons 证券犯罪 outcome.prosecuted 2021-01-01..2021-12-31`.

    Two words more make a change or ratio of two figures: `change F1/F2`; `mixed` at the end marks one that is
    meant.
    """
    ref, value, measure, unit, scope, cohort, period, *rest = entry.split()
    since, until = (date.fromisoformat(day) for day in period.split(".."))
    above, below = rest[1].split("/") if len(rest) > 1 else (None, None)
    return {
        "ref": ref,
        "measure": measure,
        "kind": rest[0] if rest else "count",
        "value": Decimal(value),
        "unit": unit,
        "scope": scope,
        "cohort": cohort,
        "period": {"from": since, "to": until},
        "numerator": above or None,
        "denominator": below or None,
        "mixed": "mixed" in rest,
        "source_set": None,
        "version": 1,
    }


def _known(where: str, entry: Mapping[str, Any], keys: set[str]) -> None:
    if unknown := entry.keys() - keys:
        raise ValueError(f"{where}: nobody reads {sorted(unknown)}; known are {sorted(keys)}")
