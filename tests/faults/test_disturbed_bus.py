"""What surrounds the services fails under flow: broker, database, sessions, workers, and orders to end."""

import signal
import time
from functools import partial

import pytest

from casebus_deploy.embedded.postgres import EmbeddedPostgres
from support.scenes.crash_scene import Outcome, Scenes
from support.scenes.fault_stack import STREAM_SERVICES, FaultStack
from support.scenes.waiting import batch_since, eventually

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.timeout(1200)]

CHAINS = 4000
"""Some 14,000 events: 46 s at 300/s."""
BEYOND_THE_SESSION_S = 11.0
"""Workers' sessions end after 6 s."""


def has_not_harmed(outcome: Outcome) -> None:
    """Nothing lost, nothing twice."""
    assert outcome.problems == []


def test_a5_broker_killed_under_flow(scenes: Scenes) -> None:
    """With the broker killed twice under flow the supervisor starts it, all services go on, nothing lost."""
    back: list[float] = []

    def disturb(stack: FaultStack) -> None:
        assert stack.supervisor is not None
        for kills in range(1, 3):
            time.sleep(6.0)
            kafka = stack.supervisor["kafka"]
            kafka.signal(signal.SIGKILL)
            eventually(lambda kafka=kafka, kills=kills: kafka.state().restarts == kills, 30.0)  # type: ignore[misc]
            back.append(eventually(batch_since(stack, time.time()), 120.0))

    has_not_harmed(scenes.disturbed("broker killed twice", CHAINS, disturb))
    scenes.say(f"broker killed twice: all services at work {', '.join(f'{s:.1f}' for s in back)} s after it")


@pytest.mark.postgres
def test_database_away(scenes: Scenes, postgres: EmbeddedPostgres, postgres_url: str) -> None:
    """With the database away for 30 s under flow nothing is lost, and the services go on by themselves."""
    back: list[float] = []

    def disturb(stack: FaultStack) -> None:
        time.sleep(6.0)
        postgres.stop()
        time.sleep(30.0)
        postgres.start()
        back.append(eventually(batch_since(stack, time.time()), 60.0))

    has_not_harmed(scenes.disturbed("database away 30 s", CHAINS, disturb, postgres_url))
    scenes.say(f"database away 30 s: all services at work {back[0]:.1f} s after it")


@pytest.mark.postgres
def test_workers_join_and_leave(scenes: Scenes, postgres_url: str) -> None:
    """Two workers a service share the work; while one leaves, is killed, and joins again nothing is lost."""

    def disturb(stack: FaultStack) -> None:
        assert stack.supervisor is not None
        for service in STREAM_SERVICES:
            time.sleep(2.0)
            second = stack.supervisor[f"{service}-2"]
            second.stop()
            time.sleep(4.0)
            second.start()
        for service in STREAM_SERVICES:
            time.sleep(4.0)
            stack.kill(f"{service}-2")
        time.sleep(4.0)

    has_not_harmed(scenes.disturbed("two workers", CHAINS, disturb, postgres_url, workers=2))


@pytest.mark.postgres
def test_frozen_beyond_the_session(scenes: Scenes, postgres_url: str) -> None:
    """A worker frozen until another has its partitions does no harm when it wakes up."""

    def disturb(stack: FaultStack) -> None:
        time.sleep(4.0)
        for service in STREAM_SERVICES:
            stack.kill(f"{service}-1", signal.SIGSTOP)
            time.sleep(BEYOND_THE_SESSION_S)
            stack.kill(f"{service}-1", signal.SIGCONT)
            time.sleep(3.0)

    has_not_harmed(scenes.disturbed("frozen 11 s", CHAINS, disturb, postgres_url, workers=2))


def test_the_only_worker_frozen_beyond_its_session(scenes: Scenes) -> None:
    """The only worker of a service, frozen for longer than its session, goes on without harm."""

    def disturb(stack: FaultStack) -> None:
        time.sleep(4.0)
        for service in STREAM_SERVICES:
            stack.kill(service, signal.SIGSTOP)
            time.sleep(BEYOND_THE_SESSION_S)
            stack.kill(service, signal.SIGCONT)
        eventually(batch_since(stack, time.time()), 60.0)

    has_not_harmed(scenes.disturbed("only worker frozen 11 s", CHAINS, disturb))


def test_asked_to_end_in_full_flow(scenes: Scenes) -> None:
    """Services that are told to end under flow drain, end with 0, and come back; nothing is lost."""
    codes: dict[str, int | None] = {}

    def disturb(stack: FaultStack) -> None:
        assert stack.supervisor is not None
        for _ in range(3):
            for service in STREAM_SERVICES:
                time.sleep(1.5)
                began = time.time()
                stack.kill(service, signal.SIGTERM)
                eventually(partial(_started_since, stack, service, began), 30.0)
                codes[service] = stack.supervisor.states()[service].last_exit
                eventually(batch_since(stack, time.time(), (service,)), 60.0)

    has_not_harmed(scenes.disturbed("SIGTERM three times each", CHAINS, disturb))
    assert codes == dict.fromkeys(STREAM_SERVICES, 0)


def _started_since(stack: FaultStack, service: str, moment: float) -> bool:
    assert stack.supervisor is not None
    return stack.supervisor.states()[service].since > moment
