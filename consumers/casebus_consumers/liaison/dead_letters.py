"""Dead letters: refused records with the reason, as the router keeps them for agency and operator."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casebus_producers.config import KafkaLogin
from casebus_producers.odd_names import shown_name
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import dead_letter
from casebus_schemas.errors import BusError, UsageError
from casebus_schemas.times import to_datetime, to_moment, utc_text
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.door import to_json
from casebus_schemas.wire.headers import EventHeaders, digest_of
from casebus_schemas.wire.records import Record, TopicPartition

_FIRST_OF_OURS = "casebus-error-code"
_DIGESTS = ("casebus-key-sha256", "casebus-value-sha256", "casebus-headers-sha256")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused record at its origin, byte for byte, and why; `seq` is its number among its agency's.

    Of a secret or too large record there are no bytes: `digests` holds the SHA-256 of key, value, headers.
    """

    agency: str
    seq: int
    code: str
    detail: str
    origin: Origin
    attempt: int
    at: datetime
    record: Record
    digests: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """As a JSON object of one line."""
        return {
            "agency": self.agency,
            "seq": self.seq,
            "code": self.code,
            "detail": self.detail,
            "origin": {
                "topic": self.origin.topic,
                "partition": self.origin.partition,
                "offset": self.origin.offset,
            },
            "attempt": self.attempt,
            "at": utc_text(to_moment(self.at)),
            "event": self._event(),
        }

    def to_json(self, catalog: Catalog) -> dict[str, Any]:
        """All of it: headers as text, the value in base64 and, where it can be read, as an event."""
        record = self.record
        return {
            **self.summary(),
            "key": None if record.key is None else record.key.decode("utf-8", "replace"),
            "headers": [
                [shown_name(name), None if value is None else value.decode("utf-8", "replace")]
                for name, value in record.headers
            ],
            "value": None if record.value is None else base64.b64encode(record.value).decode(),
            "sha256": dict(zip(("key", "value", "headers"), self.digests, strict=True))
            if self.digests
            else None,
            "readable": self._readable(catalog),
        }

    def _event(self) -> dict[str, Any]:
        try:
            headers = EventHeaders.parse(self.record.headers)
        except BusError:
            return {"id": None, "type": None, "chain": None, "digest": None}
        digest = digest_of(self.record).hex()
        return {"id": str(headers.id), "type": headers.type, "chain": headers.subject, "digest": digest}

    def _readable(self, catalog: Catalog) -> dict[str, Any] | None:
        try:
            headers = EventHeaders.parse(self.record.headers)
            _, data = decode(catalog, self.record.value)
            return to_json(headers, data, catalog)
        except BusError:
            return None


def parse_dead_letter(record: Record) -> DeadLetter:
    """Takes a record of a dead-letter topic apart. Raises BusError with its place if it is none."""
    names = [name for name, _ in record.headers]
    try:
        # The last one: an agency may have sent headers of the same name.
        at = len(names) - 1 - names[::-1].index(_FIRST_OF_OURS)
        ours = {name: (value or b"").decode() for name, value in record.headers[at:]}
        origin = Origin.parse(ours["casebus-origin"])
        return DeadLetter(
            agency=record.topic.removeprefix(dead_letter("")),
            seq=record.offset,
            code=ours[_FIRST_OF_OURS],
            detail=ours["__connect.errors.exception.message"],
            origin=origin,
            attempt=int(ours["casebus-attempt"]),
            at=to_datetime(record.timestamp_ms),
            record=record._replace(
                topic=origin.topic,
                partition=origin.partition,
                offset=origin.offset,
                headers=record.headers[:at],
            ),
            digests=tuple(ours[name] for name in _DIGESTS) if _DIGESTS[0] in ours else (),
        )
    except (ValueError, KeyError) as error:
        raise BusError(
            "not a dead letter",
            found=f"{type(error).__name__}: {error}",
            expected="the headers that the router appends",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        ) from error


def dead_letters(login: KafkaLogin, agencies: Sequence[str] = MEMBERS) -> Iterator[DeadLetter]:
    """All dead letters of these agencies, each agency's in order.

    Raises AccessDenied if one's topic cannot be read: an agency reads its own, the operator all.
    """
    with TopicReader(login, [dead_letter(agency) for agency in agencies]) as reader:
        for record in reader.read_to(reader.ends()):
            yield parse_dead_letter(record)


def one_dead_letter(login: KafkaLogin, agency: str, seq: int) -> DeadLetter:
    """The dead letter of that number. Raises UsageError if there is none."""
    place = TopicPartition(dead_letter(agency), 0)
    with TopicReader(login, [place.topic], {place: seq}) as reader:
        end = reader.ends()[place]
        if 0 <= seq < end:
            for record in reader.read_to({place: seq + 1}):
                return parse_dead_letter(record)
    raise UsageError(
        f"no dead letter {seq} of {agency}",
        expected=f"a number from 0 to {end - 1}" if end else "none: there are no dead letters",
        remedy=f"`casebus dead-letters list --agency {agency}` shows all",
    )
