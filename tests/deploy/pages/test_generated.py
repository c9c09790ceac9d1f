"""The generated files of docs/ are in step, and the AsyncAPI document holds together."""

import json
from collections.abc import Iterator
from typing import Any

import fastavro
import pytest

from casebus_deploy.pages.asyncapi import AVRO, document, document_text
from casebus_deploy.pages.event_flow import listeners
from casebus_deploy.pages.event_reference import event_page
from casebus_deploy.pages.generated import FILES, stale
from casebus_schemas.agencies import MEMBERS, WITNESSES
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import topics
from casebus_schemas.wire.canonical import fingerprint

CATALOG = Catalog.load()
DOCUMENT = document()
TYPES = sorted(CATALOG.types)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _followed(reference: str) -> Any:
    node: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def test_files_are_in_step() -> None:
    """Every generated file says what its sources say now."""
    assert stale() == []


@pytest.mark.parametrize("name", FILES)
def test_generating_twice_gives_the_same(name: str) -> None:
    """A generated file depends on nothing but its sources."""
    assert FILES[name]() == FILES[name]()


def test_text_and_document_are_one() -> None:
    """The file on disk is the document, however it is laid out."""
    assert json.loads(document_text()) == json.loads(json.dumps(DOCUMENT))


def test_document_names_its_version_and_only_parts_of_asyncapi() -> None:
    """The document is AsyncAPI 3.1 with the parts that the specification knows."""
    assert DOCUMENT["asyncapi"] == "3.1.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    known = {"asyncapi", "info", "defaultContentType", "servers", "channels", "operations", "components"}
    assert DOCUMENT.keys() == known


def test_every_reference_leads_somewhere() -> None:
    """Nothing points outside the document or at nothing."""
    references = list(_references({**DOCUMENT, "components": {**DOCUMENT["components"]}}))
    assert references
    for reference in set(references):
        assert reference.startswith("#/")
        assert isinstance(_followed(reference), dict), reference


def test_channels_are_the_topics() -> None:
    """There is one channel for each topic, with its partitions and limits, sent by its writers alone."""
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == {s.name for s in topics()}
    for spec in topics():
        channel = DOCUMENT["channels"][spec.name]
        kafka = channel["bindings"]["kafka"]
        assert kafka["partitions"] == spec.partitions
        assert kafka["topicConfiguration"]["max.message.bytes"] == spec.max_message_bytes
        assert DOCUMENT["operations"][f"send.{spec.name}"]["x-principals"] == list(spec.written_by)
        assert DOCUMENT["operations"][f"receive.{spec.name}"]["x-principals"] == list(spec.read_by)
        assert channel["messages"], spec.name


def test_operations_are_whole() -> None:
    """An operation sends or receives messages of its own channel."""
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in ("send", "receive")
        place = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{place}/messages/") for message in operation["messages"])


@pytest.mark.parametrize("agency", MEMBERS)
def test_an_agency_says_on_its_topics_what_it_may_say(agency: str) -> None:
    """On an agency's own topics are the types that it may say, and what it cosigns as a witness."""
    own = {spec.name for spec in topics() if spec.agency == agency and spec.name.startswith(f"{agency}.")}
    said = {name for topic in own for name in DOCUMENT["channels"][topic]["messages"]}
    assert said - {"cosignature"} == {name for name, e in CATALOG.types.items() if agency in e.speakers}
    assert ("cosignature" in said) == (agency in WITNESSES)


@pytest.mark.parametrize("type", TYPES)
def test_message(type: str) -> None:
    """A message holds the whole newest Avro schema of its type, the one that its fingerprint names."""
    message = DOCUMENT["components"]["messages"][type]
    schema = CATALOG.latest(type)
    assert message["payload"]["schemaFormat"] == AVRO
    written = json.loads(json.dumps(message["payload"]["schema"]))
    fastavro.parse_schema(json.loads(json.dumps(written)))
    assert fingerprint(written) == schema.fingerprint
    assert (message["x-schema-id"], message["x-version"]) == (schema.id, schema.version)


@pytest.mark.parametrize("type", TYPES)
def test_event_page_shows_every_field(type: str) -> None:
    """The page of events has a section for each type with all its fields."""
    section = event_page().split(f"### {type}\n")[1].split("\n### ")[0].split("\n## ")[0]
    fields = [field["name"] for field in CATALOG.latest(type).schema["fields"]]
    shown = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    assert shown == [name for name in fields if name not in ("envelope", "sealed")]


def test_flow() -> None:
    """The charts send a referral to the police and, by law, to the procuratorate; an answer goes back."""
    assert listeners(CATALOG.event("referral.submitted"), CATALOG) == {"mps", "spp"}
    assert listeners(CATALOG.event("supervision.suggested"), CATALOG) == {"spp"}
    assert listeners(CATALOG.event("supervision.reasons_answered"), CATALOG) == {"spp"}
    assert listeners(CATALOG.event("clue.submitted"), CATALOG) == {"csrc", "mps", "spp"}
