"""A sealer on a test's ledger, with topics that are lists; and an owner who tampers with the database."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from sqlalchemy import text

from casebus_schemas.catalogue.topology import CHECKPOINT, cosignature
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.cosignature import Cosigner
from casebus_schemas.evidence.signed_note import NoteSigner, SignedNote
from casebus_schemas.wire.records import Batch, Outgoing, Record, TopicPartition
from casebus_services.ledger.store import LedgerStore
from casebus_services.sealer.agent import Pace, Sealer
from casebus_services.sealer.high_water import HighWater
from casebus_services.sealer.known import KnownHeads
from casebus_services.sealer.store import SealerStore

ORIGIN = "bus.example/ledger"
LOG_SEED = sha256(b"casebus test log key").digest()
SIGNER = NoteSigner(ORIGIN, LOG_SEED)
WITNESS = Cosigner("mps.example/witness", sha256(b"casebus test witness key").digest())
AT_ONCE = Pace(interval_s=0.0, entries=1)


class Topics:
    """bus.checkpoint and the cosignatures' topics, one partition each."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.fails = 0
        """So many of the next sends are lost on the way."""

    def send(self, outgoing: Iterable[Outgoing]) -> None:
        """Appends. Raises ConnectionError as often as it was told."""
        for topic, partition, key, value, headers in outgoing:
            if self.fails:
                self.fails -= 1
                raise ConnectionError("the broker is gone")
            at = sum(record.topic == topic for record in self.records)
            self.records.append(Record(topic, partition, at, 0, 1, key, value, headers))

    def on(self, topic: str) -> list[Record]:
        """What stands on a topic."""
        return [record for record in self.records if record.topic == topic]

    def cosign(self, note: SignedNote, *, by: str = "mps", signed: bool = True) -> None:
        """A witness's record; without `signed` it lacks the log's own line."""
        own = note if signed else SignedNote(note.text, ())
        whole = own.with_signatures([WITNESS.cosign(note.text, 1_669_000_000)])
        self.send([Outgoing(cosignature(by), 0, ORIGIN.encode(), whole.to_bytes(), ())])


class Sealing:
    """One sealer, its topics, and the high-water folder. `ends` says where Kafka ends beyond the ledger."""

    def __init__(
        self, store: LedgerStore, folder: Path, topics: Topics | None = None, pace: Pace = AT_ONCE
    ) -> None:
        self.store = store
        self.folder = folder
        self.topics = topics or Topics()
        self.beyond: dict[TopicPartition, int] = {}
        self.known = KnownHeads(SIGNER.key, {"mps": WITNESS.key})
        self._read = 0
        self.epochs = SealerStore(store.database, ORIGIN)
        self.sealer = Sealer(
            self.epochs,
            SIGNER,
            HighWater(folder, SIGNER.key),
            self.known,
            ends=self._ends,
            send=self.topics.send,
            catch_up=self.catch_up,
            pace=pace,
        )

    def again(self) -> "Sealing":
        """The same, started anew, as after a crash."""
        return Sealing(self.store, self.folder, self.topics)

    def catch_up(self) -> None:
        """All that stands on the topics is known."""
        for record in self.topics.records[self._read :]:
            self.known.take(Batch(record.topic, record.partition, [record], record.offset + 1))
        self._read = len(self.topics.records)

    def notes(self) -> dict[int, str]:
        """Every checkpoint in the database, by size."""
        with self.store.database.engine.begin() as connection:
            return {row.head_size: row.note for row in connection.execute(text("SELECT * FROM checkpoint"))}

    def _ends(self, places: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        ends = self.store.next_offsets_of_all()
        return {place: ends[place] + self.beyond.get(place, 0) for place in places}


def checkpoints(topics: Topics) -> list[Record]:
    """The records of bus.checkpoint."""
    return topics.on(CHECKPOINT)


def head(size: int, root: bytes, origin: str = ORIGIN) -> str:
    """A checkpoint's text."""
    return str(Checkpoint(origin, size, root))


def tamper(store: LedgerStore, *statements: str) -> None:
    """Changes rows as the database's owner can, past the guards."""
    url = store.database.engine.url
    if store.database.dialect == "sqlite":
        assert url.database is not None
        with closing(sqlite3.connect(url.database, timeout=30)) as file, file:
            guards = file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            changes = [f'DROP TRIGGER "{name}"' for name, _ in guards]
            for statement in (*changes, *statements, *(sql for _, sql in guards)):
                file.execute(statement)
        return
    with store.database.engine.begin() as connection:
        for statement in ("SET LOCAL session_replication_role = replica", *statements):
            connection.exec_driver_sql(statement)
