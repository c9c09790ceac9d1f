"""Asks Kafka where partitions end and what stands at an offset of each, outside any group."""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError

from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Record, TopicPartition

from .connection import ConnectionSettings, aiokafka_login
from .fetched_runs import FetchedRuns
from .runs import FetchPace
from .same_log import Held

_TIMEOUT_S = 10.0
_BEHIND_ALL = 2**62
"""An offset at which nothing stands: only the ends are asked for."""


def held(
    settings: ConnectionSettings, client_id: str, at: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Held]:
    """What Kafka holds at these offsets; blocks. Raises RetryLater if Kafka does not answer within 10 s."""
    # In a thread of its own: the caller may be inside an event loop.
    with ThreadPoolExecutor(1, thread_name_prefix=client_id) as thread:
        return thread.submit(asyncio.run, _bounded(settings, client_id, at)).result()


def ends(settings: ConnectionSettings, client_id: str, topic: str, partitions: int) -> dict[int, int]:
    """Where the partitions of a topic end now; blocks. Raises RetryLater as `held` does."""
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    found = held(settings, client_id, dict.fromkeys(places, _BEHIND_ALL))
    return {place.partition: here.end for place, here in found.items()}


async def _bounded(
    settings: ConnectionSettings, client_id: str, at: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Held]:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await _ask(settings, client_id, at)
    except (TimeoutError, KafkaError) as error:
        raise RetryLater(
            "Kafka does not say what it holds",
            found=repr(error),
            expected=f"the ends of {len(at)} partitions",
        ) from error


async def _ask(
    settings: ConnectionSettings, client_id: str, at: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Held]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers.split(","),
        client_id=client_id,
        group_id=None,
        auto_offset_reset="none",
        max_partition_fetch_bytes=64 * 1024,
        **aiokafka_login(settings),
    )
    await consumer.start()
    try:
        places = {KafkaPartition(*place): offset for place, offset in at.items()}
        begins, ends = (
            await consumer.beginning_offsets(list(places)),
            await consumer.end_offsets(list(places)),
        )
        waiting = {place: offset for place, offset in places.items() if begins[place] <= offset < ends[place]}
        consumer.assign(list(waiting))
        for place, offset in waiting.items():
            consumer.seek(place, offset)
        runs = FetchedRuns(consumer, FetchPace((1, 500), (1, 500)))
        found: dict[KafkaPartition, Record] = {}
        until = time.monotonic() + _TIMEOUT_S / 2
        while waiting and time.monotonic() < until:
            for batch in await runs.take(list(waiting), timeout_s=0.5, most=1):
                place = KafkaPartition(batch.topic, batch.partition)
                if batch.records and batch.records[0].offset == waiting.pop(place):
                    found[place] = batch.records[0]
        return {TopicPartition(*place): Held(ends[place], found.get(place)) for place in places}
    finally:
        await consumer.stop()
