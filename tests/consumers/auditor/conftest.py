"""A ledger database of each kind."""

from support.ledger.ledger_fixtures import ledger_url, store

__all__ = ["ledger_url", "store"]
