"""The sealer on a real broker: killed at its points and at random, two at once; what the commands say."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient
from sqlalchemy import text
from typer.testing import CliRunner

from casebus_consumers.auditor import ledger_cli
from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.stack.logins import password_file
from casebus_deploy.stack.topics_admin import Wanted, apply
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.signed_note import NoteSigner, SignedNote
from casebus_services.exit_codes import EXIT_EVIDENCE
from casebus_services.ledger.store import LedgerStore
from casebus_services.streams.connection import Connection
from casebus_services.streams.sink import KafkaSink
from support.events.sealing import LOG_SEED, tamper
from support.ledger.ledger_process import eventually
from support.ledger.sealed_run import Filling, all_sealed, check_checkpoints, kill_at_random, processes
from support.scenes.kafka_view import KafkaView

pytestmark = pytest.mark.broker

FAULTS = (
    "sealer.before-commit=kill@2x2,sealer.after-commit=kill@3x2,"
    "sealer.before-publish=kill@4x2,sealer.after-publish=kill@5x2"
)
KILLS = 8


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A broker of this file's own: what is said here is nonsense that no other test should meet."""
    folder = tmp_path_factory.mktemp("sealer-broker")
    with EmbeddedBroker(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def credentials(broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Password files of all principals, once the topology is on the broker."""
    folder = tmp_path_factory.mktemp("sealer-credentials")
    with closing(KafkaAdminClient(**broker.admin_settings(), bootstrap_timeout_ms=10_000)) as admin:
        apply(admin, Wanted.of_bus(4), folder)
    return folder


@pytest.fixture
def origin(request: pytest.FixtureRequest) -> str:
    """A ledger's name of the test's own: all tests share the topics."""
    return f"bus.example/{request.node.name.replace(' ', '-')[:60]}"


@pytest.fixture
def fill(broker: EmbeddedBroker, credentials: Path) -> Iterator[Filling]:
    """Says records as the super user, who speaks for everybody."""
    settings = Connection(broker.bootstrap_servers, broker.admin_username, broker.admin_password_file)
    with closing(KafkaSink(settings, "test")) as sink:
        yield Filling(sink)


def run_command(
    broker: EmbeddedBroker, credentials: Path, folder: Path, origin: str, *arguments: str
) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of a `casebus ledger` command as the auditor, who brings the log's key."""
    policy = folder / "policy"
    policy.write_text(f"log {NoteSigner(origin, LOG_SEED).key}\nquorum none\n")
    env = {
        "CASEBUS_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "CASEBUS_SASL_USERNAME": "auditor",
        "CASEBUS_SASL_PASSWORD_FILE": str(password_file(credentials, "auditor")),
    }
    command = [*arguments, "--policy", str(policy), "--json"]
    result = CliRunner().invoke(ledger_cli.app, command, env=env, catch_exceptions=False)
    return result.exit_code, json.loads(result.stdout)


def test_killed_at_each_point_it_loses_and_doubles_nothing(
    broker: EmbeddedBroker, credentials: Path, ledger_url: str, tmp_path: Path, origin: str, fill: Filling
) -> None:
    """Killed around commit, high water and publishing, each size has one checkpoint, and all are published.

    The ledger verifies against Kafka and all heads there; rebuilt from Kafka it has the same checkpoints.
    """
    store, view = LedgerStore(ledger_url), KafkaView(broker)
    with processes(broker, credentials, ledger_url, tmp_path, origin) as (ledger, (sealer,)):
        ledger.start()
        sealer.start(FAULTS)

        def killed_often_enough() -> bool:
            fill(20)
            return len(sealer.kills()) == KILLS

        sealer.restart_until(killed_often_enough, FAULTS)
        sealer.restart_until(lambda: all_sealed(view, store), FAULTS)
        assert (ledger.stop(), sealer.stop()) == (0, 0)
    epochs = check_checkpoints(view, store, origin)
    assert epochs > KILLS
    command = ("--database-url", ledger_url)
    code, report = run_command(broker, credentials, tmp_path, origin, "verify", *command, "--full")
    assert (code, report["damages"]) == (0, [])
    assert (report["epochs"], report["checkpoints"]) == (epochs, epochs)
    assert report["heads_compared"] >= epochs
    code, shown = run_command(broker, credentials, tmp_path, origin, "checkpoint", *command)
    note = SignedNote.parse(shown["note"].encode())
    assert (code, shown["size"], shown["problem"]) == (0, epochs, None)
    assert Checkpoint.parse(note.text) == Checkpoint(origin, epochs, bytes.fromhex(shown["root"]))
    into = f"sqlite:///{tmp_path}/rebuilt.db"
    code, rebuilt = run_command(broker, credentials, tmp_path, origin, "rebuild", *command, "--into", into)
    assert (code, rebuilt["damages"]) == (0, [])
    assert (rebuilt["epochs"], rebuilt["checkpoints"]) == (epochs, epochs)
    # The rebuilt ledger is whole: it verifies by itself, and a sealer goes on with it.
    code, again = run_command(
        broker, credentials, tmp_path, origin, "verify", "--database-url", into, "--full"
    )
    assert (code, again["damages"], again["head"]) == (0, [], report["head"])
    with processes(broker, credentials, into, tmp_path / "anew", origin) as (ledger, (sealer,)):
        ledger.start()
        sealer.start()
        fill(9)
        anew = LedgerStore(into)
        eventually(lambda: all_sealed(view, anew))
        assert (ledger.stop(), sealer.stop()) == (0, 0)
    assert check_checkpoints(view, anew, origin) > epochs
    anew.close()
    # What was rebuilt is ahead now: the old database is a restored copy.
    with processes(broker, credentials, ledger_url, tmp_path / "old", origin) as (_, (sealer,)):
        sealer.start()
        eventually(lambda: sealer.ended() is not None)
        assert sealer.ended() == EXIT_EVIDENCE
        assert "knows a larger head" in sealer.log_file.read_text()
    store.close()


def test_it_goes_on_when_the_broker_is_back(
    broker: EmbeddedBroker, credentials: Path, ledger_url: str, tmp_path: Path, origin: str, fill: Filling
) -> None:
    """With the broker away nothing is sealed, and nobody has to start the sealer again."""
    store, view = LedgerStore(ledger_url), KafkaView(broker)
    with processes(broker, credentials, ledger_url, tmp_path, origin) as (ledger, (sealer,)):
        ledger.start()
        sealer.start()
        fill(16)
        eventually(lambda: all_sealed(view, store))
        with store.database.engine.begin() as connection:
            before = connection.execute(text("SELECT max(head_size) FROM checkpoint")).scalar_one()
        broker.stop()
        broker.start()
        again = KafkaView(broker)
        fill(16)
        eventually(lambda: all_sealed(again, store))
        assert (ledger.stop(), sealer.stop()) == (0, 0)
    assert check_checkpoints(again, store, origin) > before
    store.close()


@pytest.mark.faults
def test_short_random_kills_of_two_sealers(
    broker: EmbeddedBroker, credentials: Path, ledger_url: str, tmp_path: Path, origin: str, fill: Filling
) -> None:
    """Whatever is killed when, two sealers on one ledger sign each size once and publish every one."""
    store, view = LedgerStore(ledger_url), KafkaView(broker)
    with processes(broker, credentials, ledger_url, tmp_path, origin, count=2) as (ledger, sealers):
        kill_at_random(ledger, sealers, fill, lambda: all_sealed(view, store), kills=6, seed=11)
        assert [process.stop() for process in (ledger, *sealers)] == [0, 0, 0]
    assert check_checkpoints(view, store, origin) > 3
    store.close()


def test_a_flipped_bit_ends_the_sealer_and_not_the_ledger(
    broker: EmbeddedBroker, credentials: Path, ledger_url: str, tmp_path: Path, origin: str, fill: Filling
) -> None:
    """The sealer that finds a changed row ends as evidence at risk and names it; the ledger goes on."""
    store, view = LedgerStore(ledger_url), KafkaView(broker)
    with processes(broker, credentials, ledger_url, tmp_path, origin) as (ledger, (sealer,)):
        ledger.start()
        sealer.start()
        fill(16)
        eventually(lambda: all_sealed(view, store))
        assert sealer.stop() == 0
        notes = check_checkpoints(view, store, origin)
        fill(16)
        eventually(lambda: store.next_offsets_of_all() == _ends(view))
        tamper(
            store,
            "UPDATE entry SET leaf_hash = value_sha256 WHERE log_id = 1 AND idx = "
            "(SELECT max(idx) FROM entry WHERE log_id = 1)",
        )
        sealer.start()
        eventually(lambda: sealer.ended() is not None)
        assert sealer.ended() == EXIT_EVIDENCE
        assert "leaf_hash" in sealer.log_file.read_text()
        fill(16)
        eventually(lambda: store.next_offsets_of_all() == _ends(view))
        assert ledger.stop() == 0
    assert check_checkpoints(view, store, origin) == notes
    store.close()


def _ends(view: KafkaView) -> dict[Any, int]:
    from support.ledger.sealed_run import LEDGERED

    return {place: end for place, end in view.ends(LEDGERED).items() if end}
