"""`casebus publish` and `casebus outbox` on a real Kafka, the bus's answers played by the test."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from typer.testing import CliRunner, Result

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_producers.cli import app
from casebus_schemas.errors import RetryLater, UsageError
from casebus_schemas.wire.headers import digest_of, fields_of
from casebus_schemas.wire.ids import notice_id, uuid7
from casebus_schemas.wire.records import Outgoing, Record
from support.cases.members import door_event, outbox_of, settings_of
from support.events import receipts
from support.events.signed_events import Speaker, bus_keys

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
AT = datetime(2016, 10, 18, tzinfo=UTC)


@pytest.fixture
def lines(tmp_path: Path) -> Callable[..., str]:
    """Writes events as JSON lines and gives the file's name."""

    def write(*events: object) -> str:
        file = tmp_path / "events.jsonl"
        file.write_text("".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events))
        return str(file)

    return write


@pytest.fixture
def answering(broker: EmbeddedBroker) -> Iterator[Callable[[Callable[[Record], list[Outgoing]]], None]]:
    """Plays the bus: answers each new record of `csrc.referral` with receipts."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    for key in bus_keys():
        write(broker, Outgoing(key.topic, key.partition, key.key, key.value, key.headers))

    def start(answer: Callable[[Record], list[Outgoing]]) -> None:
        consumer: Any = KafkaConsumer(**broker.admin_settings(), enable_auto_commit=False)
        parts = [TopicPartition("csrc.referral", number) for number in range(4)]
        consumer.assign(parts)
        consumer.seek_to_end(*parts)
        for part in parts:
            consumer.position(part)
        producer: Any = KafkaProducer(**broker.admin_settings())

        def run() -> None:
            while not stop.is_set():
                for batch in consumer.poll(timeout_ms=200).values():
                    for r in batch:
                        record = Record(
                            r.topic, r.partition, r.offset, r.timestamp, 1, r.key, r.value, tuple(r.headers)
                        )
                        for receipt in answer(record):
                            headers = [(name, value or b"") for name, value in receipt.headers]
                            producer.send(
                                receipt.topic,
                                key=receipt.key,
                                value=receipt.value,
                                headers=headers,
                                partition=receipt.partition,
                            )
            producer.close()
            consumer.close()

        threads.append(threading.Thread(target=run))
        threads[-1].start()

    yield start
    stop.set()
    for thread in threads:
        thread.join()


def admitted(record: Record) -> Outgoing:
    """The receipt of an admitted record."""
    return receipts.admitted(record, AT, "mps")


def new_event(number: int, **changes: Any) -> dict[str, Any]:
    """A first referral of a chain of its own."""
    refs = [{"issuer": "csrc", "scheme": "case", "value": f"publish-{number}"}]
    envelope = {"local_refs": refs, **changes.pop("envelope", {})}
    return door_event(
        id=str(uuid7(1_476_720_000_000, number.to_bytes(10, "big"))), envelope=envelope, **changes
    )


def run(connection: Path, *arguments: str, stdin: str | None = None) -> Result:
    """Runs a command of the producers' shelf for the regulator."""
    command, *rest = arguments
    return CliRunner().invoke(
        app, [command, "--agency", "csrc", "--connection", str(connection), *rest], input=stdin
    )


