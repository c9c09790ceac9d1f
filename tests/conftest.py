"""What every test may ask for: a real broker, a real database, the published vectors.

And no silent skips in CI.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.embedded.postgres import EmbeddedPostgres
from casebus_schemas.fault_switch import TEST

os.environ[TEST] = "yes"  # what a test starts may be told to fail
IN_CI = bool(os.environ.get("CI"))

# On a busy machine one made-up case may take its time; in smoke a tenth of them is looked at.
settings.register_profile("casebus", deadline=None)
settings.register_profile("casebus-smoke", deadline=None, max_examples=10)
settings.load_profile("casebus-smoke" if os.environ.get("CASEBUS_SMOKE") else "casebus")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A running Kafka with an empty data folder and free ports, shared by the whole run.

    A test names its own topics and groups; one that kills the broker starts it again.
    """
    folder = tmp_path_factory.mktemp("broker")
    broker = EmbeddedBroker(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def broker_admin(broker: EmbeddedBroker) -> Iterator[Any]:
    """kafka-python's KafkaAdminClient as the super user."""
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(**broker.admin_settings(), bootstrap_timeout_ms=10_000)
    yield admin
    admin.close()


@pytest.fixture(scope="session")
def credentials(broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `<principal>.password` files, once the whole topology (N = 4) is on `broker`."""
    from support.ledger.laid_out import lay_out

    return lay_out(broker, tmp_path_factory.mktemp("credentials"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL, shared by the whole run."""
    # Not pytest's folder: as root the server runs as another user, who may not enter that one.
    folder = Path(tempfile.mkdtemp(prefix="casebus-postgres-"))
    server = EmbeddedPostgres(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _postgres_database(postgres: EmbeddedPostgres) -> str:
    return postgres.create_database(f"test_{secrets.token_hex(6)}")


@pytest.fixture
def postgres_url(_postgres_database: str) -> str:
    """SQLAlchemy address (psycopg) of an empty database, this test's own while it runs."""
    # Emptied, not made anew: a new database takes five times as long.
    with psycopg.connect(_postgres_database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return _postgres_database


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of published test vectors named by CASEBUS_VECTORS; they are not part of the repository."""
    named = os.environ.get("CASEBUS_VECTORS")
    if named and Path(named).is_dir():
        return Path(named)
    reason = f"CASEBUS_VECTORS names no folder of test vectors (found {named!r})"
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


# --- A skipped test fails in CI: a machine that lacks something must not look green --------------------


def _no_skips(report: pytest.TestReport | pytest.CollectReport) -> None:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure in CI."""
    report = yield
    _no_skips(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped module into a failure in CI."""
    report = yield
    _no_skips(report)
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first: two processes then end at about the same time.

    Those that need a broker or PostgreSQL before all, then those with many made-up cases.
    """
    slow = {
        item.path
        for item in items
        if item.get_closest_marker("broker") or item.get_closest_marker("postgres")
    }
    thorough = {item.path for item in items if item.get_closest_marker("thorough")}
    # Stable: within a file nothing moves.
    items.sort(key=lambda item: (item.path not in slow, item.path not in thorough))
