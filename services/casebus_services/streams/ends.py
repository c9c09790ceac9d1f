"""Where partitions end in Kafka, asked through one lasting connection."""

from collections.abc import Iterable

from confluent_kafka import KafkaException
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import TopicPartition

from .connection import ConnectionSettings, librdkafka

TIMEOUT_S = 10.0


class KafkaEnds:
    """Asks for ends; needs DESCRIBE on the topics. Connects with the first question; for one thread."""

    def __init__(self, settings: ConnectionSettings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._admin: AdminClient | None = None

    def __call__(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset after the last record of each partition. Raises RetryLater if Kafka does not answer."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # a part of theirs without types
        wanted = {KafkaPartition(*place): latest for place in places}
        if not wanted:
            return {}
        try:
            if self._admin is None:
                self._admin = AdminClient(librdkafka(self._settings, self._client_id))
            asked = self._admin.list_offsets(wanted, request_timeout=TIMEOUT_S)
            return {
                TopicPartition(place.topic, place.partition): int(answer.result(TIMEOUT_S).offset)
                for place, answer in asked.items()
            }
        except (KafkaException, TimeoutError) as error:
            self._admin = None
            raise RetryLater(
                "Kafka does not say where its partitions end",
                found=str(error)[:200],
                expected=f"an answer from {self._settings.bootstrap_servers}",
            ) from error
