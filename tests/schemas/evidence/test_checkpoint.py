"""Checkpoints against the public syntax cases, and cosignatures against their definition."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from struct import pack

import pytest
from nacl.signing import SigningKey

from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.cosignature import Cosigner, cosigned_at, cosigned_times
from casebus_schemas.evidence.merkle import EMPTY_ROOT
from casebus_schemas.evidence.signed_note import NoteSignature, NoteSigner, SignedNote, VerifierKey

EXAMPLE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9"
    "nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ"
    "qhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
TIMED = (
    "ZGhGuQAAAABm/qTPeyKXD+R2rzyQsxPiP8mXum7qq/iF0u4vanlqJyocWODBt97w9uL+8qT7S5gxEHWWOworDcFiEBYJXORmnFBOBA=="
)
"""Of transparency-dev/formats, note/note_cosigv1_test.go: a cosignature of 1727964367 by an unknown key."""
TEXT = "log.example\n7\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"


def test_public_syntax_cases(vectors: Path) -> None:
    """Each text is judged as its authors judge it, but roots that have not 32 bytes are refused."""
    cases = json.loads((vectors / "transcribed/checkpoint_marshal.json").read_bytes())
    for text in cases["valid"]:
        assert str(Checkpoint.parse(text)) == text
    loose = cases["valid_only_where_hash_length_is_unchecked"]
    loose += cases["valid_with_extension_lines_only_where_hash_length_is_unchecked"]
    assert len(loose) == 2
    for text in cases["invalid"] + loose:
        with pytest.raises(ValueError):
            Checkpoint.parse(text)
    assert (len(cases["valid"]), len(cases["invalid"])) == (1, 9)


def test_example_of_the_specification() -> None:
    """The specification's checkpoint is read to its parts, and its cosignature tells its time."""
    note = SignedNote.parse(EXAMPLE.encode())
    checkpoint = Checkpoint.parse(note.text)
    assert checkpoint.origin == "example.com/behind-the-sofa"
    assert checkpoint.size == 20852163
    assert checkpoint.root == b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    assert note.to_bytes() == EXAMPLE.encode()
    assert note.signatures[1].signature[:8] == pack(">Q", 1679315147)


def test_extension_lines_are_kept() -> None:
    """Lines after the root are read and written; none of them is empty."""
    text = TEXT + "next 12\nend 15\n"
    assert Checkpoint.parse(text).extensions == ("next 12", "end 15")
    assert str(Checkpoint.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        TEXT[:-1],
        TEXT + "\n",
        TEXT + "\nmore\n",
        TEXT.replace("\n7\n", "\n07\n"),
        TEXT.replace("\n7\n", "\n+7\n"),
        TEXT.replace("\n7\n", "\n 7\n"),
        TEXT.replace("\n7\n", "\n７\n"),
        TEXT.replace("\n7\n", "\n7_0\n"),
        TEXT.replace("\n7\n", "\n\n"),
        TEXT.replace("\n7\n", "\n9223372036854775808\n"),
        TEXT.replace("\n7\n", "\n0\n"),
        TEXT.replace("Bb0=", "Bb1="),
        TEXT.replace("Bb0=", "Bb0"),
        TEXT.replace("log.example", ""),
        TEXT.replace("log.example", "log\rexample"),
        TEXT.replace("\n", "\r\n"),
        "",
    ],
)
def test_malformed_checkpoints(text: str) -> None:
    """A size has one way to be written, a root 32 bytes; an empty tree has the root of an empty tree."""
    with pytest.raises(ValueError):
        Checkpoint.parse(text)


def test_head_of_an_empty_tree() -> None:
    """Size 0 with SHA-256 of nothing is a checkpoint."""
    checkpoint = Checkpoint("log", 0, EMPTY_ROOT)
    assert str(checkpoint) == "log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert Checkpoint.parse(str(checkpoint)) == checkpoint


def test_largest_size() -> None:
    """Sizes go up to what a database's integers hold."""
    assert Checkpoint.parse(TEXT.replace("\n7\n", "\n9223372036854775807\n")).size == 2**63 - 1


