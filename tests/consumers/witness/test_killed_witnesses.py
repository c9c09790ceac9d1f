"""Witnesses killed -9 at any moment: no size is signed twice with different roots, no final head is lost."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casebus_deploy.stack.witnesses import policy_file
from casebus_schemas.agencies import WITNESSES
from casebus_schemas.evidence.checkpoint import Checkpoint
from support.scenes.witnessed_bus import WitnessedBus, wait_for

pytestmark = pytest.mark.broker
ROOT = Path(__file__).resolve().parents[3]


class Children:
    """The four witnesses as processes, each started again after it was killed."""

    def __init__(self, bus: WitnessedBus) -> None:
        self.bus = bus
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, witness: str) -> None:
        """Starts one."""
        settings = self.bus.settings(witness)
        told = self.bus.folder / f"{witness}.json"
        told.write_text(
            json.dumps(
                {
                    "witness": witness,
                    "bootstrap_servers": settings.login.bootstrap_servers,
                    "username": settings.login.sasl_username,
                    "password_file": str(settings.login.sasl_password_file),
                    "folder": str(settings.folder),
                    "policy": str(policy_file(self.bus.folder)),
                }
            )
        )
        env = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
        with (self.bus.folder / f"{witness}.log").open("ab") as log:
            self.running[witness] = subprocess.Popen(
                [sys.executable, "-m", "support.ledger.witness_child", str(told)], env=env, stderr=log
            )

    def kill(self, witness: str) -> None:
        """Kills one with signal 9."""
        process = self.running[witness]
        process.send_signal(signal.SIGKILL)
        process.wait(10)


@contextmanager
def four(bus: WitnessedBus) -> Iterator[Children]:
    """All four, until the end of the block."""
    children = Children(bus)
    for witness in WITNESSES:
        children.start(witness)
    try:
        yield children
    finally:
        for witness in WITNESSES:
            children.kill(witness)


def kill_at_random(bus: WitnessedBus, kills: int, seed: int) -> None:
    """Seals epochs meanwhile, and looks at all that was published."""
    chance = random.Random(seed)
    bus.say(b"first")
    bus.seal()
    with four(bus) as children:
        for number in range(kills):
            bus.say(str(number).encode())
            bus.seal()
            time.sleep(chance.uniform(0, 1.5))
            victim = chance.choice(WITNESSES)
            children.kill(victim)
            children.start(victim)
        newest = len(bus.sealed.epochs)

        def is_final() -> bool:
            note = bus.sealed.log.note(newest)
            for witness in WITNESSES:
                for one in bus.cosigned(witness):
                    if one.text == note.text:
                        note = note.with_signatures(one.signatures)
            return len(bus.policy.judge(note).witnesses) == len(WITNESSES)

        wait_for("all four have cosigned the newest head", is_final, 120)
    for witness in WITNESSES:
        heads = [Checkpoint.parse(note.text) for note in bus.cosigned(witness)]
        sizes = [head.size for head in heads]
        assert sizes == sorted(sizes)
        assert all(head.root == bus.sealed.log.root(head.size) for head in heads)
        assert (bus.settings(witness).folder / "witness.key").exists()


@pytest.mark.timeout(300)
def test_short_killed_witnesses_sign_no_size_twice(bus: WitnessedBus) -> None:
    """After a few kills all four have cosigned the newest head, each size with one root only."""
    kill_at_random(bus, 6, seed=11)


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_fifty_killed_witnesses_sign_no_size_twice(bus: WitnessedBus) -> None:
    """The same after fifty kills."""
    kill_at_random(bus, int(os.environ.get("CASEBUS_FAULT_KILLS", "50")), seed=50)
