"""Epochs: bytes counted by hand and hashed with another program, trees over heads, a strict reader."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.evidence.epoch import (
    EpochLeaf,
    EpochTree,
    LogHead,
    changed_heads,
    epoch_headers,
    epoch_of,
    is_origin,
    log_origin,
    read_epoch_headers,
    with_changes,
)
from casebus_schemas.evidence.merkle import EMPTY_ROOT, Frontier, verify_inclusion

LEDGER = "bus.example/ledger"
REFERRALS = LogHead(
    "bus.example/ledger/csrc.referral/3/1",
    1,
    bytes.fromhex("af83d0381e134050e56463ac4cb1f8587b982adff33ef7f6bfe5affc36772cf5"),
    42,
    42,
)
ADMISSIONS = LogHead(
    "bus.example/ledger/bus.admission/3/1",
    2,
    bytes.fromhex("b567c0cbb2e85c295e6ade930e5bb349a4b9bee9489caa7d6b679dd46e82a711"),
    5,
    7,
)
REFERRALS_TEXT = (
    "bus.example/ledger/csrc.referral/3/1\n1\nr4PQOB4TQFDlZGOsTLH4WHuYKt/zPvf2v+Wv/DZ3LPU=\nnext 42\nend 42\n"
)
ADMISSIONS_TEXT = (
    "bus.example/ledger/bus.admission/3/1\n2\ntWfAy7LoXCleat6TDluzSaS5vulInKp9a2ed1G6CpxE=\nnext 5\nend 7\n"
)
# With sha256sum: 00 and a text for each head, 01 and both for the tree.
TREE = bytes.fromhex("56f1fb2dcf893d9091374daf45a67e92f453215c46d52f978195a25345aa17a7")
# u8 1, u64 1, i64 1669000000123, SHA-256 of nothing, u32 2, the tree's root.
LEAF = bytes.fromhex(
    "01"
    "0000000000000001"
    "000001849826f27b"
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    "00000002"
    "56f1fb2dcf893d9091374daf45a67e92f453215c46d52f978195a25345aa17a7"
)
LEAF_HASH = bytes.fromhex("71012658545b66ac7132ae4283ee166d2631b68bb7589fafccd1ccbb9ef31219")
LEAF_TEXT = (
    b"AQAAAAAAAAABAAABhJgm8nvjsMRCmPwcFJr79MiZb7kkJ65B5GSbk0yklZkbeFK4VQAAAAJW8fstz4k9kJE3Ta9Fpn6S9FMh"
    b"XEbVL5eBlaJTRaoXpw"
)
SECOND_ROOT = bytes.fromhex("5d7b3629aba3524f0d2a9be2ac850ab58f493f8aabee6aae41418180a3de54db")


def some_heads(count: int) -> list[LogHead]:
    """Heads of so many logs."""
    return [
        LogHead(log_origin(LEDGER, f"t{n}", 0), n + 1, sha256(b"%d" % n).digest(), n + 2, n + 3)
        for n in range(count)
    ]


def test_head_is_a_checkpoint_body_with_two_more_lines() -> None:
    """A head's text is spelled as documented, and its first three lines are the log's own body."""
    assert (REFERRALS.text(), ADMISSIONS.text()) == (REFERRALS_TEXT, ADMISSIONS_TEXT)
    assert REFERRALS.body() == "\n".join(REFERRALS_TEXT.split("\n")[:3]) + "\n"
    assert LogHead.parse(REFERRALS_TEXT) == REFERRALS
    assert log_origin(LEDGER, "csrc.referral", 3) == REFERRALS.origin


def test_leaf_is_these_85_bytes() -> None:
    """An epoch over two heads gives the documented leaf, whatever order they are named in."""
    for heads in ((REFERRALS, ADMISSIONS), (ADMISSIONS, REFERRALS)):
        leaf = epoch_of(1, EMPTY_ROOT, heads, 1_669_000_000_123)
        assert leaf == EpochLeaf(1, 1_669_000_000_123, EMPTY_ROOT, 2, TREE)
        assert (leaf.pack(), leaf.hash()) == (LEAF, LEAF_HASH)
    assert len(LEAF) == 85
    assert EpochLeaf.parse(LEAF) == EpochLeaf(1, 1_669_000_000_123, EMPTY_ROOT, 2, TREE)


def test_epochs_are_the_leaves_of_the_head_log() -> None:
    """The second epoch names the head log's root over the first, and both are leaves of its tree."""
    first = EpochLeaf.parse(LEAF)
    second = epoch_of(2, LEAF_HASH, [REFERRALS], 1_669_000_001_123)
    assert Frontier().extend([first.hash(), second.hash()]).root() == SECOND_ROOT


@given(st.integers(1, 40), st.data())
def test_each_head_is_proven_in_its_epoch(count: int, data: st.DataObject) -> None:
    """For any number of logs each head has an inclusion proof, which shows nothing for another head."""
    tree = EpochTree(some_heads(count))
    head = tree.heads[data.draw(st.integers(0, count - 1))]
    proof, at = tree.inclusion(head.origin), tree.index(head.origin)
    assert verify_inclusion(head.hash(), at, count, proof, tree.root)
    assert not verify_inclusion(head._replace(size=head.size + 1).hash(), at, count, proof, tree.root)


