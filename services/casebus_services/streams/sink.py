"""Where a service's outputs leave: an idempotent producer that returns when everything is acknowledged."""

import logging
import time
from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Outgoing

from .connection import ConnectionSettings, librdkafka
from .odd_names import has_odd_name, send_odd

log = logging.getLogger(__name__)

LARGEST_RECORD_BYTES = (1024 + 64) * 1024 + 4096
"""`max.message.bytes` of the bus's own topics, and the batch header around one record."""


class KafkaSink:
    """Produces records to explicit partitions; not for several threads at once.

    A record may be written twice if an error is answered by sending again: readers drop repeats by their ids.
    After any error the producer is thrown away, because an idempotent one does not always recover.
    """

    def __init__(self, settings: ConnectionSettings, client_id: str, *, timeout_s: float = 60.0) -> None:
        """`timeout_s` bounds one `flush`: longer than a broker takes to restart (20 to 30 s)."""
        self._settings = settings
        self._client_id = client_id
        self._timeout_s = timeout_s
        self._producer: Producer | None = None
        self._odd: list[Outgoing] = []
        self._failure: KafkaError | None = None
        self._trouble: KafkaError | None = None

    def send_all(self, outgoing: Iterable[Outgoing]) -> None:
        """Produce all and block until the broker has acknowledged every one.

        Raises RetryLater if any was refused or `timeout_s` passed; some may have been written nevertheless.
        """
        self.produce(outgoing)
        self.flush()

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        """Hand over to the producer's thread without waiting: for outputs made while others travel.

        Raises RetryLater as `send_all` does.
        """
        producer = self._producer or self._connect()
        deadline = time.monotonic() + self._timeout_s
        for record in outgoing:
            topic, partition, key, value, headers = record
            if has_odd_name(headers):
                self._odd.append(record)
                continue
            while True:
                try:
                    producer.produce(topic, value, key, partition, headers=list(headers))
                    break
                except BufferError:  # its queue is full: let it drain
                    producer.poll(0.05)
                    if time.monotonic() > deadline:
                        self._give_up("the producer's queue stays full")
                except KafkaException as error:
                    self._failure = error.args[0]
                    self._give_up("a record could not be handed over")

    def flush(self) -> None:
        """Block until everything produced so far is acknowledged. Raises RetryLater as `send_all` does."""
        if self._producer is not None:
            remaining = self._producer.flush(self._timeout_s)
            if remaining:
                self._give_up(f"{remaining} records were not acknowledged within {self._timeout_s:g} s")
            if self._failure is not None:
                self._give_up("a record was refused")
        if self._odd:
            odd, self._odd = self._odd, []
            send_odd(self._settings, self._client_id, odd, self._timeout_s)

    def close(self) -> None:
        """Drop the connection; what was not flushed may be lost."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
        self._odd = []

    def _connect(self) -> Producer:
        self._failure = self._trouble = None
        config: dict[str, Any] = {
            **librdkafka(self._settings, self._client_id),
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 1,
            "message.max.bytes": LARGEST_RECORD_BYTES,
            "message.timeout.ms": int(self._timeout_s * 1000),
            "queue.buffering.max.messages": 200_000,
            # Only failures are reported one by one; `flush` says when nothing is outstanding.
            "delivery.report.only.error": True,
            "on_delivery": self._on_failed,
            "error_cb": self._on_trouble,
        }
        self._producer = Producer(config, logger=logging.getLogger("librdkafka"))
        return self._producer

    def _on_failed(self, error: KafkaError | None, _message: object) -> None:
        if error is not None:
            self._failure = self._failure or error

    def _on_trouble(self, error: KafkaError) -> None:
        # Connection troubles are retried for ever; the last one explains a timeout.
        self._trouble = error

    def _give_up(self, message: str) -> None:
        found = self._failure or self._trouble
        self.close()
        raise RetryLater(
            message,
            found=None if found is None else f"{found.name()}: {found.str()}",
            expected=f"acknowledgements from {self._settings.bootstrap_servers}",
            remedy="the same outputs may be sent again",
        )
