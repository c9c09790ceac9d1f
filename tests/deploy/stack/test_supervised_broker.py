"""The broker below a supervisor: killed, it is back at its address with all that it acknowledged."""

import signal
import time
from pathlib import Path

import psutil
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from casebus_deploy.embedded.broker import NAME, EmbeddedBroker
from casebus_deploy.stack.supervisor import Supervisor

pytestmark = pytest.mark.broker


def test_a5_e11_a_killed_broker_is_started_again(tmp_path: Path) -> None:
    """After signal 9 another process serves the same clients, and nothing acknowledged is lost."""
    broker = EmbeddedBroker(tmp_path / "broker")
    with Supervisor([], state_file=tmp_path / "state.json") as supervisor:
        supervisor.run(broker.prepare())
        kept = supervisor[NAME]
        broker.wait_until_ready(lambda: kept.state().restarts == 0)
        admin = KafkaAdminClient(**broker.admin_settings())
        admin.create_topics([NewTopic("kept", 1, 1)])
        admin.close()
        producer = KafkaProducer(**broker.admin_settings(), acks="all", delivery_timeout_ms=120_000)
        producer.send("kept", b"before").get(30)
        first = int(broker.pid_file.read_text())
        assert first == kept.signal(signal.SIGKILL)
        deadline = time.monotonic() + 60
        while kept.state().restarts == 0 or kept.pid is None:
            assert time.monotonic() < deadline, "the broker was not started again"
            time.sleep(0.05)
        producer.send("kept", b"after").get(120)
        producer.close(5)
        second = int(broker.pid_file.read_text())
        assert second == kept.pid != first
        assert kept.state().last_exit == -signal.SIGKILL
        consumer = KafkaConsumer(
            "kept", **broker.admin_settings(), auto_offset_reset="earliest", consumer_timeout_ms=20_000
        )
        assert [next(consumer).value, next(consumer).value] == [b"before", b"after"]
        consumer.close()
    assert not broker.pid_file.exists()
    assert not psutil.pid_exists(second)
