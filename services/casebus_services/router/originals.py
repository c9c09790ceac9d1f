"""Reads one record again at its place, for a re-drive."""

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from casebus_schemas.admission.verdict import Origin
from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Record
from casebus_services.streams.connection import ConnectionSettings, aiokafka_login
from casebus_services.streams.fetched_runs import FetchedRuns
from casebus_services.streams.runs import FetchPace

Originals = Callable[[Origin], Record | None]


def reader_of_originals(settings: ConnectionSettings, client_id: str, timeout_s: float = 15.0) -> Originals:
    """A function that reads the record at an origin, None if there is none. Blocking; one connection a call.

    It raises RetryLater if the broker is away.
    """

    def read(origin: Origin) -> Record | None:
        return asyncio.run(_read(settings, client_id, origin, timeout_s))

    return read


async def _read(
    settings: ConnectionSettings, client_id: str, origin: Origin, timeout_s: float
) -> Record | None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers.split(","),
        client_id=client_id,
        group_id=None,
        enable_auto_commit=False,
        max_partition_fetch_bytes=2 * 1024 * 1024,
        **aiokafka_login(settings),
    )
    place = TopicPartition(origin.topic, origin.partition)
    try:
        async with asyncio.timeout(timeout_s):
            await consumer.start()
            consumer.assign([place])
            first = (await consumer.beginning_offsets([place]))[place]
            end = (await consumer.end_offsets([place]))[place]
            if not first <= origin.offset < end:
                return None
            consumer.seek(place, origin.offset)
            runs = FetchedRuns(consumer, FetchPace())
            while True:
                for batch in await runs.take([place], timeout_s=1.0, most=1):
                    found: Record = batch.records[0]
                    return found if found.offset == origin.offset else None
    except (KafkaError, TimeoutError) as error:
        raise RetryLater("the original of a re-drive cannot be read", found=repr(error)) from error
    finally:
        await consumer.stop()
