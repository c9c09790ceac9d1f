"""Asks Kafka which offset it holds next, to tell its own holes from lost records."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError

from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import TopicPartition
from casebus_services.streams.connection import ConnectionSettings, aiokafka_login
from casebus_services.streams.fetched_runs import FetchedRuns
from casebus_services.streams.runs import FetchPace

_TIMEOUT_S = 15.0


def first_held(settings: ConnectionSettings, partition: TopicPartition, offset: int) -> int | None:
    """The first offset at or after `offset` that Kafka holds, None if it has deleted or not reached `offset`.

    Reads outside any group; blocks. Raises RetryLater if Kafka does not answer within 15 s.
    """
    # In a thread of its own: the caller may be inside an event loop (a rebuild's reader).
    with ThreadPoolExecutor(1, thread_name_prefix="first-held") as thread:
        return thread.submit(asyncio.run, _bounded(settings, partition, offset)).result()


async def _bounded(settings: ConnectionSettings, partition: TopicPartition, offset: int) -> int | None:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await _ask(settings, KafkaPartition(*partition), offset)
    except (TimeoutError, KafkaError) as error:
        raise RetryLater(
            "Kafka does not say what it holds",
            found=repr(error),
            expected=f"a record of {partition.topic}/{partition.partition} at or after offset {offset}",
        ) from error


async def _ask(settings: ConnectionSettings, place: KafkaPartition, offset: int) -> int | None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers.split(","),
        client_id="ledger-holes",
        group_id=None,
        auto_offset_reset="none",
        isolation_level="read_committed",
        **aiokafka_login(settings),
    )
    await consumer.start()
    try:
        low = (await consumer.beginning_offsets([place]))[place]
        high = (await consumer.end_offsets([place]))[place]
        if not low <= offset < high:
            return None
        consumer.assign([place])
        consumer.seek(place, offset)
        runs = FetchedRuns(consumer, FetchPace())
        while True:
            for batch in await runs.take(None, timeout_s=_TIMEOUT_S, most=1):
                if batch.records:
                    held: int = batch.records[0].offset
                    return held
    finally:
        await consumer.stop()
