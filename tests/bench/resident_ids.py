"""Prints what the identity check costs: nanoseconds a byte of the worst text, microseconds a usual event."""

import json
import time

from bench.either import either

referral = either("support.events.signed_events", "support.signed_events").referral
resident_ids = either("casebus_schemas.admission.resident_ids", "casebus_schemas.resident_ids")
Catalog = either("casebus_schemas.catalogue.catalog", "casebus_schemas.catalog").Catalog
encode = either("casebus_schemas.wire.codec", "casebus_schemas.codec").encode

WORST = "1 1 " * 5_000
DAYS = "11010119900101001 " * 1_100
"""Days of birth after places, each of a group that is a digit too short: most work for what is looked for."""
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
    worst_ns = _seconds(resident_ids.holds_resident_id, WORST) / len(WORST) * 1e9
    days_ns = _seconds(resident_ids.holds_resident_id, DAYS) / len(DAYS) * 1e9
    usual_us = _seconds(resident_ids.may_hold_resident_id, usual, times=10_000) * 1e6
    print(json.dumps({"worst_ns": worst_ns, "days_ns": days_ns, "usual_us": usual_us}))
