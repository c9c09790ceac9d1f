"""A Kafka of three nodes by TLS loses nodes in full flow: any one of them, then two at once."""

import signal
import time

import pytest

from casebus_deploy.embedded.broker import node_name
from support.scenes.crash_scene import Scenes
from support.scenes.fault_stack import FaultStack
from support.scenes.kafka_view import KafkaView
from support.scenes.waiting import batch_since, eventually

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.timeout(1200)]

NODES = 3
CHAINS = 2000
"""Some 7,000 events: 23 s at 300/s; the last ones come slower, until all nodes were killed."""
WHOLE_S = 120.0
"""Longest time until a killed node has caught up with the others."""


class Killing:
    """Kills nodes of a bus in flow, and waits each time until it is whole again."""

    def __init__(self, stack: FaultStack) -> None:
        assert stack.broker is not None
        assert stack.supervisor is not None
        self._stack, self._supervisor = stack, stack.supervisor
        self._view = KafkaView(stack.broker)
        self.went_on_s: list[float] = []
        """After each kill the time until all services had finished a batch."""

    def kill(self, *nodes: int) -> None:
        """Signal 9 for these nodes, all at once; returns when every replica of everything is in step."""
        eventually(lambda: not self._view.thin(), WHOLE_S)
        before = {node: self._supervisor[node_name(node)].state().restarts for node in nodes}
        for node in nodes:
            self._supervisor[node_name(node)].signal(signal.SIGKILL)
        self.went_on_s.append(eventually(batch_since(self._stack, time.time()), WHOLE_S))
        for node, restarts in before.items():
            assert self._supervisor[node_name(node)].state().restarts > restarts, node
        eventually(lambda: not self._view.thin(), WHOLE_S)


def _play(scenes: Scenes, name: str, kills: list[tuple[int, ...]]) -> list[float]:
    """Plays a flow with these kills one after the other; gives after how many seconds all went on."""
    went_on: list[float] = []

    def disturb(stack: FaultStack) -> None:
        killing = Killing(stack)
        for nodes in kills:
            killing.kill(*nodes)
        went_on.extend(killing.went_on_s)

    assert scenes.disturbed(name, CHAINS, disturb, nodes=NODES).problems == []
    scenes.say(f"{name}: all services at work {', '.join(f'{s:.1f}' for s in went_on)} s after each kill")
    return went_on


def test_a_short_loss_of_one_node_and_of_two(scenes: Scenes) -> None:
    """One node of three dies, then two die at once and come back: nothing is lost, nothing done twice."""
    assert len(_play(scenes, "three nodes: one killed, two killed", [(2,), (1, 3)])) == 2


def test_each_node_and_each_two(scenes: Scenes) -> None:
    """Each node of three dies once, and each two at once: nothing is lost, nothing done twice."""
    kills = [(1,), (2,), (3,), (1, 2), (2, 3), (1, 3)]
    assert len(_play(scenes, "three nodes: each killed, each two killed", kills)) == len(kills)
