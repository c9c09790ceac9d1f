"""Joins the ledger's parts into a service that `casebus run ledger` runs."""

import gc
from functools import partial

from casebus_schemas.admission.receipts import ReceiptWriter
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import agency_key_topics, agency_topics, ledgered_topics
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.records import Batch
from casebus_schemas.wire.signing import SigningKey
from casebus_services.config import ServiceSettings
from casebus_services.streams.heartbeat import Heartbeat
from casebus_services.streams.held import held
from casebus_services.streams.same_log import SameLog
from casebus_services.streams.sink import KafkaSink
from casebus_services.streams.worker import StreamWorker

from .agent import LedgerAgent, Load
from .first_held import first_held
from .receipt_rows import ReceiptRows
from .receipts import SOURCE, ReceiptPublisher, new_producer
from .store import LedgerStore


class LedgerService:
    """The ledger as one process: the stream worker, and the receipts' thread beside it."""

    def __init__(self, settings: ServiceSettings) -> None:
        """Opens the database. Raises UsageError without a ledger URL or a key, RetryLater if it is away."""
        if settings.ledger_url is None:
            raise UsageError(
                "the ledger has no database", expected="CASEBUS_LEDGER_URL=sqlite:///… or postgresql://…"
            )
        if settings.signing_key_file is None:
            raise UsageError("the ledger has no signing key", expected="CASEBUS_SIGNING_KEY_FILE=…")
        key = SigningKey.from_file(settings.signing_key_file)
        self.store = LedgerStore(settings.ledger_url, writer=f"ledger-{settings.instance}")
        load = Load()
        n = settings.partitions
        self.receipts = ReceiptPublisher(
            ReceiptRows(self.store.database),
            KafkaSink(settings, f"ledger-receipts-{settings.instance}"),
            ReceiptWriter(Catalog.load(), SOURCE, key, new_producer(settings.instance)),
            [*(spec.name for spec in agency_topics(n)), *agency_key_topics()],
            instance=settings.instance,
            is_busy=load.is_busy,
        )
        self._agent = LedgerAgent(self.store, self.receipts, partial(first_held, settings), load)
        self._heartbeat = Heartbeat(settings.data_dir, passed=self._agent.passed)
        self.worker = StreamWorker(
            "ledger",
            settings,
            [spec.name for spec in ledgered_topics(n)],
            self._handle,
            next_offsets=SameLog(
                self._agent.next_offsets,
                self.store.last_entries,
                partial(held, settings, f"ledger-{settings.instance}-log"),
            ).next_offsets,
            on_assigned=self._heartbeat.beat,
            on_revoked=self._agent.revoked,
            tick=self._heartbeat.beat,
        )

    def run(self) -> int:
        """Runs until SIGTERM or SIGINT; gives the exit code. Blocks the main thread."""
        spare_collections()
        self.receipts.start()
        try:
            return self.worker.run()
        finally:
            self.receipts.stop()
            self.store.close()

    def _handle(self, batches: list[Batch]) -> None:
        self._agent.handle(batches)
        self._heartbeat.handled(batches)


def spare_collections() -> None:
    """Lets the cycle collector run rarely: records and rows have no cycles, and are many.

    At its defaults it walks through every fetched record several times: 15 % of the ledger's processor time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


def build_ledger(settings: ServiceSettings) -> LedgerService:
    """The ledger service."""
    return LedgerService(settings)
