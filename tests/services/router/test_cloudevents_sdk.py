"""Events whose headers an SDK of CloudEvents wrote: Python's own, and what others are known to write."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.records import Record
from casebus_services.router.judgement import judge
from support.events.signed_events import Speaker, chain, keyring_of, stored

CSRC = Speaker("csrc")
AT = datetime(2016, 10, 18, 9, 30, 0, 123456, tzinfo=UTC)
MORE = {
    # cloudevents-kafka of Java and sdk-go write nanoseconds where their clock has them.
    "java": {"ce_time": "2016-10-18T09:30:00.123456789Z"},
    "go": {"ce_time": "2016-10-18T09:30:00.1234567Z"},
    "javascript": {"ce_time": "2016-10-18T09:30:00.123Z", "ce_datacontenttype": "application/avro"},
}


def judged(record: Record) -> tuple[str, str | None]:
    """The router's verdict and code."""
    found = judge(record, Catalog.load(), keyring_of(CSRC), 4, 1_480_000_000_000)
    return found.verdict, found.code


def signed() -> Record:
    """A lawful referral, whose signature covers milliseconds."""
    return stored(CSRC.refer(1, occurred_at=AT.replace(microsecond=123000)), 41)


def texts(record: Record) -> dict[str, str]:
    """Headers as text."""
    return {name: (value or b"").decode() for name, value in record.headers}


def with_headers(record: Record, headers: dict[str, str]) -> Record:
    """The same record under other headers."""
    return record._replace(headers=tuple((name, text.encode()) for name, text in headers.items()))


def written_by_sdk(record: Record) -> KafkaMessage:
    """What to_binary makes of an event with our attributes; the signature fields are added to its headers."""
    ours = texts(record)
    attributes: dict[str, Any] = {name[3:]: text for name, text in ours.items() if name.startswith("ce_")}
    attributes |= {"time": AT, "datacontenttype": ours["content-type"], "partitionkey": ours["ce_subject"]}
    return to_binary(CloudEvent(attributes, record.value), JSONFormat())


def test_c20_what_the_python_sdk_writes_is_admitted() -> None:
    """Six digits of time and the key said twice: admitted, with the headers kept as they came."""
    record = signed()
    message = written_by_sdk(record)
    written = {name: value.decode() for name, value in message.headers.items()}
    assert written["ce_time"].endswith("00.123456Z")
    assert written["ce_partitionkey"] == message.key == chain(1)
    signature = {name: text for name, text in texts(record).items() if name.startswith("casebus-")}
    sent = with_headers(record, written | signature)
    assert (message.value, judged(sent)) == (record.value, ("admitted", None))


@pytest.mark.parametrize("language", MORE)
def test_c20_what_other_sdks_write_is_admitted(language: str) -> None:
    """Times finer than milliseconds, and a content type said twice."""
    assert judged(with_headers(signed(), texts(signed()) | MORE[language])) == ("admitted", None)


@pytest.mark.parametrize(
    "more",
    [
        {"ce_time": (AT + timedelta(milliseconds=1)).isoformat()},
        {"ce_partitionkey": chain(2)},
        {"ce_datacontenttype": "application/json"},
    ],
)
def test_c20_what_says_something_else_is_refused(more: dict[str, str]) -> None:
    """Another millisecond, key or content type is refused."""
    assert judged(with_headers(signed(), texts(signed()) | more))[0] == "refused"


def test_c20_the_python_sdk_reads_our_records() -> None:
    """from_binary gives our attributes and value; the signature fields it drops stand in the record."""
    record = signed()
    message = KafkaMessage(
        {name: value or b"" for name, value in record.headers}, record.key, record.value or b""
    )
    event = from_binary(message, JSONFormat(), CloudEvent)
    ours = texts(record)
    assert (event.get_id(), event.get_type(), event.get_subject()) == (
        ours["ce_id"],
        ours["ce_type"],
        ours["ce_subject"],
    )
    assert event.get_time() == AT.replace(microsecond=123000)
    assert event.get_data() == record.value
    assert not [name for name in event.get_attributes() if "casebus" in name]
