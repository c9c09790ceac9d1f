"""Takes up at the start what the bus itself said: a lost or an older database announces nothing twice."""

import logging
from collections.abc import Mapping

from casebus_schemas.admission.proof import forged_event
from casebus_schemas.catalogue.topology import FINDING, OBLIGATION
from casebus_schemas.errors import Refused
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Batch, Record, TopicPartition
from casebus_schemas.wire.stream_head import Stream

from .accounts_database import Database
from .fence import Fence
from .proven import Keys

log = logging.getLogger(__name__)

TOPICS = (FINDING, OBLIGATION)
_FENCES = "SELECT partition, next_offset, revision, incarnation, next_no FROM recon_partition"
_SAVE = (
    "INSERT INTO recon_taken_up VALUES (?,?,?) ON CONFLICT (topic, partition) "
    "DO UPDATE SET next_offset = excluded.next_offset"
)


class TakenUp:
    """What Kafka holds of the bus's own words, taken into one database before anything new is said.

    An announcement has the same event id whoever makes it and when: what has been said is entered by it.
    `incarnation` begins the streams of a database that is older than what it has said itself.
    """

    def __init__(self, database: Database, keys: Keys, incarnation: int) -> None:
        self._database = database
        self._keys = keys
        self._incarnation = incarnation
        self._seqs: dict[Stream, int] = {}

    def starts(self) -> dict[TopicPartition, int]:
        """Up to where each partition was taken up before."""
        with self._database.reading() as transaction:
            rows = transaction.rows("SELECT topic, partition, next_offset FROM recon_taken_up")
        return {TopicPartition(row[0], row[1]): row[2] for row in rows}

    def take(self, batch: Batch) -> None:
        """Enters what the records say that was said."""
        said = [headers.id.bytes for record in batch.records if (headers := self._proven(record))]
        with self._database.writing() as transaction:
            transaction.many(
                "INSERT INTO recon_said VALUES (?) ON CONFLICT DO NOTHING", [(id,) for id in said]
            )
            transaction.many(_SAVE, [(batch.topic, batch.partition, batch.next_offset)])

    def finish(self) -> list[str]:
        """Begins new streams where Kafka holds more of one than the database has said; of which producers."""
        with self._database.writing() as transaction:
            known: Mapping[Stream, int] = {
                Stream(row[0], row[1], row[2]): row[3]
                for row in transaction.rows("SELECT producer, topic, partition, seq FROM recon_bus_stream")
            }
            ahead = {stream.producer for stream, seq in self._seqs.items() if seq > known.get(stream, 0)}
            fences = [Fence(*row) for row in transaction.rows(_FENCES)]
            old = [fence for fence in fences if fence.producer in ahead]
            for fence in old:
                log.warning(
                    "the database is older than what %s has said: it goes on under a new incarnation",
                    fence.producer,
                )
            transaction.many(
                "UPDATE recon_partition SET incarnation = ? WHERE partition = ?",
                [(self._incarnation, fence.partition) for fence in old],
            )
        return [fence.producer for fence in old]

    def _proven(self, record: Record) -> EventHeaders | None:
        """The headers of a record that the bus has signed; what others wrote says nothing for it."""
        try:
            headers = EventHeaders.parse(record.headers)
        except Refused as error:
            log.warning("%s/%d/%d: %s", record.topic, record.partition, record.offset, error)
            return None
        problem = forged_event(record, headers, self._keys.current(), None)
        if problem is not None:
            log.warning("%s/%d/%d: %s", record.topic, record.partition, record.offset, problem.en)
            return None
        stream = Stream(headers.producer, record.topic, record.partition)
        self._seqs[stream] = max(headers.seq, self._seqs.get(stream, 0))
        return headers
