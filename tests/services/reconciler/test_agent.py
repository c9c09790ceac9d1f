"""The reconciler's transactions: one effect for each event, gap-free announcements, outbox and rebuild."""

import random
from typing import Any
from uuid import UUID

import pytest

from casebus_schemas.admission.verdict import split_admission
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import Gap, RetryLater
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Batch, Outgoing, TopicPartition
from casebus_schemas.wire.signing import ZERO_DIGEST, event_digest
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.rebuild import rebuild
from support.cases.chains import at
from support.events.admissions import MemorySink, batch_of, data_of
from support.events.signed_events import Speaker, chain
from support.reconciler.desk import Desk, envelope_at, ms


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk over an empty database."""
    return Desk(database)


def _said(sink: MemorySink) -> list[tuple[str, str, str]]:
    said: list[tuple[str, str, str]] = []
    for record in sink.sent:
        body, kind = data_of(record), EventHeaders.parse(record.headers).type
        said.extend((kind, one["rule"], one["state"]) for one in body.get("obligations") or body["findings"])
    return said


STORY = [
    ("obligation.announced", "DL06", "open"),
    ("obligation.announced", "DL06", "met"),
    ("obligation.announced", "DL10", "open"),
    ("finding.opened", "R30", "open"),
]
RECORDS = 3
"""What the filing changes of duties is one announcement."""


def test_a_case_is_entered_and_announced(desk: Desk) -> None:
    """Clocks start and end, the differing figure is found, and the agencies concerned are addressed."""
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    assert sorted(_said(desk.sink)) == sorted(STORY)
    said = next(data_of(record) for record in desk.sink.sent if record.topic == "bus.finding")
    assert said["envelope"]["to"] == ["csrc", "mps"]
    assert [account["agency"] for account in said["findings"][0]["accounts"]] == ["csrc", "mps"]
    assert desk.rows("SELECT status, events FROM recon_chain") == [("filed", 3)]
    assert desk.rows("SELECT rule, state FROM recon_obligation ORDER BY rule") == [
        ("DL06", "met"),
        ("DL10", "open"),
    ]


def _streams(sink: MemorySink) -> dict[tuple[str, str, int], list[Outgoing]]:
    streams: dict[tuple[str, str, int], list[Outgoing]] = {}
    for record in sink.sent:
        producer = EventHeaders.parse(record.headers).producer
        streams.setdefault((producer, record.topic, record.partition), []).append(record)
    return streams


def test_announcements_are_gap_free_streams_of_the_admission_partition(desk: Desk) -> None:
    """Each stream numbers its events from 1 and links them; the producer names the partition."""
    for number in range(1, 9):
        referral = desk.refer(number=number)
        desk.admitter.admit(referral)
        receipt = desk.answer(
            referral,
            "2022-09-29T10:00",
            "referral.receipted",
            number,
            received_at=at("2022-09-29T10:00"),
            competent=False,
            complete=False,
        )
        desk.admitter.admit(receipt)
        desk.agent.handle(desk.admitter.batches())
    streams = _streams(desk.sink)
    assert len(streams) > 1
    for (producer, topic, partition), records in streams.items():
        assert producer == f"reconciler-p{partition}.7"
        prev = ZERO_DIGEST
        for number, record in enumerate(records, 1):
            headers = EventHeaders.parse(record.headers)
            assert (headers.seq, headers.prev) == (number, prev)
            prev = event_digest(headers.signed_fields(topic, partition, record.value))


def test_repeated_batches_have_no_second_effect(desk: Desk) -> None:
    """Offsets below the next one are repeats and change nothing, also for a worker that starts anew."""
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    before = (list(desk.sink.sent), _tables(desk))
    desk.agent.handle(desk.admitter.batches())
    desk.new_agent().handle(desk.admitter.batches())
    assert (desk.sink.sent, _tables(desk)) == before


def test_an_admission_repeated_by_the_router_counts_once(desk: Desk) -> None:
    """The first admission of an origin and attempt wins; a second one is no repeat by the agency."""
    desk.play()
    for record in [record for batch in desk.admitter.batches() for record in batch.records]:
        desk.admitter.again(record)
    desk.agent.handle(desk.admitter.batches())
    assert sorted(_said(desk.sink)) == sorted(STORY)
    assert desk.rows("SELECT count(*) FROM recon_admission") == [(3,)]
    assert desk.rows("SELECT rule FROM recon_finding") == [("R30",)]


def test_an_event_published_again_in_place_is_a_listed_repeat_without_effect(desk: Desk) -> None:
    """The same signed record at a new offset: R03, one effect, and nobody is disturbed."""
    desk.admitter.now_ms = ms("2022-09-29")
    referral = desk.refer()
    desk.admitter.admit(referral)
    desk.admitter.admit(referral)
    desk.admitter.admit(referral)
    desk.agent.handle(desk.admitter.batches())
    assert desk.rows("SELECT rule, class, severity FROM recon_finding") == [("R03", "arrival", "info")]
    assert desk.rows("SELECT events FROM recon_chain") == [(1,)]
    assert desk.sink.sent == []


def test_one_id_with_two_contents_is_found_and_both_are_kept(desk: Desk) -> None:
    """The same id with other bytes: R04, two events."""
    desk.admitter.now_ms = ms("2022-09-29")
    csrc = desk.admitter.speaker("csrc")
    first = desk.refer()
    again = csrc.say(
        "referral.submitted",
        {"envelope": envelope_at("2022-09-28"), "suspects": [], "charges": [], "amounts": []},
        chain(1),
        id=EventHeaders.parse(first.record.headers).id,
    )
    desk.admitter.admit(first)
    desk.admitter.admit(again)
    desk.agent.handle(desk.admitter.batches())
    assert desk.rows("SELECT rule, severity FROM recon_finding") == [("R04", "high")]
    assert desk.rows("SELECT events FROM recon_chain") == [(2,)]


def test_a_gap_in_a_stream_is_found_but_a_refused_record_explains_it(desk: Desk) -> None:
    """A number that never arrived is R05; one that was refused is none."""
    csrc = desk.admitter.speaker("csrc")
    desk.admitter.admit(csrc.refer(1))
    csrc.refer(1)  # never arrives
    desk.admitter.admit(csrc.refer(1, cc=["spp"]))
    desk.agent.handle(desk.admitter.batches())
    assert desk.rows("SELECT rule, severity FROM recon_finding") == [("R05", "high")]
    forbidden = csrc.say(
        "referral.filed",
        {"envelope": envelope_at("2022-09-28"), "suspects": [], "charges": [], "amounts": []},
        chain(1),
    )
    desk.admitter.admit(forbidden)
    desk.admitter.admit(csrc.refer(1, cc=["court"]))
    desk.agent.handle(desk.admitter.batches())
    assert desk.rows("SELECT rule, severity FROM recon_finding") == [("R05", "high")]
    assert desk.rows("SELECT verdict, count(*) FROM recon_admission GROUP BY verdict ORDER BY 1") == [
        ("admitted", 3),
        ("refused", 1),
    ]


def test_a_missing_record_of_bus_admission_stops_the_service(desk: Desk) -> None:
    """An offset above the next one is evidence lost, never skipped."""
    desk.play()
    (batch,) = desk.admitter.batches()
    with pytest.raises(Gap, match="expected offset 0"):
        desk.agent.handle([Batch(batch.topic, batch.partition, batch.records[1:], batch.next_offset)])


def test_time_alone_changes_duties_and_opens_findings(desk: Desk) -> None:
    """The clock of the bus passes the readings one after the other; every state is announced once."""
    referral = desk.refer("2022-09-22")
    desk.admitter.admit(referral, at_ms=ms("2022-09-28T10:00"))
    receipt = desk.answer(
        referral,
        "2022-09-29T10:00",
        "referral.receipted",
        received_at=at("2022-09-22T10:00"),
        competent=True,
        complete=True,
    )
    desk.admitter.admit(receipt, at_ms=ms("2022-09-29T10:01"))
    desk.agent.handle(desk.admitter.batches())
    for now in (
        "2022-10-02T09:00",  # day 10, a holiday
        "2022-10-03T00:00",
        "2022-10-08T23:59",  # the first workday after it
        "2022-10-09T00:00",
        "2022-10-09T00:00",
    ):
        desk.now_ms = ms(now)
        desk.agent.tick()
    assert _said(desk.sink) == [
        ("obligation.announced", "DL06", "open"),
        ("obligation.announced", "DL06", "due"),
        ("obligation.announced", "DL06", "contested"),
        ("obligation.announced", "DL06", "overdue"),
        ("finding.opened", "R10", "open"),
        ("finding.opened", "R11", "open"),
    ]


def test_a_clock_set_back_takes_nothing_back(desk: Desk) -> None:
    """A simulated clock that is set to an earlier time leaves what was told already."""
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    desk.now_ms = ms("2022-12-01")
    desk.agent.tick()
    before = _tables(desk)
    desk.now_ms = ms("2016-01-01")
    desk.agent.tick()
    assert _tables(desk) == before


_TABLES = {
    "recon_chain": "chain",
    "recon_obligation": "id",
    "recon_finding": "id",
    "recon_event": "digest",
    "recon_stream": "producer, topic, partition",
    "recon_said": "event_id",
}


def _tables(desk: Desk) -> dict[str, list[tuple[Any, ...]]]:
    return {table: desk.rows(f"SELECT * FROM {table} ORDER BY {order}") for table, order in _TABLES.items()}


def _many(desk: Desk) -> list[Batch]:
    for number in range(1, 7):
        referral = desk.refer(number=number)
        desk.admitter.admit(referral, at_ms=ms("2022-09-28T10:00") + number)
        receipt = desk.answer(
            referral,
            "2022-09-29T10:00",
            "referral.receipted",
            number,
            received_at=at("2022-09-29T10:00"),
            competent=True,
            complete=number % 2 == 0,
        )
        if number == 3:
            desk.admitter.admit(referral)
        desk.admitter.admit(receipt, at_ms=ms("2022-10-11T10:01") + number)
    return desk.admitter.batches()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_how_the_flow_is_cut_changes_nothing(desk: Desk, seed: int) -> None:
    """One by one with new workers now and then, or all at once: the same tables and announcements."""
    batches = _many(desk)
    desk.agent.handle(batches)
    whole = (_tables(desk), {record.value for record in desk.sink.sent})
    _empty(desk)
    desk.sink.sent.clear()
    chance = random.Random(seed)
    agent = desk.new_agent()
    waiting = {batch.partition: list(batch.records) for batch in batches}
    while any(waiting.values()):
        partition = chance.choice([p for p, records in waiting.items() if records])
        size = chance.randint(1, 3)
        agent.handle([batch_of(waiting[partition][:size])])
        waiting[partition] = waiting[partition][size:]
        if chance.random() < 0.3:
            agent = desk.new_agent()
    assert (_tables(desk), {record.value for record in desk.sink.sent}) == whole


def _empty(desk: Desk) -> None:
    with desk.database.writing() as transaction:
        for table in (*_TABLES, "recon_partition", "recon_admission", "recon_outbox", "recon_bus_stream"):
            transaction.run(f"DELETE FROM {table}")


class _Interrupted(Exception):
    pass


@pytest.mark.parametrize("point", ["before-commit", "after-commit", "after-publish"])
def test_death_at_any_point_loses_and_doubles_nothing(
    desk: Desk, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a death at a named point the next worker ends in the same state and has said the same."""
    deaths = iter([True, False, False])

    def die(name: str, in_flight: object = 0) -> None:
        if name == f"reconciler.{point}" and next(deaths, False):
            raise _Interrupted(name)

    desk.play()
    monkeypatch.setattr("casebus_services.reconciler.agent.fault_point", die)
    with pytest.raises(_Interrupted):
        desk.agent.handle(desk.admitter.batches())
    heir = desk.new_agent()
    own = frozenset(TopicPartition(batch.topic, batch.partition) for batch in desk.admitter.batches())
    heir.assigned(own)
    offsets = heir.next_offsets(own)
    for batch in desk.admitter.batches():
        start = offsets[TopicPartition(batch.topic, batch.partition)]
        if start < batch.next_offset:
            heir.handle([batch_of(batch.records[start:])])
    heir.tick()
    distinct = {record.value: record for record in desk.sink.sent}
    assert sorted(_said(_sink_of(distinct.values()))) == sorted(STORY)
    assert len(desk.sink.sent) == (2 if point == "after-publish" else 1) * RECORDS
    assert desk.rows("SELECT count(*) FROM recon_outbox WHERE sent = 0") == [(0,)]


