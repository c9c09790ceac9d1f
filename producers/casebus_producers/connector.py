"""The connector: takes an event at the agency's door, completes and checks it, and queues it signed."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from casebus_schemas.admission.may_say import Answered, may_say, personal_readers
from casebus_schemas.agencies import BUS, agency_of_source
from casebus_schemas.case.chain import chain_event
from casebus_schemas.case.placing import Reference, chain_of, references_of
from casebus_schemas.catalogue.catalog import Catalog, EventSchema, EventType
from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.personal import content_of
from casebus_schemas.sealed.place import Place
from casebus_schemas.texts.errors import detail_in_chinese
from casebus_schemas.times import to_moment
from casebus_schemas.wire.codec import encode
from casebus_schemas.wire.door import DoorEvent, DoorProblem, parse_event
from casebus_schemas.wire.ids import chain_id, message_uuid
from casebus_schemas.wire.json_form import together

from .checking.forbidden import MAY_BE_FORBIDDEN, AgainstLaw, Forbidden, forbidden
from .known import KnownEvent
from .outbox.despite_law import reason_given
from .outbox.outbox import Outbox
from .outbox.outbox_events import Queued, ReadyEvent
from .outbox.writing import Writing
from .sealing.granted_keys import GRANTED
from .sealing.sealer import Sealer

_REPLY = "/data/envelope/in_reply_to"


class Connector:
    """Checks what an agency says before it is signed; what it refuses never leaves the agency.

    `chain_secret` gives the secret that mints chain ids; it is asked only when one is minted. Personal data
    are taken only with a `sealer`. What the law leaves no room for is refused with its article, unless a
    reason is given to say it `despite` that: it is kept with the event in the agency's file, and the bus
    finds the event all the same.
    """

    def __init__(
        self,
        outbox: Outbox,
        catalog: Catalog,
        chain_secret: Callable[[], bytes],
        sealer: Sealer | None = None,
    ) -> None:
        self._outbox = outbox
        self._catalog = catalog
        self._chain_secret = chain_secret
        self._sealer = sealer

    def submit(
        self, event: object, *, receipts_from: int | None = None, despite: str | None = None
    ) -> Queued:
        """Queues one event given as parsed JSON (docs/records.md 3). Durable when it returns; idempotent.

        Raises DoorProblem with the JSON pointer of what is wrong; then nothing is queued.
        """
        parsed, reason = parse_event(event, self._catalog), reason_given(despite)
        return self._outbox.together(lambda writing: self._queue(writing, parsed, receipts_from, reason))

    def submit_all(
        self, events: Sequence[object], *, receipts_from: int | None = None, despite: str | None = None
    ) -> list[Queued | DoorProblem]:
        """Queues events in their order, in one transaction: durable when it returns.

        What is wrong with an event stands in its place; the others are queued. Raises UsageError where
        `despite` is no reason.
        """
        reason = reason_given(despite)

        def queue(writing: Writing) -> list[Queued | DoorProblem]:
            found: list[Queued | DoorProblem] = []
            for event in events:
                try:
                    parsed = parse_event(event, self._catalog)
                    found.append(self._queue(writing, parsed, receipts_from, reason))
                except DoorProblem as problem:
                    found.append(problem)
            return found

        return self._outbox.together(queue)

    def submit_in(self, writing: Writing, event: object, *, receipts_from: int | None = None) -> Queued:
        """As `submit`, within a transaction of the caller. After DoorProblem the transaction may go on."""
        return self._queue(writing, parse_event(event, self._catalog), receipts_from, None)

    def _queue(
        self, writing: Writing, event: DoorEvent, receipts_from: int | None, despite: str | None
    ) -> Queued:
        ready = self.prepare(writing, event, despite)
        try:
            return writing.enqueue(ready, receipts_from=receipts_from)
        except DoorProblem:
            raise
        except UsageError as error:
            raise DoorProblem(
                "/id", error.message, found=error.found, expected=error.expected, remedy=error.remedy
            ) from error

    @staticmethod
    def is_to_be_sealed(event: object) -> bool:
        """Whether an event of the door holds personal data, or grants keys to what was sealed."""
        if isinstance(event, dict) and event.get("type") == GRANTED:
            return True
        data = event.get("data") if isinstance(event, dict) else None
        return isinstance(data, dict) and isinstance(data.get("sealed"), dict)

    def needs_arrivals(self, event: object) -> bool:
        """Whether what has arrived may decide how this event is completed: its chain or what it answers."""
        if not isinstance(event, dict):
            return False
        data = event.get("data")
        envelope = data.get("envelope") if isinstance(data, dict) else None
        if not isinstance(envelope, dict):
            return False
        replies = envelope.get("in_reply_to") is not None and envelope.get("in_reply_to_hash") is None
        return event.get("subject") is None or replies

    def prepare(
        self, writing: Writing, event: DoorEvent, despite: str | None = None, *, seal: bool = True
    ) -> ReadyEvent:
        """The event complete and encoded. Raises DoorProblem with all that is wrong. Reads only the agency's
        own file. `despite` is why it is said although the law leaves no room for it, if it is. Without `seal`
        personal data are left out, and no key is made for them."""
        kind, schema = self._catalog.event(event.type), self._catalog.latest(event.type)
        envelope = event.data.get("envelope", {})
        answered, unclear = None, None
        try:
            answered = self._answered(writing, event, kind, envelope)
        except DoorProblem as problem:
            unclear = problem
        said = _encoded(schema, event.data)
        found = may_say(
            self._catalog,
            kind,
            speaker=self._outbox.agency,
            source=event.source,
            data=event.data,
            value=said,
            subject=event.subject,
            answered=None if answered is None else Answered(answered.type, answered.chain),
            mended=self._mended(writing, envelope),
            personal=event.personal,
        )
        problems = [problem.at_the_door() for problem in found]
        if unclear is not None:
            problems.append(unclear)
        references, subject = references_of(envelope, event.source), event.subject
        if subject is None and not problems:
            try:
                subject = self._chain(writing, envelope, references, answered)
            except DoorProblem as problem:
                problems.append(problem)
        if problems:
            raise together(problems)
        assert subject is not None
        assert said is not None
        value, original, data = said, None, event.data
        id = event.id or message_uuid(self._outbox.agency, envelope["message_no"])
        if answered is not None and envelope.get("in_reply_to_hash") is None:
            data = {**data, "envelope": {**envelope, "in_reply_to_hash": answered.digest}}
        against = self._forbidden(writing, event, id, subject)
        if against and despite is None:
            raise together([AgainstLaw(one) for one in against])
        place = self._place(kind, subject, id)
        content = None if event.personal is None or not seal else content_of(event.personal)
        if event.type == GRANTED and content is None and seal:
            content = self._granted(writing, event, subject)
        if content is None and data.get("sealed") is not None:
            self._check_sealed(data["sealed"], place)
        if content is not None:
            data, standing = self._sealed(kind, data, content, place, event.personal)
            said = encode(schema, {**event.data, "sealed": standing})
        if data is not event.data:
            value, original = _fitting(schema, data), said
        return ReadyEvent(
            id=id,
            type=event.type,
            source=event.source,
            time_ms=to_moment(event.time),
            subject=subject,
            channel=kind.channel,
            value=value,
            fingerprint=schema.fingerprint,
            references=references,
            traceparent=event.traceparent,
            said=original,
            despite=tuple(one.despite(despite) for one in against if despite is not None),
        )

    def _forbidden(self, writing: Writing, event: DoorEvent, id: UUID, chain: str) -> tuple[Forbidden, ...]:
        """Why the law leaves no room for it; what is in the outbox already is only said again."""
        if event.type not in MAY_BE_FORBIDDEN or writing.holds(id):
            return ()
        said = chain_event(
            digest=id.bytes * 2,  # its own stands only once it is signed
            id=id,
            type=event.type,
            source=event.source,
            chain=chain,
            time_ms=to_moment(event.time),
            admitted_at_ms=to_moment(event.time),
            body=event.data,
        )
        return forbidden(writing.connection, self._outbox.agency, self._catalog, said)

    def _place(self, kind: EventType, chain: str, id: UUID) -> Place:
        return Place(kind.topic(self._outbox.agency), chain, id, kind.type, self._outbox.agency)

    def _check_sealed(self, raw: bytes, place: Place) -> None:
        """Bytes that were sealed before come in only if they are this event's: nobody could open others."""
        if self._sealer is None or not self._sealer.has_sealed(raw, place):
            raise DoorProblem(
                "/data/sealed",
                "bytes that were not sealed for this event",
                expected="personal facts as an object, or null",
                remedy="say the facts anew: they are sealed for this event",
            )

    def _granted(self, writing: Writing, event: DoorEvent, chain: str) -> bytes | None:
        """What an `access.granted` hands over: keys of the own sealed events that it names, or of all."""
        if self._sealer is None:
            return None
        named = [writing.event_of_digest(digest) for digest in event.data["events"]]
        own = [one for one in named if one is not None and one.sent and one.chain == chain]
        places = [self._place(self._catalog.event(one.type), chain, one.id) for one in own]
        return self._sealer.grant(chain, places if named else None)

    def _sealed(
        self,
        kind: EventType,
        data: dict[str, Any],
        content: bytes,
        place: Place,
        personal: dict[str, Any] | None,
    ) -> tuple[dict[str, Any], bytes]:
        """The data with the content sealed and its tokens, and what stands for it in a repeat."""
        if self._sealer is None:
            raise DoorProblem(
                "/data/sealed", "this program cannot seal personal data", remedy="use `casebus publish`"
            )
        try:
            readers = personal_readers(self._catalog, kind, place.speaker, data)
            if personal is None:  # keys go to whom they are granted, not to who only hears of it
                to = {address.partition("/")[0] for address in data["envelope"]["to"]}
                readers = tuple(one for one in readers if one in to)
            found = {**data, "sealed": self._sealer.sealed(content, place, readers)}
            if personal is not None and "suspects" in data:
                found["suspects"] = self._sealer.with_tokens(data["suspects"], personal)
            return found, self._sealer.stands_for(content, place)
        except DoorProblem:
            raise
        except UsageError as error:
            raise DoorProblem(
                "/data/sealed", error.message, found=error.found, expected=error.expected, remedy=error.remedy
            ) from error

    def _answered(
        self, writing: Writing, event: DoorEvent, kind: EventType, envelope: dict[str, Any]
    ) -> KnownEvent | None:
        """The known event that this one answers."""
        reply, digest = envelope.get("in_reply_to"), envelope.get("in_reply_to_hash")
        if reply is None:
            return None if digest is None else writing.event_of_digest(digest)
        known = writing.events_of_id(reply if isinstance(reply, UUID) else UUID(str(reply)))
        if digest is not None:
            matching = [event for event in known if event.digest == digest]
            if known and not matching:
                raise DoorProblem(
                    f"{_REPLY}_hash",
                    f"not the digest of event {reply}",
                    found=digest.hex(),
                    expected=known[0].digest.hex(),
                    remedy="leave it null: it is filled in",
                )
            known = matching
        if len(known) > 1:
            known = self._meant(known, event, kind, envelope)
        if len(known) > 1:
            raise DoorProblem(
                f"{_REPLY}_hash",
                f"the id {reply} stands for {len(known)} events",
                expected="the digest of the one that is answered: "
                + ", ".join(event.digest.hex() for event in known),
            )
        return known[0] if known else None

    def _meant(
        self, known: list[KnownEvent], event: DoorEvent, kind: EventType, envelope: dict[str, Any]
    ) -> list[KnownEvent]:
        """Of several events of one id those that this one can answer, in its chain, of whom it is said to:
        who uses the id of another again neither draws the answer to himself nor holds it up."""
        wanted: list[Callable[[KnownEvent], bool]] = [
            lambda one: not kind.answers or kind.may_answer(one.type),
            lambda one: event.subject in (None, one.chain),
            lambda one: self._owner(one) in (*envelope["to"], BUS),
        ]
        for fits in wanted:
            known = [one for one in known if fits(one)] or known
        return known

    def _mended(self, writing: Writing, envelope: dict[str, Any]) -> dict[str, str]:
        """Whose events `corrects` and `withdraws` name, as far as they are known."""
        owners = {}
        for name in ("corrects", "withdraws"):
            digest = envelope.get(name)
            known = None if digest is None else writing.event_of_digest(digest)
            if known is not None:
                owners[name] = self._owner(known)
        return owners

    def _owner(self, event: KnownEvent) -> str:
        return self._outbox.agency if event.sent else agency_of_source(event.source)

    def _chain(
        self,
        writing: Writing,
        envelope: dict[str, Any],
        references: tuple[Reference, ...],
        answered: KnownEvent | None,
    ) -> str:
        """The chain id where the sender gave none: copied, known by a reference, or minted."""
        if answered is None and envelope.get("in_reply_to") is not None:
            raise DoorProblem(
                _REPLY,
                "an event that this agency has neither received nor sent",
                found=envelope["in_reply_to"],
                expected="the id of such an event, or the chain id as subject",
                remedy="read the inbox first, or correct the id",
            )
        chain = chain_of(
            references,
            answered=None if answered is None else answered.chain,
            known=writing.chain_of,
            mint=lambda reference: str(chain_id(self._chain_secret(), *reference)),
        )
        assert chain is not None  # the judge refuses an event without any of the three
        return chain


