"""Plays a flow of signed events into a running bus, and waits until everything has come to rest."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Producer
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from casebus_schemas.catalogue.topology import (
    ADMISSION,
    COMMAND,
    FINDING,
    OBLIGATION,
    agency_topics,
    ledgered_topics,
)
from casebus_schemas.catalogue.topology import topics as all_topics
from casebus_schemas.wire.records import TopicPartition
from support.scenes.fault_stack import FaultStack, client_config
from support.scenes.flow import Flow, Said
from support.scenes.kafka_view import KafkaView

LEDGERED = tuple(spec.name for spec in ledgered_topics())
ROUTED = (*(spec.name for spec in agency_topics()), FINDING, OBLIGATION, COMMAND)
EVERYTHING = tuple(spec.name for spec in all_topics())
SETTLE_S = 240.0
LONGEST_SEND_S = 600.0
_TAIL, _TAIL_PER_S = 1000, 30


@dataclass
class Played:
    """What Kafka acknowledged: each record's place, and when the flow ran."""

    places: list[tuple[Said, TopicPartition, int]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    paced: int = 0
    seconds: float = 0.0


class Player:
    """Produces the records of a flow under the agencies' own logins, each agency in its own order."""

    def __init__(self, stack: FaultStack) -> None:
        self.played = Played()
        self._producers: dict[str, Producer] = {}
        self._stack = stack

    def play(self, flow: Flow, per_s: float, until: Callable[[], bool] = lambda: True) -> Played:
        """At a fixed rate until `until`; the rest as fast as Kafka takes it.

        On a machine so slow that `until` does not hold by then, the last records come slower: whatever is
        still to go wrong must meet work in flight. Returns when Kafka has acknowledged everything; what it
        refuses is in `failed`.
        """
        begun = at = time.monotonic()
        paced, asked = True, begun
        for number, said in enumerate(flow.said):
            if paced:
                tail = len(flow.said) - number < _TAIL
                at += 1 / (min(per_s, _TAIL_PER_S) if tail else per_s)
                wait_s = at - time.monotonic()
                if wait_s > 0:
                    time.sleep(wait_s)
                if time.monotonic() > asked + 0.25:
                    asked = time.monotonic()
                    paced = not until()
                    self.played.paced, self.played.seconds = number + 1, asked - begun
            self._send(said)
        for producer in self._producers.values():
            if (left := producer.flush(LONGEST_SEND_S)) > 0:
                self.played.failed.append(f"{left} records were never acknowledged")
        return self.played

    def _send(self, said: Said) -> None:
        producer, record = self._producer(said.agency), said.record

        def delivered(error: Any, message: Any) -> None:
            if error is not None:
                self.played.failed.append(f"{record.topic}: {error}")
            else:
                place = TopicPartition(message.topic(), message.partition())
                self.played.places.append((said, place, message.offset()))

        while True:
            try:
                producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    record.partition,
                    headers=list(record.headers),
                    on_delivery=delivered,
                )
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)

    def _producer(self, agency: str) -> Producer:
        if agency not in self._producers:
            self._producers[agency] = Producer(
                {
                    **client_config(self._stack, agency),
                    "enable.idempotence": True,
                    "linger.ms": 2,
                    "message.timeout.ms": int(LONGEST_SEND_S * 1000),
                    "reconnect.backoff.max.ms": 1000,
                }
            )
        return self._producers[agency]


class Databases:
    """The ledger's and the accounts' database of a stack, read beside the services."""

    def __init__(self, stack: FaultStack) -> None:
        self._engines = {name: create_engine(stack.database_url(name)) for name in ("ledger", "accounts")}

    def rows(self, name: str, sql: str) -> list[Any]:
        """The rows of a query."""
        connection: Connection
        with self._engines[name].connect() as connection:
            return list(connection.execute(text(sql)))

    def close(self) -> None:
        """Closes the connections."""
        for engine in self._engines.values():
            engine.dispose()


def settle(stack: FaultStack, timeout_s: float = SETTLE_S) -> list[str]:
    """Waits until nothing moves any more; gives what is still open after `timeout_s` (empty: all is done).

    At rest means: the router has acknowledged and the ledger holds everything, the reconciler has read every
    admission, no outbox holds anything, and meanwhile nothing new was written.
    """
    assert stack.broker is not None
    view = KafkaView(stack.broker)
    deadline = time.monotonic() + timeout_s
    with ExitStack() as closing:
        databases = Databases(stack)
        closing.callback(databases.close)
        while True:
            before = view.ends(EVERYTHING)
            waiting = _open(stack, view, databases, before)
            if not waiting and view.ends(EVERYTHING) == before:
                return []
            if time.monotonic() > deadline:
                return waiting or ["topics keep growing"]
            time.sleep(0.3)


def _open(
    stack: FaultStack, view: KafkaView, databases: Databases, ends: dict[TopicPartition, int]
) -> list[str]:
    waiting = []
    routed = view.committed("router", ROUTED)
    waiting += [
        f"router: {place} at {at} of {ends[place]}" for place, at in routed.items() if at < ends[place]
    ]
    try:
        if "ledger" in stack.services:
            ledgered = next_offsets(databases)
            waiting += [
                f"ledger: {place} at {ledgered.get(place, 0)} of {ends[place]}"
                for place in view.places(LEDGERED)
                if ledgered.get(place, 0) < ends[place]
            ]
            waiting += [f"ledger: {left} receipts" for left in open_receipts(databases) if left]
        if "reconciler" in stack.services:
            told = {row[0]: row[1] for row in databases.rows("accounts", _RECONCILED)}
            waiting += [
                f"reconciler: {place} at {told.get(place.partition, 0)} of {ends[place]}"
                for place in view.places([ADMISSION])
                if told.get(place.partition, 0) < ends[place]
            ]
            (unsent,) = databases.rows("accounts", "SELECT count(*) FROM recon_outbox WHERE sent = 0")[0]
            waiting += [f"reconciler: {unsent} in the outbox"] if unsent else []
    except SQLAlchemyError as error:  # the database is away, or its tables are not made yet
        waiting.append(f"database: {type(error).__name__}")
    return waiting


def next_offsets(databases: Databases) -> dict[TopicPartition, int]:
    """Where the ledger goes on in each partition."""
    rows = databases.rows("ledger", _LEDGERED)
    return {TopicPartition(row[0], row[1]): row[2] for row in rows}


def open_receipts(databases: Databases) -> list[int]:
    """How many receipts each log of an agency still lacks."""
    channels = ",".join(f"'{spec.name}'" for spec in agency_topics())
    return [row[0] for row in databases.rows("ledger", _UNRECEIPTED.format(channels))]


_RECONCILED = "SELECT partition, next_offset FROM recon_partition"
_LEDGERED = (
    "SELECT log.topic, log.partition, max(batch.next_offset) FROM log JOIN batch USING (log_id) "
    "GROUP BY log.topic, log.partition"
)
_UNRECEIPTED = (
    "SELECT (SELECT max(end_index) FROM batch WHERE batch.log_id = log.log_id) - coalesce("
    "(SELECT next_index FROM receipt_cursor WHERE receipt_cursor.log_id = log.log_id), 0) "
    "FROM log WHERE topic IN ({}) AND EXISTS (SELECT 1 FROM batch WHERE batch.log_id = log.log_id)"
)
