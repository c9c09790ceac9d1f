"""Says single signed events that need no outbox: key life at set-up, and the operator's commands."""

import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from casebus_producers.config import KafkaLogin
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.codec import encode
from casebus_schemas.wire.compose import compose
from casebus_schemas.wire.ids import bus_id, uuid7
from casebus_schemas.wire.signing import SigningKey
from casebus_schemas.wire.stream_head import StreamHead

SEND_TIMEOUT_S = 30.0


class Voice:
    """One principal's own stream of events, a new incarnation at each start. Not thread-safe."""

    def __init__(self, login: KafkaLogin, key: SigningKey, source: str) -> None:
        """`source` is the CloudEvents source (`/bus/operator`); connects when first needed."""
        self._login = login
        self._key = key
        self._source = source
        self._producer_name = f"{login.sasl_username}.{time.time_ns() // 1_000_000}"
        self._heads: dict[str, StreamHead] = {}
        self._client: Any = None

    def say(
        self,
        type: str,
        topic: str,
        facts: dict[str, Any],
        *,
        to: Sequence[str] = (),
        partitions: int = 1,
        key: SigningKey | None = None,
    ) -> int:
        """Publishes one event and returns its offset, once Kafka has acknowledged it.

        The event happens now; its chain is the thread of its topic. Raises RetryLater if the broker does not
        take it in time. `key` signs instead of this voice's own.
        """
        from kafka.errors import KafkaError

        schema = Catalog.load().latest(type)
        now = datetime.now(UTC).replace(microsecond=0)
        composed = compose(
            value=encode(schema, {"envelope": _envelope(to, now), **facts}),
            fingerprint=schema.fingerprint,
            id=new_id(),
            type=type,
            source=self._source,
            time_ms=int(now.timestamp()) * 1000,
            subject=str(thread(topic)),
            topic=topic,
            partitions=partitions,
            producer=self._producer_name,
            head=self._heads.get(topic, StreamHead()),
            key=key or self._key,
        )
        record = composed.record
        try:
            future = self._kafka().send(
                record.topic,
                value=record.value,
                key=record.key,
                headers=[(name, value or b"") for name, value in record.headers],
                partition=record.partition,
            )
            offset = int(future.get(SEND_TIMEOUT_S).offset)
        except KafkaError as error:
            raise RetryLater(
                f"{type} was not taken by {topic}",
                found=type_of(error),
                expected="an acknowledgement",
                remedy="is the broker running, and may this principal write there?",
            ) from error
        self._heads[topic] = composed.head
        return offset

    def close(self) -> None:
        """Closes the client."""
        if self._client is not None:
            self._client.close(5)
            self._client = None

    def _kafka(self) -> Any:
        if self._client is None:
            from kafka import KafkaProducer

            self._client = KafkaProducer(
                **self._login.kafka(), acks="all", enable_idempotence=True, max_block_ms=15_000
            )
        return self._client


def thread(topic: str) -> UUID:
    """Chain id for events of a topic that belong to no case."""
    return bus_id("thread", topic)


def new_id() -> UUID:
    """A fresh event id."""
    return uuid7(time.time_ns() // 1_000_000, secrets.token_bytes(10))


def type_of(error: BaseException) -> str:
    """Name and text of an error, for a message."""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _envelope(to: Sequence[str], now: datetime) -> dict[str, Any]:
    return {
        "message_class": "initial",
        "to": list(to),
        "occurred_at": now,
        "precision": "second",
        "date_basis": "stated",
        "handling": "H1",
    }
