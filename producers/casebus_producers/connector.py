"""The connector: takes an event at the agency's door, completes and checks it, and queues it signed."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from casebus_schemas.admission.resident_ids import value_holds_resident_id
from casebus_schemas.agencies import BUS, agency_of_source
from casebus_schemas.catalogue.catalog import RECEIPTS, Catalog, EventType
from casebus_schemas.errors import UsageError
from casebus_schemas.times import to_moment
from casebus_schemas.wire.codec import encode
from casebus_schemas.wire.door import DoorEvent, DoorProblem, parse_event
from casebus_schemas.wire.ids import chain_id, message_uuid

from .arrivals import references_of
from .known import KnownEvent
from .outbox import Outbox
from .outbox_events import Queued, ReadyEvent, Reference
from .writing import Writing

_REPLY = "/data/envelope/in_reply_to"


class Connector:
    """Checks what an agency says before it is signed; what it refuses never leaves the agency.

    `chain_secret` gives the secret that mints chain ids; it is asked only when one is minted.
    """

    def __init__(self, outbox: Outbox, catalog: Catalog, chain_secret: Callable[[], bytes]) -> None:
        self._outbox = outbox
        self._catalog = catalog
        self._chain_secret = chain_secret

    def submit(self, event: object, *, receipts_from: int | None = None) -> Queued:
        """Queues one event given as parsed JSON (docs/records.md 3). Durable when it returns; idempotent.

        Raises DoorProblem with the JSON pointer of what is wrong; then nothing is queued.
        """
        parsed = parse_event(event, self._catalog)
        return self._outbox.together(lambda writing: self._queue(writing, parsed, receipts_from))

    def submit_all(
        self, events: Sequence[object], *, receipts_from: int | None = None
    ) -> list[Queued | DoorProblem]:
        """Queues events in their order, in one transaction: durable when it returns.

        What is wrong with an event stands in its place; the others are queued.
        """

        def queue(writing: Writing) -> list[Queued | DoorProblem]:
            found: list[Queued | DoorProblem] = []
            for event in events:
                try:
                    found.append(self.submit_in(writing, event, receipts_from=receipts_from))
                except DoorProblem as problem:
                    found.append(problem)
            return found

        return self._outbox.together(queue)

    def submit_in(self, writing: Writing, event: object, *, receipts_from: int | None = None) -> Queued:
        """As `submit`, within a transaction of the caller. After DoorProblem the transaction may go on."""
        return self._queue(writing, parse_event(event, self._catalog), receipts_from)

    def _queue(self, writing: Writing, event: DoorEvent, receipts_from: int | None) -> Queued:
        ready = self.prepare(writing, event)
        try:
            return writing.enqueue(ready, receipts_from=receipts_from)
        except DoorProblem:
            raise
        except UsageError as error:
            raise DoorProblem(
                "/id", error.message, found=error.found, expected=error.expected, remedy=error.remedy
            ) from error

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

    def prepare(self, writing: Writing, event: DoorEvent) -> ReadyEvent:
        """The event complete and encoded. Raises DoorProblem. Reads only the agency's own file."""
        kind = self._may_say(event)
        envelope = event.data.get("envelope", {})
        _refuse_secrets(event, envelope)
        answered = self._answered(writing, kind, envelope)
        self._check_targets(writing, envelope)
        references = references_of(envelope)
        subject = event.subject or self._chain(writing, envelope, references, answered)
        if answered is not None and subject != answered.chain:
            raise DoorProblem(
                "/subject",
                "not the chain of the event that is answered",
                found=subject,
                expected=answered.chain,
                remedy="leave subject null to copy it",
            )
        schema = self._catalog.latest(event.type)
        said = _encoded(schema, event.data)
        value, original = said, None
        if answered is not None and envelope.get("in_reply_to_hash") is None:
            filled = {**envelope, "in_reply_to_hash": answered.digest}
            value, original = _encoded(schema, {**event.data, "envelope": filled}), said
        return ReadyEvent(
            id=event.id or message_uuid(self._outbox.agency, envelope["message_no"]),
            type=event.type,
            source=event.source,
            time_ms=to_moment(event.time),
            subject=subject,
            channel=kind.channel,
            value=value,
            fingerprint=schema.fingerprint,
            references=references,
            said=original,
        )

    def _may_say(self, event: DoorEvent) -> EventType:
        agency = self._outbox.agency
        if agency_of_source(event.source) != agency:
            raise DoorProblem(
                "/source",
                "another agency's source",
                found=event.source,
                expected=f"/{agency} or /{agency}/unit",
                remedy="publish it with that agency's own keys (--agency)",
            )
        kind = self._catalog.event(event.type)
        if agency not in kind.speakers or kind.channel == RECEIPTS:
            raise DoorProblem(
                "/type",
                f"{agency} may not say {event.type}",
                found=agency,
                expected=" or ".join(sorted(kind.speakers)) or BUS,
                remedy="see events.yaml for who may say what",
            )
        return kind

    def _answered(self, writing: Writing, kind: EventType, envelope: dict[str, Any]) -> KnownEvent | None:
        """The known event that this one answers."""
        reply, digest = envelope.get("in_reply_to"), envelope.get("in_reply_to_hash")
        if reply is None:
            return None if digest is None else self._checked(kind, writing.event_of_digest(digest))
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
            raise DoorProblem(
                f"{_REPLY}_hash",
                f"the id {reply} stands for {len(known)} events",
                expected="the digest of the one that is answered: "
                + ", ".join(event.digest.hex() for event in known),
            )
        return self._checked(kind, known[0] if known else None)

    def _checked(self, kind: EventType, known: KnownEvent | None) -> KnownEvent | None:
        if known is not None and kind.answers and not kind.may_answer(known.type):
            raise DoorProblem(
                _REPLY,
                f"{kind.type} cannot answer {known.type}",
                found=known.type,
                expected=", ".join(kind.answers),
            )
        return known

    def _check_targets(self, writing: Writing, envelope: dict[str, Any]) -> None:
        for name in ("corrects", "withdraws"):
            digest = envelope.get(name)
            known = None if digest is None else writing.event_of_digest(digest)
            if known is not None and not known.sent:
                raise DoorProblem(
                    f"/data/envelope/{name}",
                    "another agency's event",
                    found=f"{known.type} of {known.source}",
                    expected="the digest of an event of one's own",
                    remedy="ask its agency to correct it, or open a consultation",
                )

    def _chain(
        self,
        writing: Writing,
        envelope: dict[str, Any],
        references: tuple[Reference, ...],
        answered: KnownEvent | None,
    ) -> str:
        """The chain id where the sender gave none: copied, known by a reference, or minted."""
        if answered is not None:
            return answered.chain
        if envelope.get("in_reply_to") is not None:
            raise DoorProblem(
                _REPLY,
                "an event that this agency has neither received nor sent",
                found=envelope["in_reply_to"],
                expected="the id of such an event, or the chain id as subject",
                remedy="read the inbox first, or correct the id",
            )
        if not references:
            raise DoorProblem(
                "/subject",
                "no chain",
                expected="a chain id, an answered event or a local case reference",
                remedy="give data.envelope.local_refs: the first one mints the chain id",
            )
        known = writing.chain_of(references)
        return known or str(chain_id(self._chain_secret(), *references[0]))


