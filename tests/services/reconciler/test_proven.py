"""The reconciler takes only what the router has signed: a forged admission stops its partition, no other."""

import pytest

from casebus_schemas.admission.verdict import Origin
from casebus_schemas.errors import Forged, RetryLater
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.wire.records import Record
from casebus_services.commands import StepOver
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.arrivals import arrivals_of
from casebus_services.reconciler.stepped_over import StepOverOrder
from support.events.admissions import KnownKeys, batch_of, unsigned
from support.events.signed_events import keyring_of
from support.reconciler.desk import Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk over an empty database, with referrals in eight matters."""
    desk = Desk(database)
    for number in range(1, 9):
        desk.admitter.admit(desk.refer(number=number))
    assert len(desk.admitter.records) > 1
    return desk


def taken(desk: Desk) -> dict[int, int]:
    """How many admissions were taken, by partition."""
    return dict(desk.rows("SELECT bus_partition, count(*) FROM recon_admission GROUP BY 1"))


def forge(desk: Desk, name: str = "casebus-bus-sig", *value: bytes) -> Record:
    """Admits one event more, changes a header of its admission, and puts a true one behind it."""
    record = desk.admitter.admit(desk.refer(number=1))
    forged = unsigned(record, name, *value)
    desk.admitter.records[record.partition][-1] = forged
    desk.admitter.again(desk.admitter.records[record.partition][0])
    return forged


def order_over(
    record: Record, leaf_named: bytes | None = None
) -> tuple[tuple[int, int, bytes], StepOverOrder]:
    """An order to step over a record, by what it names: its leaf, or another."""
    origin = Origin(record.topic, record.partition, record.offset)
    named = StepOver(origin, leaf_named or leaf_hash(leaf(record)), "reasons")
    order = StepOverOrder("bus.command/0/0", "/bus/operator", bytes(4), 0, named)
    return order.named, order


def test_b2_a_forged_admission_stops_its_partition_alone(desk: Desk) -> None:
    """What stands before it and in other partitions is taken; nothing behind it, also after a new start."""
    before = {partition: len(records) for partition, records in desk.admitter.records.items()}
    forged = forge(desk)
    for agent in (desk.agent, desk.new_agent()):
        agent.handle(desk.admitter.batches())
        agent.handle([batch_of(desk.admitter.records[forged.partition][-1:])])
        assert taken(desk) == before
        ((place, why),) = agent.stopped().items()
        assert place == f"bus.admission/{forged.partition}"
        assert "the signature does not fit" in why
    assert desk.rows("SELECT count(*) FROM recon_event") == [(8,)]


def test_b2_another_events_headers_under_a_true_admission_stop_the_partition(desk: Desk) -> None:
    """The router signs the digest of the event: headers that give another one are not what it admitted."""
    forged = forge(desk, "ce_source", b"/csrc/another-office")
    desk.agent.handle(desk.admitter.batches())
    assert "digest is not the admitted one" in desk.agent.stopped()[f"bus.admission/{forged.partition}"]


def test_b2_time_stands_still_in_a_stopped_partition(desk: Desk) -> None:
    """No duty falls due where answers may stand behind the forged record; elsewhere clocks go on."""
    for number in range(1, 9):
        desk.play(number)
    partition = forge(desk).partition
    desk.agent.handle(desk.admitter.batches())
    desk.now_ms += 400 * 86_400_000
    desk.agent.tick()
    states = desk.rows(
        "SELECT DISTINCT c.bus_partition, o.state FROM recon_chain c JOIN recon_obligation o USING (chain) "
        "WHERE o.state <> 'met'"
    )
    assert {state for place, state in states if place == partition} == {"open"}
    assert {state for place, state in states if place != partition} == {"overdue"}


def test_b2_an_order_steps_over_the_record_that_it_names_and_no_other(desk: Desk) -> None:
    """The service starts anew and goes on behind it; it has no effect, and what is the router's is taken."""
    forged = forge(desk)
    true = desk.admitter.records[forged.partition][0]
    orders = dict([order_over(forged, bytes(32)), order_over(true)])
    agent = desk.new_agent(stepped_over=orders)
    agent.handle(desk.admitter.batches())
    agent.tick()
    assert len(agent.stopped()) == 1
    orders |= dict([order_over(forged)])
    with pytest.raises(RetryLater, match="stepped over"):
        agent.tick()
    again = desk.new_agent(stepped_over=orders)
    again.handle(desk.admitter.batches())
    again.tick()
    assert again.stopped() == {}
    assert desk.rows("SELECT count(*) FROM recon_event") == [(8,)]
    ends = dict(desk.rows("SELECT partition, next_offset FROM recon_partition"))
    assert ends[forged.partition] == len(desk.admitter.records[forged.partition])


def test_b2_who_reads_admissions_from_kafka_obeys_the_order_too(desk: Desk) -> None:
    """A figure can be made again, without what the forged record says."""
    forged = forge(desk)
    records = desk.admitter.records[forged.partition]
    order = dict([order_over(forged)])
    with pytest.raises(Forged):
        list(arrivals_of(records, desk.admitter.keyring))
    found = [one.offset for one in arrivals_of(records, desk.admitter.keyring, order)]
    assert found == [one.offset for one in records if one.offset != forged.offset]


def test_a_partition_that_is_assigned_anew_is_tried_anew(desk: Desk) -> None:
    """Where the record is gone or its key is known by now, the partition goes on from where it stood."""
    keys = KnownKeys(keyring_of())
    agent = desk.new_agent(keys=keys)
    agent.handle(desk.admitter.batches())
    assert len(agent.stopped()) == len(desk.admitter.records)
    keys.keyring = desk.admitter.keyring
    agent.assigned(frozenset())
    agent.handle(desk.admitter.batches())
    assert (agent.stopped(), sum(taken(desk).values())) == ({}, 8)


def test_a_key_that_was_announced_just_before_is_read(desk: Desk) -> None:
    """An unknown key is looked for at the end of bus.key before anybody is accused."""

    class LateKeys(KnownKeys):
        def catch_up(self) -> None:
            self.keyring = desk.admitter.keyring

    agent = desk.new_agent(keys=LateKeys(keyring_of()))
    agent.handle(desk.admitter.batches())
    assert (agent.stopped(), sum(taken(desk).values())) == ({}, 8)
