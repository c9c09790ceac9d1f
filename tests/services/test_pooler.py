"""Behind a pooler nothing is prepared; before PostgreSQL itself all is as ever."""

from typing import Any

import psycopg
import pytest

from casebus_schemas.errors import StopService
from casebus_services.ledger.ledger_database import open_database, translate
from casebus_services.ledger.store import LedgerStore
from casebus_services.pooler import unprepared_behind_pooler
from support.ledger.ledgers import run


class Pooled:
    """A connection of which the server says another process number than the one that was given out."""

    def __init__(self, own: int, named: int) -> None:
        self.own = own
        self.prepare_threshold: int | None = 5
        self.info = type("Info", (), {"backend_pid": named})

    def execute(self, _query: str) -> Any:
        """The server's own number."""
        return type("Found", (), {"fetchone": lambda _self: (self.own,)})()

    def rollback(self) -> None:
        """Nothing is left open."""


def test_d9_a_pooler_is_recognised_and_nothing_is_prepared() -> None:
    """A pooler names a process of its own; then no statement is prepared, elsewhere as many as before."""
    pooled, direct = Pooled(7, 8), Pooled(7, 7)
    assert unprepared_behind_pooler(pooled)
    assert not unprepared_behind_pooler(direct)
    assert [pooled.prepare_threshold, direct.prepare_threshold] == [None, 5]


def test_d9_a_pooler_that_hides_itself_is_named() -> None:
    """Where prepared statements collide all the same, the error names the pooler and what to change."""
    database = open_database("postgresql://127.0.0.1:1/none")
    error = translate(database, psycopg.errors.DuplicatePreparedStatement("_pg3_0 already exists"))
    assert isinstance(error, StopService)
    assert "a pooler in transaction mode" in error.detail


@pytest.mark.postgres
def test_d9_the_ledger_works_unprepared(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger whose server seems to stand behind a pooler appends as ever, with nothing prepared."""
    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", property(lambda _self: -1))
    store = LedgerStore(postgres_url)
    for start in range(0, 60, 5):
        store.append([run(start, start + 5)])
    with store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM entry").scalar() == 60
    store.close()
