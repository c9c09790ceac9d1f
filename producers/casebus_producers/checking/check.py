"""What events would give, without any server: refusals, advice, folded cases, obligations, findings. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from casebus_schemas.admission.may_say import Answered, may_say, told
from casebus_schemas.admission.problem import Problem
from casebus_schemas.case.chain import ChainEvent, as_digest, as_uuid, chain_event
from casebus_schemas.case.effects import mends
from casebus_schemas.case.placing import Placing
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RefusalCode, UsageError
from casebus_schemas.law.calendar import Calendar
from casebus_schemas.rules.case_view import case_view
from casebus_schemas.rules.register import RULES
from casebus_schemas.texts.errors import detail_in_chinese
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import to_moment
from casebus_schemas.wire.codec import encode
from casebus_schemas.wire.door import DoorEvent, DoorProblem, parse_event
from casebus_schemas.wire.ids import message_uuid
from casebus_schemas.wire.signing import SignedFields, event_digest

from .advice import OPENS, hints
from .forbidden import is_refused_for

_UNSIGNED = "check.1"
_SECRET = b"casebus check"
"""Not an agency's, whose secret stays with it: chain ids of this check."""
_DIGEST_LENGTH = 32


@dataclass
class Check:
    """The answer of `casebus check`: JSON of the command line, and whether all may be said.

    `refused` is what the bus would refuse, `forbidden` what the law does: `publish` and the door refuse it
    unless a reason is given, the bus would take it and find it.
    """

    refused: list[dict[str, Any]] = field(default_factory=list)
    forbidden: list[dict[str, Any]] = field(default_factory=list)
    advice: list[dict[str, Any]] = field(default_factory=list)
    cases: list[dict[str, Any]] = field(default_factory=list)
    chains: dict[str, list[ChainEvent]] = field(default_factory=dict)
    """The events of each case, for who shows what they say."""

    @property
    def ok(self) -> bool:
        """Whether every event would be admitted, and none is against a law that leaves no room."""
        return not self.refused and not self.forbidden

    def to_json(self) -> dict[str, Any]:
        """All of it; obligations and findings of every case also in one list each."""
        return {
            "ok": self.ok,
            "refused": self.refused,
            "forbidden": self.forbidden,
            "advice": self.advice,
            "cases": self.cases,
            "obligations": [duty for case in self.cases for duty in case["obligations"]],
            "findings": [finding for case in self.cases for finding in case["findings"]],
        }


def check(
    events: Iterable[object],
    now: datetime,
    catalog: Catalog | None = None,
    calendar: Calendar | None = None,
) -> Check:
    """Folds events of the door (or notices that hold one) as if each were admitted when it happened.

    Of an event that would be refused every reason is named; it is left out of the cases. A case whose events
    name no chain has an id of this check alone, marked `provisional`: the agency's own needs its secret.
    Digests are those of unsigned copies: `in_reply_to_hash`, `corrects` and `withdraws` of signed events
    match only events that are given with their digest (`{"event": …, "digest": "hex"}`). `calendar` says
    which days are worked, by default the notices of this package do.
    """
    catalog = catalog or Catalog.load()
    desk = _Given(catalog)
    answer = Check()
    for index, given in enumerate(events):
        for problem in desk.take(index, given):
            refused = {"index": index, "code": problem.code, "pointer": problem.pointer}
            said = {"detail": problem.detail, "zh": detail_in_chinese(problem.refused())}
            answer.refused.append(refused | said)
    for chain, placed in desk.chains.items():
        answer.advice.extend(_advice(placed, now))
        answer.chains[chain] = [event for _, event in placed]
        view = case_view(answer.chains[chain], now, calendar=calendar)
        answer.forbidden.extend(_forbidden(placed, view["findings"]))
        answer.cases.append({**view, "provisional": chain in desk.provisional})
    return answer


