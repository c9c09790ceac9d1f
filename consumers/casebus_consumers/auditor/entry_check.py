"""Checks one ledger entry by itself: its leaf must say exactly what its other columns are. Pure."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from struct import error as struct_error
from typing import Any

from casebus_schemas.evidence.epoch import EpochLeaf
from casebus_schemas.evidence.leaf import (
    LeafFields,
    decode_headers,
    digest_of_key,
    encode_headers,
    leaf_hash,
    leaf_layout,
    leaf_seq,
    parse_leaf,
    producer_tag,
    repeated_in_leaf,
)
from casebus_services.ledger.appending import event_id

from .ledger_rows import StoredEntry

HEAD = "head"
"""Kind of the log of epochs."""

Note = Callable[[str, str, str], None]
"""Takes a column, what was found and what was expected."""


def check_entry(topic: str, partition: int, row: StoredEntry, note: Note) -> bytes | None:
    """Notes each column that does not fit the leaf; gives the leaf hash, None if the row does not settle it.

    The payload's bytes are checked where payloads are; here only that there is one of the right length.
    """

    def differs(column: str, found: object, expected: object) -> None:
        note(column, _shown(found), _shown(expected))

    hashed = leaf_hash(row.leaf)
    settled = hashed if hashed == row.leaf_hash else None
    if settled is None:
        differs("leaf_hash", row.leaf_hash, f"{hashed.hex()} by column leaf")
    try:
        said = parse_leaf(row.leaf)
    except ValueError as error:
        differs("leaf", str(error), "a leaf of version 1")
        return settled
    try:
        headers = decode_headers(row.headers)
    except ValueError as error:
        differs("headers", str(error), "encoded headers")
        return settled
    derived = LeafFields(
        topic,
        partition,
        row.koffset,
        said.timestamp_type,
        said.timestamp_ms,
        None if row.key is None else sha256(row.key).digest(),
        said.value_length if row.payload_length is None else row.payload_length,
        row.value_sha256,
        sha256(row.headers).digest(),
        producer_tag(headers),
        leaf_seq(headers),
    )
    if derived != said:
        for name, column in _COLUMNS.items():
            found, expected = getattr(derived, name), getattr(said, name)
            if found != expected:
                differs(column, found, f"{_shown(expected)} by column leaf")
    own_id = event_id(headers)
    if row.event_id != own_id:
        differs("event_id", row.event_id, own_id)
    return settled


class Fitting:
    """Says of the usual rows of one log, many at a time, that they fit; whatever else there is it leaves."""

    def __init__(self, topic: str, partition: int) -> None:
        name = topic.encode()
        self._unpack = leaf_layout(name).unpack
        self._begin = (1, len(name), name, partition)

    def hashes(self, rows: Sequence[Sequence[Any]], after_offset: int) -> list[bytes] | None:
        """The leaf hashes of rows (columns of `StoredEntry`) of which `check_entry` would note nothing.

        None if it might of one, or if one has no key, no value or no payload, or their offsets do not rise.
        """
        hashes: list[bytes] = []
        begin, unpack = self._begin, self._unpack
        try:
            for _, offset, own_id, key, headers, value, leaf, hashed, length in rows:
                said = unpack(leaf)
                tag, seq, decoded = repeated_in_leaf(headers)
                if (
                    said[:4] != begin
                    or said[4] != offset
                    or said[7:]
                    != (1, digest_of_key(key), 1, length, value, sha256(headers).digest(), tag, seq)
                    or sha256(b"\0" + leaf).digest() != hashed
                    or event_id(decoded) != own_id
                    or offset <= after_offset
                ):
                    return None
                after_offset = offset
                hashes.append(hashed)
        except (ValueError, TypeError, struct_error):
            return None
        return hashes


def check_epoch_entry(row: StoredEntry, note: Note) -> bytes | None:
    """The same for an entry of the head log: an epoch, and nothing beside it."""
    hashed = leaf_hash(row.leaf)
    if hashed != row.leaf_hash:
        note("leaf_hash", row.leaf_hash.hex(), f"{hashed.hex()} by column leaf")
    try:
        number = EpochLeaf.parse(row.leaf).number
    except ValueError as error:
        note("leaf", str(error), "an epoch")
    else:
        if number != row.idx + 1:
            note("leaf", f"epoch {number}", f"epoch {row.idx + 1}")
    derived = (row.idx, None, None, encode_headers(()), None)
    found = (row.koffset, row.event_id, row.key, row.headers, row.value_sha256)
    if found != derived:
        names = ("koffset", "event_id", "key", "headers", "value_sha256")
        for name, value, expected in zip(names, found, derived, strict=True):
            if value != expected:
                note(name, _shown(value), _shown(expected))
    return hashed if hashed == row.leaf_hash else None


_COLUMNS = {
    "topic": "log_id (topic)",
    "partition": "log_id (partition)",
    "offset": "koffset",
    "key_sha256": "key",
    "value_length": "value_sha256 (payload of another length)",
    "value_sha256": "value_sha256",
    "headers_sha256": "headers",
    "producer_tag": "headers (casebus-producer)",
    "seq": "headers (casebus-seq)",
}


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return "null" if value is None else str(value)
