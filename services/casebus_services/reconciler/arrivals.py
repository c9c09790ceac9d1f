"""What arrives on bus.admission, read for the rules about arrivals (R03, R05) and for the books."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.proof import forged_admissions
from casebus_schemas.admission.verdict import Admission, original_record, split_admission
from casebus_schemas.agencies import agency_of_source
from casebus_schemas.case.chain import UNREAD, ChainEvent, Digest, chain_event
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError, Forged, Refused, StopService
from casebus_schemas.frozen import quickly_made
from casebus_schemas.rules.rule import Arrived
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import to_datetime
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import ZERO_DIGEST, event_digest
from casebus_schemas.wire.stream_head import Stream, StreamHead

from .stepped_over import SteppedOver, is_stepped_over

PROVEN_AT_ONCE = 500
"""Records whose signatures are checked together: one right signature vouches for those before it."""


@quickly_made
@dataclass(frozen=True, slots=True)
class Arrival:
    """An admission record: the verdict, where it stands, and the event behind it as far as it can be read.

    `headers` are None where the original's headers are malformed or withheld; `value` is the framed value.
    """

    admission: Admission
    partition: int
    offset: int
    headers: EventHeaders | None
    digest: Digest | None
    value: bytes | None
    _read: list[ChainEvent] = field(default_factory=list, init=False, compare=False, repr=False)

    @property
    def stream(self) -> Stream | None:
        """The stream that the event says it belongs to."""
        if self.headers is None:
            return None
        origin = self.admission.origin
        return Stream(self.headers.producer, origin.topic, origin.partition)

    @property
    def admitted_at(self) -> datetime:
        """When the router judged it."""
        return to_datetime(self.admission.admitted_at_ms)

    @property
    def event_headers(self) -> EventHeaders:
        """The headers of an admitted event. Raises StopService if the router admitted one without."""
        if self.headers is None or self.digest is None:
            raise _incredible(self, "an admitted event whose headers cannot be read")
        return self.headers

    def event(self, catalog: Catalog) -> ChainEvent:
        """The admitted event, decoded once. Raises Refused if this program cannot decode it."""
        if not self._read:
            self._read.append(self._decoded(catalog))
        return self._read[0]

    def _decoded(self, catalog: Catalog) -> ChainEvent:
        headers = self.event_headers
        _, body = decode(catalog, self.value)
        return chain_event(
            digest=self.digest or ZERO_DIGEST,
            id=headers.id,
            type=headers.type,
            source=headers.source,
            chain=headers.subject,
            time_ms=headers.time_ms,
            admitted_at_ms=self.admission.admitted_at_ms,
            body=body,
            producer=headers.producer,
            seq=headers.seq,
            prev=headers.prev,
            size=len(self.value or b""),
            told=[told.agency for told in self.admission.recipients],
        )

    def outline(self) -> ChainEvent:
        """The admitted event as its headers show it, without what it says."""
        headers = self.event_headers
        return ChainEvent(
            digest=self.digest or ZERO_DIGEST,
            id=headers.id,
            type=headers.type,
            agency=agency_of_source(headers.source),
            source=headers.source,
            chain=headers.subject,
            occurred_at=to_datetime(headers.time_ms),
            admitted_at=self.admitted_at,
            envelope={},
            data={},
            handled=UNREAD,
            producer=headers.producer,
            seq=headers.seq,
            prev=headers.prev,
        )


def arrival(record: Record) -> Arrival:
    """Reads a record of bus.admission whose signature was found right.

    Raises Forged if it carries no admission, or if the event behind it is not the one that was admitted: the
    router signs the event's digest, not its headers.
    """
    try:
        admission, headers = split_admission(record)
    except BusError as error:
        raise forged(record, error.detail) from error
    original = original_record(record, admission, headers)
    parsed: EventHeaders | None = None
    digest = admission.digest
    try:
        # What was admitted was checked by the router; of refused records anything may be amiss.
        parsed = (EventHeaders.of_admitted if admission.admitted else EventHeaders.parse)(headers)
        if record.value is not None and (admission.admitted or digest is None):
            digest = event_digest(parsed.signed_fields(original.topic, original.partition, record.value))
    except Refused:
        parsed = None
    if admission.admitted and (parsed is None or digest is None or digest != admission.digest):
        raise forged(record, f"an event whose digest is not the admitted one, that of {admission.origin}")
    return Arrival(admission, record.partition, record.offset, parsed, digest, record.value)


def arrivals_of(
    records: Iterable[Record], keyring: Keyring, stepped_over: SteppedOver | None = None
) -> Iterator[Arrival]:
    """Records of bus.admission read, each proven to be the router's. Raises Forged at one that is not.

    One that is to be stepped over is left out.
    """
    waiting = iter(records)
    while run := list(islice(waiting, PROVEN_AT_ONCE)):
        for record, problem in zip(run, forged_admissions(run, keyring), strict=True):
            try:
                if problem is not None:
                    raise forged(record, problem)
                found = arrival(record)
            except Forged:
                if stepped_over is None or not is_stepped_over(record, stepped_over):
                    raise
            else:
                yield found


def forged(record: Record, problem: Sentence | str) -> Forged:
    """The error for a record of bus.admission that is not the router's."""
    return Forged(
        "a record of bus.admission is not the router's",
        found=problem if isinstance(problem, str) else problem.text,
        expected="an admission under a key of the bus",
        remedy="keep everything as it is and find out who wrote it: only an administrator of the broker can",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )


def met_again(event: ChainEvent) -> Arrived:
    """An event that the bus had before, as the rules about arrivals see it."""
    return Arrived(event, again=True)


def met(
    arrived: Arrival,
    event: ChainEvent,
    head: StreamHead | None,
    was_refused: Callable[[Stream, Digest], bool],
) -> Arrived:
    """A new event at its place behind its stream's head, as the rules about arrivals see it."""
    stream = arrived.stream
    return Arrived(
        event,
        again=False,
        stream=stream,
        head=head or StreamHead(),
        was_refused=lambda digest: stream is not None and was_refused(stream, digest),
        redriven=arrived.admission.attempt > 1,
    )


def _incredible(arrived: Arrival, what: str) -> StopService:
    return StopService(
        what,
        found=f"admission of {arrived.admission.origin}",
        expected="an admission that this version understands",
        remedy="check that router and reconciler are of the same version",
        topic="bus.admission",
        partition=arrived.partition,
        offset=arrived.offset,
    )