def test_cosignature_by_hand() -> None:
    """A cosignature is key id, time and the signature over three things: fixed line, time line, text."""
    seed = sha256(b"a witness").digest()
    plain = SigningKey(seed)
    cosigner = Cosigner("witness.example/mps", seed)
    line = cosigner.cosign(TEXT, 1679315147)
    message = f"cosignature/v1\ntime 1679315147\n{TEXT}".encode()
    identifier = sha256(b"witness.example/mps\n\x04" + bytes(plain.verify_key)).digest()[:4]
    assert b64decode(str(line).split(" ")[2]) == (
        identifier + pack(">Q", 1679315147) + plain.sign(message).signature
    )
    assert cosigned_at(cosigner.key, line, TEXT) == 1679315147


def test_time_of_a_foreign_cosignature() -> None:
    """Where another program puts the time, we find it; under a key that did not make it, it does not hold."""
    line = NoteSignature.parse(f"— somebody {TIMED}")
    assert line.signature[:8] == pack(">Q", 1727964367)
    assert cosigned_at(Cosigner("somebody", bytes(32)).key, line, TEXT) is None


@pytest.mark.parametrize("at", [0, 7, 8, 71])
def test_changed_cosignatures(at: int) -> None:
    """A cosignature with one bit changed, in time or signature, is refused with the witness's name."""
    cosigner = Cosigner("w", bytes(32))
    line = cosigner.cosign(TEXT, 1679315147)
    changed = bytearray(line.signature)
    changed[at] ^= 1
    with pytest.raises(ValueError, match="'w'"):
        cosigned_at(cosigner.key, NoteSignature("w", line.key_id, bytes(changed)), TEXT)
    with pytest.raises(ValueError, match="expected 72"):
        cosigned_at(cosigner.key, NoteSignature("w", line.key_id, line.signature[:-1]), TEXT)
    with pytest.raises(ValueError, match="'w'"):
        cosigned_at(cosigner.key, line, TEXT.replace("\n7\n", "\n8\n"))


def test_a_log_signature_is_no_cosignature() -> None:
    """The same seed and name under the two types give two keys, and neither passes for the other."""
    seed = sha256(b"one seed").digest()
    log, witness = NoteSigner("x", seed), Cosigner("x", seed)
    note = log.signed(TEXT).with_signatures([witness.cosign(TEXT, 5), witness.cosign(TEXT, 9)])
    assert log.key.key_id != witness.key.key_id
    assert cosigned_times(witness.key, note) == (5, 9)
    with pytest.raises(ValueError, match="expected 0x04"):
        cosigned_times(log.key, note)
    relabelled = SignedNote(
        TEXT, (NoteSignature("x", witness.key.key_id, pack(">Q", 5) + log.sign(TEXT).signature),)
    )
    with pytest.raises(ValueError, match="does not hold"):
        cosigned_times(witness.key, relabelled)


@pytest.mark.parametrize("time", [-1, 2**63])
def test_times_that_cannot_be(time: int) -> None:
    """A time before 1970, or beyond 63 bits, is not signed."""
    with pytest.raises(ValueError, match="seconds since 1970"):
        Cosigner("w", bytes(32)).cosign(TEXT, time)


def test_a_time_beyond_63_bits_does_not_hold() -> None:
    """A cosignature whose time has 64 bits is refused although its signature holds."""
    seed = bytes(32)
    key = Cosigner("w", seed).key
    message = f"cosignature/v1\ntime {2**63}\n{TEXT}".encode()
    line = NoteSignature("w", key.key_id, pack(">Q", 2**63) + SigningKey(seed).sign(message).signature)
    with pytest.raises(ValueError, match="does not hold"):
        cosigned_at(key, line, TEXT)


def test_keys_are_values() -> None:
    """A witness's key survives being written and read."""
    key = Cosigner("witness.example/审计", bytes(32)).key
    assert VerifierKey.parse(str(key)) == key
