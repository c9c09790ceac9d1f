"""The played set of outcome events, and what changes it."""

import pytest

from casebus_consumers.statistics.sources import from_files
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog
from support.cases.statistics_chains import PLAYED


@pytest.fixture(scope="session")
def events() -> list[ChainEvent]:
    """The events of the played set."""
    return from_files([PLAYED], Catalog.load())
