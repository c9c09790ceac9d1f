"""Producing records with odd header names, so that a dead letter repeats them byte for byte.

Odd are names that are not UTF-8 (held with surrogate escapes) or hold a NUL. confluent-kafka 2.16 crashes the
process on the former and cuts the latter, kafka-python takes no null header values. aiokafka's pure Python
batch builder (private: `_DefaultRecordBatchBuilderPy`, `BatchBuilder._builder`) encodes names with the method
of the str that it is given. Slower, with a connection for each call: for these records only.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Headers, Outgoing

from .connection import ConnectionSettings, aiokafka_login

_BATCH_BYTES = 1024 * 1024


class _Name(str):
    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """The bytes that the surrogate escapes stand for."""
        return super().encode("utf-8", "surrogateescape")


def has_odd_name(headers: Headers) -> bool:
    """Whether a header's name must not be given to confluent-kafka. Any name beyond ASCII is treated so."""
    names = "".join([name for name, _ in headers])
    return not names.isascii() or "\0" in names


def send_odd(
    settings: ConnectionSettings, client_id: str, records: Sequence[Outgoing], timeout_s: float
) -> None:
    """Produce these and block until all are acknowledged. Not in a thread that runs an event loop.

    Raises RetryLater if any was refused or not acknowledged within `timeout_s`.
    """
    try:
        asyncio.run(asyncio.wait_for(_send(settings, client_id, records), timeout_s))
    except (KafkaError, TimeoutError) as error:
        raise RetryLater("a record with odd header names was not acknowledged", found=repr(error)) from error


async def _send(settings: ConnectionSettings, client_id: str, records: Sequence[Outgoing]) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap_servers.split(","),
        client_id=f"{client_id}-odd",
        acks="all",
        max_batch_size=2 * _BATCH_BYTES,
        max_request_size=2 * _BATCH_BYTES,
        **aiokafka_login(settings),
    )
    await producer.start()
    try:
        open_batches: dict[tuple[str, int], Any] = {}
        sent: list[Any] = []
        for record in records:
            place = (record.topic, record.partition)
            batch = open_batches.get(place)
            if batch is not None and _append(batch, record):
                continue
            if batch is not None:
                sent.append(await _send_batch(producer, place, batch))
            batch = open_batches[place] = _new_batch(producer)
            _append(batch, record)  # the first of a batch always fits
        for place, batch in open_batches.items():
            sent.append(await _send_batch(producer, place, batch))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


def _new_batch(producer: AIOKafkaProducer) -> Any:
    batch = producer.create_batch()
    batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, _BATCH_BYTES)
    return batch


def _append(batch: Any, record: Outgoing) -> bool:
    headers = [(_Name(name), value) for name, value in record.headers]
    appended = batch.append(key=record.key, value=record.value, timestamp=None, headers=headers)
    return appended is not None


async def _send_batch(producer: AIOKafkaProducer, place: tuple[str, int], batch: Any) -> Any:
    batch.close()
    return await producer.send_batch(batch, place[0], partition=place[1])
