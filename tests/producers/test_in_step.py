"""Outbox and Kafka are compared before anything is sent: an older copy of either is noticed, and mended."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from casebus_producers.config import KafkaLogin
from casebus_producers.outbox import in_step
from casebus_producers.outbox.in_step import Lost, OutOfStep, check_in_step, send_again
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import Acknowledged
from casebus_producers.received.arrivals import note_arrivals
from casebus_producers.received.kept_receipts import keep
from casebus_schemas.admission.notice_records import parse_notice
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.records import Record, TopicPartition
from support.cases.members import open_outbox, ready
from support.events import receipts
from support.events.signed_events import AT, Speaker, stored
from support.router.router_writings import notices_of

LOGIN = cast(KafkaLogin, None)
CATALOG = Catalog.load()


class Kafka:
    """Stands for the topics of one agency: what was appended, and where they begin."""

    def __init__(self) -> None:
        self.logs: dict[TopicPartition, list[Record]] = {}
        self.begins: dict[TopicPartition, int] = {}

    def append(self, record: Any) -> int:
        """Takes a record; its offset."""
        log = self.logs.setdefault(TopicPartition(record.topic, record.partition), [])
        log.append(stored(record, len(log)))
        return len(log) - 1

    def take(self, outbox: Outbox) -> None:
        """Takes all that waits, and acknowledges it."""
        for row in outbox.pending(0, 1000, 1 << 30):
            outbox.mark_sent([Acknowledged(row.position, self.append(row.record), 1)])

    def reader(self, _login: KafkaLogin, topics: Sequence[str]) -> "Reader":
        """A reader of some topics."""
        places = [TopicPartition(topic, n) for topic in topics for n in range(4)]
        return Reader(self, places)


class Reader:
    """Reads as TopicReader does."""

    def __init__(self, kafka: Kafka, places: Sequence[TopicPartition]) -> None:
        self._kafka = kafka
        self._at = dict.fromkeys(places, 0)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ends(self) -> dict[TopicPartition, int]:
        """Where the logs end."""
        return {place: len(self._kafka.logs.get(place, ())) for place in self._at}

    def first(self) -> dict[TopicPartition, int]:
        """Where they begin."""
        return {place: self._kafka.begins.get(place, 0) for place in self._at}

    def offsets_at(self, _time_ms: int) -> dict[TopicPartition, int]:
        """All of them are new."""
        return self.first()

    def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Goes on there."""
        self._at.update(offsets)

    def read_to(self, ends: Mapping[TopicPartition, int]) -> Iterator[Record]:
        """Every record before these."""
        for place, end in ends.items():
            start = max(self._at[place], self._kafka.begins.get(place, 0))
            yield from self._kafka.logs.get(place, [])[start:end]


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """Kafka, empty."""
    kafka = Kafka()
    monkeypatch.setattr(in_step, "TopicReader", kafka.reader)
    return kafka


def test_d7_an_outbox_that_goes_on_is_in_step(tmp_path: Path, kafka: Kafka) -> None:
    """New or used, with other hosts beside it, or with a record that came without its acknowledgement."""
    outbox = open_outbox(tmp_path)
    check_in_step(LOGIN, outbox)
    outbox.enqueue([ready(1, chain=1), ready(2, chain=2)])
    check_in_step(LOGIN, outbox)
    kafka.take(outbox)
    kafka.append(Speaker("csrc", producer="csrc-2.7").refer(1).record)
    outbox.enqueue([ready(3, chain=1)])
    (row,) = outbox.pending(0, 10, 1 << 30)
    kafka.append(row.record)
    check_in_step(LOGIN, outbox)


