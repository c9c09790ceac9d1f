"""`casebus schemas` tells whoever writes an event what it needs, and gives one to begin with."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from casebus_deploy.cli.schemas import app
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.door import parse_event


def shown(*words: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.parametrize("type", ["referral.submitted", "finding.explained", "progress.concluded"])
def test_an_example_is_an_event_that_the_door_takes(type: str) -> None:
    """The example of a type can be published as it stands, but for the agency whose it is."""
    event: Any = json.loads(shown("example", type))
    assert parse_event(event, Catalog.load()).type == type


def test_a_schema_says_what_is_required_and_what_stands_in_its_stead() -> None:
    """Fields are marked as required or shown with their defaults, with their types, records in full."""
    lines = [line.split() for line in shown("show", "referral.submitted").splitlines()]
    assert ["*", "envelope", "Envelope"] in [line[:3] for line in lines]
    assert ["suspects", "[Suspect]", "=", "[]"] in [line[:4] for line in lines]
    assert ["*", "ref", "string"] in [line[:3] for line in lines]
    assert ["*", "value", "decimal", "as", "text"] in [line[:5] for line in lines]


def test_an_unknown_type_is_said() -> None:
    """A type that the bus does not know is wrong use."""
    done = CliRunner().invoke(app, ["example", "referral.imagined"])
    assert isinstance(done.exception, UsageError)
