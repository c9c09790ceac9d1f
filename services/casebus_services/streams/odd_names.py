"""Producing records whose header names are not UTF-8, so that a dead letter repeats them byte for byte.

librdkafka's binding takes such a name neither as text nor as bytes. kafka-python encodes names itself, and
lets a str decide how; it is slower, and used for these records only.
"""

from typing import Any

from kafka import KafkaProducer

from casebus_schemas.errors import RetryLater
from casebus_schemas.records import Outgoing
from casebus_services.streams.connection import ConnectionSettings, credentials


class _Name(str):
    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """The bytes that the surrogate escapes stand for."""
        return super().encode("utf-8", "surrogateescape")


def has_odd_name(record: Outgoing) -> bool:
    """Whether a header's name holds bytes that are not UTF-8 (as surrogate escapes)."""
    return any("\udc80" <= char <= "\udcff" for name, _ in record.headers for char in name)


class OddNamesProducer:
    """A second, idempotent producer."""

    def __init__(self, settings: ConnectionSettings, client_id: str) -> None:
        login = credentials(settings)
        config: dict[str, Any] = {}
        if login is not None:
            config = {
                "security_protocol": "SASL_PLAINTEXT",
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": login[0],
                "sasl_plain_password": login[1],
            }
        self._producer = KafkaProducer(
            bootstrap_servers=settings.bootstrap_servers.split(","),
            client_id=f"{client_id}-odd",
            acks="all",
            enable_idempotence=True,
            max_request_size=2 * 1024 * 1024,
            **config,
        )
        self._futures: list[Any] = []

    def produce(self, record: Outgoing) -> None:
        """Hand over without waiting."""
        headers = [(_Name(name), value) for name, value in record.headers]
        self._futures.append(
            self._producer.send(record.topic, record.value, record.key, headers, record.partition)
        )

    def flush(self, timeout_s: float) -> None:
        """Block until all are acknowledged. Raises RetryLater, and closes itself, if any is not in time."""
        futures, self._futures = self._futures, []
        try:
            for future in futures:
                future.get(timeout=timeout_s)
        except Exception as error:  # whatever its kind, the same outputs are sent again
            self.close()
            raise RetryLater(
                "a record with odd header names was not acknowledged", found=repr(error)
            ) from error

    def close(self) -> None:
        """Drop the connection without waiting for what is in flight."""
        self._producer.close(timeout=1)
