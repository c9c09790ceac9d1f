"""The admission: the router's one verdict on a record, as the compact JSON of `casebus-admission`."""

import json
import re
from binascii import unhexlify
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple, cast
from uuid import UUID

from casebus_schemas.errors import BusError, RefusalCode
from casebus_schemas.wire.records import Headers, Record
from casebus_schemas.wire.uuids import uuid_in

_loads: Callable[[bytes], Any]
try:
    from orjson import loads as _loads
except ImportError:  # in the verifier's single script there is the standard library alone
    _loads = json.loads

HEADER = "casebus-admission"
BUS_HEADERS = (HEADER, "casebus-bus-producer", "casebus-bus-seq", "casebus-bus-prev", "casebus-bus-sig")

# Made once: json.dumps would make an encoder each time.
_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

Role = Literal["to", "cc", "by-law"]


class Origin(NamedTuple):
    """Where a record stands in Kafka, written `topic/partition/offset`."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Origin":
        """Reads `topic/partition/offset`. Raises ValueError for other texts."""
        topic, partition, offset = text.split("/")
        return cls(topic, int(partition), int(offset))


class Recipient(NamedTuple):
    """Who is told, in which role, under which notice id."""

    agency: str
    role: Role
    notice: UUID


class Admission(NamedTuple):
    """The verdict on one attempt at one record. The first of (origin, attempt) wins.

    `digest` is the event digest (None where the headers do not give one). `admitted_at_ms` is the bus's
    clock, milliseconds since 1970 UTC. For level-s and personal-data the record carries no bytes:
    `original` then holds the SHA-256 of key, value and headers.
    """

    origin: Origin
    attempt: int
    verdict: Literal["admitted", "refused"]
    code: RefusalCode | None
    detail: str | None
    digest: bytes | None
    recipients: tuple[Recipient, ...]
    catalogue: str
    keyring: str
    admitted_at_ms: int
    original: tuple[str, str, str] | None = None

    @property
    def admitted(self) -> bool:
        """Whether the record was admitted."""
        return self.verdict == "admitted"

    def to_json(self) -> bytes:
        """Compact JSON in UTF-8, keys in a fixed order."""
        if self.code is None and self.detail is None and self.digest and self.original is None:
            return self._plain_json()
        body: dict[str, object] = {
            "origin": str(self.origin),
            "attempt": self.attempt,
            "digest": self.digest.hex() if self.digest else None,
            "verdict": self.verdict,
            "code": self.code,
            "detail": self.detail,
            "recipients": [[r.agency, r.role, str(r.notice)] for r in self.recipients],
            "catalogue": self.catalogue,
            "keyring": self.keyring,
            "admitted_at": self.admitted_at_ms,
        }
        if self.original is not None:
            body["original"] = list(self.original)
        return _COMPACT(body).encode()

    def _plain_json(self) -> bytes:
        """The same for the usual case, without an encoder: only what it holds must be escaped by one."""
        told = ",".join([f'["{r.agency}","{r.role}","{text_of_notice(r.notice)}"]' for r in self.recipients])
        assert self.digest is not None
        return (
            f'{{"origin":{_quoted(self.origin.topic)[:-1]}/{self.origin.partition}/{self.origin.offset}",'
            f'"attempt":{self.attempt},"digest":"{self.digest.hex()}","verdict":"{self.verdict}",'
            f'"code":null,"detail":null,"recipients":[{told}],"catalogue":{_quoted(self.catalogue)},'
            f'"keyring":{_quoted(self.keyring)},"admitted_at":{self.admitted_at_ms}}}'
        ).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> "Admission":
        """Reads the header's JSON. Raises BusError if it is not one the router writes."""
        try:
            body = _read(raw)
            original = body.get("original")
            return cls(
                origin=Origin.parse(body["origin"]),
                attempt=int(body["attempt"]),
                verdict=body["verdict"],
                code=body["code"],
                detail=body["detail"],
                digest=bytes.fromhex(body["digest"]) if body["digest"] else None,
                recipients=tuple(Recipient(a, cast(Role, r), uuid_in(n)) for a, r, n in body["recipients"]),
                catalogue=body["catalogue"],
                keyring=body["keyring"],
                admitted_at_ms=int(body["admitted_at"]),
                original=(original[0], original[1], original[2]) if original else None,
            )
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise BusError(
                "not an admission header", found=repr(raw[:80]), expected="the JSON that the router writes"
            ) from error