def problem_json(error: UsageError, *, line: int | None = None) -> dict[str, Any]:
    """Problem details (RFC 9457) of an event that was not taken, with the JSON pointer where there is one."""
    pointer = getattr(error, "pointer", None)
    problem: dict[str, Any] = {
        "type": "tag:casebus,2026:problem:event",
        "title": error.message.removeprefix(f"{pointer or '/'}: "),
        "status": 422,
        "detail": error.detail,
    }
    if isinstance(error, DoorProblem):
        problem["errors"] = [
            {"pointer": f"#{one.pointer}", "detail": one.detail, "zh": detail_in_chinese(one)}
            for one in error.every
        ]
    if line is not None:
        problem["line"] = line
    return problem


def _fitting(schema: EventSchema, data: dict[str, Any]) -> bytes:
    """The framed value of data to which the connector has added. Raises DoorProblem where it is too large."""
    try:
        return encode(schema, data)
    except UsageError as error:
        raise DoorProblem(
            "/data", error.message, found=error.found, expected=error.expected, remedy=error.remedy
        ) from error


def _encoded(schema: EventSchema, data: dict[str, Any]) -> bytes | None:
    """The framed value; None where it is too large: what the door has read fits its schema."""
    try:
        return encode(schema, data)
    except UsageError:
        return None
