"""What a new draft begins with: from a case, the event that it answers, a duty, a finding, an own event."""

from collections.abc import Mapping, Sequence
from typing import Any

from casebus_consumers.desk.desk import Desk
from casebus_consumers.desk.officers import Officer
from casebus_consumers.liaison.answering import in_force
from casebus_producers.own_events import own_events, versions
from casebus_schemas.agencies import BUS
from casebus_schemas.case.chain import ChainEvent, highest
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.door import to_json

from .content import Content
from .entered import tree_of
from .kinds import DELAY, composable
from .specs import Spec, envelope_list, specs_of

_SAME = ("security", "suspects", "charges")
"""Facts of the answered event with which an answer may begin; figures are one's own."""


def begun(
    desk: Desk,
    officer: Officer,
    type: str,
    chain: str | None,
    *,
    answers: str | None = None,
    duty: Mapping[str, Any] | None = None,
    corrects: str | None = None,
) -> Content:
    """A draft of a type; `answers`, `corrects` are digests in hex. Raises UsageError for what cannot be."""
    if type not in composable(desk.catalog, desk.agency):
        raise UsageError(
            f"{desk.agency} does not write this type of event at its desk", found=repr(type[:60])
        )
    if corrects is not None:
        return _correction(desk, type, chain, corrects)
    content = Content.new(type, chain)
    events = [] if chain is None else desk.view.events(chain)
    request = next((one for one in events if one.digest.hex() == answers), None)
    if request is not None:
        _answer(desk.catalog, content, request)
    elif events:
        last = max(events, key=lambda one: one.admitted_at)
        content.head.handling = highest(one.handling for one in events)
        _facts_of(desk.catalog, content, last)
    if duty is not None:
        _duty(desk, content, duty)
    if not content.head.to:
        content.head.to = _likely(desk, type, events)
    own = [one for one in events if one.agency == desk.agency and one.envelope.get("local_refs")]
    if own:
        content.head.local_refs = _rows("local_refs", own[-1].envelope["local_refs"])
    _name(content, officer)
    return content


def _answer(catalog: Catalog, content: Content, request: ChainEvent) -> None:
    kind = catalog.event(content.type)
    if kind.answers and not kind.may_answer(request.type):
        raise UsageError(
            f"{content.type} cannot answer {request.type}",
            found=request.type,
            expected=" or ".join(kind.answers),
        )
    content.head.answers = f"{request.id} {request.digest.hex()}"
    content.head.to = [request.agency]
    content.head.handling = request.handling
    _facts_of(catalog, content, request)


def _facts_of(catalog: Catalog, content: Content, event: ChainEvent) -> None:
    specs = [one for one in specs_of(content.type) if one.name in _SAME]
    theirs = {one.name for one in specs_of(event.type)} if event.type in catalog.types else set()
    said = _facts(catalog, event)
    wanted = [one for one in specs if one.name in theirs]
    content.facts |= tree_of(wanted, said)
    for row in content.facts.get("suspects", ()):
        row["tokens"] = ""  # they are of the other agency's own facts


def _facts(catalog: Catalog, event: ChainEvent) -> Mapping[str, Any]:
    from casebus_schemas.wire.json_form import to_json as data_to_json

    schema = catalog.latest(event.type)
    names = {one["name"] for one in schema.schema["fields"]}
    if not names <= {"envelope", *event.data}:
        return {}
    written: dict[str, Any] = data_to_json(schema, {"envelope": event.envelope, **event.data})
    return written


def _duty(desk: Desk, content: Content, duty: Mapping[str, Any]) -> None:
    content.head.obligation = duty["id"]
    owed = [name.partition("/")[0] for name in duty["owed_to"]]
    content.head.to = content.head.to or sorted(set(owed) - {desk.agency, BUS})
    if content.type == DELAY:
        content.facts["obligation"] = duty["id"]
        for notice in reversed(desk.heard_of_bus(duty["chain"])):
            announced = notice["event"]["data"].get("obligations") or ()
            if any(one["id"] == duty["id"] for one in announced):
                content.head.answers = f"{notice['event']['id']} {notice['digest']}"
                content.head.handling = notice["event"]["data"]["envelope"]["handling"]
                break


def _correction(desk: Desk, type: str, chain: str | None, corrects: str) -> Content:
    """The facts of an own event as they stand after its earlier corrections, to be changed."""
    found = [one for one in own_events(desk.door.outbox, corrects) if one.headers.subject == chain]
    if len(found) != 1:
        raise UsageError("no event of one's own", found=repr(corrects[:64]), expected="the digest of one")
    every = versions(desk.door.outbox, found[0], desk.catalog)
    first = to_json(every[0].headers, every[0].data(desk.catalog), desk.catalog)
    if desk.catalog.correction_of(first["type"], desk.agency) != type:
        raise UsageError(f"{type} does not correct {first['type']}", found=first["type"])
    current = in_force([to_json(one.headers, one.data(desk.catalog), desk.catalog) for one in every])
    content = Content.new(type, chain)
    content.facts = tree_of(specs_of(type), current["data"])
    envelope = current["data"]["envelope"]
    head = content.head
    head.corrects, head.handling = every[-1].digest.hex(), envelope["handling"]
    agencies = desk.catalog.members.all
    head.to = [one for one in envelope["to"] if one in agencies]
    head.cc = [one for one in envelope["cc"] if one in agencies]
    head.units = "\n".join(one for one in envelope["to"] if one not in agencies)
    for name in ("local_refs", "legal_basis"):
        setattr(head, name, _rows(name, envelope[name]))
    return content


def _rows(name: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    specs: Sequence[Spec] = envelope_list(name).fields
    return [tree_of(specs, row) for row in rows]


def _likely(desk: Desk, type: str, events: Sequence[ChainEvent]) -> list[str]:
    """Whom an event most likely goes to: the one that speaks in the case, else who may answer it."""
    others = [one.agency for one in events if one.agency not in (desk.agency, BUS)]
    if others:
        return [others[-1]]
    may = [kind.speakers for kind in desk.catalog.types.values() if type in kind.answers]
    every = frozenset[str]().union(*may) - {desk.agency}
    return sorted(every) if len(every) == 1 else []


def _name(content: Content, officer: Officer) -> None:
    """The officer's own name where the form asks for one."""
    for spec in specs_of(content.type):
        if spec.name == "officer" and spec.kind == "text":
            content.facts["officer"] = officer.shown
