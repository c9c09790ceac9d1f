"""Every stored example: read at the door, encoded to the stored bytes, decoded and written back."""

import json
import re
from importlib.resources import files

import pytest

from casebus_schemas.catalogue.avro_files import event_files
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode, encode
from casebus_schemas.wire.door import event_json, parse_event

CATALOG = Catalog.load()
FOLDER = files("casebus_schemas") / "examples"
VERSIONS = event_files()
IDS = [f"{type}.{version}" for type, version in VERSIONS]
NEWEST = [
    name for name in IDS if CATALOG.latest(name.rpartition(".")[0]).version == int(name.rpartition(".")[2])
]


def test_every_version_has_an_example_and_a_sample() -> None:
    """Beside each schema version stand one example and one binary sample, and nothing else."""
    expected = {f"{name}.{ending}" for name in IDS for ending in ("json", "bin")}
    assert {entry.name for entry in FOLDER.iterdir()} == expected


@pytest.mark.parametrize("name", NEWEST)
def test_example(name: str) -> None:
    """An example of the newest version passes the door, encodes to its sample and comes back as it was."""
    written = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    event = parse_event(written, CATALOG)
    schema = CATALOG.latest(event.type)
    value = encode(schema, event.data)
    assert value == (FOLDER / f"{name}.bin").read_bytes()
    _, data = decode(CATALOG, value)
    again = event_json(
        schema, data, id=written["id"], source=event.source, time=written["time"], subject=event.subject
    )
    assert parse_event(again, CATALOG) == event


@pytest.mark.parametrize("name", NEWEST)
def test_speaker_of_example(name: str) -> None:
    """An example is said by somebody who may say it."""
    written = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    event = parse_event(written, CATALOG)
    assert event.agency in CATALOG.event(event.type).speakers


@pytest.mark.parametrize("name", IDS)
def test_stored_sample(name: str) -> None:
    """A stored binary sample of any version, past ones too, is still read and written to the same bytes."""
    value = (FOLDER / f"{name}.bin").read_bytes()
    schema, data = decode(CATALOG, value)
    assert f"{schema.type}.{schema.version}" == name
    assert encode(schema, data) == value


@pytest.mark.parametrize("name", IDS)
def test_no_personal_data(name: str) -> None:
    """No example holds an identity number or a telephone number."""
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert not re.findall(r"(?<![0-9a-f])\d{17}[0-9Xx](?![0-9a-f])", text)
    assert not re.findall(r"(?<![0-9a-f])1[3-9]\d{9}(?![0-9a-f])", text)
