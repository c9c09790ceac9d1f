"""Databases that 99a179f made are brought up to date with every row; newer ones are refused."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect

from casebus_schemas.errors import StopService
from casebus_services.ledger import ledger_tables as ledger_tables
from casebus_services.ledger.store import LedgerStore
from casebus_services.migrating import Revisions, revision_of
from casebus_services.reconciler import account_tables as accounts_tables
from casebus_services.reconciler.accounts_database import Database
from support.ledger import old_databases
from support.ledger.ledgers import empty_sqlite, run

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))
LEDGER_KEEPS = ("log", "batch", "entry", "payload", "tile", "receipt_cursor")
ACCOUNTS_KEEP = ("recon_admission", "recon_event", "recon_stream", "recon_bus_stream", "recon_outbox")


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.db'}"
    return str(request.getfixturevalue("postgres_url"))


def open_ledger(url: str) -> None:
    """Starts and ends a ledger's store."""
    LedgerStore(url).close()


def open_accounts(url: str) -> None:
    """Starts and ends the reconciler's database."""
    database = Database(url)
    database.migrate()
    database.close()


KINDS = {
    "ledger": (open_ledger, ledger_tables.REVISIONS, LEDGER_KEEPS),
    "accounts": (open_accounts, accounts_tables.REVISIONS, ACCOUNTS_KEEP),
}


each_kind = pytest.mark.parametrize("kind", KINDS)


def revision(engine: Engine, revisions: Revisions) -> str | None:
    """The revision that the database has."""
    with engine.connect() as connection:
        return revision_of(connection, revisions)


@each_kind
def test_an_old_database_keeps_every_row(url: str, kind: str) -> None:
    """After the upgrade all that cannot be made again is there as it was."""
    start, revisions, tables = KINDS[kind]
    old_databases.restore(kind, url)
    engine = create_engine(url)
    columns = old_databases.columns(engine, tables)
    before = old_databases.rows(engine, columns)
    assert before[tables[1]]
    start(url)
    assert old_databases.rows(engine, columns) == before
    assert revision(engine, revisions) == revisions.head
    assert not inspect(engine).has_table(revisions.numbered)
    engine.dispose()


@each_kind
def test_an_old_database_gets_the_tables_of_a_new_one(url: str, kind: str, tmp_path: Path) -> None:
    """An upgraded database and one made today have the same tables, columns, keys and indexes."""
    start, _, _ = KINDS[kind]
    engine = create_engine(url)
    start(url)
    new = old_databases.shape(engine)
    with engine.begin() as connection:
        for table in inspect(engine).get_table_names():
            cascade = " CASCADE" if engine.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TABLE {table}{cascade}")
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("DROP FUNCTION IF EXISTS ledger_refuse")
    old_databases.restore(kind, url)
    start(url)
    assert old_databases.shape(engine) == new
    engine.dispose()


def test_an_old_ledger_goes_on_from_its_root(url: str, tmp_path: Path) -> None:
    """What is appended to an upgraded ledger gives the root that a new ledger of all records has."""
    old_databases.restore("ledger", url)
    store, whole = LedgerStore(url), LedgerStore(empty_sqlite(tmp_path))
    (result,), (expected,) = store.append([run(4, 6)]), whole.append([run(0, 6)])
    assert (result.start, result.end, result.root) == (4, 6, expected.root)
    store.close()
    whole.close()


@each_kind
def test_a_newer_database_is_refused(url: str, kind: str) -> None:
    """A database of a revision that this program does not know is left as it is, with a clear error."""
    start, revisions, _ = KINDS[kind]
    start(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {revisions.version_table} SET version_num = '9999'")
    with pytest.raises(StopService, match="newer version") as refused:
        start(url)
    assert (refused.value.found, refused.value.remedy) == ("9999", "run the newer casebus")
    assert revision(engine, revisions) == "9999"
    engine.dispose()


@each_kind
def test_several_may_start_at_once(url: str, kind: str) -> None:
    """Four starts on one empty database wait for each other, and the tables are made once."""
    start, revisions, _ = KINDS[kind]
    with ThreadPoolExecutor(4) as starts:
        list(starts.map(start, [url] * 4))
    engine = create_engine(url)
    assert revision(engine, revisions) == revisions.head
    engine.dispose()


@each_kind
def test_a_start_waits_for_the_one_before(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that meets a file in the hands of another start tries again instead of failing at once."""
    start, revisions, _ = KINDS[kind]
    file = tmp_path / "new.db"
    held = sqlite3.connect(file, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(time, "sleep", lambda _seconds: held.execute("COMMIT"))
    start(f"sqlite:///{file}")
    assert not held.in_transaction
    held.close()
    assert revision(create_engine(f"sqlite:///{file}"), revisions) == revisions.head


@each_kind
def test_the_newest_revision_is_the_one_that_the_program_expects(kind: str) -> None:
    """The revisions form one line that ends at the head written beside the tables."""
    _, revisions, _ = KINDS[kind]
    config = Config()
    config.set_main_option("script_location", str(revisions.folder))
    assert ScriptDirectory.from_config(config).get_heads() == [revisions.head]
