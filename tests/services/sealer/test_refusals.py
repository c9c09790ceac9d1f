"""When nothing is signed: rows that were changed, copies of an older database, heads known elsewhere."""

import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from casebus_schemas.errors import StopService, UsageError
from casebus_schemas.evidence.key_file import read_seed
from casebus_schemas.evidence.signed_note import NoteSigner, SignedNote
from casebus_schemas.evidence.submission import Submission
from casebus_schemas.wire.records import TopicPartition
from casebus_services.ledger.store import LedgerStore
from casebus_services.sealer.high_water import FILE
from casebus_services.sealer.wiring import signer_of, witness_keys
from support.events.sealing import ORIGIN, SIGNER, Sealing, checkpoints, head, tamper
from support.ledger.ledgers import empty_sqlite, run

OURS = "log_id = (SELECT log_id FROM log WHERE kind = 'partition')"
EPOCHS = "log_id = (SELECT log_id FROM log WHERE kind = 'head')"
ZEROS = {"sqlite": "zeroblob({0})", "postgresql": "decode(repeat('00', {0}), 'hex')"}

APPENDED = {
    "entry-hash": (f"UPDATE entry SET leaf_hash = @32 WHERE {OURS} AND idx = 401", "entry 401"),
    "entry-leaf": (f"UPDATE entry SET leaf = @154 WHERE {OURS} AND idx = 402", "entry 402"),
    "entry-gone": (f"DELETE FROM entry WHERE {OURS} AND idx = 403", "entry 404"),
    "tail-gone": (f"DELETE FROM entry WHERE {OURS} AND idx >= 590", "no entry at index 590"),
    "renumbered": (
        f"UPDATE entry SET idx = 9999 WHERE {OURS} AND idx = 599",
        "no entry at index 599",
    ),
    "tile-hashes": (
        f"UPDATE tile SET hashes = @8192 WHERE {OURS} AND idx = 1",
        "level 0 index 1",
    ),
    "tile-root": (f"UPDATE tile SET root = @32 WHERE {OURS} AND idx = 1", "level 0 index 1"),
    "tile-gone": (f"DELETE FROM tile WHERE {OURS} AND idx = 1", "level 0 index 1: no row"),
    "batch-root": (
        f"UPDATE batch SET root = @32 WHERE {OURS} AND start_index = 300",
        "batch 300",
    ),
    "frontier": (
        f"UPDATE batch SET frontier = @128 WHERE {OURS} AND start_index = 300",
        "batch 300",
    ),
}
"""Rows behind the last epoch: the statement, and what the refusal names. @n are n zero bytes."""
SEALED = {
    "size": ("UPDATE epoch_head SET size = 299 WHERE epoch = 1", "epoch_head"),
    "root": ("UPDATE epoch_head SET root = @32 WHERE epoch = 1", "epoch_head"),
    "gone": ("DELETE FROM epoch_head WHERE epoch = 1", "epoch_head"),
    "log-shorter": (f"DELETE FROM batch WHERE {OURS}", "no batch row"),
    "old-entry": (
        f"UPDATE entry SET leaf_hash = @32 WHERE {OURS} AND idx = 299",
        "of size 300",
    ),
    "old-tile": (
        f"UPDATE tile SET root = @32 WHERE {OURS} AND idx = 0",
        "rows of csrc.referral/0",
    ),
    "epoch-leaf": (f"UPDATE entry SET leaf = @85 WHERE {EPOCHS} AND idx = 0", "head log"),
    "epoch-hash": (f"UPDATE entry SET leaf_hash = @32 WHERE {EPOCHS} AND idx = 0", "head log"),
    "epoch-gone": (f"DELETE FROM entry WHERE {EPOCHS}", "head log"),
    "head-root": (f"UPDATE batch SET root = @32 WHERE {EPOCHS}", "head log"),
    "no-checkpoint": ("DELETE FROM checkpoint", "checkpoint"),
    "checkpoint-root": ("UPDATE checkpoint SET root = @32", "checkpoint"),
    "checkpoint-note": ("UPDATE checkpoint SET note = replace(note, 'ledger', 'lodger')", "checkpoint"),
}
"""Rows of the last epoch itself, and what it stands on."""


def in_words_of(store: LedgerStore, statement: str) -> str:
    """The statement in the database's own words."""
    zeros = ZEROS[store.database.dialect]
    for count in (8192, 154, 128, 85, 32):
        statement = statement.replace(f"@{count}", zeros.format(count))
    return statement


def sealed_once(sealing: Sealing) -> None:
    """300 entries in an epoch."""
    sealing.sealer.start()
    sealing.store.append([run(0, 300)])
    assert sealing.sealer.turn()


