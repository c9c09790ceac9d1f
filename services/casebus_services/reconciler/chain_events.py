"""Reads the events of a chain, of which one agency may have said very many."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from casebus_schemas.agencies import BUS
from casebus_schemas.case import shares
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog

from .rows import EVENTS_TOLD, stored_event

if TYPE_CHECKING:
    from .reading import Rows

_WHERE = f"{EVENTS_TOLD} WHERE chain = ?"
_OF_AGENCY = f"{_WHERE} AND (source = ? OR source LIKE ?)"


def events_of(
    transaction: "Rows", catalog: Catalog, chain: str, ends: Mapping[int, int] | None = None
) -> list[ChainEvent]:
    """The chain's events in the order of their admission, of each agency at most one that is not computed.

    With `ends` those that stand before them on bus.admission.
    """
    in_order = f"ORDER BY bus_offset LIMIT {shares.MOST_EVENTS + 1}"
    rows = transaction.rows(f"{_WHERE} {in_order}", (chain,))
    if len(rows) > shares.MOST_EVENTS:
        rows = []
        for agency in (*catalog.members.all, BUS):
            rows.extend(transaction.rows(f"{_OF_AGENCY} {in_order}", (chain, f"/{agency}", f"/{agency}/%")))
        rows.sort(key=lambda row: int(row[12]))  # its place on bus.admission
    if ends is not None:
        rows = [row for row in rows if row[12] < ends.get(row[11], 0)]
    return [stored_event(catalog, row) for row in rows]
