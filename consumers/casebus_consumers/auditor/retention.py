"""What agencies have purged or made unreadable by events of their own, as the ledger holds them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.proof import forged_event
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.agencies import agency_of_topic
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import key_topics
from casebus_schemas.errors import BusError, UsageError
from casebus_schemas.evidence.key_entry import Order
from casebus_schemas.evidence.sealed_order import SealedOrder
from casebus_schemas.sealed.blob import SealedBytes
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import event_digest

from .drop_orders import DropOrder

if TYPE_CHECKING:
    from .ledger_rows import LedgerRows

PURGED, SHREDDED = "retention.purged", "retention.shredded"
_FAMILY = b"retention."


@dataclass(frozen=True, slots=True)
class Shredded:
    """A data key that its agency has destroyed: `events` say something under it that nobody opens by it."""

    place: str
    agency: str
    chain: str
    data_key: str
    events: int
    reasons: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "entry": self.place,
            "agency": self.agency,
            "chain": self.chain,
            "data_key": self.data_key,
            "events": self.events,
            "why": self.reasons,
        }

    def __str__(self) -> str:
        key = f"{self.agency}, data key {self.data_key[:16]}… of {self.events} events"
        return f"{key}, by entry {self.place}: {self.reasons}"


class Retention:
    """Reads the retention events of a ledger, each signed by a key of its agency at its place."""

    def __init__(self, rows: "LedgerRows", catalog: Catalog) -> None:
        self._found = rows.retention()
        self._catalog = catalog
        self._keyring = Keyring(catalog)
        for topic in key_topics():
            self._keyring = self._keyring.extend(rows.records(topic))
        self._order: Order = SealedOrder(rows.sealed_heads())

    def purges(self) -> Iterator[DropOrder]:
        """For each content that `retention.purged` allows to be gone what allows it; of own events alone."""
        for record, headers, data in self._said(PURGED):
            place, reasons = _place(record), data["reasons"] or PURGED
            wanted = set(data["events"])
            for origin, digest, content in self._own(record, headers):
                if not wanted or digest in wanted:
                    yield DropOrder(place, origin, content, None, reasons)

    def shreddings(self) -> Iterator[Shredded]:
        """The data keys that agencies say they have destroyed."""
        for record, headers, data in self._said(SHREDDED):
            agency = agency_of_topic(record.topic)
            names = [name for name in data["keys"] if isinstance(name, str)]
            counts = dict.fromkeys(names, 0)
            for _, _, _, value in self._found.of_chain(f"{agency}.", record.key or b""):
                if (name := self._data_key(value)) in counts:
                    counts[name] += 1
            for name, count in counts.items():
                chain, reasons = headers.subject, data["reasons"] or SHREDDED
                yield Shredded(_place(record), agency, chain, name, count, reasons)

    def _said(self, type: str) -> Iterator[tuple[Record, EventHeaders, dict[str, Any]]]:
        for record, headers in self._events:
            try:
                if headers.type != type:
                    continue
                if forged_event(record, headers, self._keyring, None, self._order) is None:
                    yield record, headers, decode(self._catalog, record.value)[1]
            except BusError:  # it says nothing: the router has refused it
                continue

    @cached_property
    def _events(self) -> list[tuple[Record, EventHeaders]]:
        """The events of the family, by one walk over the headers of all channels that have it."""
        found = []
        for record in self._found.records_saying(".record", _FAMILY):
            with suppress(BusError):
                found.append((record, EventHeaders.parse(record.headers)))
        return found

    def _own(self, record: Record, headers: EventHeaders) -> Iterator[tuple[Origin, bytes, bytes]]:
        """Place, event digest and content's digest of what the same agency said in the chain."""
        agency = agency_of_topic(record.topic)
        for place, found, content, _ in self._found.of_chain(f"{agency}.", headers.subject.encode()):
            if content is None:
                continue
            try:
                said = EventHeaders.parse(found).signed_fields(place.topic, place.partition, None)
            except BusError:
                continue
            yield place, event_digest(said._replace(value_sha256=content)), content

    def _data_key(self, value: bytes | None) -> str:
        try:
            _, data = decode(self._catalog, value)
            return SealedBytes.parse(data["sealed"]).data_key.hex() if data.get("sealed") else ""
        except (BusError, UsageError, LookupError):
            return ""


def _place(record: Record) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"
