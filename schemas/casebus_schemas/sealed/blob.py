"""The bytes of `sealed` (docs/records.md 3, pinned): for whom they are, and the ciphertext; no key needed."""

from dataclasses import dataclass
from struct import pack, unpack_from
from typing import NamedTuple, Self

from casebus_schemas.errors import UsageError

VERSION = 1
SUITE = 1
"""HPKE base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; AES-256-GCM; HKDF-SHA256."""
DATA_KEY_NAME = 16
KEY_ID = 32
ENCAPSULATED = 32
WRAPPED = 48
NONCE = 12
TAG = 16
MOST_READERS = 32
LEAST_PADDED, MOST_PADDED = 1 << 10, 1 << 18
"""Sizes of the padded content: powers of two between these, so that a length tells hardly anything."""
_MOST_NAME = 32
_START = b"CBS"
_FORM = "docs/records.md 3 says what `sealed` holds"


class Wrapped(NamedTuple):
    """The event's key, encrypted for one agency: id of its encryption key, HPKE's `enc`, ciphertext."""

    agency: str
    key_id: bytes
    enc: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class SealedBytes:
    """What stands in `sealed`. `data_key` names the speaker's data key of this case; it is no key itself."""

    data_key: bytes
    readers: tuple[Wrapped, ...]
    nonce: bytes
    ciphertext: bytes

    @property
    def agencies(self) -> tuple[str, ...]:
        """For whom it is sealed, in the order of the alphabet."""
        return tuple(reader.agency for reader in self.readers)

    @property
    def head(self) -> bytes:
        """All before the nonce: what the ciphertext is bound to."""
        return head_of(self.data_key, self.readers)

    def to_bytes(self) -> bytes:
        """The bytes that `parse` reads."""
        return self.head + self.nonce + pack(">I", len(self.ciphertext)) + self.ciphertext

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Reads the one form, with nothing behind it. Raises UsageError saying what is wrong."""
        reading = _Reading(raw)
        if reading.take(len(_START), "the mark") != _START:
            raise _wrong("not sealed content of this bus", raw[: len(_START)].hex(), _START.hex())
        version, suite = reading.take(2, "version and suite")
        if version != VERSION or suite != SUITE:
            raise _wrong("an unknown form of sealed content", f"{version}/{suite}", f"{VERSION}/{SUITE}")
        data_key = reading.take(DATA_KEY_NAME, "the name of the data key")
        (count,) = reading.take(1, "the number of readers")
        if not 1 <= count <= MOST_READERS:
            raise _wrong("readers of sealed content", count, f"1 to {MOST_READERS}")
        readers = tuple(reading.reader() for _ in range(count))
        named = [reader.agency for reader in readers]
        if named != sorted(set(named)):
            raise _wrong("readers of sealed content", ", ".join(named), "each once, in alphabetical order")
        nonce = reading.take(NONCE, "the nonce")
        (length,) = unpack_from(">I", reading.take(4, "the length"))
        if length - TAG not in _SIZES:
            raise _wrong("a length of sealed content", length, "a power of two from 1,024 to 262,144, and 16")
        ciphertext = reading.take(length, "the content")
        if reading.left:
            raise _wrong("bytes behind the sealed content", reading.left, "none")
        return cls(data_key, readers, nonce, ciphertext)


def head_of(data_key: bytes, readers: tuple[Wrapped, ...]) -> bytes:
    """The bytes before the nonce."""
    written = [_START, bytes((VERSION, SUITE)), data_key, bytes((len(readers),))]
    for reader in readers:
        name = reader.agency.encode("ascii")
        written += [bytes((len(name),)), name, reader.key_id, reader.enc, reader.key]
    return b"".join(written)


_SIZES = frozenset(1 << power for power in range(10, 19))


class _Reading:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._raw) - self._at

    def take(self, count: int, what: str) -> bytes:
        if self.left < count:
            raise _wrong(f"sealed content that ends within {what}", f"{self.left} bytes", count)
        self._at += count
        return self._raw[self._at - count : self._at]

    def reader(self) -> Wrapped:
        (length,) = self.take(1, "a reader")
        name = self.take(length, "a reader")
        if not 1 <= length <= _MOST_NAME or not name.isascii() or not name.decode().isprintable():
            raise _wrong("a reader of sealed content", name[:_MOST_NAME].hex(), "the name of an agency")
        parts = (self.take(size, "a reader") for size in (KEY_ID, ENCAPSULATED, WRAPPED))
        return Wrapped(name.decode(), *parts)


def _wrong(message: str, found: object, expected: object) -> UsageError:
    return UsageError(message, found=found, expected=expected, remedy=_FORM)
