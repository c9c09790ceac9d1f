"""What the ledger asks of a database technology: connections, fast inserts, and what an error means."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError

from casebus_schemas.errors import BusError, RetryLater, StopService, UsageError
from casebus_services.migrating import upgrade
from casebus_services.pooler import PREPARED
from casebus_services.sqlite_reading import FileToRead

from .appending import Fenced, Insert
from .ledger_tables import POSTGRES, REVISIONS, SQLITE


class Database(Protocol):
    """One technology. Inserts run inside the caller's transaction."""

    dialect: str
    address: str
    """With which `open_database` opens it once more, password and all."""
    engine: Engine
    """Its transactions may write."""
    readers: Engine
    """The same connections; its transactions only read and keep no writer waiting."""
    file: FileToRead | None
    """What a read-only SQLite file is read through."""
    driver_error: type[Exception]
    """Base of the driver's own errors, which come without SQLAlchemy's wrapping from `inserting`."""

    def lock_schema(self, connection: Connection) -> None:
        """Makes two migrations at once wait for each other."""

    def inserting(self, connection: Connection) -> AbstractContextManager[Insert]:
        """Gives a function that stores rows within the transaction; all are stored when the block ends.

        Nothing may be read inside the block. A taken fence or an existing entry raises IntegrityError, in the
        driver's or SQLAlchemy's form, from any call or at the end. Payloads that exist are left as they are.
        """

    def is_full(self, error: BaseException) -> bool:
        """Whether the error says that the disk is full or the file cannot be written."""


def open_database(url: str, *, read_only: bool = False) -> Database:
    """Connects to `sqlite:///…` or `postgresql://…` (psycopg). Raises UsageError for other URLs.

    Of a read-only SQLite file nothing is changed, nor made beside it.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == SQLITE:
        from .sqlite import SqliteDatabase

        return SqliteDatabase(parsed, read_only=read_only)
    if backend == POSTGRES:
        from .postgres import PostgresDatabase

        return PostgresDatabase(parsed.set(drivername="postgresql+psycopg"))
    raise UsageError(
        "not a database that can hold the ledger", found=backend, expected="sqlite:///file or postgresql://…"
    )


def migrate(database: Database) -> None:
    """Brings the tables up to this program's revision. Idempotent.

    Raises StopService if the database was written by a newer program.
    """
    with database.engine.begin() as connection:
        database.lock_schema(connection)
        upgrade(connection, REVISIONS)


def translate(database: Database, error: Exception) -> BusError:
    """An SQL error as the bus's own, by what to do next."""
    driver = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    cause = (str(driver).strip() or repr(driver)).splitlines()[0]
    kinds = {kind.__name__ for kind in type(driver).__mro__}
    if database.is_full(driver):
        return RetryLater(
            "the ledger cannot be written",
            found=cause,
            remedy="free disk space; nothing was acknowledged, and it is tried again after a pause",
        )
    if kinds & PREPARED:
        return StopService(
            "a pooler in transaction mode stands before the ledger's PostgreSQL",
            found=cause,
            expected="its session mode, or one that names its own process as the server's",
            remedy="nothing was acknowledged; change the mode or connect to PostgreSQL itself",
        )
    if "IntegrityError" in kinds:
        return Fenced("another writer extended this log first", found=cause, remedy="the log is read again")
    if kinds & {"OperationalError", "InterfaceError", "InternalError"}:
        return RetryLater("the ledger database is away", found=cause, remedy="tried again after a pause")
    return StopService("the ledger database refused", found=cause, remedy="run casebus ledger verify")


@contextmanager
def bus_errors(database: Database) -> Iterator[None]:
    """SQL errors leave this block as BusErrors."""
    try:
        yield
    except (DBAPIError, database.driver_error) as error:
        raise translate(database, error) from error
