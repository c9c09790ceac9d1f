"""What proofs are made of, read from the ledger's tables in few queries."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from casebus_schemas.admission.verdict import Origin
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.epoch import EpochLeaf, LogHead, log_origin
from casebus_schemas.evidence.merkle import HASH_LENGTH, TILE_WIDTH
from casebus_schemas.evidence.signed_note import NoteSignature, SignedNote
from casebus_schemas.evidence.tiles import TileHashes, TilePlace

from .sealed_heads import TableHeads

PAGE = 2048
_CHECKPOINTS_AT_ONCE = 64

Suffices = Callable[[SignedNote], bool]
"""Whether a checkpoint with its cosignatures is good enough for whoever asks."""


class FoundEntry(NamedTuple):
    """An entry of the ledger: where it stands, and what a proof says of it."""

    log_id: int
    idx: int
    leaf: bytes
    headers: bytes


class ChainEntry(NamedTuple):
    """An entry as a bundle needs it; `value` is None where the content is not there."""

    idx: int
    key: bytes | None
    leaf: bytes
    headers: bytes
    value_sha256: bytes | None
    value: bytes | None


class ProofRows:
    """Reads over one connection that sees one state. Raises UsageError for what is not there to be proven."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        row = connection.execute(_HEAD_LOG).one_or_none()
        if row is None:
            raise UsageError(
                "nothing of this ledger is sealed",
                expected="an epoch and its checkpoint",
                remedy="run the sealer: casebus run sealer",
            )
        self.head_log: int = row.log_id
        self.origin: str = row.origin

    def sealed_heads(self) -> TableHeads:
        """What the heads of the epochs say of partitions."""
        return TableHeads(self._connection)

    def place_of(self, event: str) -> Origin:
        """The place of an event, given as `topic/partition/offset` or as its `ce_id`."""
        try:
            return Origin.parse(event)
        except ValueError:
            pass
        try:
            identifier = UUID(event)
        except ValueError as error:
            raise UsageError(
                "which event?", found=event[:100], expected="topic/partition/offset, or the event's id"
            ) from error
        rows = self._connection.execute(BY_EVENT_ID, {"event_id": identifier.bytes})
        # The router's admission repeats the headers of what it judges.
        places = [Origin(*row) for row in rows if row.topic != "bus.admission"]
        if len(places) != 1:
            found = ", ".join(map(str, places[:10])) or "no entry"
            expected = "one entry of this id"
            raise UsageError(f"the id {identifier}", found=found, expected=expected, remedy="name the place")
        return places[0]

    def entry_at(self, place: Origin) -> FoundEntry:
        """The entry of that record."""
        row = self._connection.execute(_ENTRY_AT, place._asdict()).one_or_none()
        if row is None:
            raise UsageError(f"no entry of {place}", expected="a record that is in the ledger")
        return FoundEntry._make(row)

    def checkpoint(self, least: int, suffices: Suffices) -> SignedNote:
        """The newest checkpoint over at least so many epochs that is good enough, with all its lines."""
        below = None
        seen = 0
        while True:
            rows = self._connection.execute(
                _CHECKPOINTS, {"least": least, "below": below or 2**62, "page": _CHECKPOINTS_AT_ONCE}
            ).all()
            if not rows:
                raise UsageError(
                    "no checkpoint over this entry has the cosignatures that are asked for",
                    found=f"{seen} checkpoints from size {least} on",
                    expected="one that the policy accepts, or with as many cosignatures as are asked for",
                    remedy="wait for the witnesses, or ask for fewer with --cosignatures",
                )
            between = {"first": rows[-1].head_size, "last": rows[0].head_size}
            lines: dict[int, list[NoteSignature]] = {}
            for size, line in self._connection.execute(_LINES, between):
                lines.setdefault(size, []).append(NoteSignature.parse(line.rstrip("\n")))
            for row in rows:
                note = SignedNote.parse(row.note.encode()).with_signatures(lines.get(row.head_size, ()))
                if suffices(note):
                    return note
            seen += len(rows)
            below = rows[-1].head_size

    def first_epoch(self, log_id: int, idx: int) -> int:
        """Number of the epoch that was the first to hold an entry."""
        found: int | None = self._connection.execute(_FIRST_EPOCH, {"log_id": log_id, "idx": idx}).scalar()
        if found is None:
            raise UsageError(
                "the entry is not sealed yet", expected="an epoch over it", remedy="wait a second"
            )
        return found

    def epoch_with_path(self, log_id: int, idx: int) -> int:
        """The same of the first epoch in which the entry has a neighbour, so that its path has a hash."""
        number = self.first_epoch(log_id, idx)
        try:
            return self.first_epoch(log_id, max(idx, 1))
        except UsageError as error:
            raise UsageError(
                "the entry is alone in its log",
                found=f"a root without path in epoch {number}",
                expected="a second entry: the path of a COSE receipt has one hash at least (RFC 9942 5.2)",
                remedy="take a tlog-proof, or wait for the next entry of this partition",
            ) from error

    def heads(self, epoch: int) -> dict[int, LogHead]:
        """All heads of an epoch, by log."""
        return {
            row.log_id: LogHead(
                log_origin(self.origin, row.topic, row.partition, row.generation),
                row.size,
                bytes(row.root),
                row.next_offset,
                row.end_offset,
            )
            for row in self._connection.execute(_HEADS, {"epoch": epoch})
        }

    def epoch(self, number: int) -> EpochLeaf:
        """An epoch's leaf."""
        raw = self._connection.execute(_LEAF, {"log_id": self.head_log, "idx": number - 1}).scalar_one()
        return EpochLeaf.parse(bytes(raw))

    def hashes(self, log_id: int, size: int) -> TileHashes:
        """Subtree hashes of a log at a size that it has or had; one query a tile."""
        return TileHashes(size, partial(self.tile, log_id))

    def tile(self, log_id: int, place: TilePlace) -> list[bytes]:
        """The hashes of a tile, full or partial, of a log."""
        first, level = place.number * TILE_WIDTH, place.level or 0
        if place.width == TILE_WIDTH:
            wanted = {"log_id": log_id, "level": level, "idx": place.number}
            raw = bytes(self._connection.execute(_TILE, wanted).scalar() or b"")
            hashes = [raw[at : at + HASH_LENGTH] for at in range(0, len(raw), HASH_LENGTH)]
        else:
            wanted = {"log_id": log_id, "first": first, "end": first + place.width, "level": level - 1}
            rows = self._connection.execute(_ROOTS if level else _HASHES, wanted).scalars()
            hashes = [bytes(row) for row in rows]
        if len(hashes) != place.width:
            raise UsageError(
                f"the log {log_id} lacks rows",
                found=f"{len(hashes)} hashes of {place.path()}",
                expected=str(place.width),
                remedy="casebus ledger verify names them",
            )
        return hashes

    def leaves(self, log_id: int, first: int, end: int) -> list[bytes]:
        """Leaves [first, end) of a log."""
        wanted = {"log_id": log_id, "first": first, "end": end}
        return [bytes(row) for row in self._connection.execute(_LEAVES, wanted).scalars()]

    def of_chain(self, chain: bytes) -> Iterator[tuple[int, ChainEntry]]:
        """The log and the entry of all whose key is the chain, by log, in order; found by an index."""
        for log_id, *row in self._connection.execute(OF_CHAIN, {"key": chain}):
            yield log_id, ChainEntry._make(row)

    def of_log(self, log_id: int, size: int) -> Iterator[ChainEntry]:
        """All entries of a log below `size`, in order."""
        at = -1
        while True:
            wanted = {"log_id": log_id, "at": at, "size": size, "page": PAGE}
            rows = self._connection.execute(_OF_LOG, wanted).all()
            if not rows:
                return
            yield from map(ChainEntry._make, rows)
            at = rows[-1].idx


