"""UUIDs from 16 bytes and from their usual text: as `UUID` makes them, in a third of the time."""

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
