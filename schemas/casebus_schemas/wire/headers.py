"""The headers of an event: CloudEvents binary mode plus our signature fields (docs/records.md 1)."""

import re
from binascii import unhexlify
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from casebus_schemas.errors import Refused
from casebus_schemas.times import RFC_3339, parse_utc_text, to_moment, utc_text

from .base64url import base64url_bytes, canonical_bytes, from_base64url, to_base64url
from .records import Headers, Outgoing, Record
from .signing import BLOCK_LENGTH, SignedFields, event_digest
from .uuids import uuid_in, uuid_text

CONTENT_TYPE = "application/avro"
MAX_HEADERS = 32
MAX_HEADER_BYTES = 8192
"""Limits of what an agency may send: 14 headers are needed, the rest is room for tracing."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_TYPE = re.compile(r"[a-z_]{2,40}\.[a-z_]{2,60}\Z")
_SOURCE = re.compile(r"/[a-z][a-z0-9-]{0,31}(/[a-z0-9][a-z0-9-]{0,60})?\Z")
_PRODUCER = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\.[1-9][0-9]{0,18}\Z")
_SEQ = re.compile(r"[1-9][0-9]{0,19}\Z")
_TRACE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")
_CONTENT = re.compile(re.escape(CONTENT_TYPE) + r"\Z")
_SCHEMA = re.compile(r"sha256:[0-9a-f]{64}\Z")
_REQUIRED = (
    "ce_specversion",
    "ce_id",
    "ce_source",
    "ce_type",
    "ce_time",
    "ce_subject",
    "ce_dataschema",
    "content-type",
    "casebus-producer",
    "casebus-seq",
    "casebus-prev",
    "casebus-sig",
)
_REPEATED = {"ce_datacontenttype": "content-type", "ce_partitionkey": "ce_subject"}
"""What SDKs of CloudEvents say twice, and what it must equal: content type and key, which is the chain."""
_TRACING = frozenset({"traceparent", "tracestate", "ce_traceparent", "ce_tracestate"})
"""Not signed and without meaning for the bus: whatever they hold, and however often, decides nothing."""
_KNOWN = frozenset((*_REQUIRED, *_REPEATED))
_USUAL_NAMES = sum(map(len, _REQUIRED))


def _group(pattern: re.Pattern[str]) -> str:
    """A header's pattern as a group of one long pattern."""
    inner = pattern.pattern.removesuffix(r"\Z").replace("(?:", "(").replace("(", "(?:")
    return f"({inner})"


_USUAL = re.compile(
    "\n".join(
        (
            r"1\.0",
            _group(_UUID),
            _group(_SOURCE),
            _group(_TYPE),
            _group(RFC_3339),
            _group(_UUID),
            r"sha256:([0-9a-f]{64})",
            re.escape(CONTENT_TYPE),
            _group(_PRODUCER),
            _group(_SEQ),
            r"([A-Za-z0-9_-]+)",
            r"([A-Za-z0-9_-]+)\Z",
        )
    ).encode()
)
"""The values of `_REQUIRED` in their order, a line each."""


def is_source(text: str) -> bool:
    """Whether the text has the form of `ce_source`: an agency's id, then perhaps a unit's name."""
    return _SOURCE.match(text) is not None


