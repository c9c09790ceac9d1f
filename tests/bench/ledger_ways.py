"""Reference programs for the ledger: write N records of some topics to PostgreSQL in one of four ways.

`python ledger_ways.py ours|receipts|take|plain BOOTSTRAP USER PASSWORD_FILE DATA_DIR GROUP COUNT URL TOPIC…`
prints records per second and microseconds of processor time for each, from the first commit to the last.
"""

import asyncio
import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from casebus_schemas.admission.receipts import ReceiptWriter
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.evidence.leaf import encode_headers, leaf, leaf_hash
from casebus_schemas.wire.records import Batch, Record
from casebus_schemas.wire.signing import SigningKey
from casebus_services.ledger.agent import LedgerAgent, Load
from casebus_services.ledger.appending import event_id
from casebus_services.ledger.first_held import first_held
from casebus_services.ledger.rebuild import NoReceipts
from casebus_services.ledger.receipt_rows import ReceiptRows
from casebus_services.ledger.receipts import SOURCE, ReceiptPublisher
from casebus_services.ledger.store import LedgerStore
from casebus_services.ledger.wiring import spare_collections
from casebus_services.streams.connection import Connection, aiokafka_login, librdkafka
from casebus_services.streams.sink import KafkaSink
from casebus_services.streams.worker import StreamWorker


class Meter:
    """Measures from the first commit to the last record's."""

    def __init__(self, count: int) -> None:
        self._left = self._count = count
        self._begun: tuple[float, float] | None = None

    def committed(self, records: int) -> bool:
        """Count; at the end print the figures and give True."""
        if self._begun is None:
            # The first transaction is not counted: its records were fetched before the clock began.
            self._begun = time.perf_counter(), time.process_time()
            self._count = self._left = self._left - records
            return False
        self._left -= records
        if self._left > 0:
            return False
        seconds, cpu_s = time.perf_counter() - self._begun[0], time.process_time() - self._begun[1]
        print(json.dumps({"per_s": self._count / seconds, "cpu_us": cpu_s / self._count * 1e6}), flush=True)
        return True


def ours(
    settings: Connection, group: str, topics: list[str], meter: Meter, url: str, *, receipts: bool = False
) -> None:
    """The ledger's agent in the stream worker, with or without the receipts' thread."""
    store, load = LedgerStore(url), Load()
    publisher: Any = NoReceipts()
    if receipts:
        rows, sink = ReceiptRows(store.database), KafkaSink(settings, "receipts")
        writer = ReceiptWriter(Catalog.load(), SOURCE, SigningKey(bytes(32)), "ledger-1.1")
        publisher = ReceiptPublisher(rows, sink, writer, topics, is_busy=load.is_busy)
        publisher.start()
    agent = LedgerAgent(store, publisher, partial(first_held, settings), load)

    def handle(batches: list[Batch]) -> None:
        agent.handle(batches)
        if meter.committed(sum(len(batch.records) for batch in batches)):
            os.kill(os.getpid(), signal.SIGTERM)

    spare_collections()
    StreamWorker(group, settings, topics, handle, next_offsets=agent.next_offsets).run()


def take(settings: Connection, group: str, topics: list[str], meter: Meter, url: str) -> None:
    """Faust as its handbook shows it, an agent over take(1000), into the same store."""
    import faust

    store = LedgerStore(url)
    executor = ThreadPoolExecutor(1)
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
        async for events in stream.take_events(1000, within=0.05):
            runs: dict[tuple[str, int], list[Record]] = {}
            for event in events:
                m = event.message
                headers = tuple(m.headers.items()) if isinstance(m.headers, dict) else tuple(m.headers)
                run = runs.setdefault((m.topic, m.partition), [])
                run.append(
                    Record(
                        m.topic,
                        m.partition,
                        m.offset,
                        int(m.timestamp * 1000),
                        m.timestamp_type,
                        m.key,
                        m.value,
                        headers,
                    )
                )
            batches = [Batch(t, p, run, run[-1].offset + 1) for (t, p), run in runs.items()]
            await asyncio.get_running_loop().run_in_executor(executor, store.append, batches)
            if meter.committed(len(events)):
                os._exit(0)

    app.agent(app.topic(*topics), name="take")(work)
    app.in_worker = True

    async def play() -> None:
        await app.start()
        await asyncio.sleep(600)

    asyncio.run(play())


def plain(settings: Connection, group: str, topics: list[str], meter: Meter, url: str) -> None:
    """What one would write in an afternoon: confluent-kafka, psycopg's executemany, no tree."""
    import psycopg
    from confluent_kafka import Consumer

    consumer = Consumer(
        {
            **librdkafka(settings, group),
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(topics)
    with psycopg.connect(url.replace("postgresql+psycopg:", "postgresql:")) as connection:
        connection.execute(
            "CREATE TABLE plain_entry (topic TEXT, partition INTEGER, koffset BIGINT, event_id BYTEA, "
            "key BYTEA, value BYTEA, headers BYTEA, leaf_hash BYTEA, "
            "PRIMARY KEY (topic, partition, koffset))"
        )
        connection.commit()
        insert = "INSERT INTO plain_entry VALUES (%b,%b,%b,%b,%b,%b,%b,%b) ON CONFLICT DO NOTHING"
        while True:
            rows = []
            fetched: list[Any] = consumer.consume(1000, 0.5)
            for m in fetched:
                headers = tuple(m.headers() or ())
                kind, time_ms = m.timestamp()
                record = Record(
                    m.topic(), m.partition(), m.offset(), time_ms, kind - 1, m.key(), m.value(), headers
                )
                encoded = encode_headers(headers)
                hashed = leaf_hash(leaf(record, encoded))
                place = (record.topic, record.partition, record.offset)
                rows.append((*place, event_id(headers), record.key, record.value, encoded, hashed))
            if rows:
                with connection.cursor() as cursor:
                    cursor.executemany(insert, rows)
                connection.commit()
                consumer.commit(asynchronous=True)
                if meter.committed(len(rows)):
                    os._exit(0)


WAYS: dict[str, Any] = {"ours": ours, "receipts": partial(ours, receipts=True), "take": take, "plain": plain}


def main(arguments: list[str]) -> None:
    """Run one of the four."""
    way, bootstrap, user, password_file, data_dir, group, count, url, *topics = arguments
    settings = Connection(bootstrap, user, Path(password_file), data_dir=Path(data_dir))
    WAYS[way](settings, group, topics, Meter(int(count)), url)


if __name__ == "__main__":
    main(sys.argv[1:])
