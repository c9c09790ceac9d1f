"""Queues events at the agency's door in one of three ways and prints the speed; runs under either build.

`python door.py hundreds|single|threads COUNT FOLDER`: as a file that is published does it, in transactions of
a hundred; one after the other; by eight threads, each waiting for its own event. Each event is on disk (WAL,
`synchronous=FULL`) when its call returns.
"""

import hashlib
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.either import either
from casebus_producers.connector import Connector

if TYPE_CHECKING:
    from casebus_producers.outbox.outbox import Outbox
    from support.cases.members import door_event
else:
    Outbox = either("casebus_producers.outbox.outbox", "casebus_producers.outbox").Outbox
    door_event = either("support.cases.members", "support.members").door_event


Catalog = either("casebus_schemas.catalogue.catalog", "casebus_schemas.catalog").Catalog
uuid7 = either("casebus_schemas.wire.ids", "casebus_schemas.ids").uuid7
SigningKey = either("casebus_schemas.wire.signing", "casebus_schemas.signing").SigningKey

THREADS = 8
Events = list[dict[str, Any]]


def hundreds(outbox: Outbox, connector: Connector, events: Events) -> None:
    """As `casebus publish` queues a file."""
    for start in range(0, len(events), 100):
        if hasattr(connector, "submit_all"):
            connector.submit_all(events[start : start + 100])
        else:
            with outbox.writing() as writing:
                for event in events[start : start + 100]:
                    connector.submit_in(writing, event)


def single(outbox: Outbox, connector: Connector, events: Events) -> None:
    """Each in its own transaction."""
    for event in events:
        connector.submit(event)


def threads(outbox: Outbox, connector: Connector, events: Events) -> None:
    """Eight callers at once, as behind a web server."""
    callers = [
        threading.Thread(target=single, args=(outbox, connector, events[at::THREADS]))
        for at in range(THREADS)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()


WAYS: dict[str, Callable[[Outbox, Connector, Events], None]] = {
    "hundreds": hundreds,
    "single": single,
    "threads": threads,
}


def main(way: str, count: str, folder: str) -> None:
    """Runs one of the three."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        key = SigningKey(hashlib.sha256(b"key of the door").digest())
        outbox = Outbox(Path(place) / "outbox.db", agency="csrc", key=key, partitions=4)
        connector = Connector(outbox, Catalog.load(), lambda: b"s" * 32)
        events = [door_event(id=str(uuid7(1, at.to_bytes(10, "big")))) for at in range(int(count) + 1)]
        connector.submit(events.pop())  # the schema is read with the first
        wall, cpu = time.perf_counter(), time.process_time()
        WAYS[way](outbox, connector, events)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        found = {"per_s": len(events) / wall, "cpu_us": cpu / len(events) * 1e6}
        if outbox.status().pending != len(events) + 1:
            raise AssertionError("not all events are in the outbox")
        outbox.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
