"""An agency's file made by 99a179f is brought up to date with every row; a newer one is refused."""

import sqlite3
import time
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

import casebus_producers.outbox_file as database_of_the_agency
from casebus_producers.outbox_file import HEAD, Database
from casebus_schemas.errors import UsageError
from support.cases.members import open_outbox, ready
from support.ledger import old_databases

KEPT = ("outbox", "stream", "incarnation", "known_event", "known_reference", "delivery", "reading")


def test_an_old_file_keeps_every_row(tmp_path: Path) -> None:
    """After the upgrade the file holds what it held, and its outbox is still known as sent or waiting."""
    url = f"sqlite:///{tmp_path / 'agency.db'}"
    old_databases.restore("outbox", url)
    engine = create_engine(url)
    columns = old_databases.columns(engine, KEPT)
    before = old_databases.rows(engine, columns)
    assert len(before["outbox"]) == 3
    Database(tmp_path / "agency.db").close()
    assert old_databases.rows(engine, columns) == before
    engine.dispose()


def test_opening_waits_for_another_that_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever meets a file in the hands of another that makes it tries again instead of failing at once."""
    held = sqlite3.connect(tmp_path / "new.db", isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(time, "sleep", lambda _seconds: held.execute("COMMIT"))
    Database(tmp_path / "new.db").close()
    assert not held.in_transaction
    held.close()


def test_an_old_file_gets_the_tables_of_a_new_one(tmp_path: Path) -> None:
    """An upgraded file and one made today have the same tables, columns, keys and indexes."""
    old_databases.restore("outbox", f"sqlite:///{tmp_path / 'old.db'}")
    Database(tmp_path / "old.db").close()
    Database(tmp_path / "new.db").close()
    old, new = (create_engine(f"sqlite:///{tmp_path / name}") for name in ("old.db", "new.db"))
    assert old_databases.shape(old) == old_databases.shape(new)
    old.dispose()
    new.dispose()


def test_the_newest_revision_is_the_one_that_the_program_names() -> None:
    """The program asks for the revision at the end of the chain of revisions."""
    config = Config()
    folder = Path(database_of_the_agency.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """A file of a revision that this program does not know is left as it is, with a clear error."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(1)])
    with outbox.transaction() as connection:
        connection.execute("UPDATE outbox_revision SET version_num = '9999'")
    outbox.close()
    with pytest.raises(UsageError, match="newer casebus") as refused:
        Database(outbox.file)
    assert refused.value.found == "revision 9999"
