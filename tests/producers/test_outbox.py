"""The outbox signs gap-free streams, repeats nothing and never re-uses a stream after a restore."""

import shutil
import threading
from pathlib import Path

import pytest

from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import Acknowledged
from casebus_producers.outbox.relay_lock import take_relay_lock
from casebus_producers.received.kept_receipts import keep
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.codec import MAX_VALUE_BYTES, decode
from casebus_schemas.wire.headers import EventHeaders, digest_of, fields_of
from casebus_schemas.wire.partitioning import partition_of
from casebus_schemas.wire.records import Outgoing, Record
from casebus_schemas.wire.signing import ZERO_DIGEST, event_digest, event_message, parse_block, verify
from support.cases.members import open_outbox, ready, signing_key
from support.events import receipts
from support.events.signed_events import AT, stored

ALL = (0, 1_000_000, 1 << 30)


def streams(outbox: Outbox) -> dict[tuple[str, str, int], list[EventHeaders]]:
    """Headers of all waiting rows by stream, in order."""
    found: dict[tuple[str, str, int], list[EventHeaders]] = {}
    for row in outbox.pending(*ALL):
        headers = EventHeaders.parse(row.record.headers)
        found.setdefault((headers.producer, row.record.topic, row.record.partition), []).append(headers)
    return found


def test_each_stream_is_numbered_without_gaps_and_chained(tmp_path: Path) -> None:
    """Numbers run from 1 without gaps and every event names the digest of the one before it."""
    outbox = open_outbox(tmp_path)
    for number in range(40):
        outbox.enqueue([ready(number, channel="clue" if number % 3 else "referral")])
    for (_, topic, partition), events in streams(outbox).items():
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        rows = [r for r in outbox.pending(*ALL) if (r.record.topic, r.record.partition) == (topic, partition)]
        digests = [
            event_digest(event.signed_fields(topic, partition, row.record.value))
            for event, row in zip(events, rows, strict=True)
        ]
        assert [event.prev for event in events] == [ZERO_DIGEST, *digests[:-1]]


def test_rows_are_signed_for_the_place_of_their_key(tmp_path: Path) -> None:
    """A row goes to the partition of its chain id and its signature verifies there."""
    outbox = open_outbox(tmp_path)
    queued = outbox.enqueue([ready(number) for number in range(8)])
    for row, one in zip(outbox.pending(*ALL), queued, strict=True):
        assert row.record.key == one.chain.encode()
        assert row.record.partition == partition_of(one.chain.encode(), 4)
        headers = EventHeaders.parse(row.record.headers)
        fields = headers.signed_fields(row.record.topic, row.record.partition, row.record.value)
        assert event_digest(fields) == one.digest
        assert verify(parse_block(headers.sig), event_message(fields), signing_key().public)


def test_the_same_event_again_is_not_signed_again(tmp_path: Path) -> None:
    """Queuing the same id and content again gives the first row, marked repeated."""
    outbox = open_outbox(tmp_path)
    [first] = outbox.enqueue([ready(1)])
    [second] = outbox.enqueue([ready(1)])
    assert (second.position, second.digest, second.repeated) == (first.position, first.digest, True)
    assert len(outbox.pending(*ALL)) == 1


def test_an_id_with_other_content_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    """The same id with other content raises, and nothing of that call is kept."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(1)])
    with pytest.raises(UsageError, match="used for something else"):
        outbox.enqueue([ready(2), ready(1, body=b"other")])
    assert len(outbox.pending(*ALL)) == 1
    [event] = outbox.enqueue([ready(3, chain=1)])
    assert streams(outbox)[(outbox.producer, event.topic, event.partition)][-1].seq == 2


def test_a_value_larger_than_a_channel_takes_is_refused(tmp_path: Path) -> None:
    """An event that Kafka would refuse never enters a stream."""
    outbox = open_outbox(tmp_path)
    with pytest.raises(UsageError, match="too large"):
        outbox.enqueue([ready(1, body=bytes(MAX_VALUE_BYTES))])
    assert outbox.status().pending == 0


def test_a_reopened_outbox_continues_its_streams(tmp_path: Path) -> None:
    """Closing and opening the same file keeps incarnation and numbers."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(1)])
    producer = outbox.producer
    outbox.close()
    again = open_outbox(tmp_path)
    again.enqueue([ready(2, chain=1)])
    assert again.producer == producer
    assert [[event.seq for event in events] for events in streams(again).values()] == [[1, 2]]