class EventHeaders(NamedTuple):
    """The parsed headers of one event."""

    id: UUID
    type: str
    source: str
    time_ms: int
    time: str
    subject: str
    fingerprint: bytes
    content_type: str
    traceparent: str | None
    producer: str
    seq: int
    prev: bytes
    sig: bytes

    @classmethod
    def parse(cls, headers: Iterable[tuple[str, bytes | None]]) -> "EventHeaders":
        """Reads and checks an event's headers. Raises Refused `bad-headers` naming the header at fault.

        Unknown headers are allowed within the limits; a known one may stand only once, but those of tracing.
        """
        headers = tuple(headers)
        return cls._usual(headers) or cls._any(headers)

    @classmethod
    def _usual(cls, headers: Headers) -> "EventHeaders | None":
        """The headers if they stand as the bus writes them and are right: one match for all of them."""
        if len(headers) != len(_REQUIRED):
            return None
        names, values = zip(*headers, strict=True)
        if names != _REQUIRED or None in values:
            return None
        text = b"\n".join(values)
        found = _USUAL.match(text)
        if found is None or len(text) + _USUAL_NAMES > MAX_HEADER_BYTES:
            return None
        id, source, type, time, subject, schema, producer, seq, prev, sig = found.groups()
        number = int(seq)
        try:
            raw_prev, raw_sig = canonical_bytes(prev, 32), canonical_bytes(sig, BLOCK_LENGTH)
            time_text = time.decode()
            time_ms = to_moment(datetime.fromisoformat(time_text))
        except ValueError:
            return None
        if number >= 2**64 - 1 or raw_prev is None or raw_sig is None:
            return None
        return cls(
            uuid_in(id.decode()),
            type.decode(),
            source.decode(),
            time_ms,
            time_text,
            subject.decode(),
            unhexlify(schema),
            CONTENT_TYPE,
            None,
            producer.decode(),
            number,
            raw_prev,
            raw_sig,
        )

    @classmethod
    def _any(cls, headers: Headers) -> "EventHeaders":
        """The headers in any order, or what is wrong with them."""
        found = _collect(headers)
        missing = [name for name in _REQUIRED if name not in found]
        if missing:
            raise _bad("missing headers", ", ".join(missing), "all of " + ", ".join(_REQUIRED))
        if found["ce_specversion"] != "1.0":
            raise _bad("ce_specversion", found["ce_specversion"], "1.0")
        seq = int(_matched(found, "casebus-seq", _SEQ, "a decimal number from 1"))
        if seq >= 2**64 - 1:
            raise _bad("casebus-seq", seq, "less than 2^64-1")
        for name, of in _REPEATED.items():
            if name in found and found[name] != found[of]:
                raise _bad(name, repr(found[name]), f"the same as {of}, or no such header")
        time = _matched(found, "ce_time", RFC_3339, "an RFC 3339 time with offset")
        try:
            time_ms = parse_utc_text(time)
        except ValueError as error:
            raise _bad("ce_time", time, "an existing RFC 3339 time") from error
        return cls(
            id=UUID(_matched(found, "ce_id", _UUID, "a lower-case UUID")),
            type=_matched(found, "ce_type", _TYPE, "family.verb_in_past"),
            source=_matched(found, "ce_source", _SOURCE, "/agency or /agency/unit"),
            time_ms=time_ms,
            time=time,
            subject=_matched(found, "ce_subject", _UUID, "a chain id (lower-case UUID)"),
            fingerprint=bytes.fromhex(_matched(found, "ce_dataschema", _SCHEMA, "sha256:<64 hex>")[7:]),
            content_type=_matched(found, "content-type", _CONTENT, CONTENT_TYPE),
            traceparent=_trace(headers),
            producer=_matched(found, "casebus-producer", _PRODUCER, "instance.incarnation"),
            seq=seq,
            prev=_bytes(found, "casebus-prev", 32),
            sig=_bytes(found, "casebus-sig", BLOCK_LENGTH),
        )

    @classmethod
    def of_admitted(cls, headers: Iterable[tuple[str, bytes | None]]) -> "EventHeaders":
        """Reads the headers of an event that the router has admitted: it has checked them.

        Raises Refused `bad-headers` if they cannot be read at all.
        """
        try:
            headers = tuple(headers)
            # Tracing may hold anything, and known headers stand once.
            found = {name: (value or b"").decode() for name, value in headers if name not in _TRACING}
            return cls(
                id=uuid_in(found["ce_id"]),
                type=found["ce_type"],
                source=found["ce_source"],
                time_ms=parse_utc_text(found["ce_time"]),
                time=found["ce_time"],
                subject=found["ce_subject"],
                fingerprint=bytes.fromhex(found["ce_dataschema"][7:]),
                content_type=found["content-type"],
                traceparent=_trace(headers),
                producer=found["casebus-producer"],
                seq=int(found["casebus-seq"]),
                prev=from_base64url(found["casebus-prev"], 32),
                sig=b"",
            )
        except (KeyError, ValueError) as error:
            raise _bad("headers of an admitted event", error, "all that the router checks") from error

    def to_kafka(self) -> tuple[tuple[str, bytes], ...]:
        """The headers in the bus's order, all UTF-8 text."""
        pairs = [
            ("ce_specversion", "1.0"),
            ("ce_id", str(self.id)),
            ("ce_source", self.source),
            ("ce_type", self.type),
            ("ce_time", self.time),
            ("ce_subject", self.subject),
            ("ce_dataschema", "sha256:" + self.fingerprint.hex()),
            ("content-type", self.content_type),
            ("casebus-producer", self.producer),
            ("casebus-seq", str(self.seq)),
            ("casebus-prev", to_base64url(self.prev)),
            ("casebus-sig", to_base64url(self.sig)),
        ]
        if self.traceparent is not None:
            pairs.append(("traceparent", self.traceparent))
        return tuple((name, value.encode()) for name, value in pairs)

    def signed_fields(self, topic: str, partition: int, value: bytes | None) -> SignedFields:
        """What the signature covers when these headers stand on a record of that place and value.

        The key is the subject: the router refuses a record whose key differs from it.
        """
        return self.signed_at(topic, partition, sha256(value or b"").digest())

    def signed_at(self, topic: str, partition: int, value_sha256: bytes) -> SignedFields:
        """The same from the digest of the value."""
        return SignedFields(
            self.producer,
            self.seq,
            self.prev,
            topic,
            partition,
            self.subject,
            self.fingerprint,
            self.content_type,
            self.id,
            self.type,
            self.source,
            self.time_ms,
            value_sha256,
        )


