"""COSE receipts and proofs of growth from the ledger's tables, by the commands, verified without them."""

import json
from pathlib import Path

import pytest
import scitt_cose

from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.cose_receipt import ReceiptKey
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_services.ledger.store import LedgerStore
from support.events.sealing import SIGNER
from support.ledger.ledger_commands import command, url_of
from support.ledger.ledgers import TOPIC, run
from support.ledger.proven import THREE, ProvenLedger, policy_file


@pytest.fixture
def proven(store: LedgerStore, tmp_path: Path) -> ProvenLedger:
    """300 entries of one log, then 300 more and the first of another, in two epochs."""
    ledger = ProvenLedger(store, tmp_path)
    store.append([run(0, 300)])
    ledger.seal(*THREE)
    store.append([run(300, 600), run(0, 1, topic="mps.record", partition=2)])
    ledger.seal(*THREE)
    return ledger


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The operator's file of the receipt key."""
    file = tmp_path / "receipt.signing-key"
    file.write_text("5e" * 32)
    file.chmod(0o600)
    return file


def test_a_receipt_goes_out_and_is_verified_by_both(proven: ProvenLedger, key: Path, tmp_path: Path) -> None:
    """What the command writes is verified by another's program and by ours; a changed byte is told."""
    url = url_of(proven)
    receipt, leaf, pem = (tmp_path / name for name in ("event.cose", "event.leaf", "key.pem"))
    policy = policy_file(tmp_path)
    signing = ("--form", "cose", "--signing-key", key)
    made = command("prove", f"{TOPIC}/0/450", "-o", receipt, "--leaf", leaf, "--database-url", url, *signing)
    assert made.exit_code == 0, made.output
    assert command("receipt-key", "-o", pem, "--signing-key", key).exit_code == 0
    found = scitt_cose.verify_receipt(
        receipt.read_bytes(), leaf_entry_hex=leaf.read_bytes().hex(), log_public_key_pem=pem.read_text()
    )
    assert (found.ok, found.leaf_index, found.tree_size) == (True, 450, 600)
    shown = command("verify-proof", receipt, "--policy", policy, "--key", pem, "--json")
    body = json.loads(shown.output)
    assert (shown.exit_code, body["proven"], body["index"]) == (0, True, 450)
    without = command("verify-proof", receipt, "--policy", policy)
    assert (without.exit_code, "--key FILE" in without.output) == (2, True)
    *before, last = receipt.read_bytes()
    receipt.write_bytes(bytes([*before, last ^ 1]))
    assert command("verify-proof", receipt, "--policy", policy, "--key", pem).exit_code == 1


def test_a_log_of_one_entry_waits(proven: ProvenLedger, key: Path, tmp_path: Path) -> None:
    """The only entry of a log has a tlog-proof and no receipt, until the log holds another one."""
    url = url_of(proven)
    arguments = ("prove", "mps.record/2/0", "-o", tmp_path / "out", "--database-url", url)
    assert command(*arguments).exit_code == 0
    refused = command(*arguments, "--form", "cose", "--signing-key", key)
    assert (refused.exit_code, "alone in its log" in refused.output) == (2, True)
    proven.store.append([run(1, 2, topic="mps.record", partition=2)])
    proven.seal(*THREE)
    assert command(*arguments, "--form", "cose", "--signing-key", key).exit_code == 0


@pytest.mark.parametrize("form", ["tlog-proof", "cose"])
def test_growth_is_proven_from_what_was_kept(
    proven: ProvenLedger, key: Path, tmp_path: Path, form: str
) -> None:
    """Either form shows that the ledger extends a kept checkpoint, and not one of another history."""
    url = url_of(proven)
    out, kept, pem = tmp_path / "growth", tmp_path / "kept", tmp_path / "key.pem"
    policy = policy_file(tmp_path)
    notes = proven.sealing.notes()
    kept.write_text(notes[1])
    assert command("receipt-key", "-o", pem, "--signing-key", key).exit_code == 0
    how = ("--form", form, "--signing-key", key, "--database-url", url)
    made = command("prove-consistency", "--from", 1, "-o", out, *how)
    assert made.exit_code == 0, made.output
    verify = ("verify-consistency", out, "--policy", policy, "--key", pem, "--since", kept)
    shown = command(*verify, "--json")
    body = json.loads(shown.output)
    assert (shown.exit_code, body["proven"], body["old_size"], body["size"]) == (0, True, 1, 2)
    assert body["receipt_signed"] is (form == "cose")
    assert "只增未改" in command(*verify).output
    root = Checkpoint.parse(SignedNote.parse(notes[2].encode()).text).root
    other = Checkpoint(SIGNER.key.name, 1, root)
    kept.write_text(str(SIGNER.signed(str(other))))
    told = command(*verify)
    assert (told.exit_code, "does not extend" in told.output) == (1, True)
    nothing = command("prove-consistency", "--from", 2, "-o", out, *how)
    assert (nothing.exit_code, "no consistency proof" in nothing.output) == (2, True)


def test_only_who_has_the_key_makes_receipts(proven: ProvenLedger, key: Path, tmp_path: Path) -> None:
    """Without the key the command says who has it; a key file that others may read is refused."""
    url = url_of(proven)
    arguments = ("prove", f"{TOPIC}/0/4", "-o", tmp_path / "out", "--database-url", url, "--form", "cose")
    told = command(*arguments)
    assert (told.exit_code, "who signs the receipt" in told.output) == (2, True)
    key.chmod(0o644)
    wide = command(*arguments, "--signing-key", key)
    assert (wide.exit_code, "0600" in wide.output) == (2, True)
    assert not (tmp_path / "out").exists()


def test_the_key_file_is_the_readers(proven: ProvenLedger, key: Path, tmp_path: Path) -> None:
    """A key file that is none is named."""
    bad = tmp_path / "bad.pem"
    bad.write_text("x")
    told = command("verify-proof", key, "--policy", policy_file(tmp_path), "--key", bad)
    assert (told.exit_code, "bad.pem" in told.output) == (2, True)
    assert isinstance(ReceiptKey(SIGNER.key.public).key_id, bytes)
