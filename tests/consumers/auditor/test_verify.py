"""Verification names whatever was changed, removed or exchanged in the ledger's tables."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

import pytest
from sqlalchemy import Connection, text

from casebus_consumers.auditor.damage import VerifyReport
from casebus_consumers.auditor.verify import verify_ledger
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.leaf import leaf, leaf_hash, value_sha256_in
from casebus_schemas.evidence.merkle import root_of
from casebus_services.ledger.ledger_database import open_database
from casebus_services.ledger.store import LedgerStore
from support.ledger.ledgers import TOPIC, record, run

ORIGIN = f"casebus/{TOPIC}/0"
CUTS = (0, 100, 250, 400, 520, 600)
"""Where the batches of the test's log begin and end: two full tiles, and an open one."""


@pytest.fixture
def filled(store: LedgerStore) -> LedgerStore:
    """A sound ledger: a log of 600 entries in 5 batches with 2 tiles, and a small one."""
    for first, last in pairwise(CUTS):
        store.append([run(first, last)])
    store.append([run(0, 30, topic="bus.admission", partition=2)])
    return store


def test_sound_ledger(filled: LedgerStore) -> None:
    """A sound ledger has no damages, and its logs are listed with size, root and next offset."""
    report = verify_ledger(filled.database)
    assert report.damages == []
    assert report.ok
    assert (report.entries, report.payloads, report.tiles) == (630, 630, 2)
    assert [(log.origin, log.size, log.next_offset) for log in report.logs] == [
        ("casebus/bus.admission/2", 30, 30),
        (ORIGIN, 600, 600),
    ]
    assert report.logs[1].root == root_of([leaf_hash(leaf(record(i))) for i in range(600)])


def test_empty_ledger(store: LedgerStore) -> None:
    """A ledger without entries is sound."""
    report = verify_ledger(store.database)
    assert (report.ok, report.logs) == (True, [])


def test_progress(filled: LedgerStore) -> None:
    """Progress is told for entries and payloads up to all there are."""
    seen: list[tuple[str, int, int]] = []
    verify_ledger(filled.database, lambda what, done, of: seen.append((what, done, of)))
    assert [seen[-2], seen[-1]] == [("entries", 630, 630), ("payloads", 630, 630)]


def unguarded(store: LedgerStore, damage: Callable[[Connection], None]) -> VerifyReport:
    """Damages the tables as their owner could, and verifies."""
    with store.database.engine.begin() as connection:
        if store.database.dialect == "sqlite":
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            for name in names.scalars().all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            for table in ("log", "batch", "entry", "tile", "payload"):
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        damage(connection)
    return verify_ledger(store.database)


def flip(table: str, column: str, where: str, at: int = 5) -> Callable[[Connection], None]:
    """Changes one bit of one byte."""

    def damage(connection: Connection) -> None:
        raw = connection.execute(text(f"SELECT {column} FROM {table} WHERE {where}")).scalar_one()
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        connection.execute(text(f"UPDATE {table} SET {column} = :raw WHERE {where}"), {"raw": changed})

    return damage


def sql(statement: str, **values: object) -> Callable[[Connection], None]:
    """Runs a statement."""

    def damage(connection: Connection) -> None:
        connection.execute(text(statement), values)

    return damage


def drop(table: str, where: str) -> Callable[[Connection], None]:
    """Removes rows."""
    return sql(f"DELETE FROM {table} WHERE {where}")


def number(table: str, column: str, where: str, value: int) -> Callable[[Connection], None]:
    """Changes a number."""
    return sql(f"UPDATE {table} SET {column} = {value} WHERE {where}")


def swap(table: str, columns: str, first: str, second: str) -> Callable[[Connection], None]:
    """Exchanges the contents of two rows."""
    names = columns.split(", ")

    def damage(connection: Connection) -> None:
        rows = [
            connection.execute(text(f"SELECT {columns} FROM {table} WHERE {where}")).one()
            for where in (first, second)
        ]
        park = {"koffset": "koffset = -koffset - 1"}
        for name in names:
            if name in park:  # a unique column: the old values must go first
                for where in (first, second):
                    connection.execute(text(f"UPDATE {table} SET {park[name]} WHERE {where}"))
        for where, row in ((first, rows[1]), (second, rows[0])):
            values = ", ".join(f"{name} = :{name}" for name in names)
            parameters = dict(zip(names, row, strict=True))
            connection.execute(text(f"UPDATE {table} SET {values} WHERE {where}"), parameters)

    return damage


