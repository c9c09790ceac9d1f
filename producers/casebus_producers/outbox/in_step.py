"""Whether outbox and Kafka belong together: each holds what the other one says was sent."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from casebus_schemas.catalogue.topology import inbox, receipt
from casebus_schemas.errors import BusError, Refused
from casebus_schemas.wire.headers import EventHeaders, digest_of
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_schemas.wire.stream_head import Stream

from ..config import KafkaLogin
from ..received.inbox_reader import notice_of
from ..received.kept_receipts import put_aside
from ..topic_reader import AccessDenied, TopicReader
from .outbox import Outbox

_log = logging.getLogger(__name__)
_STREAMS = """
SELECT producer, topic, "partition" FROM stream
WHERE producer IN (SELECT DISTINCT producer FROM outbox WHERE state = 'pending')
"""
_LAST = """
SELECT seq, digest, "offset" FROM outbox
WHERE producer = ? AND topic = ? AND "partition" = ? AND state = 'sent' AND "offset" IS NOT NULL
ORDER BY seq DESC LIMIT 1
"""
_KNOWN = "SELECT 1 FROM outbox WHERE digest = ? UNION ALL SELECT 1 FROM signed_before WHERE digest = ?"
_SENT = 'SELECT position, topic, "partition", "offset", digest FROM outbox WHERE state = \'sent\''
_NOTED = "SELECT notice, seq FROM delivery WHERE seq >= 0"
_AGAIN = "UPDATE outbox SET state = 'pending', sent_at_ms = NULL, \"offset\" = NULL WHERE position = ?"


class OutOfStep(BusError):
    """The outbox or Kafka was put back from an older copy: nothing is sent until somebody has decided."""


class Lost(NamedTuple):
    """How much Kafka lost of what an agency had: events wait again, notices and receipts are put aside."""

    events: int
    notices: int
    receipts: int


class _Held(NamedTuple):
    first: int
    records: dict[int, Record]


class _Sent(NamedTuple):
    seq: int
    digest: bytes
    offset: int


def check_in_step(login: KafkaLogin, outbox: Outbox) -> None:
    """Compares the heads of the streams with what Kafka holds since, where something waits. Raises OutOfStep.

    Read is what stands in the agency's own topics behind the last record that is known to be sent.
    """
    last = _last_sent(outbox)
    if not last:
        return
    try:
        reader = TopicReader(login, sorted({stream.topic for stream in last}))
    except AccessDenied as error:  # who may only write cannot compare
        _log.warning("the outbox is not compared with Kafka: %s", error)
        return
    with reader:
        ends = reader.ends()
        starts = _starts(reader, last, ends)
        reader.seek(ends | starts)
        at = {(s.topic, s.partition, sent.offset): (s, sent) for s, sent in last.items() if sent is not None}
        for (topic, partition, offset), (_, sent) in at.items():
            if ends[TopicPartition(topic, partition)] <= offset:
                raise _shorter(TopicPartition(topic, partition), sent)
        for record in reader.read_to({place: ends[place] for place in starts}):
            _compare(record, at.get((record.topic, record.partition, record.offset)), last, outbox)


def send_again(login: KafkaLogin, outbox: Outbox) -> Lost:
    """Lets everything wait again that was sent and that Kafka no longer holds, and gives how much that is.

    What Kafka has deleted from the beginning of a topic is not sent again. Positions in inbox and receipts go
    back to what Kafka holds; receipts of the log that is gone stay, under numbers below zero.
    """
    with outbox.reading() as connection:
        sent = connection.execute(_SENT).fetchall()
    events = _lost_of(login, sent) if sent else []
    notices, receipts = (_held(login, topic) for topic in (inbox(outbox.agency), receipt(outbox.agency)))
    with outbox.transaction() as connection:
        for position in events:
            connection.execute(_AGAIN, (position,))
        there = {seq: notice_of(record) for seq, record in notices.records.items()}
        noted = connection.execute(_NOTED).fetchall()
        gone = [(seq,) for notice, seq in noted if seq >= notices.first and there.get(seq) != notice]
        for row in gone:
            connection.execute("UPDATE delivery SET seq = -1 - seq WHERE seq = ?", row)
        connection.execute("DELETE FROM reading")  # what is there is noted again
        return Lost(len(events), len(gone), put_aside(connection, receipts.records, receipts.first))


def _held(login: KafkaLogin, topic: str) -> _Held:
    with TopicReader(login, [topic]) as reader:
        records = {record.offset: record for record in reader.read_to(reader.ends())}
        return _Held(min(reader.first().values()), records)


def _lost_of(login: KafkaLogin, sent: Sequence[Any]) -> list[int]:
    with TopicReader(login, sorted({row[1] for row in sent})) as reader:
        first, ends = reader.first(), reader.ends()
        held = {digest for record in reader.read_to(ends) if (digest := _digest(record)) is not None}
    return [
        row[0]
        for row in sent
        if bytes(row[4]) not in held and (row[3] is None or row[3] >= first[TopicPartition(row[1], row[2])])
    ]


def _last_sent(outbox: Outbox) -> dict[Stream, _Sent | None]:
    """What was sent last of each stream of the producers of which something waits."""
    found: dict[Stream, _Sent | None] = {}
    with outbox.reading() as connection:
        for row in connection.execute(_STREAMS).fetchall():
            last = connection.execute(_LAST, tuple(row)).fetchone()
            found[Stream(*row)] = None if last is None else _Sent(last[0], bytes(last[1]), last[2])
    return found


def _starts(
    reader: TopicReader, last: Mapping[Stream, _Sent | None], ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """From where each partition is read: the last record that was sent, or when its numbering began."""
    starts: dict[TopicPartition, int] = {}
    begun = {stream for stream, sent in last.items() if sent is None}
    since = reader.offsets_at(min(_began_ms(stream.producer) for stream in begun)) if begun else {}
    for stream, sent in last.items():
        place = TopicPartition(stream.topic, stream.partition)
        at = since[place] if sent is None else sent.offset
        starts[place] = min(at, ends[place], starts.get(place, at))
    return starts


def _began_ms(producer: str) -> int:
    """An incarnation is numbered by the time at which it began; a clock may be wrong by an hour."""
    return max(0, int(producer.rpartition(".")[2]) - 3_600_000)


def _compare(
    record: Record,
    expected: tuple[Stream, _Sent] | None,
    streams: Mapping[Stream, _Sent | None],
    outbox: Outbox,
) -> None:
    digest = _digest(record)
    if expected is not None and digest != expected[1].digest:
        raise _shorter(TopicPartition(record.topic, record.partition), expected[1])
    if digest is None:
        return
    headers = EventHeaders.parse(record.headers)
    if Stream(headers.producer, record.topic, record.partition) not in streams:
        return
    with outbox.reading() as connection:
        if connection.execute(_KNOWN, (digest, digest)).fetchone() is not None:
            return
    raise OutOfStep(
        "the outbox is older than what it has said: an older copy was put back in its place",
        found=f"number {headers.seq} of {headers.producer} in Kafka, which it does not know",
        expected="nothing of its streams but what it holds",
        remedy="`casebus outbox --renew` numbers what waits anew; what was said since the copy is in "
        "Kafka, and said again it is no second event",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )


def _shorter(place: TopicPartition, sent: _Sent) -> OutOfStep:
    return OutOfStep(
        "Kafka no longer holds what was sent: an older copy of it was put back",
        found=f"nothing or another record at offset {sent.offset}",
        expected=f"number {sent.seq} of the outbox, which Kafka had acknowledged there",
        remedy="once the operator says that it stays so, `casebus outbox --resend` sends all of it again",
        topic=place.topic,
        partition=place.partition,
        offset=sent.offset,
    )


def _digest(record: Record) -> bytes | None:
    try:
        return digest_of(record)
    except Refused:
        return None
