"""The events that an agency knows: what it said, by its outbox, and what it heard, by its inbox."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from casebus_producers.outbox.outbox import Outbox
from casebus_schemas.admission.may_say import told
from casebus_schemas.admission.notice_records import parse_notice
from casebus_schemas.agencies import BUS
from casebus_schemas.case.chain import ChainEvent, chain_event
from casebus_schemas.case.shares import computed
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import inbox
from casebus_schemas.evidence.absence_check import STREAM_HEAD
from casebus_schemas.times import to_datetime, to_moment
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders

from .store import OwnStore, record_of

_KEYS = "key"
"""The channel of key life: no event of a case."""
# What was said, with the bus's verdict on these very bytes, the last one where there are several.
_SAID = """
SELECT o.digest, o.headers, o.payload, o.queued_at_ms, o.aggregateid, (
    SELECT r.value FROM receipt r
    WHERE r.digest = o.digest AND r.stage IN ('admitted', 'refused') AND r.seq >= 0
    ORDER BY r.seq DESC LIMIT 1
) FROM outbox o WHERE o.aggregatetype <> ?
"""
_LAST_RECEIPT = "SELECT value FROM receipt WHERE stage = 'admitted' ORDER BY seq DESC LIMIT 1"
_OF_CHAIN = f"{_SAID} AND o.aggregateid = ? ORDER BY o.position"


@dataclass(frozen=True, slots=True)
class OwnChain:
    """What an agency knows of a chain.

    `events` are its own that the bus did not refuse and those of others that it heard, in the order in which
    the bus admitted them; `waiting` are digests of its own on which the bus has said nothing yet: they count
    as admitted when they were queued.
    """

    events: list[ChainEvent]
    waiting: list[str]

    @property
    def inputs(self) -> bytes:
        """SHA-256 of all that decides what is folded."""
        said = [(e.digest.hex(), to_moment(e.admitted_at), sorted(e.told)) for e in self.events]
        return sha256(json.dumps([sorted(said), sorted(self.waiting)]).encode()).digest()


class _Verdict(NamedTuple):
    refused: bool
    at_ms: int
    told: tuple[str, ...]


class OwnEvents:
    """Reads them from the agency's two files."""

    def __init__(self, outbox: Outbox, store: OwnStore, catalog: Catalog) -> None:
        self._outbox = outbox
        self._store = store
        self._catalog = catalog

    def chains(self) -> list[str]:
        """Ids of the chains of which the agency said or heard something, in order.

        What it only states of its keys and its streams' ends is no case.
        """
        with self._outbox.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT aggregateid FROM outbox WHERE aggregatetype <> ? AND type <> ?",
                (_KEYS, STREAM_HEAD),
            ).fetchall()
        return sorted({row[0] for row in rows} | set(self._store.chains()))

    def latest(self) -> datetime | None:
        """When the bus last admitted something that the agency heard or said."""
        with self._outbox.reading() as connection:
            row = connection.execute(_LAST_RECEIPT).fetchone()
        found = [] if row is None else [self._verdict(bytes(row[0])).at_ms]
        heard = self._store.last_admitted_ms()
        return max(map(to_datetime, found if heard is None else [*found, heard]), default=None)

    def of_chain(self, chain: str) -> OwnChain:
        """What the agency knows of a chain; what it knew before counts where an event is there twice."""
        found: dict[bytes, ChainEvent] = {event.digest: event for event in self._heard(chain)}
        waiting = []
        for event, answered in self._said(chain):
            found[event.digest] = event
            if not answered:
                waiting.append(event.digest.hex())
        events = sorted(found.values(), key=lambda event: (event.admitted_at, event.digest))
        return OwnChain(computed(events), waiting)

    def _heard(self, chain: str) -> Iterator[ChainEvent]:
        for entry in self._store.of_chain(chain):
            if entry.speaker == BUS:
                continue  # what the bus announces is shown beside, and folded by nobody
            notice = parse_notice(record_of(entry, inbox(self._outbox.agency)))
            at_ms = to_moment(notice.admitted_at)
            yield self._event(notice.digest, notice.headers, notice.event.value or b"", at_ms, told_of=None)

    def _said(self, chain: str) -> Iterator[tuple[ChainEvent, bool]]:
        with self._outbox.reading() as connection:
            rows = connection.execute(_OF_CHAIN, (_KEYS, chain)).fetchall()
        for digest, headers, value, queued_at_ms, _, receipt in rows:
            verdict = None if receipt is None else self._verdict(bytes(receipt))
            if verdict is not None and verdict.refused:
                continue
            parsed = EventHeaders.parse(tuple((name, text.encode()) for name, text in json.loads(headers)))
            at_ms = queued_at_ms if verdict is None else verdict.at_ms
            told_of = None if verdict is None else verdict.told
            yield self._event(bytes(digest), parsed, bytes(value), at_ms, told_of), verdict is not None

    def _verdict(self, receipt: bytes) -> _Verdict:
        _, data = decode(self._catalog, receipt)
        agencies = tuple(notice["agency"] for notice in data.get("notices") or ())
        return _Verdict(data["stage"] == "refused", to_moment(data["at"]), agencies)

    def _event(
        self,
        digest: bytes,
        headers: EventHeaders,
        value: bytes,
        admitted_at_ms: int,
        told_of: tuple[str, ...] | None,
    ) -> ChainEvent:
        schema, body = decode(self._catalog, value)
        named: Any = told(body["envelope"], self._catalog.event(schema.type)) if told_of is None else told_of
        return chain_event(
            digest=digest,
            id=headers.id,
            type=headers.type,
            source=headers.source,
            chain=headers.subject,
            time_ms=headers.time_ms,
            admitted_at_ms=admitted_at_ms,
            producer=headers.producer,
            seq=headers.seq,
            prev=headers.prev,
            body=body,
            told=named,
            size=len(value),
        )
