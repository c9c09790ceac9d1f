"""The stream worker on a real broker."""

import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_schemas.wire.records import Outgoing
from casebus_services.exit_codes import EXIT_AGAIN, EXIT_EVIDENCE
from casebus_services.streams.sink import KafkaSink
from support.reconciler.row_service import Flow, RowService, connection, eventually, new_topics, numbered

pytestmark = pytest.mark.broker


@pytest.fixture
def topics(broker_admin: Any) -> list[str]:
    """Two topics of four partitions."""
    return new_topics(broker_admin, 2)


@pytest.fixture
def sink(broker: EmbeddedBroker) -> Iterator[KafkaSink]:
    """A producer."""
    sink = KafkaSink(connection(broker), "test")
    yield sink
    sink.close()


@pytest.fixture
def service(broker: EmbeddedBroker, topics: list[str], tmp_path: Path) -> Iterator[RowService]:
    """A worker that writes rows of both topics; not started."""
    service = RowService(broker, tmp_path, topics)
    yield service
    service.stop()


def everything(count: int) -> list[int]:
    """The values of so many numbered records, each once."""
    return list(range(count))


def test_every_record_is_handled_once_and_committed(
    service: RowService, sink: KafkaSink, topics: list[str], broker_admin: Any
) -> None:
    """Each record is one row, and the group's committed offsets reach the end of every partition."""
    sink.send_all(numbered(topics, 0, 800))
    service.start()
    eventually(lambda: service.count() == 800)
    service.signal(signal.SIGTERM)
    assert (service.wait(), service.values()) == (0, everything(800))
    offsets = broker_admin.list_group_offsets(service.group)
    assert sorted(offset.offset for offset in _committed(offsets, service.group)) == [100] * 8


def _committed(offsets: Any, group: str) -> list[Any]:
    # kafka-python answers {partition: offset} or, for several groups, {group: {partition: offset}}
    return list(offsets.get(group, offsets).values())


def test_sigterm_in_full_flow_loses_and_repeats_nothing(
    service: RowService, broker: EmbeddedBroker, topics: list[str]
) -> None:
    """Stopped by SIGTERM while records stream in, the worker finishes its work, and the next one goes on."""
    with Flow(broker, topics, 1000) as flow:
        for _ in range(3):
            goal = service.count() + 200
            service.start()
            eventually(partial(service.reached, goal))
            service.signal(signal.SIGTERM)
            assert service.wait(15) == 0
        total = flow.stop()
    service.start()
    eventually(lambda: service.count() >= total)
    assert service.values() == everything(total)
    assert service.query("SELECT * FROM repeat") == []


def test_an_older_database_is_filled_up_again(
    service: RowService, sink: KafkaSink, topics: list[str]
) -> None:
    """If the database was set back to an earlier state, the missing records are read again."""
    sink.send_all(numbered(topics, 0, 400))
    service.start()
    eventually(lambda: service.count() == 400)
    service.signal(signal.SIGTERM)
    assert service.wait() == 0
    _set_back(service, to=10)
    service.start()
    eventually(lambda: service.count() == 400)
    assert service.values() == everything(400)


def _set_back(service: RowService, to: int) -> None:
    import sqlite3

    with sqlite3.connect(service.database) as db:
        db.execute('DELETE FROM row WHERE "offset" >= ?', (to,))
        db.execute("UPDATE next_offset SET next = ?", (to,))
    db.close()


def test_odd_header_names_are_delivered_and_block_nothing(
    service: RowService, sink: KafkaSink, topics: list[str]
) -> None:
    """Records whose header names are not UTF-8 arrive with every byte, and so do those around them."""
    name = b"\xff\xc3(".decode("utf-8", "surrogateescape")
    headers = (("ce_id", b"1"), (name, b"\x00"), (name, None))
    for start in range(0, 80, 16):
        sink.send_all(numbered(topics, start, 8))
        sink.send_all(numbered(topics, start + 8, 8, headers))
    service.start()
    eventually(lambda: service.count() == 80)
    odd = service.query(f"SELECT count(*) FROM row WHERE headers = '{_quoted(repr(headers))}'")
    assert (service.values(), odd) == (everything(80), [(40,)])


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def test_an_error_ends_the_process_with_nothing_acknowledged(
    service: RowService, sink: KafkaSink, topics: list[str]
) -> None:
    """A handler that raises ends the process with exit code 75; the next process handles the same records."""
    sink.send_all(numbered(topics, 0, 80))
    service.start("rows.before-commit=raise@1")
    assert service.wait() == EXIT_AGAIN
    assert service.count() == 0
    service.start()
    eventually(lambda: service.count() == 80)
    assert service.values() == everything(80)


def test_evidence_at_risk_has_an_exit_code_of_its_own(
    service: RowService, sink: KafkaSink, topics: list[str]
) -> None:
    """StopService (here a gap, because SQL's offset is set wrong) ends the process with exit code 70."""
    sink.send_all(numbered(topics, 0, 80))
    service.start()
    eventually(lambda: service.count() == 80)
    service.signal(signal.SIGTERM)
    assert service.wait() == 0
    _set_back(service, to=3)
    sink.send_all(numbered(topics, 80, 8))
    service.start("no-sql-seek")
    assert service.wait() == EXIT_EVIDENCE


