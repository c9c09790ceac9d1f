"""Takes the rows of an agency's outbox table into its outbox as they come, and answers each beside it."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Event
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from casebus_producers.config import read_secret
from casebus_producers.faults import PublisherFaults
from casebus_schemas.errors import RetryLater, UsageError
from casebus_schemas.wire.door import DoorProblem

from ..answers import Answer, Says, after, answered
from ..following import Follower
from ..settings import TableSettings
from .rows import Row, event_of

AFTER_QUEUE = "table.after-queue"
"""Events of rows are in the outbox, the table does not know it yet."""
_LOOK_S = 1.0
"""How often rows are looked for where nothing notifies, and receipts brought to the answers."""
_RUN = 100
_ORDERS = ("position", "created_at", "occurred_at", "timestamp", "id")
"""The first of these columns that a table has says in which order its rows are said."""
_COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
)
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_NEW = """
SELECT o.id::text, o.type, o.payload FROM {table} o
WHERE NOT EXISTS (SELECT 1 FROM {answer} a WHERE a.id = o.id::text) ORDER BY o.{order} LIMIT %s
"""
_ANSWER = """
INSERT INTO {answer} (id, state, chain, digest, refusal)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING
"""
_OF_IDS = """
SELECT id, state, chain::text, digest, refusal FROM {answer} WHERE id = ANY(%s) FOR UPDATE
"""
_CHANGE = "UPDATE {answer} SET state = %s, refusal = %s, answered_at = now() WHERE id = %s"
_PLACE = "SELECT receipt FROM {place}"
_MOVE = """
INSERT INTO {place} (receipt) VALUES (%s) ON CONFLICT (one) DO UPDATE SET receipt = excluded.receipt
"""
_DELETE = "DELETE FROM {table} o WHERE o.id::text = ANY(%s)"


class OutboxTable(Follower):
    """Reads the rows that have no answer, says them, answers them.

    A row is queued once: its id is the event's. After a crash between the outbox and the table it is read
    again and found to be there. One door at a time reads a table.
    """

    def __init__(
        self,
        name: str,
        stop: Event,
        door: Says,
        settings: TableSettings,
        faults: PublisherFaults | None = None,
    ) -> None:
        super().__init__(name, stop)
        self._door = door
        self._settings = settings
        self._faults = faults or PublisherFaults()
        schema, _, table = settings.name.rpartition(".")
        self._channel = sql.Identifier(table)
        path = [schema] if schema else []
        self._names = {
            "table": sql.Identifier(*path, table),
            "answer": sql.Identifier(*path, f"{table}_answer"),
            "place": sql.Identifier(*path, f"{table}_place"),
        }

    def follow(self) -> None:
        """As rows come. Raises RetryLater where the database is away, UsageError where a table is missing."""
        with self.connected() as connection:
            while not self._stop.is_set():
                self.bring_receipts(connection)
                if self.take(connection):
                    continue
                self.well()
                for _ in connection.notifies(timeout=_LOOK_S, stop_after=1):
                    pass

    @contextmanager
    def connected(self) -> Iterator["psycopg.Connection[Any]"]:
        """A connection that listens and has the table to itself."""
        try:
            url = read_secret(self._settings.url_file, "database address")
            url = url.replace("postgresql+psycopg://", "postgresql://", 1)
            with closing(psycopg.connect(url, autocommit=True, connect_timeout=10)) as connection:
                columns = {row[0] for row in connection.execute(_COLUMNS, (self._text("table"),))}
                order = next((one for one in _ORDERS if one in columns), "id")
                self._names["order"] = sql.Identifier(order)
                row = connection.execute(_LOCK, (f"casebus {self._settings.name}",)).fetchone()
                if row is None or not row[0]:
                    raise RetryLater("another door reads this outbox table", found=self._settings.name)
                connection.execute(sql.SQL("LISTEN {}").format(self._channel))
                yield connection
        except psycopg.errors.ProgrammingError as error:
            raise UsageError(
                "the outbox table cannot be used",
                found=" ".join(str(error).split())[:200],
                expected="the tables and grants of docs/agency-system.md",
            ) from error
        except psycopg.Error as error:
            raise RetryLater(
                "the database of the outbox table does not answer", found=" ".join(str(error).split())[:200]
            ) from error

    def take(self, connection: "psycopg.Connection[Any]") -> bool:
        """Says and answers some rows; False if there was none."""
        with connection.transaction():
            rows = [Row(*row) for row in connection.execute(self._sql(_NEW), (_RUN,))]
            answers = self._answers(rows)
            if answers:
                self._faults.point(AFTER_QUEUE, len(answers))
            with connection.cursor() as cursor:
                cursor.executemany(self._sql(_ANSWER), [_values(one) for one in answers])
            if self._settings.delete and rows:
                connection.execute(self._sql(_DELETE), ([row.id for row in rows],))
        return bool(rows)

    def bring_receipts(self, connection: "psycopg.Connection[Any]") -> None:
        """Brings what the bus has answered since to the answers."""
        row = connection.execute(self._sql(_PLACE)).fetchone()
        place = -1 if row is None else int(row[0])
        if place > self._door.said.last_receipt():
            place = -1  # an outbox that was put back
        while receipts := self._door.said.after(place, 500):
            place = receipts[-1]["seq"]
            ids = [str(one["event"]["id"]) for one in receipts if one["event"]["id"] is not None]
            with connection.transaction():
                found = {one[0]: Answer(*one) for one in connection.execute(self._sql(_OF_IDS), (ids,))}
                for receipt in receipts:
                    old = found.get(str(receipt["event"]["id"]))
                    if old is not None and (new := after(old, receipt)) != old:
                        found[new.id] = new
                        connection.execute(self._sql(_CHANGE), (new.state, _json(new.refusal), new.id))
                connection.execute(self._sql(_MOVE), (place,))

    def _answers(self, rows: Sequence[Row]) -> list[Answer]:
        events: list[Any] = []
        for row in rows:
            try:
                events.append(event_of(row, self._door.agency))
            except DoorProblem as problem:
                events.append(problem)
        found = iter(self._door.say([one for one in events if not isinstance(one, DoorProblem)]))
        answers = []
        for row, event in zip(rows, events, strict=True):
            one = event if isinstance(event, DoorProblem) else next(found)
            answers.append(answered(self._door, {"type": row.type}, row.id, one))
        return answers

    def _sql(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(**self._names)

    def _text(self, name: str) -> str:
        return self._names[name].as_string(None)


def _values(one: Answer) -> tuple[Any, ...]:
    return one.id, one.state, one.chain, one.digest, _json(one.refusal)


def _json(refusal: Any) -> Any:
    return None if refusal is None else Jsonb(refusal)