def said(result: Result) -> list[dict[str, Any]]:
    """The JSON lines of the output."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_event_gets_a_line_with_its_place(connection: Path, lines: Any) -> None:
    """Each published event is said with id, type, chain, digest and its place in Kafka, in input order."""
    result = run(connection, "publish", lines(*(new_event(number) for number in range(3))))
    assert result.exit_code == 0, result.output
    found = said(result)
    assert [line["stage"] for line in found] == ["published"] * 3
    assert [line["event"]["id"] for line in found] == [new_event(number)["id"] for number in range(3)]
    assert {line["topic"] for line in found} == {"csrc.referral"}
    assert all(line["offset"] >= 0 and len(line["event"]["digest"]) == 64 for line in found)


def test_publishing_the_same_again_says_the_same(connection: Path, lines: Any, read_back: Any) -> None:
    """A repeat gives the same line and no second record."""
    file = lines(new_event(10))
    first, second = run(connection, "publish", file), run(connection, "publish", file)
    assert (first.exit_code, second.exit_code, said(second)) == (0, 0, said(first))
    outbox = outbox_of(settings_of(connection, "csrc"))
    assert len(read_back("csrc.referral", outbox.producer)) == 1
    outbox.close()


def test_receipts_are_waited_for_and_repeats_dropped(connection: Path, lines: Any, answering: Any) -> None:
    """With --wait ledgered each event has its three stages, each once, however often the bus repeats."""
    answering(
        lambda record: [
            admitted(record),
            admitted(record),
            receipts.ledgered(record, AT, record.offset),
        ]
    )
    result = run(connection, "publish", "--wait", "ledgered", lines(new_event(20), new_event(21)))
    assert result.exit_code == 0, result.output
    stages = [(line["event"]["id"], line["stage"]) for line in said(result)]
    ids = [new_event(20)["id"], new_event(21)["id"]]
    expected = [(id_, stage) for id_ in ids for stage in ("published", "admitted", "ledgered")]
    assert sorted(stages) == sorted(expected)
    [one] = [line for line in said(result) if line["stage"] == "admitted" and line["event"]["id"] == ids[0]]
    assert [(notice["agency"], notice["role"]) for notice in one["notices"]] == [("mps", "to")]


def test_receipts_of_an_earlier_run_are_found_again(connection: Path, lines: Any, answering: Any) -> None:
    """Publishing again with --wait finds the receipts that came the first time."""
    answering(lambda record: [admitted(record)])
    file = lines(new_event(30))
    first = run(connection, "publish", "--wait", "admitted", file)
    second = run(connection, "publish", "--wait", "admitted", file)
    assert (second.exit_code, said(second)) == (0, said(first))


def test_a_refusal_is_said_and_gives_exit_code_1(connection: Path, lines: Any, answering: Any) -> None:
    """A refused event is said with code and detail, and the answer is no."""
    answering(lambda record: [receipts.refused(record, AT, "unknown-key", "no such key")])
    result = run(connection, "publish", "--wait", "admitted", lines(new_event(40)))
    assert result.exit_code == 1
    assert [(line["stage"], line.get("code")) for line in said(result)] == [
        ("published", None),
        ("refused", "unknown-key"),
    ]


def test_a_missing_receipt_gives_exit_code_3(connection: Path, lines: Any) -> None:
    """If the bus does not answer in time the events are published and the exit code says so."""
    result = run(connection, "publish", "--wait", "admitted", "--timeout", "4", lines(new_event(50)))
    assert result.exit_code == 3
    assert [line["stage"] for line in said(result)] == ["published"]
    assert "receipts did not come" in result.stderr


def test_a_wrong_event_is_named_and_the_others_go(connection: Path, lines: Any) -> None:
    """The problem of a wrong line carries its pointer and number; right lines are published."""
    file = lines(new_event(60), new_event(61, envelope={"handling": "S"}), new_event(62))
    result = run(connection, "publish", file)
    assert result.exit_code == 2
    assert [line["event"]["id"] for line in said(result)] == [new_event(60)["id"], new_event(62)["id"]]
    [problem] = [json.loads(line) for line in result.stderr.splitlines()]
    assert (problem["line"], problem["errors"][0]["pointer"]) == (2, "#/data/envelope/handling")


def test_c13_the_hints_of_a_check_are_said_and_nothing_is_refused(connection: Path, lines: Any) -> None:
    """A second referral of one number is published; the hint names its line and place in both languages."""
    first = new_event(65)
    again = {"local_refs": first["data"]["envelope"]["local_refs"]}
    result = run(connection, "publish", lines(first, new_event(66, envelope=again)))
    assert (result.exit_code, len(said(result))) == (0, 2)
    [hint] = [json.loads(line) for line in result.stderr.splitlines()]
    assert (hint["warning"], hint["line"], hint["pointer"]) == ("advice", 2, "/data/envelope/local_refs")
    assert {"zh", "detail"} <= set(hint)
    assert run(connection, "publish", lines(first)).stderr == ""


def test_events_come_from_the_standard_input_in_any_layout(connection: Path) -> None:
    """`-` reads JSON lines, pretty-printed documents and lists alike."""
    text = json.dumps(new_event(70), indent=2) + "\n" + json.dumps([new_event(71), new_event(72)])
    result = run(connection, "publish", "-", stdin=text)
    assert (result.exit_code, len(said(result))) == (0, 3), result.output


def test_what_kafka_does_not_take_waits_in_the_outbox(connection: Path, lines: Any) -> None:
    """With no broker the events are kept, exit code 3; `outbox --flush` sends them later."""
    away = connection.with_name("away.json")
    away.write_text(json.dumps({**json.loads(connection.read_text()), "bootstrap_servers": "127.0.0.1:9"}))
    result = run(away, "publish", "--timeout", "2", lines(new_event(80), new_event(81)))
    assert (result.exit_code, said(result)) == (3, [])
    assert "2 of 2 events wait in the outbox" in result.stderr
    status = run(connection, "outbox", "--json")
    assert [said(status)[0][name] for name in ("pending", "sent")] == [2, 0]
    flushed = run(connection, "outbox", "--flush", "--json")
    assert flushed.exit_code == 0
    assert [said(flushed)[0][name] for name in ("pending", "sent")] == [0, 2]


def test_a_wrong_password_is_said(connection: Path, lines: Any, tmp_path: Path) -> None:
    """A login that the broker refuses ends with the reason, and the events wait."""
    body = json.loads(connection.read_text())
    (tmp_path / "wrong").write_text("wrong")
    body["principals"]["csrc"]["password_file"] = str(tmp_path / "wrong")
    connection.write_text(json.dumps(body))
    result = run(connection, "publish", "--timeout", "8", lines(new_event(90)))
    assert result.exit_code == 3
    assert "authentication" in result.stderr
    flushed = run(connection, "outbox", "--flush", "--timeout", "6").exception
    assert isinstance(flushed, RetryLater)
    assert "authentication" in str(flushed)


def test_an_unknown_agency_is_a_usage_error(connection: Path, lines: Any) -> None:
    """Only members have an outbox."""
    command = ["publish", "--agency", "fbi", "--connection", str(connection), lines(new_event(1))]
    assert isinstance(CliRunner().invoke(app, command).exception, UsageError)


def test_an_arrived_event_can_be_answered(
    connection: Path, lines: Any, broker: EmbeddedBroker, read_back: Any
) -> None:
    """An answer without subject finds the event in the agency's inbox and copies its chain."""
    asked = door_event(
        type="consultation.requested",
        source="/mps/base-qingdao",
        id=str(uuid7(1_476_720_000_000, b"answered-1")),
        envelope={
            "to": ["csrc"],
            "cc": [],
            "local_refs": [{"issuer": "mps", "scheme": "case", "value": "A-91"}],
        },
        data=json.loads(_example("consultation.requested"))["data"] | {"envelope": {}},
    )
    asked["data"]["envelope"] = door_event(envelope={"to": ["csrc"], "cc": []})["data"]["envelope"]
    file = connection.with_name("asked.jsonl")
    file.write_text(json.dumps(asked))
    arguments = ["publish", "--agency", "mps", "--connection", str(connection), str(file)]
    [question] = said(CliRunner().invoke(app, arguments))
    [record] = [
        r
        for r in read_back("mps.consultation", "mps-1.")
        if digest_of(r).hex() == question["event"]["digest"]
    ]
    mps = Speaker("mps", key=settings_of(connection, "mps").signing_key(), producer="mps-0.1")
    write(broker, mps.announce().record)
    deliver(broker, "csrc", record)
    answer = {
        **json.loads(_example("consultation.answered")),
        "source": "/csrc/shanghai-office",
        "id": str(uuid7(1_476_720_000_000, b"answered-2")),
        "subject": None,
    }
    answer["data"]["envelope"] |= {
        "in_reply_to": question["event"]["id"],
        "in_reply_to_hash": None,
        "corrects": None,
        "withdraws": None,
        "message_class": "response",
        "to": ["mps"],
        "cc": [],
        "local_refs": [],
        "obligation": None,
    }
    result = run(connection, "publish", lines(answer))
    assert result.exit_code == 0, result.output
    assert said(result)[0]["event"]["chain"] == question["event"]["chain"]


