"""Witnesses on a real Kafka, as agencies' clients: what they cosign, and whom they catch."""

from typing import Any

import pytest

from casebus_schemas.agencies import WITNESSES
from casebus_schemas.evidence.checkpoint import Checkpoint
from support.scenes.witnessed_bus import WitnessedBus, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


def test_a_bus_that_is_honest_is_cosigned_by_all(bus: WitnessedBus) -> None:
    """Each witness reads what its login may read, and cosigns; a restart goes on; the head becomes final."""
    bus.start()
    bus.say(b"one", b"two")
    bus.say(b"theirs", topic="mps.referral", partition=0)
    bus.seal()
    bus.wait_cosigned(1)
    bus.stop()
    bus.say(b"three")
    bus.say(b"verdict", topic="bus.admission", partition=1)
    bus.seal()
    bus.start()
    bus.wait_cosigned(2)
    note = bus.sealed.log.note(2)
    for witness in WITNESSES:
        bus.wait_published(witness, 2)
        note = note.with_signatures(bus.cosigned(witness)[-1].signatures)
    assert set(bus.policy.judge(note).witnesses) == set(WITNESSES)
    assert bus.policy.judge(note).accepted


def test_who_rewrites_kafka_and_ledger_is_caught_by_any_witness(bus: WitnessedBus) -> None:
    """Who holds every key of the bus and writes all of it anew gets no cosignature, from none of the four."""
    bus.start()
    bus.say(b"the price was 10", b"two")
    bus.seal()
    bus.seal()
    bus.wait_cosigned(2)
    cosigned = bus.sealed.log.note(2)
    bus.stop()
    bus.rewrite("csrc.referral", "bus.checkpoint")
    bus.sealed = type(bus.sealed)()
    bus.say(b"the price was 99", b"two")
    for _ in range(3):
        bus.seal()
    bus.start()
    for witness in WITNESSES:
        standing = bus.wait_until(witness, _refuses)
        assert standing["size"] == 2
        notes = bus.cosigned(witness)
        assert {Checkpoint.parse(note.text).root for note in notes if note.text == cosigned.text}
        assert all(Checkpoint.parse(note.text).size <= 2 for note in notes)


def _refuses(standing: dict[str, Any]) -> bool:
    return bool(standing["evidence"]) and str(standing["stopped"]).startswith("split-view: size ")


def test_a_ledger_that_says_other_than_kafka_is_caught_by_who_reads_it(bus: WitnessedBus) -> None:
    """A consistent log over forged records is refused by the mirrors that read them, and is not final."""
    bus.start()
    bus.say(b"one")
    bus.seal()
    bus.wait_cosigned(1)
    true = bus.heads()
    bus.sealed.seal([true[0]._replace(size=2, root=bytes(32), next_offset=2, end_offset=2)])
    bus.say(b"another")
    bus.publish(2)
    for witness in ("csrc", "audit"):
        standing = bus.wait_until(witness, lambda standing: standing["stopped"] is not None)
        assert "csrc.referral/3/1: root 0000" in standing["stopped"]
    bus.wait_cosigned(2, "spp", "mps")
    note = bus.sealed.log.note(2)
    for witness in WITNESSES:
        note = note.with_signatures(
            line for one in bus.cosigned(witness) if one.text == note.text for line in one.signatures
        )
    assert not bus.policy.judge(note).accepted


def test_a_witness_whose_state_is_older_than_its_topic_ends(bus: WitnessedBus) -> None:
    """A state from a backup ends the key at the start, and cosigns nothing of what it has cosigned before."""
    state = bus.settings("spp").folder / "witness.db"
    copy = state.read_bytes()
    bus.start("spp")
    bus.say(b"one")
    bus.seal()
    bus.wait_published("spp", 1)
    bus.stop("spp")
    for file in state.parent.glob("witness.db*"):
        file.unlink()
    state.write_bytes(copy)
    bus.start("spp")
    wait_for("it has ended", lambda: bus.programs["spp"].ended is not None)
    assert "size 1 on its topic, 0 in its state" in str(bus.programs["spp"].ended)
    assert not (state.parent / "witness.key").exists()
    bus.stop("spp")
    bus.start("spp")
    wait_for("it does not start", lambda: bus.programs["spp"].ended is not None)
    assert "casebus keys witness --new" in str(bus.programs["spp"].ended)
    assert len(bus.cosigned("spp")) == 1
