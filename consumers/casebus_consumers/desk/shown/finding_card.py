"""A finding as two sides read it: my figure, theirs, where they come from, what was said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from casebus_consumers.desk.masking import masked_name, masked_text
from casebus_consumers.desk.words import Words
from casebus_schemas.rules.register import RULES
from casebus_schemas.texts.symbols import ACCOUNT_FIELDS, times, word

from .event_facts import period_text
from .labels import plain_text
from .names import charge_text

_NAMES = frozenset({"suspects", "missing", "name", "suspect"})


@dataclass(frozen=True, slots=True)
class Side:
    """What one agency states: a figure where it is one, else facts in words; `event` is where it was said."""

    ours: bool
    agency: str
    figure: str | None
    facts: Sequence[tuple[str, str]]
    event: str | None
    source: str
    day: str
    about: str


@dataclass(frozen=True, slots=True)
class Card:
    """All of a finding."""

    title: str
    sides: Sequence[Side]
    difference: str | None
    times: str | None
    in_unit: tuple[str, str] | None
    law: Sequence[str]
    acts: str
    mends: str
    closes: str
    words: Sequence[tuple[str, str, str, str]]


def card_of(
    finding: Mapping[str, Any], events: Mapping[str, Mapping[str, Any]], own: str, w: Words, *, open: bool
) -> Card:
    """`events` are the lines of its case by digest. Own side first."""
    rule = RULES.get(finding["rule"])
    accounts = sorted(finding["accounts"], key=lambda one: one["agency"] != own)
    sides = [_side(one, events, own, w, open) for one in accounts]
    values = [_value(one) for one in accounts]
    figures = [value for value in values if value is not None]
    difference = ratio = None
    if len(figures) == 2 and figures[0] != figures[1]:
        difference = w.figure(abs(figures[0] - figures[1]))
    slip = next((one["value"]["likely_slip"] for one in accounts if _slips(one)), None)
    in_unit = None
    if slip is not None:
        factor = Decimal(slip["factor"])
        ratio = w.say(times(factor)) if factor > 1 else None
        slipped = next(one for one in accounts if _slips(one))
        meant = Decimal(slipped["value"]["value"]) * factor * (-1 if slip.get("sign") else 1)
        in_unit = (w.agency(slipped["agency"]), w.figure(meant))
    return Card(
        title=finding["rule"] if rule is None else w.say(rule.title),
        sides=sides,
        difference=difference,
        times=ratio,
        in_unit=in_unit,
        law=[w.law(one["instrument"], one["article"]) for one in finding["law"]],
        acts="" if rule is None else w.say(rule.acts),
        mends="" if rule is None else w.say(rule.mends),
        closes="" if rule is None else w.say(rule.closes),
        words=[
            (
                w.day(datetime.fromisoformat(said["at"])),
                w.agency(said["agency"]),
                w.word("said", said["said"]),
                masked_text(said["text"] or ""),
            )
            for said in finding.get("words", ())
        ],
    )


def _side(
    account: Mapping[str, Any], events: Mapping[str, Mapping[str, Any]], own: str, w: Words, open: bool
) -> Side:
    line = events.get(account.get("event") or "")
    value = account.get("value")
    about, facts, figure = "", [], None
    if isinstance(value, Mapping) and "basis" in value and "value" in value:
        figure = w.figure(value["value"]) + ("" if value["currency"] == "CNY" else f" {value['currency']}")
        period = period_text(value["period"], w) if value.get("period") else ""
        about = w.gap.join(part for part in (w.word("basis", value["basis"]), period) if part)
    elif isinstance(value, Mapping):
        facts = [
            (_field(name, w), _text(name, one, w, open))
            for name, one in value.items()
            if one not in (None, [], "")
        ]
    elif value is not None:
        facts = [("", _text("", value, w, open))]
    day = "" if line is None else w.day(datetime.fromisoformat(line["time"]))
    if line is not None and line["date_basis"] == "assumed":
        day += f"{w.gap}{w('facts.assumed')}"
    return Side(
        ours=account["agency"] == own,
        agency=w.agency(account["agency"]),
        figure=figure,
        facts=facts,
        event=None if line is None else line["event"],
        source="" if line is None else w.title(line["type"]),
        day=day,
        about=about,
    )


def _value(account: Mapping[str, Any]) -> Decimal | None:
    value = account.get("value")
    if isinstance(value, Mapping) and "basis" in value and "value" in value:
        return Decimal(str(value["value"]))
    return None


def _slips(account: Mapping[str, Any]) -> bool:
    return isinstance(account.get("value"), Mapping) and bool(account["value"].get("likely_slip"))


def _field(name: str, w: Words) -> str:
    return w.say(word(ACCOUNT_FIELDS, name)).replace("_", " ")


def _text(name: str, value: Any, w: Words, open: bool) -> str:
    if isinstance(value, list):
        return w.listed([_text(name, one, w, open) for one in value]) or "–"
    if isinstance(value, Mapping):
        return w.gap.join(
            f"{_field(key, w)} {_text(key, one, w, open)}" for key, one in value.items() if one is not None
        )
    if name in ("article", "charges", "articles") and isinstance(value, str):
        return charge_text(value, w)
    if name in _NAMES and isinstance(value, str) and not open:
        return masked_name(value)
    if name == "type":
        return w.title(str(value))
    return plain_text(value, w)
