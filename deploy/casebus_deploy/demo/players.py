"""The agencies' own programs for a demo: outbox and publisher, inbox and receipts read live and proven."""

import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self

from casebus_producers.config import AgencySettings
from casebus_producers.connector import Connector
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import Queued
from casebus_producers.outbox.publisher import Publisher
from casebus_producers.received.inbox_reader import InboxReader
from casebus_producers.received.receipts import ReceiptReader
from casebus_producers.sealing.opener import Opened, Opener
from casebus_producers.sealing.sealer import Sealer
from casebus_schemas.admission.notice_records import NoticeRecord
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import inbox, receipt
from casebus_schemas.connection import Connection
from casebus_schemas.errors import BusError
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.codec import decode

_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class HeardNotice:
    """A notice read from an agency's inbox; `data` is the decoded event. `at_ms` is real time.

    `opened` is what the agency reads of its sealed part with its own keys, None where there is none.
    """

    agency: str
    record: NoticeRecord
    data: dict[str, Any]
    at_ms: int
    opened: Opened | None = None

    @property
    def of_bus(self) -> bool:
        """Whether the bus itself speaks: an obligation or a finding."""
        return self.record.headers.source.startswith("/bus")


@dataclass(frozen=True, slots=True)
class HeardReceipt:
    """A receipt read by the agency that published, as JSON of records.md 4. `at_ms` is real time."""

    agency: str
    body: dict[str, Any]
    at_ms: int

    @property
    def event(self) -> str:
        """Id of the event that it is about."""
        return str(self.body["event"]["id"])


@dataclass(frozen=True, slots=True)
class HeardForgery:
    """A record of an agency's inbox or receipts that is not by whom it says, or cannot be read."""

    topic: str
    seq: int
    problem: str


Heard = HeardNotice | HeardReceipt | HeardForgery


class Desk:
    """One agency: says through its own outbox, hears in threads of its own until closed."""

    def __init__(
        self, agency: str, connection: Connection, catalog: Catalog, heard: "queue.Queue[Heard | BusError]"
    ) -> None:
        self.agency = agency
        self._catalog = catalog
        self._heard = heard
        self._settings = AgencySettings.read(agency, connection)
        self._settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._outbox = Outbox(
            self._settings.outbox_file,
            agency=agency,
            key=self._settings.signing_key(),
            partitions=self._settings.partitions,
            instance=self._settings.instance,
        )
        sealer = Sealer.of(self._settings, catalog)
        self._connector = Connector(self._outbox, catalog, self._settings.chain_secret, sealer)
        self._publisher = Publisher(self._outbox, self._settings)
        self._stopping = threading.Event()
        self._listeners = [
            threading.Thread(target=self._listen, args=(hear,), name=f"{agency}-{name}", daemon=True)
            for name, hear in (("inbox", self._hear_notices), ("receipts", self._hear_receipts))
        ]

    def open(self) -> None:
        """Starts publishing and listening."""
        self._publisher.start()
        for listener in self._listeners:
            listener.start()

    def close(self) -> None:
        """Ends both. Bounded."""
        self._stopping.set()
        self._publisher.stop()
        for listener in self._listeners:
            listener.join(20)
        self._outbox.close()

    def say(self, event: dict[str, Any]) -> Queued:
        """Queues an event of the door, signed and durable, and wakes the publisher."""
        queued = self._connector.submit(event)
        self._publisher.wake()
        return queued

    def _listen(self, hear: Callable[[], None]) -> None:
        try:
            hear()
        except BusError as error:
            if not self._stopping.is_set():
                self._heard.put(error)

    def _hear_notices(self) -> None:
        opener = Opener(self._settings, self._catalog)
        with InboxReader(self._settings, self._catalog, 0) as reader:
            while not self._stopping.is_set():
                if records := reader.poll(_POLL_S):
                    now = _now_ms()
                    for read in reader.proven(records, self._outbox):
                        if not isinstance(read, NoticeRecord):
                            self._heard.put(HeardForgery(inbox(self.agency), read.seq, _why(read.problem)))
                            continue
                        _, data = decode(self._catalog, read.event.value)
                        opened = opener.of_event(read.headers, data)
                        self._heard.put(HeardNotice(self.agency, read, data, now, opened))

    def _hear_receipts(self) -> None:
        with ReceiptReader(self._settings, self.agency, self._catalog) as reader:
            while not self._stopping.is_set():
                if records := reader.poll(_POLL_S):
                    now = _now_ms()
                    for offset, said in reader.receipts(records):
                        if said.get("forged"):
                            problem = str(said.get("problem"))
                            self._heard.put(HeardForgery(receipt(self.agency), offset, problem))
                            continue
                        self._heard.put(HeardReceipt(self.agency, said, now))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _why(problem: Sentence | str) -> str:
    return problem if isinstance(problem, str) else problem.en


class Desks:
    """The desks of all members, and one ear for what any of them hears."""

    def __init__(self, connection: Connection, agencies: Iterable[str], catalog: Catalog) -> None:
        self._heard: queue.Queue[Heard | BusError] = queue.Queue()
        self._desks = {agency: Desk(agency, connection, catalog, self._heard) for agency in agencies}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        for desk in self._desks.values():
            self._open.callback(desk.close)
            desk.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def say(self, agency: str, event: dict[str, Any]) -> Queued:
        """Lets an agency say an event of the door."""
        return self._desks[agency].say(event)

    def next_heard(self, timeout_s: float) -> Heard | None:
        """The next notice or receipt, None if none comes in time. Raises what ended a listener."""
        try:
            heard = self._heard.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(heard, BusError):
            raise heard
        return heard
