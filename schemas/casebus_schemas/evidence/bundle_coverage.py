"""Whether a bundle leaves out nothing that the bus said of its chain: its verdicts, findings and duties.

The router writes the verdict on a record to the partition of `bus.admission` that has the number of the
record's own, and the reconciler what it says of that partition's cases to the same number. So it is enough to
look through those logs, leaf by leaf, from before the first event that is shown: a leaf names the digest of
its key, and none of the chain may stay closed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .bundle_file import BundledLog
from .epoch import LogHead
from .leaf import LeafFields, parse_leaf

ADMISSION_TOPIC = "bus.admission"
COVERED_TOPICS = (ADMISSION_TOPIC, "bus.finding", "bus.obligation")
"""Topics on which the bus speaks of cases, each with the partitions of what it speaks of."""
CLOCKS_MS = 60_000
"""By so much brokers' clocks may differ: the look begins so much before the first event."""
LOG_APPEND_TIME = 1


class Coverage(NamedTuple):
    """What a bundle shows of a topic of the bus.

    It is whole if `problem` is None: nothing of the chain is left out from `since_ms` on, from the very start
    where that is None. `looked_at` counts leaves.
    """

    topic: str
    problem: str | None
    since_ms: int | None = None
    looked_at: int = 0


def coverage(
    heads: Mapping[str, LogHead], logs: Mapping[str, BundledLog], first_ms: Mapping[int, int]
) -> list[Coverage]:
    """How each of the topics is covered, for logs whose leaves hold.

    `first_ms` is what `first_times` gives of the chain's entries in the bundle.
    """
    return [_of(topic, heads, logs, first_ms) for topic in COVERED_TOPICS]


def _of(
    topic: str, heads: Mapping[str, LogHead], logs: Mapping[str, BundledLog], first_ms: Mapping[int, int]
) -> Coverage:
    since: list[int] = []
    looked_at = 0
    for partition, earliest_ms in first_ms.items():
        for name, head in heads.items():
            if not name.startswith(f"{topic}/{partition}/"):
                continue
            log = logs.get(name)
            begin = None if log is None else reaching_end(log.ranges, head.size)
            if log is None or begin is None:
                return Coverage(topic, f"of {name} only what is of this chain is shown")
            looked_at += head.size - begin
            if begin == 0:
                continue
            begun = parse_leaf(log.leaves[len(log.leaves) - (head.size - begin)])
            if not _before(begun, earliest_ms):
                return Coverage(topic, f"{name} is shown from index {begin} on, not from before the events")
            since.append(begun.timestamp_ms)
    return Coverage(topic, None, max(since, default=None), looked_at)


def reaching_end(ranges: Sequence[tuple[int, int]], size: int) -> int | None:
    """Where the range begins that ends with the log; None if there is none."""
    if not ranges or ranges[-1][1] != size:
        return None
    return ranges[-1][0]


def _before(leaf: LeafFields, earliest_ms: int) -> bool:
    return leaf.timestamp_type == LOG_APPEND_TIME and leaf.timestamp_ms <= earliest_ms - CLOCKS_MS


def first_times(leaves: Iterable[LeafFields]) -> dict[int, int]:
    """Kafka's earliest time of what was said of a chain, by partition; milliseconds since 1970."""
    found: dict[int, int] = {}
    for leaf in leaves:
        if leaf.topic in COVERED_TOPICS or not leaf.topic.startswith("bus."):
            found[leaf.partition] = min(leaf.timestamp_ms, found.get(leaf.partition, leaf.timestamp_ms))
    return found
