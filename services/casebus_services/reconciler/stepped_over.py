"""The operator's orders to step over records of bus.admission that are not the router's: which they name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.rules.wording import MOST_NAMED
from casebus_schemas.times import utc_text
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import parse_block
from casebus_services.commands import StepOver, command_of


@dataclass(frozen=True, slots=True)
class StepOverOrder:
    """An order where it stands: whose key signed it, when Kafka took it (ms since 1970 UTC), what it says."""

    place: str
    source: str
    key_id: bytes
    at_ms: int
    order: StepOver

    @classmethod
    def read(cls, record: Record, order: StepOver) -> "StepOverOrder":
        """The order that a record of bus.command is, which `command_of` has found to be `order`."""
        headers = EventHeaders.parse(record.headers)
        place = f"{record.topic}/{record.partition}/{record.offset}"
        key_id = parse_block(headers.sig).key_id
        return cls(place, headers.source, key_id, record.timestamp_ms, order)

    @property
    def named(self) -> tuple[int, int, bytes]:
        """The record that may be left behind, and no other: its partition, offset and leaf hash."""
        return self.order.origin.partition, self.order.origin.offset, self.order.leaf

    def to_json(self) -> dict[str, str]:
        """Who ordered it, when, where, and why."""
        return {
            "order": self.place,
            "by": self.source,
            "key": self.key_id.hex(),
            "at": utc_text(self.at_ms),
            "why": self.order.reasons,
        }

    def __str__(self) -> str:
        at = utc_text(self.at_ms)
        return (
            f"by order {self.place} of {self.source}, key {self.key_id.hex()}, at {at}: {self.order.reasons}"
        )


_MOST_SHOWN = 300

SteppedOver = Mapping[tuple[int, int, bytes], StepOverOrder]
"""The orders by the record that each names."""


def order_to_step_over(record: Record, orders: SteppedOver) -> StepOverOrder | None:
    """The order that names this very record, if one does."""
    if not orders:
        return None
    return orders.get((record.partition, record.offset, leaf_hash(leaf(record))))


def is_stepped_over(record: Record, orders: SteppedOver) -> bool:
    """Whether an order names this very record."""
    return order_to_step_over(record, orders) is not None


def orders_in_words(orders: SteppedOver) -> dict[str, int]:
    """For who looks after the bus: each order with what it steps over, who gave it and why, ten by name."""
    named = [f"order to step over {one.order.origin} {str(one)[:_MOST_SHOWN]}" for one in orders.values()]
    more = {"further orders to step over (casebus ledger verify)": max(0, len(named) - MOST_NAMED)}
    return dict.fromkeys(named[:MOST_NAMED], 1) | more


def step_over_orders(records: Iterable[Record], catalog: Catalog, keyring: Keyring) -> SteppedOver:
    """The orders among the records of bus.command that a key of the bus has signed; of several the first."""
    found: dict[tuple[int, int, bytes], StepOverOrder] = {}
    for record in records:
        try:
            command = command_of(record, catalog, keyring)
        except BusError:  # no command: the router has refused it
            continue
        if isinstance(command, StepOver):
            order = StepOverOrder.read(record, command)
            found.setdefault(order.named, order)
    return found
