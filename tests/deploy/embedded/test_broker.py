"""The embedded broker: who gets in, what survives, what is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic, ScramMechanism, UserScramCredentialUpsertion
from kafka.errors import KafkaError, TopicAuthorizationFailedError

from casebus_deploy.embedded.broker import BrokerUnavailable, EmbeddedBroker

pytestmark = pytest.mark.broker


def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait for a condition, at most `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def test_a_wrong_password_does_not_get_in(broker: EmbeddedBroker) -> None:
    """A client with a wrong password is refused."""
    wrong = broker.admin_settings() | {"sasl_plain_password": "wrong"}
    with pytest.raises(KafkaError):
        KafkaAdminClient(**wrong, bootstrap_timeout_ms=3_000)


def test_everything_is_denied_without_an_acl(broker: EmbeddedBroker, broker_admin: Any) -> None:
    """A known principal without any ACL can write nothing, and the refusal is in the log of denials."""
    broker_admin.create_topics([NewTopic("denied", 1, 1)])
    broker_admin.alter_user_scram_credentials(
        [UserScramCredentialUpsertion("nobody", ScramMechanism.SCRAM_SHA_512, b"pw", 4096)]
    )
    settings = broker.admin_settings() | {"sasl_plain_username": "nobody", "sasl_plain_password": "pw"}
    producer = KafkaProducer(**settings, max_block_ms=20_000)
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            producer.send("denied", b"x").get(20)
    finally:
        producer.close(timeout=1)
    until(lambda: "User:nobody" in (broker.log_dir / "denials.log").read_text())


def test_acknowledged_records_survive_signal_9(broker: EmbeddedBroker, broker_admin: Any) -> None:
    """What the broker acknowledged is still there, at the same address, after a kill and a start."""
    broker_admin.create_topics([NewTopic("survivor", 1, 1)])
    address = broker.bootstrap_servers
    producer = KafkaProducer(**broker.admin_settings())
    sent = [f"record {n}".encode() for n in range(200)]
    futures = [producer.send("survivor", value) for value in sent]
    for future in futures:
        future.get(30)
    producer.close(timeout=5)
    broker.kill()
    assert broker.pid is None
    broker.start()
    assert broker.bootstrap_servers == address
    consumer = KafkaConsumer(
        "survivor", **broker.admin_settings(), auto_offset_reset="earliest", consumer_timeout_ms=20_000
    )
    read: list[bytes] = []
    for record in consumer:
        read.append(record.value)
        if len(read) == len(sent):
            break
    consumer.close()
    assert read == sent


def test_secrets_are_readable_by_the_owner_only(broker: EmbeddedBroker) -> None:
    """Passwords and the configuration that holds them are closed to other users."""
    assert broker.data_dir.stat().st_mode & 0o077 == 0
    for name in ("admin.password", "node.password", "server.properties"):
        assert (broker.data_dir / name).stat().st_mode & 0o777 == 0o600


def test_a_second_broker_on_the_same_folder_is_refused(broker: EmbeddedBroker) -> None:
    """Two brokers never share a data folder."""
    with pytest.raises(BrokerUnavailable, match="already runs"):
        EmbeddedBroker(broker.data_dir).start()


_PARENT = """
import sys, time
from pathlib import Path
from casebus_deploy.embedded.broker import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]))
broker.start()
print(broker.pid, flush=True)
time.sleep(600)
"""


def test_the_broker_dies_with_its_parent(tmp_path: Path) -> None:
    """A parent that is killed with signal 9 leaves no broker behind, and the data can be started again."""
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path)], stdout=subprocess.PIPE, env=os.environ.copy()
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: not psutil.pid_exists(pid))
    with EmbeddedBroker(tmp_path) as broker:
        assert broker.running
    assert not (tmp_path / "kafka.pid").exists()