@pytest.mark.parametrize(("fault", "ends"), [("", True), (",no-watchdog", False)])
def test_a_hanging_handler_does_not_hold_up_sigterm_for_ever(
    service: RowService, sink: KafkaSink, topics: list[str], fault: str, ends: bool
) -> None:
    """SIGTERM ends the process within the drain time even if work hangs; without the watchdog it does not."""
    sink.send_all(numbered(topics, 0, 80))
    service.start("rows.before-commit=sleep:60" + fault, {"ROW_WORKER_DRAIN_S": "1"})
    eventually(lambda: any(event.startswith("assigned") for event in service.events()))
    time.sleep(1.0)  # the handler is asleep well before its 60 s are over
    service.signal(signal.SIGTERM)
    if ends:
        assert service.wait(10) == EXIT_AGAIN
    else:
        time.sleep(4.0)  # four times the drain time
        assert not service.ended()


def test_sigterm_does_not_wait_for_a_backlog(service: RowService, sink: KafkaSink, topics: list[str]) -> None:
    """With much fetched and slow work, SIGTERM waits for the batch at hand only, and nothing is lost."""
    sink.send_all(numbered(topics, 0, 80_000))
    service.start("rows.before-commit=sleep:1", {"ROW_WORKER_DRAIN_S": "30"})
    eventually(lambda: service.count() > 0)
    begin = time.monotonic()
    service.signal(signal.SIGTERM)
    assert service.wait() == 0
    assert time.monotonic() - begin < 5.0
    assert service.count() < 80_000
    service.start()
    eventually(lambda: service.count() == 80_000)
    assert service.values() == everything(80_000)


def test_hooks_and_ticks(service: RowService) -> None:
    """A worker is told of its partitions, ticks while it has them, and lets them go when it stops."""
    service.start()
    eventually(lambda: "tick 8" in service.events())
    service.signal(signal.SIGTERM)
    assert service.wait() == 0
    events = service.events()
    assert (events[0], set(events[1:-1]), events[-1]) == ("assigned 8", {"tick 8"}, "revoked 8")


def test_two_workers_share_and_one_takes_over(
    broker: EmbeddedBroker, service: RowService, topics: list[str], tmp_path: Path
) -> None:
    """Two workers make one row of each record; when one is killed the other takes over its partitions."""
    with Flow(broker, topics, 500) as flow:
        service.start(env={"ROW_WORKER_INSTANCE": "1"})
        eventually(lambda: "assigned 8" in service.events())
        other = RowService(broker, tmp_path, topics)
        other.start(env={"ROW_WORKER_INSTANCE": "2"})
        try:
            eventually(lambda: service.events().count("assigned 4") >= 2)
            eventually(partial(service.reached, service.count() + 200))
            other.signal(signal.SIGKILL)
            other.wait()
            eventually(lambda: service.events()[-1] == "tick 8", 90)
            total = flow.stop()
            eventually(lambda: service.count() >= total)
        finally:
            other.stop()
    assert service.values() == everything(total)


def test_records_of_one_partition_come_in_order(
    service: RowService, sink: KafkaSink, topics: list[str]
) -> None:
    """Rows of a partition are written in offset order, without a gap."""
    sink.send_all([Outgoing(topics[0], 0, b"k", b"%08d" % number, ()) for number in range(5000)])
    service.start()
    eventually(lambda: service.count() == 5000)
    rows = service.query('SELECT "offset", value FROM row ORDER BY rowid')
    assert rows == [(number, b"%08d" % number) for number in range(5000)]


def test_a_missing_topic_is_not_passed_over(
    broker: EmbeddedBroker, topics: list[str], tmp_path: Path
) -> None:
    """A worker that cannot see one of its topics ends with exit code 75 and names it."""
    service = RowService(broker, tmp_path, [*topics, "no-such-topic"])
    service.start()
    assert service.wait() == EXIT_AGAIN
    assert "no-such-topic" in service.log_file.read_text()


def test_a_foreign_group_is_not_an_endless_silence(
    broker: EmbeddedBroker, broker_admin: Any, topics: list[str], tmp_path: Path
) -> None:
    """A worker that may read the topics but not use its group ends with exit code 75 and says so."""
    from kafka.admin import (
        ACL,
        ACLOperation,
        ACLPermissionType,
        ResourcePattern,
        ResourceType,
        ScramMechanism,
        UserScramCredentialUpsertion,
    )

    user, password_file = topics[0] + "-user", tmp_path / "password"
    password_file.write_text("a password")
    broker_admin.alter_user_scram_credentials(
        [UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, "a password", 4096)]
    )
    broker_admin.create_acls(
        [
            ACL(
                f"User:{user}",
                "*",
                ACLOperation.READ,
                ACLPermissionType.ALLOW,
                ResourcePattern(ResourceType.TOPIC, topic),
            )
            for topic in topics
        ]
    )
    eventually(lambda: len(_acls_of(broker_admin, user)) >= len(topics))
    service = RowService(broker, tmp_path, topics, (user, password_file))
    service.start()
    assert service.wait() == EXIT_AGAIN
    assert "GroupAuthorizationFailed" in service.log_file.read_text()


def _acls_of(admin: Any, user: str) -> list[Any]:
    from kafka.admin import (
        ACLFilter,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        ResourcePatternFilter,
        ResourceType,
    )

    everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    wanted = ACLFilter(f"User:{user}", None, ACLOperation.ANY, ACLPermissionType.ANY, everything)
    acls, _ = admin.describe_acls(wanted)
    return list(acls)
