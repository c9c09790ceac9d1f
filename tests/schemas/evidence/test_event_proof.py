"""Proofs of one entry: the whole way holds, and no byte of it can be another."""

from base64 import b64decode
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from casebus_schemas.evidence.event_proof import EventProof
from casebus_schemas.evidence.leaf import decode_headers
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.tlog_proof import TlogProof
from support.ledger import sealed_ledger as made
from support.ledger.sealed_ledger import WITNESSES, SealedLedger, policy

THREE = ("mps", "csrc", "audit")


@pytest.fixture(scope="module")
def ledger() -> SealedLedger:
    """Five logs in five epochs."""
    return made.example()


def test_every_entry_is_proven(ledger: SealedLedger) -> None:
    """Each entry of each log is proven by the epoch that sealed it first, before and after being written."""
    proven = 0
    for place, records in ledger.records.items():
        for index, record in enumerate(records):
            proof = EventProof.parse(ledger.prove(*place, index, ledger.note(*THREE)).to_bytes())
            result = proof.judge(policy())
            assert result.problem is None
            assert result.leaf is not None
            assert (result.leaf.topic, result.leaf.offset) == (place.topic, record.offset)
            assert result.leaf.value_sha256 == sha256(record.value or b"").digest()
            assert proof.headers is not None
            assert decode_headers(proof.headers) == record.headers
            proven += 1
    assert proven == 35 + 2 + 3 + 4 + 5


def test_outer_half_is_a_plain_tlog_proof(ledger: SealedLedger) -> None:
    """Whoever reads tlog-proofs checks that the epoch is in the head log; the inner half is readable text."""
    proof = ledger.prove("mps.record", 3, 1, ledger.note(*THREE))
    outer = TlogProof.parse(proof.to_bytes())
    assert outer.index == 0
    assert outer.holds_for(sha256(b"\0" + ledger.epochs[0].pack()).digest())
    lines = proof.to_bytes().decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    inner = b64decode(lines[1].removeprefix("extra ")).decode()
    assert inner.startswith("casebus/event-proof/v1\nleaf ")
    assert "\n\nledger.example/bus/mps.record/3/1\n2\n" in inner
    assert lines[-6:-4] == ["", f"— ledger.example/bus {str(outer.note.signatures[0]).split(' ')[2]}"]


def test_every_byte_counts(ledger: SealedLedger) -> None:
    """Whatever one byte of the file is changed to, the proof is not read or does not hold."""
    trust = policy()
    raw = ledger.prove("csrc.referral", 0, 20, ledger.note(*THREE)).to_bytes()
    assert EventProof.parse(raw).judge(trust).proven
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 1 if at % 2 else 2
        try:
            proof = EventProof.parse(bytes(changed))
        except ValueError:
            continue
        assert not proof.judge(trust).proven, f"byte {at}"


def test_no_part_of_another_proof_fits(ledger: SealedLedger) -> None:
    """Each part exchanged for that of another proof of the same ledger, or left out, is found."""
    trust, note = policy(), ledger.note(*THREE)
    proof = ledger.prove("csrc.referral", 0, 20, note)
    other = ledger.prove("csrc.referral", 0, 30, note)
    foreign = ledger.prove("mps.record", 3, 1, note)
    assert proof.judge(trust).proven
    exchanged = 0
    for donor in (other, foreign):
        for name in EventProof.__slots__:
            if getattr(donor, name) != getattr(proof, name):
                change: dict[str, Any] = {name: getattr(donor, name)}
                assert not replace(proof, **change).judge(trust).proven, name
                exchanged += 1
    for name in ("path", "head_path", "epoch_path"):
        way = getattr(proof, name)
        for changed in (way[:-1], way[1:], (*way, way[-1]), way[::-1], ()):
            shortened: dict[str, Any] = {name: changed}
            assert not replace(proof, **shortened).judge(trust).proven, name
    assert exchanged == 16


