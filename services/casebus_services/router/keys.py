"""The keyring of this worker, kept up to date by a reader of all key topics."""

import logging
import threading

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.records import Batch

SHOWN_IGNORED = 5

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

    def ignored(self) -> list[str]:
        """What was ignored on the key topics, the last ones, each with its place and reason."""
        return [f"{one.topic}/0/{one.offset}: {one.reason}" for one in self._keyring.ignored[-SHOWN_IGNORED:]]

    def on_batch(self, batch: Batch) -> None:
        """Applies key events; what is ignored is logged, since a person must be able to see why."""
        with self._lock:
            before = self._keyring.ignored_count
            self._keyring = after = self._keyring.extend(batch.records)
        new = min(after.ignored_count - before, SHOWN_IGNORED)  # a flood of them must not fill the log
        for event in after.ignored[-new:] if new else ():
            log.warning("key event ignored at %s/0/%d: %s", event.topic, event.offset, event.reason)
