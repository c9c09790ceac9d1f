"""The publisher loses nothing and keeps order on a real Kafka that stops, freezes and dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_producers.config import AgencySettings
from casebus_producers.faults import PublisherFaults
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.publisher import Publisher
from casebus_schemas.wire.headers import EventHeaders, digest_of
from casebus_schemas.wire.records import Record
from support.cases.members import outbox_of, ready, settings_of

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

Reader = Callable[..., list[Record]]


@pytest.fixture
def settings(connection: Path, request: pytest.FixtureRequest) -> AgencySettings:
    """The regulator's settings, with an outbox named after the test: a stream of its own in shared topics."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**9}"
    return settings_of(
        connection,
        "csrc",
        instance=name,
        stall_s=4.0,
        request_timeout_ms=4_000,
        delivery_timeout_ms=3_600_000,
    )


@pytest.fixture
def outbox(settings: AgencySettings) -> Iterator[Outbox]:
    """The outbox of these settings."""
    opened = outbox_of(settings)
    yield opened
    opened.close()


@pytest.fixture
def frozen(broker: EmbeddedBroker) -> Iterator[Callable[[], None]]:
    """Freezes the broker when called; it runs again after the test at the latest."""
    assert broker.pid is not None
    process = psutil.Process(broker.pid)
    yield process.suspend
    process.resume()


def publish_all(publisher: Publisher, outbox: Outbox, timeout_s: float = 90.0) -> None:
    """Waits until nothing waits."""
    rows = [row.position for row in outbox.pending(0, 1_000_000, 1 << 40)]
    for at in range(0, len(rows), 500):
        assert publisher.wait_sent(rows[at : at + 500], timeout_s)


def in_flight(publisher: Publisher) -> int:
    """How many records Kafka has not acknowledged."""
    return publisher.state().in_flight


def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Polls until the condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


def assert_first_copies_in_order(records: list[Record], count: int) -> int:
    """Every stream's first copies run 1, 2, 3 … and all `count` events are there; returns the repeats."""
    seen: dict[bytes, None] = {}
    streams: dict[tuple[str, int], list[int]] = {}
    for record in records:
        digest = digest_of(record)
        if digest in seen:
            continue
        seen[digest] = None
        headers = EventHeaders.parse(record.headers)
        streams.setdefault((headers.producer, record.partition), []).append(headers.seq)
    for numbers in streams.values():
        assert numbers == list(range(1, len(numbers) + 1))
    assert len(seen) == count
    return len(records) - count


def test_events_arrive_once_and_in_order(outbox: Outbox, settings: AgencySettings, read_back: Reader) -> None:
    """In calm weather every event is in Kafka exactly once, in its stream's order, at the noted offset."""
    with Publisher(outbox, settings).running() as publisher:
        queued = [outbox.enqueue([ready(number, chain=number % 7)])[0] for number in range(300)]
        publish_all(publisher, outbox)
    records = read_back("csrc.referral", outbox.producer)
    assert assert_first_copies_in_order(records, 300) == 0
    rows = outbox.rows([one.position for one in queued])
    noted = {(row.digest, row.partition, row.offset) for row in rows}
    assert {(digest_of(record), record.partition, record.offset) for record in records} == noted


def test_a_topic_of_another_agency_is_refused_and_said(connection: Path, tmp_path: Path) -> None:
    """Publishing to a topic that the login may not write leaves the rows waiting and says why."""
    mine = settings_of(connection, "mps")
    outbox = Outbox(tmp_path / "wrong.db", agency="spp", key=mine.signing_key(), partitions=4)
    outbox.enqueue([ready(1)])
    with Publisher(outbox, mine).running() as publisher:
        until(lambda: publisher.state().refused)
        assert "TopicAuthorizationFailed" in (publisher.state().error or "")
    assert outbox.status().pending == 1
    outbox.close()


def test_a_broker_away_delays_and_loses_nothing(
    mortal_broker: EmbeddedBroker, outbox: Outbox, settings: AgencySettings, read_back: Reader
) -> None:
    """A broker killed mid-flow and back later: all events, first copies in order."""
    publisher = Publisher(outbox, settings)
    with publisher.running():
        flow = threading.Thread(target=_flow, args=(outbox, publisher, 600, 0.003))
        flow.start()
        until(lambda: outbox.status().sent > 100)
        until(lambda: in_flight(publisher) > 0)
        print(f"killing the broker, {in_flight(publisher)} records in flight")
        mortal_broker.kill()
        flow.join()
        until(lambda: outbox.status().pending > 50)
        time.sleep(6)  # longer than the watchdog's patience: it must survive building producers in vain
        mortal_broker.start()
        publish_all(publisher, outbox)
    assert_first_copies_in_order(read_back("csrc.referral", outbox.producer), 600)


def test_a_broker_absent_at_the_start_is_waited_for(
    mortal_broker: EmbeddedBroker, outbox: Outbox, settings: AgencySettings, read_back: Reader
) -> None:
    """Events queued while there is no broker go out when it comes."""
    mortal_broker.stop()
    outbox.enqueue([ready(number) for number in range(10)])
    publisher = Publisher(outbox, settings)
    with publisher.running():
        until(lambda: publisher.state().error is not None)
        mortal_broker.start()
        publish_all(publisher, outbox)
    assert_first_copies_in_order(read_back("csrc.referral", outbox.producer), 10)


