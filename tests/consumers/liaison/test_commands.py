"""`casebus inbox`, `receipts` and `dead-letters` on a real Kafka with its access rules."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from typer.testing import CliRunner, Result

from casebus_consumers.liaison import cli, dead_letters_cli, notice_view, statement_cli
from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_producers.topic_reader import AccessDenied
from casebus_schemas.admission.receipts import receipt_json
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater, UsageError
from casebus_schemas.wire.base64url import base64url_bytes
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.door import to_json
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Headers, Outgoing
from casebus_schemas.wire.signing import SigningKey
from support.cases.members import outbox_of, settings_of
from support.events import receipts
from support.events.signed_events import AT, Speaker, chain, envelope, referral, seed_of, stored
from support.router.router_writings import as_notice, dead_letter, notices_of

from .conftest import Write

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
CATALOG = Catalog.load()


def run(app: Any, connection: Path, command: str, *arguments: str) -> Result:
    """Runs a command."""
    return CliRunner().invoke(app, [command, "--connection", str(connection), *arguments])


def lines(result: Result) -> list[dict[str, Any]]:
    """The JSON lines of a command that went well."""
    assert result.exception is None, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def read_inbox(connection: Path, after: int, *arguments: str) -> list[dict[str, Any]]:
    """The notices of the police behind a number, those that can be read."""
    options = ["--agency", "mps", "--after", str(after), "--json", *arguments]
    return [line for line in lines(run(cli.app, connection, "inbox", *options)) if "notice" in line]


def test_notices_come_in_order_once_and_resumable(connection: Path, speaker: Speaker, write: Write) -> None:
    """Each notice is told once, in order of its number; reading goes on behind any number."""
    events = [speaker.refer(number) for number in range(3)]
    told = [notices_of(speaker, event, offset)["inbox.mps"] for offset, event in enumerate(events)]
    first = write(told[0])
    write(told[0])  # the router was killed and delivered again
    second = write(told[1])
    write(told[0])
    third = write(told[2])
    found = read_inbox(connection, first - 1)
    assert [notice["seq"] for notice in found] == [first, second, third]
    assert [notice["event"]["id"] for notice in found] == [
        EventHeaders.parse(event.record.headers).id.__str__() for event in events
    ]
    assert [notice["seq"] for notice in read_inbox(connection, first)] == [second, third]
    assert read_inbox(connection, third) == []


def test_d12_a_number_that_is_not_there_is_said(connection: Path, speaker: Speaker, write: Write) -> None:
    """Behind the end, and where the beginning is gone, the exit code is 1 and the reason is named."""
    last = write(notices_of(speaker, speaker.refer())["inbox.mps"])
    beyond = run(cli.app, connection, "inbox", "--agency", "mps", "--after", str(last + 1), "--json")
    assert (beyond.exit_code, beyond.stdout) == (1, "")
    assert f"there is no {last + 1} to go on behind" in beyond.stderr
    assert run(cli.app, connection, "inbox", "--agency", "mps", "--after", str(last)).exit_code == 0
    beyond = run(cli.app, connection, "receipts", "--agency", "mps", "--after", "99999999", "--json")
    assert beyond.exit_code == 1
    assert "MISSING" in beyond.stderr


def test_a_statement_counts_what_reached_the_agency(connection: Path, speaker: Speaker, write: Write) -> None:
    """`casebus statement` reads inbox and receipts of a real Kafka; repeats count once."""
    events = [speaker.refer(7310), speaker.refer(7310)]
    told = [notices_of(speaker, event, offset)["inbox.mps"] for offset, event in enumerate(events)]
    for notice in (told[0], told[0], told[1]):
        write(notice)
    options = ["--connection", str(connection), "--agency", "mps", "--dry-run"]

    def stated(as_of: str) -> dict[str, tuple[int, int, str]]:
        done = CliRunner().invoke(statement_cli.app, [*options, "--as-of", as_of])
        assert done.exception is None, done.output
        chains = json.loads(done.stdout)["data"]["chains"]
        return {one["chain"]: (one["sent"], one["received"], one["digest"]) for one in chains}

    digest = sha256(b"".join(sorted(event.digest for event in events))).hexdigest()
    assert stated("2026-01-01")[chain(7310)] == (0, 2, digest)
    assert chain(7310) not in stated("2001-01-01")
    late = CliRunner().invoke(statement_cli.app, [*options, "--as-of", "2999-01-01"])
    assert isinstance(late.exception, UsageError)


def test_what_was_fetched_is_said_once(
    connection: Path, speaker: Speaker, write: Write, broker: EmbeddedBroker
) -> None:
    """--ack tells the sender in one receipt.delivered a chain, with the digests, and never again."""
    events = [speaker.refer(1), speaker.refer(1), speaker.refer(2)]
    offsets = [write(notices_of(speaker, event, at)["inbox.mps"]) for at, event in enumerate(events)]
    read_inbox(connection, offsets[0] - 1, "--ack", "--at", "2016-10-19T09:00:00+08:00")
    settings = settings_of(connection, "mps")
    outbox = outbox_of(settings)
    producer = outbox.producer
    outbox.close()
    said = delivered(broker, producer)
    found = {
        headers.subject: [delivery["event"] for delivery in data["deliveries"]] for headers, data in said
    }
    chains = [EventHeaders.parse(event.record.headers).subject for event in events]
    assert found == {chains[0]: [events[0].digest, events[1].digest], chains[2]: [events[2].digest]}
    assert {headers.time for headers, _ in said} == {"2016-10-19T01:00:00Z"}
    assert {(headers.source, tuple(data["envelope"]["to"])) for headers, data in said} == {
        ("/mps", ("csrc",))
    }
    read_inbox(connection, offsets[0] - 1, "--ack")
    assert len(delivered(broker, producer)) == len(said)


def test_receipts_of_delivery_are_not_acknowledged(
    connection: Path, speaker: Speaker, write: Write, broker: EmbeddedBroker
) -> None:
    """A notice of a receipt.delivered is shown and answered by silence."""
    data = {
        "envelope": {
            "message_class": "receipt",
            "to": ["mps"],
            "occurred_at": AT,
            "precision": "second",
            "date_basis": "stated",
            "handling": "H1",
        },
        "deliveries": [],
    }
    event = speaker.say("receipt.delivered", data)
    offset = write(notices_of(speaker, event)["inbox.mps"])
    [notice] = read_inbox(connection, offset - 1, "--ack")
    assert notice["event"]["type"] == "receipt.delivered"
    outbox = outbox_of(settings_of(connection, "mps"))
    assert (outbox.status().sent, outbox.status().pending) == (0, 0)
    outbox.close()


def delivered(broker: EmbeddedBroker, producer: str) -> list[tuple[EventHeaders, dict[str, Any]]]:
    """Headers and data of what a producer said on `mps.record`, by time of writing in each partition."""
    consumer: Any = KafkaConsumer(**broker.admin_settings(), enable_auto_commit=False)
    parts = [TopicPartition("mps.record", number) for number in range(4)]
    consumer.assign(parts)
    consumer.seek_to_beginning(*parts)
    ends = consumer.end_offsets(parts)
    found = []
    while any(consumer.position(part) < ends[part] for part in parts):
        for batch in consumer.poll(timeout_ms=500).values():
            for record in batch:
                if dict(record.headers).get("casebus-producer") == producer.encode():
                    _, data = decode(Catalog.load(), record.value)
                    found.append((EventHeaders.parse(record.headers), data))
    consumer.close()
    return found


FORGERIES: dict[str, Callable[[Speaker, Composed], Composed]] = {
    "without a signature, under the true id": lambda speaker, event: Composed(
        event.record._replace(headers=with_no_signature(speaker, event)), event.digest, event.head
    ),
    "under a key of nobody": lambda speaker, event: speaker.say(
        "referral.submitted", referral(), key=SigningKey(seed_of("nobody"))
    ),
    "with another body": lambda speaker, event: Composed(
        event.record._replace(value=other_body(event.record.value)), event.digest, event.head
    ),
    "at another's origin": lambda speaker, event: Composed(
        event.record._replace(topic="spp.referral"), event.digest, event.head
    ),
    "in the bus's name": lambda speaker, event: Speaker("bus", key=speaker.key).say(
        "finding.closed", {"envelope": envelope(), "findings": []}, source="/bus/reconciler"
    ),
}


def with_no_signature(speaker: Speaker, event: Composed) -> Headers:
    """The event's headers with a signature of zeros under the speaker's key id."""
    assert speaker.key is not None
    block = base64url_bytes(b"\1\1" + speaker.key.key_id + bytes(64))
    return tuple((name, block if name == "casebus-sig" else value) for name, value in event.record.headers)


def other_body(value: bytes | None) -> bytes:
    """The same event with another body."""
    assert value is not None
    return value.replace("姜某君".encode(), "王某君".encode())


@pytest.mark.parametrize("forgery", FORGERIES)
def test_b1_a_forged_notice_is_shown_apart_and_hides_nothing(
    forgery: str, connection: Path, speaker: Speaker, write: Write
) -> None:
    """It is marked, exits with 1 and is not acknowledged; a true notice of the same id is news afterwards."""
    true = speaker.refer()
    forged = FORGERIES[forgery](speaker, true)
    notice = as_notice(forged, "mps")
    at = write(notice)
    then = write(notices_of(speaker, true)["inbox.mps"])
    options = ["--agency", "mps", "--after", str(at - 1)]
    result = run(cli.app, connection, "inbox", *options, "--json", "--ack")
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1, result.output
    assert [(one["seq"], one.get("forged", False)) for one in shown] == [(at, True), (then, False)]
    assert set(shown[0]["problem"]) == {"zh", "en"}
    outbox = outbox_of(settings_of(connection, "mps"))
    with outbox.reading() as file:
        noted = [row[0] for row in file.execute("SELECT seq FROM delivery WHERE seq >= ?", (at,))]
    assert (noted, outbox.status().sent) == ([then], 1)
    outbox.close()
    text = run(cli.app, connection, "inbox", *options)
    assert (text.exit_code, f"#{at}  伪造" in text.stdout) == (1, True)


def test_b1_a_notice_to_another_agency_is_forged_here(
    connection: Path, speaker: Speaker, write: Write
) -> None:
    """An event truly signed that names others only is no notice to this agency."""
    told = as_notice(speaker.refer(), "court")
    at = write(told)
    result = run(cli.app, connection, "inbox", "--agency", "court", "--after", str(at - 1), "--json")
    (shown,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert (result.exit_code, shown["forged"]) == (1, True)
    assert "does not tell court" in shown["problem"]["en"]


def test_an_officer_sees_notices_as_text(connection: Path, speaker: Speaker, write: Write) -> None:
    """Without --json the notice is told in words."""
    offset = write(notices_of(speaker, speaker.refer())["inbox.mps"])
    result = run(cli.app, connection, "inbox", "--agency", "mps", "--after", str(offset - 1))
    assert f"#{offset}" in result.stdout
    assert "移送涉嫌犯罪案件" in result.stdout


def test_what_is_no_notice_is_said(connection: Path, speaker: Speaker, write: Write) -> None:
    """A record of the inbox that cannot be read is told with its problem, and reading goes on."""
    bad = write(Outgoing("inbox.mps", 0, b"k", b"v", ()))
    good = write(notices_of(speaker, speaker.refer())["inbox.mps"])
    result = run(cli.app, connection, "inbox", "--agency", "mps", "--after", str(bad - 1), "--json")
    problem, notice = lines(result)
    assert (problem["seq"], "not a notice" in problem["problem"], notice["seq"]) == (bad, True, good)


def test_e4_what_cannot_be_shown_holds_up_no_notice_and_no_acknowledgement(
    connection: Path, speaker: Speaker, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text, --json and --ack go on behind a notice that fails to be shown and one that fails to be read."""
    events = [speaker.refer(number) for number in (1, 2, 3)]
    at = [write(notices_of(speaker, event, place)["inbox.mps"]) for place, event in enumerate(events)]
    told = notice_view._lines

    def showing(notice: Any, catalog: Catalog) -> list[str]:
        if notice.seq == at[0]:
            raise OverflowError("date value out of range")
        return told(notice, catalog)

    def reading(headers: EventHeaders, *rest: Any) -> dict[str, Any]:
        if headers.id == EventHeaders.parse(events[1].record.headers).id:
            raise KeyError("unheard-of")
        return to_json(headers, *rest)

    monkeypatch.setattr(notice_view, "_lines", showing)
    monkeypatch.setattr("casebus_consumers.liaison.inbox.to_json", reading)
    options = ["--agency", "mps", "--after", str(at[0] - 1), "--ack"]
    text = run(cli.app, connection, "inbox", *options)
    assert (text.exit_code, text.exception) == (0, None)
    assert f"#{at[0]}  无法显示 cannot be shown: OverflowError: date value out of range" in text.stdout
    assert f"#{at[1]}  无法读取 unreadable: KeyError: 'unheard-of'" in text.stdout
    assert f"#{at[2]}  " in text.stdout
    outbox = outbox_of(settings_of(connection, "mps"))
    assert outbox.status().sent == 2  # of the two chains that could be read
    outbox.close()
    shown = lines(run(cli.app, connection, "inbox", *options, "--json"))
    assert [(line["seq"], "notice" in line) for line in shown] == [
        (at[0], True),
        (at[1], False),
        (at[2], True),
    ]


