"""Two clients that know nothing of casebus write and read every schema by way of the registry."""

from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient, record_subject_name_strategy
from confluent_kafka.schema_registry import topic_record_subject_name_strategy as by_topic_and_record
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext
from schema_registry.client import SchemaRegistryClient as IndependentClient
from schema_registry.client.errors import ClientError
from schema_registry.client.schema import AvroSchema
from schema_registry.serializers.message_serializer import AvroMessageSerializer

from casebus_schemas.catalogue.catalog import Catalog, EventSchema
from casebus_services.registry.app import schema_text
from support.events.served_registry import serving

CATALOG = Catalog.load()
SCHEMAS = CATALOG.schemas()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Our registry."""
    with serving() as address:
        yield address


@pytest.fixture(scope="module")
def confluent(url: str) -> Iterator[SchemaRegistryClient]:
    """confluent-kafka's client."""
    with SchemaRegistryClient({"url": url}) as client:
        yield client


@pytest.fixture(scope="module")
def independent(url: str) -> IndependentClient:
    """A client of other authors."""
    return IndependentClient(url)


def example(schema: EventSchema) -> bytes:
    """The stored value of a schema version."""
    name = f"{schema.type}.{schema.version}.bin"
    return (files("casebus_schemas") / "examples" / name).read_bytes()


def topic_of(schema: EventSchema) -> str:
    """A topic on which it is said."""
    entry = CATALOG.event(schema.type)
    speaker = "csrc" if entry.channel == "receipts" else min(entry.speakers)
    return entry.topic(speaker)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: f"{schema.type}.{schema.version}")
def test_confluent_reads_and_writes_the_same_bytes(
    schema: EventSchema, confluent: SchemaRegistryClient
) -> None:
    """confluent-kafka reads a stored value and, with its default settings, writes it again byte for byte."""
    context = SerializationContext(topic_of(schema), MessageField.VALUE)
    data = AvroDeserializer(confluent)(example(schema), context)
    written = AvroSerializer(confluent, schema_text(schema))(data, context)
    assert written == example(schema)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: f"{schema.type}.{schema.version}")
def test_another_client_reads_and_writes_the_same_bytes(
    schema: EventSchema, independent: IndependentClient
) -> None:
    """The independent client reads a stored value and writes it again byte for byte."""
    messages = AvroMessageSerializer(independent)
    data = messages.decode_message(example(schema))
    assert data is not None
    subject = str(schema.schema["name"])
    assert messages.encode_record_with_schema(subject, AvroSchema(schema_text(schema)), data) == example(
        schema
    )
    assert messages.encode_record_with_schema_id(schema.id, data) == example(schema)


@pytest.mark.parametrize("strategy", [record_subject_name_strategy, by_topic_and_record])
@pytest.mark.parametrize("settings", [{"auto.register.schemas": False}, {"use.latest.version": True}])
def test_the_subjects_of_the_record_strategies(
    confluent: SchemaRegistryClient, strategy: Callable[..., str], settings: dict[str, bool]
) -> None:
    """With a record strategy a serializer may look up its schema, or take the latest version."""
    schema = CATALOG.latest("referral.submitted")
    context = SerializationContext("csrc.referral", MessageField.VALUE)
    data = AvroDeserializer(confluent)(example(schema), context)
    conf: dict[str, Any] = {"auto.register.schemas": False, "subject.name.strategy": strategy, **settings}
    assert AvroSerializer(confluent, schema_text(schema), conf=conf)(data, context) == example(schema)


def test_a_schema_of_nobody_is_refused(
    confluent: SchemaRegistryClient, independent: IndependentClient
) -> None:
    """Both clients are told that they cannot register."""
    text = '{"type": "record", "name": "casebus.Nobody", "fields": []}'
    context = SerializationContext("csrc.referral", MessageField.VALUE)
    with pytest.raises(SchemaRegistryError) as told:
        AvroSerializer(confluent, text)({}, context)
    assert told.value.http_status_code in (409, 422)
    with pytest.raises(ClientError):
        independent.register("csrc.referral-value", AvroSchema(text))


def test_the_clients_other_questions(confluent: SchemaRegistryClient, independent: IndependentClient) -> None:
    """Subjects, versions, levels, modes and compatibility answer in the clients' own words."""
    schema = CATALOG.latest("referral.submitted")
    name = str(schema.schema["name"])
    assert name in confluent.get_subjects()
    assert confluent.get_versions(name) == [1]
    assert confluent.get_latest_version(name).schema_id == schema.id
    assert confluent.get_version(name, -1).version == 1
    assert confluent.get_compatibility(name) == "FULL_TRANSITIVE"
    assert confluent.get_mode(name) == "READONLY"
    assert confluent.get_schema_types() == ["AVRO"]
    assert {one.subject for one in confluent.get_schema_versions(schema.id)} == set(
        confluent.get_subjects_by_schema_id(schema.id)
    )
    sent = AvroSchema(schema_text(schema))
    known, newest = independent.check_version(name, sent), independent.get_schema(name)
    assert known is not None
    assert newest is not None
    assert (known.schema_id, newest.version) == (schema.id, 1)
    assert independent.test_compatibility(name, sent) is True
    assert independent.get_compatibility(name) == "FULL_TRANSITIVE"
    assert independent.test_compatibility(name, AvroSchema('"string"')) is False