def test_log_without_head_is_told() -> None:
    """A log that the epoch does not hold has no place in it."""
    with pytest.raises(ValueError, match="no head of"):
        EpochTree(some_heads(3)).index(log_origin(LEDGER, "t1", 7))


@pytest.mark.parametrize(
    "text",
    [
        REFERRALS_TEXT[:-1],
        REFERRALS_TEXT + "\n",
        REFERRALS_TEXT + "more\n",
        REFERRALS_TEXT.replace("\n1\n", "\n01\n"),
        REFERRALS_TEXT.replace("\n1\n", "\n+1\n"),
        REFERRALS_TEXT.replace("\n1\n", "\n1_0\n"),
        REFERRALS_TEXT.replace("\n1\n", "\n0\n"),
        REFERRALS_TEXT.replace("\n1\n", "\n43\n"),
        REFERRALS_TEXT.replace("\n1\n", "\n١\n"),
        REFERRALS_TEXT.replace("LPU=", "LPV="),
        REFERRALS_TEXT.replace("LPU=", "LPU"),
        REFERRALS_TEXT.replace("end 42", "end 41"),
        REFERRALS_TEXT.replace("next 42", " next 42"),
        REFERRALS_TEXT.replace("csrc.", "csrc "),
        REFERRALS_TEXT.replace("csrc.", "csrc+"),
        REFERRALS_TEXT.replace("csrc.", "证监会."),
        REFERRALS_TEXT.replace("\n", "\r\n"),
        "",
    ],
)
def test_other_spellings_of_a_head_are_refused(text: str) -> None:
    """A head has one spelling: what differs in any character is none, or another one's."""
    with pytest.raises(ValueError, match="expected"):
        LogHead.parse(text)


@pytest.mark.parametrize(
    "raw",
    [
        LEAF[:-1],
        LEAF + b"\0",
        b"\2" + LEAF[1:],
        LEAF[:1] + bytes(8) + LEAF[9:],
        LEAF[:49] + bytes(4) + LEAF[53:],
        b"",
    ],
)
def test_other_bytes_are_no_epoch(raw: bytes) -> None:
    """Another length or version, epoch 0 and an epoch without heads are refused."""
    with pytest.raises(ValueError, match="expected"):
        EpochLeaf.parse(raw)


def test_impossible_epochs_are_refused() -> None:
    """No epoch is made of nothing, of one log twice, or of a log that is ahead of Kafka."""
    for heads in ([], [REFERRALS, REFERRALS._replace(size=2)], [REFERRALS._replace(end_offset=41)]):
        with pytest.raises(ValueError, match="expected"):
            epoch_of(1, EMPTY_ROOT, heads, 0)


def test_record_carries_leaf_and_changed_heads() -> None:
    """A record's headers hold the leaf in base64url and the changed heads' texts one after the other."""
    leaf = EpochLeaf.parse(LEAF)
    headers = epoch_headers(leaf, [REFERRALS, ADMISSIONS])
    texts = (ADMISSIONS_TEXT + REFERRALS_TEXT).encode()
    assert headers == (("casebus-epoch", LEAF_TEXT), ("casebus-heads", texts))
    assert read_epoch_headers(headers) == (leaf, [ADMISSIONS, REFERRALS])


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("casebus-epoch", LEAF_TEXT),),
        (("casebus-epoch", None), ("casebus-heads", REFERRALS_TEXT.encode())),
        (("casebus-epoch", LEAF_TEXT + b"="), ("casebus-heads", REFERRALS_TEXT.encode())),
        (("casebus-epoch", LEAF_TEXT), ("casebus-heads", REFERRALS_TEXT.encode()[:-1])),
        (("casebus-epoch", LEAF_TEXT), ("casebus-heads", REFERRALS_TEXT.encode() + b"more\n")),
        (("casebus-epoch", "证".encode()), ("casebus-heads", REFERRALS_TEXT.encode())),
    ],
)
def test_headers_that_hold_no_epoch_are_told(headers: tuple[tuple[str, bytes | None], ...]) -> None:
    """Missing, cut or foreign headers raise ValueError, and nothing else."""
    with pytest.raises(ValueError):
        read_epoch_headers(headers)


def test_changes_build_the_next_epochs_heads() -> None:
    """What changed from one epoch to the next, laid over the first, gives the heads of the second."""
    before = some_heads(4)
    now = [*before[:2], before[2]._replace(size=5, next_offset=8, end_offset=9), before[3], REFERRALS]
    changed = changed_heads(before, now)
    assert changed == [REFERRALS, now[2]]
    assert EpochTree(with_changes(before, changed)).root == EpochTree(now).root


def test_no_log_becomes_shorter() -> None:
    """A change that would take entries from a log is refused."""
    with pytest.raises(ValueError, match="expected no less"):
        with_changes([ADMISSIONS], [ADMISSIONS._replace(size=1)])


def test_origins_have_no_blank_plus_or_foreign_letters() -> None:
    """An origin is the name of a note's key: printable ASCII without blank and plus, and not empty."""
    good, bad = (LEDGER, "a", "~!"), ("", "a b", "a+b", "a\n", "证", "a\x7f")
    assert [is_origin(text) for text in good] == [True] * 3
    assert [is_origin(text) for text in bad] == [False] * 6
