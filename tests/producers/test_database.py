"""An agency's file made by 99a179f is brought up to date with every row; a newer one is refused."""

import sqlite3
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

import casebus_producers.database as database_of_the_agency
from casebus_producers.database import HEAD, metadata, open_database
from casebus_schemas.errors import UsageError
from support import old_databases
from support.members import open_outbox, ready

KEPT = ("outbox", "stream", "incarnation", "known_event", "known_reference", "delivery", "reading")


def test_an_old_file_keeps_every_row(tmp_path: Path) -> None:
    """After the upgrade the file holds what it held, and its outbox is still known as sent or waiting."""
    url = f"sqlite:///{tmp_path / 'agency.db'}"
    old_databases.restore("outbox", url)
    engine = create_engine(url)
    columns = old_databases.columns(engine, KEPT)
    before = old_databases.rows(engine, columns)
    assert len(before["outbox"]) == 3
    open_database(tmp_path / "agency.db").dispose()
    assert old_databases.rows(engine, columns) == before
    engine.dispose()


def test_opening_waits_for_another_that_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever meets a file in the hands of another that makes it tries again instead of failing at once."""
    held = sqlite3.connect(tmp_path / "new.db", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(time, "sleep", lambda _seconds: held.execute("COMMIT"))
    open_database(tmp_path / "new.db").dispose()
    assert not held.in_transaction
    held.close()


def test_an_old_file_gets_the_tables_of_a_new_one(tmp_path: Path) -> None:
    """An upgraded file and one made today have the same tables, columns, keys and indexes."""
    old_databases.restore("outbox", f"sqlite:///{tmp_path / 'old.db'}")
    old, new = open_database(tmp_path / "old.db"), open_database(tmp_path / "new.db")
    assert old_databases.shape(old) == old_databases.shape(new)
    old.dispose()
    new.dispose()


def test_the_revisions_make_the_tables_that_the_program_uses(tmp_path: Path) -> None:
    """A file made by the revisions differs in nothing from the tables that the code names."""
    engine = open_database(tmp_path / "agency.db")
    with engine.connect() as connection:
        options = {"include_object": lambda _o, name, *_rest: name != "outbox_revision"}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    engine.dispose()
    config = Config()
    folder = Path(database_of_the_agency.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """A file of a revision that this program does not know is left as it is, with a clear error."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(1)])
    with outbox.transaction() as connection:
        connection.exec_driver_sql("UPDATE outbox_revision SET version_num = '9999'")
    outbox.close()
    with pytest.raises(UsageError, match="newer casebus") as refused:
        open_database(outbox.file)
    assert refused.value.found == "revision 9999"
