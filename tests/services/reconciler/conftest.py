"""Databases for the reconciler's tests: the same suite on SQLite and PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from casebus_services.reconciler.database import Database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def accounts_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty accounts database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'accounts.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def database(accounts_url: str) -> Iterator[Database]:
    """An empty accounts database with its tables."""
    database = Database(accounts_url)
    database.migrate()
    yield database
    database.close()