@pytest.mark.parametrize("watchdog", [True, False], ids=["watchdog", "no-watchdog"])
def test_a_hanging_producer_is_replaced(
    broker: EmbeddedBroker,
    outbox: Outbox,
    settings: AgencySettings,
    read_back: Reader,
    frozen: Callable[[], None],
    watchdog: bool,
) -> None:
    """A producer that hangs after a batch expired is replaced and all goes out; without watchdog it stays."""
    assert broker.pid is not None
    short = replace(settings, delivery_timeout_ms=5_000, request_timeout_ms=3_000)
    publisher = Publisher(outbox, short, faults=PublisherFaults(watchdog=watchdog))
    publisher.start()
    outbox.enqueue([ready(0)])
    publish_all(publisher, outbox)
    until(lambda: publisher.state().error is None)
    frozen()
    # At once: on a slow disk one by one takes longer than the producer's patience.
    outbox.enqueue([ready(number, chain=number % 7) for number in range(1, 400)])
    publisher.wake()
    until(lambda: in_flight(publisher) > 0)
    if watchdog:
        until(lambda: publisher.state().error is not None)  # it has given the producer up
    else:
        time.sleep(10)  # past the delivery timeout and any patience
    print(f"the broker runs again, {in_flight(publisher)} records in flight, {publisher.state()}")
    psutil.Process(broker.pid).resume()
    rows = [row.position for row in outbox.pending(0, 1_000, 1 << 30)]
    assert publisher.wait_sent(rows, 60.0 if watchdog else 12.0) is watchdog
    publisher.stop()
    if watchdog:
        assert publisher.state().producers > 1
        assert_first_copies_in_order(read_back("csrc.referral", outbox.producer), 400)


def test_killed_between_acknowledgement_and_sent_repeats_only_equal_bytes(
    connection: Path, outbox: Outbox, settings: AgencySettings, read_back: Reader, tmp_path: Path
) -> None:
    """A publisher killed after Kafka's acknowledgement sends again on restart: equal digests, none lost."""
    outbox.enqueue([ready(number, chain=number % 7) for number in range(200)])
    log = tmp_path / "kills.jsonl"
    for passing in (1, 2):
        environment = {
            **os.environ,
            "CASEBUS_FAULT": f"publisher.after-ack=kill@{passing}",
            "CASEBUS_FAULT_LOG": str(log),
        }
        killed = subprocess.run(
            [
                sys.executable,
                "-c",
                _RELAY,
                str(connection),
                settings.instance,
                str(Path(__file__).parents[1]),
            ],
            env=environment,
            timeout=120,
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
    print(log.read_text())
    with Publisher(outbox, settings).running() as publisher:
        publish_all(publisher, outbox)
    repeats = assert_first_copies_in_order(read_back("csrc.referral", outbox.producer), 200)
    assert repeats > 0


def test_memory_is_bounded_while_the_broker_is_frozen(
    broker: EmbeddedBroker, outbox: Outbox, settings: AgencySettings, frozen: Callable[[], None]
) -> None:
    """With 100 MB waiting and a frozen broker no more than the window is held in memory."""
    publisher = Publisher(outbox, replace(settings, stall_s=3.0))
    with publisher.running():
        outbox.enqueue([ready(0)])
        publish_all(publisher, outbox)
        frozen()
        for start in range(1, 1001, 100):
            outbox.enqueue([ready(number, body=os.urandom(100_000)) for number in range(start, start + 100)])
        publisher.wake()
        before = psutil.Process().memory_info().rss
        most = 0
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline:
            most = max(most, psutil.Process().memory_info().rss)
            assert publisher.state().in_flight_bytes <= settings.window_bytes
            time.sleep(0.05)
        assert most - before < 60_000_000
        assert broker.pid is not None
        psutil.Process(broker.pid).resume()
        publish_all(publisher, outbox)


def test_two_publishers_of_one_outbox_take_turns(
    outbox: Outbox, settings: AgencySettings, read_back: Reader
) -> None:
    """While one relays the other waits; when it ends the other takes over. Nothing is sent twice."""
    second = outbox_of(settings)
    first_publisher, second_publisher = Publisher(outbox, settings), Publisher(second, settings)
    first_publisher.start()
    until(lambda: first_publisher.state().relaying)
    second_publisher.start()
    second.enqueue([ready(number) for number in range(20)])
    publish_all(second_publisher, outbox)
    assert second_publisher.state().producers == 0
    first_publisher.stop()
    second.enqueue([ready(number) for number in range(20, 40)])
    publish_all(second_publisher, outbox)
    second_publisher.stop()
    second.close()
    assert assert_first_copies_in_order(read_back("csrc.referral", outbox.producer), 40) == 0


def _flow(outbox: Outbox, publisher: Publisher, count: int, pause_s: float) -> None:
    for number in range(count):
        outbox.enqueue([ready(number, chain=number % 7)])
        publisher.wake()
        time.sleep(pause_s)


_RELAY = """
import os, sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from support.cases.members import outbox_of, settings_of
from casebus_producers.faults import PublisherFaults
from casebus_producers.outbox.publisher import Publisher
settings = settings_of(Path(sys.argv[1]), "csrc", instance=sys.argv[2], window_records=50)
outbox = outbox_of(settings)
faults = PublisherFaults.from_environment(os.environ)
publisher = Publisher(outbox, settings, faults=faults)
publisher.run(lambda: outbox.status().pending == 0)
"""
