"""An event far beyond its limits is refused at once."""

import time

import pytest

from bench.figures import Figure
from casebus_services.router.judgement import judge
from support.events.signed_events import Speaker, keyring_of, referral, stored
from support.router.router_bench import CATALOG

pytestmark = pytest.mark.bench

SUSPECTS = 10_000
MOST_MS = 50
ROUNDS = 7


def test_a6_ten_thousand_suspects_are_refused_at_once(figure: Figure) -> None:
    """An event of 10,000 suspects costs the router less than 50 ms and is refused with count and limit."""
    csrc = Speaker("csrc")
    one: dict[str, object] = {"kind": "natural", "name": None, "role": None, "tokens": []}
    suspects = [{"ref": f"S{number}", **one} for number in range(SUSPECTS)]
    record = stored(csrc.say("referral.submitted", referral(suspects=suspects)))
    keyring, best = keyring_of(csrc), float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        found = judge(record, CATALOG, keyring, 4, record.timestamp_ms)
        best = min(best, time.process_time() - begun)
    assert found.code == "too-large"
    assert "found 10,000 items, expected at most 500" in (found.detail or "")
    figure("an event of 10,000 suspects refused", best * 1e3, "ms", at_most=MOST_MS)