def refusal(sealing: Sealing) -> str:
    """Why a sealer seals nothing; no checkpoint was made or sent."""
    notes, sent = sealing.notes(), list(checkpoints(sealing.topics))

    def try_it() -> None:
        sealing.sealer.start()
        sealing.sealer.turn()

    with pytest.raises(StopService) as refused:
        try_it()
    assert sealing.notes() == notes
    assert checkpoints(sealing.topics) == sent
    return refused.value.detail


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("case", APPENDED)
def test_a_changed_row_is_named_and_nothing_signed(sealing: Sealing, case: str, restarted: bool) -> None:
    """Whatever row changes between append and seal is found when it is read back, also by a new sealer."""
    statement, named = APPENDED[case]
    sealed_once(sealing)
    sealing.store.append([run(300, 600)])
    tamper(sealing.store, in_words_of(sealing.store, statement))
    found = refusal(sealing.again() if restarted else sealing)
    assert named in found
    assert "csrc.referral/0" in found


def test_a_flipped_bit_stops_no_append(sealing: Sealing) -> None:
    """The ledger goes on while its sealer refuses, and once the row is as it was an epoch has all."""
    sealed_once(sealing)
    (result,) = sealing.store.append([run(300, 310)])
    hashes = text("SELECT leaf_hash FROM entry WHERE idx = 305")
    with sealing.store.database.engine.begin() as connection:
        right: bytes = connection.execute(hashes).scalar_one()
    flipped = bytes((right[0] ^ 1, *right[1:]))
    literal = "X'{}'" if sealing.store.database.dialect == "sqlite" else "decode('{}', 'hex')"
    for value in (flipped, right):
        tamper(
            sealing.store,
            f"UPDATE entry SET leaf_hash = {literal.format(value.hex())} WHERE idx = 305",
        )
        if value == flipped:
            assert "entry 305: leaf_hash " + flipped.hex() in refusal(sealing)
            sealing.store.append([run(310, 320)])
    again = sealing.again()
    again.sealer.start()
    assert again.sealer.turn()
    with sealing.store.database.engine.begin() as connection:
        assert connection.execute(text("SELECT max(size) FROM epoch_head")).scalar() == 320
    assert result.end == 310


@pytest.mark.parametrize("case", SEALED)
def test_what_was_sealed_must_still_fit(sealing: Sealing, case: str) -> None:
    """A sealer does not build on an epoch whose own rows, or those below it, no longer give it."""
    statement, named = SEALED[case]
    sealed_once(sealing)
    sealing.store.append([run(300, 301)])
    tamper(sealing.store, in_words_of(sealing.store, statement))
    assert named in refusal(sealing.again())


def older_copy(tmp_path: Path) -> tuple[Sealing, Path]:
    """A ledger of two epochs, and a copy of its file after the first."""
    url = empty_sqlite(tmp_path)
    file = Path(url.removeprefix("sqlite:///"))
    sealing = Sealing(LedgerStore(url), tmp_path)
    sealed_once(sealing)
    sealing.store.close()
    shutil.copyfile(file, f"{file}.old")
    sealing = Sealing(LedgerStore(url), tmp_path, sealing.topics)
    sealing.sealer.start()
    sealing.store.append([run(300, 310)])
    assert sealing.sealer.turn()
    sealing.store.close()
    return sealing, Path(f"{file}.old")


@pytest.mark.parametrize("left", ["high-water", "published", "cosigned"])
def test_an_older_copy_of_the_database_signs_nothing(tmp_path: Path, left: str) -> None:
    """Whichever one place still knows the larger head is enough to stop a ledger restored from a copy."""
    sealing, old = older_copy(tmp_path)
    note = Submission.parse(checkpoints(sealing.topics)[-1].value or b"").note
    if left != "high-water":
        (tmp_path / FILE).unlink()
    if left != "published":
        sealing.topics.records.clear()
    if left == "cosigned":
        sealing.topics.cosign(note)
    restored = Sealing(LedgerStore(f"sqlite:///{old}"), tmp_path, sealing.topics)
    restored.store.append([run(300, 310)])
    assert "knows a larger head, found 1 epochs in the database, expected at least 2" in refusal(restored)
    restored.store.close()


def test_an_older_copy_without_any_witness_is_not_told(tmp_path: Path) -> None:
    """Without file, topic and cosignature nothing shows that a copy is old: witnesses are needed."""
    sealing, old = older_copy(tmp_path)
    (tmp_path / FILE).unlink()
    sealing.topics.records.clear()
    restored = Sealing(LedgerStore(f"sqlite:///{old}"), tmp_path, sealing.topics)
    restored.store.append([run(300, 311)])
    restored.sealer.start()
    assert restored.sealer.turn()
    restored.store.close()


