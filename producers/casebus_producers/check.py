"""What events would give, without any server: refusals, advice, folded cases, obligations, findings. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from casebus_schemas.admission.may_say import Answered, doubtful_numbers, may_say, told
from casebus_schemas.admission.problem import Problem
from casebus_schemas.case.chain import ChainEvent, as_digest, as_uuid, chain_event
from casebus_schemas.case.effects import mends
from casebus_schemas.case.placing import Placing
from casebus_schemas.case.proof import late_claims
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RefusalCode, UsageError
from casebus_schemas.rules.case_view import case_view
from casebus_schemas.times import beijing_text, to_moment
from casebus_schemas.wire.codec import encode
from casebus_schemas.wire.door import DoorEvent, DoorProblem, parse_event
from casebus_schemas.wire.ids import message_uuid
from casebus_schemas.wire.signing import SignedFields, event_digest

_UNSIGNED = "check.1"
_SECRET = b"casebus check"
"""Not an agency's, whose secret stays with it: chain ids of this check."""
_DIGEST_LENGTH = 32
_A_DAY = timedelta(days=1)
"""Clocks of agencies differ; a day they do not."""


@dataclass
class Check:
    """The answer of `casebus check`: JSON of the command line, and whether nothing would be refused."""

    refused: list[dict[str, Any]] = field(default_factory=list)
    advice: list[dict[str, Any]] = field(default_factory=list)
    cases: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every event would be admitted."""
        return not self.refused

    def to_json(self) -> dict[str, Any]:
        """All of it; obligations and findings of every case also in one list each."""
        return {
            "ok": self.ok,
            "refused": self.refused,
            "advice": self.advice,
            "cases": self.cases,
            "obligations": [duty for case in self.cases for duty in case["obligations"]],
            "findings": [finding for case in self.cases for finding in case["findings"]],
        }


def check(events: Iterable[object], now: datetime, catalog: Catalog | None = None) -> Check:
    """Folds events of the door (or notices that hold one) as if each were admitted when it happened.

    Of an event that would be refused every reason is named; it is left out of the cases. A case whose events
    name no chain has an id of this check alone, marked `provisional`: the agency's own needs its secret.
    Digests are those of unsigned copies: `in_reply_to_hash`, `corrects` and `withdraws` of signed events
    match only events that are given with their digest (`{"event": …, "digest": "hex"}`).
    """
    catalog = catalog or Catalog.load()
    desk = _Given(catalog)
    answer = Check()
    for index, given in enumerate(events):
        for problem in desk.take(index, given):
            answer.refused.append(
                {"index": index, "code": problem.code, "pointer": problem.pointer, "detail": problem.detail}
            )
    for chain, placed in desk.chains.items():
        answer.advice.extend(_advice(placed, now))
        view = case_view([event for _, event in placed], now)
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


def _advice(chain: list[tuple[int, ChainEvent]], now: datetime) -> Iterator[dict[str, Any]]:
    """What the law or a reader would ask, though nothing is refused for it: each with its place."""
    given = {event.id for _, event in chain}
    digests = {event.digest for _, event in chain}
    opened: dict[tuple[str, str], int] = {}
    for index, event in chain:
        if event.in_reply_to is not None and event.in_reply_to not in given:
            detail = f"the event that it answers, {event.in_reply_to}, is not given"
            yield _hint(index, "/data/envelope/in_reply_to", detail)
        for name in ("corrects", "withdraws"):
            named = getattr(event, name)
            if named is not None and named not in digests:
                detail = f"the event that it {name} is not given with its digest"
                yield _hint(index, f"/data/envelope/{name}", detail)
        for pointer in doubtful_numbers({"envelope": event.envelope, **event.data}):
            yield _hint(index, pointer, "looks like an identity number; if it is one, say it anew without it")
        if event.occurred_at - now > _A_DAY:
            yield _hint(index, "/time", f"a time to come, {beijing_text(event.occurred_at)}: R07 once said")
        for name, at in late_claims(event):
            detail = f"{beijing_text(at)} lies behind the event that states it: R07 once said"
            yield _hint(index, "/time" if name == "time" else f"/data/{name}", detail)
        if event.type == "referral.submitted" and not mends(event):
            first = opened.setdefault((event.agency, event.type), index)
            if first != index:
                detail = (
                    f"a second {event.type} in the case that event {first} opened: a number of its own for "
                    "another matter, a correction for the same"
                )
                yield _hint(index, "/data/envelope/local_refs", detail)


def _hint(index: int, pointer: str, detail: str) -> dict[str, Any]:
    return {"index": index, "pointer": pointer, "detail": detail}
