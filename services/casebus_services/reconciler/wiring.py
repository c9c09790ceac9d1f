"""Joins the reconciler's parts into a service that `casebus run reconciler` runs."""

import gc
import time
from functools import partial

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ADMISSION
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.records import Batch, TopicPartition
from casebus_schemas.wire.signing import SigningKey
from casebus_services.config import ServiceSettings
from casebus_services.streams.heartbeat import Heartbeat
from casebus_services.streams.held import ends, held
from casebus_services.streams.runs import FetchPace
from casebus_services.streams.same_log import SameLog
from casebus_services.streams.side_reader import SideReader
from casebus_services.streams.sink import KafkaSink
from casebus_services.streams.worker import StreamWorker

from .accounts_database import Database
from .agent import ReconcilerAgent
from .announce import Announcer
from .bus_keys import BusKeys
from .command_follower import CommandFollower
from .intake import Budget
from .last_read import last_read
from .stepped_over import orders_in_words
from .taken_up import TOPICS, TakenUp

Places = frozenset[TopicPartition]

RECORDS_AT_ONCE = 500
"""Records after which a transaction takes no further fetched run: behind by far, 5,000 took 10 s on a busy
machine, in which no heartbeat, no assignment (15 s) and no order to end is answered."""
UNDER_LOAD = (64 * 1024, 60)
"""Bytes to wait for, and for how many milliseconds: a transaction costs more than an event in it, and nobody
waits for a finding as for a notice."""


class ReconcilerService:
    """The reconciler as one process: the stream worker, and beside it the readers of keys and commands."""

    def __init__(self, settings: ServiceSettings) -> None:
        """Opens the database. Raises UsageError without database or key, RetryLater if it is away."""
        if settings.accounts_url is None:
            raise UsageError(
                "the reconciler has no database",
                expected="CASEBUS_ACCOUNTS_URL=sqlite:///… or postgresql://…",
            )
        if settings.signing_key_file is None:
            raise UsageError("the reconciler has no signing key", expected="CASEBUS_SIGNING_KEY_FILE=…")
        key = SigningKey.from_file(settings.signing_key_file)
        self._settings = settings
        name, catalog = f"reconciler-{settings.instance}", Catalog.load()
        # Begins the streams of partitions that this database does not know: a new or an emptied database
        # must not repeat numbers that are in Kafka already.
        incarnation = time.time_ns()
        self._database = Database(settings.accounts_url)
        self._database.migrate()
        self._sink = KafkaSink(settings, name)
        self._keys = BusKeys(settings, name, catalog)
        self._commands = CommandFollower(settings, name, catalog, self._keys)
        self._agent = ReconcilerAgent(
            self._database,
            catalog,
            Announcer(catalog, key, settings.partitions),
            self._sink,
            self._commands.now_ms,
            self._keys,
            incarnation,
            orders=self._commands.orders,
            budget=Budget(settings.chain_budget_s, settings.transaction_budget_s),
            stepped_over=self._commands.stepped_over,
            notices=self._commands.notices,
            ends=lambda: ends(settings, f"{name}-ends", ADMISSION, settings.partitions),
        )
        self._taken_up = TakenUp(self._database, self._keys, incarnation)
        self._heartbeat = Heartbeat(settings.data_dir, self._agent.stopped, self._counts)
        self.worker = StreamWorker(
            "reconciler",
            settings,
            [ADMISSION],
            self._handle,
            next_offsets=SameLog(
                self._agent.next_offsets,
                partial(last_read, self._database),
                partial(held, settings, f"{name}-log"),
            ).next_offsets,
            on_assigned=self._assigned,
            on_revoked=self._agent.revoked,
            tick=self._tick,
            max_records=RECORDS_AT_ONCE,
            pace=FetchPace(busy=UNDER_LOAD),
        )

    def run(self) -> int:
        """Runs until SIGTERM or SIGINT; gives the exit code. Blocks the main thread.

        Raises RetryLater if the broker is away at the start.
        """
        self._keys.start()
        self._commands.start()
        self._take_up()
        # Books are many objects without cycles: looking for cycles among them took a tenth of the time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 20, 100)
        try:
            return self.worker.run()
        finally:
            self._sink.close()
            self._commands.stop()
            self._keys.stop()
            self._database.close()

    def _take_up(self) -> None:
        """Reads what this bus has said so far: its database may be lost, or older than that."""
        name = f"reconciler-{self._settings.instance}-said"
        said = SideReader(self._settings, name, TOPICS, self._taken_up.take, self._taken_up.starts())
        try:
            said.start()
        finally:
            said.stop()
        self._taken_up.finish()

    def _assigned(self, assigned: Places) -> None:
        self._agent.assigned(assigned)
        self._heartbeat.beat(assigned)

    def _counts(self) -> dict[str, int]:
        return orders_in_words(self._commands.stepped_over())

    def _handle(self, batches: list[Batch]) -> None:
        self._agent.handle(batches)
        self._heartbeat.handled(batches)

    def _tick(self, assigned: Places) -> None:
        self._agent.tick(assigned)
        self._heartbeat.beat(assigned)


def build_reconciler(settings: ServiceSettings) -> ReconcilerService:
    """The reconciler service."""
    return ReconcilerService(settings)
