"""Verification of epochs: whatever was changed in head log, heads, checkpoints and cosignatures."""

from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from casebus_consumers.auditor.epoch_check import Trusted
from casebus_consumers.auditor.verify import verify_ledger
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.signed_note import NoteSigner
from casebus_schemas.evidence.submission import Submission
from casebus_services.ledger.store import LedgerStore
from support.events.sealing import ORIGIN, SIGNER, WITNESS, Sealing, checkpoints, tamper
from support.ledger.ledgers import run

TRUSTED = Trusted(SIGNER.key, {"mps": WITNESS.key})
OURS = "log_id = (SELECT log_id FROM log WHERE topic = 'csrc.referral')"
EPOCHS = "log_id = (SELECT log_id FROM log WHERE kind = 'head')"


@pytest.fixture
def sealing(store: LedgerStore, tmp_path: Path) -> Sealing:
    """Five epochs over two logs, two of them over one batch each, all cosigned by one witness."""
    sealing = Sealing(store, tmp_path)
    sealing.sealer.start()
    store.append([run(0, 30, topic="bus.admission")])
    for number in range(5):
        store.append([run(100 * number, 100 * number + 50)])
        store.append([run(100 * number + 50, 100 * number + 100)])
        assert sealing.sealer.turn()
    for record in list(checkpoints(sealing.topics)):
        sealing.topics.cosign(Submission.parse(record.value or b"").note)
    sealing.catch_up()
    sealing.sealer.turn()
    return sealing


def test_sound_epochs(sealing: Sealing) -> None:
    """A sealed ledger is sound, entries are those of records, and the head log stands apart."""
    report = verify_ledger(sealing.store.database, trusted=TRUSTED)
    assert report.damages == []
    assert (report.entries, report.epochs, report.checkpoints, report.cosignatures) == (530, 5, 5, 5)
    assert [log.size for log in report.logs] == [30, 500]
    assert report.head is not None
    last = Submission.parse(checkpoints(sealing.topics)[-1].value or b"").note
    assert Checkpoint.parse(last.text) == Checkpoint(ORIGIN, report.head.size, report.head.root)
    assert report.log_key == str(SIGNER.key)


def test_a_ledger_that_was_never_sealed_has_no_head(store: LedgerStore) -> None:
    """Before the first epoch there is nothing to check, and that is said."""
    store.append([run(0, 3)])
    report = verify_ledger(store.database, trusted=TRUSTED)
    assert (report.ok, report.head, report.epochs, report.checkpoints) == (True, None, 0, 0)


def forged(size: int) -> str:
    """A note on another head of that size, by another key."""
    other = NoteSigner(ORIGIN, sha256(b"another").digest())
    return str(other.signed(str(Checkpoint(ORIGIN, size, bytes(32)))))


