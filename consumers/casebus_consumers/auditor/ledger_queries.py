"""The questions that are asked of the ledger's tables, each read page by page in order."""

from typing import NamedTuple

from sqlalchemy import bindparam, text

from casebus_services.ledger.appending import BatchRow


class EpochHeadRow(NamedTuple):
    """A row of table `epoch_head`."""

    epoch: int
    log_id: int
    size: int
    root: bytes
    next_offset: int
    end_offset: int


LOGS = text(
    "SELECT log_id, origin, kind, topic, partition, generation, hash_alg FROM log "
    "WHERE kind = 'partition' ORDER BY origin"
)
HEAD_LOGS = text(
    "SELECT log_id, origin, kind, coalesce(topic, ''), coalesce(partition, 0), generation, hash_alg FROM log "
    "WHERE kind <> 'partition' ORDER BY log_id"
)
HEAD_COLUMNS = ", ".join(EpochHeadRow._fields)
HEADS_OF = text(
    f"SELECT {HEAD_COLUMNS} FROM epoch_head WHERE log_id = :log_id AND epoch > :at ORDER BY epoch LIMIT :page"
)
HEADS = text(
    f"SELECT {HEAD_COLUMNS} FROM epoch_head WHERE epoch > :at OR (epoch = :at AND log_id > :log_id) "
    "ORDER BY epoch, log_id LIMIT :page"
)
CHECKPOINTS = text(
    "SELECT head_size, root, note FROM checkpoint WHERE head_size > :at ORDER BY head_size LIMIT :page"
)
ONE_CHECKPOINT = text(
    "SELECT c.head_size, c.note, entry.leaf FROM checkpoint c "
    "JOIN entry ON entry.log_id = (SELECT log_id FROM log WHERE kind = 'head') "
    "AND entry.idx = c.head_size - 1 "
    "WHERE c.head_size = coalesce(:size, (SELECT max(head_size) FROM checkpoint))"
)
COSIGNATURE_COLUMNS = (
    "SELECT c.head_size, c.key_name, c.key_id, c.timestamp, c.line, checkpoint.note FROM cosignature c "
    "LEFT JOIN checkpoint USING (head_size)"
)
COSIGNATURES = text(f"{COSIGNATURE_COLUMNS} ORDER BY c.head_size, c.key_name, c.key_id")
COSIGNATURES_OF = text(f"{COSIGNATURE_COLUMNS} WHERE c.head_size = :size ORDER BY c.key_name, c.key_id")
BATCH_COLUMNS = ", ".join(BatchRow._fields)
BATCHES = text(
    f"SELECT {BATCH_COLUMNS} FROM batch WHERE log_id = :log_id AND start_index > :at "
    "ORDER BY start_index LIMIT :page"
)
LAST_BATCH = text(
    f"SELECT {BATCH_COLUMNS} FROM batch WHERE log_id = :log_id ORDER BY start_index DESC LIMIT 1"
)
NEXT_OFFSETS = text(
    "SELECT log.topic, log.partition, coalesce(max(batch.next_offset), 0) AS next_offset "
    "FROM log LEFT JOIN batch ON batch.log_id = log.log_id WHERE log.kind = 'partition' GROUP BY 1, 2"
)
# A look-up a row, not a join: without statistics PostgreSQL would hash all payloads for every page.
ENTRIES = text(
    "SELECT idx, koffset, event_id, key, headers, value_sha256, leaf, leaf_hash, "
    "(SELECT length(value) FROM payload p WHERE p.value_sha256 = e.value_sha256) "
    "FROM entry e WHERE log_id = :log_id AND idx > :at ORDER BY idx LIMIT :page"
)
RECORD_COLUMNS = (
    "idx, koffset, key, headers, leaf, "
    "(SELECT value FROM payload p WHERE p.value_sha256 = e.value_sha256) AS value FROM entry e"
)
RECORDS_OF = text(f"SELECT {RECORD_COLUMNS} WHERE log_id = :log_id AND idx > :at ORDER BY idx LIMIT :page")
RECORDS_AT = text(f"SELECT {RECORD_COLUMNS} WHERE log_id = :log_id AND koffset IN :offsets").bindparams(
    bindparam("offsets", expanding=True)
)
TILES = text(
    "SELECT log_id, level, idx, root, hashes FROM tile "
    "WHERE log_id = :log_id AND level = :level AND idx > :at ORDER BY idx LIMIT :page"
)
TOP_LEVEL = text("SELECT max(level) FROM tile WHERE log_id = :log_id")
PAYLOADS = text("SELECT value_sha256, value FROM payload WHERE rowid >= :first AND rowid < :end")
PAYLOADS_OF_PAGES = text(
    "SELECT value_sha256, value FROM payload WHERE ctid >= CAST(:first AS tid) AND ctid < CAST(:end AS tid)"
)
ROWIDS = text("SELECT coalesce(min(rowid), 0), coalesce(max(rowid) + 1, 0) FROM payload")
PAGES = text("SELECT 0, pg_relation_size('payload') / CAST(current_setting('block_size') AS integer)")
LENGTHS = text(
    "SELECT "
    + ", ".join(
        f"(SELECT max(rowid) FROM {table})"
        for table in ("log", "batch", "entry", "payload", "tile", "epoch_head", "checkpoint", "cosignature")
    )
)
USERS = text(
    "SELECT log.topic, log.partition, e.idx FROM entry e JOIN log USING (log_id) "
    "WHERE e.value_sha256 = :digest ORDER BY 1, 2, 3 LIMIT 5"
)
RECORDS = text(
    "SELECT log.partition, e.koffset, e.key, e.headers, e.leaf, p.value FROM entry e JOIN log USING (log_id) "
    "JOIN payload p USING (value_sha256) WHERE log.topic = :topic ORDER BY log.partition, e.idx"
)
ENTRY_AT = text(
    "SELECT e.idx, e.value_sha256 FROM entry e JOIN log USING (log_id) "
    "WHERE log.topic = :topic AND log.partition = :partition AND e.koffset = :offset"
)
LENGTH = text("SELECT length(value) FROM payload WHERE value_sha256 = :digest")
TOPICS_WITH = text(
    "SELECT DISTINCT log.topic FROM entry e JOIN log USING (log_id) WHERE e.value_sha256 = :digest"
)
UNUSED = text("SELECT value_sha256 FROM payload EXCEPT SELECT value_sha256 FROM entry LIMIT :most")
HASHES = text(
    "SELECT koffset, leaf_hash FROM entry WHERE log_id = :log_id AND koffset BETWEEN :first AND :last"
)
