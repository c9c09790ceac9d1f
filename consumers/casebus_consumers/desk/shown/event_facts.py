"""What an event says, fact by fact, as an officer reads it; personal data masked unless they were opened."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casebus_consumers.desk.masking import masked_name, masked_text
from casebus_consumers.desk.words import Words
from casebus_consumers.event_texts import TEXTS
from casebus_schemas.times import RFC_3339

from .labels import label_of, plain_text
from .names import charge_text

_NOT_FACTS = frozenset({"envelope", "sealed", "findings", "obligations"})
_NAMES = frozenset({"name", "suspect", "owner", "person"})
_MOST = 60
"""Facts of a list that are shown."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact; `several` where it has lines of its own."""

    label: str
    lines: Sequence[str]


def facts_of(event: Mapping[str, Any], w: Words, *, open: bool) -> list[Fact]:
    """The facts of an event of the door, in the order of its schema, without what is empty."""
    data = event["data"]
    envelope = data.get("envelope") or {}
    found = [Fact(w("facts.time"), [_occurred(event, envelope, w)])]
    found.append(Fact(w("facts.from"), [w.agency(event["source"])]))
    for name in ("to", "cc"):
        if envelope.get(name):
            found.append(Fact(w(f"facts.{name}"), [w.listed([w.agency(one) for one in envelope[name]])]))
    if references := envelope.get("local_refs"):
        found.append(Fact(w("facts.references"), [str(one["value"]) for one in references]))
    if law := envelope.get("legal_basis"):
        found.append(Fact(w("facts.law"), [w.law(one["instrument"], one.get("article")) for one in law]))
    for name, value in data.items():
        if name not in _NOT_FACTS and value not in (None, [], {}, ""):
            found.append(Fact(label_of(name, event["type"], w), list(_lines(name, value, w, open))))
    if data.get("sealed") is not None:
        found.append(Fact(w("facts.sealed"), [w("facts.sealed_note")]))
    return found


def _occurred(event: Mapping[str, Any], envelope: Mapping[str, Any], w: Words) -> str:
    moment = datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    said = w.day(moment) if envelope.get("precision") == "day" else w.time(moment)
    return said + (f"{w.gap}{w('facts.assumed')}" if envelope.get("date_basis") == "assumed" else "")


def _lines(name: str, value: Any, w: Words, open: bool) -> Iterator[str]:
    values = value if isinstance(value, list) else [value]
    for one in values[:_MOST]:
        yield _one(name, one, w, open)
    if len(values) > _MOST:
        yield w("facts.more", n=len(values) - _MOST)


def _one(name: str, value: Any, w: Words, open: bool) -> str:
    if name == "charges" and isinstance(value, Mapping):
        return w.gap.join(
            part
            for part in (str(value.get("suspect") or ""), charge_text(value.get("article"), w, long=True))
            if part
        )
    if name == "amounts" and isinstance(value, Mapping):
        return amount_text(value, w)
    if name == "suspects" and isinstance(value, Mapping):
        called = str(value.get("name") or "–")
        return f"{called if open else masked_name(called)}{w.gap}{value.get('ref') or ''}".strip()
    if isinstance(value, Mapping):
        parts = [
            f"{label_of(key, None, w)} {_one(key, one, w, open)}"
            for key, one in value.items()
            if one not in (None, [], {}, "")
        ]
        return w.gap.join(parts)
    if isinstance(value, list):
        return w.listed([_one(name, one, w, open) for one in value[:_MOST]])
    return _plain(name, value, w, open)


def _plain(name: str, value: Any, w: Words, open: bool) -> str:
    text = plain_text(value, w)
    if isinstance(value, str) and RFC_3339.fullmatch(value):
        return w.time(datetime.fromisoformat(value.replace("Z", "+00:00")))
    if open:
        return text
    return (
        masked_name(text)
        if name in _NAMES
        else masked_text(text)
        if name in TEXTS or len(text) > 10
        else text
    )


def amount_text(amount: Mapping[str, Any], w: Words) -> str:
    """A figure with its basis and period."""
    said = f"{w.word('basis', amount['basis'])} {w.money(amount['value'], amount['currency'])}"
    return f"{said}{w.gap}{period_text(amount['period'], w)}" if amount.get("period") else said


def period_text(period: Mapping[str, Any], w: Words) -> str:
    """From a day to a day; whole months without their days."""
    begin, end = str(period["from"]), str(period["to"])
    return f"{begin} – {end}"
