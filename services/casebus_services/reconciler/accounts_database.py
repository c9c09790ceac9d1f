"""Connects to the accounts database (SQLite or PostgreSQL) and says what an SQL error means."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from casebus_schemas.errors import BusError, RetryLater, StopService, UsageError
from casebus_services.migrating import upgrade
from casebus_services.pooler import unprepared_behind_pooler
from casebus_services.sqlite_files import BUSY_TIMEOUT_S, configure
from casebus_services.sqlite_reading import FileToRead, not_there

from .account_tables import POSTGRES, REVISIONS, SQLITE

_LOCK = 0x6361736562757332
"""Number of the advisory lock for migrations: "casebus2"."""
_ROWS = 500
"""Rows of one INSERT with RETURNING: 12 columns stay well below SQLite's 32,766 parameters."""


class Database:
    """One database. SQL is written with `?`; every transaction of `writing` holds a write lock on SQLite."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        """Raises UsageError for a URL of another technology, or for a missing file opened read-only."""
        parsed = make_url(url)
        self.dialect = parsed.get_backend_name()
        if self.dialect == SQLITE:
            if read_only and parsed.database:
                if problem := not_there(parsed.database, "accounts"):
                    raise problem
                self._engine = FileToRead(Path(parsed.database)).engine()
            else:
                self._engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S})
                configure(self._engine, read_only=read_only)
        elif self.dialect == POSTGRES:
            self._engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                pool_pre_ping=True,
                connect_args={"connect_timeout": 10},
            )
            event.listen(self._engine, "connect", lambda one, _record: unprepared_behind_pooler(one))
        else:
            raise UsageError(
                "not a database that can hold the accounts",
                found=self.dialect,
                expected="sqlite:///file or postgresql://…",
            )
        self._readers = self._engine.execution_options(casebus_reads=True)

    @contextmanager
    def writing(self) -> Iterator["Transaction"]:
        """A transaction that is committed at the end of the block. SQL errors leave it as BusErrors."""
        with _bus_errors(), self._engine.begin() as connection:
            yield Transaction(connection, self.dialect)

    @contextmanager
    def reading(self) -> Iterator["Transaction"]:
        """A transaction that only reads and keeps no writer waiting."""
        with _bus_errors(), self._readers.begin() as connection:
            yield Transaction(connection, self.dialect)

    @property
    def holds(self) -> str:
        """The condition that the value of an event `e` holds the bytes of one parameter."""
        return "position(? in e.value) > 0" if self.dialect == POSTGRES else "instr(e.value, ?) > 0"

    def migrate(self) -> None:
        """Brings the tables up to this program's revision. Idempotent.

        Raises StopService if the database was written by a newer program.
        """
        with _bus_errors(), self._engine.begin() as connection:
            if self.dialect == POSTGRES:
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            upgrade(connection, REVISIONS)

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()


class Transaction:
    """Driver-level SQL inside one transaction: SQLAlchemy's compiler stays off the hot path."""

    def __init__(self, connection: Connection, dialect: str) -> None:
        self._connection = connection
        self._dialect = dialect

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Runs one statement."""
        self._connection.exec_driver_sql(self._text(sql), tuple(parameters))

    def many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Runs one statement for each row, as one driver-level batch."""
        if rows:
            self._connection.exec_driver_sql(self._text(sql), list(rows))

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The rows of a query."""
        return list(self._connection.exec_driver_sql(self._text(sql), tuple(parameters)).fetchall())

    def insert_new(self, head: str, rows: Sequence[tuple[Any, ...]], returning: str) -> list[Any]:
        """Inserts the rows that are not there yet and gives `returning` of those."""
        found = []
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            sql = _insert(head, len(part), len(part[0]), returning)
            flat = tuple(value for row in part for value in row)
            found.extend(self.rows(sql, flat))
        return found

    def locked(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows of a query, locked until the end of the transaction (on SQLite all is locked)."""
        return self.rows(sql + " FOR UPDATE" if self._dialect == POSTGRES else sql, parameters)

    def _text(self, sql: str) -> str:
        return _postgres_text(sql) if self._dialect == POSTGRES else sql


@lru_cache(maxsize=512)
def _postgres_text(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


@lru_cache(maxsize=1024)
def _insert(head: str, rows: int, columns: int, returning: str) -> str:
    row = "(" + ",".join("?" * columns) + ")"
    return f"{head} VALUES {','.join([row] * rows)} ON CONFLICT DO NOTHING RETURNING {returning}"


@contextmanager
def _bus_errors() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise _translated(error) from error


def _translated(error: DBAPIError) -> BusError:
    cause = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
    name = getattr(error.orig, "sqlite_errorname", None) or type(error.orig).__name__
    if str(name).startswith(("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR", "DiskFull")):
        return RetryLater(
            "the accounts cannot be written",
            found=cause,
            remedy="free disk space; nothing was acknowledged, and it is tried again after a pause",
        )
    if type(error).__name__ in ("OperationalError", "InterfaceError", "InternalError"):
        return RetryLater("the accounts database is away", found=cause, remedy="tried again after a pause")
    return StopService("the accounts database refused", found=cause, remedy="run casebus rebuild")
