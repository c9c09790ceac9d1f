"""Ledger and sealers killed at random, fifty times: no size has two roots, and no checkpoint is lost."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.stack.topics_admin import Wanted, apply
from casebus_services.ledger.store import LedgerStore
from casebus_services.streams.connection import Connection
from casebus_services.streams.sink import KafkaSink
from support.ledger.ledgers import empty_sqlite
from support.ledger.sealed_run import Filling, all_sealed, check_checkpoints, kill_at_random, processes
from support.scenes.kafka_view import KafkaView

pytestmark = [pytest.mark.broker, pytest.mark.faults]

ORIGIN = "bus.example/killed-fifty-times"
KILLS = 50


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    return empty_sqlite(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A broker of this test's own."""
    folder = tmp_path_factory.mktemp("sealed-broker")
    with EmbeddedBroker(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(1800)
def test_fifty_kills(own_broker: EmbeddedBroker, url: str, tmp_path: Path) -> None:
    """Killed at any moment, two sealers and their ledger leave one chain of checkpoints, all published."""
    admin_settings = own_broker.admin_settings()
    with closing(KafkaAdminClient(**admin_settings, bootstrap_timeout_ms=10_000)) as admin:
        apply(admin, Wanted.of_bus(4), tmp_path / "credentials")
    settings = Connection(
        own_broker.bootstrap_servers, own_broker.admin_username, own_broker.admin_password_file
    )
    store, view = LedgerStore(url), KafkaView(own_broker)
    with (
        closing(KafkaSink(settings, "test")) as sink,
        processes(own_broker, tmp_path / "credentials", url, tmp_path, ORIGIN, count=2) as (ledger, sealers),
    ):
        kill_at_random(
            ledger, sealers, Filling(sink), lambda: all_sealed(view, store), kills=KILLS, seed=20161018
        )
        assert [process.stop() for process in (ledger, *sealers)] == [0, 0, 0]
    epochs = check_checkpoints(view, store, ORIGIN)
    print(f"{KILLS} kills of ledger and two sealers, {epochs} epochs, each size signed once")
    assert epochs > KILLS / 2
    store.close()
