"""Where ledger and reconciler stand, by their own databases."""

from dataclasses import replace
from pathlib import Path

from casebus_deploy.stack.sql_positions import sql_positions
from casebus_schemas.connection import Connection
from casebus_schemas.wire.records import TopicPartition
from casebus_services.ledger.store import LedgerStore
from support.ledger.ledger_fixtures import ledger_url, store
from support.ledger.ledgers import TOPIC, run

__all__ = ["ledger_url", "store"]


def test_d2_positions_come_from_the_databases(store: LedgerStore, ledger_url: str, tmp_path: Path) -> None:
    """The ledger stands where its last batch ends, at 0 elsewhere; a missing database is unknown."""
    url = ledger_url
    store.append([run(0, 7)])
    connection = Connection(
        "127.0.0.1:1", 4, {}, {"ledger": url, "accounts": f"sqlite:///{tmp_path}/none.db"}
    )
    found = sql_positions(connection)
    ledger = found["ledger"]
    assert ledger is not None
    assert ledger[TopicPartition(TOPIC, 0)] == 7
    assert ledger[TopicPartition("bus.admission", 1)] == 0
    assert found["reconciler"] is None
    assert sql_positions(replace(connection, databases={})) == {"ledger": None, "reconciler": None}
