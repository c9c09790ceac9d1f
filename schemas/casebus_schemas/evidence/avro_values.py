"""Reads events' values with the schemas that a bundle brings, each known by its fingerprint."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from casebus_schemas.wire.records import Record
from casebus_schemas.wire.strict_avro import Read, reader_of

_FRAME_LENGTH = 5


class NotInBundle(ValueError):
    """What would be needed to read a value is not there."""


class Schemas:
    """Schemas as canonical JSON, by fingerprint; a text that has another fingerprint is refused."""

    def __init__(self, texts: Mapping[bytes, bytes]) -> None:
        """Raises ValueError for a text whose SHA-256 is not its name, or which is no schema."""
        self._schemas: dict[bytes, Any] = {}
        self._readers: dict[bytes, Read] = {}
        for fingerprint, text in texts.items():
            if sha256(text).digest() != fingerprint:
                raise ValueError(f"the schema {fingerprint.hex()} has another fingerprint")
            try:
                self._schemas[fingerprint] = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"the schema {fingerprint.hex()} is no JSON") from error

    def schema_of(self, record: Record) -> Any:
        """The schema that an event's signed headers name. Raises NotInBundle, ValueError."""
        return self._schemas[self._named(record)]

    def _named(self, record: Record) -> bytes:
        name = (record.header("ce_dataschema") or b"").decode("ascii")
        fingerprint = bytes.fromhex(name.removeprefix("sha256:"))
        if fingerprint not in self._schemas:
            raise NotInBundle(f"the schema {fingerprint.hex()} is not in the bundle")
        return fingerprint

    def decode(self, record: Record) -> tuple[str, dict[str, Any]]:
        """Type and raw body of an event's record, by the schema that its signed headers name.

        Times are milliseconds, decimals their bytes. Raises NotInBundle if schema or value is missing,
        ValueError if there is no frame or the body is not read to its end.
        """
        type = record.header("ce_type") or b""
        if record.value is None:
            raise NotInBundle("the value is not in the bundle")
        fingerprint = self._named(record)
        try:
            if fingerprint not in self._readers:
                self._readers[fingerprint] = reader_of(self._schemas[fingerprint])
            body, end = self._readers[fingerprint](record.value, _FRAME_LENGTH)
        except (LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError("the value ends too early, or its schema is none that the bus uses") from error
        if end != len(record.value) or record.value[:1] != b"\0":
            raise ValueError(f"a value of {len(record.value)} bytes, expected a frame and a body of {end}")
        return type.decode(), body
