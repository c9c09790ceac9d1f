"""Leaves of a whole run of records at once: the same bytes as `leaf` for each, in less than half the time."""

from collections.abc import Sequence
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from casebus_schemas.wire.records import Headers, Record

from .leaf import (
    NO_PRODUCER,
    NO_SEQ,
    digest_of_key,
    encode_headers,
    encoded_name,
    leaf_seq,
    producer_tag,
    tag_of_producer,
)

_ZEROS = bytes(32)
_MOST_LAYOUTS = 4096
_SURE_DIGITS = 19
"""Decimal numbers of so many digits are below 2^64-1 whatever the digits are."""

Names = tuple[str, ...]


class LeafRun(NamedTuple):
    """What each record of a run gives, column by column. An absent value has no digest."""

    headers: list[bytes]
    value_digests: list[bytes | None]
    leaves: list[bytes]
    hashes: list[bytes]


class _Layout(NamedTuple):
    """How headers of certain names and lengths are encoded: `parts` has a place for each value."""

    names: Names
    parts: list[bytes]
    producer: int | None
    seq: int | None


_layouts: dict[tuple[int, ...], _Layout] = {}
"""The last layout seen for each sequence of lengths: records of one type and sender have few."""


def leaf_run(records: Sequence[Record]) -> LeafRun:
    """Encoded headers, value digests, leaves and leaf hashes of records of one topic and partition."""
    if not records:
        return LeafRun([], [], [], [])
    topic = records[0].topic.encode()
    pack = Struct(f">{2 + len(topic)}sIQBqB32sBI32s32s8sQ").pack
    head = bytes((1, len(topic))) + topic
    partition = records[0].partition
    encoded: list[bytes] = []
    digests: list[bytes | None] = []
    leaves: list[bytes] = []
    for _, _, offset, timestamp_ms, timestamp_type, key, value, headers in records:
        raw, tag, seq = _headers(headers)
        digest = None if value is None else sha256(value).digest()
        leaves.append(
            pack(
                head,
                partition,
                offset,
                timestamp_type,
                timestamp_ms,
                key is not None,
                _ZEROS if key is None else digest_of_key(key),
                value is not None,
                0 if value is None else len(value),
                digest or _ZEROS,
                sha256(raw).digest(),
                tag,
                seq,
            )
        )
        encoded.append(raw)
        digests.append(digest)
    return LeafRun(encoded, digests, leaves, [sha256(b"\0" + raw).digest() for raw in leaves])


def _headers(headers: Headers) -> tuple[bytes, bytes, int]:
    """The headers encoded, the producer's tag, and the sequence number."""
    try:
        names, values = zip(*headers, strict=True)
        lengths = tuple(map(len, values))
    except (TypeError, ValueError):  # a null value, or no headers
        return encode_headers(headers), producer_tag(headers), leaf_seq(headers)
    layout = _layouts.get(lengths)
    if layout is None or layout.names != names:
        layout = _remember(names, lengths)
    parts = layout.parts.copy()
    parts[1::2] = values
    producer, seq = layout.producer, layout.seq
    tag = NO_PRODUCER if producer is None or not values[producer] else tag_of_producer(values[producer])
    number = NO_SEQ
    if seq is not None:
        text = values[seq]
        # As the pattern of `leaf_seq`, for all but the few numbers that might not fit.
        plain = len(text) <= _SURE_DIGITS and text.isdigit() and not text.startswith(b"0")
        number = int(text) if plain else leaf_seq(headers)
    return b"".join(parts), tag, number


def _remember(names: Names, lengths: tuple[int, ...]) -> _Layout:
    parts: list[bytes] = []
    for name, length in zip(names, lengths, strict=True):
        parts.append(encoded_name(name) + length.to_bytes(4, "big"))
        parts.append(b"")
    parts[0] = len(names).to_bytes(4, "big") + parts[0]
    layout = _Layout(names, parts, _first(names, "casebus-producer"), _first(names, "casebus-seq"))
    if len(_layouts) >= _MOST_LAYOUTS:
        _layouts.clear()
    _layouts[lengths] = layout
    return layout


def _first(names: Names, wanted: str) -> int | None:
    return names.index(wanted) if wanted in names else None
