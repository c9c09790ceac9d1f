"""The Java archives of the embedded Kafka: locked by SHA-256, fetched once, verified before use.

`jars.lock` (45 lines `sha256  group:artifact:version`) is the whole truth of what runs. `fetch` brings
exactly these files; `write_lock` (maintainers: `make lock ARGS=--jars`) resolves them anew from
the three roots. Where the archives come from is jgo's default; `CASEBUS_JAR_REPOSITORY` names a mirror of the
Maven layout instead.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from casebus_producers.screen import say
from casebus_schemas.errors import BusError

if TYPE_CHECKING:
    import requests

ROOTS = (
    "org.apache.kafka:kafka_2.13:4.4.0",
    # Kafka's POM names no logging backend; without these two the broker is mute.
    "org.apache.logging.log4j:log4j-core:2.25.2",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.2",
)
LOCK_FILE = Path(__file__).with_name("jars.lock")
CONCURRENCY = 6
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
FETCH_TIMEOUT_S = 600.0
_TRIES = 3


class JarsUnavailable(BusError):
    """The archives of Kafka are neither in the cache nor to be had now."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked archive."""

    sha256: str
    coordinate: str  # group:artifact:version

    @property
    def file_name(self) -> str:
        """`artifact-version.jar`, unique within the lock."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"

    @property
    def repository_path(self) -> str:
        """The path below the root of a repository in Maven's layout."""
        group, artifact, version = self.coordinate.split(":")
        return f"{group.replace('.', '/')}/{artifact}/{version}/{self.file_name}"


def cache_dir() -> Path:
    """The folder for what is fetched once: `CASEBUS_CACHE`, else `~/.cache/casebus`."""
    named = os.environ.get("CASEBUS_CACHE")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "casebus"


