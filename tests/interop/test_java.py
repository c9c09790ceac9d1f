"""A Java program on the bus: plain Kafka clients, Avro and the JDK's own cryptography."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from casebus_deploy.embedded import jars
from casebus_deploy.stack.stack import Stack
from support.cases.documented import blocks_of
from support.events.heard import heard
from support.events.verdicts import verdict

SOURCES = Path(__file__).with_name("java")
needs_jdk = pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK (javac) on this machine")


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the program, compiled against Kafka's own archives and Avro's."""
    classes = tmp_path_factory.mktemp("classes")
    kafka = jars.fetch(progress=False)
    avro = jars.fetch(SOURCES / "jars.lock", progress=False)
    path = f"{classes}:{kafka}/*:{avro}/*"
    sources = [str(file) for file in sorted(SOURCES.glob("*.java"))]
    compiled = subprocess.run(
        ["javac", "-Xlint:all", "-Werror", "-proc:none", "-d", str(classes), "-cp", path, *sources],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=off"
    return ["java", "-XX:TieredStopAtLevel=1", quiet, "-cp", path, "BusClient"]


def run(java: list[str], connection: Path, *arguments: str) -> list[dict[str, Any]]:
    """What the program prints, a JSON object a line."""
    env = {**os.environ, "CASEBUS_CONNECTION": str(connection)}
    done = subprocess.run([*java, *arguments], env=env, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.broker
@needs_jdk
def test_an_event_of_java_is_admitted_and_ledgered(
    bus: Stack, connection_file: Path, java: list[str]
) -> None:
    """The router admits what Java signed and put on the partition of its own hash; the digests agree."""
    (said,) = run(java, connection_file, "produce", "csrc", "mps")
    receipts = verdict(bus, "csrc", said["chain"], {"admitted", "ledgered"})
    assert set(receipts) == {"admitted", "ledgered"}
    assert receipts["admitted"]["event"]["digest"] == said["digest"]
    place = {name: said[name] for name in ("topic", "partition", "offset")}
    assert receipts["admitted"]["origin"] == place


@pytest.mark.broker
@needs_jdk
def test_java_reads_and_proves_every_notice(bus: Stack, connection_file: Path, java: list[str]) -> None:
    """Java decodes each notice by the registry's schema and comes to our digest, signature, schema."""
    (said,) = run(java, connection_file, "produce", "csrc", "mps")
    verdict(bus, "csrc", said["chain"], {"admitted"})
    expected = [one | {"to": f"[{', '.join(one['to'])}]"} for one in heard(bus, "mps")]
    told = run(java, connection_file, "consume", "mps")
    assert said["chain"] in {one["chain"] for one in told}
    assert told[: len(expected)] == expected


def test_the_documents_java_is_the_tested_java() -> None:
    """Each Java block of the document stands line by line in the program."""
    blocks = blocks_of("clients.md", "java")
    assert blocks
    sources = [_lines(file.read_text(encoding="utf-8")) for file in SOURCES.glob("*.java")]
    for block in blocks:
        wanted = _lines(block)
        found = any(
            source[at : at + len(wanted)] == wanted for source in sources for at in range(len(source))
        )
        assert found, block


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