def test_another_head_of_the_same_size_stops_the_sealer(sealing: Sealing) -> None:
    """Who was shown another history of the same length is believed, if this ledger's key signed it."""
    sealed_once(sealing)
    sealing.topics.cosign(SIGNER.signed(head(1, bytes(32))))
    sealing.store.append([run(300, 301)])
    assert "knows another head of size 1" in refusal(sealing.again())


def test_it_stops_while_nothing_grows(sealing: Sealing) -> None:
    """A larger head that a witness shows is heard of at once, not with the next entry."""
    sealed_once(sealing)
    sealing.topics.cosign(SIGNER.signed(head(7, bytes(32))))
    sealing.catch_up()
    with pytest.raises(StopService, match="knows a larger head"):
        sealing.sealer.turn()


def test_made_up_heads_stop_nothing(sealing: Sealing) -> None:
    """What this ledger's key has not signed, another log's head and noise are counted and passed over."""
    sealed_once(sealing)
    stranger = NoteSigner(ORIGIN, sha256(b"another key").digest())
    sealing.topics.cosign(SIGNER.signed(head(9, bytes(32))), signed=False)
    sealing.topics.cosign(stranger.signed(head(9, bytes(32))))
    sealing.topics.cosign(SIGNER.signed(head(9, bytes(32), "another.example/ledger")))
    (noise,) = [record for record in sealing.topics.records if record.topic == "bus.checkpoint"]
    sealing.topics.records.append(noise._replace(topic="spp.cosignature", value=b"\xff"))
    sealing.topics.records.append(noise._replace(topic="spp.cosignature", value=None))
    sealing.store.append([run(300, 301)])
    assert sealing.sealer.turn()
    assert sealing.known.ignored == 5


@pytest.mark.parametrize("content", [b"", b"\xff", b"no note\n", str(SignedNote("x\n")).encode()])
def test_a_high_water_file_that_says_nothing_stops_it(sealing: Sealing, content: bytes) -> None:
    """A file that was changed is told from one that is not there yet."""
    sealed_once(sealing)
    (sealing.folder / FILE).write_bytes(content)
    assert "holds no checkpoint of this ledger" in refusal(sealing.again())


def test_the_high_water_file_is_the_last_checkpoint(sealing: Sealing) -> None:
    """The file holds the very note, so that it is evidence by itself."""
    sealed_once(sealing)
    assert (sealing.folder / FILE).read_text() == sealing.notes()[1]


def test_kafka_behind_the_ledger_stops_it(sealing: Sealing) -> None:
    """A head never says that Kafka ends before what the ledger has of it."""
    sealing.beyond = {TopicPartition("csrc.referral", 0): -1}
    sealing.store.append([run(0, 3)])
    assert "Kafka ends before the ledger in csrc.referral/0" in refusal(sealing)


def test_another_origin_is_refused(sealing: Sealing) -> None:
    """The first epoch fixes the ledger's name."""
    sealed_once(sealing)
    again = sealing.again()
    again.epochs.origin = "another.example/ledger"
    assert "sealed under another origin" in refusal(again)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """A key file with any right for others is no key."""
    file = tmp_path / "log.signing-key"
    file.write_text("ab" * 32)
    file.chmod(0o600)
    assert read_seed(file) == b"\xab" * 32
    file.chmod(mode)
    with pytest.raises(UsageError, match="others may read or write"):
        read_seed(file)


@pytest.mark.parametrize("content", ["", "ab", "zz" * 32, "ab" * 33])
def test_what_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    """A file that does not hold 32 bytes in hexadecimal is told by its name."""
    file = tmp_path / "log.signing-key"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(UsageError, match=r"log\.signing-key"):
        read_seed(file)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "证监会", "x" * 101])
def test_what_cannot_be_an_origin_is_refused(tmp_path: Path, origin: str) -> None:
    """The name of a ledger is checked before the first epoch fixes it."""
    with pytest.raises(UsageError, match="origin"):
        signer_of(origin, tmp_path / "key")


def test_without_a_policy_no_witness_is_known(tmp_path: Path) -> None:
    """A policy that is not there names nobody; one that cannot be read stops the start."""
    assert witness_keys(None) == {}
    assert witness_keys(tmp_path / "policy") == {}
    (tmp_path / "policy").write_text("witness\n")
    with pytest.raises(UsageError, match="line 1"):
        witness_keys(tmp_path / "policy")
