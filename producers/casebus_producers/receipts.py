"""What the bus answers: receipts of an agency's own records, read from `receipt.<agency>`."""

import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from casebus_schemas.admission.receipts import ADMITTED, LEDGERED, REFUSED, receipt_json
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import receipt
from casebus_schemas.errors import Refused
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.records import Record, TopicPartition

from .config import KafkaLogin
from .topic_reader import TopicReader

WaitFor = Literal["admitted", "ledgered"]
_RECEIPTS = frozenset((ADMITTED, LEDGERED, REFUSED))
_log = logging.getLogger(__name__)


class ReceiptReader(TopicReader):
    """Reads an agency's receipts from an offset; `start` None begins at the first."""

    def __init__(self, login: KafkaLogin, agency: str, catalog: Catalog, start: int | None = None) -> None:
        self._catalog = catalog
        self._place = TopicPartition(receipt(agency), 0)
        super().__init__(login, [self._place.topic], None if start is None else {self._place: start})

    def end(self) -> int:
        """The offset after the last receipt."""
        return self.ends()[self._place]

    def receipts(self, records: Iterable[Record]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Offset and JSON (docs/records.md 4) of each receipt among the records."""
        for record in records:
            try:
                schema, data = decode(self._catalog, record.value)
            except Refused as error:
                _log.warning("receipt %s/%d cannot be read: %s", record.topic, record.offset, error)
                continue
            if schema.type in _RECEIPTS:
                yield record.offset, receipt_json(self._catalog, data)

    def wait_for(
        self, digests: Iterable[bytes], stage: WaitFor, timeout_s: float
    ) -> Iterator[dict[str, Any]]:
        """Receipts of these events as they come, each stage of an event once, until all are there.

        `admitted` waits for the verdict, admitted or refused; `ledgered` for the verdict and the ledger's
        word. Ends early when the time is up.
        """
        wanted = {"verdict"} if stage == "admitted" else {"verdict", "ledgered"}
        waiting = {digest.hex(): set(wanted) for digest in digests}
        seen: set[tuple[str, str]] = set()
        deadline = time.monotonic() + timeout_s
        while any(waiting.values()) and (left_s := deadline - time.monotonic()) > 0:
            for _, found in self.receipts(self.poll(min(left_s, 0.5))):
                digest, said = found["event"]["digest"], found["stage"]
                if digest not in waiting or (digest, said) in seen:
                    continue
                seen.add((digest, said))
                waiting[digest].discard("ledgered" if said == "ledgered" else "verdict")
                if said != "ledgered" or stage == "ledgered":
                    yield found
