"""One agency floods the bus: what another one says is admitted among the first of what waits."""

import pytest

from casebus_schemas.admission.verdict import split_admission
from support.events.signed_events import Speaker, chain, envelope, referral
from support.router.router_process import RouterBus, RouterProcess

FLOOD = 15_000
WAITS = 4_500
"""Records of the flood that may come before: those in flight and those admitted while the notice travels."""


@pytest.mark.broker
def test_a9_an_honest_notice_does_not_wait_for_a_flood(bus: RouterBus) -> None:
    """A notice published after a flood of another agency is admitted long before the flood is."""
    data = referral(envelope=envelope(to=["spp"]))
    flood = [Speaker("csrc").say("referral.submitted", data, chain(number % 500)) for number in range(FLOOD)]
    notice = bus.agencies["mps"].say("receipt.delivered", _delivered(), chain(7))
    before = bus.count("bus.admission")
    with RouterProcess(bus) as router:
        bus.produce(flood[:1])
        bus.until("bus.admission", before + 1)
        bus.produce(flood[1:])
        came = bus.count("bus.admission") - before
        (place,) = bus.produce([notice])
        bus.until("bus.admission", before + FLOOD + 1)
        assert router.stop() == 0
    said = [split_admission(record)[0] for record in bus.read("bus.admission")]
    (honest,) = [one for one in said if tuple(one.origin) == place]
    earlier = sum(one.admitted_at_ms < honest.admitted_at_ms for one in said) - before
    print(f"{came} admitted when the notice was published, {earlier} when it was admitted, of {FLOOD}")
    assert honest.admitted
    assert earlier - came < WAITS
    assert came + WAITS < FLOOD, "the flood was over before the notice came"


def _delivered() -> dict[str, object]:
    return {"envelope": envelope(to=["spp"], message_class="receipt"), "deliveries": []}
