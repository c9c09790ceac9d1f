"""Where a topic's partitions end now, asked of the broker."""

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # not in its __all__

from casebus_schemas.errors import RetryLater

from .connection import ConnectionSettings, librdkafka

_PATIENCE_S = 10.0


class TopicEnds:
    """Asks with one connection, made when it is first needed. Needs DESCRIBE on the topic."""

    def __init__(self, settings: ConnectionSettings, client_id: str, topic: str, partitions: int) -> None:
        self._settings = settings
        self._client_id = client_id
        self._places = [TopicPartition(topic, partition) for partition in range(partitions)]
        self._admin: AdminClient | None = None

    def __call__(self) -> dict[int, int]:
        """The offset behind the last record of each partition. Raises RetryLater if the broker is away."""
        if self._admin is None:
            self._admin = AdminClient(librdkafka(self._settings, self._client_id))
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = dict.fromkeys(self._places, latest)
        try:
            answers = self._admin.list_offsets(asked, request_timeout=_PATIENCE_S)
            return {place.partition: answer.result().offset for place, answer in answers.items()}
        except KafkaException as error:
            raise RetryLater("the ends of a topic could not be asked for", found=repr(error)) from error