def event_headers(
    fields: SignedFields, sig: bytes, *, traceparent: str | None = None
) -> tuple[tuple[str, bytes], ...]:
    """Headers of an event from what was signed and its signature block, in the bus's order."""
    pairs = [
        ("ce_specversion", b"1.0"),
        ("ce_id", uuid_text(fields.id).encode()),
        ("ce_source", _ascii(fields.source)),
        ("ce_type", _ascii(fields.type)),
        ("ce_time", _time_header(fields.time_ms)),
        ("ce_subject", fields.key.encode()),
        ("ce_dataschema", _dataschema(fields.fingerprint)),
        ("content-type", _ascii(fields.content_type)),
        ("casebus-producer", _ascii(fields.producer)),
        ("casebus-seq", b"%d" % fields.seq),
        ("casebus-prev", base64url_bytes(fields.prev)),
        ("casebus-sig", base64url_bytes(sig)),
    ]
    if traceparent is not None:
        pairs.append(("traceparent", traceparent.encode()))
    return tuple(pairs)


@lru_cache(maxsize=4096)
def _ascii(text: str) -> bytes:
    return text.encode()


@lru_cache(maxsize=4096)
def _time_header(time_ms: int) -> bytes:
    return utc_text(time_ms).encode()


@lru_cache(maxsize=1024)
def _dataschema(fingerprint: bytes) -> bytes:
    return b"sha256:" + fingerprint.hex().encode()


def digest_of(record: Record | Outgoing) -> bytes:
    """Event digest of a record as it stands. Raises Refused `bad-headers` if its headers are malformed."""
    return event_digest(fields_of(record))


def fields_of(record: Record | Outgoing) -> SignedFields:
    """What the signature of a record covers, as it stands. Raises Refused as `digest_of` does."""
    parsed = EventHeaders.parse(record.headers)
    return parsed.signed_fields(record.topic, record.partition, record.value)


def _bad(name: str, found: object, expected: str) -> Refused:
    remedy = "publish it anew with correct headers"
    return Refused("bad-headers", name, found=str(found)[:120], expected=expected, remedy=remedy)


def _collect(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    found: dict[str, str] = {}
    count = size = 0
    for name, value in headers:
        count += 1
        size += len(name) + len(value or b"")
        if count > MAX_HEADERS:
            raise _bad("number of headers", f"more than {MAX_HEADERS}", f"at most {MAX_HEADERS}")
        if size > MAX_HEADER_BYTES:
            raise _bad(
                "size of headers", f"more than {MAX_HEADER_BYTES} bytes", f"at most {MAX_HEADER_BYTES}"
            )
        if name not in _KNOWN:
            if name not in _TRACING and name.startswith(("ce_", "casebus-")):
                raise _bad("unknown header", repr(name), "no other headers beginning with ce_ or casebus-")
            _check_foreign(name, value)
            continue
        if name in found:
            raise _bad(name, "the header twice", "the header once")
        if value is None:
            raise _bad(name, "null", "text")
        try:
            found[name] = value.decode("ascii")
        except UnicodeDecodeError as error:
            raise _bad(name, value[:40].hex(), "ASCII text") from error
    return found


def trace_context(said: object) -> str | None:
    """A W3C trace context of the form that the bus knows; None for anything else."""
    return said if isinstance(said, str) and _TRACE.match(said) else None


def _trace(headers: Headers) -> str | None:
    """The first trace context of the form that the bus knows."""
    named = (value.decode(errors="replace") for name, value in headers if name == "traceparent" and value)
    return next((text for text in named if _TRACE.match(text)), None)


def _check_foreign(name: str, value: bytes | None) -> None:
    # Clients exist that never get past a name or value that is not text: a notice must not stop its readers.
    if not (name.isascii() and name.isprintable()):
        raise _bad("name of a header", ascii(name), "printable ASCII")
    try:
        (value or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad(name, (value or b"")[:40].hex(), "UTF-8 text") from error


def _matched(found: dict[str, str], name: str, pattern: re.Pattern[str], expected: str) -> str:
    text = found[name]
    if not pattern.match(text):
        raise _bad(name, repr(text), expected)
    return text


def _bytes(found: dict[str, str], name: str, length: int) -> bytes:
    try:
        return from_base64url(found[name], length)
    except ValueError as error:
        raise _bad(name, f"{found[name][:60]!r} ({error})", f"base64url of {length} bytes") from error
