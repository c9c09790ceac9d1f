"""What operator, auditor and page see of the witnesses of a real bus: final, withheld, two histories."""

import time
from pathlib import Path

import pytest

from casebus_consumers.auditor.gossip import Gossip
from casebus_deploy.stack.cosigning_watch import CosigningWatch, cosigning_examined
from casebus_deploy.stack.logins import password_file
from casebus_deploy.stack.witnesses import policy_file
from casebus_producers.config import KafkaLogin
from casebus_schemas.connection import Connection, Principal
from support.ledger.head_logs import Sealed
from support.scenes.witnessed_bus import WitnessedBus, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


def connection(bus: WitnessedBus) -> Connection:
    """What the operator's programs are told."""
    return Connection(
        bootstrap_servers=bus.broker.bootstrap_servers,
        partitions=4,
        principals={"operator": Principal("operator", password_file(bus.credentials, "operator"))},
        databases={},
        policy_file=policy_file(bus.folder),
    )


def test_readers_see_what_is_final_and_who_withholds(bus: WitnessedBus) -> None:
    """Doctor, page and gossip name the final head, then the witness that is away, then two histories."""
    bus.start()
    bus.say(b"one")
    bus.seal()
    bus.wait_cosigned(1)
    for witness in ("spp", "mps", "csrc", "audit"):
        bus.wait_published(witness, 1)
    bus.stop("mps")
    told = connection(bus)
    (fine,) = cosigning_examined(told, Path("/nowhere"))
    assert (fine.name, fine.state, fine.found) == ("heads", "ok", "size 1, final 1")
    bus.say(b"two")
    # Sealed as if a minute ago: whoever has not cosigned it by now withholds.
    bus.sealed.seal(bus.heads(), time.time_ns() // 1_000_000 - 60_000)
    bus.publish(2)
    bus.wait_cosigned(2, "spp", "csrc", "audit")
    watch = CosigningWatch(told)
    wait_for("three have published", lambda: (watch.look() or {}).get("final") == 2)
    shown = watch.look() or {}
    assert [one["witness"] for one in shown["witnesses"] if one["withheld_since"]] == ["mps"]
    (late,) = cosigning_examined(told, Path("/nowhere"))
    assert (late.state, late.name) == ("warn", "heads")
    assert late.found.startswith("mps: cosigned size 1 of 2; nothing since ")
    other = Sealed()
    other.seal([head._replace(root=bytes(32)) for head in bus.heads()])
    bus.sealed = other
    bus.publish(1)
    (split,) = [one for one in cosigning_examined(told, Path("/nowhere")) if one.state == "bad"]
    assert split.found == "two histories: size 1 has two roots, shown by bus.checkpoint and bus.checkpoint"
    login = KafkaLogin(
        bootstrap_servers=told.bootstrap_servers,
        sasl_username="auditor",
        sasl_password_file=password_file(bus.credentials, "auditor"),
    )
    with Gossip(login, policy_file(bus.folder)) as gossip:
        assert [one.size for one in gossip.look().splits] == [1]
    for witness in ("spp", "csrc", "audit"):
        bus.wait_until(witness, lambda standing: str(standing["stopped"]).startswith("split-view: size 1"))
