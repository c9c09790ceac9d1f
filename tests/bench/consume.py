"""Reference programs for the chunk driver: read N records to nowhere in one of three ways, print the speed.

`python consume.py chunk|take|raw BOOTSTRAP USER PASSWORD_FILE DATA_DIR GROUP COUNT TOPIC…`
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from casebus_schemas.wire.records import Batch
from casebus_services.streams.connection import Connection, aiokafka_login
from casebus_services.streams.worker import StreamWorker


class Meter:
    """Measures from the first batch to the last record."""

    def __init__(self, count: int) -> None:
        self._left = self._count = count
        self._begun: tuple[float, float] | None = None

    def handled(self, records: int) -> bool:
        """Count; at the end print the figures and give True."""
        if self._begun is None:
            # The first batch is not counted: it was fetched before the clock began.
            self._begun = time.perf_counter(), time.process_time()
            self._count = self._left = self._left - records
            return False
        self._left -= records
        if self._left > 0:
            return False
        seconds, cpu_s = time.perf_counter() - self._begun[0], time.process_time() - self._begun[1]
        print(json.dumps({"per_s": self._count / seconds, "cpu_us": cpu_s / self._count * 1e6}), flush=True)
        return True


def chunk(settings: Connection, group: str, topics: list[str], meter: Meter) -> None:
    """Our worker."""

    def handle(batches: list[Batch]) -> None:
        if meter.handled(sum(len(batch.records) for batch in batches)):
            os.kill(os.getpid(), signal.SIGTERM)

    StreamWorker(group, settings, topics, handle).run()


def take(settings: Connection, group: str, topics: list[str], meter: Meter) -> None:
    """Faust as its handbook shows it: an agent over `stream.take(1000)`."""
    import faust

    login = aiokafka_login(settings)
    app = faust.App(
        group,
        broker=f"kafka://{settings.bootstrap_servers}",
        broker_credentials=faust.SASLCredentials(
            username=login["sasl_plain_username"],
            password=login["sasl_plain_password"],
            mechanism="SCRAM-SHA-512",
        ),
        broker_max_poll_records=2000,
        stream_buffer_maxsize=16384,
        topic_allow_declare=False,
        topic_disable_leader=True,
        value_serializer="raw",
        key_serializer="raw",
        datadir=str(settings.data_dir / group),
        web_enabled=False,
    )

    async def work(stream: Any) -> None:
        async for values in stream.take(1000, within=0.05):
            if meter.handled(len(values)):
                os._exit(0)

    app.agent(app.topic(*topics), name="take")(work)
    app.in_worker = True

    async def play() -> None:
        await app.start()
        await asyncio.sleep(600)

    asyncio.run(play())


def raw(settings: Connection, group: str, topics: list[str], meter: Meter) -> None:
    """A plain aiokafka loop that commits every batch."""
    from aiokafka import AIOKafkaConsumer

    async def play() -> None:
        consumer = AIOKafkaConsumer(
            *topics,
            bootstrap_servers=settings.bootstrap_servers,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=2000,
            **aiokafka_login(settings),
        )
        await consumer.start()
        committed = time.monotonic()
        while True:
            fetched = await consumer.getmany(timeout_ms=1000)
            if meter.handled(sum(len(records) for records in fetched.values())):
                os._exit(0)
            if time.monotonic() - committed > 1.0:
                await consumer.commit()
                committed = time.monotonic()

    asyncio.run(play())


def main(arguments: list[str]) -> None:
    """Run one of the three."""
    way, bootstrap, user, password_file, data_dir, group, count, *topics = arguments
    settings = Connection(bootstrap, user, Path(password_file), data_dir=Path(data_dir))
    {"chunk": chunk, "take": take, "raw": raw}[way](settings, group, topics, Meter(int(count)))


if __name__ == "__main__":
    main(sys.argv[1:])
