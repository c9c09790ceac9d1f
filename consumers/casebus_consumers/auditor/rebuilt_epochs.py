"""Makes the head log again in a rebuilt ledger, from the epochs on bus.checkpoint."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from casebus_producers.config import KafkaLogin
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.catalogue.topology import CHECKPOINT
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.epoch import LogHead, epoch_of, log_origin, read_epoch_headers, with_changes
from casebus_schemas.evidence.merkle import TiledTree
from casebus_schemas.evidence.signed_note import SignedNote, VerifierKey
from casebus_schemas.evidence.submission import Submission
from casebus_schemas.wire.records import Record
from casebus_services.ledger.ledger_database import Database, bus_errors, open_database
from casebus_services.ledger.trees import tree_at
from casebus_services.sealer.head_log import HeadLog, append_epoch

from .damage import VerifyReport
from .ledger_rows import snapshot

AT_ONCE = 500
"""Epochs of one transaction."""


class _Wrong(Exception):
    """An epoch cannot be made again: what was found and what was expected."""


@dataclass(slots=True)
class _State:
    """The head log so far, and the logs of the rebuilt ledger by their origins."""

    log_ids: Mapping[str, int]
    head: HeadLog = field(default_factory=lambda: HeadLog(None, TiledTree(), {}))
    heads: list[LogHead] = field(default_factory=list)


def epochs_in_kafka(login: KafkaLogin) -> list[Record]:
    """All records of bus.checkpoint. Raises RetryLater if Kafka is away."""
    with TopicReader(login, (CHECKPOINT,)) as reader:
        return list(reader.read_to(reader.ends()))


def rebuild_epochs(records: Iterable[Record], url: str, key: VerifierKey, report: VerifyReport) -> int:
    """Adds the recorded epochs to the ledger at `url`, which has none; gives how many.

    Only notes under the log's key count. Each head must be what the rebuilt log gives at that size, each
    checkpoint what the head log gives. The first one that is not is added to `report`, and ends it.
    """
    database = open_database(url)
    try:
        with bus_errors(database), database.engine.begin() as connection:
            log_ids = {
                log_origin(key.name, row.topic, row.partition, row.generation): row.log_id
                for row in connection.execute(_LOGS)
            }
        state, held = _State(log_ids), list(records)
        for at in range(0, len(held), AT_ONCE):
            with bus_errors(database), database.engine.begin() as connection:
                for record in held[at : at + AT_ONCE]:
                    try:
                        _add(database, connection, state, record, key)
                    except (_Wrong, ValueError) as error:
                        found, expected = error.args if len(error.args) == 2 else (str(error), "an epoch")
                        where = f"{record.topic}/{record.partition}/{record.offset}"
                        report.add("topic", key.name, where, found=found, expected=expected)
                        return state.head.size
        return state.head.size
    finally:
        database.engine.dispose()


def _add(database: Database, connection: Connection, state: _State, record: Record, key: VerifierKey) -> None:
    try:
        note = Submission.parse(record.value or b"").note
        signed = note.is_signed_by(key)
    except ValueError:
        signed = False
    if not signed:
        return  # somebody else's words prove nothing; an epoch that is missing shows by its number
    leaf, changed = read_epoch_headers(record.headers)
    size = state.head.size
    if leaf.number <= size:
        return  # said twice: the same epoch, or the check of the checkpoint has found it
    if leaf.number != size + 1:
        raise _Wrong(f"epoch {leaf.number}", f"epoch {size + 1}")
    for head in changed:
        _check(connection, state, head)
    heads = with_changes(state.heads, changed)
    made = epoch_of(leaf.number, state.head.tree.root(), heads, leaf.sealed_at_ms)
    if made != leaf:
        raise _Wrong(f"heads of root {made.heads_root.hex()}", f"{leaf.heads_root.hex()} by the epoch's leaf")

    def recorded(checkpoint: Checkpoint) -> SignedNote:
        if note.text != str(checkpoint):
            raise _Wrong(f"root {checkpoint.root.hex()} of size {checkpoint.size}", f"that of {note.text!r}")
        return note

    by_log = {state.log_ids[head.origin]: head for head in changed}
    state.head = append_epoch(
        database, connection, key.name, state.head, leaf, by_log, recorded, writer="rebuild"
    )
    state.heads = heads


def _check(connection: Connection, state: _State, head: LogHead) -> None:
    log_id = state.log_ids.get(head.origin)
    if log_id is None:
        raise _Wrong(f"no log {head.origin}", f"one of at least {head.size} entries")
    root = tree_at(connection, log_id, head.size).root()
    if root != head.root:
        raise _Wrong(f"root {root.hex()} of {head.origin} at size {head.size}", head.root.hex())


def compare_checkpoints(recorded: Database, rebuilt: Database, report: VerifyReport) -> int:
    """Adds to `report` each recorded checkpoint that the rebuilt ledger has otherwise; gives how many it has.

    Checkpoints behind the last one that was published are left out: their epochs are sealed anew.
    """
    with snapshot(recorded) as old, snapshot(rebuilt) as new:
        anew = {size: (root, note) for size, root, note in new.checkpoints()}
        compared = 0
        for size, root, note in old.checkpoints():
            if size > len(anew):
                break
            compared += 1
            if anew.get(size) != (root, note):
                found = anew[size][0].hex() if size in anew else "no row"
                report.add("checkpoint", None, f"size {size}", found=found, expected=root.hex())
    return compared


_LOGS = text("SELECT log_id, topic, partition, generation FROM log WHERE kind = 'partition'")
