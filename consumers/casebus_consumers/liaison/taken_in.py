"""How far the accounts have come in what the bus has admitted, as Kafka counts it."""

from typing import NamedTuple

from casebus_producers.config import KafkaLogin
from casebus_producers.connecting import quiet_kafka
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.catalogue.topology import ADMISSION, AUDITOR
from casebus_schemas.connection import Connection
from casebus_services.reconciler.accounts_database import Database


class TakenIn(NamedTuple):
    """Records of bus.admission that the accounts have taken in, and that there are."""

    taken: int
    there: int

    @property
    def behind(self) -> int:
        """How many are still to come."""
        return max(0, self.there - self.taken)


def taken_in(known: Connection, database: Database) -> TakenIn:
    """Read as the auditor, who may read all. Raises RetryLater if the broker is away."""
    quiet_kafka()
    with database.reading() as transaction:
        rows = transaction.rows("SELECT partition, next_offset FROM recon_partition WHERE partition >= 0")
    positions = {row[0]: row[1] for row in rows}
    with TopicReader(KafkaLogin.read(AUDITOR, known), [ADMISSION]) as reader:
        ends = reader.ends()
    taken = sum(min(positions.get(place.partition, 0), end) for place, end in ends.items())
    return TakenIn(taken, sum(ends.values()))
