"""One key of one agency or the bus, and whether it signs a record: decided by where the record stands."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple, Protocol

from casebus_schemas.wire.records import Record, TopicPartition

_LOG_APPEND_TIME = 1

Ending = Literal["replaced", "retired", "revoked"]
SIGNS = "event"
"""The role of a key that signs events."""


class Standing(NamedTuple):
    """Where a record of a key topic stands, and Kafka's time of it: milliseconds since 1970 UTC."""

    topic: str
    offset: int
    at_ms: int


class Order(Protocol):
    """What a reader knows of the order in which records of different partitions were appended."""

    def is_after(self, record: Record, end: Standing) -> bool | None:
        """Whether a record was appended after one of a key topic; None where its order is not known."""

    def is_since(self, record: Record, epoch: int) -> bool | None:
        """Whether a record was appended after an epoch was sealed; None where that is not known."""


class Unordered:
    """Of a reader who knows no epochs: within one topic offsets decide, between topics Kafka's time does."""

    def is_after(self, record: Record, end: Standing) -> bool | None:
        """By the offset, if both stand on one topic."""
        return record.offset > end.offset if record.topic == end.topic else None

    def is_since(self, record: Record, epoch: int) -> bool | None:
        """Not known."""
        return None


BY_KAFKA = Unordered()


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key of one agency. Times are milliseconds since 1970 UTC.

    `not_before` and `not_after` (exclusive) are read on the bus's clock; `end` is the record that ended it,
    `ended` how. After `compromised_epoch`, or from `compromised_ms` on Kafka's clock, others may have it.
    """

    agency: str
    key_id: bytes
    public: bytes
    role: str
    not_before_ms: int | None = None
    not_after_ms: int | None = None
    end: Standing | None = None
    ended: Ending | None = None
    readmitted: bool = False
    """Whether the operator announced it, on the bus's topic, for an agency that had no valid key any more."""
    compromised_epoch: int | None = None
    compromised_ms: int | None = None
    cut: tuple[tuple[TopicPartition, int], ...] = ()
    """Where partitions ended when a reader that was there learnt of the end: what lies behind came after."""
    genesis: bytes | None = None
    """SHA-256 of the genesis file that its announcement names: that of the bus's first key counts."""

    @property
    def ended_ms(self) -> int | None:
        """Kafka's time of the record that ended it."""
        return None if self.end is None else self.end.at_ms

    def why_not(self, record: Record, now_ms: int | None, order: Order = BY_KAFKA) -> str | None:
        """Why the key does not sign this record, judged at `now_ms` on the bus's clock; None if it does.

        Where the time of the judgement is not known (None) the key's term is left aside.

        What was appended before a key's end stays valid however late it is judged, so that a slow worker
        and a quick one agree. The order decides; where it is not known, the broker's own time stamp. What
        the signer says of time is never believed.
        """
        if self.role != SIGNS:
            return f"a key with the role {self.role}"
        if now_ms is not None and self.not_before_ms is not None and now_ms < self.not_before_ms:
            return "a key that is not valid yet"
        if now_ms is not None and self.not_after_ms is not None and now_ms >= self.not_after_ms:
            return "a key whose term has ended"
        if self.end is None:
            return None
        after = order.is_after(record, self.end)
        if after is None and self.cut:
            place = TopicPartition(record.topic, record.partition)
            after = any(place == one and record.offset >= at for one, at in self.cut) or None
        if after is None:
            after = not _stamped_before(record, self.end.at_ms)
        return f"a key {self.ended} before" if after else None

    def doubt(self, record: Record, order: Order = BY_KAFKA) -> str | None:
        """Why a record that the key signs is in doubt; None if it is not, or the key does not sign it.

        A doubtful record is shown as such and stays: that the key was stolen does not say who signed.
        """
        if self.compromised_epoch is not None:
            since = order.is_since(record, self.compromised_epoch)
            if since or (since is None and self.compromised_ms is None):  # when in doubt, in doubt
                return f"its key is compromised since epoch {self.compromised_epoch}"
            if since is not None:
                return None
        if self.compromised_ms is None or _stamped_before(record, self.compromised_ms):
            return None
        moment = datetime.fromtimestamp(self.compromised_ms / 1000, UTC).isoformat(timespec="seconds")
        return f"its key is compromised since {moment}"


def _stamped_before(record: Record, time_ms: int) -> bool:
    """Whether the broker itself put an earlier time on the record."""
    return record.timestamp_type == _LOG_APPEND_TIME and record.timestamp_ms < time_ms
