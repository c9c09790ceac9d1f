"""Reads whole topics with kafka-python, without a group: bounded, not silent about what it may not see.

Written for kafka-python 3.0.12. One private name of it is used: `KafkaConsumer._fetcher`, whose
`_next_partition_records` stays an exhausted object, where only None lets the records of a resumed partition
out again: without help a partition that was paused may never be read on.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer
from kafka import TopicPartition as KafkaPartition
from kafka.errors import AuthorizationError, KafkaError

from casebus_schemas.errors import BusError, RetryLater
from casebus_schemas.wire.records import Record, TopicPartition

from .config import KafkaLogin
from .connecting import at_most, connected, overheard, reason
from .odd_names import tolerate_odd_names

ANSWER_TIMEOUT_S = 15.0
"""How long a broker may be silent while there is something to read."""


class AccessDenied(BusError):
    """The broker does not let this principal do that, or there is no such thing."""


class TopicReader:
    """Reads all partitions of topics from given offsets; keeps no position in Kafka. Used by one thread.

    Order is that of each partition. Raises AccessDenied if a topic cannot be seen (Kafka itself would read
    nothing without a word) and RetryLater if the broker is away or refuses the login.
    """

    def __init__(
        self, login: KafkaLogin, topics: Sequence[str], start: Mapping[TopicPartition, int] | None = None
    ):
        self._login = login
        self._topics = topics
        tolerate_odd_names()
        with _heard(login, ""):
            self._consumer: Any = connected(
                KafkaConsumer,
                **login.kafka(),
                client_id=f"{login.sasl_username}-reader",
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                isolation_level="read_committed",
                request_timeout_ms=10_000,
                metrics_enabled=False,
            )
        self._name = str(self._consumer.config["client_id"])
        with _heard(login, self._name):
            try:
                parts = [part for topic in topics for part in self._partitions(topic)]
                self._consumer.assign(parts)
                for part in parts:
                    at = (start or {}).get(TopicPartition(*part))
                    if at is None:
                        self._consumer.seek_to_beginning(part)
                    else:
                        self._consumer.seek(part, at)
            except BaseException:
                self.close()
                raise
        self._parts = parts

    def close(self) -> None:
        """Leaves the broker."""
        self._consumer.close(autocommit=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ends(self) -> dict[TopicPartition, int]:
        """The offset after the last record of each partition, as the broker says now."""
        with _heard(self._login, self._name):
            found = self._consumer.end_offsets(self._parts, timeout_ms=_answer_ms())
        return {TopicPartition(*part): end for part, end in found.items()}

    def first(self) -> dict[TopicPartition, int]:
        """The offset of the oldest record of each partition that Kafka still holds."""
        with _heard(self._login, self._name):
            found = self._consumer.beginning_offsets(self._parts, timeout_ms=_answer_ms())
        return {TopicPartition(*part): at for part, at in found.items()}

    def offsets_at(self, time_ms: int) -> dict[TopicPartition, int]:
        """First offset of each partition not older than a time (ms since 1970 UTC), else its end."""
        with _heard(self._login, self._name):
            found = self._consumer.offsets_for_times(dict.fromkeys(self._parts, time_ms))
        ends = self.ends()
        return {
            TopicPartition(*part): ends[TopicPartition(*part)] if at is None else at.offset
            for part, at in found.items()
        }

    def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Goes on reading at these offsets."""
        for part, offset in offsets.items():
            self._consumer.seek(KafkaPartition(*part), offset)

    def pause(self, places: Iterable[TopicPartition]) -> None:
        """Reads these partitions no further until `resume`."""
        self._consumer.pause(*(KafkaPartition(*place) for place in places))

    def resume(self, places: Iterable[TopicPartition]) -> None:
        """Reads these partitions on."""
        self._consumer.resume(*(KafkaPartition(*place) for place in places))

    def poll(self, timeout_s: float) -> list[Record]:
        """What has come, waiting at most `timeout_s` for the first."""
        fetcher = self._consumer._fetcher
        if not fetcher._next_partition_records:
            fetcher._next_partition_records = None
        with _heard(self._login, self._name):
            found = self._consumer.poll(timeout_ms=int(timeout_s * 1000))
        return [_record(each) for batch in found.values() for each in batch]

    def read_to(self, ends: Mapping[TopicPartition, int]) -> Iterator[Record]:
        """Every record before these offsets. Raises RetryLater if the broker falls silent on the way."""
        for records, _ in self.runs_to(ends):
            yield from records

    def runs_to(
        self, ends: Mapping[TopicPartition, int]
    ) -> Iterator[tuple[list[Record], list[TopicPartition]]]:
        """The same in runs, each with the partitions that have reached their ends before it.

        A partition may reach its end without a record: markers of transactions, and what was aborted, move
        the position alone.
        """
        waiting = {KafkaPartition(*part): end for part, end in ends.items()}
        heard_at = time.monotonic()
        before = -1
        held: list[KafkaPartition] = []
        try:
            while True:
                with _heard(self._login, self._name):
                    at = {part: self._consumer.position(part) for part in waiting}
                done = [TopicPartition(*part) for part, end in waiting.items() if at[part] >= end]
                waiting = {part: end for part, end in waiting.items() if at[part] < end}
                if not waiting:
                    yield [], done
                    return
                records = self.poll(at_most(0.5))
                moved, before = sum(at.values()) != before, sum(at.values())
                if records or moved:
                    heard_at = time.monotonic()
                elif (silent_s := time.monotonic() - heard_at) >= at_most(ANSWER_TIMEOUT_S):
                    raise RetryLater(
                        "the broker has stopped answering",
                        found=f"nothing for {silent_s:.0f} s",
                        expected=", ".join(
                            f"{part.topic}/{part.partition} up to {end}" for part, end in waiting.items()
                        ),
                        remedy="see whether it runs, then call again",
                    )
                beyond = {
                    place
                    for record in records
                    if record.offset >= ends[place := TopicPartition(record.topic, record.partition)]
                }
                for place in beyond:  # what has come since is for who reads on from here
                    self._consumer.seek(KafkaPartition(*place), ends[place])
                    held.append(KafkaPartition(*place))
                    self._consumer.pause(held[-1])
                yield (
                    [one for one in records if one.offset < ends[TopicPartition(one.topic, one.partition)]],
                    done,
                )
        finally:
            self._consumer.resume(*held)

    def _partitions(self, topic: str) -> list[Any]:
        numbers = self._consumer.partitions_for_topic(topic)
        if not numbers:
            raise AccessDenied(
                f"{self._login.sasl_username} cannot read {topic}",
                found="no such topic, or no right to read it",
                expected="one of the topics of " + self._login.sasl_username,
                remedy="use the right --agency; `casebus topics plan` (operator) shows the rules",
            )
        return [KafkaPartition(topic, number) for number in sorted(numbers)]


def _answer_ms() -> int:
    return max(1, int(at_most(ANSWER_TIMEOUT_S) * 1000))


def _record(found: Any) -> Record:
    return Record(
        found.topic,
        found.partition,
        found.offset,
        found.timestamp,
        found.timestamp_type,
        found.key,
        found.value,
        tuple(found.headers),
    )


@contextmanager
def _heard(login: KafkaLogin, client_id: str) -> Iterator[None]:
    """Turns kafka-python's errors into ours, with the reason that it only writes into its log."""
    with overheard(client_id) as words:
        try:
            yield
        except AuthorizationError as error:
            raise AccessDenied(f"{login.sasl_username} may not do that", found=str(error)) from error
        except KafkaError as error:
            raise RetryLater(
                f"Kafka at {login.bootstrap_servers} does not serve {login.sasl_username}",
                found=reason(words, error),
                expected="a running broker that knows this login",
                remedy="see whether it runs (`casebus doctor`) and whether the password file is right",
            ) from error
