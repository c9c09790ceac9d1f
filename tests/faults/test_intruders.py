"""Intruders on a whole bus: what they try is refused, and a named command shows it."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import Consumer, KafkaException
from typer.testing import CliRunner

from casebus_consumers.liaison import cases_cli, dead_letters_cli
from casebus_schemas.admission.verdict import split_admission
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.records import Outgoing
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import Speaker, chain, envelope, referral
from support.router.sending import produce
from support.scenes.crash_run import settle
from support.scenes.crash_scene import Scenes
from support.scenes.fault_stack import FaultStack, agency_keys, client_config
from support.scenes.kafka_view import KafkaView

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def bus(scenes: Scenes) -> Iterator[FaultStack]:
    """A running bus."""
    with scenes.bus() as stack:
        yield stack


@pytest.fixture(scope="module")
def keys(scenes: Scenes) -> dict[str, SigningKey]:
    """The members' real keys."""
    return agency_keys(scenes.secrets)


@pytest.fixture(scope="module")
def csrc(keys: dict[str, SigningKey]) -> Speaker:
    """The regulator's own outbox."""
    return Speaker("csrc", key=keys["csrc"])


def config(bus: FaultStack, agency: str) -> dict[str, Any]:
    """librdkafka's settings of an agency's login."""
    return {**client_config(bus, agency), "log_level": 0}


def publish(bus: FaultStack, agency: str, *outgoing: Outgoing | Composed) -> list[str]:
    """Produces under an agency's login; gives each record's error (empty: taken) in order."""
    return produce(client_config(bus, agency), *outgoing)


def first_error(consumer: Consumer) -> str:
    """The first error that a consumer meets."""
    try:
        for _ in range(100):
            message = consumer.poll(0.3)
            if message is not None and (error := message.error()) is not None:
                return error.name()
    except KafkaException as refused:
        return str(refused.args[0].name())
    finally:
        consumer.close()
    return ""


def denied(bus: FaultStack, agency: str, what: str) -> bool:
    """Whether the broker wrote down that it refused this to an agency; the status page shows these lines."""
    assert bus.broker is not None
    lines = (bus.broker.log_dir / "denials.log").read_text().splitlines()
    return any(f"User:{agency} " in line and what in line for line in lines)


def codes(bus: FaultStack, agency: str) -> list[str]:
    """`casebus dead-letters list`, as the agency: the codes in order."""
    assert settle(bus) == []
    lines = command(bus, dead_letters_cli.app, "list", "--agency", agency).splitlines()
    return [json.loads(line)["code"] for line in lines]


def findings(bus: FaultStack, rule: str) -> list[dict[str, Any]]:
    """`casebus findings --rule`."""
    assert settle(bus) == []
    listed: list[dict[str, Any]] = json.loads(command(bus, cases_cli.app, "findings", "--rule", rule))
    return listed


