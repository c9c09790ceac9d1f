"""A sealer beside a bench's ledger, at the service's own pace and without Kafka."""

import sys
import threading
from pathlib import Path

from casebus_services.ledger.appending import Fenced
from casebus_services.ledger.store import LedgerStore
from casebus_services.sealer.agent import Pace
from casebus_services.sealer.wiring import LOOK_S
from support.events.sealing import Sealing

url, folder = sys.argv[1:]  # of the ledger, and for the high water
stopped = threading.Event()


def until_told() -> None:
    """Ends the loop when the bench closes standard input."""
    sys.stdin.read()
    stopped.set()


threading.Thread(target=until_told, daemon=True).start()
sealing = Sealing(LedgerStore(url), Path(folder), pace=Pace())
sealing.sealer.start()
print("ready", flush=True)
while not stopped.wait(LOOK_S):
    try:
        sealing.sealer.turn()
    except Fenced:
        continue
print(sealing.sealer.epoch, flush=True)
