"""The ledger service on a real broker: everything once, whatever kills it; and what its commands say."""

import itertools
import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient
from sqlalchemy import text
from typer.testing import CliRunner

from casebus_consumers.auditor import ledger_cli
from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.stack.logins import password_file
from casebus_deploy.stack.topics_admin import Wanted, apply
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ledgered_topics
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_services.ledger.first_held import first_held
from casebus_services.ledger.store import LedgerStore
from casebus_services.streams.connection import Connection
from casebus_services.streams.sink import KafkaSink
from support.ledger.ledger_process import LedgerProcess, eventually, login, spread
from support.ledger.ledgers import record
from support.scenes.kafka_view import KafkaView

pytestmark = pytest.mark.broker

LEDGERED = [spec.name for spec in ledgered_topics()]
FAULTS = (
    "ledger.before-commit=kill@4x2,ledger.after-commit=kill@6x2,"
    "ledger.after-publish=kill@2x2,ledger.before-acknowledge=kill@9x1"
)

KILLS = 7


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A broker of this file's own: what is said here is nonsense that no other test should meet."""
    folder = tmp_path_factory.mktemp("ledger-broker")
    with EmbeddedBroker(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def credentials(broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Password files of all principals, once the topology is on the broker."""
    folder = tmp_path_factory.mktemp("ledger-credentials")
    with closing(KafkaAdminClient(**broker.admin_settings(), bootstrap_timeout_ms=10_000)) as admin:
        apply(admin, Wanted.of_bus(4), folder)
    return folder


@pytest.fixture
def sink(broker: EmbeddedBroker, credentials: Path) -> Iterator[KafkaSink]:
    """A producer as the super user: it speaks for everybody."""
    settings = Connection(broker.bootstrap_servers, broker.admin_username, broker.admin_password_file)
    sink = KafkaSink(settings, "test")
    yield sink
    sink.close()


@pytest.fixture
def service(
    broker: EmbeddedBroker, credentials: Path, ledger_url: str, tmp_path: Path
) -> Iterator[LedgerProcess]:
    """The service over an empty database; not started."""
    with LedgerProcess(broker, credentials, ledger_url, tmp_path) as process:
        yield process


def records(first: int, last: int) -> list[Record]:
    """Made-up records over partitions and topics."""
    topics = ("csrc.referral", "mps.referral", "court.referral", "spp.record")
    return [
        record(number, topic=topics[number % 4], partition=number // 4 % 4) for number in range(first, last)
    ]


def has_all(view: KafkaView, store: LedgerStore) -> bool:
    """Whether the ledger has come to the end of every topic."""
    ends = {place: end for place, end in view.ends(LEDGERED).items() if end}
    return store.next_offsets_of_all() == ends


def run_command(broker: EmbeddedBroker, credentials: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of a `casebus ledger` command as the auditor."""
    env = {
        "CASEBUS_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "CASEBUS_SASL_USERNAME": "auditor",
        "CASEBUS_SASL_PASSWORD_FILE": str(password_file(credentials, "auditor")),
    }
    result = CliRunner().invoke(ledger_cli.app, [*arguments, "--json"], env=env, catch_exceptions=False)
    return result.exit_code, json.loads(result.stdout)


def test_everything_once_though_killed(
    service: LedgerProcess,
    sink: KafkaSink,
    broker: EmbeddedBroker,
    credentials: Path,
    ledger_url: str,
    tmp_path: Path,
) -> None:
    """Killed before and after commits and after receipts, each record is one entry and is told of."""
    store, view = LedgerStore(ledger_url), KafkaView(broker)
    service.start(FAULTS)
    sent = itertools.count(0, 20)

    def killed_often_enough() -> bool:
        first = next(sent)
        sink.send_all(spread(records(first, first + 20)))
        return len(service.kills()) == KILLS

    service.restart_until(killed_often_enough, FAULTS)
    odd = record(10**7)._replace(
        key=None, value=None, headers=(("\udcff\udcfe", b"x"), ("n", None), ("n", b""))
    )
    sink.send_all(spread([odd]))
    service.restart_until(lambda: has_all(view, store), FAULTS)

    def told() -> bool:
        receipts = [decode(Catalog.load(), item.value)[1] for item in view.read("receipt.csrc")]
        places = {(item["log"], item["origin"]["offset"]) for item in receipts}
        ends = view.ends(["csrc.referral"])
        entered = {(f"{p.topic}/{p.partition}", offset) for p, end in ends.items() for offset in range(end)}
        return entered <= places

    service.restart_until(told, FAULTS)
    assert service.stop() == 0
    assert all(in_flight > 0 for _, in_flight in service.kills()), service.kills()
    code, report = run_command(broker, credentials, "verify", "--database-url", ledger_url, "--against-kafka")
    assert (code, report["damages"]) == (0, [])
    assert report["compared"] == report["entries"] == sum(view.ends(LEDGERED).values())
    into = f"sqlite:///{tmp_path}/rebuilt.db"
    code, rebuilt = run_command(broker, credentials, "rebuild", "--database-url", ledger_url, "--into", into)
    assert (code, rebuilt["entries"], rebuilt["damages"]) == (0, report["entries"], [])
    assert rebuilt["roots_compared"] > 10
    store.close()


def test_removed_tail_is_named(
    service: LedgerProcess, sink: KafkaSink, broker: EmbeddedBroker, credentials: Path, ledger_url: str
) -> None:
    """The command names a tail that was removed from the tables, and exits with 1."""
    sink.send_all(spread(records(0, 40)))
    store, view = LedgerStore(ledger_url), KafkaView(broker)
    service.start()
    eventually(lambda: has_all(view, store))
    sink.send_all(spread([record(0, topic="mps.clue", partition=3)]))
    eventually(lambda: has_all(view, store))
    assert service.stop() == 0
    with store.database.engine.begin() as connection:
        for table in ("entry", "batch"):
            if store.database.dialect == "sqlite":
                connection.exec_driver_sql(f"DROP TRIGGER {table}_no_delete")
            else:
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        log = "log_id = (SELECT log_id FROM log WHERE topic = 'mps.clue' AND partition = 3)"
        last = f"(SELECT max(start_index) FROM batch WHERE {log})"
        connection.execute(text(f"DELETE FROM entry WHERE {log} AND idx >= {last}"))
        connection.execute(text(f"DELETE FROM batch WHERE {log} AND start_index = {last}"))
    code, report = run_command(
        broker, credentials, "verify", "--database-url", ledger_url, "--against-kafka", "--wait", "1"
    )
    assert code == 1
    tails = [(item["log"], item["row"]) for item in report["damages"] if item["row"].endswith("(tail)")]
    ends = view.ends(["mps.clue"])[TopicPartition("mps.clue", 3)]
    assert tails == [("casebus/mps.clue/3", f"offset {ends - 1} to {ends - 1} (tail)")]
    store.close()


def test_hole_of_a_transaction(broker: EmbeddedBroker, credentials: Path) -> None:
    """Kafka's own hole, a transaction's marker, is told from records that were deleted or do not exist."""
    view = KafkaView(broker)
    producer = Producer({**view.config(), "transactional.id": "test-hole"})
    place = TopicPartition("court.record", 2)
    first = view.ends([place.topic])[place]
    producer.init_transactions(60)
    for _ in range(2):
        producer.begin_transaction()
        producer.produce(place.topic, b"x", partition=place.partition)
        producer.commit_transaction(60)
    for principal in ("ledger", "auditor"):
        settings = login(broker, credentials, principal)
        assert first_held(settings, place, first) == first
        assert first_held(settings, place, first + 1) == first + 2
        assert first_held(settings, place, first + 100) is None
