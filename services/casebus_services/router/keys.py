"""The keyring of this worker, kept up to date by a reader of all key topics."""

import logging
import threading

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.records import Batch

log = logging.getLogger(__name__)


class KeyringKeeper:
    """Holds the newest keyring; `on_batch` is the side reader's, `current` anybody's."""

    def __init__(self, catalog: Catalog) -> None:
        self._keyring = Keyring(catalog)
        self._lock = threading.Lock()

    @property
    def current(self) -> Keyring:
        """The keyring as far as the key topics were read."""
        return self._keyring

    def on_batch(self, batch: Batch) -> None:
        """Applies key events; what is ignored is logged, since a person must be able to see why."""
        with self._lock:
            before = self._keyring.ignored_count
            self._keyring = after = self._keyring.extend(batch.records)
        new = after.ignored_count - before
        for event in after.ignored[-new:] if new else ():
            log.warning("key event ignored at %s/0/%d: %s", event.topic, event.offset, event.reason)
