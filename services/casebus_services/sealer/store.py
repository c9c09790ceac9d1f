"""The sealer's SQL edge: reads back what was appended, and adds epochs to the head log."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from casebus_schemas.errors import StopService
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.epoch import EpochLeaf, EpochTree, LogHead, log_origin
from casebus_schemas.evidence.merkle import Tile, TiledTree, consistency_proof
from casebus_schemas.evidence.signed_note import NoteSigner, SignedNote, VerifierKey
from casebus_schemas.evidence.submission import Submission
from casebus_services.ledger.ledger_database import Database, bus_errors
from casebus_services.ledger.ledger_tables import POSTGRES
from casebus_services.ledger.trees import subtrees, tree_at
from casebus_services.streams.faults import fault_point

from .head_log import HeadLog, append_epoch
from .known import Line
from .recomputing import LogEnd, ReadBack, Recheck, StoredTile, refused

PAGE = 20_000
"""Entries read at once: some 6 MB."""


@dataclass(frozen=True, slots=True)
class SealedEpoch:
    """One epoch as it goes out: what its record on bus.checkpoint says."""

    leaf: EpochLeaf
    changed: tuple[LogHead, ...]
    submission: Submission


class SealerStore:
    """Reads at one instant, writes in one transaction. Blocking; for one thread."""

    def __init__(self, database: Database, origin: str) -> None:
        self.database = database
        self.origin = origin

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The ledger as it is at one instant."""
        engine = self.database.readers
        if self.database.dialect == POSTGRES:
            engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with bus_errors(self.database), engine.begin() as connection:
            yield connection

    def ends(self, connection: Connection) -> list[LogEnd]:
        """Every partition log that holds entries, as its last batch row states it."""
        return [LogEnd(*row) for row in connection.execute(_ENDS)]

    def sizes(self) -> dict[int, int]:
        """Their sizes alone, by log number: asked several times a second."""
        with bus_errors(self.database), self.database.readers.begin() as connection:
            return {row.log_id: row.size for row in connection.execute(_SIZES)}

    def tree(self, connection: Connection, log: LogEnd, head: LogHead | None) -> TiledTree:
        """The tree of a log as its last epoch has it. Raises StopService if the rows give another root."""
        if head is None:
            return TiledTree()
        return _tree(connection, log.log_id, log, head.size, head.root)

    def read_back(self, connection: Connection, log: LogEnd, tree: TiledTree) -> None:
        """Adds a log's entries behind `tree` to it. Raises StopService naming the row that does not fit."""
        check = Recheck(log, tree)
        while tree.size < log.size:
            place = {"log_id": log.log_id, "begin": tree.size, "end": min(log.size, tree.size + PAGE)}
            rows = connection.execute(_READ_BACK, place).all()
            if not rows:
                raise refused(log, f"no entry at index {tree.size}", f"entries up to {log.size - 1}")
            full = check.add(ReadBack(*zip(*rows, strict=True)))
            check.compare(full, _tiles(connection, log.log_id, full))
        check.finish()

    def head_log(self, connection: Connection) -> HeadLog:
        """The head log, read and computed anew.

        Raises StopService if its rows do not fit each other, or it has another origin.
        """
        row = connection.execute(_HEAD_LOG).one_or_none()
        if row is None:
            return HeadLog(None, TiledTree(), {})
        if row.origin != self.origin:
            raise StopService(
                "the ledger was sealed under another origin",
                found=self.origin,
                expected=row.origin,
                remedy="set CASEBUS_LEDGER_ORIGIN to it: an origin is fixed by the first epoch",
            )
        if row.end_index is None or row.last_entry != row.end_index - 1:
            raise refused(
                "the head log", f"entries up to {row.last_entry}", f"up to {(row.end_index or 0) - 1}"
            )
        tree = _tree(connection, row.log_id, "the head log", row.end_index, row.root)
        heads = self._heads(connection, row.end_index)
        leaf = self.leaf(connection, row.log_id, row.end_index)
        try:
            epoch = EpochTree(heads.values())
        except ValueError as error:
            raise refused("epoch_head", str(error), "the heads of the last epoch") from error
        if (epoch.root, len(heads)) != (leaf.heads_root, leaf.head_count):
            found = f"{len(heads)} heads of root {epoch.root.hex()}"
            expected = f"{leaf.head_count} of root {leaf.heads_root.hex()} by epoch {leaf.number}"
            raise refused("epoch_head", found, expected)
        return HeadLog(row.log_id, tree, heads)

    def leaf(self, connection: Connection, log_id: int, number: int) -> EpochLeaf:
        """The leaf of an epoch. Raises StopService if there is none."""
        raw = connection.execute(_LEAF, {"log_id": log_id, "idx": number - 1}).scalar()
        try:
            leaf = EpochLeaf.parse(raw or b"")
        except ValueError as error:
            raise refused("the head log", f"entry {number - 1}: {error}", "an epoch") from error
        if leaf.number != number:
            raise refused("the head log", f"entry {number - 1}: epoch {leaf.number}", f"epoch {number}")
        return leaf

    def checkpoint(self, connection: Connection, size: int, key: VerifierKey) -> SignedNote:
        """The stored checkpoint of that size. Raises StopService if it is not there or not by this key."""
        row = connection.execute(_CHECKPOINT, {"size": size}).one_or_none()
        if row is None:
            raise refused("checkpoint", f"no row of size {size}", "one for each epoch")
        try:
            note = SignedNote.parse(row.note.encode())
            said = Checkpoint.parse(note.text)
            if not note.is_signed_by(key) or said != Checkpoint(self.origin, size, row.root):
                raise ValueError(f"not a checkpoint of size {size} under {key}")
        except ValueError as error:
            raise refused("checkpoint", f"size {size}: {error}", f"a note signed by {key}") from error
        return note

    def root(self, connection: Connection, size: int) -> bytes | None:
        """The head log's root at a size that was sealed, None if there is no checkpoint of it."""
        found: bytes | None = connection.execute(_ROOT, {"size": size}).scalar()
        return found

    def latest(self, connection: Connection) -> int:
        """The size of the largest checkpoint, 0 where there is none."""
        return int(connection.execute(_LATEST).scalar() or 0)

    def epoch(self, connection: Connection, number: int, key: VerifierKey) -> SealedEpoch:
        """An epoch as its record says it, from the rows alone: the same bytes each time."""
        log_id = int(connection.execute(_HEAD_LOG_ID).scalar_one())
        note = self.checkpoint(connection, number, key)
        hashes = subtrees(connection, log_id)
        proof = consistency_proof(number - 1, number, hashes) if number > 1 else []
        changed = [self._head(row) for row in connection.execute(_CHANGED, {"epoch": number})]
        leaf = self.leaf(connection, log_id, number)
        return SealedEpoch(leaf, tuple(changed), Submission(number - 1, tuple(proof), note))

    def add_epoch(
        self,
        before: HeadLog,
        leaf: EpochLeaf,
        changed: Mapping[int, LogHead],
        signer: NoteSigner,
        writer: str,
    ) -> tuple[HeadLog, SignedNote]:
        """Adds an epoch to the head log and signs the checkpoint, all in one transaction.

        Nothing is read in it: on SQLite it keeps the ledger waiting. `before`, which was read just now,
        grows, also if this fails. Raises Fenced if another sealer was faster.
        """
        notes: list[SignedNote] = []

        def sign(checkpoint: Checkpoint) -> SignedNote:
            notes.append(signer.signed(str(checkpoint)))
            return notes[0]

        database = self.database
        with bus_errors(database), database.engine.begin() as connection:
            after = append_epoch(database, connection, self.origin, before, leaf, changed, sign, writer)
            fault_point("sealer.before-commit", len(changed))
        return after, notes[0]

    def add_cosignatures(self, lines: Sequence[Line]) -> None:
        """Keeps witnesses' lines for checkpoints of this ledger; the first one of a key stays. Idempotent."""
        values = [asdict(line) for line in lines]
        with bus_errors(self.database), self.database.engine.begin() as connection:
            connection.execute(_ADD_COSIGNATURE, values)

    def head_of(self, log: LogEnd, end_offset: int) -> LogHead:
        """The head of a log in the next epoch."""
        origin = log_origin(self.origin, log.topic, log.partition, log.generation)
        return LogHead(origin, log.size, log.root, log.next_offset, end_offset)

    def _heads(self, connection: Connection, number: int) -> dict[int, LogHead]:
        return {row.log_id: self._head(row) for row in connection.execute(_HEADS, {"epoch": number})}

    def _head(self, row: Row[Any]) -> LogHead:
        origin = log_origin(self.origin, row.topic, row.partition, row.generation)
        return LogHead(origin, row.size, row.root, row.next_offset, row.end_offset)


