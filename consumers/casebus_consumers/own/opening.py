"""Opens an agency's own view from its connection.json, brought up to what inbox and receipts hold now."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casebus_producers.cli import open_outbox
from casebus_producers.config import AgencySettings
from casebus_producers.connecting import quiet_kafka, within
from casebus_producers.screen import complain
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.connection import Connection
from casebus_schemas.errors import RetryLater

from .intake import catch_up
from .store import OwnStore
from .view import OwnView

CATCH_UP_S = 20.0


def own_file(settings: AgencySettings) -> Path:
    """The database of the own view, beside the outbox."""
    return settings.data_dir / "own.db"


@contextmanager
def own_view(agency: str, connection: Connection) -> Iterator[OwnView]:
    """The view of an agency. Where Kafka is away it says so, and shows what was known before.

    Raises UsageError where the connection is not that agency's.
    """
    quiet_kafka()
    settings, catalog = AgencySettings.read(agency, connection), Catalog.load()
    outbox = open_outbox(settings)
    try:
        store = OwnStore(own_file(settings))
        try:
            with within(CATCH_UP_S):
                catch_up(settings, outbox, store, catalog)
        except RetryLater as error:
            complain(error)
        yield OwnView(agency, outbox, store, catalog)
    finally:
        outbox.close()
