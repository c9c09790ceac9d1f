"""The router without Kafka, under this build or an earlier one: prints what a record costs its processor.

`python route_alone.py COUNT`: referrals of 500 cases, checked, admitted, told, receipted; batches of 200.
"""

import gc
import inspect
import json
import sys
import time
from collections.abc import Iterable
from typing import Any

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.records import Batch, Outgoing
from casebus_schemas.wire.signing import SigningKey
from casebus_services.clock import BusClock
from casebus_services.router.agent import Router, Surroundings
from support.events.signed_events import Speaker, chain, keyring_of, referral, seed_of, stored

AT_ONCE = 200


class _Sink:
    def __init__(self) -> None:
        self.count = 0

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        self.count += sum(1 for _ in outgoing)

    def flush(self) -> None:
        pass


def run(count: int) -> dict[str, float]:
    """Processor time of each record in microseconds, of all threads, and outputs of each."""
    csrc = Speaker("csrc")
    keyring, sink = keyring_of(csrc), _Sink()
    given: dict[str, Any] = {
        "keyring": lambda: keyring,
        "catch_up_keys": lambda: None,
        "catch_up_commands": lambda: None,
        "clock": BusClock(),
        "originals": lambda _origin: None,
        "sink": sink,
        "key_outcomes": lambda _record: None,
    }
    known = inspect.signature(Surroundings).parameters
    router = Router(
        Surroundings(**{name: value for name, value in given.items() if name in known}),
        key=SigningKey(seed_of("router")),
        producer="router-1.1",
        catalog=Catalog.load(),
        partitions=4,
    )
    records = [stored(csrc.say("referral.submitted", referral(), chain(n % 500))) for n in range(count)]
    batches = [
        Batch(one[0].topic, one[0].partition, one, one[-1].offset + 1)
        for one in (records[start : start + AT_ONCE] for start in range(0, count, AT_ONCE))
    ]
    router.handle(batches[:1])
    sink.count = 0
    gc.collect()
    gc.disable()  # the service leaves the cycle collector to run rarely
    cpu = time.process_time()
    for batch in batches[1:]:
        router.handle([batch])
    cpu = time.process_time() - cpu
    measured = count - AT_ONCE
    return {"cpu_us": cpu / measured * 1e6, "outputs": sink.count / measured}


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]))))
