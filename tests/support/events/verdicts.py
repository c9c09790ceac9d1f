"""What the bus says of an event that another program produced, read as the agency itself would."""

import time
from typing import Any

from casebus_deploy.stack.stack import Stack
from casebus_producers.config import KafkaLogin
from casebus_producers.received.receipts import ReceiptReader
from casebus_schemas.catalogue.catalog import Catalog

LONG_S = 120.0


def verdict(bus: Stack, agency: str, chain: str, stages: set[str]) -> dict[str, dict[str, Any]]:
    """Receipts of the one event of a chain by stage, once these stages (or `refused`) are there."""
    reader = ReceiptReader(KafkaLogin.read(agency, bus.connection), agency, Catalog.load())
    found: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + LONG_S
    try:
        while not (stages <= set(found) or "refused" in found):
            assert time.monotonic() < deadline, f"no {stages} for {chain}, only {found}"
            for _, receipt in reader.receipts(reader.poll(1.0)):
                if receipt["event"]["chain"] == chain:
                    found[receipt["stage"]] = receipt
    finally:
        reader.close()
    return found
