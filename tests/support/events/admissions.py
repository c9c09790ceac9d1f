"""Records of bus.admission for tests of its readers: signed events, judged by the router's own rules."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.base64url import base64url_bytes
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.records import Batch, Outgoing, Record
from casebus_schemas.wire.signing import SigningKey
from casebus_services.router.judgement import judge
from casebus_services.router.outputs import AdmissionWriter, admission_of
from casebus_services.two_threads import Halves
from support.events.signed_events import Speaker, keyring_of, seed_of, stored


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
        self.keyring: Keyring = keyring_of(*self.speakers, Speaker("bus", key=SigningKey(seed_of("router"))))
        self.writer = AdmissionWriter(SigningKey(seed_of("router")), "router-1.1", Halves())

    def speaker(self, agency: str) -> Speaker:
        """One of the speakers."""
        return next(speaker for speaker in self.speakers if speaker.agency == agency)

    def admit(self, event: Composed | Outgoing, *, attempt: int = 1, at_ms: int | None = None) -> Record:
        """Stores the event on its topic and gives its record on bus.admission."""
        outgoing = event.record if isinstance(event, Composed) else event
        place = (outgoing.topic, outgoing.partition)
        offset = self._offsets[place]
        self._offsets[place] += 1
        return self._admission(stored(outgoing, offset), attempt, at_ms)

    def again(self, record: Record) -> Record:
        """The same admission once more, as a router repeats it after a crash."""
        return self._append(record)

    def _admission(self, event: Record, attempt: int, at_ms: int | None) -> Record:
        judgement = judge(event, Catalog.load(), self.keyring, self.partitions, 1_700_000_000_000)
        admission = admission_of(
            judgement,
            attempt=attempt,
            catalogue="test",
            keyring="test",
            admitted_at_ms=self.now_ms if at_ms is None else at_ms,
        )
        (outgoing,) = self.writer.write_all([(judgement, admission)])
        return self._append(stored(outgoing))

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


@dataclass
class KnownKeys:
    """Keys that are all known from the start."""

    keyring: Keyring

    def current(self) -> Keyring:
        """All."""
        return self.keyring

    def catch_up(self) -> None:
        """There is nothing more to read."""


_NO_SIGNATURE = base64url_bytes(b"\1\1" + SigningKey(seed_of("router")).key_id + bytes(64))
"""The block of a signature of zeros under the bus's key id."""


def unsigned(record: Record, name: str = "casebus-bus-sig", value: bytes = _NO_SIGNATURE) -> Record:
    """An admission as somebody without the router's key writes it: the header of that name is another."""
    headers = tuple((found, value if found == name else said) for found, said in record.headers)
    return record._replace(headers=headers)


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
