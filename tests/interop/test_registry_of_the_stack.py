"""The registry that a running bus serves, and the bus without it."""

import json
import signal
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from kafka import KafkaProducer
from schema_registry.client import SchemaRegistryClient as IndependentClient
from schema_registry.serializers.message_serializer import AvroMessageSerializer

from casebus_deploy.stack.stack import Stack
from casebus_producers.config import KafkaLogin
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode, encode
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import Speaker, chain
from support.events.verdicts import LONG_S, verdict

pytestmark = pytest.mark.broker


def refer(bus: Stack, number: int) -> str:
    """The n-th matter referred by csrc straight to Kafka; gives its chain."""
    key_file = bus.connection.principal("csrc").signing_key_file
    assert key_file is not None
    speaker = Speaker("csrc", key=SigningKey.from_file(key_file), producer=f"csrc-interop.{time.time_ns()}")
    record = speaker.refer(number).record
    with closing(KafkaProducer(**KafkaLogin.read("csrc", bus.connection).kafka())) as producer:
        producer.send(
            record.topic, record.value, record.key, list(record.headers), partition=record.partition
        ).get(timeout=LONG_S)
    return chain(number)


def _with_ids(theirs: Any, ours: Any) -> Any:
    """With ids as ours where a client leaves the sixteen bytes of one as they are."""
    if isinstance(theirs, dict):
        return {name: _with_ids(value, ours[name]) for name, value in theirs.items()}
    if isinstance(theirs, list):
        return [_with_ids(*pair) for pair in zip(theirs, ours, strict=True)]
    return UUID(bytes=theirs) if isinstance(theirs, bytes) and isinstance(ours, UUID) else theirs


def test_both_clients_read_every_topic_of_the_bus(bus: Stack, connection_file: Path) -> None:
    """Every value on the topics is read by two clients of the registry as we read it ourselves."""
    verdict(bus, "csrc", refer(bus, 701), {"admitted", "ledgered"})
    url = json.loads(connection_file.read_text())["registry_url"]
    catalog = Catalog.load()
    confluent = AvroDeserializer(SchemaRegistryClient({"url": url}))
    independent = AvroMessageSerializer(IndependentClient(url))
    seen = set()
    auditor = KafkaLogin.read("auditor", bus.connection)
    topics = ["bus.key", "csrc.key", "csrc.referral", "bus.admission"]
    with TopicReader(auditor, topics) as reader:
        for record in reader.read_to(reader.ends()):
            if record.value is None:
                continue  # the admission of what must not be repeated
            schema, ours = decode(catalog, record.value)
            context = SerializationContext(record.topic, MessageField.VALUE)
            read = confluent(record.value, context)
            assert encode(schema, _with_ids(read, ours)) == record.value
            theirs = independent.decode_message(record.value)
            assert theirs is not None
            assert encode(schema, _with_ids(theirs, ours)) == record.value == encode(schema, ours)
            seen.add(record.topic)
    assert seen == set(topics)


def test_the_bus_runs_without_its_registry(bus: Stack) -> None:
    """With the registry down, and services that start anew meanwhile, events are admitted and ledgered."""
    assert bus.supervisor is not None
    url = bus.connection.registry_url
    assert url is not None
    bus.supervisor["registry"].stop()
    try:
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{url}/subjects", timeout=5)
        for service in ("router", "ledger", "reconciler"):
            bus.supervisor[service].signal(signal.SIGKILL)
        assert set(verdict(bus, "csrc", refer(bus, 702), {"admitted", "ledgered"})) == {
            "admitted",
            "ledgered",
        }
    finally:
        bus.supervisor["registry"].start()
    deadline = time.monotonic() + LONG_S
    while True:
        try:
            assert requests.get(f"{url}/schemas/types", timeout=5).json() == ["AVRO"]
            break
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "the registry did not come back"
            time.sleep(0.1)
