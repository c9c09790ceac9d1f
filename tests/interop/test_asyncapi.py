"""docs/asyncapi.json against the wire: each record of a running bus is as the document says of its topic."""

import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import fastavro
import jsonschema  # type: ignore[import-untyped]  # its types are another package
import pytest
from kafka import KafkaProducer

from casebus_deploy.stack.stack import Stack
from casebus_producers.config import KafkaLogin
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.catalogue.topology import topics
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SigningKey
from support.cases.documented import DOCS
from support.events.signed_events import AT, Speaker, chain, envelope
from support.events.verdicts import LONG_S, verdict

DOCUMENT = json.loads((DOCS / "asyncapi.json").read_text(encoding="utf-8"))
FORMATS = jsonschema.FormatChecker()


def followed(node: Any) -> Any:
    """The part that a reference names, or the part itself."""
    while "$ref" in node:
        steps = node["$ref"].removeprefix("#/").split("/")
        node = DOCUMENT
        for step in steps:
            node = node[step]
    return node


def schema_of_headers(message: dict[str, Any]) -> Any:
    """What the document says of a message's headers, by itself or by its trait."""
    traits = [followed(trait) for trait in message.get("traits", ())]
    (found,) = [part["headers"] for part in (message, *traits) if "headers" in part]
    return followed(found)


def message_of(record: Record) -> dict[str, Any]:
    """The message of the record's channel that a reader takes it for: by type, or the only one."""
    known = {name: followed(ref) for name, ref in DOCUMENT["channels"][record.topic]["messages"].items()}
    type = next((value or b"" for name, value in record.headers if name == "ce_type"), b"").decode()
    found: dict[str, Any] = next((one for one in known.values() if one["name"] == type), {})
    return found or next(iter(known.values()))


def compared(record: Record) -> str:
    """Holds a record to the document; gives the name of its message."""
    message = message_of(record)
    headers = {name: (value or b"").decode() for name, value in record.headers}
    jsonschema.validate(headers, schema_of_headers(message), format_checker=FORMATS)
    payload = followed(message.get("payload", {}))
    if message.get("contentType") == "text/plain":
        assert record.value is not None
        jsonschema.validate(record.value.decode(), payload)
    elif payload:
        schema = fastavro.parse_schema(json.loads(json.dumps(payload["schema"])))
        assert record.value is not None
        out = io.BytesIO(record.value[:5])
        out.seek(5)
        fastavro.schemaless_writer(
            out, schema, fastavro.schemaless_reader(io.BytesIO(record.value[5:]), schema)
        )
        assert out.getvalue() == record.value
        assert record.key == headers["ce_subject"].encode()
        assert message["name"] == headers["ce_type"]
    return str(message["name"])


def everything(bus: Stack, names: Sequence[str]) -> Iterator[Record]:
    """All records of these topics, as the auditor reads them."""
    with TopicReader(KafkaLogin.read("auditor", bus.connection), names) as reader:
        yield from reader.read_to(reader.ends())


def speaker(bus: Stack, agency: str) -> Speaker:
    """An agency of this bus under an incarnation of its own."""
    key_file = bus.connection.principal(agency).signing_key_file
    assert key_file is not None
    producer = f"{agency}-interop.{time.time_ns()}"
    return Speaker(agency, key=SigningKey.from_file(key_file), producer=producer)


def send(bus: Stack, agency: str, *said: Composed) -> None:
    """Brings records to Kafka under an agency's login."""
    with closing(KafkaProducer(**KafkaLogin.read(agency, bus.connection).kafka())) as producer:
        for one in said:
            record = one.record
            producer.send(
                record.topic, record.value, record.key, list(record.headers), partition=record.partition
            ).get(timeout=LONG_S)


@pytest.fixture(scope="module")
def said(bus: Stack) -> None:
    """A referral that the police sign for, so that a term runs, and one that is refused."""
    csrc = speaker(bus, "csrc")
    referral = csrc.refer(901)
    send(bus, "csrc", referral, csrc.refer(902, handling="S"))
    assert "ledgered" in verdict(bus, "csrc", chain(901), {"admitted", "ledgered"})
    assert "refused" in verdict(bus, "csrc", chain(902), {"refused"})
    referred = EventHeaders.parse(referral.record.headers).id
    receipt = {
        "envelope": envelope(message_class="receipt", to=["csrc"], in_reply_to=referred),
        "received_at": AT,
        "competent": True,
        "complete": True,
    }
    send(bus, "mps", speaker(bus, "mps").say("referral.receipted", receipt, chain(901)))


def eventually(found: Callable[[], bool]) -> None:
    """Waits for what the bus does by itself."""
    deadline = time.monotonic() + LONG_S
    while not found():
        assert time.monotonic() < deadline, "the bus said nothing of the referral's terms"
        time.sleep(0.2)


@pytest.mark.broker
@pytest.mark.usefixtures("said")
def test_c21_every_record_is_what_asyncapi_says_of_its_topic(bus: Stack) -> None:
    """Headers, key and payload of all that the bus wrote, and of each event that it admitted."""
    told = [spec.name for spec in topics() if spec.channel == "inbox"]
    eventually(
        lambda: any(b"obligation.announced" in dict(r.headers).values() for r in everything(bus, told))
    )
    by_bus = [
        spec.name
        for spec in topics()
        if spec.agency == "bus" or spec.channel in ("inbox", "receipt", "dead-letter", "admission")
    ]
    seen: dict[str, set[str]] = {}
    for record in everything(bus, sorted({*told, *by_bus})):
        channel = record.topic.partition(".")[0] if record.topic not in by_bus else record.topic
        seen.setdefault(channel, set()).add(compared(record))
    admitted = {dict(r.headers)["casebus-origin"] for r in everything(bus, told)}
    by_agencies = [spec.name for spec in topics() if spec.name not in {*told, *by_bus}]
    for record in everything(bus, by_agencies):
        if f"{record.topic}/{record.partition}/{record.offset}".encode() in admitted:
            seen.setdefault("agencies", set()).add(compared(record))
    assert {"receipt.admitted", "receipt.refused", "receipt.ledgered"} <= seen["receipt.csrc"]
    assert {"referral.submitted", "obligation.announced"} <= seen["inbox.mps"]
    assert seen["dead-letter.csrc"] == {"dead-letter"}
    assert seen["bus.admission"] == {"bus.admission"}
    assert seen["bus.checkpoint"] == {"bus.checkpoint"}
    assert "referral.submitted" in seen["agencies"]


@pytest.mark.broker
@pytest.mark.usefixtures("said")
def test_c21_receipts_and_notices_have_all_headers_that_they_are_said_to_have(bus: Stack) -> None:
    """A receipt names its chain and is signed; a notice ends with the four headers that records.md names."""
    (receipt,) = [
        record
        for record in everything(bus, ["receipt.csrc"])
        if dict(record.headers)["ce_type"] == b"receipt.admitted"
        and dict(record.headers)["ce_subject"] == chain(901).encode()
    ]
    required = schema_of_headers(message_of(receipt))["required"]
    assert [name for name, _ in receipt.headers] == required
    (notice,) = [
        record
        for record in everything(bus, ["inbox.mps"])
        if record.key == chain(901).encode() and dict(record.headers)["ce_type"] == b"referral.submitted"
    ]
    assert [name for name, _ in notice.headers] == schema_of_headers(message_of(notice))["required"]
    assert [name for name, _ in notice.headers][-4:] == [
        "casebus-notice",
        "casebus-role",
        "casebus-origin",
        "casebus-admitted-at",
    ]
