"""An agency proves from Kafka alone that it did send, and knows in which epoch its entries were sealed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from casebus_consumers.auditor.proof_rows import enough_lines
from casebus_consumers.auditor.proving import prove
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.received.kept_receipts import keep
from casebus_producers.received.sealed_receipts import epochs_of, waiting_for_epochs, with_epoch
from casebus_producers.received.sending_proof import proof_of
from casebus_schemas.admission.receipts import receipt_json
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import cosignature
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.event_proof import EventProof
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.records import Outgoing, Record, TopicPartition
from casebus_services.ledger.store import LedgerStore
from support.cases.members import open_outbox, ready
from support.events import receipts
from support.events.sealing import ORIGIN
from support.events.signed_events import AT, stored
from support.ledger.ledgers import batch, empty_sqlite, run
from support.ledger.proven import THREE, ProvenLedger, policy_file
from support.ledger.sealed_ledger import COSIGNED_S, COSIGNERS

CATALOG = Catalog.load()


@dataclass
class Agency:
    """csrc's outbox, the ledger that recorded what it sent, and Kafka's topics as csrc may read them."""

    outbox: Outbox
    ledger: ProvenLedger
    policy: Path
    place: TopicPartition
    sent: list[Record]

    def epoch(self, *witnesses: str) -> None:
        """An epoch, and the witnesses' records."""
        self.ledger.seal(*witnesses)
        sealing = self.ledger.sealing
        number = max(sealing.notes())
        note = SignedNote.parse(sealing.notes()[number].encode())
        for name in witnesses:
            whole = note.with_signatures([COSIGNERS[name].cosign(note.text, COSIGNED_S)])
            sealing.topics.send([Outgoing(cosignature(name), 0, ORIGIN.encode(), whole.to_bytes(), ())])

    def records(self) -> list[Record]:
        """All that the agency reads for a proof."""
        return [*self.sent, *self.ledger.sealing.topics.records]

    def proof(self, index: int) -> EventProof:
        """Its proof of an entry, under the policy of three."""
        trusted = TrustPolicy.parse(self.policy.read_bytes())
        return proof_of(self.records(), self.place, index, lambda note: trusted.judge(note).accepted)


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[Agency]:
    """Three events of csrc in one partition, sealed in two epochs; others' entries beside them."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(number, chain=1) for number in range(3)])
    sent = [stored(row.record, at) for at, row in enumerate(outbox.pending(0, 9, 1 << 20))]
    place = TopicPartition(sent[0].topic, sent[0].partition)
    store = LedgerStore(empty_sqlite(tmp_path))
    made = Agency(outbox, ProvenLedger(store, tmp_path), policy_file(tmp_path), place, sent)
    store.append([batch(sent[:2]), run(0, 300, topic="mps.record", partition=2)])
    made.epoch(*THREE)
    store.append([batch(sent[2:]), run(300, 301, topic="mps.record", partition=2)])
    made.epoch(*THREE)
    store.append([run(301, 302, topic="mps.record", partition=2)])
    made.epoch("spp")
    yield made
    store.close()
    outbox.close()


@pytest.mark.parametrize("index", [0, 1, 2])
def test_an_agency_makes_the_proof_that_an_auditor_makes(agency: Agency, index: int) -> None:
    """From its own topic, the epochs and the cosignatures it comes to the same bytes as from the database."""
    own = agency.proof(index)
    with agency.ledger.rows() as rows:
        place = Origin(agency.place.topic, agency.place.partition, index)
        theirs = prove(rows, place, enough_lines(3))
    assert set(map(str, own.note.signatures)) == set(map(str, theirs.note.signatures))
    assert replace(own, note=theirs.note).to_bytes() == theirs.to_bytes()
    trusted = TrustPolicy.parse(agency.policy.read_bytes())
    proven = EventProof.parse(own.to_bytes()).judge(trusted)
    assert (proven.problem, Checkpoint.parse(own.note.text).size) == (None, 2)
    assert not own.judge(TrustPolicy.parse(policy_file(agency.policy.parent, 4).read_bytes())).proven


def test_what_is_not_sealed_or_cosigned_has_no_proof_yet(agency: Agency) -> None:
    """It says what is missing: the epoch, or the cosignatures that the policy asks for."""
    with pytest.raises(UsageError, match="not sealed yet"):
        agency.proof(3)
    agency.ledger.sealing.topics.records = [
        one for one in agency.records() if not one.topic.endswith(".cosignature") or one.topic[:3] == "mps"
    ]
    with pytest.raises(UsageError, match="cosigned well enough"):
        agency.proof(0)


def test_a_record_that_was_exchanged_gives_no_proof(agency: Agency) -> None:
    """What an agency did not send in these bytes it cannot prove: the paths lead nowhere."""
    agency.sent[0] = agency.sent[0]._replace(value=b"other")
    trusted = TrustPolicy.parse(agency.policy.read_bytes())
    assert not agency.proof(0).judge(trusted).proven


def kept(agency: Agency, seq: int, index: int) -> dict[str, Any]:
    """The ledger's receipt on an event, kept, as JSON."""
    receipt = receipts.ledgered(agency.sent[index], AT, index)
    _, data = decode(CATALOG, receipt.value)
    with agency.outbox.transaction() as connection:
        keep(connection, stored(receipt, seq), data)
    return receipt_json(CATALOG, data)


def test_each_entry_is_told_the_epoch_that_held_it_first(agency: Agency) -> None:
    """By the signed message of each epoch; what no epoch holds yet waits, and receipts say the rest."""
    said = [kept(agency, 10 + index, index) for index in range(3)]
    waiting = waiting_for_epochs(agency.outbox, CATALOG)
    assert [(one.receipt, one.index) for one in waiting] == [(10, 0), (11, 1), (12, 2)]
    assert "sealed" not in with_epoch(agency.outbox, said[0])
    records = agency.ledger.sealing.topics.on("bus.checkpoint")
    found = list(epochs_of(records[:1], waiting))
    assert [(row[0], row[3]) for row in found] == [(10, 1), (11, 1)]
    sql = "INSERT INTO sealed (receipt, log, idx, epoch, sealed_at_ms, root) VALUES (?, ?, ?, ?, ?, ?)"
    with agency.outbox.transaction() as connection:
        connection.executemany(sql, found)
    assert [one.receipt for one in waiting_for_epochs(agency.outbox, CATALOG)] == [12]
    told = with_epoch(agency.outbox, said[1])["sealed"]
    note = SignedNote.parse(agency.ledger.sealing.notes()[1].encode())
    root = Checkpoint.parse(note.text).root.hex()
    assert (told["epoch"], told["checkpoint"]) == (1, {"size": 1, "root": root})
    assert json.dumps(told)
