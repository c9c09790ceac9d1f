"""The keyring of this worker, kept up to date by a reader of all key topics."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence

from casebus_schemas.admission.key_terms import ending_keys
from casebus_schemas.admission.keyring import KEPT_REASONS, Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ledgered_topics
from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Batch, Record, TopicPartition

from .key_receipts import KeyOutcome

SHOWN_IGNORED = 5
MOST_OUTCOMES = 5_000
"""Of the last key events of all agencies: receipts follow soon after the reading."""

log = logging.getLogger(__name__)

Ends = Callable[[Iterable[TopicPartition]], Mapping[TopicPartition, int]]


class KeyringKeeper:
    """Holds the newest keyring; `on_batch` is the side reader's, `current` anybody's.

    When it learns that a key has ended it notes where the topics of its holder end: what lies behind that
    came after the end, whatever time the broker's clock gives it.
    """

    def __init__(self, catalog: Catalog, partitions: int = 4, ends: Ends | None = None) -> None:
        """`ends` says where partitions of Kafka end; without it Kafka's time alone decides."""
        self._keyring = Keyring(catalog)
        self._partitions = partitions
        self._ends = ends
        self._lock = threading.Lock()
        self._outcomes: OrderedDict[tuple[str, int], KeyOutcome] = OrderedDict()

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
            # No more at once than a keyring keeps reasons of.
            for start in range(0, len(batch.records), KEPT_REASONS):
                self._take(batch.records[start : start + KEPT_REASONS])
            self._cut()
            after = self._keyring
        new = min(after.ignored_count - before, SHOWN_IGNORED)  # a flood of them must not fill the log
        for event in after.ignored[-new:] if new else ():
            log.warning("key event ignored at %s/0/%d: %s", event.topic, event.offset, event.reason)

    def terms(self, now_ms: int) -> list[dict[str, object]]:
        """The keys that end soon or have ended with none to follow, as a heartbeat says them."""
        return [{"text": one.text, "over": one.over} for one in ending_keys(self._keyring, now_ms)]

    def outcome(self, record: Record) -> KeyOutcome | None:
        """What became of a key event that was read lately; None where it was not, or is beyond a quota."""
        with self._lock:
            found = self._outcomes.get((record.topic, record.offset))
        return None if found is None or (found.ignored is not None and found.ignored.unread) else found

    def _cut(self) -> None:
        """Notes for keys that have ended where their holders' topics end now."""
        new = [one for one in self._keyring.entries.values() if one.end is not None and not one.cut]
        if self._ends is None or not new:
            return
        places = {
            holder: [
                TopicPartition(spec.name, number)
                for spec in ledgered_topics(self._partitions)
                if spec.agency == holder
                for number in range(spec.partitions)
            ]
            for holder in {one.agency for one in new}
        }
        try:
            ends = self._ends([place for of_one in places.values() for place in of_one])
        except RetryLater as error:
            log.warning("where topics end when a key ended is not known: %s", error.detail)
            return
        cuts = {(one.agency, one.key_id): [(at, ends[at]) for at in places[one.agency]] for one in new}
        self._keyring = self._keyring.with_cuts(cuts)

    def _take(self, records: Sequence[Record]) -> None:
        before = self._keyring
        self._keyring = after = before.extend(records)
        new = after.ignored_count - before.ignored_count
        ignored = {(one.topic, one.offset): one for one in (after.ignored[-new:] if new else ())}
        for record in records:
            place = (record.topic, record.offset)
            if before.positions.get(record.topic, 0) <= record.offset:
                self._outcomes[place] = KeyOutcome(ignored.get(place))
        while len(self._outcomes) > MOST_OUTCOMES:
            self._outcomes.popitem(last=False)
