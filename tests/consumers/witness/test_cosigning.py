"""A witness cosigns what grows and agrees, on disk before it leaves; it refuses and keeps the rest."""

import sqlite3
from pathlib import Path

import pytest

from casebus_consumers.witness.key_file import KEY, STATE, enrol, key_name, load_key
from casebus_consumers.witness.state import KeyEnded, State
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.submission import Submission
from support.ledger.head_logs import ORIGIN
from support.ledger.witness_scenes import MINE, View, cosigned, heard, policy, read, record, witness


def view(epochs: int, word: bytes = b"") -> View:
    """A view of so many epochs, one record each."""
    found = View()
    for number in range(epochs):
        found.seal(word + str(number).encode())
    return found


def size(note_text: str) -> int:
    """Size of a checkpoint."""
    return Checkpoint.parse(note_text).size


@pytest.mark.parametrize("mirror", [False, True])
def test_four_witnesses_make_a_checkpoint_final(tmp_path: Path, mirror: bool) -> None:
    """Three of four cosignatures satisfy the policy, two do not."""
    rules, seen = policy(tmp_path, mirror=mirror), view(3)
    note = seen.sealed.log.note(3)
    for count, name in enumerate(("spp", "audit", "csrc"), start=1):
        one = witness(tmp_path, name, rules, [MINE] if mirror else None)
        read(one, [*seen.said, *seen.checkpoints()])
        note = note.with_signatures(cosigned(one).signatures)
        verdict = rules.judge(note)
        assert verdict.accepted == (count == 3)
    assert dict(verdict.witnesses) == dict.fromkeys(("spp", "csrc", "audit"), 1_700_000_000)


