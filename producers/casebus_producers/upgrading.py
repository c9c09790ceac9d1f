"""Brings an agency's file to the tables of this program, by the revisions in `migrations`."""

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from casebus_schemas.errors import RetryLater, UsageError

from .write_ahead import BUSY_TIMEOUT_S


def upgrade(file: Path, head: str) -> None:
    """Runs the revisions that the file lacks, in one transaction. Idempotent.

    Raises UsageError if the file is of a newer version or no database, RetryLater if it is locked too long.
    """
    engine = create_engine(
        f"sqlite:///{file}",
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_S},
        poolclass=NullPool,
    )
    event.listen(engine, "connect", _durable)
    event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            _upgrade(connection, file, head)
    except OperationalError as error:
        raise RetryLater(f"cannot open {file}", found=str(error.orig)) from error
    except DatabaseError as error:
        raise UsageError(f"{file} is not a database", found=str(error.orig)) from error
    finally:
        engine.dispose()


def _upgrade(connection: Connection, file: Path, head: str) -> None:
    found = None
    if inspect(connection).has_table("outbox_revision"):
        found = connection.execute(text("SELECT version_num FROM outbox_revision")).scalar()
    if found == head:
        return  # somebody else was quicker
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise UsageError(
            f"{file} is of a newer casebus",
            found=f"revision {found}",
            expected=f"at most {head}",
            remedy="use the newer program",
        )
    if found is None and inspect(connection).has_table("outbox"):
        command.stamp(config, "0001")  # made before the revisions, with the tables of the first
    command.upgrade(config, head)


def _durable(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