def enough_lines(count: int) -> Suffices:
    """Good enough are so many lines beside the log's own, whoever they are by: the reader's policy judges."""
    return lambda note: len({line.name for line in note.signatures}) > count


def size_of(note: SignedNote) -> int:
    """How many epochs a checkpoint covers."""
    return Checkpoint.parse(note.text).size


_HEAD_LOG = text("SELECT log_id, origin FROM log WHERE kind = 'head'")
BY_EVENT_ID = text(
    "SELECT log.topic, log.partition, e.koffset FROM entry e JOIN log USING (log_id) "
    "WHERE log.kind = 'partition' AND e.event_id = :event_id ORDER BY 1, 2, 3"
)
_ENTRY_AT = text(
    "SELECT e.log_id, e.idx, e.leaf, e.headers FROM entry e JOIN log USING (log_id) "
    "WHERE log.topic = :topic AND log.partition = :partition AND e.koffset = :offset"
)
_CHECKPOINTS = text(
    "SELECT head_size, note FROM checkpoint WHERE head_size >= :least AND head_size < :below "
    "ORDER BY head_size DESC LIMIT :page"
)
_LINES = text(
    "SELECT head_size, line FROM cosignature WHERE head_size BETWEEN :first AND :last "
    "ORDER BY head_size, key_name, key_id"
)
_FIRST_EPOCH = text(
    "SELECT epoch FROM epoch_head WHERE log_id = :log_id AND size > :idx ORDER BY size, epoch LIMIT 1"
)
_HEADS = text(
    "SELECT log.log_id, topic, partition, generation, size, root, next_offset, end_offset "
    "FROM log JOIN epoch_head h ON h.log_id = log.log_id "
    "AND h.epoch = (SELECT max(epoch) FROM epoch_head o WHERE o.log_id = log.log_id AND o.epoch <= :epoch)"
)
_LEAF = text("SELECT leaf FROM entry WHERE log_id = :log_id AND idx = :idx")
_TILE = text("SELECT hashes FROM tile WHERE log_id = :log_id AND level = :level AND idx = :idx")
_ROOTS = text(
    "SELECT root FROM tile WHERE log_id = :log_id AND level = :level AND idx >= :first AND idx < :end "
    "ORDER BY idx"
)
_HASHES = text(
    "SELECT leaf_hash FROM entry WHERE log_id = :log_id AND idx >= :first AND idx < :end ORDER BY idx"
)
_LEAVES = text("SELECT leaf FROM entry WHERE log_id = :log_id AND idx >= :first AND idx < :end ORDER BY idx")
_CHAIN_COLUMNS = (
    "idx, key, leaf, headers, value_sha256, "
    "(SELECT value FROM payload p WHERE p.value_sha256 = e.value_sha256) AS value FROM entry e"
)
_OF_LOG = text(
    f"SELECT {_CHAIN_COLUMNS} WHERE log_id = :log_id AND idx > :at AND idx < :size ORDER BY idx LIMIT :page"
)
OF_CHAIN = text(f"SELECT log_id, {_CHAIN_COLUMNS} WHERE key = :key ORDER BY log_id, idx")