def test_another_agencys_inbox_is_refused(connection: Path) -> None:
    """Who logs in as another agency is told that the inbox cannot be read."""
    body = json.loads(connection.read_text())
    for name in ("username", "password_file"):
        body["principals"]["mps"][name] = body["principals"]["spp"][name]
    connection.write_text(json.dumps(body))
    error = run(cli.app, connection, "inbox", "--agency", "mps").exception
    assert isinstance(error, AccessDenied)
    assert "spp cannot read inbox.mps" in str(error)


def test_a_broker_that_is_away_is_unavailable(connection: Path) -> None:
    """With no broker the error says so."""
    body = json.loads(connection.read_text())
    connection.write_text(json.dumps({**body, "bootstrap_servers": "127.0.0.1:9"}))
    error = run(cli.app, connection, "inbox", "--agency", "mps").exception
    assert isinstance(error, RetryLater)
    assert "127.0.0.1:9" in str(error)


def test_receipts_are_listed(connection: Path, speaker: Speaker, write: Write) -> None:
    """Receipts are told in order with their numbers, as JSON and as text."""
    event = speaker.refer()
    receipt = receipts.ledgered(stored(event.record)._replace(partition=1, offset=41), AT, 17)
    offset = write(receipt)
    options = ["--agency", "csrc", "--after", str(offset - 1)]
    [found] = lines(run(cli.app, connection, "receipts", *options, "--json"))
    assert found == {"seq": offset, **receipt_json(CATALOG, decode(CATALOG, receipt.value)[1])}
    assert (found["stage"], found["index"], found["event"]["id"]) == (
        "ledgered",
        17,
        str(EventHeaders.parse(event.record.headers).id),
    )
    text = run(cli.app, connection, "receipts", *options).stdout
    assert "已入账 ledgered" in text
    assert "csrc.referral/1 #17" in text


