"""Whether a key signs is decided by where a record stands among the epochs, not by any clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from casebus_consumers.auditor.damage import VerifyReport
from casebus_consumers.auditor.proof_rows import enough_lines
from casebus_consumers.auditor.proving import bundle
from casebus_consumers.auditor.signature_check import check_signatures
from casebus_schemas.evidence.bundle_check import BundleReport, check_bundle
from casebus_schemas.evidence.bundle_file import Bundle
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_schemas.wire.signing import SigningKey
from casebus_services.ledger.store import LedgerStore
from support.events.admissions import Admitter, batch_of
from support.events.signed_events import Speaker, bus_keys, chain, seed_of, stored
from support.ledger.ledgers import empty_sqlite
from support.ledger.proven import THREE, ProvenLedger, policy_file

SECOND = SigningKey(seed_of("second"))
EARLY_MS, REVOKED_MS, LATE_MS = 1_700_000_000_000, 1_700_000_100_000, 1_700_000_200_000


@dataclass
class Bus:
    """csrc and its two keys; a router that has not heard of the revocation admits whatever comes."""

    store: LedgerStore
    ledger: ProvenLedger
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
        self.ledger.seal(*THREE)

    def report(self) -> VerifyReport:
        """What an auditor finds."""
        report = VerifyReport()
        check_signatures(self.store.database, report)
        return report

    def bundled(self) -> Bundle:
        """The case's bundle as of now."""
        with self.ledger.rows() as rows:
            return bundle(rows, chain(1), enough_lines(3))

    def judged(self, made: Bundle) -> BundleReport:
        """What a judge reads in it."""
        policy = TrustPolicy.parse(policy_file(self.ledger.sealing.folder).read_bytes())
        return check_bundle(made.to_bytes(), policy)


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    """A sealed ledger with an agency of two keys."""
    store = LedgerStore(empty_sqlite(tmp_path))
    made = Bus(store, ProvenLedger(store, tmp_path))
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
    bus.ledger.sealing.beyond = {place: 1}
    bus.seal()
    bus.ledger.sealing.beyond = {}
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


def test_a_judge_sees_offline_what_a_stolen_key_signed(bus: Bus) -> None:
    """A bundle shows the epochs around the end of the key: what was dated back behind it fails."""
    bus.revoke()
    bus.seal()
    fine = bus.bundled()
    assert sorted(fine.positions) == [1, 2]
    assert bus.judged(fine).failed == []
    backdated = bus.refer(EARLY_MS)
    bus.seal()
    place = f"{backdated.topic}/{backdated.partition}/{backdated.offset}"
    assert bus.judged(bus.bundled()).failed == [f"{place}: signed by a key revoked before"]


def test_who_makes_a_bundle_cannot_hide_where_a_key_ended(bus: Bus) -> None:
    """Epochs that are left out, exchanged or changed prove nothing, and what needs them fails."""
    bus.revoke()
    bus.seal()
    bus.refer(EARLY_MS)
    bus.seal()
    made = bus.bundled()
    shown = dict(made.positions)
    for left in ({}, {1: shown[1]}, {2: shown[2]}):
        failed = bus.judged(replace(made, positions=left)).failed
        assert any("in an epoch that is not shown" in one for one in failed), left
    changed = replace(made, positions={1: shown[2], 2: shown[2]})
    assert bus.judged(changed).failed[0].startswith("positions/1: epoch 1 is not in the checkpoint")
    cut = shown[2]._replace(heads=shown[2].heads[1:])
    assert "not those of epoch 2" in bus.judged(replace(made, positions={1: shown[1], 2: cut})).failed[0]


def test_a_judge_is_told_what_is_in_doubt(bus: Bus) -> None:
    """What a compromised key signed after the epoch is verified, and told as doubtful."""
    doubtful = bus.refer(EARLY_MS)
    bus.seal()
    bus.revoke(compromised_since_epoch=1)
    bus.seal()
    report = bus.judged(bus.bundled())
    place = f"{doubtful.topic}/{doubtful.partition}/{doubtful.offset}"
    assert report.failed == []
    assert f"{place}: in doubt, its key is compromised since epoch 1" in report.not_covered
    assert sum("in doubt" in one for one in report.not_covered) == 1


def test_without_epochs_there_is_no_order_but_kafkas(tmp_path: Path) -> None:
    """A ledger that was never sealed has no positions to go by: this is what the epochs add."""
    store = LedgerStore(empty_sqlite(tmp_path))
    made = Bus(store, ProvenLedger(store, tmp_path))
    made.take(made.csrc.announce())
    made.take(made.csrc.announce(SECOND, by=made.csrc.key))
    made.store.append([batch_of([r._replace(offset=n) for n, r in enumerate(bus_keys())])])
    made.revoke()
    made.refer(EARLY_MS)
    assert made.report().damages == []
    made.refer(LATE_MS)
    assert made.report().damage_count == 1
    store.close()
