"""Signed notes and verifier keys against the specification's own example and its MUSTs."""

from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from nacl.signing import SigningKey

from casebus_schemas.evidence.signed_note import (
    COSIGNATURE,
    ED25519,
    NoteSignature,
    NoteSigner,
    SignedNote,
    VerifierKey,
    base64_bytes,
    key_id,
)

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72"
    "IneyaQM=\n"
)
UNKNOWN = "— example.com/bar " + b64encode(b"\0\0\0\1another algorithm").decode()
SMALL_ORDER = bytes((1, *[0] * 31))
"""The neutral point."""
OTHER_KEYS = (
    "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
)
"""Of transparency-dev/formats, note/note_cosigv1_test.go: a log's key and a witness's that is in use."""


def test_example_of_the_specification() -> None:
    """The specification's note holds under the specification's key, and is written as it was read."""
    key, note = VerifierKey.parse(VKEY), SignedNote.parse(NOTE.encode())
    assert (key.name, key.kind, key.key_id.hex(), str(key)) == ("example.com/foo", ED25519, "530d903a", VKEY)
    assert note.text == "This is an example message.\n"
    assert note.is_signed_by(key)
    assert note.to_bytes() == NOTE.encode()


def test_a_changed_note_is_refused_whole() -> None:
    """One letter changed, in the text or in the signature, and the note is refused with the key's name."""
    key = VerifierKey.parse(VKEY)
    for changed in (NOTE.replace("example message", "exampla message"), NOTE.replace("Uw2QOkn8", "Uw2QOkn9")):
        with pytest.raises(ValueError, match=r"'example.com/foo' does not hold"):
            SignedNote.parse(changed.encode()).is_signed_by(key)


def test_signatures_of_unknown_keys_are_kept_and_say_nothing() -> None:
    """A line of an unknown key, or of a known name with another id, survives and is no signature."""
    mine = NoteSigner("example.com/foo", sha256(b"another seed").digest())
    text = "This is an example message.\n"
    lines = f"{UNKNOWN}\n{mine.sign(text)}\n"
    note = SignedNote.parse(f"{text}\n{lines}".encode())
    assert not note.is_signed_by(VerifierKey.parse(VKEY))
    assert note.is_signed_by(mine.key)
    assert note.to_bytes().decode().endswith(lines)
    both = SignedNote.parse((NOTE + lines).encode())
    assert both.is_signed_by(VerifierKey.parse(VKEY))
    assert [line.name for line in both.signatures] == [
        "example.com/foo",
        "example.com/bar",
        "example.com/foo",
    ]


def test_lines_are_added_once() -> None:
    """A line that a note has already is not written twice; its own come first."""
    note = SignedNote.parse(NOTE.encode())
    added = note.with_signatures(
        [NoteSignature.parse(UNKNOWN), *note.signatures, NoteSignature.parse(UNKNOWN)]
    )
    assert str(added) == f"{NOTE}{UNKNOWN}\n"


def test_the_text_may_hold_empty_lines() -> None:
    """The last empty line divides text and signatures."""
    signer = NoteSigner("log", bytes(32))
    note = signer.signed("one\n\ntwo\n\n")
    assert SignedNote.parse(note.to_bytes()) == note
    assert str(note).startswith("one\n\ntwo\n\n\n— log ")


def test_key_id_and_signature_by_hand() -> None:
    """A key's id is SHA-256 of name, newline, type and key; the signature is over the text alone."""
    seed = sha256(b"a log").digest()
    plain = SigningKey(seed)
    signer = NoteSigner("log.example/bus", seed)
    identifier = sha256(b"log.example/bus\n\x01" + bytes(plain.verify_key)).digest()[:4]
    raw = b64decode(str(signer.sign("text\n")).split(" ")[2])
    assert raw == identifier + plain.sign(b"text\n").signature
    assert str(signer.key).split("+", 2)[1] == identifier.hex()
    assert key_id("log.example/bus", COSIGNATURE, bytes(plain.verify_key)) != identifier


@pytest.mark.parametrize("text", OTHER_KEYS)
def test_keys_of_others(text: str) -> None:
    """Keys that other programs wrote are read and written alike."""
    assert str(VerifierKey.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "bananas.sigstore.dev+12344556",
        "rekor.sigstore.dev+12345678+THIS_IS_NOT_BASE64!",
        "rekor.sigstore.dev+12345678+AwEB",
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("530d903a", "30d903a"),
        VKEY.replace("example.com/foo", "example.com/fo"),
        VKEY.replace("example.com/foo", ""),
        VKEY.replace("example.com/foo", "example .com"),
        VKEY[:-4],
        VKEY + "====",
        "example.com/foo+530d903a+",
        f"small+{key_id('small', 1, SMALL_ORDER).hex()}+{b64encode(bytes((1,)) + SMALL_ORDER).decode()}",
        "",
    ],
)
def test_malformed_keys(text: str) -> None:
    """What is no key, has another id than its own, or a point of small order, is refused."""
    with pytest.raises(ValueError):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"text\n",
        b"text\n\n",
        NOTE[:-1].encode(),
        NOTE.replace("\n\n", "\n").encode(),
        NOTE.replace("—", "-").encode(),
        NOTE.replace("— ", "—").encode(),
        NOTE.replace("— ", "—  ").encode(),
        NOTE.replace("message", "mess\tage").encode(),
        NOTE.replace("message", "mess\rage").encode(),
        NOTE.replace("message", "mess\0age").encode(),
        NOTE.replace("message", "mess").encode() + b"\xff\n",
        NOTE.replace("foo Uw2", "foo+bar Uw2").encode(),
        NOTE.replace("foo Uw2", "foo\u00a0bar Uw2").encode(),
        NOTE.replace("foo Uw2", "foo\u3000bar Uw2").encode(),
        NOTE.replace("QM=\n", "QN=\n").encode(),
        NOTE.replace("QM=\n", "QM\n").encode(),
        NOTE.replace("QM=\n", "QM= \n").encode(),
        "text\n\n— name AAAA\n".encode(),
        "text\n\n— name AAAAAA==\n".encode(),
        "text\n\n— name\n".encode(),
        (NOTE + f"{UNKNOWN}\n" * 100).encode(),
        NOTE.encode() + b"x" * (1 << 20),
    ],
)
def test_malformed_notes(raw: bytes) -> None:
    """What the specification does not call a note is refused before any signature is looked at."""
    with pytest.raises(ValueError):
        SignedNote.parse(raw)


def test_sixteen_signatures_are_read() -> None:
    """At least 16 signatures are read, as the specification asks; our own bound is 100."""
    note = SignedNote.parse((NOTE + f"{UNKNOWN}\n" * 99).encode())
    assert len(note.signatures) == 100


@pytest.mark.parametrize("text", ["no newline", "", "a\x07\n"])
def test_texts_that_cannot_be_signed(text: str) -> None:
    """A text that could not be read again as a note's is not signed."""
    with pytest.raises(ValueError, match="text of a note"):
        NoteSigner("log", bytes(32)).sign(text)


@pytest.mark.parametrize("text", ["AA", "AA=A", "AB==", "A A=", "AA==\n", "_w==", "é"])
def test_base64_has_one_text(text: str) -> None:
    """Only the one standard text of some bytes is read."""
    with pytest.raises(ValueError, match="base64"):
        base64_bytes(text)


def test_a_witness_key_signs_no_notes() -> None:
    """A key of type cosignature never counts as a log's signature."""
    with pytest.raises(ValueError, match="expected 0x01"):
        SignedNote.parse(NOTE.encode()).is_signed_by(VerifierKey.parse(OTHER_KEYS[1]))
