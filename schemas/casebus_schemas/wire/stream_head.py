"""Where a stream of signed records stands: its last number and that record's digest."""

from typing import NamedTuple

from .signing import ZERO_DIGEST


class Stream(NamedTuple):
    """A producer's gap-free row of signed records on one partition of one topic."""

    producer: str
    topic: str
    partition: int


class StreamHead(NamedTuple):
    """Number and digest of a stream's last record; before its first one 0 and zeros."""

    seq: int = 0
    digest: bytes = ZERO_DIGEST
