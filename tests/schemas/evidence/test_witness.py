"""Each MUST of tlog-witness: what a witness cosigns, and how it refuses everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.evidence.merkle import EMPTY_ROOT
from casebus_schemas.evidence.signed_note import NoteSignature, SignedNote
from casebus_schemas.evidence.submission import MAX_PROOF, Submission
from casebus_schemas.evidence.witness import Accepted, Declined, Head, decide
from support.ledger.head_logs import ORIGIN, LeafLog, signer

LOG = LeafLog.of(13)
OTHER = LeafLog.of(13, history="another ")
KEYS = {ORIGIN: [LOG.log.key]}

EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""  # noqa: E501
"""The request of the specification."""


def held(size: int, log: LeafLog = LOG) -> dict[str, Head]:
    """What a witness holds that has cosigned this size."""
    return {ORIGIN: Head(size, log.root(size))}


def declined(raw: bytes, own: int, status: int, *, split: bool = False) -> Declined:
    """The refusal of a body by a witness of size `own`."""
    found = decide(raw, KEYS, held(own))
    assert isinstance(found, Declined)
    assert (found.status, found.split) == (status, split), found.reason
    return found


def test_the_request_of_the_specification() -> None:
    """The example is read, and written again byte for byte."""
    found = Submission.parse(EXAMPLE.encode())
    assert found.old_size == 20852014
    assert len(found.proof) == 4
    assert found.proof[0].hex() == "3e544d0abc07a6a846aeea6e7b42fb8316e36cc88a03db5e9afb996430e991ac"
    assert len(found.note.signatures) == 2
    assert found.to_bytes() == EXAMPLE.encode()


@pytest.mark.parametrize(
    ("old", "new"), [(0, 1), (0, 13), (1, 2), (4, 4), (4, 7), (6, 13), (8, 13), (12, 13)]
)
def test_what_extends_the_held_tree_is_cosigned(old: int, new: int) -> None:
    """A checkpoint with a proof from the held size is accepted, also the held one again."""
    found = decide(LOG.body(old, new), KEYS, held(old) if old else {})
    assert isinstance(found, Accepted)
    assert (found.checkpoint.size, found.checkpoint.root) == (new, LOG.root(new))
    assert found.note == LOG.note(new)


def test_an_empty_tree_is_cosigned() -> None:
    """A log that has no leaf yet has a checkpoint, too."""
    found = decide(LOG.body(0, 0), KEYS, {})
    assert isinstance(found, Accepted)
    assert (found.checkpoint.size, found.checkpoint.root) == (0, EMPTY_ROOT)


def test_an_unknown_log_is_not_found() -> None:
    """404 for an origin that the witness was not told of, whoever signs."""
    foreign = LeafLog.of(3, log=signer("elsewhere.example/log"))
    assert declined(foreign.body(0, 3), 0, 404).checkpoint is None


@pytest.mark.parametrize("mutated", [0, 31, 63])
def test_a_signature_that_does_not_hold_is_forbidden(mutated: int) -> None:
    """403 where a line claims to be by the log's key and is not, though another line may hold."""
    note = LOG.note(5)
    (line,) = note.signatures
    raw = bytearray(line.signature)
    raw[mutated] ^= 1
    false = NoteSignature(line.name, line.key_id, bytes(raw))
    for lines in ((false,), (line, false)):
        declined(Submission(4, LOG.proof(4, 5), SignedNote(note.text, lines)).to_bytes(), 4, 403)


def test_signatures_of_unknown_keys_count_for_nothing() -> None:
    """403 for a checkpoint that only another key signed; beside the log's they are passed over."""
    text = LOG.note(5).text
    stranger = signer(seed="a stranger's").sign(text)
    only = SignedNote(text, (stranger,))
    declined(Submission(4, LOG.proof(4, 5), only).to_bytes(), 4, 403)
    both = SignedNote(text, (stranger, *LOG.note(5).signatures))
    found = decide(Submission(4, LOG.proof(4, 5), both).to_bytes(), KEYS, held(4))
    assert isinstance(found, Accepted)
    assert found.note == LOG.note(5)


def test_an_old_size_above_the_new_one_is_a_bad_request() -> None:
    """400, though it is the size that the witness holds."""
    declined(Submission(6, (), LOG.note(5)).to_bytes(), 6, 400)


