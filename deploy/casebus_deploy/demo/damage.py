"""Damages a finished run on purpose, so that a demo can show what its checks would find."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path

from casebus_producers.config import KafkaLogin
from casebus_schemas.admission.notice_records import ADMITTED_AT, NOTICE, ORIGIN, ROLE
from casebus_schemas.catalogue.topology import inbox
from casebus_schemas.connection import Connection
from casebus_schemas.errors import RetryLater, UsageError
from casebus_schemas.times import to_moment, utc_text

from .players import HeardNotice


class Break(StrEnum):
    """What can be damaged."""

    ONE_BYTE = "one-byte"
    DROP_ROW = "drop-row"
    DROP_TAIL = "drop-tail"
    SWAP_NOTICE = "swap-notice"


def ledger_file(connection: Connection) -> Path:
    """The ledger's SQLite file. Raises UsageError if the ledger is elsewhere."""
    url = connection.databases.get("ledger", "")
    if not url.startswith("sqlite:///"):
        raise UsageError("only a demo's own SQLite ledger is damaged", found=url.partition(":")[0])
    return Path(url.removeprefix("sqlite:///"))


def break_ledger(what: Break, file: Path) -> str:
    """Damages the ledger's tables behind the bus's back, guards and all; says what was done."""
    done: dict[Break, Callable[[sqlite3.Connection], str]] = {
        Break.ONE_BYTE: _one_byte,
        Break.DROP_ROW: _drop_row,
        Break.DROP_TAIL: _drop_tail,
    }
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with _guards_off(connection):
            said = done[what](connection)
        connection.execute("COMMIT")
    return said


def swap_notices(notices: Sequence[HeardNotice], connection: Connection) -> str:
    """Repeats two notices of one inbox with their ids and roles exchanged, as a faulty router would."""
    from kafka import KafkaProducer
    from kafka.errors import KafkaError

    first, second = _pair(notices)
    try:
        with closing(KafkaProducer(**KafkaLogin.read("router", connection).kafka(), acks="all")) as producer:
            for notice, other in ((first, second), (second, first)):
                record = notice.record.event
                ours = {NOTICE: str(other.record.notice), ROLE: other.record.role}
                headers = [*record.headers, *_appended(notice, ours)]
                producer.send(
                    inbox(notice.agency), value=record.value, key=record.key, headers=headers, partition=0
                ).get(30)
    except KafkaError as error:
        raise RetryLater("the inbox could not be damaged", found=repr(error)) from error
    pair = f"{first.record.seq} and {second.record.seq}"
    return f"{inbox(first.agency)}: notices {pair} delivered again, exchanged"


def _pair(notices: Sequence[HeardNotice]) -> tuple[HeardNotice, HeardNotice]:
    for notice in notices:
        for other in notices:
            if notice.agency == other.agency and notice.record.digest != other.record.digest:
                return notice, other
    raise UsageError("no inbox holds two notices", found=f"{len(notices)} notices")


def _appended(notice: HeardNotice, ours: dict[str, str]) -> list[tuple[str, bytes]]:
    record = notice.record
    text = {
        NOTICE: str(record.notice),
        ROLE: record.role,
        ORIGIN: str(record.origin),
        ADMITTED_AT: utc_text(to_moment(record.admitted_at)),
    }
    return [(name, value.encode()) for name, value in {**text, **ours}.items()]


@contextmanager
def _guards_off(connection: sqlite3.Connection) -> Iterator[None]:
    """Drops the tables' triggers and puts them back: whoever owns the file can do that."""
    guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        connection.execute(f'DROP TRIGGER "{name}"')
    yield
    for _, sql in guards:
        connection.execute(sql)


def _one_byte(connection: sqlite3.Connection) -> str:
    origin, index, digest, value = connection.execute(
        "SELECT log.origin, e.idx, p.value_sha256, p.value FROM entry e JOIN log USING (log_id) "
        "JOIN payload p USING (value_sha256) WHERE log.topic = 'csrc.referral' ORDER BY 1, 2 LIMIT 1"
    ).fetchone()
    changed = bytearray(value)
    changed[-1] ^= 1
    connection.execute("UPDATE payload SET value = ? WHERE value_sha256 = ?", (bytes(changed), digest))
    return f"payload {digest.hex()} of entry {index} in {origin}: last byte changed"


def _drop_row(connection: sqlite3.Connection) -> str:
    log_id, origin, size = connection.execute(
        "SELECT log_id, origin, count(*) FROM entry JOIN log USING (log_id) WHERE topic = 'bus.admission' "
        "GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 1"
    ).fetchone()
    connection.execute("DELETE FROM entry WHERE log_id = ? AND idx = ?", (log_id, size // 2))
    return f"entry {size // 2} of {size} in {origin} removed"


def _drop_tail(connection: sqlite3.Connection) -> str:
    """Removes a log's last batch from every table alike: what is left is a sound, shorter log."""
    log_id, origin, start, end = connection.execute(
        "SELECT log_id, origin, max(start_index), max(end_index) FROM batch JOIN log USING (log_id) "
        "WHERE topic = 'bus.admission' GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 1"
    ).fetchone()
    connection.execute("DELETE FROM batch WHERE log_id = ? AND start_index = ?", (log_id, start))
    connection.execute("DELETE FROM entry WHERE log_id = ? AND idx >= ?", (log_id, start))
    connection.execute(
        "DELETE FROM tile WHERE log_id = ? AND level = 0 AND (idx + 1) * 256 > ?", (log_id, start)
    )
    connection.execute(
        "DELETE FROM payload WHERE value_sha256 NOT IN "
        "(SELECT value_sha256 FROM entry WHERE value_sha256 NOTNULL)"
    )
    connection.execute(
        "UPDATE receipt_cursor SET next_index = min(next_index, ?) WHERE log_id = ?", (start, log_id)
    )
    return f"entries {start} to {end - 1} in {origin} removed from all tables"