def problem_json(error: UsageError, *, line: int | None = None) -> dict[str, Any]:
    """Problem details (RFC 9457) of an event that was not taken, with the JSON pointer where there is one."""
    pointer = getattr(error, "pointer", None)
    problem: dict[str, Any] = {
        "type": "tag:casebus,2026:problem:event",
        "title": error.message.removeprefix(f"{pointer or '/'}: "),
        "status": 422,
        "detail": error.detail,
    }
    if pointer is not None:
        problem["errors"] = [{"pointer": f"#{pointer}", "detail": error.detail}]
    if line is not None:
        problem["line"] = line
    return problem


def _refuse_secrets(event: DoorEvent, envelope: dict[str, Any]) -> None:
    if envelope.get("handling") == "S":
        raise DoorProblem(
            "/data/envelope/handling",
            "a state secret must not enter this network (State Secrets Law 2024, art. 14)",
            found="S",
            expected="H0 to H3",
            remedy="use the classified channel; if it is no state secret, say its true level",
        )
    if value_holds_resident_id(event.data):
        raise DoorProblem(
            "/data",
            "a resident identity number (居民身份证号) in clear",
            found="18 digits with a valid check digit",
            expected="a match token",
            remedy="replace it with tokens; personal data travel sealed only",
        )


def _encoded(schema: Any, data: dict[str, Any]) -> bytes:
    try:
        return encode(schema, data)
    except UsageError as error:
        raise DoorProblem("/data", error.message) from error
