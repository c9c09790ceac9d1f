"""What the bus answers: receipts of an agency's own records, read from `receipt.<agency>`."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Literal

from casebus_schemas.admission.proof import UnknownKey, forged_receipt
from casebus_schemas.admission.receipts import ADMITTED, LEDGERED, REFUSED, receipt_json
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import BUS_KEY, receipt
from casebus_schemas.errors import Refused
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.records import Record, TopicPartition

from ..config import KafkaLogin
from ..outbox.outbox import Outbox
from .kept_receipts import keep
from .proving_reader import ProvingReader

WaitFor = Literal["admitted", "ledgered"]
_RECEIPTS = frozenset((ADMITTED, LEDGERED, REFUSED))
_log = logging.getLogger(__name__)


_KEPT_LAST = "SELECT max(seq) FROM receipt WHERE seq >= 0"
_AT_ONCE = 500


def keep_new_receipts(login: KafkaLogin, outbox: Outbox, catalog: Catalog) -> None:
    """Keeps what the bus answered since receipts were last kept; the last one must stand where it stood.

    Raises RetryLater if the broker is away, BusError where Kafka holds other receipts than were kept.
    """
    with outbox.reading() as connection:
        (last,) = connection.execute(_KEPT_LAST).fetchone()
    with ReceiptReader(login, outbox.agency, catalog, last or 0, outbox) as reader:
        if last is not None and last >= reader.end():
            raise reader.shorter(last + 1)
        waiting = reader.to_end()
        while run := list(islice(waiting, _AT_ONCE)):
            for offset, found in reader.receipts(run):
                if offset == last and "problem" in found:
                    raise reader.shorter(last + 1)


class ReceiptReader(ProvingReader):
    """Reads an agency's receipts from an offset and proves each by the bus's keys; `start` None begins at the
    first. With an outbox they are kept in its file and compared with what was sent.
    """

    def __init__(
        self,
        login: KafkaLogin,
        agency: str,
        catalog: Catalog,
        start: int | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        self._outbox = outbox
        super().__init__(login, catalog, TopicPartition(receipt(agency), 0), [BUS_KEY], start)

    def end(self) -> int:
        """The offset after the last receipt."""
        return self.ends()[self._place]

    def to_end(self) -> Iterator[Record]:
        """Every receipt that there is now."""
        return self.read_to({self._place: self.catch_up_keys()})

    def receipts(self, records: Sequence[Record]) -> list[tuple[int, dict[str, Any]]]:
        """Offset and JSON (docs/records.md 4) of each receipt among the records.

        One that the bus has not signed says `"forged": true` and why; one that contradicts what was sent, or
        what the bus said before, has a `"problem"`.
        """
        problems = self._forged(records)
        if any(isinstance(problem, UnknownKey) for problem in problems.values()):
            self.catch_up_keys()  # announced since
            problems = self._forged(records)
        found = []
        for record in records:
            try:
                schema, data = decode(self._catalog, record.value)
            except Refused as error:
                _log.warning("receipt %s/%d cannot be read: %s", record.topic, record.offset, error)
                continue
            if schema.type not in _RECEIPTS:
                continue
            said = receipt_json(self._catalog, data)
            problem = problems.get(record.offset)
            if problem is not None:
                said |= {"forged": True, "problem": problem.to_json()}
            elif self._outbox is not None and (otherwise := self._kept(record, data)) is not None:
                said |= {"problem": otherwise.to_json()}
            found.append((record.offset, said))
        return found

    def _forged(self, records: Sequence[Record]) -> dict[int, Sentence]:
        found = ((record.offset, forged_receipt(record, self._keyring)) for record in records)
        return {offset: problem for offset, problem in found if problem is not None}

    def _kept(self, record: Record, data: dict[str, Any]) -> Sentence | None:
        assert self._outbox is not None
        with self._outbox.transaction() as connection:
            return keep(connection, record, data)

    def wait_for(
        self, digests: Iterable[bytes], stage: WaitFor, timeout_s: float
    ) -> Iterator[dict[str, Any]]:
        """Receipts of these events as they come, each stage of an event once, until all are there.

        `admitted` waits for the verdict, admitted or refused; `ledgered` for the verdict and the ledger's
        word. Ends early when the time is up. What is forged is told, and waited for no less.
        """
        wanted = {"verdict"} if stage == "admitted" else {"verdict", "ledgered"}
        waiting = {digest.hex(): set(wanted) for digest in digests}
        seen: set[tuple[str, str]] = set()
        deadline = time.monotonic() + timeout_s
        self.catch_up_keys()
        while any(waiting.values()) and (left_s := deadline - time.monotonic()) > 0:
            for _, found in self.receipts(self.poll(min(left_s, 0.5))):
                digest, said = found["event"]["digest"], found["stage"]
                if found.get("forged"):
                    if digest in waiting:
                        yield found
                    continue
                if digest not in waiting or (digest, said) in seen:
                    continue
                seen.add((digest, said))
                waiting[digest].discard("ledgered" if said == "ledgered" else "verdict")
                if said != "ledgered" or stage == "ledgered":
                    yield found
