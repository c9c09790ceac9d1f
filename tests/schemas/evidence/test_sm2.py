"""SM2 with SM3: the standard's example, what is refused, and the contract of every algorithm."""

from hashlib import sha256
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence import ed25519, sm2
from casebus_schemas.evidence.algorithms import SIGNATURES, SM2, by_name, of_public_key, registered
from casebus_schemas.wire.signing import SigningKey, key_id, parse_block, verify

# GM/T 0003.5-2012 appendix A.2 (GB/T 32918.5): the curve that is recommended, id 1234567812345678.
PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
PUBLIC = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
MESSAGE = b"message digest"
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
KEY = f"sm2 {PRIVATE.hex()} {PUBLIC.hex()}"
WITHOUT = "SM2 needs the package gmssl-pyx, which is not installed: pip install 'casebus\\[sm2\\]'"


def pair(r: int, s: int) -> bytes:
    """A signature of two numbers."""
    return r.to_bytes(32) + s.to_bytes(32)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without the extra."""

    def missing() -> ModuleType:
        raise ModuleNotFoundError("gmssl_pyx")

    monkeypatch.setattr(sm2, "_library", missing)


def test_the_example_of_the_standard() -> None:
    """The signature of the standard holds for its message under its key, and for no other message."""
    assert sm2.verify(PUBLIC, pair(R, S), MESSAGE)
    assert not sm2.verify(PUBLIC, pair(R, S), MESSAGE + b".")
    assert sm2.verify(PUBLIC, sm2.PrivateKey(PRIVATE, PUBLIC).sign(MESSAGE), MESSAGE)
    assert sm2.verify(PUBLIC, sm2.PrivateKey(PRIVATE, PUBLIC).sign(b""), b"")


@pytest.mark.parametrize(
    "signature",
    [
        pair(0, S),
        pair(R, 0),
        pair(sm2.ORDER, S),
        pair(R, sm2.ORDER),
        pair(R, sm2.ORDER - R),  # r + s is zero: no point
        pair(S, R),
        pair(R, sm2.ORDER - S),
        pair(R, S)[:-1],
        pair(R, S) + b"\0",
        b"",
        b"\xff" * 64,
    ],
)
def test_what_is_no_signature(signature: bytes) -> None:
    """Numbers out of range, changed or exchanged, and bytes of another length sign nothing."""
    assert not sm2.verify(PUBLIC, signature, MESSAGE)


@pytest.mark.parametrize(
    "public",
    [
        bytes(64),
        b"\xff" * 64,
        PUBLIC[:63] + b"\0",
        PUBLIC[32:] + PUBLIC[:32],
        PUBLIC[:63],
        b"\4" + PUBLIC,
        sm2.PRIME.to_bytes(32) + PUBLIC[32:],
    ],
)
def test_what_is_no_public_key(public: bytes) -> None:
    """What is no point of the curve in its one form is refused at registration, and verifies nothing."""
    assert not sm2.verify(public, pair(R, S), MESSAGE)
    with pytest.raises(ValueError, match="SM2 public key"):
        registered("event", "sm2", public)


def test_what_is_no_private_key() -> None:
    """A private key of nobody, of another public key, or of another text is refused."""
    other, other_public = sm2.new_key()
    for private, public in (
        (bytes(32), PUBLIC),
        (other, PUBLIC),
        (PRIVATE, other_public),
        (PRIVATE[1:], PUBLIC),
    ):
        with pytest.raises(ValueError, match=r"SM2 key|SM2 private key"):
            sm2.PrivateKey(private, public)
    for text in ("sm2", "sm2 aa", "sm3 " + KEY[4:], KEY + "00", "ed25519 " + "aa" * 32, "aa" * 31):
        with pytest.raises(ValueError):
            SigningKey.parse(text)


@pytest.mark.parametrize("algorithm", SIGNATURES.values(), ids=lambda one: one.name)
class TestEveryAlgorithm:
    """What each algorithm of the registry keeps to."""

    @pytest.fixture
    def key(self, algorithm: object) -> SigningKey:
        """A new key of it."""
        assert hasattr(algorithm, "make")
        return SigningKey.parse(algorithm.make())

    def test_blocks_are_signed_and_verified(self, key: SigningKey) -> None:
        """A block has 98 bytes, names algorithm and key, and holds for its message alone."""
        raw = key.sign(b"said")
        block = parse_block(raw)
        assert len(raw) == 98
        assert (block.alg, block.key_id) == (key.algorithm.number, key.key_id)
        assert verify(block, b"said", key.public)
        assert not verify(block, b"not said", key.public)
        changed = parse_block(raw[:-1] + bytes((raw[-1] ^ 1,)))
        assert not verify(changed, b"said", key.public)

    def test_a_key_has_one_algorithm(self, key: SigningKey) -> None:
        """Under the number of another algorithm a right signature holds no more, whatever key id it has."""
        raw = key.sign(b"said")
        for other in SIGNATURES.values():
            if other is key.algorithm:
                continue
            for identifier in (key.key_id, key_id(key.public, other.number)):
                block = parse_block(bytes((1, other.number)) + identifier + raw[34:])
                assert not verify(block, b"said", key.public)
            with pytest.raises(ValueError):
                registered("event", other.name, key.public)

    def test_it_is_found_by_number_name_and_length(self, key: SigningKey) -> None:
        """The registry knows it by each of these, for keys that sign events and for no sealing."""
        algorithm = key.algorithm
        assert by_name(algorithm.name) is SIGNATURES[algorithm.number] is algorithm
        assert of_public_key(key.public) is algorithm
        assert registered("event", algorithm.name, key.public) == algorithm.number
        with pytest.raises(ValueError, match="expected x25519"):
            registered("encrypt", algorithm.name, key.public)

    def test_its_file_is_read_again(self, key: SigningKey, algorithm: object, tmp_path: object) -> None:
        """What is made for a file is what is read from it."""
        from pathlib import Path

        assert hasattr(algorithm, "make")
        file = Path(str(tmp_path)) / "key"
        file.write_text(text := algorithm.make() + "\n")
        file.chmod(0o600)
        assert SigningKey.from_file(file).public == SigningKey.parse(text.strip()).public
        file.write_text("no key")
        with pytest.raises(UsageError, match="cannot read the signing key"):
            SigningKey.from_file(file)


def test_checkpoints_and_cosignatures_stay_with_ed25519() -> None:
    """Their formats know no SM2, so a key of the ledger or of a witness with it is refused."""
    for role in ("log", "witness"):
        with pytest.raises(ValueError, match="algorithm sm2, expected ed25519"):
            registered(role, "sm2", PUBLIC)
    with pytest.raises(ValueError, match="expected ed25519 or sm2"):
        registered("event", "unknown", PUBLIC)
    with pytest.raises(ValueError, match=r"signature algorithm 3, expected 1 \(Ed25519\) or 2 \(SM2\)"):
        parse_block(bytes((1, 3)) + bytes(96))


def test_without_the_extra_everything_says_which(without: None) -> None:
    """A key is not read, made or registered, a block is not parsed, and no signature is taken for valid."""
    block = bytes((1, 2)) + key_id(PUBLIC, 2) + pair(R, S)
    for refused in (
        lambda: SigningKey.parse(KEY),
        SM2.make,
        lambda: registered("event", "sm2", PUBLIC),
        lambda: of_public_key(PUBLIC),
        lambda: parse_block(block),
    ):
        with pytest.raises(ValueError, match=WITHOUT):
            refused()
    assert not sm2.verify(PUBLIC, pair(R, S), MESSAGE)
    ours = SigningKey(sha256(b"ours").digest())
    assert verify(parse_block(ours.sign(b"x")), b"x", ours.public)


@settings(max_examples=60, deadline=None)
@given(some.binary(max_size=70), some.binary(max_size=70))
def test_any_bytes_are_judged(public: bytes, signature: bytes) -> None:
    """Bytes of any length verify nothing and raise nothing, with either algorithm."""
    assert not sm2.verify(public, signature, MESSAGE)
    assert not ed25519.verify(public, signature, MESSAGE)