def _tree(connection: Connection, log_id: int, log: object, size: int, root: bytes) -> TiledTree:
    try:
        tree = tree_at(connection, log_id, size)
    except ValueError as error:
        raise refused(log, str(error), f"entries and tiles up to {size - 1}") from error
    if tree.root() != root:
        raise refused(log, f"root {tree.root().hex()} of size {size} by the rows", root.hex())
    return tree


def _tiles(connection: Connection, log_id: int, full: Sequence[Tile]) -> Iterator[StoredTile]:
    for level in sorted({tile.level for tile in full}):
        indexes = [tile.index for tile in full if tile.level == level]
        place = {"log_id": log_id, "level": level, "first": indexes[0], "last": indexes[-1]}
        yield from (StoredTile(*row) for row in connection.execute(_TILES, place))


_ENDS = text(
    "SELECT log.log_id, log.topic, log.partition, log.generation, batch.start_index, batch.end_index, "
    "batch.root, batch.frontier, batch.next_offset FROM log JOIN batch ON batch.log_id = log.log_id "
    "AND batch.start_index = (SELECT max(start_index) FROM batch b WHERE b.log_id = log.log_id) "
    "WHERE log.kind = 'partition' ORDER BY log.log_id"
)
_SIZES = text(
    "SELECT log.log_id, batch.end_index AS size FROM log JOIN batch ON batch.log_id = log.log_id "
    "AND batch.start_index = (SELECT max(start_index) FROM batch b WHERE b.log_id = log.log_id) "
    "WHERE log.kind = 'partition'"
)
_READ_BACK = text(
    "SELECT idx, leaf, leaf_hash FROM entry WHERE log_id = :log_id AND idx >= :begin AND idx < :end "
    "ORDER BY idx"
)
_TILES = text(
    "SELECT level, idx, root, hashes FROM tile WHERE log_id = :log_id AND level = :level "
    "AND idx BETWEEN :first AND :last"
)
_HEAD_LOG = text(
    "SELECT log.log_id, log.origin, batch.end_index, batch.root, "
    "(SELECT max(idx) FROM entry WHERE entry.log_id = log.log_id) AS last_entry "
    "FROM log LEFT JOIN batch ON batch.log_id = log.log_id "
    "AND batch.start_index = (SELECT max(start_index) FROM batch b WHERE b.log_id = log.log_id) "
    "WHERE log.kind = 'head'"
)
_HEAD_LOG_ID = text("SELECT log_id FROM log WHERE kind = 'head'")
_LEAF = text("SELECT leaf FROM entry WHERE log_id = :log_id AND idx = :idx")
_HEAD_COLUMNS = (
    "h.log_id, log.topic, log.partition, log.generation, h.size, h.root, h.next_offset, h.end_offset"
)
_HEADS = text(
    f"SELECT {_HEAD_COLUMNS} FROM log JOIN epoch_head h ON h.log_id = log.log_id AND h.epoch = "
    "(SELECT max(epoch) FROM epoch_head e WHERE e.log_id = log.log_id AND e.epoch <= :epoch)"
)
_CHANGED = text(
    f"SELECT {_HEAD_COLUMNS} FROM epoch_head h JOIN log ON log.log_id = h.log_id WHERE h.epoch = :epoch"
)
_CHECKPOINT = text("SELECT root, note FROM checkpoint WHERE head_size = :size")
_ROOT = text("SELECT root FROM checkpoint WHERE head_size = :size")
_LATEST = text("SELECT max(head_size) FROM checkpoint")
_ADD_COSIGNATURE = text(
    "INSERT INTO cosignature (head_size, key_name, key_id, timestamp, line) "
    "SELECT head_size, :name, :key_id, :timestamp, :text FROM checkpoint "
    "WHERE head_size = :size AND root = :root ON CONFLICT DO NOTHING"
)
