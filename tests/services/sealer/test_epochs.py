"""Epochs of a growing ledger: what is sealed, signed and published; crashes, and two sealers at once."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from casebus_consumers.auditor.epoch_check import Trusted
from casebus_consumers.auditor.verify import verify_ledger
from casebus_schemas.errors import BusError, RetryLater
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.epoch import EpochTree, LogHead, read_epoch_headers, with_changes
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.evidence.merkle import EMPTY_ROOT, Frontier, root_of, verify_consistency
from casebus_schemas.evidence.submission import Submission
from casebus_schemas.wire.records import TopicPartition
from casebus_services.ledger.appending import Fenced
from casebus_services.ledger.store import LedgerStore
from support.events.sealing import ORIGIN, SIGNER, WITNESS, Sealing, checkpoints
from support.ledger.ledgers import empty_sqlite, run

REFERRAL, ADMISSION = "csrc.referral", "bus.admission"


def log_root(count: int, topic: str = REFERRAL) -> bytes:
    """Root of a log over the first made-up records, computed apart."""
    return root_of([leaf_hash(leaf(record)) for record in run(0, count, topic=topic).records])


def test_an_epoch_seals_the_heads_of_all_logs(sealing: Sealing) -> None:
    """The first epoch has every log's size and root, where it goes on, and where Kafka ended."""
    sealing.store.append([run(0, 3), run(0, 2, topic=ADMISSION)])
    sealing.beyond = {TopicPartition(REFERRAL, 0): 5}
    sealing.sealer.start()
    assert sealing.sealer.turn()
    (record,) = checkpoints(sealing.topics)
    epoch, heads = read_epoch_headers(record.headers)
    assert heads == [
        LogHead("bus.example/ledger/bus.admission/0/1", 2, log_root(2, ADMISSION), 2, 2),
        LogHead("bus.example/ledger/csrc.referral/0/1", 3, log_root(3), 3, 8),
    ]
    assert (epoch.number, epoch.previous_root, epoch.head_count) == (1, EMPTY_ROOT, 2)
    assert epoch.heads_root == EpochTree(heads).root
    submission = Submission.parse(record.value or b"")
    assert (submission.old_size, submission.proof, record.key) == (0, (), ORIGIN.encode())
    assert Checkpoint.parse(submission.note.text) == Checkpoint(ORIGIN, 1, epoch.hash())
    assert submission.note.is_signed_by(SIGNER.key)
    assert sealing.notes() == {1: str(submission.note)}


def test_whoever_reads_all_records_has_every_epoch(sealing: Sealing) -> None:
    """From the changes alone each epoch's tree can be made, and every checkpoint extends the one before."""
    sealing.sealer.start()
    for number in range(300):
        topic = ADMISSION if number % 3 else REFERRAL
        first = sealing.store.next_offsets([TopicPartition(topic, 0)])[TopicPartition(topic, 0)]
        sealing.store.append([run(first, first + 1, topic=topic)])
        assert sealing.sealer.turn()
    heads: list[LogHead] = []
    log, root = Frontier(), EMPTY_ROOT
    for number, record in enumerate(checkpoints(sealing.topics), start=1):
        epoch, changed = read_epoch_headers(record.headers)
        assert len(changed) == 1
        heads = with_changes(heads, changed)
        assert (epoch.number, epoch.previous_root, epoch.heads_root) == (number, root, EpochTree(heads).root)
        submission = Submission.parse(record.value or b"")
        said = Checkpoint.parse(submission.note.text)
        log.append(epoch.hash())
        assert (said.size, said.root) == (number, log.root())
        if number > 1:
            assert verify_consistency(number - 1, number, submission.proof, root, said.root)
        root = said.root
    assert log.size == 300
    tiles = text("SELECT count(*) FROM tile JOIN log USING (log_id) WHERE kind = 'head'")
    with sealing.store.database.engine.begin() as connection:
        assert connection.execute(tiles).scalar() == 1


def test_nothing_is_sealed_while_nothing_grows(sealing: Sealing) -> None:
    """An empty ledger, and one that did not grow since the last epoch, give none; nor do later ends alone."""
    sealing.sealer.start()
    assert not sealing.sealer.turn()
    sealing.store.append([run(0, 1)])
    assert sealing.sealer.turn()
    sealing.beyond = {TopicPartition(REFERRAL, 0): 1}
    assert not sealing.sealer.turn()
    assert len(checkpoints(sealing.topics)) == 1


