"""Compares the ledger's checkpoints with all heads of it that stand in Kafka, published or cosigned."""

from casebus_producers.config import KafkaLogin
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.agencies import WITNESSES
from casebus_schemas.catalogue.topology import CHECKPOINT, cosignature
from casebus_schemas.evidence.signed_note import VerifierKey
from casebus_schemas.wire.records import Batch
from casebus_services.ledger.ledger_database import Database
from casebus_services.sealer.known import KnownHeads

from .damage import VerifyReport
from .ledger_rows import snapshot

HEAD_TOPICS = (CHECKPOINT, *map(cosignature, WITNESSES))


def compare_heads(database: Database, login: KafkaLogin, key: VerifierKey, report: VerifyReport) -> None:
    """Adds to `report` each head under the log's key that the database does not have.

    Kafka is read before the database: a sealer that runs meanwhile is never behind. Raises RetryLater if
    Kafka or the database is away.
    """
    known = KnownHeads(key, {})
    with TopicReader(login, HEAD_TOPICS) as reader:
        for record in reader.read_to(reader.ends()):
            known.take(Batch(record.topic, record.partition, [record], record.offset + 1))
    seen, _ = known.new()
    with snapshot(database) as rows:
        roots = {size: root for size, root, _ in rows.checkpoints()}
    for one in seen:
        root = roots.get(one.size)
        if root != one.root:
            found = "no row" if root is None else f"root {root.hex()}"
            expected = f"root {one.root.hex()} as signed in {one.where}"
            report.add("checkpoint", key.name, f"size {one.size}", found=found, expected=expected)
    report.heads_compared = len(seen)
