"""The embedded PostgreSQL: separate databases, survival of a crash, nothing left behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from casebus_deploy.embedded.postgres import EmbeddedPostgres

pytestmark = pytest.mark.postgres


@pytest.fixture
def folder() -> Iterator[Path]:
    """A fresh folder that another user may pass through."""
    made = Path(tempfile.mkdtemp(prefix="casebus-postgres-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.parametrize("run", [1, 2])
def test_each_test_has_an_empty_database(postgres_url: str, run: int) -> None:
    """What one test creates another does not see."""
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == []
        connection.execute(text("CREATE TABLE seen (id int)"))
    engine.dispose()


def test_a_wrong_password_does_not_get_in(postgres: EmbeddedPostgres) -> None:
    """A client with a wrong password is refused."""
    secret = postgres.password_file.read_text()
    engine = create_engine(postgres.url.replace(secret, "wrong"))
    with pytest.raises(OperationalError, match="authentication failed"):
        engine.connect()


def test_committed_rows_survive_a_crash(folder: Path) -> None:
    """What was committed is there after the server was killed and started again, at the same address."""
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        engine = create_engine(server.url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE kept (id int)"))
            connection.execute(text("INSERT INTO kept SELECT generate_series(1, 1000)"))
        url = server.url
        server.kill()
        assert server.pid is None
        server.start()
        assert server.url == url
        engine.dispose()
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM kept")).scalar() == 1000
        engine.dispose()
    finally:
        server.stop()


_PARENT = """
import sys, time
from pathlib import Path
from casebus_deploy.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


def test_the_server_dies_with_its_parent(folder: Path) -> None:
    """A parent that is killed with signal 9 leaves no process of the database behind."""
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(folder)], stdout=subprocess.PIPE, env=os.environ.copy()
    )
    assert parent.stdout is not None
    server = psutil.Process(int(parent.stdout.readline()))
    processes = [server, *server.children()]
    assert len(processes) > 1
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 30
    while any(process.is_running() for process in processes):
        assert time.monotonic() < deadline, "still running"
        time.sleep(0.05)
