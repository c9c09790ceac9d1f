"""A bus whose clock is not simulated cannot be told another time."""

import time
from datetime import UTC, datetime

import pytest

from casebus_schemas.admission.verdict import split_admission
from support.events.signed_events import chain, envelope
from support.router.router_process import RouterBus, RouterProcess

pytestmark = pytest.mark.broker


def test_clock_set_is_refused_without_the_simulated_clock(bus: RouterBus) -> None:
    """The command shows as refused, and events are admitted at real time as before."""
    began_ms = time.time_ns() // 1_000_000
    data = {"envelope": envelope(to=[]), "now": datetime(2016, 1, 1, tzinfo=UTC), "rate": 1.0}
    with RouterProcess(bus) as router:
        (command,) = bus.produce([bus.operator.say("clock.set", data, chain(1))])
        bus.until("bus.admission", 1)
        bus.produce([bus.agencies["csrc"].refer(1)])
        bus.until("bus.admission", 2)
        assert router.stop() == 0
    found = {str(said.origin): said for said, _ in map(split_admission, bus.read("bus.admission"))}
    refused = found.pop("{}/{}/{}".format(*command))
    assert (refused.verdict, refused.code) == ("refused", "not-authorised")
    assert "--simulated-clock" in (refused.detail or "")
    (admitted,) = found.values()
    assert began_ms <= admitted.admitted_at_ms <= time.time_ns() // 1_000_000
