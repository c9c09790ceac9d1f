"""What events would give, without any server: refusals, advice, folded cases, obligations, findings. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from casebus_schemas.agencies import agency_of_source
from casebus_schemas.case.chain import ChainEvent, as_uuid, chain_event, milliseconds
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.rules.case_view import case_view
from casebus_schemas.wire.codec import encode
from casebus_schemas.wire.door import DoorEvent, parse_event
from casebus_schemas.wire.ids import chain_id, message_uuid, normalise_reference
from casebus_schemas.wire.signing import SignedFields, event_digest

_UNSIGNED = "check.1"
_STATE_SECRET = "S"


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

    Digests are those of unsigned copies: `in_reply_to_hash`, `corrects` and `withdraws` of signed events
    match only events that are given with their digest (`{"event": …, "digest": "hex"}`).
    """
    catalog = catalog or Catalog.load()
    answer = Check()
    chains = _Chains()
    seqs: dict[str, int] = {}
    for index, given in enumerate(events):
        inner, digest = _unwrapped(given)
        try:
            event = parse_event(inner, catalog)
            event_id = _id(event)
            _check_authority(event, catalog)
        except UsageError as error:
            pointer = getattr(error, "pointer", None)
            answer.refused.append({"index": index, "pointer": pointer, "detail": error.detail})
            continue
        seqs[event.agency] = seqs.get(event.agency, 0) + 1
        chains.place(event, event_id, digest or _digest(event, event_id, catalog, seqs[event.agency]), index)
    for chain in chains.all():
        answer.advice.extend(_advice(chain, catalog))
        answer.cases.append(case_view([event for _, event in chain], now))
    return answer


class _Chains:
    """Puts events into chains by subject, by what they answer, or by their first local reference."""

    def __init__(self) -> None:
        self._of_id: dict[UUID, str] = {}
        self._of_reference: dict[tuple[str, str, str], str] = {}
        self._chains: dict[str, list[tuple[int, ChainEvent]]] = {}

    def place(self, event: DoorEvent, event_id: UUID, digest: bytes, index: int) -> None:
        envelope = event.data["envelope"]
        references = [
            (ref["issuer"], ref["scheme"], normalise_reference(ref["value"]))
            for ref in envelope["local_refs"]
        ]
        chain = event.subject or self._of_id.get(as_uuid(envelope["in_reply_to"]) or UUID(int=0))
        chain = chain or next(
            (self._of_reference[ref] for ref in references if ref in self._of_reference), None
        )
        chain = chain or _minted(references, event_id)
        self._of_id[event_id] = chain
        for reference in references:
            self._of_reference.setdefault(reference, chain)
        placed = chain_event(
            digest=digest,
            id=event_id,
            type=event.type,
            source=event.source,
            chain=chain,
            time_ms=milliseconds(event.time),
            admitted_at_ms=milliseconds(event.time),
            body=event.data,
        )
        self._chains.setdefault(chain, []).append((index, placed))

    def all(self) -> list[list[tuple[int, ChainEvent]]]:
        return list(self._chains.values())


def _minted(references: list[tuple[str, str, str]], event_id: UUID) -> str:
    # Not the agency's own chain id, whose secret stays with the agency: one for this check.
    first = references[0] if references else ("", "", str(event_id))
    return str(chain_id(b"casebus check", *first))


def _unwrapped(given: object) -> tuple[object, bytes | None]:
    if isinstance(given, Mapping) and isinstance(given.get("event"), Mapping):
        digest = given.get("digest")
        return given["event"], bytes.fromhex(digest) if isinstance(digest, str) else None
    return given, None


def _id(event: DoorEvent) -> UUID:
    if event.id is not None:
        return event.id
    return message_uuid(event.agency, event.data["envelope"]["message_no"])


def _check_authority(event: DoorEvent, catalog: Catalog) -> None:
    kind = catalog.event(event.type)
    if event.agency not in kind.speakers:
        raise UsageError(
            "not-authorised: that agency may not say this",
            found=f"{event.type} by {event.agency}",
            expected=", ".join(sorted(kind.speakers)),
        )
    if event.data["envelope"]["handling"] == _STATE_SECRET:
        raise UsageError("level-s: state secrets never go over the bus", remedy="use the classified network")


def _digest(event: DoorEvent, event_id: UUID, catalog: Catalog, seq: int) -> bytes:
    schema = catalog.latest(event.type)
    return event_digest(
        SignedFields(
            producer=_UNSIGNED,
            seq=seq,
            prev=bytes(32),
            topic=catalog.event(event.type).topic(agency_of_source(event.source)),
            partition=0,
            key="",
            fingerprint=schema.fingerprint,
            content_type="",
            id=event_id,
            type=event.type,
            source=event.source,
            time_ms=milliseconds(event.time),
            value_sha256=sha256(encode(schema, event.data)).digest(),
        )
    )


def _advice(chain: list[tuple[int, ChainEvent]], catalog: Catalog) -> Iterable[dict[str, Any]]:
    """What the law or a reader would ask, though nothing is refused for it."""
    types = {event.id: event.type for _, event in chain}
    digests = {event.digest for _, event in chain}
    for index, event in chain:
        answered = types.get(event.in_reply_to) if event.in_reply_to else None
        kind = catalog.event(event.type)
        if answered is not None and kind.answers and not kind.may_answer(answered):
            yield {
                "index": index,
                "detail": f"{event.type} usually answers {' or '.join(kind.answers)}, here {answered}",
            }
        if event.in_reply_to is not None and answered is None:
            yield {"index": index, "detail": f"the event that it answers, {event.in_reply_to}, is not given"}
        for name in ("corrects", "withdraws"):
            named = getattr(event, name)
            if named is not None and named not in digests:
                yield {"index": index, "detail": f"the event that it {name} is not given with its digest"}
