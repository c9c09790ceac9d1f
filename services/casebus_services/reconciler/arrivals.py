"""What arrives on bus.admission, and what its arrival alone shows: R03 repeats, R05 broken streams."""

from collections.abc import Callable
from dataclasses import dataclass

from casebus_schemas.admission.verdict import Admission, original_record, split_admission
from casebus_schemas.case.chain import ChainEvent, Digest, chain_event
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import Refused, StopService
from casebus_schemas.law import Sentence
from casebus_schemas.rules.finding import Finding, account, finding
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import ZERO_DIGEST, event_digest
from casebus_schemas.wire.stream_head import Stream, StreamHead


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

    @property
    def stream(self) -> Stream | None:
        """The stream that the event says it belongs to."""
        if self.headers is None:
            return None
        origin = self.admission.origin
        return Stream(self.headers.producer, origin.topic, origin.partition)

    @property
    def event_headers(self) -> EventHeaders:
        """The headers of an admitted event. Raises StopService if the router admitted one without."""
        if self.headers is None or self.digest is None:
            raise _incredible(self, "an admitted event whose headers cannot be read")
        return self.headers

    def event(self, catalog: Catalog) -> ChainEvent:
        """The admitted event, decoded. Raises StopService if the router admitted what cannot be decoded."""
        headers = self.event_headers
        return decoded_event(
            catalog, headers, self.digest or ZERO_DIGEST, self.value, self.admission.admitted_at_ms
        )


def decoded_event(
    catalog: Catalog, headers: EventHeaders, digest: Digest, value: bytes | None, admitted_at_ms: int
) -> ChainEvent:
    """An admitted event from its headers and framed value. Raises StopService if it cannot be decoded."""
    try:
        _, body = decode(catalog, value)
    except Refused as error:
        raise StopService(
            "an admitted event cannot be decoded", found=error.detail, remedy="update casebus on this machine"
        ) from error
    return chain_event(
        digest=digest,
        id=headers.id,
        type=headers.type,
        source=headers.source,
        chain=headers.subject,
        time_ms=headers.time_ms,
        admitted_at_ms=admitted_at_ms,
        body=body,
        producer=headers.producer,
        seq=headers.seq,
        prev=headers.prev,
    )


def arrival(record: Record) -> Arrival:
    """Reads a record of bus.admission. Raises BusError if it carries no admission of the router."""
    admission, headers = split_admission(record)
    original = original_record(record, admission, headers)
    parsed: EventHeaders | None = None
    digest = admission.digest
    try:
        parsed = EventHeaders.parse(headers)
        if digest is None and record.value is not None:
            fields = parsed.signed_fields(original.topic, original.partition, record.value)
            digest = event_digest(fields)
    except Refused:
        parsed = None
    return Arrival(admission, record.partition, record.offset, parsed, digest, record.value)


def repeat(event: ChainEvent) -> Finding:
    """R03: the very same event was published again; it had no second effect."""
    return finding(
        "R03",
        chain=event.chain,
        subject=str(event.id),
        causes=[event],
        severity="info",
        cls="arrival",
        accounts=[account(event, {"type": event.type})],
        because=Sentence(
            "同一事件(标识与摘要均相同)重复发布,不产生第二次效果",
            "the same event, id and digest, was published again: it has no second effect",
        ),
    )


def stream_break(
    arrived: Arrival,
    event: ChainEvent,
    head: StreamHead | None,
    was_refused: Callable[[Stream, Digest], bool],
) -> Finding | None:
    """R05: the event does not follow its stream's last admitted one.

    No finding if its `prev` is a refused record of the stream: the gap is the refusal. Records driven again
    (attempt > 1) come out of their place by nature.
    """
    stream = arrived.stream
    if stream is None or arrived.admission.attempt > 1:
        return None
    last = head or StreamHead()
    expected_seq = last.seq + 1
    if (event.seq, event.prev) == (expected_seq, last.digest) or was_refused(stream, event.prev):
        return None
    gap = event.seq > expected_seq
    said = (
        Sentence(
            f"发送流缺少第{expected_seq}至第{event.seq - 1}号事件",
            f"the stream lacks its events {expected_seq} to {event.seq - 1}",
        )
        if gap
        else Sentence(
            f"发送流在第{event.seq}号事件处分叉或改写",
            f"the stream forks or was rewritten at its event {event.seq}",
        )
    )
    return finding(
        "R05",
        chain=event.chain,
        subject=f"{stream.producer}\n{stream.topic}\n{stream.partition}",
        causes=[event],
        severity="high",
        cls="arrival",
        accounts=[
            account(
                event,
                {
                    "producer": stream.producer,
                    "stream": f"{stream.topic}/{stream.partition}",
                    "seq": event.seq,
                    "prev": event.prev.hex(),
                    "expected_seq": expected_seq,
                    "expected_prev": last.digest.hex(),
                },
            )
        ],
        because=Sentence(
            f"{stream.producer}在{stream.topic}/{stream.partition}:{said.zh}",
            f"{stream.producer} on {stream.topic}/{stream.partition}: {said.en}",
        ),
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
