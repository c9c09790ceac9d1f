"""Content that must not be kept: removed from a running bus by one command, and verification knows it."""

import json
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from casebus_deploy.stack.stack import Stack
from casebus_producers.config import KafkaLogin
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import Speaker, chain, envelope
from support.events.verdicts import LONG_S, verdict

pytestmark = pytest.mark.broker


def casebus(bus: Stack, *words: str, code: int = 0) -> Any:
    """Runs a command of the operator; gives its JSON, or its complaint where it must refuse."""
    command = [sys.executable, "-m", "casebus_deploy.cli.main", "ledger", *words, "--json"]
    command += ["--connection", str(bus.connection_file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LONG_S)
    assert ended.returncode == code, ended.stderr
    return json.loads(ended.stdout if code == 0 else ended.stderr)


def test_b6_a_secret_is_removed_from_a_running_bus(bus: Stack, connection_file: Path) -> None:
    """After the order ledger and Kafka hold the record no more, and the ledger still agrees with Kafka."""
    key_file = bus.connection.principal("court").signing_key_file
    assert key_file is not None
    key = SigningKey.from_file(key_file)
    court = Speaker("court", key=key, producer=f"court-interop.{time.time_ns()}")
    data = {"envelope": envelope(handling="S"), "deliveries": []}
    record = court.say("receipt.delivered", data, chain(801)).record
    with closing(KafkaProducer(**KafkaLogin.read("court", bus.connection).kafka())) as producer:
        sent = producer.send(
            record.topic, record.value, record.key, list(record.headers), partition=record.partition
        ).get(timeout=LONG_S)
    assert verdict(bus, "court", chain(801), {"refused", "ledgered"})["refused"]["code"] == "level-s"
    origin, why = f"{record.topic}/{record.partition}/{sent.offset}", ("--reason", "a state secret")

    planned = casebus(bus, "drop", origin, *why, "--dry-run")
    records = planned["kafka_records"]
    assert records == sent.offset + 1
    assert "order" not in planned
    refused = casebus(bus, "drop", origin, *why, "--delete-from-kafka", str(records + 1), code=2)
    assert "every earlier record" in refused["detail"]
    done = casebus(bus, "drop", origin, *why, "--delete-from-kafka", str(records))
    assert done["dropped"] is True

    place = TopicPartition(record.topic, record.partition)
    with closing(KafkaConsumer(**KafkaLogin.read("auditor", bus.connection).kafka())) as consumer:
        assert consumer.beginning_offsets([place]) == {place: sent.offset + 1}
    report = casebus(bus, "verify", "--against-kafka")
    assert report["damages"] == []
    assert [one["order"] for one in report["dropped"]] == [done["order"]]
    assert casebus(bus, "drop", origin, *why, code=2)["error"] == "UsageError"
