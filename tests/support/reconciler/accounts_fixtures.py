"""Fixtures: an accounts database of each kind; a test that asks for one runs on both."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from casebus_services.reconciler.accounts_database import Database


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


@pytest.fixture
def other(request: pytest.FixtureRequest, accounts_url: str, tmp_path: Path) -> Iterator[Database]:
    """A second database of the same kind, in place of one that was lost or put back."""
    if accounts_url.startswith("sqlite"):
        database, drop = Database(f"sqlite:///{tmp_path / 'other.db'}"), None
    else:
        server, name = request.getfixturevalue("postgres"), f"other_{secrets.token_hex(6)}"
        database, drop = Database(server.create_database(name)), lambda: server.drop_database(name)
    database.migrate()
    yield database
    database.close()
    if drop:
        drop()