@dataclass(frozen=True)
class Case:
    """A way to damage the log with id 1, and what must be named: (table, log, beginning of the row)."""

    damage: Callable[[Connection], None]
    named: set[tuple[str, str | None, str]]


def digest(index: int) -> str:
    """The value digest of a made-up record, in hex."""
    return value_sha256_in(leaf(record(index))).hex()


def payload(index: int) -> str:
    """SQL condition for the payload of a made-up record, right in both dialects."""
    return f"value_sha256 = (SELECT value_sha256 FROM entry WHERE log_id = 1 AND idx = {index})"


def at(index: int) -> str:
    """SQL condition for an entry."""
    return f"log_id = 1 AND idx = {index}"


def batch_at(start: int) -> str:
    """SQL condition for a batch row."""
    return f"log_id = 1 AND start_index = {start}"


def tile_at(index: int) -> str:
    """SQL condition for a tile."""
    return f"log_id = 1 AND level = 0 AND idx = {index}"


E, B, T, P = ("entry", ORIGIN), ("batch", ORIGIN), ("tile", ORIGIN), ("payload", None)

CASES = {
    # one changed byte
    "entry key": Case(flip("entry", "key", at(130)), {(*E, "index 130, key")}),
    "entry headers": Case(flip("entry", "headers", at(0), 40), {(*E, "index 0, headers")}),
    "entry event id": Case(flip("entry", "event_id", at(599)), {(*E, "index 599, event_id")}),
    "entry leaf": Case(
        flip("entry", "leaf", at(599), 60), {(*E, "index 599, leaf_hash"), (*E, "index 599, key")}
    ),
    "entry leaf version": Case(
        flip("entry", "leaf", at(130), 0), {(*E, "index 130, leaf_hash"), (*E, "index 130, leaf")}
    ),
    "entry leaf hash": Case(flip("entry", "leaf_hash", at(130)), {(*E, "index 130, leaf_hash")}),
    "entry offset": Case(
        number("entry", "koffset", at(599), 700),
        {(*E, "index 599, koffset"), (*B, "start_index 520")},
    ),
    "payload value": Case(
        flip("payload", "value", payload(300)),
        {("payload", None, f"{digest(300)} (of {TOPIC}/0")},
    ),
    "batch root": Case(flip("batch", "root", batch_at(250)), {(*B, "start_index 250")}),
    "last batch's root": Case(flip("batch", "root", batch_at(520)), {(*B, "start_index 520")}),
    "batch frontier": Case(flip("batch", "frontier", batch_at(100)), {(*B, "start_index 100")}),
    "batch end": Case(number("batch", "end_index", batch_at(100), 260), {(*B, "start_index 100")}),
    "last batch's end": Case(
        number("batch", "end_index", batch_at(520), 10**12),
        {(*E, "index 600 to 999999999999"), (*B, "start_index 520")},
    ),
    "batch first offset": Case(number("batch", "first_offset", batch_at(100), 99), {(*B, "start_index 100")}),
    "batch last offset": Case(number("batch", "last_offset", batch_at(100), 248), {(*B, "start_index 100")}),
    "batch next offset": Case(number("batch", "next_offset", batch_at(100), 251), {(*B, "start_index 250")}),
    "tile hash": Case(flip("tile", "hashes", tile_at(1), 64), {(*T, "level 0 index 1")}),
    "tile root": Case(flip("tile", "root", tile_at(0)), {(*T, "level 0 index 0")}),
    # a missing row
    "no entry": Case(drop("entry", at(130)), {(*E, "index 130"), (*P, digest(130))}),
    "no first entry": Case(drop("entry", at(0)), {(*E, "index 0"), (*P, digest(0))}),
    "no last entry": Case(drop("entry", at(599)), {(*E, "index 599"), (*P, digest(599))}),
    "no entries of a batch": Case(
        drop("entry", "log_id = 1 AND idx >= 100 AND idx < 250"), {(*E, "index 100 to 249"), (*P, "")}
    ),
    "no payload": Case(drop("payload", payload(300)), {("payload", ORIGIN, digest(300))}),
    "no batch": Case(drop("batch", batch_at(100)), {(*B, "start_index 100")}),
    "no first batch": Case(drop("batch", batch_at(0)), {(*B, "start_index 0")}),
    "no last batch": Case(drop("batch", batch_at(520)), {(*B, "start_index 520")}),
    "no tile": Case(drop("tile", tile_at(0)), {(*T, "level 0 index 0")}),
    # exchanged rows
    "entries exchanged": Case(
        swap(
            "entry",
            "koffset, event_id, key, headers, value_sha256, leaf, leaf_hash",
            at(130),
            at(140),
        ),
        {(*E, "index 130"), (*E, "index 140"), (*E, "index 139 to 140, koffset")},
    ),
    "entries exchanged in the open tile": Case(
        swap(
            "entry",
            "koffset, event_id, key, headers, value_sha256, leaf, leaf_hash",
            at(530),
            at(531),
        ),
        {(*E, "index 530 to 531, koffset"), (*E, "index 520 to 599")},
    ),
    "payloads exchanged": Case(
        swap("payload", "value", payload(300), payload(301)),
        {
            (*P, digest(300)),
            (*P, digest(301)),
        },
    ),
    "batches exchanged": Case(
        swap("batch", "first_offset, last_offset, next_offset, root, frontier", batch_at(100), batch_at(250)),
        {(*B, "start_index 100"), (*B, "start_index 250")},
    ),
    "tiles exchanged": Case(
        swap("tile", "root, hashes", tile_at(0), tile_at(1)),
        {(*T, "level 0 index 0"), (*T, "level 0 index 1")},
    ),
    # more
    "tile too many": Case(
        sql("INSERT INTO tile SELECT 1, 1, 0, root, hashes FROM tile WHERE idx = 0"),
        {(*T, "level 1 index 0")},
    ),
    "log renamed": Case(
        sql("UPDATE log SET origin = 'casebus/other' WHERE log_id = 1"),
        {("log", "casebus/other", "log_id 1")},
    ),
    "payload of no entry": Case(
        sql("INSERT INTO payload VALUES (:digest, :value)", digest=sha256(b"left").digest(), value=b"left"),
        {("payload", None, sha256(b"left").hexdigest())},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_damage_is_named(filled: LedgerStore, case: Case) -> None:
    """Each damage is named by table, log and row, and nothing sound is accused."""
    report = unguarded(filled, case.damage)
    assert not report.ok
    accused = {(d.table, d.log, d.row.removeprefix("value_sha256 ")) for d in report.damages}
    for table, log, row in case.named:
        assert any((t, o) == (table, log) and r.startswith(row) for t, o, r in accused), accused
    for t, o, r in accused:
        assert any((t, o) == (table, log) and r.startswith(row) for table, log, row in case.named), (t, o, r)


def test_forged_entry(filled: LedgerStore) -> None:
    """An entry that was replaced with all its hashes made to fit it is named by its tile and batch."""
    forged = record(130)._replace(key=b"another")

    def damage(connection: Connection) -> None:
        values = {"key": forged.key, "leaf": leaf(forged), "hash": leaf_hash(leaf(forged))}
        update = f"UPDATE entry SET key = :key, leaf = :leaf, leaf_hash = :hash WHERE {at(130)}"
        connection.execute(text(update), values)

    report = unguarded(filled, damage)
    assert [(item.table, item.row) for item in report.damages] == [("entry", "index 130")]


def test_forged_batch(filled: LedgerStore) -> None:
    """A batch row whose root and frontier fit each other but not the entries is named, not the entries."""
    other = root_of([bytes(32)])

    def damage(connection: Connection) -> None:
        frontier = other * (250).bit_count()
        root = other
        for _ in range((250).bit_count() - 1):
            root = sha256(b"\1" + other + root).digest()
        update = f"UPDATE batch SET root = :root, frontier = :frontier WHERE {batch_at(100)}"
        connection.execute(text(update), {"root": root, "frontier": frontier})

    report = unguarded(filled, damage)
    assert [(item.table, item.row) for item in report.damages] == [("batch", "start_index 100")]


def test_rows_of_no_log(filled: LedgerStore) -> None:
    """Rows that belong to no log are named."""
    report = unguarded(filled, number("entry", "log_id", "log_id = 2 AND idx = 29", 77))
    assert ("entry", None, "log_id 77") in {(d.table, d.log, d.row) for d in report.damages}


def test_not_a_ledger(tmp_path: object) -> None:
    """A database without a ledger is a wrong call, not a sound ledger."""
    database = open_database(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(UsageError, match="ledger"):
        verify_ledger(database)
