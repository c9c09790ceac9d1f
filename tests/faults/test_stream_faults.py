"""Crashes around the chunk transport, with a service that writes rows and next offsets in one transaction."""

import json
import logging
import random
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from casebus_deploy.embedded.broker import EmbeddedBroker
from support.reconciler.row_service import Flow, RowService, eventually, new_topics

pytestmark = pytest.mark.broker
log = logging.getLogger(__name__)


@pytest.fixture
def topics(broker_admin: Any) -> list[str]:
    """Two topics of four partitions."""
    return new_topics(broker_admin, 2)


@pytest.fixture
def service(broker: EmbeddedBroker, topics: list[str], tmp_path: Path) -> Iterator[RowService]:
    """A worker that writes rows of both topics; not started."""
    service = RowService(broker, tmp_path, topics)
    yield service
    service.stop()


def kills(service: RowService) -> list[dict[str, Any]]:
    """The kills that the worker logged before they happened."""
    lines = service.fault_log.read_text().splitlines() if service.fault_log.exists() else []
    return [json.loads(line) for line in lines]


def flow_through(
    service: RowService, broker: EmbeddedBroker, topics: list[str], fault: str, count: int, **env: str
) -> int:
    """A flow of 300/s through a supervised worker until it has killed itself so often; the total sent."""
    with Flow(broker, topics, 300) as flow:
        service.supervise(lambda: len(kills(service)) >= count, fault, env)
        total = flow.stop()
    if not service.ended():  # the life after the last kill: let it finish its batch
        service.signal(signal.SIGTERM)
        service.wait()
    return total


def settle(service: RowService, total: int, fault: str = "", **env: str) -> list[int]:
    """Let a supervised worker finish; the values of all rows."""
    service.supervise(partial(service.reached, total), fault, env)
    return service.values()


@pytest.mark.parametrize("point", ["rows.before-commit", "GROUP.before-acknowledge"])
def test_killed_in_full_flow(
    service: RowService, broker: EmbeddedBroker, topics: list[str], point: str
) -> None:
    """Killed three times with work in flight, before and after the commit, each record still is one row."""
    fault = f"{point.replace('GROUP', service.group)}=kill@40x3"
    total = flow_through(service, broker, topics, fault, 3)
    values = settle(service, total)
    for kill in kills(service):
        log.info("killed: %s", kill)
    assert [kill["in_flight"] > 0 for kill in kills(service)] == [True] * 3
    assert values == list(range(total))


def test_acknowledging_early_and_starting_where_kafka_stands_loses_rows(
    service: RowService, broker: EmbeddedBroker, topics: list[str]
) -> None:
    """Without the two safeguards the same kills lose rows: that they are kept is the worker's doing."""
    fault = "rows.before-commit=kill@40x3,ack-before-commit,no-sql-seek"
    total = flow_through(service, broker, topics, fault, 3, ROW_WORKER_GAPS="1")
    service.start("no-sql-seek", {"ROW_WORKER_GAPS": "1"})
    in_flight = sum(kill["in_flight"] for kill in kills(service))
    eventually(partial(service.reached, total - in_flight))
    time.sleep(3.0)  # nothing more may come
    lost = set(range(total)) - set(service.values())
    assert len(lost) == in_flight > 0


def test_starting_where_sql_stands_mends_early_acknowledgement(
    service: RowService, broker: EmbeddedBroker, topics: list[str]
) -> None:
    """With the seek to SQL's offsets nothing is lost even if input was acknowledged too early."""
    fault = "rows.before-commit=kill@40x3,ack-before-commit"
    total = flow_through(service, broker, topics, fault, 3)
    assert settle(service, total) == list(range(total))


def test_the_broker_is_killed_and_comes_back(
    service: RowService, broker: EmbeddedBroker, topics: list[str]
) -> None:
    """While the broker is away the worker waits; then the same process goes on, nothing lost or twice."""
    with Flow(broker, topics, 300) as flow:
        service.start()
        eventually(partial(service.reached, 300))
        pid = service.pid
        broker.kill()
        time.sleep(8.0)  # longer than the session timeout
        broker.start()
        eventually(partial(service.reached, service.count() + 300), 90)
        total = flow.stop()
    eventually(partial(service.reached, total), 90)
    flood = service.log_file.read_text().count("\n")
    assert (service.ended(), service.pid, service.values()) == (False, pid, list(range(total)))
    assert flood < 500, "the log is flooded"


@pytest.mark.faults
def test_twenty_kills_at_any_moment(service: RowService, broker: EmbeddedBroker, topics: list[str]) -> None:
    """Twenty kills -9 at moments of nobody's choosing: each record is one row."""
    choice = random.Random(20)
    with Flow(broker, topics, 300) as flow:
        for _ in range(20):
            service.supervise(partial(service.reached, service.count() + 1))
            time.sleep(choice.uniform(0.0, 2.0))
            service.signal(signal.SIGKILL)
            service.wait()
        total = flow.stop()
    assert settle(service, total) == list(range(total))


@pytest.mark.faults
def test_a_worker_frozen_beyond_its_session(
    service: RowService, broker: EmbeddedBroker, topics: list[str], tmp_path: Path
) -> None:
    """A worker stopped for longer than its session, while another took over, does no harm when it wakes."""
    first, second = {"ROW_WORKER_INSTANCE": "1"}, {"ROW_WORKER_INSTANCE": "2"}
    other = RowService(broker, tmp_path, topics)
    with Flow(broker, topics, 300) as flow:
        service.start(env=first)
        other.start(env=second)
        try:
            eventually(lambda: service.events().count("assigned 4") >= 2)
            service.signal(signal.SIGSTOP)
            # It may hold the database's lock while frozen: the other then ends and is restarted.
            other.supervise(lambda: "assigned 8" in service.events()[-20:], env=second)
            time.sleep(3.0)
            service.signal(signal.SIGCONT)
            other.supervise(partial(service.reached, service.count() + 1500), env=second)
            total = flow.stop()
            service.supervise(partial(service.reached, total), env=first)
        finally:
            other.stop()
    assert service.values() == list(range(total))
