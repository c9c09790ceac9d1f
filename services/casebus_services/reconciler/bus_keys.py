"""The bus's own keys as this worker knows them: admissions and commands are checked by them."""

import threading

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import BUS_KEY
from casebus_schemas.wire.records import Batch
from casebus_services.config import ServiceSettings
from casebus_services.streams.side_reader import SideReader


class BusKeys:
    """Follows bus.key, which no agency writes, in a thread of its own."""

    def __init__(self, settings: ServiceSettings, client_id: str, catalog: Catalog) -> None:
        self._keyring = Keyring(catalog)
        self._lock = threading.Lock()
        self._reader = SideReader(settings, f"{client_id}-keys", [BUS_KEY], self._on_batch)

    def start(self) -> None:
        """Reads all that is there. Raises RetryLater if the broker is away."""
        self._reader.start()

    def stop(self) -> None:
        """Ends the reading."""
        self._reader.stop()

    def current(self) -> Keyring:
        """The keys as far as they were read."""
        return self._keyring

    def catch_up(self) -> None:
        """Blocks until everything announced before the call is known. Raises RetryLater."""
        self._reader.catch_up()

    def _on_batch(self, batch: Batch) -> None:
        with self._lock:
            self._keyring = self._keyring.extend(batch.records)
