"""The chunk driver against Faust as its handbook shows it and a bare aiokafka loop, in one run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_services.streams.sink import KafkaSink
from support.row_service import connection, new_topics, numbered

pytestmark = [pytest.mark.broker, pytest.mark.bench]

COUNT = 240_000
HEADERS = tuple((f"ce_header{number}", b"x" * 30) for number in range(12))


def measured(
    way: str, broker: EmbeddedBroker, folder: Path, topics: list[str], count: int
) -> dict[str, float]:
    """Records per second and microseconds of processor time for each record."""
    command = [
        sys.executable,
        str(Path(__file__).with_name("consume.py")),
        way,
        broker.bootstrap_servers,
        broker.admin_username,
        str(broker.admin_password_file),
        str(folder),
        f"bench-{way}",
        str(count),
        *topics,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr[-2000:]
    figures: dict[str, float] = json.loads(lines[0])
    return figures


def test_chunks_against_single_records(broker: EmbeddedBroker, broker_admin: Any, tmp_path: Path) -> None:
    """To a trivial sink chunks are 5 times as fast as take(1000) or more, at an eighth of its processor time.

    And they cost less than twice a bare loop. Processor time is what a busy machine does not distort.
    """
    topics = new_topics(broker_admin, 9)
    sink = KafkaSink(connection(broker), "bench")
    for start in range(0, COUNT, 20_000):
        sink.send_all(numbered(topics, start, 20_000, HEADERS))
    sink.close()
    figures = {
        "raw": measured("raw", broker, tmp_path, topics, COUNT),
        "chunk": measured("chunk", broker, tmp_path, topics, COUNT),
        "take": measured("take", broker, tmp_path, topics, COUNT // 4),
    }
    for way, values in figures.items():
        print(f"{way:6} {values['per_s']:>9,.0f} records/s {values['cpu_us']:>6.1f} us CPU each")
    against_take = figures["chunk"]["per_s"] / figures["take"]["per_s"]
    against_raw = figures["chunk"]["per_s"] / figures["raw"]["per_s"]
    print(f"chunk is {against_take:.1f} x take(1000) and {against_raw:.2f} x a bare aiokafka loop")
    assert against_take >= 5
    assert figures["take"]["cpu_us"] >= 8 * figures["chunk"]["cpu_us"]
    assert figures["chunk"]["cpu_us"] <= 2 * figures["raw"]["cpu_us"]
