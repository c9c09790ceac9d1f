"""Sealing: the RFC's vector, the published vector, what opens where, and what does not."""

from hashlib import sha256
from uuid import UUID

import pytest
from nacl.bindings import crypto_scalarmult_base

from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.blob import LEAST_PADDED, TAG, SealedBytes
from casebus_schemas.sealed.cipher import (
    MOST_CONTENT,
    DecryptionKey,
    data_key_name,
    event_key,
    open_with,
    seal,
)
from casebus_schemas.sealed.place import Place
from casebus_schemas.sealed.public_keys import check_encryption_key
from support.events.sealing_by_hand import AES_128_GCM, AES_256_GCM, PLACE, blob, opened, place_bytes, text

AT = Place(*PLACE)
DATA_KEY = sha256(b"casebus test data key").digest()
MPS, SPP = (
    DecryptionKey(sha256(f"casebus test encryption key {name}".encode()).digest()) for name in ("mps", "spp")
)
CONTENT = b'{"notes":null,"persons":[],"version":1}'


def test_the_vector_of_rfc_9180_appendix_a_1_1() -> None:
    """The second implementation reads the RFC's first message, so that it may judge ours."""
    read = opened(
        bytes.fromhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"),
        bytes.fromhex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"),
        bytes.fromhex(
            "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"
        ),
        bytes.fromhex("4f6465206f6e2061204772656369616e2055726e"),
        bytes.fromhex("436f756e742d30"),
        AES_128_GCM,
    )
    assert read == b"Beauty is truth, truth beauty"


def test_a_second_implementation_unwraps_what_we_wrap() -> None:
    """The event's key of each reader is what HPKE of the RFC gives, under the documented info."""
    sealed = SealedBytes.parse(seal(CONTENT, AT, DATA_KEY, {"spp": SPP.public, "mps": MPS.public}))
    seed = sha256(b"casebus test encryption key mps").digest()
    reader = sealed.readers[0]
    info = b"casebus/sealed-key/v1\n" + place_bytes() + text("mps")
    assert opened(seed, reader.enc, reader.key, info, b"", AES_256_GCM) == event_key(DATA_KEY, AT)
    assert sealed.agencies == ("mps", "spp")
    assert reader.key_id == sha256(b"\x20" + crypto_scalarmult_base(seed)).digest()


def test_the_published_vector_opens() -> None:
    """The bytes of docs/records.md, made by the second implementation, open with each reader's key."""
    readers = [
        ("mps", MPS.public, sha256(b"ephemeral 1").digest()),
        ("spp", SPP.public, sha256(b"ephemeral 2").digest()),
    ]
    raw = blob(CONTENT, DATA_KEY, readers, sha256(b"nonce").digest()[:12])
    assert len(raw) == 1310
    assert sha256(raw).hexdigest() == "be18a51848de2ae97a9ae025344ab051f726ff1674226730fd94a8ab3ee3dbba"
    sealed = SealedBytes.parse(raw)
    assert sealed.to_bytes() == raw
    assert sealed.data_key == data_key_name(DATA_KEY)
    for own, reader in zip((MPS, SPP), sealed.readers, strict=True):
        key = own.unwrap(reader, AT)
        assert key is not None
        assert open_with(key, sealed, AT) == CONTENT


@pytest.mark.parametrize(
    "change",
    [
        {"topic": "csrc.clue"},
        {"chain": "7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c45"},
        {"event": UUID("0190163d-8694-739b-aea5-966c26f8ad92")},
        {"type": "referral.corrected"},
        {"speaker": "mps"},
    ],
)
def test_sealed_content_opens_at_its_own_event_only(change: dict[str, object]) -> None:
    """Moved to another topic, chain, event, type or speaker it neither unwraps nor decrypts."""
    sealed = SealedBytes.parse(seal(CONTENT, AT, DATA_KEY, {"mps": MPS.public}))
    other = AT._replace(**change)  # type: ignore[arg-type]  # as given
    assert MPS.unwrap(sealed.readers[0], AT) == event_key(DATA_KEY, AT)
    assert MPS.unwrap(sealed.readers[0], other) is None
    assert open_with(event_key(DATA_KEY, AT), sealed, other) is None
    assert event_key(DATA_KEY, other) != event_key(DATA_KEY, AT)


def test_only_whom_it_is_for_opens_it() -> None:
    """Another agency's key unwraps nothing, and a reader cannot be taken out or exchanged unseen."""
    sealed = SealedBytes.parse(seal(CONTENT, AT, DATA_KEY, {"mps": MPS.public, "spp": SPP.public}))
    assert SPP.unwrap(sealed.readers[0], AT) is None
    fewer = SealedBytes(sealed.data_key, sealed.readers[:1], sealed.nonce, sealed.ciphertext)
    key = MPS.unwrap(fewer.readers[0], AT)
    assert key is not None
    assert open_with(key, sealed, AT) == CONTENT
    assert open_with(key, fewer, AT) is None


def test_each_flipped_bit_is_seen() -> None:
    """A change of any byte is refused by the form, or opens for nobody."""
    raw = seal(CONTENT, AT, DATA_KEY, {"mps": MPS.public})
    for at in range(len(raw)):
        changed = raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :]
        try:
            sealed = SealedBytes.parse(changed)
        except UsageError:
            continue
        key = MPS.unwrap(sealed.readers[0], AT)
        assert key is None or open_with(key, sealed, AT) is None, at


@pytest.mark.parametrize(
    ("length", "padded"), [(0, 1024), (1023, 1024), (1024, 2048), (2047, 2048), (100_000, 131_072)]
)
def test_lengths_are_powers_of_two(length: int, padded: int) -> None:
    """Content of any length looks like the next power of two from a kibibyte on."""
    sealed = SealedBytes.parse(seal(b"x" * length, AT, DATA_KEY, {"mps": MPS.public}))
    assert len(sealed.ciphertext) == padded + TAG
    assert open_with(event_key(DATA_KEY, AT), sealed, AT) == b"x" * length
    assert LEAST_PADDED == 1024


def test_limits() -> None:
    """Too much content, and content for nobody, is refused with what to do."""
    with pytest.raises(UsageError, match="in several events"):
        seal(bytes(MOST_CONTENT + 1), AT, DATA_KEY, {"mps": MPS.public})
    with pytest.raises(UsageError, match="for nobody"):
        seal(b"", AT, DATA_KEY, {})
    with pytest.raises(UsageError, match="31 bytes, expected 32 bytes"):
        DecryptionKey(bytes(31))


def test_the_same_is_never_sealed_to_the_same_bytes() -> None:
    """Equal content in the same event cannot be recognised by its bytes."""
    one, other = (seal(CONTENT, AT, DATA_KEY, {"mps": MPS.public}) for _ in range(2))
    assert SealedBytes.parse(one).ciphertext != SealedBytes.parse(other).ciphertext


# The points of small order and the second forms of points, as curve25519's authors list them.
@pytest.mark.parametrize(
    "public",
    [
        bytes(32),
        b"\1" + bytes(31),
        bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        bytes.fromhex("ec" + "ff" * 30 + "7f"),
        bytes.fromhex("ed" + "ff" * 30 + "7f"),
        bytes.fromhex("ee" + "ff" * 30 + "7f"),
        b"\xff" * 32,
        bytes(31),
    ],
)
def test_a_public_key_that_shares_no_secret_is_refused(public: bytes) -> None:
    """Small order, other forms of a point, wrong length: no such key is registered."""
    with pytest.raises(ValueError, match="X25519 public key"):
        check_encryption_key(public)
    check_encryption_key(MPS.public)
