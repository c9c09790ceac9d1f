"""The bus's own keys as this worker knows them: admissions and commands are checked by them."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.agencies import BUS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ADMISSION, BUS_KEY, COMMAND
from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Batch, TopicPartition
from casebus_services.config import ServiceSettings
from casebus_services.streams.ends import KafkaEnds
from casebus_services.streams.side_reader import SideReader

log = logging.getLogger(__name__)

Ends = Callable[[Iterable[TopicPartition]], Mapping[TopicPartition, int]]


class BusKeys:
    """Follows bus.key, which no agency writes, in a thread of its own.

    When it learns that a key has ended it notes where the topics end on which that key counts: what lies
    behind came after the end, whatever time the broker's clock gives it.
    """

    def __init__(
        self, settings: ServiceSettings, client_id: str, catalog: Catalog, ends: Ends | None = None
    ) -> None:
        self._keyring = Keyring(catalog)
        self._lock = threading.Lock()
        self._ends = ends or KafkaEnds(settings, f"{client_id}-key-ends")
        self._places = [
            *(TopicPartition(ADMISSION, number) for number in range(settings.partitions)),
            TopicPartition(COMMAND, 0),
        ]
        self._reader = SideReader(settings, f"{client_id}-keys", [BUS_KEY], self.on_batch)

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

    def on_batch(self, batch: Batch) -> None:
        """Applies key events: the side reader's."""
        with self._lock:
            keyring = self._keyring.extend(batch.records)
            # Kept only with its cuts: who asks meanwhile goes by the keys of before.
            self._keyring = self._with_cuts(keyring)

    def _with_cuts(self, keyring: Keyring) -> Keyring:
        new = [one for one in keyring.of(BUS) if one.end is not None and not one.cut]
        if not new:
            return keyring
        try:
            ends = self._ends(self._places)
        except RetryLater as error:
            log.warning("where topics end when a key ended is not known: %s", error.detail)
            return keyring
        return keyring.with_cuts({(one.agency, one.key_id): list(ends.items()) for one in new})
