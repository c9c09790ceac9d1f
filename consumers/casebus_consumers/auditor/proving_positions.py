"""Adds to a bundle the epochs in which keys ended: by them a reader sees what was signed after it."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from casebus_schemas.evidence.avro_values import Schemas
from casebus_schemas.evidence.bundle_file import Bundle
from casebus_schemas.evidence.bundle_positions import Position
from casebus_schemas.evidence.bundle_reader import is_key_log
from casebus_schemas.evidence.key_entry import KeyEntry
from casebus_schemas.evidence.key_history import KeyHistory
from casebus_schemas.evidence.leaf import decode_headers, parse_leaf
from casebus_schemas.evidence.merkle import inclusion_proof
from casebus_schemas.wire.base64url import from_base64url
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import BLOCK_LENGTH, parse_block

from .proof_rows import ProofRows

_SIGNATURES = ("casebus-sig", "casebus-bus-sig")


def with_positions(rows: ProofRows, bundle: Bundle, size: int) -> Bundle:
    """The bundle with the epochs before and at the end of each key that signed something in it.

    `size` is that of its checkpoint. Epochs of which a key is said to be compromised are there, too.
    """
    signers = set(_signers(bundle))
    ended = [key for key in _keys(bundle) if key.end is not None and key.key_id in signers]
    numbers = {number for key in ended for number in _epochs(rows, key) if 1 <= number <= size}
    shown = {number: _position(rows, number, size) for number in sorted(numbers)}
    return replace(bundle, positions=shown) if shown else bundle


def _epochs(rows: ProofRows, key: KeyEntry) -> Iterator[int]:
    assert key.end is not None
    heads = rows.sealed_heads()
    first = heads.first_with(key.end.topic, key.end.offset)
    if first is not None:
        yield from (first, first - 1)
    if (before := heads.last_without(key.end.topic, key.end.offset)) is not None:
        yield before
    if key.compromised_epoch is not None:
        yield key.compromised_epoch


def _position(rows: ProofRows, number: int, size: int) -> Position:
    path = inclusion_proof(number - 1, size, rows.hashes(rows.head_log, size))
    heads = sorted(rows.heads(number).values(), key=lambda head: head.origin.encode())
    return Position(rows.epoch(number).pack(), tuple(heads), tuple(path))


def _keys(bundle: Bundle) -> Iterable[KeyEntry]:
    records = []
    for name, log in bundle.logs.items():
        if is_key_log(name):
            records += [
                _record(leaf, headers, bundle) for leaf, headers in zip(log.leaves, log.headers, strict=True)
            ]
    return KeyHistory(Schemas(bundle.schemas)).read(records).keys.values()


def _record(raw: bytes, encoded: bytes, bundle: Bundle) -> Record:
    leaf, headers = parse_leaf(raw), decode_headers(encoded)
    key = next((value for name, value in headers if name == "ce_subject"), None)
    value = None if leaf.value_sha256 is None else bundle.payloads.get(leaf.value_sha256)
    place = leaf.topic, leaf.partition, leaf.offset, leaf.timestamp_ms, leaf.timestamp_type
    return Record(*place, key, value, headers)


def _signers(bundle: Bundle) -> Iterator[bytes]:
    """Ids of the keys under which something that is opened claims to be signed."""
    for log in bundle.logs.values():
        for encoded in log.headers:
            for name, value in decode_headers(encoded) if encoded else ():
                if name in _SIGNATURES and value is not None:
                    with suppress(ValueError):
                        raw = from_base64url(value.decode("ascii"), BLOCK_LENGTH)
                        yield parse_block(raw).key_id