def test_each_broken_step_is_named(ledger: SealedLedger) -> None:
    """The verdict says which step does not hold, in words."""
    trust, note = policy(), ledger.note(*THREE)
    proof = ledger.prove("csrc.referral", 0, 20, note)
    steps: dict[str, dict[str, Any]] = {
        "the entry is not at index 21 of ledger.example/bus/csrc.referral/0/1": {"index": 21},
        "the head of ledger.example/bus/csrc.referral/0/1 is not in epoch 3": {"head_index": 2},
        "epoch 3 is not in ledger.example/bus at size 5": {"epoch_path": ()},
        "the headers given are not those of the entry": {"headers": bytes(4)},
    }
    for problem, change in steps.items():
        assert replace(proof, **change).judge(trust).problem == problem


def test_the_reader_decides_how_many_witnesses(ledger: SealedLedger) -> None:
    """Two cosignatures are provisional: enough for a policy of two, not for one of three."""
    proof = ledger.prove("csrc.referral", 0, 34, ledger.note("spp", "mps"))
    assert proof.judge(policy(2)).proven
    assert proof.judge(policy(3)).problem == "the quorum 'witnesses' is not reached: cosigned by spp, mps"
    assert ledger.prove("csrc.referral", 0, 34, ledger.note(*WITNESSES)).judge(policy(4)).proven


def test_a_rewritten_ledger_under_the_same_key_needs_witnesses(ledger: SealedLedger) -> None:
    """Who has the log's key and rewrites an entry can prove the rewritten one to nobody without witnesses."""
    forged = made.example()
    forged.records[next(iter(forged.records))][20] = forged.records[next(iter(forged.records))][3]
    forged.epochs.clear()
    forged.heads.clear()
    forged.seal()
    proof = forged.prove("csrc.referral", 0, 20, forged.note())
    assert proof.judge(policy(1)).problem == "the quorum 'witnesses' is not reached: cosigned by nobody"
    # With the cosignatures that were given for the true ledger the note does not hold.
    borrowed = forged.note().with_signatures(ledger.note(*THREE).signatures[1:])
    spoiled = replace(proof, note=borrowed).judge(policy(1))
    assert spoiled.problem is not None
    assert "does not hold" in spoiled.problem


def test_an_entry_under_another_ledgers_name(ledger: SealedLedger) -> None:
    """A proof of another ledger, rightly signed, does not prove anything of this one."""
    proof = ledger.prove("csrc.referral", 0, 20, ledger.note(*THREE))
    other = TlogProof.parse(proof.to_bytes())
    text = other.note.text.replace(made.LEDGER, "other.example/bus")
    note = SignedNote(text, ())
    judged = replace(proof, note=note).judge(policy())
    assert judged.problem is not None
    assert judged.problem.startswith("no log of the policy has signed for 'other.example/bus'")


def test_headers_may_be_left_out(ledger: SealedLedger) -> None:
    """Without headers the proof is of the leaf alone."""
    proof = ledger.prove("csrc.referral", 0, 20, ledger.note(*THREE), headers=False)
    assert EventProof.parse(proof.to_bytes()) == proof
    assert proof.judge(policy()).proven


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("\nextra ", "\nextra  "),
        ("\nextra ", "\nExtra "),
        ("\nindex 2\n", "\nindex 02\n"),
        ("\nindex 2\n", "\nindex -2\n"),
        ("\nindex 2\n", "\nindex\n"),
        ("\nindex 2\n", "\n"),
        ("\nindex 2\n", "\nindex 2\nAAAA\n"),
        ("\nindex 2\n", "\nindex 3\n"),
        ("\n\nledger", "\nledger"),
    ],
)
def test_malformed_files(ledger: SealedLedger, old: str, new: str) -> None:
    """What is no tlog-proof, or names another epoch than it holds, is not read."""
    text = ledger.prove("csrc.referral", 0, 20, ledger.note(*THREE)).to_bytes().decode()
    assert text.count(old) == 1
    with pytest.raises(ValueError):
        EventProof.parse(text.replace(old, new).encode())
