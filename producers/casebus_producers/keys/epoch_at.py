"""Finds on bus.checkpoint which epoch was the last one that the ledger had sealed at a time."""

from casebus_schemas.catalogue.topology import CHECKPOINT
from casebus_schemas.evidence.epoch import read_epoch_headers
from casebus_schemas.wire.records import TopicPartition

from ..config import KafkaLogin
from ..topic_reader import TopicReader


def epoch_at(login: KafkaLogin, time_ms: int) -> int:
    """The number of the last epoch sealed by then, milliseconds since 1970 UTC; 0 before the first.

    Epochs stand there in order, so that some twenty records are read. Raises RetryLater if Kafka is away.
    """
    place = TopicPartition(CHECKPOINT, 0)
    with TopicReader(login, [CHECKPOINT]) as reader:
        low, high, found = reader.first()[place], reader.ends()[place], 0
        while low < high:
            middle = (low + high) // 2
            reader.seek({place: middle})
            record = next(reader.read_to({place: middle + 1}))
            epoch, _ = read_epoch_headers(record.headers)
            if epoch.sealed_at_ms <= time_ms:
                low, found = middle + 1, max(found, epoch.number)
            else:
                high = middle
    return found
