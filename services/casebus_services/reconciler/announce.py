"""Turns what the books announce into signed events of the bus, each the next of its stream."""

from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from casebus_schemas.agencies import BUS
from casebus_schemas.case.chain import Digest
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.times import to_moment
from casebus_schemas.wire.codec import encode_raw
from casebus_schemas.wire.compose import compose
from casebus_schemas.wire.ids import bus_id
from casebus_schemas.wire.partitioning import partition_of
from casebus_schemas.wire.records import Outgoing
from casebus_schemas.wire.signing import SigningKey
from casebus_schemas.wire.stream_head import Stream, StreamHead

from .announced_data import articles_data, data_of
from .hearing import Announcement

SOURCE = "/bus/reconciler"


class Announced(NamedTuple):
    """A signed event, ready for the outbox."""

    id: UUID
    chain: str
    type: str
    record: Outgoing


class Said(NamedTuple):
    """An announcement, and the framed value of the event that makes it."""

    announcement: Announcement
    value: bytes


MOST_VALUE_BYTES = 256 * 1024
"""Of one announcement: what says more is said in parts. Kafka's topics take a mebibyte."""


def said(announcement: Announcement, catalog: Catalog) -> list[Said]:
    """The announcement with its value, in parts where it is long. A single duty or finding always fits."""
    about = announcement.about
    try:
        value = encode_raw(catalog.latest(announcement.kind), _data(announcement))
    except UsageError:  # more than any record may hold
        if len(about) == 1:
            raise
    else:
        if len(value) <= MOST_VALUE_BYTES or len(about) == 1:
            return [Said(announcement, value)]
    half = len(about) // 2
    parts = (announcement.part(0, half), announcement.part(half, len(about)))
    return [one for part in parts for one in said(part, catalog)]


class Announcer:
    """Composes announcements under the bus's key.

    The producer belongs to the admission partition that the chain lives on (`reconciler-p3.<incarnation>`):
    its outbox and stream heads move with the partition to whoever works on it.
    """

    def __init__(self, catalog: Catalog, key: SigningKey, partitions: int) -> None:
        self._catalog = catalog
        self._key = key
        self._partitions = partitions

    def compose(
        self,
        said: Said,
        producer: str,
        heads: MutableMapping[Stream, StreamHead],
        traces: Mapping[Digest, str] = MappingProxyType({}),
    ) -> Announced:
        """The signed event; moves its stream's head in `heads` (absent: the stream begins).

        It carries on the trace context of the first event in `traces` that caused it.
        """
        announcement, value = said
        kind = announcement.kind
        schema = self._catalog.latest(kind)
        topic = self._catalog.event(kind).topic(BUS)
        # Key = chain id, and all channels have one partition count: the chain's own partition.
        partition = partition_of(announcement.chain.encode(), self._partitions)
        named = event_id(announcement)
        stream = Stream(producer, topic, partition)
        composed = compose(
            value=value,
            fingerprint=schema.fingerprint,
            id=named,
            type=kind,
            source=SOURCE,
            time_ms=to_moment(announcement.at),
            subject=announcement.chain,
            topic=topic,
            partitions=self._partitions,
            producer=producer,
            head=heads.get(stream, StreamHead()),
            key=self._key,
            traceparent=next((traces[cause] for cause in announcement.causes if cause in traces), None),
        )
        heads[stream] = composed.head
        return Announced(named, announcement.chain, kind, composed.record)


def event_id(announcement: Announcement) -> UUID:
    """The id of the event that makes an announcement: the same announcement never gets another."""
    return _event_id(announcement.kind, announcement.subject, announcement.causes)


@lru_cache(maxsize=4096)
def _event_id(kind: str, subject: str, causes: tuple[bytes, ...]) -> UUID:
    return bus_id(kind, subject, causes)


def _data(announcement: Announcement) -> dict[str, Any]:
    """The raw data of the event."""
    name = "obligations" if announcement.kind == "obligation.announced" else "findings"
    return {"envelope": _envelope(announcement), name: [data_of(one) for one in announcement.about]}


def _envelope(announcement: Announcement) -> Mapping[str, Any]:
    return {
        "message_class": "initial",
        "to": announcement.to,
        "cc": [],
        "in_reply_to": None,
        "in_reply_to_hash": None,
        "corrects": None,
        "withdraws": None,
        "local_refs": [],
        "occurred_at": to_moment(announcement.at),
        "precision": "second",
        "date_basis": "stated",
        "legal_basis": articles_data(announcement.law),
        "handling": announcement.handling,
        "obligation": None,
        "message_no": None,
    }