def test_an_hour_of_silence_is_an_epoch(sealing: Sealing, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour after the last epoch one is sealed over the same heads; before the first there is none."""
    sealing.sealer.start()
    clock = [time.time_ns()]
    monkeypatch.setattr(time, "time_ns", lambda: clock[0])
    monkeypatch.setattr(time, "time", lambda: clock[0] / 1e9)
    clock[0] += 4000 * 1_000_000_000
    assert not sealing.sealer.turn()
    sealing.store.append([run(0, 1)])
    assert sealing.sealer.turn()
    clock[0] += 3599 * 1_000_000_000
    assert not sealing.sealer.turn()
    clock[0] += 1_000_000_000
    assert sealing.sealer.turn()
    assert not sealing.sealer.turn()
    first, second = (read_epoch_headers(record.headers) for record in checkpoints(sealing.topics))
    assert second[1] == []
    assert second[0].heads_root == first[0].heads_root
    assert second[0].sealed_at_ms - first[0].sealed_at_ms == 3_600_000
    report = verify_ledger(sealing.store.database, trusted=Trusted(SIGNER.key, {}))
    assert (report.damages, report.epochs) == ([], 2)
    sealing.store.append([run(1, 2)])
    again = sealing.again()
    again.sealer.start()
    assert again.sealer.turn()
    assert len(checkpoints(sealing.topics)) == 3


def test_what_a_crash_left_is_published(sealing: Sealing) -> None:
    """What was sealed and not sent goes out at the next start, in order; repeats are the same bytes."""
    sealing.sealer.start()
    sealing.store.append([run(0, 3)])
    sealing.topics.fails = 1
    with pytest.raises(ConnectionError):
        sealing.sealer.turn()
    assert checkpoints(sealing.topics) == []
    again = sealing.again()
    again.sealer.start()
    again.store.append([run(3, 4)])
    assert again.sealer.turn()
    first, second = checkpoints(sealing.topics)
    # A sealer that does not know of them sends them once more.
    sealing.topics.records.clear()
    blind = sealing.again()
    blind.sealer.start()
    assert [record.value for record in checkpoints(sealing.topics)] == [first.value, second.value]
    assert [record.headers for record in checkpoints(sealing.topics)] == [first.headers, second.headers]


def test_two_sealers_at_once_sign_each_size_once(store: LedgerStore, tmp_path: Path) -> None:
    """Whichever of two sealers is faster, each size has one checkpoint, and the epochs are one chain."""
    one = Sealing(store, tmp_path)
    topics, done = one.topics, threading.Event()
    signed: dict[int, set[str]] = {}
    failures: list[BusError] = []

    def seal(sealing: Sealing) -> None:
        try:
            sealing.sealer.start()
            while not done.is_set():
                try:
                    sealing.sealer.turn()
                except Fenced:
                    continue
        except BusError as error:
            failures.append(error)

    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    threads = [threading.Thread(target=seal, args=(Sealing(store, folder, topics),)) for folder in folders]
    for thread in threads:
        thread.start()
    for number in range(40):
        store.append([run(number, number + 1)])
    while store.next_offsets_of_all() and not failures:
        with store.database.engine.begin() as connection:
            sealed = connection.execute(text("SELECT max(size) FROM epoch_head")).scalar()
        if sealed == 40:
            break
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    for record in checkpoints(topics):
        note = Submission.parse(record.value or b"").note
        signed.setdefault(Checkpoint.parse(note.text).size, set()).add(str(note))
    notes = one.notes()
    assert sorted(notes) == list(range(1, len(notes) + 1))
    assert signed == {size: {note} for size, note in notes.items()}


def test_cosignatures_are_kept(sealing: Sealing) -> None:
    """A known witness's line for a checkpoint of this ledger is stored, the first one of its key."""
    sealing.sealer.start()
    sealing.store.append([run(0, 1)])
    sealing.sealer.turn()
    note = Submission.parse(checkpoints(sealing.topics)[0].value or b"").note
    for _ in range(2):
        sealing.topics.cosign(note)
    sealing.catch_up()
    sealing.sealer.turn()
    with sealing.store.database.engine.begin() as connection:
        rows = connection.execute(
            text("SELECT head_size, key_name, key_id, timestamp, line FROM cosignature")
        )
        line = str(WITNESS.cosign(note.text, 1_669_000_000))
        expected = (1, "mps.example/witness", WITNESS.key.key_id, 1_669_000_000, line)
        assert [tuple(row) for row in rows] == [expected]


def test_a_full_disk_leaves_no_epoch_half_stored(tmp_path: Path) -> None:
    """A disk that becomes full is told as what passes; with room again the epoch is sealed whole."""
    store = LedgerStore(empty_sqlite(tmp_path))
    sealing = Sealing(store, tmp_path)
    sealing.sealer.start()
    store.append([run(0, 400)])
    with store.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def grow() -> None:
        for number in range(400, 460):
            sealing.sealer.seal()
            store.append([run(number, number + 1)])

    with pytest.raises(RetryLater, match="cannot be written"):
        grow()
    before = len(sealing.notes())
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    store.append([run(500, 501)], {TopicPartition(REFERRAL, 0): 500})
    assert sealing.sealer.seal() == before + 1
    assert sorted(sealing.notes()) == list(range(1, before + 2))
    store.close()


@pytest.mark.parametrize("table", ["epoch_head", "checkpoint", "cosignature"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_epochs_are_insert_only(sealing: Sealing, table: str, verb: str) -> None:
    """Nobody changes or removes what was sealed by accident."""
    sealing.sealer.start()
    sealing.store.append([run(0, 1)])
    sealing.sealer.turn()
    sealing.topics.cosign(Submission.parse(checkpoints(sealing.topics)[0].value or b"").note)
    sealing.catch_up()
    sealing.sealer.turn()
    column = "epoch" if table == "epoch_head" else "head_size"
    with (
        pytest.raises(DBAPIError, match="insert-only"),
        sealing.store.database.engine.begin() as connection,
    ):
        connection.execute(text(verb.format(table, column, column)))
