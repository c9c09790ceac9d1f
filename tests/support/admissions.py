"""Records of bus.admission for tests of its readers: signed events, judged by the router's own rules."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.verdict import BUS_HEADERS, HEADER, Admission, Origin
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.records import Batch, Outgoing, Record
from casebus_services.router.rules import judge
from support.signed_events import Speaker, keyring_of


@dataclass
class Admitter:
    """Stores signed events on their topics and admits them at a settable time, offset after offset."""

    partitions: int = 4
    speakers: Sequence[Speaker] = field(
        default_factory=lambda: [Speaker(a) for a in ("csrc", "mps", "spp", "court")]
    )
    now_ms: int = 1_476_720_000_000
    records: dict[int, list[Record]] = field(default_factory=lambda: defaultdict(list))
    _offsets: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self.keyring: Keyring = keyring_of(*self.speakers)

    def speaker(self, agency: str) -> Speaker:
        """One of the speakers."""
        return next(speaker for speaker in self.speakers if speaker.agency == agency)

    def admit(self, event: Composed | Outgoing, *, attempt: int = 1, at_ms: int | None = None) -> Record:
        """Stores the event on its topic and gives its record on bus.admission."""
        outgoing = event.record if isinstance(event, Composed) else event
        place = (outgoing.topic, outgoing.partition)
        offset = self._offsets[place]
        self._offsets[place] += 1
        stored = Record(*place, offset, 1_700_000_000_000, 1, outgoing.key, outgoing.value, outgoing.headers)
        return self._admission(stored, attempt, at_ms)

    def again(self, record: Record) -> Record:
        """The same admission once more, as a router repeats it after a crash."""
        return self._append(record)

    def _admission(self, stored: Record, attempt: int, at_ms: int | None) -> Record:
        judgement = judge(stored, Catalog.load(), self.keyring, self.partitions, 1_700_000_000_000)
        admission = Admission(
            origin=Origin(stored.topic, stored.partition, stored.offset),
            attempt=attempt,
            verdict=judgement.verdict,
            code=judgement.code,
            detail=judgement.detail,
            digest=judgement.digest,
            recipients=judgement.recipients,
            catalogue="test",
            keyring="test",
            admitted_at_ms=self.now_ms if at_ms is None else at_ms,
        )
        # The reconciler obeys the verdict; who proved it is the auditors' concern.
        headers = (
            *stored.headers,
            (HEADER, admission.to_json()),
            *((name, b"-") for name in BUS_HEADERS[1:]),
        )
        return self._append(stored._replace(topic="bus.admission", headers=headers))

    def _append(self, record: Record) -> Record:
        row = self.records[record.partition]
        placed = record._replace(offset=len(row))
        row.append(placed)
        return placed

    def batches(self) -> list[Batch]:
        """Everything on bus.admission so far, one batch a partition."""
        return [batch_of(records) for records in self.records.values()]


def batch_of(records: Iterable[Record]) -> Batch:
    """Records of one partition as a batch."""
    listed = list(records)
    return Batch(listed[0].topic, listed[0].partition, listed, listed[-1].offset + 1)


class MemorySink:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    def send_all(self, outgoing: Iterable[Outgoing]) -> None:
        """Remembers."""
        self.sent.extend(outgoing)


def data_of(record: Outgoing) -> dict[str, Any]:
    """The decoded body of a record."""
    from casebus_schemas.wire.codec import decode

    return decode(Catalog.load(), record.value)[1]