def test_b8_a_receipt_that_the_bus_has_not_signed_is_forged(
    connection: Path, speaker: Speaker, write: Write
) -> None:
    """It is marked, and the exit code tells; the true one beside it is not."""
    receipt = receipts.ledgered(stored(speaker.refer().record, 41), AT, 17)
    value = (receipt.value or b"")[:-1] + b"x"
    at = write(receipt._replace(value=value))
    then = write(receipt)
    options = ["--agency", "csrc", "--after", str(at - 1)]
    result = run(cli.app, connection, "receipts", *options, "--json")
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["seq"], one.get("forged", False)) for one in shown] == [(at, True), (then, False)]
    assert result.exit_code == 1
    assert "FORGED" in run(cli.app, connection, "receipts", *options).stdout


def test_dead_letters_are_their_agencys_and_the_operators(
    connection: Path, speaker: Speaker, write: Write
) -> None:
    """An agency lists and shows its own dead letters, the operator all; another agency's are refused."""
    event = speaker.refer()
    refused = event.record._replace(headers=event.record.headers[1:])
    seq = write(dead_letter(speaker, refused))
    own = lines(run(dead_letters_cli.app, connection, "list", "--agency", "csrc", "--json"))
    assert [(letter["seq"], letter["code"]) for letter in own if letter["seq"] == seq] == [
        (seq, "bad-headers")
    ]
    everybodys = lines(run(dead_letters_cli.app, connection, "list", "--json"))
    assert [letter for letter in everybodys if letter["agency"] == "csrc"] == own
    [shown] = lines(run(dead_letters_cli.app, connection, "show", str(seq), "--agency", "csrc", "--json"))
    assert [name for name, _ in shown["headers"]] == [name for name, _ in refused.headers]
    text = run(dead_letters_cli.app, connection, "show", str(seq), "--agency", "csrc", "--operator").stdout
    assert "bad-headers" in text
    body = json.loads(connection.read_text())
    for name in ("username", "password_file"):
        body["principals"]["csrc"][name] = body["principals"]["mps"][name]
    connection.write_text(json.dumps(body))
    assert isinstance(
        run(dead_letters_cli.app, connection, "list", "--agency", "csrc").exception, AccessDenied
    )


def test_a_dead_letter_that_is_not_there_is_a_usage_error(connection: Path) -> None:
    """A number beyond the last is named."""
    error = run(dead_letters_cli.app, connection, "show", "999999", "--agency", "csrc").exception
    assert isinstance(error, UsageError)
