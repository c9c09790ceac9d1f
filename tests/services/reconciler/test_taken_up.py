"""What the bus has said is taken up from Kafka: a lost or an older accounts database says nothing twice."""

from itertools import groupby

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Batch, Outgoing, TopicPartition
from casebus_schemas.wire.signing import SigningKey
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.last_read import last_read
from casebus_services.reconciler.taken_up import TakenUp
from support.events.admissions import KnownKeys, MemorySink, batch_of
from support.events.signed_events import Speaker, keyring_of, seed_of, stored
from support.reconciler.desk import Desk

BUS = Speaker("bus", key=SigningKey(seed_of("bus")))


def _in_kafka(sent: list[Outgoing]) -> list[Batch]:
    """What was sent, as its topics hold it."""
    placed = sorted(sent, key=lambda record: (record.topic, record.partition))
    groups = groupby(placed, key=lambda record: (record.topic, record.partition))
    return [batch_of(stored(record, offset) for offset, record in enumerate(of)) for _, of in groups]


def _take_up(database: Database, sent: list[Outgoing], keyring: Keyring | None = None) -> list[str]:
    taken_up = TakenUp(database, KnownKeys(keyring or keyring_of(BUS)), incarnation=9)
    for batch in _in_kafka(sent):
        taken_up.take(batch)
    return taken_up.finish()


def test_d1_a_lost_database_says_nothing_twice(database: Database, other: Database) -> None:
    """Rebuilt from the admissions it is equal, and what Kafka holds of its words is not said again."""
    desk = Desk(database)
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    assert len(desk.sink.sent) == 3
    assert _take_up(other, desk.sink.sent) == []
    desk.database, again = other, MemorySink()
    desk.new_agent(again).handle(desk.admitter.batches())
    assert again.sent == []
    assert desk.rows("SELECT count(*) FROM recon_finding") == [(1,)]
    (finding,) = (r for r in desk.sink.sent if r.topic == "bus.finding")
    assert (
        TakenUp(other, KnownKeys(keyring_of(BUS)), 9).starts()[
            TopicPartition(finding.topic, finding.partition)
        ]
        == 1
    )


def test_d1_what_kafka_lacks_is_said(database: Database, other: Database) -> None:
    """What was lost before it was sent is announced under the id that it would have had."""
    desk = Desk(database)
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    _take_up(other, desk.sink.sent[:-1])
    desk.database, again = other, MemorySink()
    desk.new_agent(again).handle(desk.admitter.batches())
    ids = [EventHeaders.parse(record.headers).id for record in (*again.sent, desk.sink.sent[-1])]
    assert len(ids) == 2
    assert ids[0] == ids[1]


def test_d1_an_older_database_goes_on_under_a_new_incarnation(database: Database, other: Database) -> None:
    """Put back from a copy, it neither says again what it said since nor gives a number twice."""
    desk = Desk(database)
    desk.play(2)
    first = desk.admitter.batches()
    for of in (database, other):
        desk.database, sink = of, MemorySink()
        desk.new_agent(sink).handle(first)
    desk.database = database
    desk.play(5)
    assert {batch.partition for batch in desk.admitter.batches()} == {first[0].partition}
    desk.new_agent(sink).handle(desk.admitter.batches())
    assert len(sink.sent) == 6
    producer = EventHeaders.parse(sink.sent[0].headers).producer
    assert _take_up(other, sink.sent) == [producer]
    desk.database, again = other, MemorySink()
    desk.play(9)
    desk.new_agent(again).handle(desk.admitter.batches())
    assert {EventHeaders.parse(record.headers).producer for record in again.sent} == {
        f"{producer.partition('.')[0]}.9"
    }
    assert {EventHeaders.parse(record.headers).subject for record in again.sent} == {
        EventHeaders.parse(desk.refer(number=9).record.headers).subject
    }


def test_d1_what_others_wrote_there_silences_nothing(database: Database, other: Database) -> None:
    """A record that the bus has not signed does not pass for said."""
    desk = Desk(database)
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    _take_up(other, desk.sink.sent, keyring_of(Speaker("bus", key=SigningKey(seed_of("another")))))
    desk.database, again = other, MemorySink()
    desk.new_agent(again).handle(desk.admitter.batches())
    assert len(again.sent) == 3


def test_e1_the_last_admission_is_known_again(database: Database) -> None:
    """Of each partition the record that the database read last, and no other."""
    desk = Desk(database)
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    (batch,) = desk.admitter.batches()
    place = TopicPartition(batch.topic, batch.partition)
    known = last_read(desk.database, [place])
    assert known.keys() == {place}
    assert known[place].offset == batch.records[-1].offset
    assert [known[place].is_it(record) for record in batch.records] == [False, False, True]
    assert not known[place].is_it(stored(desk.refer()))
    assert last_read(desk.database, [TopicPartition(batch.topic, 3)]) == {}
