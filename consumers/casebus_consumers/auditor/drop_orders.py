"""Orders to remove the content of records, as they stand in the ledger itself."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.agencies import BUS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import COMMAND
from casebus_schemas.errors import BusError
from casebus_services.commands import DropPayload, command_of

if TYPE_CHECKING:
    from .ledger_rows import LedgerRows


@dataclass(frozen=True, slots=True)
class DropOrder:
    """An order and where it stands. `kafka_before`: Kafka's copies below that offset were to go too."""

    place: str
    origin: Origin
    value_sha256: bytes
    kafka_before: int | None
    reasons: str


def drop_orders(rows: "LedgerRows", catalog: Catalog) -> tuple[DropOrder, ...]:
    """All orders that the ledger holds, each signed by a key of the bus that the ledger holds too."""
    keyring = Keyring(catalog).extend(rows.records(f"{BUS}.key"))
    found = []
    for record in rows.records(COMMAND):
        try:
            command = command_of(record, catalog, keyring)
        except BusError:  # no command: the router has refused it
            continue
        if isinstance(command, DropPayload):
            place = f"{record.topic}/{record.partition}/{record.offset}"
            found.append(
                DropOrder(place, command.origin, command.value_sha256, command.kafka_before, command.reasons)
            )
    return tuple(found)