def _sink_of(records: Any) -> MemorySink:
    sink = MemorySink()
    sink.sent = list(records)
    return sink


def test_what_could_not_be_sent_stays_in_the_outbox(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker away: entries are durable, announcements wait, and the next worker sends them in order."""

    class Away:
        def send_all(self, outgoing: object) -> None:
            raise RetryLater("the broker is away")

    monkeypatch.setattr("casebus_services.reconciler.agent.PATIENCE_S", 0.2)
    desk.play()
    with pytest.raises(RetryLater):
        desk.new_agent(Away()).handle(desk.admitter.batches())
    assert desk.rows("SELECT count(*) FROM recon_outbox WHERE sent = 0") == [(RECORDS,)]
    heir = desk.new_agent()
    heir.assigned({TopicPartition(batch.topic, batch.partition) for batch in desk.admitter.batches()})
    heir.relay()
    assert sorted(_said(desk.sink)) == sorted(STORY)


def test_a_worker_whose_partition_was_written_by_another_reads_it_afresh(desk: Desk) -> None:
    """A worker that slept through a change of hands does not go on with what it remembers."""
    desk.play()
    (batch,) = desk.admitter.batches()
    sleeper = desk.new_agent()
    sleeper.handle([batch_of(batch.records[:1])])
    desk.new_agent().handle([batch_of(batch.records[:2])])
    sleeper.handle([batch_of(batch.records)])
    assert desk.rows("SELECT status, events FROM recon_chain") == [("filed", 3)]
    assert sorted(_said(desk.sink)) == sorted(STORY)


def test_d6_what_an_older_outbox_says_again_is_told_to_nobody(desk: Desk) -> None:
    """The same ids and contents under another incarnation: the same notices, one duty, a repeat on record."""
    question = {"envelope": envelope_at("2022-09-28T10:00", to=["mps"]), "question": "示例问题"}
    id = UUID("0190163d-8694-739b-aea5-966c26f8ad91")
    said = [
        Speaker("csrc", producer=f"csrc-1.{incarnation}").say(
            "consultation.requested", question, chain(1), id=id
        )
        for incarnation in (1, 2)
    ]
    assert said[0].digest != said[1].digest
    records = [
        desk.admitter.admit(event, at_ms=ms(when))
        for event, when in zip(said, ("2022-09-28T10:00", "2022-09-28T11:00"), strict=True)
    ]
    told = [split_admission(record)[0].recipients for record in records]
    assert told[0] == told[1] != ()
    desk.agent.handle(desk.admitter.batches())
    assert _said(desk.sink) == [("obligation.announced", "DL16", "open")]
    assert desk.rows("SELECT rule, severity FROM recon_finding") == [("R03", "info")]
    assert rebuild(desk.database, Catalog.load()).ok
