"""A mirror finds each way in which an epoch may contradict Kafka's records or the epochs before."""

from dataclasses import dataclass, field

import pytest

from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.epoch import LogHead
from casebus_schemas.evidence.leaf import leaf_hash
from casebus_schemas.evidence.merkle import root_of
from casebus_schemas.evidence.mirror import Awaited, Judged, Mirror, Read
from casebus_schemas.wire.records import TopicPartition
from support.ledger.head_logs import ORIGIN, SEALED_MS, Sealed

MINE = TopicPartition("csrc.referral", 3)
THEIRS = TopicPartition("mps.referral", 3)
FINE = Judged()


def reads(first: int, count: int, word: str = "", at_ms: int = SEALED_MS) -> list[Read]:
    """Records from an offset on."""
    return [
        Read(offset, at_ms, leaf_hash(f"{word}{offset}".encode())) for offset in range(first, first + count)
    ]


def head(place: TopicPartition, records: list[Read], **changed: int) -> LogHead:
    """What a true sealer says of a log that holds these records."""
    end = records[-1].offset + 1
    said = {"size": len(records), "next_offset": end, "end_offset": end} | changed
    root = root_of([record.leaf_hash for record in records])
    return LogHead(
        f"{ORIGIN}/{place.topic}/{place.partition}/1", said["size"], root, *list(said.values())[1:]
    )


@dataclass
class Scene:
    """A sealer's epochs and a mirror that reads one of two partitions."""

    sealed: Sealed = field(default_factory=Sealed)
    mirror: Mirror = field(default_factory=lambda: Mirror(ORIGIN, [MINE]))

    def next(self, *heads: LogHead, at_ms: int | None = None) -> Judged:
        """Seals over these heads, and lets the mirror judge."""
        leaf = self.sealed.seal(heads, at_ms)
        return self.mirror.judge(leaf, self.sealed.epochs[-1][1], self.sealed.checkpoint(leaf.number))


def test_true_epochs_are_agreed_with() -> None:
    """Epochs that grow as Kafka did are agreed with, and the mirror knows what it must still read."""
    scene = Scene()
    mine, theirs = reads(0, 5), reads(0, 2, "their ")
    first = head(MINE, mine[:3])
    assert scene.mirror.awaited([first]) == [Awaited(MINE, 0, 3)]
    scene.mirror.add(MINE, mine)
    assert scene.mirror.awaited([first, head(THEIRS, theirs)]) == []
    assert scene.next(first, head(THEIRS, theirs)) == FINE
    assert scene.next(head(MINE, mine), head(THEIRS, theirs)) == FINE
    assert scene.next(head(MINE, mine), head(THEIRS, reads(0, 9, "their "))) == FINE
    assert scene.mirror.epochs.size == 3


def test_offsets_without_records_are_no_loss() -> None:
    """Markers of transactions take offsets: a log of fewer entries than offsets is agreed with."""
    scene = Scene()
    mine = [*reads(0, 2), *reads(5, 1)]
    scene.mirror.add(MINE, mine)
    assert scene.next(head(MINE, mine, next_offset=7, end_offset=7)) == FINE


def test_a_changed_record_is_found() -> None:
    """Another root than that of Kafka's records is a contradiction that names log and roots."""
    scene = Scene()
    scene.mirror.add(MINE, reads(0, 3))
    (problem,) = scene.next(head(MINE, [*reads(0, 2), *reads(2, 1, "forged ")])).contradictions
    assert problem.startswith(f"{ORIGIN}/csrc.referral/3/1: root ")
    assert root_of([one.leaf_hash for one in reads(0, 3)]).hex() in problem


@pytest.mark.parametrize("left_out", [0, 1, 2])
def test_a_record_that_was_left_out_is_found(left_out: int) -> None:
    """A log that lacks a record of Kafka is a contradiction, wherever the record stood."""
    scene = Scene()
    mine = reads(0, 4)
    scene.mirror.add(MINE, mine)
    kept = [record for record in mine if record.offset != left_out]
    assert scene.next(head(MINE, kept)).contradictions


def test_a_shorter_tail_under_a_later_offset_is_found() -> None:
    """A log that ends early but says that it has gone on to a later offset is a contradiction."""
    scene = Scene()
    scene.mirror.add(MINE, reads(0, 4))
    (problem,) = scene.next(head(MINE, reads(0, 3), next_offset=4, end_offset=4)).contradictions
    assert "next offset 4 after 3 records" in problem


@pytest.mark.parametrize("place", [MINE, THEIRS])
def test_a_log_does_not_shrink_or_change(place: TopicPartition) -> None:
    """A smaller size or another root of the same size is found also in logs that the mirror cannot read."""
    for later in (reads(0, 2), reads(0, 3, "other ")):
        scene = Scene()
        scene.mirror.add(MINE, reads(0, 3))
        assert scene.next(head(place, reads(0, 3)), head(TopicPartition("spp.key", 0), reads(0, 1))) == FINE
        assert scene.next(head(place, later), head(TopicPartition("spp.key", 0), reads(0, 1))).contradictions


