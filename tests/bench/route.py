"""Reference and subject of the router's benchmark: check records in a bare loop, or route them for real.

`python route.py check FILE` only checks pickled records; `python route.py route COUNT` runs the
router with CASEBUS_* settings until it has handled COUNT records. Both print their figures as JSON.
"""

import json
import os
import pickle
import signal
import sys
import time
from pathlib import Path

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Batch, Record
from casebus_schemas.wire.signing import event_message, parse_block, verify
from casebus_services.config import ServiceSettings
from casebus_services.router.wiring import build_router


def check(records: list[Record], public: bytes) -> dict[str, float]:
    """Parses headers, verifies signatures and decodes, with no output."""
    catalog = Catalog.load()
    decode(catalog, records[0].value)
    begun, cpu = time.perf_counter(), time.process_time()
    for record in records:
        headers = EventHeaders.parse(record.headers)
        message = event_message(headers.signed_fields(record.topic, record.partition, record.value))
        if not verify(parse_block(headers.sig), message, public):
            raise AssertionError("the records are signed by this key")
        decode(catalog, record.value)
    seconds, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    return {"per_s": len(records) / seconds, "cpu_us": cpu_s / len(records) * 1e6}


def route(count: int) -> None:
    """Runs the whole service; the clock runs from its first batch to the last acknowledgement."""
    service = build_router(ServiceSettings())  # type: ignore[call-arg]  # read from the environment
    handle = service.worker._handle
    left, counted, begun, cpu = count, 0, 0.0, 0.0

    def measured(batches: list[Batch]) -> None:
        nonlocal left, counted, begun, cpu
        handle(batches)
        number = sum(len(batch.records) for batch in batches)
        left -= number
        if not begun:
            begun, cpu = time.perf_counter(), time.process_time()
        else:
            counted += number
        if left <= 0:
            seconds, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
            print(json.dumps({"per_s": counted / seconds, "cpu_us": cpu_s / counted * 1e6}), flush=True)
            os.kill(os.getpid(), signal.SIGTERM)

    service.worker._handle = measured
    service.run()


if __name__ == "__main__":
    if sys.argv[1] == "check":
        stored, public_key = pickle.loads(Path(sys.argv[2]).read_bytes())
        print(json.dumps(check(stored, public_key)))
    else:
        route(int(sys.argv[2]))
