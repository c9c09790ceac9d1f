"""Reads topics of a running bus whole, as the broker's super user: how tests see what really stands there."""

import time
from collections.abc import Iterable
from typing import Any, cast

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # it is public

from casebus_deploy.embedded.access import KafkaAccess
from casebus_schemas.catalogue.topology import topics
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.records import TopicPartition as Place

LONG_S = 120.0


def librdkafka_config(broker: KafkaAccess, username: str, password: str) -> dict[str, Any]:
    """librdkafka's settings of a login."""
    found: dict[str, Any] = {
        "bootstrap.servers": broker.bootstrap_servers,
        "security.protocol": broker.security_protocol,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": username,
        "sasl.password": password,
        "log_level": 2,
    }
    return found if broker.ca_file is None else found | {"ssl.ca.location": str(broker.ca_file)}


class KafkaView:
    """One broker's topics. Nothing is ever deleted there, so that offsets count from 0 without a gap."""

    def __init__(self, broker: KafkaAccess, partitions: int = 4) -> None:
        self.broker = broker
        self.partitions = partitions
        self._admin = AdminClient(self.config())

    def config(self) -> dict[str, Any]:
        """librdkafka's settings of the super user."""
        return librdkafka_config(self.broker, self.broker.admin_username, self.broker.admin_password)

    def thin(self) -> list[Place]:
        """Partitions of which not every replica is in step."""
        described = self._admin.list_topics(timeout=LONG_S).topics.values()
        return [
            Place(str(topic.topic), number)
            for topic in described
            for number, at in topic.partitions.items()
            if len(at.isrs) < len(at.replicas)
        ]

    def places(self, names: Iterable[str]) -> list[Place]:
        """All partitions of these topics."""
        counts = {spec.name: spec.partitions for spec in topics(self.partitions)}
        return [Place(name, partition) for name in names for partition in range(counts[name])]

    def ends(self, names: Iterable[str]) -> dict[Place, int]:
        """The next offset of each partition."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # it has no types
        wanted = {TopicPartition(*place): latest for place in self.places(names)}
        answers = self._admin.list_offsets(wanted)
        return {
            Place(one.topic, one.partition): future.result(LONG_S).offset for one, future in answers.items()
        }

    def committed(self, group: str, names: Iterable[str]) -> dict[Place, int]:
        """What a consumer group has acknowledged, 0 where nothing."""
        wanted = [TopicPartition(*place) for place in self.places(names)]
        request = ConsumerGroupTopicPartitions(group, wanted)
        answer = self._admin.list_consumer_group_offsets([request])[group].result(LONG_S)
        return {Place(one.topic, one.partition): max(0, one.offset) for one in answer.topic_partitions}

    def read(self, *names: str) -> list[Record]:
        """Everything that stands in these topics now, each partition in order."""
        ends = {place: end for place, end in self.ends(names).items() if end}
        found: dict[Place, list[Record]] = {place: [] for place in ends}
        consumer = Consumer({**self.config(), "group.id": "reads-without-group", "enable.auto.commit": False})
        try:
            consumer.assign([TopicPartition(*place, 0) for place in ends])
            deadline = time.monotonic() + LONG_S
            while any(len(found[place]) < end for place, end in ends.items()):
                assert time.monotonic() < deadline, f"{', '.join(names)} cannot be read to the end"
                for message in consumer.consume(5_000, timeout=0.1):
                    assert message.error() is None, message.error()
                    record = _record(message)
                    found[Place(record.topic, record.partition)].append(record)
        finally:
            consumer.close()
        return [
            record for place, end in sorted(ends.items()) for record in found[place] if record.offset < end
        ]


def _record(message: Any) -> Record:
    kind, stamp = message.timestamp()
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        stamp,
        1 if kind == 2 else 0,
        message.key(),
        message.value(),
        tuple(cast(Any, message.headers()) or ()),
    )
