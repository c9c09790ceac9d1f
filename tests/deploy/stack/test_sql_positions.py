"""Where ledger and reconciler stand, by their own databases."""

from dataclasses import replace
from pathlib import Path

from casebus_deploy.stack.sql_positions import sql_positions
from casebus_schemas.connection import Connection
from casebus_schemas.wire.records import TopicPartition
from casebus_services.ledger.store import LedgerStore
from support.ledgers import TOPIC, empty_sqlite, run


def test_d2_positions_come_from_the_databases(tmp_path: Path) -> None:
    """The ledger stands where its last batch ends, at 0 elsewhere; a missing database is unknown."""
    url = empty_sqlite(tmp_path)
    store = LedgerStore(url)
    store.append([run(0, 7)])
    store.close()
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