def test_a_restored_copy_begins_a_new_incarnation(tmp_path: Path) -> None:
    """A file that was put back from a copy never continues the old streams' numbers."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(1)])
    producer = outbox.producer
    outbox.close()
    backup = tmp_path / "backup.db"
    shutil.copy(tmp_path / "outbox.db", backup)
    backup.replace(tmp_path / "outbox.db")
    restored = open_outbox(tmp_path)
    assert restored.producer != producer
    assert int(restored.producer.rpartition(".")[2]) > int(producer.rpartition(".")[2])
    restored.enqueue([ready(2, chain=1)])
    assert sorted(len(events) for events in streams(restored).values()) == [1, 1]


def test_renewing_begins_a_new_incarnation(tmp_path: Path) -> None:
    """An operator can begin a new incarnation after restoring in place."""
    outbox = open_outbox(tmp_path)
    before = outbox.producer
    assert outbox.renew() == outbox.producer != before


def test_concurrent_writers_leave_no_gap(tmp_path: Path) -> None:
    """Several writers on one file together sign gap-free streams."""
    outboxes = [open_outbox(tmp_path) for _ in range(3)]

    def write(outbox: Outbox, start: int) -> None:
        for number in range(start, start + 30):
            outbox.enqueue([ready(number, chain=number % 2)])

    threads = [threading.Thread(target=write, args=(box, at * 1000)) for at, box in enumerate(outboxes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [sorted(event.seq for event in events) for events in streams(outboxes[0]).values()]
    assert sum(len(each) for each in numbers) == 90
    assert all(each == list(range(1, len(each) + 1)) for each in numbers)


def test_sent_rows_wait_no_more(tmp_path: Path) -> None:
    """A row that Kafka acknowledged leaves the waiting ones and keeps its offset."""
    outbox = open_outbox(tmp_path)
    first, second = outbox.enqueue([ready(1), ready(2)])
    outbox.mark_sent([Acknowledged(first.position, 41, 1_700_000_000_123)])
    assert [row.position for row in outbox.pending(*ALL)] == [second.position]
    [row] = outbox.rows([first.position])
    assert (row.offset, row.sent, row.sent_at_ms) == (41, True, 1_700_000_000_123)
    assert (outbox.status().pending, outbox.status().sent) == (1, 1)


def test_reading_what_waits_is_bounded_in_bytes(tmp_path: Path) -> None:
    """No more than the asked bytes are loaded, but always one row where there is one."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(number, body=bytes(10_000)) for number in range(5)])
    assert len(outbox.pending(0, 100, 25_000)) == 2
    assert len(outbox.pending(0, 100, 1)) == 1


def test_commits_reach_the_disk(tmp_path: Path) -> None:
    """The file is in WAL mode and every commit is synced."""
    outbox = open_outbox(tmp_path)
    with outbox.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """A damaged file gives an error that names it."""
    (tmp_path / "outbox.db").write_bytes(b"this is not SQLite" * 100)
    with pytest.raises(UsageError, match=r"outbox\.db is not a database"):
        open_outbox(tmp_path)


def test_d7_what_waits_is_signed_anew_under_a_new_incarnation(tmp_path: Path) -> None:
    """`--renew` gives what was not sent new numbers in the same order; what was sent keeps its own."""
    outbox = open_outbox(tmp_path)
    queued = outbox.enqueue([ready(number, chain=1) for number in range(3)])
    outbox.mark_sent([Acknowledged(queued[0].position, 0, 1)])
    before = outbox.producer
    after = outbox.renew()
    assert after != before
    ((place, events),) = streams(outbox).items()
    assert place[0] == after
    assert [(event.seq, event.id) for event in events] == [(1, queued[1].id), (2, queued[2].id)]
    rows = outbox.pending(*ALL)
    digests = [digest_of(row.record) for row in rows]
    assert [event.prev for event in events] == [ZERO_DIGEST, digests[0]]
    assert [row.digest for row in outbox.rows(one.position for one in queued)] == [queued[0].digest, *digests]
    assert all(
        verify(parse_block(event.sig), event_message(fields_of(row.record)), signing_key().public)
        for event, row in zip(events, rows, strict=True)
    )
    [fourth] = outbox.enqueue([ready(3, chain=1)])
    assert streams(outbox)[place][-1].seq == 3
    assert fourth.digest != queued[2].digest


def test_d7_nothing_is_signed_anew_while_another_program_sends_it(tmp_path: Path) -> None:
    """Who relays the outbox would note the old bytes under the new numbers."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(1)])
    lock = take_relay_lock(outbox.file)
    assert lock is not None
    with lock, pytest.raises(UsageError, match="another program"):
        outbox.renew()
    outbox.renew()


def _stands(outbox: Outbox, offset: int) -> Record:
    """The one event that waits, as it will stand in Kafka."""
    (row,) = outbox.pending(*ALL)
    return stored(row.record, offset)


def _kept(outbox: Outbox, receipt: Outgoing, seq: int) -> Sentence | None:
    _, data = decode(Catalog.load(), receipt.value)
    with outbox.transaction() as connection:
        return keep(connection, stored(receipt, seq), data)


def test_e8_a_refused_event_is_said_again_under_its_id(tmp_path: Path) -> None:
    """The same file again after a refusal: signed and sent anew, once; after an admission it is a repeat."""
    outbox = open_outbox(tmp_path)
    [first] = outbox.enqueue([ready(1)])
    [waits] = outbox.enqueue([ready(1)])
    assert waits.digest == first.digest
    refused = receipts.refused(_stands(outbox, 41), AT, "unknown-key", "no key")
    outbox.mark_sent([Acknowledged(first.position, 41, 1)])
    assert _kept(outbox, refused, 5) is None
    [again] = outbox.enqueue([ready(1)], receipts_from=6)
    assert (again.repeated, again.sent, again.receipts_from) == (True, False, 6)
    assert again.digest != first.digest
    [headers] = streams(outbox)[outbox.producer, again.topic, again.partition]
    assert (headers.seq, headers.prev, headers.id) == (2, first.digest, first.id)
    [still] = outbox.enqueue([ready(1)])
    assert still.digest == again.digest
    admitted = receipts.admitted(_stands(outbox, 43), AT, "mps")
    outbox.mark_sent([Acknowledged(first.position, 43, 2)])
    assert [_kept(outbox, refused, 5), _kept(outbox, admitted, 7)] == [None, None]
    [repeat] = outbox.enqueue([ready(1)])
    assert (repeat.digest, repeat.sent, repeat.repeated) == (again.digest, True, True)
