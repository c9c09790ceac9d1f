"""Answers to findings, corrections and withdrawals, made from what the agency knows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from casebus_schemas.agencies import BUS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.cloud_event import cloud_event

WORDS = {
    "explained": "explanation",
    "accepted": "reasons",
    "assigned": "unit",
    "corrected": "reasons",
    "settled": "reasons",
    "reopened": "reasons",
}
"""What an agency may say to a finding, and the field that holds its text."""
_FEWEST = 4
"""Characters of an id by which something is found."""
_KEPT = ("to", "cc", "local_refs", "legal_basis", "handling", "message_class")
"""Of an earlier event's envelope what a correction or withdrawal says again."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happens by claim: RFC 3339 text, and whether only its day is meant."""

    text: str
    precision: str


def answer(
    notices: Iterable[Mapping[str, Any]],
    agency: str,
    finding: str,
    text: str,
    at: Moment,
    *,
    says: str = "explained",
    correction: str | None = None,
    officer: str | None = None,
    source: str | None = None,
) -> dict[str, Any]:
    """The event by which an agency answers a finding of which a notice told it.

    `says` is one of `WORDS`, `correction` the digest of the event that mends it. `notices` are those of its
    inbox as JSON; `finding` is the finding's id or its beginning.
    Raises UsageError if no notice tells of it, or several findings begin so.
    """
    known: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
    for notice in notices:
        event = notice["event"]
        if event["type"] == "finding.opened":
            known.update({one["id"]: (one, notice) for one in event["data"]["findings"]})
    found = [id for id in known if id.startswith(finding.lower())] if len(finding) >= _FEWEST else []
    if len(found) != 1:
        raise UsageError(
            f"{len(found)} findings of that id" if found else "no findings of that id",
            found=repr(finding[:40]),
            expected="one of " + ", ".join((found or list(known))[-10:])
            if known
            else "none: the inbox tells of no finding",
            remedy="`casebus inbox` and `casebus findings` show the ids",
        )
    one, notice = known[found[0]]
    event = notice["event"]
    parties = {account["agency"] for account in one["accounts"]}
    if suggestion := one.get("suggestion"):
        parties.add(suggestion["by"])
    said: dict[str, Any] = {WORDS[says]: text or None}
    if says == "corrected":
        said["correction"] = correction
    return _event(
        f"finding.{says}",
        source or f"/{agency}",
        event["subject"],
        at,
        {
            "message_class": "response",
            "to": sorted(parties - {agency, BUS}),
            "cc": [],
            "in_reply_to": event["id"],
            "in_reply_to_hash": notice["digest"],
            "handling": event["data"]["envelope"]["handling"],
        },
        {"finding": found[0], **said, "officer": officer},
    )


def in_force(versions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The first version of an event with the facts that its corrections replaced; what is empty stays."""
    first = dict(versions[0])
    facts = dict(first["data"])
    for later in versions[1:]:
        given = {name: value for name, value in later["data"].items() if value not in (None, [])}
        facts |= {name: value for name, value in given.items() if name != "envelope"}
    return {**first, "data": facts}


def correction(
    event: Mapping[str, Any],
    digest: str,
    agency: str,
    changes: Sequence[str],
    reasons: str,
    at: Moment,
    catalog: Catalog,
) -> dict[str, Any]:
    """The event that corrects one of the agency's own: its facts again, with changes `POINTER=VALUE`.

    Raises UsageError if its type has no correction by this agency, or a pointer leads nowhere.
    """
    type = catalog.correction_of(event["type"], agency)
    if type is None:
        raise UsageError(
            f"{agency} has no correction of {event['type']}",
            expected="an event whose facts a correction may state again",
            remedy="withdraw it, or say the event that is right",
        )
    fields = [field["name"] for field in catalog.latest(type).schema["fields"]]
    not_facts = ("envelope", "sealed")  # what was sealed opens at its own event alone
    facts = {name: value for name, value in event["data"].items() if name in fields and name not in not_facts}
    facts["reasons"] = reasons
    for change in changes:
        _change(facts, change)
    envelope = {name: event["data"]["envelope"][name] for name in _KEPT} | {"corrects": digest}
    return _event(type, event["source"], event["subject"], at, envelope, facts)


def withdrawal(
    event: Mapping[str, Any], digest: str, agency: str, reasons: str, at: Moment, catalog: Catalog
) -> dict[str, Any]:
    """The event that withdraws one of the agency's own. Raises UsageError if it has no such type."""
    type = f"{event['type'].partition('.')[0]}.withdrawn"
    known = catalog.types.get(type)
    if known is None or agency not in known.speakers:
        raise UsageError(
            f"{agency} has no withdrawal of {event['type']}",
            expected="a referral or publication of its own",
            remedy="`casebus correct` states its facts anew",
        )
    facts: dict[str, Any] = {"reasons": reasons}
    if "withdrawn_on" in {field["name"] for field in catalog.latest(type).schema["fields"]}:
        facts["withdrawn_on"] = at.text[:10]
    envelope = {name: event["data"]["envelope"][name] for name in _KEPT} | {"withdraws": digest}
    return _event(type, event["source"], event["subject"], at, envelope, facts)


def _event(
    type: str,
    source: str,
    subject: str,
    at: Moment,
    envelope: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    said = {**envelope, "precision": at.precision}
    return cloud_event(type, source=source, id=uuid4(), time=at.text, subject=subject, facts=facts, **said)


def _change(facts: dict[str, Any], change: str) -> None:
    pointer, equals, value = change.partition("=")
    path = pointer.strip("/").split("/")
    place: Any = facts
    try:
        for step in path[:-1]:
            place = place[int(step) if isinstance(place, list) else step]
        last: Any = int(path[-1]) if isinstance(place, list) else path[-1]
        place[last]  # it must be there
        if not equals:
            raise KeyError(pointer)
        place[last] = value or None
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise UsageError(
            "no such field to change",
            found=repr(change[:60]),
            expected="POINTER=VALUE within the event's data, such as amounts/0/value=46190000.00",
            remedy="--to-file keeps the event without changes, to be edited; its fields: " + ", ".join(facts),
        ) from error
