"""Prints what the identity check costs: nanoseconds a byte of the worst text, microseconds a usual event."""

import json
import time

from casebus_schemas.admission.resident_ids import holds_resident_id, may_hold_resident_id
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import encode
from support.signed_events import referral

WORST = "1 1 " * 5_000
ROUNDS = 5


def _seconds(run: object, *arguments: object, times: int = 1) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(times):
            run(*arguments)  # type: ignore[operator]  # one of the two below
        best = min(best, time.process_time() - begun)
    return best / times


if __name__ == "__main__":
    usual = encode(Catalog.load().latest("referral.submitted"), referral())
    worst_ns = _seconds(holds_resident_id, WORST) / len(WORST) * 1e9
    usual_us = _seconds(may_hold_resident_id, usual, times=10_000) * 1e6
    print(json.dumps({"worst_ns": worst_ns, "usual_us": usual_us}))