def test_a_log_does_not_vanish() -> None:
    """An epoch of fewer logs than the one before is not agreed with, and nothing is taken in."""
    scene = Scene()
    assert scene.next(head(THEIRS, reads(0, 3)), head(TopicPartition("spp.key", 0), reads(0, 1))) == FINE
    assert scene.next(head(TopicPartition("spp.key", 0), reads(0, 2))).unproven
    assert scene.mirror.epochs.size == 1


def test_an_epoch_stands_on_the_one_before() -> None:
    """A checkpoint of another history proves nothing of this one, and nothing is taken in."""
    scene, other = Scene(), Sealed()
    assert scene.next(head(THEIRS, reads(0, 3))) == FINE
    other.seal([head(THEIRS, reads(0, 1))])
    leaf = other.seal([head(THEIRS, reads(0, 4))])
    assert scene.mirror.judge(leaf, other.epochs[-1][1], other.checkpoint(2)).unproven
    assert scene.mirror.epochs.size == 1


@pytest.mark.parametrize(("number", "previous"), [(7, None), (1, bytes(32))])
def test_an_epoch_says_where_it_stands(number: int, previous: bytes | None) -> None:
    """A leaf that the log signed, with a false number or root before it, is a contradiction."""
    sealed, mirror = Sealed(), Mirror(ORIGIN, [])
    leaf = sealed.seal([head(THEIRS, reads(0, 3))])
    false = leaf._replace(number=number, previous_root=previous or leaf.previous_root)
    root = root_of([false.hash()])
    assert mirror.judge(false, sealed.epochs[0][1], Checkpoint(ORIGIN, 1, root)).contradictions


def test_the_checkpoint_is_that_of_the_epochs() -> None:
    """A record whose epoch is not what its checkpoint stands for proves nothing against the log."""
    for size, root in ((1, bytes(32)), (2, None)):
        sealed, mirror = Sealed(), Mirror(ORIGIN, [])
        leaf = sealed.seal([head(THEIRS, reads(0, 3))])
        false = Checkpoint(ORIGIN, size, root or sealed.log.root(1))
        assert mirror.judge(leaf, sealed.epochs[0][1], false).unproven


def test_heads_that_were_not_sent_are_missed() -> None:
    """A record that does not bring all heads of its epoch is not agreed with; the whole one is."""
    sealed, mirror = Sealed(), Mirror(ORIGIN, [])
    leaf = sealed.seal([head(THEIRS, reads(0, 3)), head(MINE, reads(0, 1))])
    assert mirror.judge(leaf, sealed.epochs[0][1][:1], sealed.checkpoint(1)).unproven
    assert mirror.judge(leaf, sealed.epochs[0][1], sealed.checkpoint(1)) == FINE


def test_what_is_said_is_not_passed_off_as_silence() -> None:
    """An epoch that says Kafka ended before a record that it had long held is not agreed with."""
    scene = Scene()
    mine = reads(0, 3, at_ms=SEALED_MS - 40_000)
    scene.mirror.add(MINE, mine)
    found = scene.next(head(MINE, mine[:2]), at_ms=SEALED_MS)
    assert not found.contradictions
    (silence,) = found.silences
    assert silence.startswith("csrc.referral/3: ends at 2 in epoch 1")
    assert scene.next(head(MINE, mine), at_ms=SEALED_MS + 1) == FINE


def test_the_end_of_a_log_that_did_not_grow_is_looked_at() -> None:
    """A head that stays as it was cannot hide what came after it."""
    scene = Scene()
    scene.mirror.add(MINE, reads(0, 2))
    assert scene.next(head(MINE, reads(0, 2))) == FINE
    scene.mirror.add(MINE, reads(2, 1))
    late = scene.next(head(MINE, reads(0, 2)), head(THEIRS, reads(0, 1)), at_ms=SEALED_MS + 31_000)
    assert late.silences


def test_a_record_that_came_meanwhile_is_no_silence() -> None:
    """Records of about the time of sealing, or later, may be in the next epoch."""
    scene = Scene()
    scene.mirror.add(MINE, [*reads(0, 2), *reads(2, 1, at_ms=SEALED_MS + 5)])
    assert scene.next(head(MINE, reads(0, 2)), at_ms=SEALED_MS) == FINE


def test_a_partition_that_is_never_named_is_found() -> None:
    """An epoch without a log whose records Kafka has held for long is not agreed with."""
    scene = Scene()
    scene.mirror.add(MINE, reads(0, 1, at_ms=SEALED_MS))
    assert scene.next(head(THEIRS, reads(0, 1)), at_ms=SEALED_MS + 599_000) == FINE
    assert scene.next(head(THEIRS, reads(0, 2)), at_ms=SEALED_MS + 601_000).silences


def test_logs_of_another_ledger_are_refused() -> None:
    """A head whose origin is not of this ledger's form is a contradiction."""
    for name in ("elsewhere/csrc.referral/3/1", f"{ORIGIN}/3/1", f"{ORIGIN}/csrc.referral/x/1"):
        scene = Scene()
        assert scene.next(head(THEIRS, reads(0, 1))._replace(origin=name)).contradictions