DAMAGES: dict[str, tuple[str, str, str, str]] = {
    "head's root": (
        "UPDATE epoch_head SET root = @32 WHERE epoch = 3",
        "epoch_head",
        "epoch 3",
        "by the entries",
    ),
    "head's size": (
        "UPDATE epoch_head SET size = 299 WHERE epoch = 3",
        "epoch_head",
        "epoch 3",
        "by the entries",
    ),
    "head's next": (
        "UPDATE epoch_head SET next_offset = 301, end_offset = 301 WHERE epoch = 3",
        "epoch_head",
        "epoch 3",
        "at most 300",
    ),
    "head's end": (
        "UPDATE epoch_head SET end_offset = 999 WHERE epoch = 3",
        "epoch_head",
        "epoch 3",
        "by its leaf",
    ),
    "head gone": (
        "DELETE FROM epoch_head WHERE epoch = 3",
        "epoch_head",
        "epoch 3",
        "the heads that have changed",
    ),
    "head beyond": (
        "UPDATE epoch_head SET size = 501, next_offset = 501, end_offset = 501 WHERE epoch = 5",
        "epoch_head",
        "epoch 5",
        "at most 500",
    ),
    "head of no epoch": (
        "UPDATE epoch_head SET epoch = 6 WHERE epoch = 5",
        "epoch_head",
        "epoch 6",
        "no such epoch",
    ),
    "leaf": (f"UPDATE entry SET leaf = @85 WHERE {EPOCHS} AND idx = 2", "entry", "index 2, leaf", "an epoch"),
    "leaf's hash": (
        f"UPDATE entry SET leaf_hash = @32 WHERE {EPOCHS} AND idx = 2",
        "entry",
        "index 2, leaf_hash",
        "by column leaf",
    ),
    "epoch gone": (f"DELETE FROM entry WHERE {EPOCHS} AND idx = 2", "entry", "index 2", "a row"),
    "epoch's key": (
        f"UPDATE entry SET key = @32 WHERE {EPOCHS} AND idx = 2",
        "entry",
        "index 2, key",
        "null",
    ),
    "epoch's offset": (
        f"UPDATE entry SET koffset = 77 WHERE {EPOCHS} AND idx = 4",
        "entry",
        "index 4, koffset",
        "4",
    ),
    "head log's batch": (
        f"UPDATE batch SET root = @32 WHERE {EPOCHS} AND start_index = 4",
        "batch",
        "start_index 4",
        "by the entries",
    ),
    "checkpoint's root": (
        "UPDATE checkpoint SET root = @32 WHERE head_size = 3",
        "checkpoint",
        "size 3",
        "by the head log",
    ),
    "checkpoint's note": (
        f"UPDATE checkpoint SET note = '{forged(3)}' WHERE head_size = 3",
        "checkpoint",
        "size 3",
        "one on",
    ),
    "checkpoint gone": ("DELETE FROM checkpoint WHERE head_size = 3", "checkpoint", "size 3", "a row"),
    "checkpoint beyond": (
        "UPDATE checkpoint SET head_size = 9 WHERE head_size = 5",
        "checkpoint",
        "size 9",
        "no such epoch",
    ),
    "cosignature's line": (
        "UPDATE cosignature SET line = (SELECT line FROM cosignature WHERE head_size = 2) "
        "WHERE head_size = 3",
        "cosignature",
        "size 3, mps.example/witness",
        "a witness's line",
    ),
    "cosignature's time": (
        "UPDATE cosignature SET timestamp = 7 WHERE head_size = 3",
        "cosignature",
        "size 3, mps.example/witness",
        "by the line",
    ),
    "cosignature's key": (
        "UPDATE cosignature SET key_name = 'spp' WHERE head_size = 3",
        "cosignature",
        "size 3, spp",
        "spp+",
    ),
    "cosignature of nothing": (
        "UPDATE cosignature SET head_size = 9 WHERE head_size = 5",
        "cosignature",
        "size 9, mps.example/witness",
        "no such checkpoint",
    ),
}
"""What the owner of the database does; the table, row and words of a damage that must be named."""


@pytest.mark.parametrize("case", DAMAGES)
def test_each_change_is_named(sealing: Sealing, case: str) -> None:
    """Whichever row of the epochs is changed or removed, the verification names that row."""
    statement, table, row, words = DAMAGES[case]
    zeros = {"sqlite": "zeroblob({0})", "postgresql": "decode(repeat('00', {0}), 'hex')"}
    for count in (85, 32):
        statement = statement.replace(f"@{count}", zeros[sealing.store.database.dialect].format(count))
    tamper(sealing.store, statement)
    report = verify_ledger(sealing.store.database, trusted=TRUSTED)
    named = [damage for damage in report.damages if (damage.table, damage.row) == (table, row)]
    assert any(words in damage.expected for damage in named), report.damages


def test_another_key_is_told(sealing: Sealing) -> None:
    """Notes under another key than the one that the auditor brings are not believed."""
    stranger = NoteSigner(ORIGIN, sha256(b"another").digest())
    report = verify_ledger(sealing.store.database, trusted=Trusted(stranger.key))
    assert report.damage_count == 5
    assert report.damages[0].found == "a note without the log's signature"
    assert verify_ledger(sealing.store.database).ok


def test_a_tail_removed_from_all_tables_shows_by_its_epochs(sealing: Sealing) -> None:
    """A log whose last batch was removed everywhere is shorter than its epochs say."""
    gone = f"SELECT max(start_index) FROM batch WHERE {OURS}"
    with sealing.store.database.engine.begin() as connection:
        start = connection.execute(text(gone)).scalar_one()
    tamper(
        sealing.store,
        f"DELETE FROM batch WHERE {OURS} AND start_index = {start}",
        f"DELETE FROM entry WHERE {OURS} AND idx >= {start}",
        "DELETE FROM payload WHERE value_sha256 NOT IN "
        "(SELECT value_sha256 FROM entry WHERE value_sha256 IS NOT NULL)",
    )
    report = verify_ledger(sealing.store.database, trusted=TRUSTED)
    assert [(damage.table, damage.row, damage.found) for damage in report.damages] == [
        ("epoch_head", "epoch 5", "size 500")
    ]
