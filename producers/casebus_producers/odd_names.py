"""Lets kafka-python read records whose header names are not UTF-8.

The broker takes any bytes as a header's name. kafka-python fails on such a record each time it is read, so
one sender could stop every reader of a topic that holds it: the dead letters, a replay. Touches
`kafka.record.memory_records.DefaultRecordBatch` and of that class `_read_msg` and `_buffer`; kafka-python is
pinned exactly, and a test on a real broker gates an upgrade.
"""

from typing import Any, SupportsIndex

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch


class _Name(str):
    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return super().encode(encoding, "surrogateescape")


class _Lenient(bytes):
    """Bytes whose slices decode with surrogate escapes, so that a name's bytes can be restored."""

    def __getitem__(self, at: SupportsIndex | slice) -> Any:
        found = super().__getitem__(at)
        return _Lenient(found) if isinstance(found, bytes) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        # kafka-python encodes the name again to count its bytes.
        return _Name(super().decode(encoding, "surrogateescape"))


class _LenientBatch(DefaultRecordBatch):  # type: ignore[misc]  # kafka-python is untyped
    _buffer: Any

    def _read_msg(self, *arguments: Any) -> Any:
        try:
            return super()._read_msg(*arguments)
        except UnicodeDecodeError:
            # The position moves only after a whole record: the same one is read again.
            self._buffer = _Lenient(self._buffer)
            return super()._read_msg(*arguments)


def tolerate_odd_names() -> None:
    """From now on the consumers of this process read such records. Idempotent."""
    memory_records.DefaultRecordBatch = _LenientBatch


def shown_name(name: str) -> str:
    """A header's name that can be written anywhere: odd bytes as \\xNN."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
