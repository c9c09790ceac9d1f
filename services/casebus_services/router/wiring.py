"""Joins the router's parts into a service that `casebus run router` runs."""

import gc
import time

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import (
    COMMAND,
    FINDING,
    OBLIGATION,
    agency_key_topics,
    agency_topics,
    key_topics,
)
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.records import Batch
from casebus_schemas.wire.signing import SigningKey
from casebus_services.clock import BusClock
from casebus_services.clock_commands import ClockCommands
from casebus_services.config import ServiceSettings
from casebus_services.streams.ends import KafkaEnds
from casebus_services.streams.heartbeat import Heartbeat
from casebus_services.streams.side_reader import SideReader
from casebus_services.streams.sink import KafkaSink
from casebus_services.streams.worker import StreamWorker

from . import measured
from .agent import Router, Surroundings
from .keys import KeyringKeeper
from .originals import reader_of_originals

MOST_OF_ONE = 400
"""Records of one agency in flight, half of them being judged: what another says waits for no more of them
than that, some 0.3 s. With 2,000 a notice beside a flood came 1.5 s later than calm."""


KEYS_WAIT_S = 3.0
"""For the announcement of a key that nobody knows; then its record is refused and may be driven again."""


class RouterService:
    """The router as one process: the stream worker, and readers of all keys and commands beside it."""

    def __init__(self, settings: ServiceSettings) -> None:
        """Reads the signing key. Raises UsageError if there is none."""
        if settings.signing_key_file is None:
            raise UsageError("the router has no signing key", expected="CASEBUS_SIGNING_KEY_FILE=…")
        key = SigningKey.from_file(settings.signing_key_file)
        name, n = f"router-{settings.instance}", settings.partitions
        self.clock = BusClock(simulated=settings.simulated_clock)
        self._catalog = Catalog.load()
        self._keys = KeyringKeeper(self._catalog, n, KafkaEnds(settings, f"{name}-ends"))
        self._key_reader = SideReader(settings, f"{name}-keys", key_topics(), self._keys.on_batch)
        self._clock_commands = ClockCommands(
            self.clock, self._catalog, lambda: self._keys.current, self._key_reader.catch_up
        )
        self._command_reader = SideReader(settings, f"{name}-commands", [COMMAND], self._follow_clock)
        self._sink = KafkaSink(settings, name)
        surroundings = Surroundings(
            keyring=lambda: self._keys.current,
            catch_up_keys=lambda: self._key_reader.catch_up(KEYS_WAIT_S),
            catch_up_commands=self._command_reader.catch_up,
            clock=self.clock,
            originals=reader_of_originals(settings, f"{name}-originals"),
            sink=self._sink,
            key_outcomes=self._keys.outcome,
        )
        self._router = Router(
            surroundings,
            key=key,
            # A new incarnation at each start: this service keeps no stream heads.
            producer=f"{name}.{time.time_ns()}",
            catalog=self._catalog,
            partitions=n,
        )
        self._heartbeat = Heartbeat(
            settings.data_dir,
            counts=self._counts,
            ignored_keys=self._keys.ignored,
            key_terms=lambda: self._keys.terms(self.clock.now_ms()),
        )
        self.worker = StreamWorker(
            "router",
            settings,
            [*(spec.name for spec in agency_topics(n)), *agency_key_topics(), FINDING, OBLIGATION, COMMAND],
            self._handle,
            on_assigned=self._heartbeat.beat,
            tick=self._heartbeat.beat,
            max_records=MOST_OF_ONE // 2,
            most_of_one=MOST_OF_ONE,
        )

    def run(self) -> int:
        """Runs until SIGTERM or SIGINT; gives the exit code. Blocks the main thread.

        Raises RetryLater if the broker is away at the start.
        """
        self._key_reader.start()
        self._command_reader.start()
        # A batch is many small values without cycles: looking for cycles among them took a tenth of the time.
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)
        try:
            return self.worker.run()
        finally:
            self._sink.close()
            self._command_reader.stop()
            self._key_reader.stop()

    def _counts(self) -> dict[str, int]:
        measured.ignored_keys(self._keys.current.ignored_count)
        return {
            "key events ignored": self._keys.current.ignored_count,
            "records set aside (casebus dead-letters list --code set-aside)": self._router.set_aside,
        }

    def _handle(self, batches: list[Batch]) -> None:
        self._router.handle(batches)
        self._heartbeat.handled(batches)

    def _follow_clock(self, batch: Batch) -> None:
        # In the command reader's thread.
        self._clock_commands.follow(batch.records)


def build_router(settings: ServiceSettings) -> RouterService:
    """The router service."""
    return RouterService(settings)