def read_lock(lock_file: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The locked archives in the order of the file.

    Raises JarsUnavailable if a line is not `sha256  group:artifact:version`.
    """
    jars = []
    for number, line in enumerate(lock_file.read_text(encoding="utf-8").splitlines(), 1):
        digest, _, coordinate = line.partition("  ")
        if len(digest) != 64 or coordinate.count(":") != 2:
            raise JarsUnavailable(
                f"{lock_file.name} line {number} cannot be read",
                found=line,
                expected="sha256  group:artifact:version",
                remedy="restore the file from the repository",
            )
        jars.append(Jar(digest, coordinate))
    return tuple(jars)


def jar_dir(lock_file: Path = LOCK_FILE) -> Path:
    """The folder of the archives of this lock; another lock has another folder, so old and new never mix."""
    return cache_dir() / "jars" / hashlib.sha256(lock_file.read_bytes()).hexdigest()[:16]


def missing(lock_file: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The locked archives not in the cache.

    A file gets its name only after it was verified, so a name is enough.
    """
    folder = jar_dir(lock_file)
    present = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
    return tuple(jar for jar in read_lock(lock_file) if jar.file_name not in present)


def damaged(lock_file: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The cached archives whose bytes are no longer those of the lock (a slow, whole reading.

    For `doctor`).
    """
    folder = jar_dir(lock_file)
    return tuple(
        jar
        for jar in read_lock(lock_file)
        if (folder / jar.file_name).is_file()
        and hashlib.sha256((folder / jar.file_name).read_bytes()).hexdigest() != jar.sha256
    )


def fetch(lock_file: Path = LOCK_FILE, *, progress: bool = True) -> Path:
    """Make all locked archives present; return their folder. Idempotent; two processes may do it at once.

    Blocking: a moment when all are there, some 12 s on a good line when none is, at most FETCH_TIMEOUT_S.
    Raises JarsUnavailable if one cannot be fetched in time or is not what the lock says; what was verified
    stays.
    """
    folder = jar_dir(lock_file)
    wanted = missing(lock_file)
    if not wanted:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + FETCH_TIMEOUT_S
    # Beside the target, so that os.replace never crosses a file system.
    with (
        tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as scratch,
        _progress(len(wanted), shown=progress) as advance,
        _session() as session,
    ):
        pool = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="jars")
        try:
            futures = [
                pool.submit(_fetch_one, session, jar, Path(scratch), folder, deadline, advance)
                for jar in wanted
            ]
            _first_failure(futures)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return folder


def _first_failure(futures: Sequence[Future[None]]) -> None:
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()


def _fetch_one(
    session: requests.Session,
    jar: Jar,
    scratch: Path,
    folder: Path,
    deadline: float,
    advance: Callable[[], None],
) -> None:
    part = scratch / jar.file_name
    found = _download(session, jar.repository_path, part, deadline)
    if found != jar.sha256:
        raise JarsUnavailable(
            f"{jar.coordinate} is not the archive of the lock and was thrown away",
            found=f"sha256 {found}",
            expected=f"sha256 {jar.sha256}",
            remedy="do not use this source: another mirror, or ask a maintainer whether the lock is right",
        )
    part.replace(folder / jar.file_name)
    advance()


def _download(session: requests.Session, path: str, target: Path, deadline: float) -> str:
    """Stream one file of the repository to `target`; return its SHA-256 in hex. Tries three times."""
    import requests

    problem = ""
    for attempt in range(1, _TRIES + 1):
        digest = hashlib.sha256()
        try:
            with (
                session.get(
                    f"{_repository()}/{path}", stream=True, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
                ) as response,
                target.open("wb") as out,
            ):
                response.raise_for_status()
                for chunk in response.iter_content(1 << 16):
                    if time.monotonic() > deadline:
                        raise requests.Timeout(f"not finished after {FETCH_TIMEOUT_S:.0f} s")
                    digest.update(chunk)
                    out.write(chunk)
            return digest.hexdigest()
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            problem = f"the repository answers {status}"
            if status < 500 and status != 429:
                break
        except requests.ConnectionError as error:
            # No name, no route, refused, or a black hole: a second try would only double the wait.
            problem = f"no connection ({type(error).__name__})"
            break
        except requests.RequestException as error:
            problem = f"{type(error).__name__}: broken off"
        if time.monotonic() > deadline:
            break
        time.sleep(0.5 * attempt)
    raise JarsUnavailable(
        f"cannot fetch {path.rsplit('/', 1)[-1]}",
        found=problem,
        expected="the package registry for Java archives within reach, once",
        remedy="check network, proxy (HTTPS_PROXY) and certificates (REQUESTS_CA_BUNDLE), or set "
        "CASEBUS_JAR_REPOSITORY to a mirror, then run the same command again",
    )


def _repository() -> str:
    from jgo.constants import MAVEN_CENTRAL_URL

    return os.environ.get("CASEBUS_JAR_REPOSITORY", str(MAVEN_CENTRAL_URL)).rstrip("/")


def _session() -> requests.Session:
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    # requests itself reads REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE; the name OpenSSL uses is honoured last.
    named = os.environ.get("SSL_CERT_FILE")
    if named and not os.environ.get("REQUESTS_CA_BUNDLE") and not os.environ.get("CURL_CA_BUNDLE"):
        session.verify = named
    session.mount("https://", HTTPAdapter(pool_maxsize=CONCURRENCY))
    return session


@contextmanager
def _progress(total: int, *, shown: bool) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, a plain line every ten archives elsewhere.

    On standard error, so that JSON stays clean.
    """
    if not shown:
        yield lambda: None
        return
    if not sys.stderr.isatty():
        done = 0

        def line() -> None:
            nonlocal done
            done += 1
            if done % 10 == 0 or done == total:
                say(f"Kafka archives {done}/{total}", err=True)

        yield line
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from casebus_consumers.panels import Screen

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Screen(stderr=True)) as bar:
        task = bar.add_task("Kafka archives", total=total)
        yield lambda: bar.advance(task)


def write_lock(lock_file: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """Maintainers: resolve ROOTS anew and write the lock.

    Each archive is compared with the registry's own SHA-1.
    """
    coordinates = _resolve()
    deadline = time.monotonic() + FETCH_TIMEOUT_S
    jars = []
    with tempfile.TemporaryDirectory(prefix="casebus-lock-") as scratch, _session() as session:
        for coordinate in coordinates:
            unlocked = Jar("", coordinate)
            part = Path(scratch) / unlocked.file_name
            digest = _download(session, unlocked.repository_path, part, deadline)
            stated = Path(scratch) / "sha1"
            _download(session, unlocked.repository_path + ".sha1", stated, deadline)
            expected = stated.read_text(encoding="ascii").split()[0]
            found = hashlib.sha1(part.read_bytes(), usedforsecurity=False).hexdigest()
            if found != expected:
                raise JarsUnavailable(f"{coordinate} was damaged on its way", found=found, expected=expected)
            jars.append(Jar(digest, coordinate))
    lock_file.write_text("".join(f"{jar.sha256}  {jar.coordinate}\n" for jar in jars), encoding="utf-8")
    return tuple(jars)


def _resolve() -> list[str]:
    from jgo.maven import MavenContext

    # A cache of its own: jgo's downloads are not atomic, so a shared one may hold broken files.
    with tempfile.TemporaryDirectory(prefix="casebus-resolve-") as scratch:
        maven = MavenContext(repo_cache=Path(scratch))
        # "!" = raw. Without it jgo takes every root as a bill of materials and silently picks kafka-clients
        # 3.9.1.
        roots = [maven.create_dependency(f"{root}!") for root in ROOTS]
        inputs, transitive = maven.resolver.resolve(roots)
        return sorted({f"{d.groupId}:{d.artifactId}:{d.version}" for d in (*inputs, *transitive)})


if __name__ == "__main__":
    if sys.argv[1:] == ["lock"]:
        say(f"{len(write_lock())} archives locked")
    elif sys.argv[1:] == ["fetch"]:
        try:
            say(str(fetch()))
        except BusError as error:
            say(f"casebus: {error}", err=True)
            sys.exit(1)
    else:
        sys.exit("usage: python -m casebus_deploy.embedded.jars lock|fetch")
