"""The event to which sealed content belongs: it opens at no other one."""

from struct import pack
from typing import NamedTuple
from uuid import UUID


class Place(NamedTuple):
    """The event to which sealed content belongs; it opens at no other one."""

    topic: str
    chain: str
    event: UUID
    type: str
    speaker: str

    def to_bytes(self) -> bytes:
        """`str topic | str chain | 16 event id | str type | str speaker`."""
        return b"".join(
            (text(self.topic), text(self.chain), self.event.bytes, text(self.type), text(self.speaker))
        )


def text(value: str) -> bytes:
    """`str` of docs/records.md: u16 length and UTF-8."""
    raw = value.encode()
    return pack(">H", len(raw)) + raw
