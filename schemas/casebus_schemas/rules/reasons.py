"""Why a case, a duty and a finding stand where they stand: by which events, law and rule. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.duty import Obligation
from casebus_schemas.case.fold import Folded
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import beijing_text

from .register import RULES


def status_reasons(accounts: Mapping[str, Any], folded: Folded) -> list[dict[str, Any]]:
    """The events by which the case is in its state, in causal order.

    Those that brought a suspect and charge there; where it is the state of no charge, the last event that
    brings a case there; of a case that was taken back, what took it back.
    """
    status = accounts["status"]
    if status is None:
        return []
    moved = {
        move["event"]
        for suspect in accounts["suspects"]
        for charge in suspect["charges"]
        for move in charge["history"][-1:]
        if move["status"] == status
    }
    if not moved:
        types = Catalog.load().types
        brought = [e for e in folded.standing if e.type in types and types[e.type].brings(e.data) == status]
        moved = {event.digest.hex() for event in brought[-1:]} or {
            digest.hex() for digest in folded.withdrawn.values()
        }
    return [_line(event) for event in folded.order if event.digest.hex() in moved]


def duty_reasons(duty: Obligation) -> dict[str, Any]:
    """What started a duty and on which law, what extends its term, what meets or ends it.

    `started_by`, `met_by`, `ended_by` and each of `extended_by` name an event as `event`, `type`, `agency`,
    `at`; `law` lists `instrument`, `article` and whether the limit was verified in the text in force.
    """
    return {
        "started_by": _line(duty.cause),
        "law": [
            {
                "instrument": article.instrument,
                "article": article.article,
                "verified": duty.version.verified,
                "since": duty.version.since.isoformat(),
            }
            for article in duty.version.source
        ],
        "extended_by": [_line(event) for event in duty.approvals],
        "met_by": None if duty.met_by is None else _line(duty.met_by),
        "ended_by": None if duty.moot_by is None else _line(duty.moot_by),
    }


def finding_reasons(finding: Mapping[str, Any], events: Iterable[ChainEvent]) -> dict[str, Any]:
    """Which rule found it and when that lets it go, and the events on which its accounts rest.

    `finding` is one of records.md 5. Members: `title`, `acts`, `mends`, `closes`, each zh and en, `events`.
    """
    rule = RULES.get(finding["rule"])
    said = (
        {}
        if rule is None
        else {
            "title": rule.title.to_json(),
            "acts": rule.acts.to_json(),
            "mends": rule.mends.to_json(),
            "closes": rule.closes.to_json(),
        }
    )
    named = {account["event"] for account in finding["accounts"] if account.get("event")}
    return {**said, "events": [_line(event) for event in events if event.digest.hex() in named]}


def _line(event: ChainEvent) -> dict[str, Any]:
    return {
        "event": event.digest.hex(),
        "type": event.type,
        "agency": event.agency,
        "at": beijing_text(event.occurred_at),
    }
