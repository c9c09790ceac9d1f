"""The heads of epochs as a ledger's tables hold them: where partitions ended when keys did."""

from sqlalchemy import Connection, text


class TableHeads:
    """Asks the tables, each thing once. For one thread, as long as the connection is open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._latest = int(connection.execute(_LATEST).scalar() or 0)
        self._ends: dict[tuple[int, str, int], int] = {}

    def first_with(self, topic: str, offset: int) -> int | None:
        """The first epoch that holds a record of partition 0 of a topic; None if none does."""
        found: int | None = self._connection.execute(_WITH, {"topic": topic, "offset": offset}).scalar()
        return found

    def last_without(self, topic: str, offset: int) -> int | None:
        """The last epoch at whose sealing Kafka did not hold that record; None if none is known."""
        found = self._connection.execute(_SEEN, {"topic": topic, "offset": offset}).scalar()
        return None if found is None or found < 2 else int(found) - 1

    def end_offset(self, epoch: int, topic: str, partition: int) -> int | None:
        """Where Kafka's partition ended at an epoch's sealing, 0 if it had no record; None: not known."""
        if not 1 <= epoch <= self._latest:
            return None
        place = epoch, topic, partition
        if place not in self._ends:
            asked = {"epoch": epoch, "topic": topic, "partition": partition}
            self._ends[place] = int(self._connection.execute(_END, asked).scalar() or 0)
        return self._ends[place]


_LATEST = text("SELECT max(epoch) FROM epoch_head")
_OF_TOPIC = (
    "SELECT min(epoch) FROM epoch_head WHERE log_id IN "
    "(SELECT log_id FROM log WHERE topic = :topic AND partition = 0) AND "
)
_WITH = text(_OF_TOPIC + "next_offset > :offset")
_SEEN = text(_OF_TOPIC + "end_offset > :offset")
_END = text(
    "SELECT end_offset FROM epoch_head WHERE log_id IN "
    "(SELECT log_id FROM log WHERE topic = :topic AND partition = :partition) AND epoch <= :epoch "
    "ORDER BY epoch DESC LIMIT 1"
)
