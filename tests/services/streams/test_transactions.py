"""Transactions on a real broker: what was aborted was never said, and markers hold up nobody."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Producer

from casebus_consumers.auditor.replay import in_time_order
from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_producers.config import KafkaLogin
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.wire.records import Batch
from casebus_services.streams.side_reader import SideReader
from support.reconciler.row_service import RowService, connection, eventually, new_topics

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

COMMITTED = [1, 2, 5, 6]


def spoken_in_transactions(broker: EmbeddedBroker, topic: str) -> None:
    """Committed, aborted, committed; partition 1 holds an aborted transaction alone, all end with markers."""
    producer = Producer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": broker.admin_username,
            "sasl.password": broker.admin_password,
            "transactional.id": f"test-{secrets.token_hex(4)}",
        }
    )
    producer.init_transactions(60)
    end: Callable[..., Any]
    for numbers, partition, end in (
        ([1, 2], 0, producer.commit_transaction),
        ([3, 4], 0, producer.abort_transaction),
        ([5, 6], 0, producer.commit_transaction),
        ([7], 1, producer.abort_transaction),
    ):
        producer.begin_transaction()
        for number in numbers:
            producer.produce(topic, str(number).encode(), partition=partition)
        producer.flush(30)
        end(30)


def test_d4_d5_every_reader_passes_over_what_was_aborted(
    broker: EmbeddedBroker, broker_admin: Any, tmp_path: Any
) -> None:
    """Readers beside the flow, services and replays see what was committed, and reach the ends by markers."""
    (topic,) = new_topics(broker_admin, 1)
    spoken_in_transactions(broker, topic)
    batches: list[Batch] = []
    beside = SideReader(connection(broker), "test-side", [topic], batches.append)
    beside.start()
    beside.catch_up(10.0)
    beside.stop()
    read = [int(record.value or b"") for batch in batches for record in batch.records]
    assert read == COMMITTED

    login = KafkaLogin(
        bootstrap_servers=broker.bootstrap_servers,
        sasl_username=broker.admin_username,
        sasl_password_file=broker.admin_password_file,
    )
    with TopicReader(login, [topic]) as reader:
        ends = reader.ends()
        told = list(in_time_order(reader, reader.first(), ends))
    assert [int(record.value or b"") for record in told] == COMMITTED

    service = RowService(broker, tmp_path, [topic])
    service.start()
    try:
        eventually(lambda: service.reached(len(COMMITTED)))
        spoken = {(place, end) for place, end in ends.items() if end}
        eventually(lambda: spoken <= acknowledged(broker_admin, service.group))
        assert service.values() == COMMITTED
    finally:
        service.stop()


def acknowledged(admin: Any, group: str) -> set[tuple[Any, int]]:
    """What a group has acknowledged, place by place."""
    found = admin.list_group_offsets({group: None})[group]
    return {(place, offset.offset) for place, offset in found.items()}
