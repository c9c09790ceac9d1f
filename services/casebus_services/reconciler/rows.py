"""How chains, duties, findings, events and outbox records become rows, and rows become them."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from casebus_schemas.agencies import agency_of_source
from casebus_schemas.case.chain import UNREAD, ChainEvent, chain_event
from casebus_schemas.case.chain_keys import Key, keys_of
from casebus_schemas.case.duty_said import Duty
from casebus_schemas.case.statements import MOST_PARTS, STATEMENT, Heard
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.register import KEY_KINDS
from casebus_schemas.statistics import published
from casebus_schemas.statistics.measures import COUNTED_TYPES
from casebus_schemas.times import to_datetime, to_moment
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.json_text import canonical_text
from casebus_schemas.wire.records import Outgoing
from casebus_schemas.wire.uuids import uuid_text

from .announce import Announced
from .arrivals import Arrival
from .book import ChainBook
from .hearing import DutyEntry
from .set_aside import HeldBook, SetAside


class Waiting(NamedTuple):
    """An outbox row that is not known to be in Kafka."""

    partition: int
    no: int
    record: Outgoing


EVENTS = (
    "SELECT digest, chain, event_id, type, source, time_ms, admitted_ms, producer, seq, prev, value, "
    "bus_partition, bus_offset FROM recon_event"
)
TOLD = (
    "SELECT recipients FROM recon_admission a "
    "WHERE a.bus_partition = e.bus_partition AND a.bus_offset = e.bus_offset"
)
EVENTS_TOLD = EVENTS.replace(" FROM recon_event", f", ({TOLD}) FROM recon_event e")
"""As `EVENTS`, and whom each admission told."""
DUTIES = "SELECT body, basis, moot_ms FROM recon_obligation"
FINDINGS = "SELECT body FROM recon_finding"

OUTLINES = f"SELECT digest, chain, event_id, type, source, time_ms, admitted_ms, ({TOLD}) FROM recon_event e"
"""Of each event what its headers say, and whom its admission told."""
OF_KEY = (
    f"{OUTLINES} WHERE digest IN (SELECT digest FROM recon_chain_key "
    "WHERE kind = ? AND key = ? ORDER BY admitted_ms, digest LIMIT ?)"
)
"""The events of a key that were admitted first."""
NEW_KEYS = (
    "SELECT n.kind, n.key, n.admitted_ms, n.digest, EXISTS (SELECT 1 FROM recon_chain_key o "
    "WHERE o.kind = n.kind AND o.key = n.key AND (o.admitted_ms <> n.admitted_ms OR o.digest <> n.digest)) "
    "FROM recon_chain_key n WHERE n.looked = 0 LIMIT ?"
)
"""Keys of events that nobody has looked at, and whether another event has the same."""
PUBLISHED = "published"
"""In place of a key's kind: what was found of a figure that is published in the chain."""
STATED = "stated"
"""The same of what was found of an agency's statement of account."""
EVENTS_STATED = (
    f"{EVENTS_TOLD} WHERE e.type = '{STATEMENT}' AND (e.source = ? OR e.source LIKE ?) "
    f"ORDER BY e.admitted_ms DESC, e.digest DESC LIMIT {MOST_PARTS}"
)
"""The last events of statements of an agency."""
STATED_BEHIND = (
    f"SELECT 1 FROM recon_event WHERE type = '{STATEMENT}' AND bus_partition = ? AND bus_offset >= ? LIMIT 1"
)
"""Whether there is an event of a statement from a place on."""
HEARD = (
    f"SELECT chain, digest, source, admitted_ms, ({TOLD}), bus_partition, bus_offset FROM recon_event e "
    "WHERE (chain, bus_offset) > (?, ?) ORDER BY chain, bus_offset LIMIT ?"
)
"""Events chain by chain behind a place, as far as statements of account count them."""
_FIGURES = f"type IN ('{published.PUBLISHED}', '{published.RESTATED}')"
CHAINS_PUBLISHED = f"SELECT DISTINCT chain FROM recon_event WHERE {_FIGURES}"
CHAINS_COUNTED = (
    "SELECT DISTINCT chain FROM recon_event WHERE chain > ? "
    f"AND type IN ({', '.join(repr(type) for type in sorted(COUNTED_TYPES))}) ORDER BY chain LIMIT 50"
)
"""Chains in which something is counted, some at a time."""
NOT_CLOSED_OF = "SELECT body FROM recon_finding WHERE link_kind = ? AND state <> 'closed'"
"""Of one kind of link, what is not closed."""
OF_CHAIN = (
    f" AND (f.link_kind IN ('{PUBLISHED}', '{STATED}') AND f.link_key = ? "
    "OR EXISTS (SELECT 1 FROM recon_chain_key k "
    "WHERE k.kind = f.link_kind AND k.key = f.link_key AND k.chain = ?) OR EXISTS (SELECT 1 FROM recon_kin k "
    "WHERE k.kind = f.link_kind AND k.key = f.link_key AND k.chain = ?))"
)
"""What no chain shows by itself, and by which a chain, named three times, is concerned."""
SET_ASIDE = "SELECT chain, bus_partition, since_ms, reason, program, ordered FROM recon_set_aside"
SAVE_SET_ASIDE = (
    "INSERT INTO recon_set_aside VALUES (?,?,?,?,?,?) ON CONFLICT (chain) DO UPDATE SET "
    "reason = excluded.reason, program = excluded.program, ordered = excluded.ordered"
)
"""A chain that is set aside again stays so since it first was."""
SAVE_CHAIN = (
    "INSERT INTO recon_chain VALUES (?,?,?,?,?,?,?) ON CONFLICT (chain) DO UPDATE SET "
    "status = excluded.status, events = excluded.events, hash = excluded.hash, "
    "told_ms = excluded.told_ms, wake_ms = excluded.wake_ms"
)
SAVE_DUTY = (
    "INSERT INTO recon_obligation VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET "
    "state = excluded.state, basis = excluded.basis, due_earliest_ms = excluded.due_earliest_ms, "
    "due_latest_ms = excluded.due_latest_ms, moot_ms = excluded.moot_ms, body = excluded.body"
)
SAVE_FINDING = (
    "INSERT INTO recon_finding VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET "
    "chain = excluded.chain, state = excluded.state, severity = excluded.severity, "
    "opened_ms = excluded.opened_ms, body = excluded.body"
)


