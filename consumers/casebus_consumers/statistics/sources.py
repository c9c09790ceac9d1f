"""Where the events of statistics come from: files, the accounts database, or bus.admission."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from casebus_producers.config import KafkaLogin
from casebus_producers.outbox.event_files import read_events
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.case.chain import ChainEvent, chain_event
from casebus_schemas.case.placing import Placing
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ADMISSION, BUS_KEY, COMMAND
from casebus_schemas.errors import UsageError
from casebus_schemas.statistics.measures import FAMILIES
from casebus_schemas.times import to_moment
from casebus_schemas.wire.door import parse_event
from casebus_schemas.wire.ids import message_uuid
from casebus_schemas.wire.records import Record
from casebus_services.reconciler.arrivals import arrivals_of
from casebus_services.reconciler.reading import open_reading
from casebus_services.reconciler.rows import EVENTS, stored_event
from casebus_services.reconciler.stepped_over import SteppedOver, step_over_orders

_SECRET = b"casebus statistics"
"""Not an agency's, whose secret stays with it: chains of this count."""
_CHAINS = " OR ".join(f"type LIKE '{family}.%'" for family in sorted(FAMILIES))


def from_accounts(url: str, catalog: Catalog) -> list[ChainEvent]:
    """The admitted events of every chain that can matter, from the accounts database; nothing is written.

    Raises UsageError if there is no such database, RetryLater if it is away.
    """
    database = open_reading(url)
    try:
        with database.reading() as transaction:
            rows = transaction.rows(f"{EVENTS} WHERE {_CHAINS} ORDER BY chain, bus_offset")
    finally:
        database.close()
    return [stored_event(catalog, row) for row in rows]


def from_kafka(login: KafkaLogin, catalog: Catalog) -> list[ChainEvent]:
    """The admitted events of bus.admission up to its present end. Raises RetryLater if the broker is away."""
    from casebus_producers.keys.keys_reader import read_keyring
    from casebus_producers.topic_reader import TopicReader

    with TopicReader(login, (ADMISSION,)) as reader, TopicReader(login, (COMMAND,)) as commands:
        ends = reader.ends()
        # After the ends: the key of whatever stands before them is announced by now.
        keyring = read_keyring(login, catalog, (BUS_KEY,))
        orders = step_over_orders(commands.read_to(commands.ends()), catalog, keyring)
        return of_admissions(reader.read_to(ends), catalog, keyring, orders)


def of_admissions(
    records: Iterable[Record], catalog: Catalog, keyring: Keyring, stepped_over: SteppedOver | None = None
) -> list[ChainEvent]:
    """The admitted events behind records of bus.admission; the first of each (origin, attempt) counts.

    Raises Forged at a record that is not the router's and not to be stepped over.
    """
    events = []
    judged: set[tuple[str, int]] = set()
    for arrived in arrivals_of(records, keyring, stepped_over):
        judgement = (str(arrived.admission.origin), arrived.admission.attempt)
        if judgement in judged:
            continue
        judged.add(judgement)
        if arrived.admission.admitted and arrived.event_headers.type.partition(".")[0] in FAMILIES:
            events.append(arrived.event(catalog))
    return events


def from_files(files: Iterable[Path], catalog: Catalog) -> list[ChainEvent]:
    """Events of files: JSON of the door, notices of `inbox`, or lines of `replay --events`.

    Where a line gives no digest, equal events get equal ones, which `corrects` of signed events cannot name;
    where it does not say when the event was admitted, that is when it happened. Lines that `replay` marks as
    refused are left out. Raises UsageError naming file and line for what is no event.
    """
    chains = Placing(_SECRET)
    found = []
    for file in files:
        for line, given in read_events(file):
            try:
                event = _placed(given, chains, catalog)
            except (UsageError, ValueError) as error:
                detail = error.detail if isinstance(error, UsageError) else str(error)
                raise UsageError(f"{file}, line {line}: {detail}") from error
            if event is not None:
                found.append(event)
    return found


def _placed(given: object, chains: Placing, catalog: Catalog) -> ChainEvent | None:
    wrapped: Mapping[str, Any] = {}
    if isinstance(given, Mapping) and "specversion" not in given:
        wrapped, given = given, given.get("event")
    admission = wrapped.get("admission") or {}
    if admission.get("verdict", "admitted") != "admitted":
        return None
    event = parse_event(given, catalog)
    id = event.id or message_uuid(event.agency, event.data["envelope"]["message_no"])
    said = wrapped.get("digest")
    admitted = wrapped.get("admitted_at") or admission.get("admitted_at")
    moment = event.time if admitted is None else datetime.fromisoformat(admitted)
    if moment.tzinfo is None:
        raise UsageError("a time without offset", found=admitted, expected="2022-07-05T09:00:00+08:00")
    return chain_event(
        digest=bytes.fromhex(said) if said else _digest(given),
        id=id,
        type=event.type,
        source=event.source,
        chain=chains.place(id, event.subject, event.data["envelope"], event.source).chain,
        time_ms=to_moment(event.time),
        admitted_at_ms=to_moment(moment),
        body=event.data,
    )


def _digest(given: object) -> bytes:
    text = json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(b"casebus unsigned event\n" + text.encode()).digest()
