"""Whether a key signs is decided by where a record stands among the epochs, not by any clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from casebus_consumers.auditor.damage import VerifyReport
from casebus_consumers.auditor.signature_check import check_signatures
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_schemas.wire.signing import SigningKey
from casebus_services.ledger.store import LedgerStore
from support.events.admissions import Admitter, batch_of
from support.events.sealing import Sealing
from support.events.signed_events import Speaker, bus_keys, seed_of, stored
from support.ledger.ledgers import empty_sqlite

SECOND = SigningKey(seed_of("second"))
EARLY_MS, REVOKED_MS, LATE_MS = 1_700_000_000_000, 1_700_000_100_000, 1_700_000_200_000


@dataclass
class Bus:
    """csrc and its two keys; a router that has not heard of the revocation admits whatever comes."""

    store: LedgerStore
    sealing: Sealing
    csrc: Speaker = field(default_factory=lambda: Speaker("csrc"))
    admitter: Admitter = field(default_factory=lambda: Admitter(speakers=[Speaker("csrc")]))
    ends: dict[TopicPartition, int] = field(default_factory=dict)

    def begin(self) -> None:
        """The keys, two events, and the first epoch."""
        self.store.append([batch_of([r._replace(offset=n) for n, r in enumerate(bus_keys())])])
        self.take(self.csrc.announce())
        self.take(self.csrc.announce(SECOND, by=self.csrc.key))
        self.refer(EARLY_MS)
        self.refer(EARLY_MS)
        self.seal()

    def take(self, event: object, at_ms: int = EARLY_MS) -> Record:
        """Ledgers an event at the end of its partition."""
        record = stored(event, 0, at_ms)  # type: ignore[arg-type]
        place = TopicPartition(record.topic, record.partition)
        offset = self.ends.get(place, 0)
        self.ends[place] = offset + 1
        placed = record._replace(offset=offset)
        self.store.append([batch_of([placed])])
        return placed

    def refer(self, at_ms: int) -> Record:
        """An event under the first key, at a time of the broker, and its admission."""
        event = self.csrc.refer(1)
        placed = self.take(event, at_ms)
        self.store.append([batch_of([self.admitter.admit(event)])])
        return placed

    def revoke(self, **since: int) -> None:
        """The second key ends the first one."""
        assert self.csrc.key is not None
        self.take(self.csrc.end("key.revoked", self.csrc.key, by=SECOND, **since), REVOKED_MS)

    def seal(self) -> None:
        """An epoch."""
        assert self.sealing.sealer.seal() is not None

    def report(self) -> VerifyReport:
        """What an auditor finds."""
        report = VerifyReport()
        check_signatures(self.store.database, report)
        return report


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    """A sealed ledger with an agency of two keys."""
    store = LedgerStore(empty_sqlite(tmp_path))
    made = Bus(store, Sealing(store, tmp_path))
    made.sealing.sealer.start()
    made.begin()
    yield made
    store.close()


def test_a_stolen_old_key_dates_nothing_back(bus: Bus) -> None:
    """Behind the epoch of its revocation a key signs nothing, though broker and router show an older time."""
    bus.revoke()
    bus.seal()
    backdated = bus.refer(EARLY_MS)
    bus.seal()
    (damage,) = bus.report().damages
    assert "forged" in damage.found
    assert "a key revoked before" in damage.found
    assert backdated.timestamp_ms < REVOKED_MS


def test_before_the_epoch_of_its_end_a_key_signs_whatever_the_clocks_say(bus: Bus) -> None:
    """What stood in Kafka when an epoch without the revocation was sealed is valid, with any time."""
    bus.refer(LATE_MS)
    bus.seal()
    bus.revoke()
    bus.seal()
    assert bus.report().damages == []


@pytest.mark.parametrize(("at_ms", "damages"), [(EARLY_MS, 0), (LATE_MS, 1)])
def test_within_the_epoch_of_its_end_the_brokers_time_decides(bus: Bus, at_ms: int, damages: int) -> None:
    """Between two epochs, a second as a rule, nothing but Kafka's own time tells the order."""
    bus.refer(at_ms)
    bus.revoke()
    bus.seal()
    assert bus.report().damage_count == damages


def test_what_a_slow_ledger_takes_up_later_is_judged_by_where_kafka_ended(bus: Bus) -> None:
    """An event that stood in Kafka at the epoch of the revocation, and was ledgered after it, stays valid."""
    place = next(one for one in bus.ends if one.topic == "csrc.referral")
    bus.revoke()
    bus.sealing.beyond = {place: 1}
    bus.seal()
    bus.sealing.beyond = {}
    bus.refer(EARLY_MS)
    bus.seal()
    assert bus.report().damages == []
    bus.refer(EARLY_MS)
    bus.seal()
    assert bus.report().damage_count == 1


def test_a_stolen_key_puts_in_doubt_what_was_sealed_after_it(bus: Bus) -> None:
    """Compromised since an epoch of the past: what lies after it is shown as doubtful, and stays."""
    doubtful = bus.refer(EARLY_MS)
    bus.seal()
    bus.revoke(compromised_since_epoch=1)
    bus.seal()
    report = bus.report()
    assert (report.ok, report.doubt_count) == (True, 1)
    (doubt,) = report.to_json()["doubts"]
    place = f"{doubtful.topic}/{doubtful.partition}/{doubtful.offset}"
    assert doubt == {"place": place, "why": "its key is compromised since epoch 1"}


def test_without_epochs_there_is_no_order_but_kafkas(tmp_path: Path) -> None:
    """A ledger that was never sealed has no positions to go by: this is what the epochs add."""
    store = LedgerStore(empty_sqlite(tmp_path))
    made = Bus(store, Sealing(store, tmp_path))
    made.take(made.csrc.announce())
    made.take(made.csrc.announce(SECOND, by=made.csrc.key))
    made.store.append([batch_of([r._replace(offset=n) for n, r in enumerate(bus_keys())])])
    made.revoke()
    made.refer(EARLY_MS)
    assert made.report().damages == []
    made.refer(LATE_MS)
    assert made.report().damage_count == 1
    store.close()