def stored_event(catalog: Catalog, row: Sequence[Any]) -> ChainEvent:
    """A chain event from a row of `EVENTS` or `EVENTS_TOLD`."""
    _, body = decode(catalog, bytes(row[10]))
    told = row[13] if len(row) > 13 else None
    # Taken before recipients were kept: whom the sender named.
    named = [*body["envelope"]["to"], *body["envelope"]["cc"]] if told is None else told_agencies(told)
    return chain_event(
        digest=bytes(row[0]),
        chain=row[1],
        id=UUID(row[2]),
        type=row[3],
        source=row[4],
        time_ms=row[5],
        admitted_at_ms=row[6],
        producer=row[7],
        seq=row[8],
        prev=bytes(row[9]),
        body=body,
        told=named,
        size=len(row[10]),
    )


def told_agencies(recipients: str | None) -> list[str]:
    """The agencies in a column of recipients."""
    return [entry.partition(":")[0] for entry in (recipients or "").split(",") if entry]


def known_event(row: Sequence[Any]) -> ChainEvent:
    """An event without its body from a row of `OUTLINES` or `OF_KEY`."""
    return ChainEvent(
        digest=bytes(row[0]),
        chain=row[1],
        id=UUID(row[2]),
        type=row[3],
        agency=agency_of_source(row[4]),
        source=row[4],
        occurred_at=to_datetime(row[5]),
        admitted_at=to_datetime(row[6]),
        envelope={},
        data={},
        told=frozenset(told_agencies(row[7])),
        handled=UNREAD,
    )


def heard(row: Sequence[Any]) -> tuple[str, Heard]:
    """Chain and event of a row of `HEARD`."""
    told = frozenset(told_agencies(row[4]))
    return row[0], Heard(bytes(row[1]), agency_of_source(row[2]), told, to_datetime(row[3]))


def chain_row(partition: int, book: ChainBook) -> tuple[Any, ...]:
    """The row of recon_chain."""
    wakes_at = book.wakes_at()
    meaning = book.meaning
    return (
        book.chain,
        partition,
        meaning.status,
        len(book.folded.order),
        meaning.hash,
        to_moment(book.told_until),
        to_moment(wakes_at) if wakes_at else None,
    )


