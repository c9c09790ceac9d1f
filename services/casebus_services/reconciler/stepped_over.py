"""The operator's orders to step over records of bus.admission that are not the router's: which they name."""

from collections.abc import Iterable, Mapping

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.wire.records import Record
from casebus_services.commands import StepOver, command_of

SteppedOver = Mapping[tuple[int, int], bytes]
"""By partition and offset the leaf hash of the record that may be left behind there, and no other."""


def is_stepped_over(record: Record, orders: SteppedOver) -> bool:
    """Whether an order names this very record."""
    ordered = orders.get((record.partition, record.offset))
    return ordered is not None and ordered == leaf_hash(leaf(record))


def step_over_orders(records: Iterable[Record], catalog: Catalog, keyring: Keyring) -> SteppedOver:
    """The orders among the records of bus.command that a key of the bus has signed."""
    found = {}
    for record in records:
        try:
            command = command_of(record, catalog, keyring)
        except BusError:  # no command: the router has refused it
            continue
        if isinstance(command, StepOver):
            found[command.origin.partition, command.origin.offset] = command.leaf
    return found
