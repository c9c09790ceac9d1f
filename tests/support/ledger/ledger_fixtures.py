"""Fixtures: a ledger database of each kind; a test that asks for one runs on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from casebus_services.ledger.store import LedgerStore
from support.ledger.ledgers import empty_sqlite


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database for a ledger."""
    if request.param == "sqlite":
        return empty_sqlite(tmp_path)
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def store(ledger_url: str) -> Iterator[LedgerStore]:
    """An empty ledger."""
    store = LedgerStore(ledger_url)
    yield store
    store.close()
