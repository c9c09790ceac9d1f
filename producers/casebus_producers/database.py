"""The agency's own SQLite file: its tables and how it is opened."""

import sqlite3
import time
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from casebus_schemas.errors import RetryLater, UsageError

HEAD = "0002"
"""The newest revision of `migrations`: a file that has it is opened without reading them."""
READING = {"casebus_reading": True}
"""Execution options of an engine whose transactions only read: they wait for no writer."""
BUSY_TIMEOUT_S = 30

metadata = MetaData()

outbox = Table(
    "outbox",
    metadata,
    Column("position", Integer, primary_key=True),
    # Debezium's outbox columns: an agency may relay the same table with Debezium.
    Column("id", Text, nullable=False, unique=True),
    Column("aggregatetype", Text, nullable=False),
    Column("aggregateid", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    # Ours: the record as it is produced, byte for byte.
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("headers", Text, nullable=False),
    Column("producer", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("content", LargeBinary, nullable=False, comment="SHA-256 of what was said, before signing"),
    Column("queued_at_ms", BigInteger, nullable=False),
    Column("receipts_from", BigInteger, comment="offset of the receipts' topic before it was queued"),
    Column("state", Text, nullable=False, server_default="pending", comment="pending or sent"),
    Column("sent_at_ms", BigInteger),
    Column("offset", BigInteger),
    UniqueConstraint("producer", "topic", "partition", "seq"),
    sqlite_autoincrement=True,
)
Index("outbox_pending", outbox.c.position, sqlite_where=outbox.c.state == "pending")

stream = Table(
    "stream",
    metadata,
    Column("producer", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("prev", LargeBinary, nullable=False),
)

incarnation = Table(
    "incarnation",
    metadata,
    Column("number", BigInteger, primary_key=True),
    Column("file", Text, nullable=False, comment="inode of this file when it began"),
)

known_event = Table(
    "known_event",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("id", Text, nullable=False, index=True),
    Column("type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("sent", Integer, nullable=False, comment="1 said by us, 0 heard"),
)

known_reference = Table(
    "known_reference",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("scheme", Text, primary_key=True),
    Column("value", Text, primary_key=True, comment="normalised"),
    Column("chain", Text, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("notice", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False),
    Column("acknowledged_by", Text, comment="id of the receipt.delivered that says so"),
)

reading = Table(
    "reading",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
)


receipt = Table(
    "receipt",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="its offset"),
    Column("stage", Text, nullable=False),
    Column("digest", LargeBinary, index=True, comment="of the event that it is about"),
    Column("log", Text),
    Column("idx", BigInteger),
    Column("leaf", LargeBinary),
    Column("size", BigInteger),
    Column("root", LargeBinary),
    Column("key", LargeBinary),
    Column("value", LargeBinary, nullable=False),
    Column("headers", Text, nullable=False),
)
Index("receipt_entry", receipt.c.log, receipt.c.idx)
Index("receipt_size", receipt.c.log, receipt.c.size)


def open_database(file: Path) -> Engine:
    """The agency's database, made if it is new. WAL, every commit on disk, transactions begin as writers.

    Raises UsageError if the file is of a newer version or no database, RetryLater if it is locked too long.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(
        f"sqlite:///{file}",
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            _upgrade(connection, file)
    except OperationalError as error:
        engine.dispose()
        raise RetryLater(f"cannot open {file}", found=str(error.orig)) from error
    except DatabaseError as error:
        engine.dispose()
        raise UsageError(f"{file} is not a database", found=str(error.orig)) from error
    file.chmod(0o600)
    return engine


def _upgrade(connection: Connection, file: Path) -> None:
    found = None
    if inspect(connection).has_table("outbox_revision"):
        found = connection.execute(text("SELECT version_num FROM outbox_revision")).scalar()
    if found == HEAD:
        return
    # Only here: most calls find the tables as they are to be.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise UsageError(
            f"{file} is of a newer casebus",
            found=f"revision {found}",
            expected=f"at most {HEAD}",
            remedy="use the newer program",
        )
    if found is None and inspect(connection).has_table("outbox"):
        command.stamp(config, "0001")  # made before the revisions, with the tables of the first
    command.upgrade(config, HEAD)


def _prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    started = time.monotonic()
    # While another process makes the same file, this change is refused at once, whatever the time-out is.
    while not _is_write_ahead(connection):
        if time.monotonic() - started > BUSY_TIMEOUT_S:
            raise sqlite3.OperationalError("database is locked")
        time.sleep(0.01)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _is_write_ahead(connection: sqlite3.Connection) -> bool:
    try:
        return bool(connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",))
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False


def _begin(connection: Connection) -> None:
    # A transaction that reads and then writes must be a writer from the start, else it may find its
    # snapshot outdated and fail without waiting.
    reading = connection.get_execution_options().get("casebus_reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