@pytest.mark.parametrize("old", [0, 3, 5])
def test_another_old_size_is_a_conflict(old: int) -> None:
    """409 where the proof begins elsewhere than at the held size."""
    declined(LOG.body(old, 7), 4, 409)


def test_who_never_cosigned_expects_zero() -> None:
    """409 for a proof from any other size to a witness that holds nothing of the log."""
    found = decide(LOG.body(4, 7), KEYS, {})
    assert isinstance(found, Declined)
    assert found.status == 409


def test_an_empty_tree_has_one_root() -> None:
    """422 for the size zero with another root than SHA-256 of nothing."""
    text = f"{ORIGIN}\n0\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    declined(Submission(0, (), LOG.log.signed(text)).to_bytes(), 0, 422)


def test_a_proof_from_nothing_is_empty() -> None:
    """422 for proof lines where the old size is zero."""
    declined(Submission(0, LOG.proof(4, 7), LOG.note(7)).to_bytes(), 0, 422)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (4, 7), (6, 13), (8, 13)])
def test_mutated_proofs_are_refused(old: int, new: int) -> None:
    """422 for each proof that lacks, repeats, adds, changes or exchanges a hash."""
    proof = LOG.proof(old, new)
    changed = [proof[:-1], proof[1:], (*proof, proof[-1]), (*proof, bytes(32)), proof[::-1]]
    changed += [(*proof[:at], bytes(32), *proof[at + 1 :]) for at in range(len(proof))]
    for false in changed:
        if false != proof:
            declined(Submission(old, false, LOG.note(new)).to_bytes(), old, 422)


def test_another_history_is_refused() -> None:
    """422 for a tree of another history with its own proof from the same size."""
    declined(OTHER.body(6, 13), 6, 422)


def test_two_roots_of_one_size_are_a_split_view() -> None:
    """422, and both are known to be signed by the log: that is kept as evidence."""
    found = declined(OTHER.body(6, 6), 6, 422, split=True)
    assert found.note == OTHER.note(6)
    declined(OTHER.body(4, 6), 6, 409, split=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"old 4\n", b"old 04\n"),
        (b"old 4\n", b"old  4\n"),
        (b"old 4\n", b"OLD 4\n"),
        (b"old 4\n", b"old +4\n"),
        (b"old 4\n", b"old -4\n"),
        (b"old 4\n", b"old 4\r\n"),
        (b"old 4\n", b"old \n"),
        (b"old 4\n", b""),
        (b"old 4\n", b"old 9223372036854775808\n"),
        (b"old 4\n", b"old 4\nAAAA\n"),
        (b"old 4\n", b"old 4\n" + b"A" * 43 + b"\n"),
        (b"old 4\n", b"old 4\n" + "é".encode() * 20 + b"\n"),
        (b"\n\n", b"\n"),
    ],
)
def test_a_malformed_body_is_a_bad_request(before: bytes, after: bytes) -> None:
    """400 for each spelling that the specification does not allow."""
    raw = LOG.body(4, 7)
    assert raw.count(before) >= 1
    declined(raw.replace(before, after), 4, 400)


def test_too_many_proof_lines_are_a_bad_request() -> None:
    """400 from the sixty-fourth line on; sixty-three are read, and then do not prove anything."""
    lines = (bytes(32),) * (MAX_PROOF + 1)
    raw = Submission(4, lines[1:], LOG.note(7)).to_bytes()
    declined(raw, 4, 422)
    declined(raw.replace(b"old 4\n", b"old 4\n" + b"A" * 43 + b"=\n"), 4, 400)


@given(st.integers(0, 12), st.integers(0, 400), st.binary(max_size=3))
def test_no_body_makes_the_decision_fail(old: int, at: int, put: bytes) -> None:
    """Whatever is put into a body, the answer is a status of the specification or the same checkpoint."""
    raw = LOG.body(old, 13)
    found = decide(raw[:at] + put + raw[at:], KEYS, held(old) if old else {})
    if isinstance(found, Accepted):
        assert found.checkpoint.root == LOG.root(13)
    else:
        assert found.status in (400, 403, 404, 409, 422)