def deliver(broker: EmbeddedBroker, agency: str, record: Record) -> None:
    """Puts a record into an agency's inbox as the router does."""
    ours = (
        ("casebus-notice", str(notice_id(fields_of(record), agency)).encode()),
        ("casebus-role", b"to"),
        ("casebus-origin", f"{record.topic}/{record.partition}/{record.offset}".encode()),
        ("casebus-admitted-at", b"2016-10-18T00:00:00Z"),
    )
    write(broker, Outgoing(f"inbox.{agency}", 0, record.key, record.value, record.headers + ours))


def write(broker: EmbeddedBroker, record: Outgoing) -> None:
    """Writes a record as the super user."""
    producer: Any = KafkaProducer(**broker.admin_settings())
    headers = [(name, value or b"") for name, value in record.headers]
    producer.send(
        record.topic, key=record.key, value=record.value, headers=headers, partition=record.partition
    ).get(30)
    producer.close()


def _example(type: str) -> str:
    examples = Path(__file__).parents[2] / "schemas/casebus_schemas/examples"
    return (examples / f"{type}.1.json").read_text(encoding="utf-8")


def test_e8_the_same_file_after_a_refusal_is_sent_again(
    connection: Path, lines: Any, answering: Any, read_back: Any
) -> None:
    """Once the key is known the event goes out anew and is admitted; a third time nothing is sent."""
    answers: list[Callable[[Record], Outgoing]] = [
        lambda record: receipts.refused(record, AT, "unknown-key", "no key"),
        admitted,
    ]
    answering(lambda record: [answers.pop(0)(record)] if answers else [])
    file = lines(new_event(8))
    refused = run(connection, "publish", file, "--wait", "admitted")
    assert refused.exit_code == 1, refused.output
    again = run(connection, "publish", file, "--wait", "admitted")
    assert again.exit_code == 0, again.output
    assert [one["stage"] for one in said(again)] == ["published", "admitted"]
    first, second = (said(result)[0]["event"] for result in (refused, again))
    assert first["id"] == second["id"]
    assert first["digest"] != second["digest"]
    third = run(connection, "publish", file, "--wait", "admitted")
    assert said(third) == said(again)
    sent = [r for r in read_back("csrc.referral", "csrc-1.") if r.header("ce_id") == first["id"].encode()]
    assert [digest_of(record).hex() for record in sent] == [first["digest"], second["digest"]]
