"""Kafka records as every shelf sees them: plain values without a client library."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

Headers = tuple[tuple[str, bytes | None], ...]


class TopicPartition(NamedTuple):
    """A topic and one of its partitions."""

    topic: str
    partition: int


class Record(NamedTuple):
    """One record as it stands in Kafka.

    `timestamp_ms` is milliseconds since 1970 UTC, `timestamp_type` 0 (CreateTime) or 1
    (LogAppendTime). `headers` keep order and repetition. A header name that is not UTF-8 is
    held with surrogate escapes, so that its bytes can be restored.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    def header(self, name: str) -> bytes | None:
        """Value of the first header of this name, None where absent or null."""
        for header_name, value in self.headers:
            if header_name == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Batch:
    """A run of records of one partition in offset order, and the offset after them.

    It may hold none: a position moves over markers of transactions and what was aborted. `begin` is where its
    reading began, if known: from there to the first record Kafka holds none.
    """

    topic: str
    partition: int
    records: Sequence[Record]
    next_offset: int
    begin: int | None = None


class Outgoing(NamedTuple):
    """A record to be produced to an explicit partition."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers
