"""Enters what makes chains kin for the events that a database holds already."""

from collections.abc import Iterable
from typing import Any

from alembic import op

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError
from casebus_services.reconciler.kin_store import SAVE_KIN, SAVE_MOVED, kin_rows, moved_rows
from casebus_services.reconciler.rows import EVENTS_TOLD, stored_event

_STEP = 500


def enter_stored(types: Iterable[str]) -> None:
    """The rows of all stored events of these types; their chains have moved."""
    connection = op.get_bind()
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    listed = ",".join(f"'{type}'" for type in sorted(types))
    select = f"{EVENTS_TOLD} WHERE e.type IN ({listed}) AND e.digest > ? ORDER BY e.digest LIMIT {_STEP}"
    catalog, last = Catalog.load(), b""
    while rows := connection.exec_driver_sql(select.replace("?", mark), (last,)).fetchall():
        found: list[tuple[Any, ...]] = []
        for row in rows:
            try:
                found.extend(kin_rows(stored_event(catalog, row)))
            except BusError:
                continue  # nor can its chain be computed: it is entered once that can be
        if found:
            connection.exec_driver_sql(SAVE_KIN.replace("?", mark), sorted(found))
            moved = moved_rows(found, {row[2] for row in found})
            connection.exec_driver_sql(SAVE_MOVED.replace("?", mark), moved)
        last = bytes(rows[-1][0])
