"""Produces records as somebody's login does, and says what the broker answers."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Producer

from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.records import Outgoing


def produce(login: Mapping[str, Any], *outgoing: Outgoing | Composed) -> list[str]:
    """Produces under librdkafka's settings of a login; gives each record's error (empty: taken) in order."""
    settings = {**login, "enable.idempotence": True, "message.timeout.ms": 20_000, "log_level": 0}
    producer = Producer(settings)
    errors = [""] * len(outgoing)
    for number, one in enumerate(outgoing):
        record = one.record if isinstance(one, Composed) else one

        def delivered(error: Any, _message: object, number: int = number) -> None:
            errors[number] = error.name() if error is not None else ""

        producer.produce(
            record.topic,
            record.value,
            record.key,
            record.partition,
            headers=list(record.headers),
            on_delivery=delivered,
        )
    assert producer.flush(30) == 0
    return errors
