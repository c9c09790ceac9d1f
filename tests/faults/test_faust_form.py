"""The safeguards of the workers are real: taken away, the same kills lose what they otherwise do not."""

import time
from collections.abc import Callable

import pytest

from casebus_schemas.wire.records import TopicPartition
from support.scenes.crash_run import Databases, Played, Player, next_offsets
from support.scenes.crash_scene import Scenes
from support.scenes.fault_stack import FaultStack, agency_keys
from support.scenes.flow import Flow
from support.scenes.kafka_view import KafkaView

pytestmark = pytest.mark.broker

_EVIDENCE_AT_RISK = 70
_WITHOUT = "ack-before-commit,no-sql-seek"


def eventually(condition: Callable[[], bool], timeout_s: float = 120.0) -> None:
    """Waits for the condition. Raises AssertionError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s"
        time.sleep(0.1)


def missing(stack: FaultStack, played: Played) -> set[tuple[str, int, int]]:
    """Acknowledged events without a ledger entry."""
    databases = Databases(stack)
    rows = databases.rows(
        "ledger",
        "SELECT topic, partition, koffset FROM entry JOIN log USING (log_id) WHERE kind = 'partition'",
    )
    databases.close()
    return {(*place, offset) for _, place, offset in played.places} - {tuple(row) for row in rows}


def at_the_end(stack: FaultStack, played: Played) -> Callable[[], bool]:
    """Whether the ledger has come to the end of every topic that was written."""
    assert stack.broker is not None
    view = KafkaView(stack.broker)
    topics = sorted({place.topic for _, place, _ in played.places})

    def reached() -> bool:
        databases = Databases(stack)
        at: dict[TopicPartition, int] = next_offsets(databases)
        databases.close()
        return all(at.get(place, 0) == end for place, end in view.ends(topics).items())

    return reached


def test_ledger_without_its_safeguards_loses_rows(scenes: Scenes) -> None:
    """Acknowledged before the commit and started where Kafka stands, a killed ledger lacks rows and stops.

    With the seek to SQL's next offsets it has them all, even though it still acknowledges too early and is
    killed again.
    """
    kill = "ledger.before-commit=kill@25"
    keys = agency_keys(scenes.secrets)
    with scenes.bus(faults={"ledger": f"{_WITHOUT},{kill}x1"}, services=("ledger",)) as stack:
        assert stack.supervisor is not None
        states = stack.supervisor.states
        first = Player(stack).play(Flow(keys, 400, name="first"), 300, lambda: len(stack.kills()) == 1)
        eventually(lambda: states()["ledger"].last_exit == _EVIDENCE_AT_RISK)
        assert 0 < stack.kills()[0].in_flight <= len(missing(stack, first))

        stack.again("ledger", f"ack-before-commit,{kill}x3")
        second = Player(stack).play(Flow(keys, 800, name="second"), 300, lambda: len(stack.kills()) == 3)
        eventually(at_the_end(stack, second))
        assert (len(stack.kills()), missing(stack, first), missing(stack, second)) == (3, set(), set())
