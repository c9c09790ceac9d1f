"""`ledger verify` under this build or an earlier one: prints what an entry costs, by time and by processor.

`python verify_alone.py NEW OLD ENTRIES`: this build uses the first database, the earlier one the second.
An empty ledger is made, in eight logs, and then verified.
"""

import json
import os
import sys
import time

from bench.either import either
from casebus_consumers.auditor.verify import verify_ledger
from casebus_services.ledger.store import LedgerStore

LOGS = 8
AT_ONCE = 2000


def main(url: str, entries: int) -> dict[str, float]:
    """Fills and verifies."""
    run = either("support.ledger.ledgers", "support.ledgers").run
    store = LedgerStore(url)
    each = entries // LOGS
    if not store.next_offsets_of_all():
        for first in range(0, each, AT_ONCE):
            last = min(first + AT_ONCE, each)
            store.append([run(first, last, partition=number) for number in range(LOGS)])
    begun, before = time.perf_counter(), os.times()
    report = verify_ledger(store.database)
    seconds, after = time.perf_counter() - begun, os.times()
    store.close()
    assert report.ok, report.damages[:3]
    assert report.entries == each * LOGS
    processor = sum(after[:4]) - sum(before[:4])
    return {"per_s": report.entries / seconds, "cpu_us": processor / report.entries * 1e6}


if __name__ == "__main__":
    earlier = f"{os.sep}.bench{os.sep}" in sys.prefix
    print(json.dumps(main(sys.argv[1 + earlier], int(sys.argv[3]))))
