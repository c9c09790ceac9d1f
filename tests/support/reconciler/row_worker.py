"""A small service for tests of the streams: writes each record as a row of SQLite, with the next offsets.

`python row_worker.py BOOTSTRAP USER PASSWORD_FILE DATA_DIR GROUP TOPIC…`; the database is DATA_DIR/rows.db.
"""

import logging
import os
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path

from casebus_schemas.errors import Gap
from casebus_schemas.wire.records import Batch, TopicPartition
from casebus_services.streams.connection import Connection
from casebus_services.streams.faults import fault_point
from casebus_services.streams.worker import StreamWorker

TABLES = """
CREATE TABLE IF NOT EXISTS row (topic TEXT, partition INT, "offset" INT, value BLOB, headers TEXT);
CREATE TABLE IF NOT EXISTS next_offset (topic TEXT, partition INT, next INT, PRIMARY KEY (topic, partition));
CREATE TABLE IF NOT EXISTS repeat (topic TEXT, partition INT, first INT, last INT);
CREATE TABLE IF NOT EXISTS life (pid INT, event TEXT);
"""


class RowStore:
    """Rows and next offsets in one transaction; repeats are counted and skipped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: sqlite3.Connection | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """Opened in the thread that uses it."""
        if self._open is None:
            self._open = sqlite3.connect(self._path, isolation_level=None, timeout=10)
            self._open.executescript("PRAGMA journal_mode=WAL;" + TABLES)
        return self._open

    def next_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Where each partition goes on."""
        stored = self.connection.execute("SELECT topic, partition, next FROM next_offset").fetchall()
        known = {TopicPartition(topic, partition): offset for topic, partition, offset in stored}
        return {partition: known.get(partition, 0) for partition in partitions}

    def handle(self, batches: list[Batch]) -> None:
        """Store all or nothing."""
        db = self.connection
        db.execute("BEGIN IMMEDIATE")
        for batch in batches:
            place = TopicPartition(batch.topic, batch.partition)
            start = self.next_offsets([place])[place]
            new = [record for record in batch.records if record.offset >= start]
            if len(new) < len(batch.records):
                old = [record.offset for record in batch.records if record.offset < start]
                db.execute("INSERT INTO repeat VALUES (?, ?, ?, ?)", (*place, old[0], old[-1]))
            if new and new[0].offset > start and not os.environ.get("ROW_WORKER_GAPS"):
                raise Gap("rows are missing", found=new[0].offset, expected=start, topic=batch.topic)
            db.executemany(
                "INSERT INTO row VALUES (?, ?, ?, ?, ?)",
                [(*place, record.offset, record.value, repr(record.headers)) for record in new],
            )
            # Never back: a worker that slept through a rebalance may come with what others have done.
            after = max(start, batch.next_offset)
            db.execute("REPLACE INTO next_offset VALUES (?, ?, ?)", (*place, after))
        fault_point("rows.before-commit", sum(len(batch.records) for batch in batches))
        db.execute("COMMIT")

    def note(self, event: str) -> None:
        """Remember an event of this process."""
        self.connection.execute("INSERT INTO life VALUES (?, ?)", (os.getpid(), event))


def main(arguments: list[str]) -> int:
    """Run until SIGTERM."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    bootstrap, user, password_file, data_dir, group, *topics = arguments
    store = RowStore(Path(data_dir) / "rows.db")
    instance = os.environ.get("ROW_WORKER_INSTANCE", "1")
    settings = Connection(bootstrap, user, Path(password_file), instance=instance, data_dir=Path(data_dir))
    worker = StreamWorker(
        group,
        settings,
        topics,
        store.handle,
        next_offsets=store.next_offsets,
        on_assigned=lambda assigned: store.note(f"assigned {len(assigned)}"),
        on_revoked=lambda revoked: store.note(f"revoked {len(revoked)}"),
        tick=lambda assigned: store.note(f"tick {len(assigned)}"),
        tick_s=0.2,
        drain_s=float(os.environ.get("ROW_WORKER_DRAIN_S", "10")),
    )
    return worker.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
