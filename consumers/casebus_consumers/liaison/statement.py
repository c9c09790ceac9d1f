"""An agency's statement of account: what its own outbox and inbox hold of each chain, up to a time."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from casebus_producers.config import AgencySettings
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.received.inbox_reader import InboxReader
from casebus_producers.received.receipts import keep_new_receipts
from casebus_schemas.admission.notice_records import NoticeRecord
from casebus_schemas.agencies import BUS, agency_of_source
from casebus_schemas.case.statements import MOST_PARTS, STATEMENT, Counting, Held
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError, UsageError
from casebus_schemas.times import midnight, to_moment, utc_text
from casebus_schemas.wire.cloud_event import cloud_event
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.ids import bus_id

MOST_CHAINS = 4_000
"""Chains of one event: below the limit of list items, with room for its envelope."""
_AT_ONCE = 500
_OWN = "SELECT aggregateid, digest, queued_at_ms FROM outbox WHERE topic NOT LIKE '%.key'"
_VERDICTS = "SELECT digest, stage, value FROM receipt WHERE seq >= 0 AND stage IN ('admitted', 'refused')"


class Span(NamedTuple):
    """Which events count: admitted before `as_of`, with `since` from that day on.

    An own event of which the bus says nothing counts if it was queued before `settled_ms` of this machine's
    clock: a younger one may be on its way.
    """

    as_of: datetime
    settled_ms: int
    since: date | None = None

    def counts(self, admitted_at: datetime) -> bool:
        """Whether an event that was admitted then is stated."""
        return admitted_at < self.as_of and (self.since is None or midnight(self.since) <= admitted_at)


def held(settings: AgencySettings, outbox: Outbox, catalog: Catalog, span: Span) -> dict[str, Held]:
    """What the agency holds of each chain, by its own outbox, receipts and inbox.

    Raises RetryLater if the broker is away, BusError where Kafka no longer holds all of the inbox and the
    statement is to reach back to its beginning.
    """
    keep_new_receipts(settings, outbox, catalog)
    with InboxReader(settings, catalog, 0) as reader:
        if span.since is None and (gap := reader.gap(0)) is not None:
            raise BusError(
                "the inbox cannot be read from its beginning",
                found=gap.en,
                expected="every notice that was delivered",
                remedy="state a period that begins later: --since DAY",
            )
        return counted(outbox, catalog, _notices(reader, outbox), span)


def counted(outbox: Outbox, catalog: Catalog, notices: Iterable[NoticeRecord], span: Span) -> dict[str, Held]:
    """The same from notices at hand; what the bus itself says is not counted."""
    counts: dict[str, Counting] = {}
    for chain, digest in _own(outbox, catalog, span):
        counts.setdefault(chain, Counting()).add(digest, own=True)
    seen: set[bytes] = set()
    for notice in notices:
        others = agency_of_source(notice.headers.source) not in (outbox.agency, BUS)
        if others and notice.digest not in seen and span.counts(notice.admitted_at):
            seen.add(notice.digest)
            counts.setdefault(notice.headers.subject, Counting()).add(notice.digest, own=False)
    return {chain: counting.held() for chain, counting in sorted(counts.items())}


def _own(outbox: Outbox, catalog: Catalog, span: Span) -> Iterator[tuple[str, bytes]]:
    """Chain and digest of each own event that the bus admitted in time, or never answered."""
    with outbox.reading() as connection:
        rows = connection.execute(_OWN).fetchall()
        verdicts = connection.execute(_VERDICTS).fetchall()
    admitted: dict[bytes, datetime] = {}
    refused: set[bytes] = set()
    for digest, stage, value in verdicts:
        if digest is not None and stage == "admitted":
            admitted[bytes(digest)] = decode(catalog, bytes(value))[1]["at"]
        elif digest is not None:
            refused.add(bytes(digest))
    for chain, digest, queued_at_ms in rows:
        at = admitted.get(bytes(digest))
        unanswered = at is None and bytes(digest) not in refused and queued_at_ms < span.settled_ms
        if unanswered or (at is not None and span.counts(at)):
            yield chain, bytes(digest)


def _notices(reader: InboxReader, outbox: Outbox) -> Iterator[NoticeRecord]:
    records = []
    for record in reader.read_inbox(reader.end()):
        records.append(record)
        if len(records) == _AT_ONCE:
            yield from _proven(reader, records, outbox)
            records = []
    yield from _proven(reader, records, outbox)


def _proven(reader: InboxReader, records: list[Any], outbox: Outbox) -> Iterator[NoticeRecord]:
    for read in reader.proven(records, outbox):
        if isinstance(read, NoticeRecord):
            yield read


def statement_events(
    agency: str, chains: Mapping[str, Held], span: Span, said_at: datetime
) -> list[dict[str, Any]]:
    """The events of the door that state it, told to nobody but the bus: one, or several where it is long.

    Raises UsageError where it is longer than a statement may be.
    """
    lines = [
        {
            "chain": chain,
            "sent": one.sent,
            "received": one.received,
            "digest": (one.digest or bytes(32)).hex(),
        }
        for chain, one in sorted(chains.items())
    ]
    parts = [lines[first : first + MOST_CHAINS] for first in range(0, len(lines), MOST_CHAINS)] or [[]]
    if len(parts) > MOST_PARTS:
        raise UsageError(
            "too many chains for one statement",
            found=f"{len(lines):,}",
            expected=f"{MOST_CHAINS * MOST_PARTS:,} at most",
            remedy="state a period: --since DAY",
        )
    as_of = utc_text(to_moment(span.as_of))
    last = span.as_of.date().isoformat()
    period = None if span.since is None else {"from": span.since.isoformat(), "to": last}
    return [
        cloud_event(
            STATEMENT,
            source=f"/{agency}",
            id=bus_id(STATEMENT, f"{agency}\n{as_of}\n{span.since}\n{number}"),
            time=utc_text(to_moment(said_at)),
            local_refs=[{"issuer": agency, "scheme": "statement", "value": "account"}],
            facts={"as_of": as_of, "period": period, "chains": part},
        )
        for number, part in enumerate(parts)
    ]


def _numbers(one: Held) -> dict[str, int]:
    return {"sent": one.sent, "received": one.received}