def command(bus: FaultStack, app: Any, *arguments: str) -> str:
    """Output of a command that must succeed."""
    result = CliRunner().invoke(
        app, [*arguments, "--json", "--connection", str(bus.connection_file)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return str(result.stdout)


@pytest.mark.parametrize("topic", ["csrc.referral", "csrc.key", "bus.admission", "inbox.csrc", "bus.command"])
def test_writing_anothers_topic(bus: FaultStack, topic: str) -> None:
    """The broker takes nothing from an agency on a topic that is not its own, and notes the attempt."""
    assert publish(bus, "mps", Outgoing(topic, 0, b"k", b"v", ())) == ["TOPIC_AUTHORIZATION_FAILED"]
    assert denied(bus, "mps", topic)


@pytest.mark.parametrize(
    "topic", ["inbox.csrc", "receipt.csrc", "dead-letter.csrc", "csrc.referral", "bus.admission"]
)
def test_reading_what_is_anothers(bus: FaultStack, topic: str) -> None:
    """An agency reads no other's inbox, receipts, dead letters or channels, nor the admissions."""
    consumer = Consumer({**config(bus, "mps"), "group.id": "mps.desk"})
    consumer.subscribe([topic])
    assert first_error(consumer) == "TOPIC_AUTHORIZATION_FAILED"
    assert denied(bus, "mps", topic)


@pytest.mark.parametrize("group", ["csrc.desk", "router", "ledger"])
def test_joining_anothers_group(bus: FaultStack, group: str) -> None:
    """An agency cannot join, and so not move, another's consumer group."""
    consumer = Consumer({**config(bus, "mps"), "group.id": group})
    consumer.subscribe(["inbox.mps"])
    assert first_error(consumer) == "GROUP_AUTHORIZATION_FAILED"
    assert denied(bus, "mps", group)


def test_anothers_signing_key(bus: FaultStack, keys: dict[str, SigningKey]) -> None:
    """An event on an agency's own topic under another's key is refused and shown with its code."""
    before = codes(bus, "mps")
    data = {"envelope": envelope(to=["csrc"]), "deliveries": []}
    forged = Speaker("mps", key=keys["csrc"], producer="mps-forged.1").say("receipt.delivered", data)
    assert publish(bus, "mps", forged) == [""]
    assert codes(bus, "mps") == [*before, "unknown-key"]


def test_lying_headers(bus: FaultStack, csrc: Speaker) -> None:
    """Headers that speak for another agency, or say other than the signed body, are refused."""
    before = codes(bus, "csrc")
    speaker = Speaker("csrc", key=csrc.key, producer="csrc-lies.1")
    for_another = speaker.say("referral.submitted", referral(), chain(11), source="/mps/desk")
    honest = speaker.say("referral.submitted", referral(), chain(12)).record
    other_type = _with_header(honest, "ce_type", b"referral.corrected")
    other_time = _with_header(honest, "ce_time", b"2016-10-19T00:00:00Z")
    assert publish(bus, "csrc", for_another, other_type, other_time) == ["", "", ""]
    assert sorted(codes(bus, "csrc")[len(before) :]) == [
        "header-mismatch",
        "header-mismatch",
        "not-authorised",
    ]


def test_replay_in_another_place(bus: FaultStack, csrc: Speaker) -> None:
    """An event repeated on another topic, partition, or by another agency is refused there."""
    before, others = codes(bus, "csrc"), codes(bus, "mps")
    event = Speaker("csrc", key=csrc.key, producer="csrc-moved.1").say(
        "referral.submitted", referral(), chain(21)
    )
    record = event.record
    elsewhere = record._replace(partition=(record.partition + 1) % 4)
    channel = record._replace(topic="csrc.consultation")
    assert publish(bus, "csrc", record, elsewhere, channel) == ["", "", ""]
    assert publish(bus, "mps", record._replace(topic="mps.referral")) == [""]
    assert codes(bus, "csrc")[len(before) :] == ["misplaced", "misplaced"]
    assert codes(bus, "mps")[len(others) :] == ["unknown-key"]


def test_replay_in_place(bus: FaultStack, csrc: Speaker) -> None:
    """An event repeated in its place has no second effect: one event in its chain, one notice id, R03."""
    event = Speaker("csrc", key=csrc.key, producer="csrc-again.1").say(
        "referral.submitted", referral(), chain(31)
    )
    assert publish(bus, "csrc", event, event, event) == ["", "", ""]
    found = [one for one in findings(bus, "R03") if one["chain"] == chain(31)]
    assert [one["class"] for one in found] == ["arrival"]
    case = json.loads(command(bus, cases_cli.app, "case", chain(31)))
    assert [one["event"] for one in case["events"]] == [event.digest.hex()]
    assert bus.broker is not None
    notices = [
        record.header("casebus-notice")
        for record in KafkaView(bus.broker).read("inbox.mps")
        if record.key == chain(31).encode() and record.header("ce_type") == b"referral.submitted"
    ]
    assert (len(notices), len(set(notices))) == (3, 1)


def test_same_id_with_other_bytes(bus: FaultStack, csrc: Speaker) -> None:
    """Two events under one id are both kept, and finding R04 says so."""
    speaker = Speaker("csrc", key=csrc.key, producer="csrc-twice.1")
    same = UUID("0190163d-8694-739b-aea5-966c26f8ad91")
    events = [
        speaker.say(
            "referral.submitted",
            referral(security={"market": "SSE", "code": code, "name": None}),
            chain(41),
            id=same,
        )
        for code in ("600518", "600519")
    ]
    assert publish(bus, "csrc", *events) == ["", ""]
    found = [one for one in findings(bus, "R04") if one["chain"] == chain(41)]
    digests = {event.digest.hex() for event in events}
    assert len(found) == 1
    assert {one["event"] for one in found[0]["accounts"]} == digests
    assert bus.broker is not None
    admitted = {
        admission.digest.hex()
        for admission in (split_admission(r)[0] for r in KafkaView(bus.broker).read("bus.admission"))
        if admission.admitted and admission.digest is not None
    }
    assert digests <= admitted


def _with_header(record: Outgoing, name: str, value: bytes) -> Outgoing:
    headers = tuple((known, value if known == name else given) for known, given in record.headers)
    return record._replace(headers=headers)
