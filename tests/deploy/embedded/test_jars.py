"""Kafka's archives: exactly those of the lock, or none."""

import functools
import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from casebus_deploy.embedded import jars
from casebus_deploy.embedded.jars import JarsUnavailable

COORDINATES = [f"org.example:part{number}:1.{number}" for number in range(8)]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository in Maven's layout on loopback, with a cache of this test's own."""
    root = tmp_path / "repository"
    root.mkdir()
    handler = functools.partial(_Silent, directory=str(root))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("CASEBUS_JAR_REPOSITORY", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("CASEBUS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield root
    server.shutdown()
    server.server_close()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def publish(repository: Path, lock: Path) -> None:
    """Put the eight archives into the repository and their lock beside it."""
    lines = []
    for coordinate in COORDINATES:
        content = f"archive {coordinate}".encode()
        jar = jars.Jar(hashlib.sha256(content).hexdigest(), coordinate)
        file = repository / jar.repository_path
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        lines.append(f"{jar.sha256}  {coordinate}\n")
    lock.write_text("".join(lines))


def test_the_lock_names_all_archives_once() -> None:
    """The lock has 45 archives with distinct names, among them every root."""
    locked = jars.read_lock()
    assert len(locked) == 45
    assert len({jar.file_name for jar in locked}) == 45
    assert set(jars.ROOTS) <= {jar.coordinate for jar in locked}
    kafka = {jar.coordinate.split(":")[2] for jar in locked if jar.coordinate.startswith("org.apache.kafka:")}
    assert kafka == {"4.4.0"}


def test_exactly_the_locked_archives_are_fetched_once(repository: Path, tmp_path: Path) -> None:
    """A first fetch brings every archive of the lock, a second one works without the repository."""
    lock = tmp_path / "lock"
    publish(repository, lock)
    folder = jars.fetch(lock, progress=False)
    assert {file.name for file in folder.iterdir()} == {jar.file_name for jar in jars.read_lock(lock)}
    for file in list(repository.rglob("*.jar")):
        file.unlink()
    assert jars.fetch(lock, progress=False) == folder
    assert [file.name for file in folder.parent.iterdir()] == [folder.name]


def test_an_archive_that_differs_from_the_lock_is_refused(repository: Path, tmp_path: Path) -> None:
    """One changed byte in one archive fails the fetch, and that archive never gets its name."""
    lock = tmp_path / "lock"
    publish(repository, lock)
    jar = jars.read_lock(lock)[3]
    (repository / jar.repository_path).write_bytes(b"Archive org.example:part3:1.3")
    with pytest.raises(JarsUnavailable, match="part3"):
        jars.fetch(lock, progress=False)
    assert jar in jars.missing(lock)


def test_a_missing_archive_is_named(repository: Path, tmp_path: Path) -> None:
    """An archive that the repository does not have is named in the error, quickly."""
    lock = tmp_path / "lock"
    publish(repository, lock)
    (repository / jars.read_lock(lock)[5].repository_path).unlink()
    started = time.monotonic()
    with pytest.raises(JarsUnavailable, match=r"part5-1\.5\.jar.*404"):
        jars.fetch(lock, progress=False)
    assert time.monotonic() - started < 20


def test_no_network_is_a_quick_and_clear_error(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a repository in reach the fetch ends within seconds and says what to do."""
    lock = tmp_path / "lock"
    publish(repository, lock)
    monkeypatch.setenv("CASEBUS_JAR_REPOSITORY", "http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(JarsUnavailable, match="the same command again"):
        jars.fetch(lock, progress=False)
    assert time.monotonic() - started < 20


def test_damage_in_the_cache_is_found(repository: Path, tmp_path: Path) -> None:
    """Bytes that changed in the cache after the fetch are found by the full check."""
    lock = tmp_path / "lock"
    publish(repository, lock)
    folder = jars.fetch(lock, progress=False)
    assert jars.damaged(lock) == ()
    jar = jars.read_lock(lock)[0]
    (folder / jar.file_name).write_bytes(b"other")
    assert jars.damaged(lock) == (jar,)
