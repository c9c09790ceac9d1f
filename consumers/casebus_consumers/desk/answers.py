"""Answers to findings as an officer chooses them: the events that they are, and who will be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from casebus_consumers.liaison.answering import WORDS, Moment, answer, correction, in_force
from casebus_producers.own_events import OwnEvent, own_events, versions
from casebus_schemas.admission.may_say import told
from casebus_schemas.errors import UsageError
from casebus_schemas.times import to_moment, utc_text
from casebus_schemas.wire.door import to_json

from .desk import Desk

CHOICES = ("corrected", "explained", "accepted", "assigned", "settled", "reopened")
"""In the order in which they stand on the page."""
_NEEDS_TEXT = ("explained", "assigned", "corrected", "reopened")


@dataclass(frozen=True, slots=True)
class OwnFigure:
    """A figure of the agency's own event that a correction may state anew, and where it stands."""

    event: OwnEvent
    pointer: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Intended:
    """An event that would be said; `told` are the agencies that hear of it, by role."""

    event: dict[str, Any]
    type: str
    told: Mapping[str, str]


def own_figure(desk: Desk, finding: Mapping[str, Any]) -> OwnFigure | None:
    """The agency's own figure in a finding about an amount, None where it has none there."""
    for account in finding["accounts"]:
        value = account.get("value")
        if account["agency"] != desk.agency or not account.get("event") or not isinstance(value, Mapping):
            continue
        if "basis" not in value or "value" not in value:
            continue
        found = own_events(desk.door.outbox, account["event"])
        if len(found) != 1:
            return None
        said = in_force(_versions(desk, found[0]))
        for index, amount in enumerate(said["data"].get("amounts") or ()):
            if _same(amount, value):
                return OwnFigure(found[0], f"amounts/{index}/value", Decimal(str(amount["value"])))
    return None


def _same(amount: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    period, other = amount.get("period") or None, value.get("period") or None
    return (
        amount["basis"] == value["basis"]
        and amount["currency"] == value["currency"]
        and Decimal(str(amount["value"])) == Decimal(str(value["value"]))
        and (period is None) == (other is None)
        and (
            period is None
            or other is None
            or (str(period["from"]), str(period["to"])) == (other["from"], other["to"])
        )
    )


def suggested_value(finding: Mapping[str, Any], agency: str) -> Decimal | None:
    """The other side's figure where the agency's own is a likely slip of its unit or sign."""
    own = [one["value"] for one in finding["accounts"] if one["agency"] == agency]
    theirs = [one["value"] for one in finding["accounts"] if one["agency"] != agency]
    if own and theirs and isinstance(own[0], Mapping) and own[0].get("likely_slip") and "value" in theirs[0]:
        return Decimal(str(theirs[0]["value"]))
    return None


def intended(
    desk: Desk, finding: Mapping[str, Any], says: str, text: str, value: str, officer: str, now: datetime
) -> list[Intended]:
    """The events that answer a finding: one, or of a correction with a figure the correction before it.

    The digest of a correction that has not been said yet is left open. Raises UsageError where something is
    missing, or the bus has not told this agency of the finding.
    """
    if says not in WORDS:
        raise UsageError("no such answer to a finding", found=repr(says[:40]), expected=", ".join(WORDS))
    if not text and says in _NEEDS_TEXT:
        raise UsageError("nothing is said", expected="a text that the others will read")
    moment = Moment(utc_text(to_moment(now) // 1000 * 1000), "second")
    events = []
    if says == "corrected" and (figure := own_figure(desk, finding)) is not None:
        events.append(_correction(desk, figure, value, text, moment))
    notices = desk.heard_of_bus(finding["chain"])
    events.append(answer(notices, desk.agency, finding["id"], text, moment, says=says, officer=officer))
    return [
        Intended(event, event["type"], told(event["data"]["envelope"], desk.catalog.event(event["type"])))
        for event in events
    ]


def _correction(desk: Desk, figure: OwnFigure, value: str, text: str, moment: Moment) -> dict[str, Any]:
    try:
        said = Decimal(value.replace(",", "").replace("，", ""))
    except InvalidOperation as error:
        raise UsageError(
            "not an amount", found=repr(value[:40]), expected="a number such as 46190000.00"
        ) from error
    if not said.is_finite():
        raise UsageError("not an amount", found=repr(value[:40]), expected="a number such as 46190000.00")
    if said == figure.value:
        raise UsageError(
            "a correction that changes nothing", found=value, expected="another figure, or an explanation"
        )
    every = versions(desk.door.outbox, figure.event, desk.catalog)
    current = in_force([to_json(one.headers, one.data(desk.catalog), desk.catalog) for one in every])
    return correction(
        current,
        every[-1].digest.hex(),
        desk.agency,
        [f"{figure.pointer}={said:.2f}"],
        text,
        moment,
        desk.catalog,
    )


def _versions(desk: Desk, event: OwnEvent) -> Sequence[Mapping[str, Any]]:
    return [
        to_json(one.headers, one.data(desk.catalog), desk.catalog)
        for one in versions(desk.door.outbox, event, desk.catalog)
    ]