def _read(raw: bytes) -> Any:
    try:
        return _loads(raw)
    except ValueError:  # what the standard library reads beyond that, and its own error
        return json.loads(raw)


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    """A text of which there are few, as JSON."""
    return _COMPACT(text)


@lru_cache(maxsize=4096)
def text_of_notice(notice: UUID) -> str:
    """A notice id as text: admission and inbox say it one after the other."""
    return str(notice)


class SaidVerdict(NamedTuple):
    """What an admission says of the record itself; `place` is its origin as text."""

    place: str
    attempt: int
    verdict: Literal["admitted", "refused"]
    code: RefusalCode | None
    detail: str | None
    digest: bytes | None
    admitted_at_ms: int

    @property
    def admitted(self) -> bool:
        """Whether the record was admitted."""
        return self.verdict == "admitted"


_NUMBER = r"(0|[1-9][0-9]{0,18})"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TOLD = rf'\["[a-z-]+","(?:to|cc|by-law)","{_UUID}"\]'
_PLAIN = re.compile(
    rf'\{{"origin":"([a-z0-9.-]+/{_NUMBER}/{_NUMBER})","attempt":{_NUMBER},"digest":"([0-9a-f]{{64}})",'
    rf'"verdict":"(admitted|refused)","code":null,"detail":null,"recipients":\[(?:{_TOLD}(?:,{_TOLD})*)?\],'
    rf'"catalogue":"[a-z0-9.:-]*","keyring":"[a-z0-9.:-]*","admitted_at":{_NUMBER}\}}'.encode()
)


def said_in(raw: bytes) -> SaidVerdict:
    """The same as `Admission.from_json` of what it says of the record alone, at a third of the cost.

    Raises BusError as that does.
    """
    found = _PLAIN.fullmatch(raw)
    if found is None:
        read = Admission.from_json(raw)
        what = str(read.origin), read.attempt, read.verdict, read.code, read.detail, read.digest
        return SaidVerdict(*what, read.admitted_at_ms)
    place, _, _, attempt, digest, verdict, at = found.groups()
    said: Literal["admitted", "refused"] = "admitted" if verdict == b"admitted" else "refused"
    return SaidVerdict(place.decode(), int(attempt), said, None, None, unhexlify(digest), int(at))


def counts_now(verdicts: dict[str, SaidVerdict], said: SaidVerdict) -> None:
    """Takes in one more verdict: the first of the last attempt at a record is the one that counts."""
    if said.place not in verdicts or verdicts[said.place].attempt < said.attempt:
        verdicts[said.place] = said


def split_admission(record: Record) -> tuple[Admission, Headers]:
    """Admission of a `bus.admission` record, and the original headers before the bus's own.

    The bus's headers stand last; an agency cannot smuggle its own in front, since names beginning with
    `casebus-` that it may not use are refused, and the last occurrence counts here.
    Raises BusError if there is no admission header.
    """
    headers = record.headers
    usual = max(0, len(headers) - len(BUS_HEADERS))
    if (
        tuple([name for name, _ in headers[usual:]]) == BUS_HEADERS
        and (value := headers[usual][1]) is not None
    ):
        return Admission.from_json(value), headers[:usual]
    for at in range(len(headers) - 1, -1, -1):
        name, value = headers[at]
        if name == HEADER and value is not None:
            return Admission.from_json(value), headers[:at]
    raise BusError(
        "record without admission header",
        expected=HEADER,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )


def original_record(record: Record, admission: Admission, headers: Headers) -> Record:
    """The agency's record as it stood at its origin, rebuilt from its admission record.

    The time stamp is that of the admission record: the original's is not carried.
    """
    origin = admission.origin
    return record._replace(
        topic=origin.topic, partition=origin.partition, offset=origin.offset, headers=headers
    )