def duty_row(entry: DutyEntry) -> tuple[Any, ...]:
    """The row of recon_obligation."""
    duty = entry.duty
    return (
        uuid_text(duty.id),
        duty.chain,
        duty.rule,
        duty.owed_by,
        duty.state,
        entry.basis,
        to_moment(duty.due_earliest),
        to_moment(duty.due_latest),
        to_moment(entry.moot_at) if entry.moot_at else None,
        canonical_text(duty.to_row()),
    )


def finding_row(finding: Finding, link: tuple[str, str] | None = None) -> tuple[Any, ...]:
    """The row of recon_finding; `link` is the key by which it was found across chains, or `PUBLISHED`."""
    return (
        uuid_text(finding.id),
        finding.chain,
        finding.rule,
        finding.cls,
        finding.severity,
        finding.state,
        to_moment(finding.opened_at),
        canonical_text(finding.to_row()),
        *(link or (None, None)),
    )


class Entries(NamedTuple):
    """The rows that one step writes of a chain; `chain` is none of a chain that is set aside."""

    chain: tuple[Any, ...] | None
    duties: list[tuple[Any, ...]]
    findings: list[tuple[Any, ...]]


def entries_of(partition: int, book: ChainBook | HeldBook) -> Entries:
    """What is to be written of a chain since this was last asked."""
    if isinstance(book, HeldBook):
        return Entries(None, [], [finding_row(finding) for finding in book.findings()])
    entered, found = book.changes()
    return Entries(
        chain_row(partition, book),
        [duty_row(entry) for entry in entered],
        [finding_row(one) for one in found],
    )


def set_aside_row(held: SetAside) -> tuple[Any, ...]:
    """The row of recon_set_aside."""
    since_ms = to_moment(held.since)
    return (held.chain, held.partition, since_ms, held.reason, held.program, held.ordered)


def set_aside_of(row: Sequence[Any]) -> SetAside:
    """What a row of `SET_ASIDE` says."""
    return SetAside(row[0], row[1], to_datetime(row[2]), row[3], row[4], row[5])


def duty_entry(row: Sequence[Any]) -> DutyEntry:
    """The entry of a row of `DUTIES`."""
    moot_at = None if row[2] is None else to_datetime(row[2])
    return DutyEntry(Duty.of_row(orjson.loads(row[0])), bytes(row[1]), moot_at)


def found_before(row: Sequence[Any]) -> Finding:
    """The finding of a row of `FINDINGS`."""
    return Finding.of_row(orjson.loads(row[0]))


def event_row(arrived: Arrival) -> tuple[Any, ...]:
    """The row of recon_event."""
    headers = arrived.event_headers
    return (
        arrived.digest,
        headers.subject,
        uuid_text(headers.id),
        headers.type,
        headers.source,
        headers.time_ms,
        arrived.admission.admitted_at_ms,
        headers.producer,
        headers.seq,
        headers.prev,
        arrived.value,
        arrived.partition,
        arrived.offset,
    )


class NewKey(NamedTuple):
    """A key of an event that nobody has looked at, and whether another event has the same."""

    key: Key
    admitted_ms: int
    digest: bytes
    shared: bool


def new_key(row: Sequence[Any]) -> NewKey:
    """What a row of `NEW_KEYS` says."""
    return NewKey(Key(row[0], row[1]), row[2], bytes(row[3]), bool(row[4]))


def key_rows(arrived: Arrival) -> Iterator[tuple[Any, ...]]:
    """The rows of recon_chain_key of an admitted event."""
    headers = arrived.event_headers
    for key in keys_of(headers, KEY_KINDS):
        yield (*key, arrived.admission.admitted_at_ms, arrived.digest, headers.subject, 0)


def outbox_row(partition: int, no: int, announced: Announced) -> tuple[Any, ...]:
    """The row of recon_outbox, its last column `sent` left to the statement."""
    record = announced.record
    headers = [[name, (value or b"").decode()] for name, value in record.headers]
    return (
        partition,
        no,
        uuid_text(announced.id),
        "chain",
        announced.chain,
        announced.type,
        record.value,
        record.topic,
        record.partition,
        (record.key or b"").decode(),
        canonical_text(headers),
    )


def waiting_row(row: Sequence[Any]) -> Waiting:
    """An outbox row as it is read for the relay."""
    headers = tuple((name, value.encode()) for name, value in orjson.loads(row[6]))
    return Waiting(row[0], row[1], Outgoing(row[2], row[3], row[4].encode(), bytes(row[5]), headers))
