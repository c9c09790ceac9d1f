"""A ledger database of each kind, and a sealer on it."""

from pathlib import Path

import pytest

from casebus_services.ledger.store import LedgerStore
from support.events.sealing import Sealing
from support.ledger.ledger_fixtures import ledger_url, store

__all__ = ["ledger_url", "sealing", "store"]


@pytest.fixture
def sealing(store: LedgerStore, tmp_path: Path) -> Sealing:
    """A sealer on an empty ledger."""
    folder = tmp_path / "sealer"
    folder.mkdir()
    return Sealing(store, folder)