class _Given:
    """The events given so far: what they say of each other, and their chains."""

    def __init__(self, catalog: Catalog) -> None:
        self.chains: dict[str, list[tuple[int, ChainEvent]]] = {}
        self.provisional: set[str] = set()
        self._catalog = catalog
        self._placing = Placing(_SECRET)
        self._of_id: dict[UUID, ChainEvent] = {}
        self._of_digest: dict[bytes, ChainEvent] = {}
        self._seqs: dict[str, int] = {}

    def take(self, index: int, given: object) -> list[Problem]:
        """Places the event if nothing is wrong with it; else says all that is."""
        try:
            inner, digest = _unwrapped(given)
            event = parse_event(inner, self._catalog)
        except DoorProblem as problem:
            return [_of_the_door(one) for one in problem.every]
        kind, value = self._catalog.event(event.type), _encoded(event, self._catalog)
        problems = may_say(
            self._catalog,
            kind,
            speaker=event.agency,
            source=event.source,
            data=event.data,
            value=value,
            subject=event.subject,
            answered=self._answered(event),
            mended=self._mended(event),
            personal=event.personal,
        )
        if problems or value is None:
            return problems
        id = event.id or message_uuid(event.agency, event.data["envelope"]["message_no"])
        self._place(index, event, id, digest or self._digest(event, id, value))
        return []

    def _place(self, index: int, event: DoorEvent, id: UUID, digest: bytes) -> None:
        placed = self._placing.place(id, event.subject, event.data["envelope"], event.source)
        if placed.provisional:
            self.provisional.add(placed.chain)
        said = chain_event(
            digest=digest,
            id=id,
            type=event.type,
            source=event.source,
            chain=placed.chain,
            time_ms=to_moment(event.time),
            admitted_at_ms=to_moment(event.time),
            body=event.data,
            told=told(event.data["envelope"], self._catalog.event(event.type)),
        )
        self._of_id[id] = said
        self._of_digest[digest] = said
        self.chains.setdefault(placed.chain, []).append((index, said))

    def _answered(self, event: DoorEvent) -> Answered | None:
        envelope = event.data.get("envelope", {})
        reply, digest = as_uuid(envelope.get("in_reply_to")), as_digest(envelope.get("in_reply_to_hash"))
        found = self._of_id.get(reply) if reply is not None else self._of_digest.get(digest or b"")
        if found is None:
            return None
        return Answered(found.type, None if found.chain in self.provisional else found.chain)

    def _mended(self, event: DoorEvent) -> dict[str, str]:
        envelope = event.data.get("envelope", {})
        targets = {name: as_digest(envelope.get(name)) for name in ("corrects", "withdraws")}
        return {
            name: self._of_digest[digest].agency
            for name, digest in targets.items()
            if digest is not None and digest in self._of_digest
        }

    def _digest(self, event: DoorEvent, id: UUID, value: bytes) -> bytes:
        self._seqs[event.agency] = self._seqs.get(event.agency, 0) + 1
        return event_digest(
            SignedFields(
                producer=_UNSIGNED,
                seq=self._seqs[event.agency],
                prev=bytes(32),
                topic=self._catalog.event(event.type).topic(event.agency),
                partition=0,
                key="",
                fingerprint=self._catalog.latest(event.type).fingerprint,
                content_type="",
                id=id,
                type=event.type,
                source=event.source,
                time_ms=to_moment(event.time),
                value_sha256=sha256(value).digest(),
            )
        )


def _encoded(event: DoorEvent, catalog: Catalog) -> bytes | None:
    try:
        return encode(catalog.latest(event.type), event.data)
    except UsageError:  # what the door has read fits its schema, but may be too large
        return None


def _unwrapped(given: object) -> tuple[object, bytes | None]:
    if not isinstance(given, Mapping) or not isinstance(given.get("event"), Mapping):
        return given, None
    digest = given.get("digest")
    if digest is None:
        return given["event"], None
    try:
        raw = bytes.fromhex(digest) if isinstance(digest, str) else b""
    except ValueError:
        raw = b""
    if len(raw) != _DIGEST_LENGTH:
        raise DoorProblem(
            "/digest", "not a digest", found=repr(digest)[:100], expected="64 hexadecimal digits"
        )
    return given["event"], raw


_CODES: dict[str, RefusalCode] = {"/type": "unknown-schema", "/source": "not-authorised"}


def _of_the_door(problem: DoorProblem) -> Problem:
    """What could not even be encoded, under the code that the bus would refuse it with."""
    code = _CODES.get(problem.pointer) or ("bad-body" if _is_of_the_body(problem.pointer) else "bad-headers")
    message = problem.message.removeprefix(f"{problem.pointer or '/'}: ")
    return Problem(code, problem.pointer, message, problem.found, problem.expected, problem.remedy)


def _is_of_the_body(pointer: str) -> bool:
    return pointer in ("", "/time") or pointer.startswith("/data")


class _OfChain:
    """What the events given so far of a chain, and those behind, say beside one of them."""

    def __init__(self, chain: list[tuple[int, ChainEvent]]) -> None:
        self._ids = {event.id for _, event in chain}
        self._digests = {event.digest for _, event in chain}
        opening = [(index, event) for index, event in chain if event.type == OPENS and not mends(event)]
        self._first = {event.agency: index for index, event in reversed(opening)}
        self._places = {event.digest: index for index, event in chain}

    def has_id(self, id: UUID) -> bool:
        return id in self._ids

    def has_digest(self, digest: bytes) -> bool:
        return digest in self._digests

    def opened_by(self, event: ChainEvent) -> Sentence | None:
        first = self._first[event.agency]
        if first == self._places[event.digest]:
            return None
        return Sentence(f"第{first + 1}件事件", f"event #{first + 1}")


def _forbidden(
    chain: list[tuple[int, ChainEvent]], findings: Iterable[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Each finding of a rule that leaves no room, with the last of its events, if that is refused for it."""
    events = {event.digest.hex(): (index, event) for index, event in chain}
    for finding in findings:
        if not RULES[finding["rule"]].forbids:
            continue
        named = [events[one["event"]] for one in finding["accounts"] if one["event"] in events]
        said = max(named, key=lambda one: one[1].sort_key, default=None)
        if said is None or not is_refused_for(said[1]):
            continue
        yield {
            "index": said[0],
            "rule": finding["rule"],
            "law": finding["law"],
            "detail": finding["because"]["en"],
            "zh": finding["because"]["zh"],
        }


def _advice(chain: list[tuple[int, ChainEvent]], now: datetime) -> Iterator[dict[str, Any]]:
    known = _OfChain(chain)
    for index, event in chain:
        for hint in hints(event, now, known):
            yield {"index": index, **hint.to_json()}