def test_the_state_is_on_disk_before_the_cosignature(tmp_path: Path) -> None:
    """Where the state cannot be written nothing is cosigned; afterwards it goes on from where it was."""
    rules, seen = policy(tmp_path), view(2)
    one = witness(tmp_path, "spp", rules)
    read(one, seen.checkpoints()[:1])
    other = sqlite3.connect(tmp_path / "spp" / STATE)
    stored = other.execute("SELECT size, line FROM cosigned").fetchone()
    assert one.last is not None
    assert stored == (1, str(one.last.line))
    other.execute("CREATE TRIGGER full BEFORE INSERT ON cosigned BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    other.commit()
    with pytest.raises(sqlite3.IntegrityError):
        one.submit(seen.sealed.log.body(1, 2))
    assert one.last.head.size == 1
    other.execute("DROP TRIGGER full")
    other.close()
    assert one.submit(seen.sealed.log.body(1, 2)).status == 200


def test_http_and_kafka_carry_the_same(tmp_path: Path) -> None:
    """A witness answers the bytes of a record as it answers the record; the proof begins at its own size."""
    rules, seen = policy(tmp_path), view(3)
    one, two = witness(tmp_path, "spp", rules), witness(tmp_path, "mps", rules)
    records = seen.checkpoints()
    read(one, records[:2])
    for each in records[:2]:
        assert two.submit(each.value or b"").status == 200
    assert cosigned(one).text == cosigned(two).text
    assert one.submit(records[0].value or b"") == (409, "2\n")
    assert one.submit(seen.sealed.log.body(0, 3)) == (409, "2\n")
    status, line = one.submit(seen.sealed.log.body(2, 3))
    assert status == 200
    assert line == f"{cosigned(one).signatures[1]}\n"
    assert one.submit(seen.sealed.log.body(3, 3)) == (200, line)


def test_a_mirror_does_not_cosign_what_it_has_not_read(tmp_path: Path) -> None:
    """It waits for the records that an epoch names, says for which, and cosigns when they are there."""
    rules, seen = policy(tmp_path, mirror=True), view(2)
    one = witness(tmp_path, "csrc", rules, [MINE])
    read(one, [*seen.checkpoints(), seen.said[0]])
    assert size(cosigned(one).text) == 1
    assert one.waits == "epoch 2: 1 of 2 records of csrc.referral/3"
    assert one.submit(seen.sealed.log.body(1, 2)).status == 503
    read(one, seen.said[1:])
    assert size(cosigned(one).text) == 2
    assert one.waits is None


def test_a_mirror_goes_on_where_it_was(tmp_path: Path) -> None:
    """A mirror that starts again reads from its last epoch on, and comes to the same roots."""
    rules, seen = policy(tmp_path, mirror=True), view(3)
    one = witness(tmp_path, "csrc", rules, [MINE])
    read(one, [*seen.said, *seen.checkpoints()[:2]])
    one.state.close()
    again = witness(tmp_path, "csrc", rules, [MINE])
    assert again.starts[MINE] == 2
    read(again, [*seen.checkpoints()[1:], *seen.said[2:]])
    assert size(cosigned(again).text) == 3


def test_a_mirror_refuses_what_kafka_does_not_hold(tmp_path: Path) -> None:
    """A log that differs from its records is evidence; nothing is cosigned any more, nor after a restart."""
    rules, seen = policy(tmp_path, mirror=True), view(2)
    one = witness(tmp_path, "csrc", rules, [MINE])
    read(one, [seen.said[0], *seen.checkpoints()])
    read(one, [record(MINE.topic, 1, b"forged", partition=MINE.partition)])
    assert one.stopped is not None
    assert one.stopped.startswith(f"contradiction: {ORIGIN}/csrc.referral/3/1: root ")
    assert one.evidence[-1].theirs == seen.sealed.log.note(2).to_bytes()
    seen.seal(b"more")
    read(one, [*seen.said[2:], *seen.checkpoints(3)])
    assert size(cosigned(one).text) == 1
    one.state.close()
    again = witness(tmp_path, "csrc", rules, [MINE])
    assert again.stopped is not None
    assert again.submit(seen.sealed.log.body(1, 3)).status == 503


def test_a_rewritten_history_is_refused(tmp_path: Path) -> None:
    """A log of another history beyond the cosigned size is not cosigned, and both notes are kept."""
    for mirror in (False, True):
        folder = tmp_path / str(mirror)
        rules, true, false = policy(folder, mirror=mirror), view(3), view(4, b"false ")
        one = witness(folder, "mps", rules, [] if mirror else None)
        read(one, true.checkpoints())
        read(one, false.checkpoints(4))
        assert size(cosigned(one).text) == 3
        assert one.waits is not None
        kept = one.evidence[-1]
        assert kept.kind == "inconsistent"
        assert kept.ours == true.sealed.log.note(3).to_bytes()
        assert kept.theirs == false.sealed.log.note(4).to_bytes()


def test_a_broken_record_does_not_end_a_witness(tmp_path: Path) -> None:
    """After a record with a false proof or false headers, the true one is cosigned: nobody signs those."""
    for mirror in (False, True):
        folder = tmp_path / str(mirror)
        rules, seen = policy(folder, mirror=mirror), view(2)
        one = witness(folder, "mps", rules, [] if mirror else None)
        first, second = seen.checkpoints()
        true = Submission.parse(second.value or b"")
        false = Submission(true.old_size, (*true.proof, bytes(32)), true.note).to_bytes()
        read(one, [first, second._replace(value=false, headers=first.headers)])
        assert size(cosigned(one).text) == 1
        assert one.waits is not None
        read(one, [second])
        assert size(cosigned(one).text) == 2
        assert one.stopped is None
        assert not one.waits


def test_what_no_log_signed_is_passed_over(tmp_path: Path) -> None:
    """Records on bus.checkpoint by another key count for nothing, and stop nothing."""
    rules, seen = policy(tmp_path), view(1)
    one = witness(tmp_path, "mps", rules)
    read(one, [record("bus.checkpoint", 0, b"noise"), *seen.checkpoints()])
    assert size(cosigned(one).text) == 1
    assert one.evidence == []


def test_a_missing_checkpoint_is_asked_for(tmp_path: Path) -> None:
    """A gap on bus.checkpoint is not jumped: the topic is to be read again, from its beginning."""
    for mirror in (False, True):
        folder = tmp_path / str(mirror)
        rules, seen = policy(folder, mirror=mirror), view(3)
        one = witness(folder, "mps", rules, [] if mirror else None)
        first, second, third = seen.checkpoints()
        read(one, [first, third])
        assert one.reread
        assert size(cosigned(one).text) == 1
        read(one, [first, second, third])
        assert size(cosigned(one).text) == 3


@pytest.mark.parametrize("mirror", [False, True])
def test_two_histories_are_found_within_two_epochs(tmp_path: Path, mirror: bool) -> None:
    """A log that shows two histories, each cosigned by one witness, is found, with both notes kept."""
    for when in ("before", "after"):
        folder = tmp_path / when
        rules = policy(folder, mirror=mirror)
        views = {"csrc": view(1), "mps": view(1, b"other ")}
        ones = {name: witness(folder, name, rules, [] if mirror else None) for name in views}
        for name, seen in views.items():
            seen.seal(name.encode())
            seen.seal(b"again")
        if when == "after":  # one hears of the other's head before it has that size itself
            read(ones["mps"], views["mps"].checkpoints()[:2])
            read(ones["csrc"], [heard(cosigned(ones["mps"]), "mps")])
            read(ones["csrc"], views["csrc"].checkpoints()[:2])
        else:
            for name, one in ones.items():
                read(one, views[name].checkpoints()[:2])
            read(ones["csrc"], [heard(cosigned(ones["mps"]), "mps")])
        assert ones["csrc"].stopped is not None
        assert ones["csrc"].stopped.startswith("split-view: size 2: root ")
        (kept,) = ones["csrc"].evidence
        assert kept.ours == views["csrc"].sealed.log.note(2).to_bytes()
        assert kept.theirs == views["mps"].sealed.log.note(2).to_bytes()
        before = ones["csrc"].last
        read(ones["csrc"], views["csrc"].checkpoints(3))
        assert ones["csrc"].last == before


def test_a_lost_state_ends_the_key(tmp_path: Path) -> None:
    """Without its state a key signs nothing: not from zero, not ever; another key is enrolled instead."""
    rules, seen = policy(tmp_path), view(2)
    one = witness(tmp_path, "spp", rules)
    read(one, seen.checkpoints())
    one.state.close()
    (tmp_path / "spp" / STATE).unlink()
    with pytest.raises(KeyEnded, match="is lost"):
        witness(tmp_path, "spp", rules)


def test_an_older_state_ends_the_key(tmp_path: Path) -> None:
    """A state put back from a copy, older than the witness's own topic, ends the key before it signs."""
    rules, seen = policy(tmp_path), view(3)
    one = witness(tmp_path, "spp", rules)
    read(one, seen.checkpoints()[:1])
    one.state.close()
    copy = (tmp_path / "spp" / STATE).read_bytes()
    later = witness(tmp_path, "spp", rules)
    read(later, seen.checkpoints()[1:2])
    note = cosigned(later)
    later.state.close()
    (tmp_path / "spp" / STATE).write_bytes(copy)
    old = witness(tmp_path, "spp", rules)
    with pytest.raises(KeyEnded, match="size 2 on its topic, 1 in its state"):
        old.check_own([note])
    old.state.close()
    with pytest.raises(KeyEnded, match="has ended"):
        witness(tmp_path, "spp", rules)


def test_others_cannot_end_a_key(tmp_path: Path) -> None:
    """Only a line that the key itself made counts: notes of others, or with a false line, end nothing."""
    rules, seen = policy(tmp_path), view(2)
    one, two = witness(tmp_path, "spp", rules), witness(tmp_path, "mps", rules)
    read(two, seen.checkpoints())
    read(one, seen.checkpoints()[:1])
    false = seen.sealed.log.note(2).with_signatures(cosigned(one).signatures[1:])
    one.check_own([cosigned(two), false, seen.sealed.log.note(2), cosigned(one)])


def test_a_key_has_one_purpose_and_one_reader(tmp_path: Path) -> None:
    """A key file that others may read, or that signs events, is refused with what to do."""
    name = key_name(ORIGIN, "spp", mirror=True)
    assert enrol(tmp_path, name)
    assert not enrol(tmp_path, name)
    key = load_key(tmp_path, name)
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="one key for two purposes"):
        load_key(tmp_path, name, [key.key.public])
    for mode in (0o640, 0o604, 0o660):
        (tmp_path / KEY).chmod(mode)
        with pytest.raises(UsageError, match=f"mode {mode:04o}"):
            load_key(tmp_path, name)


def test_a_mirror_and_a_witness_have_two_names(tmp_path: Path) -> None:
    """What a mirror says is more: its state is not that of a witness's key."""
    enrol(tmp_path, key_name(ORIGIN, "spp", mirror=True))
    key = load_key(tmp_path, key_name(ORIGIN, "spp", mirror=False))
    with pytest.raises(UsageError, match="another key"):
        State(tmp_path / STATE, str(key.key))
