"""Bytes stored for each entry of the ledger, table by table, with and without sealing."""

import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from bench.figures import Figure
from casebus_services.ledger.store import LedgerStore
from support.events.sealing import Sealing
from support.ledger.ledgers import batch, ce_id, empty_sqlite, record

pytestmark = [pytest.mark.bench, pytest.mark.postgres]

LOGS = 4
EACH = 10_000
AT_ONCE = 500
ENTRIES = LOGS * EACH
OF_CHAIN = 20
"""Entries of one chain and of one event's id, as events, verdicts and what follows them have."""
TREE = ("tile", "batch", "epoch_head", "checkpoint", "cosignature")
_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes addresses of empty databases of one kind."""
    if request.param == "sqlite":
        return lambda: empty_sqlite(tmp_path)
    postgres = request.getfixturevalue("postgres")
    return lambda: str(postgres.create_database(f"size_{os.getpid()}_{next(_numbers)}"))


def fill(store: LedgerStore, seal: Callable[[], object]) -> int:
    """Appends all; gives the bytes of what Kafka had: keys, values, headers' names and values."""
    raw = 0
    for first in range(0, EACH, AT_ONCE):
        for log in range(LOGS):
            records = [
                record(at, partition=log)._replace(key=str(ce_id((at + log * EACH) // OF_CHAIN)).encode())
                for at in range(first, first + AT_ONCE)
            ]
            store.append([batch(records)])
            raw += sum(
                len(one.key or b"")
                + len(one.value or b"")
                + sum(len(name) + len(value or b"") for name, value in one.headers)
                for one in records
            )
        seal()
    return raw


def size_of(connection: Connection, names: Sequence[str]) -> int:
    """Bytes of tables or indexes, whatever belongs to a table counted with it."""
    if connection.dialect.name == "postgresql":
        query = "SELECT sum(pg_total_relation_size(CAST(:name AS regclass)))"
        return sum(int(connection.execute(text(query), {"name": name}).scalar_one()) for name in names)
    query = (
        "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name IN "
        "(SELECT name FROM sqlite_master WHERE tbl_name = :name OR name = :name)"
    )
    return sum(int(connection.execute(text(query), {"name": name}).scalar_one()) for name in names)


def whole(connection: Connection) -> int:
    """Bytes of the whole database file, or of all its tables."""
    if connection.dialect.name == "postgresql":
        query = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND oid >= 16384"
    else:
        query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    return int(connection.execute(text(query)).scalar_one())


def test_bytes_of_an_entry(url: Callable[[], str], tmp_path: Path, figure: Figure) -> None:
    """What an entry of 500 bytes takes in each kind of database, and what sealing adds to it."""
    sizes: dict[str, int] = {}
    for way in ("without", "with"):
        store = LedgerStore(url())
        folder = tmp_path / way
        folder.mkdir()
        sealing = Sealing(store, folder)
        if way == "with":
            sealing.sealer.start()
        raw = fill(store, sealing.sealer.seal if way == "with" else lambda: None)
        kind = store.database.dialect
        with store.database.readers.connect() as connection:
            sizes[way] = whole(connection)
            if way == "with":
                tables = {name: size_of(connection, (name,)) for name in ("entry", "payload")}
                tables["tree, epochs, checkpoints"] = size_of(connection, TREE)
                indexes = size_of(connection, ("entry_of_chain", "entry_of_event"))
        store.close()
    figure(f"{kind}: bytes of an entry as Kafka had it", raw / ENTRIES, "bytes")
    figure(f"{kind}: stored of it", sizes["with"] / ENTRIES, "bytes")
    for name, size in tables.items():
        figure(f"{kind}: {name}", size / ENTRIES, "bytes")
    figure(f"{kind}: of that the two indexes by chain and event", indexes / ENTRIES, "bytes")
    figure(f"{kind}: sealing adds", (sizes["with"] - sizes["without"]) / ENTRIES, "bytes")