@pytest.mark.parametrize("copied_after", [0, 2])
def test_d7_an_older_outbox_in_place_sends_nothing_until_it_is_renewed(
    tmp_path: Path, kafka: Kafka, copied_after: int
) -> None:
    """Its streams stand further in Kafka: that is said, and what waits goes on under a new incarnation."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(number, chain=1) for number in range(copied_after)])
    producer = outbox.producer
    kafka.take(outbox)
    outbox.close()
    shutil.copy(tmp_path / "outbox.db", tmp_path / "older")
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(number, chain=1) for number in range(copied_after, copied_after + 3)])
    kafka.take(outbox)
    outbox.close()
    (tmp_path / "outbox.db").write_bytes((tmp_path / "older").read_bytes())

    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(99, chain=1)])
    assert outbox.producer == producer
    with pytest.raises(OutOfStep, match=r"older than what it has said.*--renew"):
        check_in_step(LOGIN, outbox)
    assert outbox.renew() != producer
    check_in_step(LOGIN, outbox)
    kafka.take(outbox)
    outbox.enqueue([ready(100, chain=1)])
    check_in_step(LOGIN, outbox)


@pytest.mark.parametrize("grown", [0, 5])
def test_e1_what_kafka_lost_is_said_and_sent_again(tmp_path: Path, kafka: Kafka, grown: int) -> None:
    """An older Kafka, shorter or grown since: the very records that it lacks wait again, and no others."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(number, chain=1) for number in range(2)])
    kafka.take(outbox)
    older = {place: list(log) for place, log in kafka.logs.items()}
    lost = outbox.enqueue([ready(number, chain=1) for number in range(2, 4)])
    kafka.take(outbox)
    kafka.logs = older
    for number in range(grown):
        kafka.append(Speaker("csrc", producer="csrc-2.7").refer(number).record)
        kafka.logs[TopicPartition(lost[0].topic, lost[0].partition)].append(
            stored(Speaker("csrc", producer="csrc-2.7").refer(number), 2 + number)._replace(
                topic=lost[0].topic, partition=lost[0].partition
            )
        )
    outbox.enqueue([ready(9, chain=2)])
    with pytest.raises(OutOfStep, match=r"no longer holds what was sent.*--resend"):
        check_in_step(LOGIN, outbox)
    assert send_again(LOGIN, outbox) == Lost(2, 0, 0)
    waiting = outbox.pending(0, 10, 1 << 30)
    assert [row.position for row in waiting[:2]] == [one.position for one in lost]
    check_in_step(LOGIN, outbox)
    kafka.take(outbox)
    assert send_again(LOGIN, outbox) == Lost(0, 0, 0)
    kafka.begins[TopicPartition(lost[0].topic, lost[0].partition)] = 1
    assert send_again(LOGIN, outbox).events == 0


def test_e1_notices_and_receipts_of_the_lost_log_are_put_aside(tmp_path: Path, kafka: Kafka) -> None:
    """What was heard there stays known, under no number of the log that is; positions go back."""
    outbox = open_outbox(tmp_path, "mps")
    speaker = Speaker("csrc")
    written = [notices_of(speaker, speaker.refer(number))["inbox.mps"] for number in range(2)]
    notices = [parse_notice(stored(record, offset)) for offset, record in enumerate(written)]
    receipt = receipts.admitted(stored(speaker.refer(5)), AT)
    with outbox.transaction() as connection:
        note_arrivals(connection, CATALOG, notices)
        connection.execute("INSERT INTO reading VALUES ('inbox.mps', 2)")
        keep(connection, stored(receipt, 0), decode(CATALOG, receipt.value)[1])
    kafka.append(written[0])
    assert send_again(LOGIN, outbox) == Lost(0, 1, 1)
    with outbox.transaction() as connection:
        seqs = connection.execute("SELECT seq FROM delivery ORDER BY seq DESC").fetchall()
        assert seqs == [(0,), (-2,)]
        assert connection.execute("SELECT seq FROM receipt").fetchall() == [(-1,)]
        assert connection.execute("SELECT * FROM reading").fetchall() == []
        again = parse_notice(stored(written[1], 1))
        assert note_arrivals(connection, CATALOG, [again]) == [False]
