"""The chunk driver against Faust as its handbook shows it and a bare aiokafka loop, in one run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.figures import Figure
from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_services.streams.sink import KafkaSink
from support.reconciler.row_service import connection, new_topics, numbered

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


def test_chunks_against_single_records(
    broker: EmbeddedBroker, broker_admin: Any, tmp_path: Path, figure: Figure
) -> None:
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
        figure(way, values["per_s"], "records/s")
        figure(f"{way}, processor time", values["cpu_us"], "us each")
    chunk, take, raw = (figures[way] for way in ("chunk", "take", "raw"))
    figure("chunk against take(1000)", chunk["per_s"] / take["per_s"], "x", at_least=5)
    figure("chunk against a bare aiokafka loop", chunk["per_s"] / raw["per_s"], "x")
    figure("take(1000) against chunk, processor time", take["cpu_us"] / chunk["cpu_us"], "x", at_least=8)
    figure("chunk against the bare loop, processor time", chunk["cpu_us"] / raw["cpu_us"], "x", at_most=2)
