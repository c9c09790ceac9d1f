"""Joins the sealer's parts into a service that `casebus run sealer` runs."""

import logging
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from casebus_schemas.agencies import WITNESSES
from casebus_schemas.catalogue.topology import CHECKPOINT, cosignature
from casebus_schemas.errors import RetryLater, UsageError
from casebus_schemas.evidence.epoch import LONGEST_ORIGIN_BYTES, is_origin
from casebus_schemas.evidence.key_file import read_seed
from casebus_schemas.evidence.signed_note import NoteSigner, VerifierKey
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.wire.records import TopicPartition
from casebus_services.config import ServiceSettings
from casebus_services.ledger.appending import Fenced
from casebus_services.ledger.ledger_database import bus_errors, migrate, open_database
from casebus_services.streams.ends import KafkaEnds
from casebus_services.streams.heartbeat import Heartbeat
from casebus_services.streams.quiet import hush
from casebus_services.streams.side_reader import SideReader
from casebus_services.streams.sink import KafkaSink

from .agent import Pace, Sealer
from .high_water import HighWater
from .known import KnownHeads
from .store import SealerStore

log = logging.getLogger(__name__)

LOOK_S = 0.25
"""Between two looks at the logs' sizes: 1 ms each."""
LAST_RECORDS = 500
"""Read of each topic at the start: a head that is known anywhere is among the last ones."""
START_S = 60.0
LONGEST_PAUSE_S = 5.0


class SealerService:
    """The sealer as one process: its loop, and a thread that reads what is known of heads in Kafka."""

    def __init__(self, settings: ServiceSettings) -> None:
        """Opens the database. Raises UsageError for settings that cannot be, RetryLater if it is away."""
        if settings.ledger_url is None or settings.log_key_file is None:
            raise UsageError(
                "the sealer has no ledger or no key", expected="CASEBUS_LEDGER_URL and CASEBUS_LOG_KEY_FILE"
            )
        self._settings = settings
        signer = signer_of(settings.ledger_origin, settings.log_key_file)
        self._database = open_database(settings.ledger_url)
        with bus_errors(self._database):
            migrate(self._database)
        client_id = f"sealer-{settings.instance}"
        self._known = KnownHeads(signer.key, witness_keys(settings.policy_file))
        self._ends = KafkaEnds(settings, client_id)
        self._sink = KafkaSink(settings, client_id)
        self._reader: SideReader | None = None
        self.sealer = Sealer(
            SealerStore(self._database, settings.ledger_origin),
            signer,
            HighWater(settings.data_dir, signer.key),
            self._known,
            ends=self._ends,
            send=self._sink.send_all,
            catch_up=self._catch_up,
            pace=Pace(settings.seal_interval_s, settings.seal_entries, settings.seal_idle_s),
            writer=client_id,
        )
        self._heartbeat = Heartbeat(
            settings.data_dir,
            counts=lambda: {"records on heads that say nothing": self._known.ignored},
            sealed=lambda: {
                "epoch": self.sealer.epoch,
                "at_ms": self.sealer.sealed_at_ms,
                "waiting": self.sealer.waiting,
            },
        )
        self._stopped = threading.Event()

    def run(self) -> int:
        """Runs until SIGTERM or SIGINT; gives the exit code. Raises StopService where evidence is at risk."""
        hush("aiokafka")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self._stopped.set())
        try:
            self._loop()
            return 0
        finally:
            if self._reader is not None:
                self._reader.stop()
            self._sink.close()
            self._database.engine.dispose()

    def _loop(self) -> None:
        started, pause_s, beaten = False, LOOK_S, 0.0
        while not self._stopped.wait(pause_s if started else 0):
            try:
                if not started:
                    self._read()
                    self.sealer.start()
                    started = True
                self.sealer.turn()
            except Fenced:
                log.info("another sealer was faster; everything is read again")
            except RetryLater as error:
                # It does not beat meanwhile: whoever looks sees that nothing is sealed. What it knows of
                # heads is read anew, since its reader may have ended with the broker.
                started = False
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
                log.warning("nothing is sealed for now: %s", error.detail)
                self._stopped.wait(pause_s)
                continue
            pause_s = LOOK_S
            if time.monotonic() - beaten >= 1:
                self._heartbeat.beat(frozenset())
                beaten = time.monotonic()

    def _read(self) -> None:
        """Begins to read what is known of heads, from the last records of each topic."""
        if self._reader is not None:
            self._reader.stop()
        topics = (CHECKPOINT, *map(cosignature, WITNESSES))
        places = [TopicPartition(topic, 0) for topic in topics]
        starts = {place: max(0, end - LAST_RECORDS) for place, end in self._ends(places).items()}
        self._reader = SideReader(
            self._settings, f"sealer-{self._settings.instance}-heads", topics, self._known.take, starts
        )
        self._reader.start(START_S)

    def _catch_up(self) -> None:
        assert self._reader is not None  # `_loop` begins with it
        self._reader.catch_up()


def signer_of(origin: str, key_file: Path) -> NoteSigner:
    """The ledger's signer. Raises UsageError for a name that cannot be its origin, or a key file at fault."""
    if not is_origin(origin) or len(origin) > LONGEST_ORIGIN_BYTES:
        raise UsageError(
            "the ledger's origin",
            found=repr(origin[:200]),
            expected=f"up to {LONGEST_ORIGIN_BYTES} printable ASCII characters without blank and plus",
        )
    return NoteSigner(origin, read_seed(key_file))


def witness_keys(policy: Path | None) -> Mapping[str, VerifierKey]:
    """The witnesses' keys that a policy file names; none where there is no file. Raises UsageError."""
    if policy is None or not policy.exists():
        return {}
    known = TrustPolicy.parse(policy.read_bytes(), str(policy))
    return {name: witness.key for name, witness in known.witnesses.items()}


def build_sealer(settings: ServiceSettings) -> SealerService:
    """The sealer service."""
    return SealerService(settings)
