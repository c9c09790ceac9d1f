"""One agency's door without HTTP: takes events durably, knows what became of them, hears, and answers."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from uuid import UUID

from casebus_consumers.liaison.inbox import Inbox, Told, read_notice
from casebus_consumers.own.intake import Intake
from casebus_consumers.own.opening import own_file
from casebus_consumers.own.store import OwnStore, record_of
from casebus_consumers.own.view import OwnView
from casebus_producers.checking.said_advice import SaidAdvice
from casebus_producers.config import AgencySettings
from casebus_producers.connector import Connector
from casebus_producers.faults import PublisherFaults
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import Acknowledged, Queued, ReadyEvent
from casebus_producers.outbox.publisher import Publisher
from casebus_producers.sealing.sealer import Sealer
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.notice_records import parse_notice
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import inbox
from casebus_schemas.errors import RetryLater
from casebus_schemas.times import to_datetime
from casebus_schemas.wire.door import DoorProblem, parse_event
from casebus_services import tracing
from casebus_services.metrics.named import counter

from .attachments.fetching import Attachments
from .attachments.store import AttachmentStore, attachments_folder
from .bell import Bell
from .files.folder import DropFolder
from .files.store import DropStore, folder_file
from .following import EpochFollower, Follower, InboxFollower, ReceiptFollower, Relay
from .outbound import Outbound
from .said import Said
from .settings import DoorSettings
from .taken import Taken
from .webhooks.store import webhooks_file
from .webhooks.telling import Webhooks

_EVENTS = counter("casebus_door_events_total")

CAUGHT_UP_S = 5.0
STOP_S = 10.0


class DoorOutbox(Outbox):
    """The agency's outbox, which rings when Kafka has acknowledged something."""

    bell: Bell | None = None

    def mark_sent(self, acknowledged: Sequence[Acknowledged]) -> None:
        """Notes what Kafka has acknowledged, and says so."""
        super().mark_sent(acknowledged)
        if self.bell is not None:
            self.bell.ring()


class Door:
    """The program of one agency behind its HTTP interface. Its calls may come from any thread.

    What `say` returns is on disk, signed, and goes out whatever happens next: a process that is killed sends
    it when it is started again. The inbox is heard by one thread into the agency's own view, so that any
    number of clients read it without a reader of Kafka each.
    """

    def __init__(
        self,
        settings: AgencySettings,
        catalog: Catalog,
        *,
        faults: PublisherFaults | None = None,
        doors: Mapping[str, str] | None = None,
    ) -> None:
        """`doors` are the addresses of other agencies' doors, as far as door.yaml does not say them."""
        self.agency = settings.agency
        self.said_bell, self.inbox_bell = Bell(), Bell()
        self._settings = settings
        self._catalog = catalog
        self._outbox = DoorOutbox(
            settings.outbox_file,
            agency=settings.agency,
            key=settings.signing_key(),
            partitions=settings.partitions,
            instance=settings.instance,
        )
        self._outbox.bell = self.said_bell
        self._store = OwnStore(own_file(settings))
        self._sealer = Sealer.of(settings, catalog)
        self._connector = Connector(self._outbox, catalog, settings.chain_secret, self._sealer)
        self._stop = Event()
        self.said = Said(self._outbox, catalog)
        self.view = OwnView(self.agency, self._outbox, self._store, catalog)
        intake = Intake(settings, self._outbox, self._store, catalog)
        own = DoorSettings.read(settings.data_dir)
        shown = None if own.tls is None else (own.tls.certificate, own.tls.key)
        outbound = Outbound(own.reach, ca_file=own.ca_file, certificate=shown)
        publisher = Publisher(self._outbox, settings, faults=faults)
        self._inbox = InboxFollower(f"{self.agency}-inbox", self._stop, intake, self._heard_more)
        self._receipts = ReceiptFollower(
            f"{self.agency}-receipts", self._stop, settings, self._outbox, catalog, self._answered
        )
        self._epochs = EpochFollower(
            f"{self.agency}-epochs", self._stop, settings, self._outbox, catalog, self.said_bell.ring
        )
        self._relay = Relay(f"{self.agency}-relay", self._stop, self._outbox, publisher)
        self._webhooks = Webhooks(
            f"{self.agency}-webhooks",
            self._stop,
            webhooks_file(settings.data_dir),
            self._store,
            self.said,
            outbound,
            faults=faults,
        )
        self._threads: dict[str, Follower] = {
            "inbox": self._inbox,
            "receipts": self._receipts,
            "epochs": self._epochs,
            "relay": self._relay,
            "webhooks": self._webhooks,
        }
        self.documents = AttachmentStore(own.attachments or attachments_folder(settings.data_dir))
        self._threads["attachments"] = Attachments(
            f"{self.agency}-attachments",
            self._stop,
            self.documents,
            self._outbox,
            self._store,
            catalog,
            settings.signing_key(),
            outbound,
            doors={**(doors or {}), **own.doors},
            scanner=own.scanner,
            faults=faults,
        )
        if own.table is not None:
            # Only here: its library is an extra of its own.
            from .table.taking import OutboxTable

            self._threads["table"] = OutboxTable(f"{self.agency}-table", self._stop, self, own.table, faults)
        if own.folder is not None:
            kept = DropStore(folder_file(settings.data_dir))
            self._threads["folder"] = DropFolder(
                f"{self.agency}-folder", self._stop, self, own.folder, kept, faults
            )

    # --- life --------------------------------------------------------------------------------------------

    def beside(self, name: str, make: Callable[[str, Event], Follower]) -> None:
        """One more thread of the door, made with its name and the event that ends it; before `start`."""
        self._threads[name] = make(f"{self.agency}-{name}", self._stop)

    def start(self) -> None:
        """Begins to hear and to relay. What is said before is kept all the same."""
        for thread in self._threads.values():
            thread.start()

    def stop(self) -> None:
        """Ends its threads, each within seconds, and closes the files."""
        self._stop.set()
        self._relay.wake()
        self._webhooks.wake()
        for thread in self._threads.values():
            thread.join(STOP_S)
        self._outbox.close()

    def threads(self) -> list[str]:
        """What it does, by the names of `ails`."""
        return list(self._threads)

    def ails(self) -> dict[str, str]:
        """What does not do what it should, and why."""
        return {name: one.problem for name, one in self._threads.items() if one.problem is not None}

    def _heard_more(self) -> None:
        self.inbox_bell.ring()
        self._webhooks.wake()

    def _answered(self) -> None:
        self.said_bell.ring()
        self._webhooks.wake()

    @property
    def outbox(self) -> Outbox:
        """The agency's outbox, which keeps its receipts, too."""
        return self._outbox

    @property
    def store(self) -> OwnStore:
        """The agency's own view as it is kept: its inbox."""
        return self._store

    # --- saying ------------------------------------------------------------------------------------------

    def say(
        self, events: Sequence[object], *, advise: bool = False, despite: str | None = None
    ) -> list[Taken | DoorProblem]:
        """Checks, signs and keeps events in one transaction: durable when it returns; idempotent.

        What is wrong with an event stands in its place, the others are taken. `despite` is why what the law
        leaves no room for is said all the same. Raises UsageError where it is no reason.
        """
        if any(self._connector.is_to_be_sealed(event) for event in events):
            self._learn_keys()
        if any(self._connector.needs_arrivals(event) for event in events):
            self._inbox.ready.wait(CAUGHT_UP_S)  # at the start: what has arrived may place them
        advice = SaidAdvice(self._outbox, self._catalog, events) if advise else None
        now = to_datetime(time.time_ns() // 1_000_000)
        found: list[Taken | DoorProblem] = []
        traced, spans = self._traced(events)
        for number, one in enumerate(self._connector.submit_all(traced, despite=despite)):
            if isinstance(one, DoorProblem):
                found.append(one)
            else:
                hinted = () if advice is None or one.repeated else tuple(advice.on(number, one, now))
                found.append(Taken(one, hinted))
        self._relay.wake()
        for span in spans:
            span.end()
        taken = sum(isinstance(one, Taken) for one in found)
        for outcome, number in (("taken", taken), ("refused", len(found) - taken)):
            _EVENTS.labels(agency=self.agency, outcome=outcome).inc(number)
        return found

    def _traced(self, events: Sequence[object]) -> tuple[Sequence[object], list[tracing.Started]]:
        """The events under spans of this door, where spans are made: what follows from them belongs below."""
        traced, spans = list(events), []
        for at, event in enumerate(events):
            if isinstance(event, dict):
                span = tracing.begun("door say", event.get(tracing.HEADER), {"casebus.agency": self.agency})
                if span is not None:
                    spans.append(span)
                    traced[at] = {**event, tracing.HEADER: span.traceparent}
        return traced, spans

    def _learn_keys(self) -> None:
        """Reads the others' encryption keys as they stand now; while Kafka is away those known before do."""
        try:
            self._sealer.learn()
        except RetryLater:
            if not self._sealer.knows_keys:
                raise

    def would_say(self, event: object) -> ReadyEvent:
        """The event as `say` would take it, and nothing is kept. Raises DoorProblem with all that is wrong.

        Personal data are looked at and not sealed: whether each recipient has a key is seen when it is said.
        """
        parsed = parse_event(event, self._catalog)
        with self._outbox.writing() as writing:
            return self._connector.prepare(writing, parsed, seal=False)

    def law_of(self, event: object) -> list[str]:
        """The texts of law with their articles on which the type of an event stands, where any are known."""
        kind = self._catalog.types.get(str(event.get("type"))) if isinstance(event, dict) else None
        return [] if kind is None else list(kind.basis)

    # --- hearing -----------------------------------------------------------------------------------------

    def heard(self, after: int, limit: int) -> list[tuple[int, str, str]]:
        """(number, kind, JSON text) of what stands behind a number in the inbox, at most `limit`."""
        return self._store.after(after, limit)

    def acknowledge(self, seqs: Sequence[int]) -> list[Queued]:
        """Says `receipt.delivered` to the senders of these notices, once; gives one event a chain."""
        topic = inbox(self.agency)
        entries = self._store.notices(sorted(set(seqs)))
        notices: list[Told] = [
            read_notice(self.agency, parse_notice(record_of(entry, topic)), self._catalog)
            for entry in entries
        ]
        queued = Inbox(self._settings, self._outbox, self._catalog).acknowledge(notices)
        if queued:
            self._relay.wake()
        return queued

    def numbers(self, notices: Sequence[UUID]) -> list[int]:
        """The numbers of notices by their ids; those that are not known are left out."""
        return self._store.numbers([str(notice) for notice in notices])

    def keyring(self) -> Keyring:
        """The keys of agencies, as the reader of the inbox has them. Raises RetryLater before it has any."""
        return self._inbox.keyring()

    def document_for(self, digest: str, agency: str | None) -> Path | None:
        """The file of a document, for a system of our own (None) or for an agency; None where there is none.

        Another agency has only what an own event names that the bus has delivered to it.
        """
        path = self.documents.path(digest)
        if not path.exists():
            return None
        if agency is not None:
            events = self.documents.own_events(digest)
            if not any(agency in self.said.told_of(bytes.fromhex(event)) for event in events):
                return None
        return path

    def first_unacknowledged(self, up_to: int) -> list[int]:
        """Numbers of the notices up to one that are not acknowledged."""
        with self._outbox.reading() as connection:
            rows = connection.execute(
                "SELECT seq FROM delivery WHERE seq BETWEEN 0 AND ? AND acknowledged_by IS NULL", (up_to,)
            ).fetchall()
        return [row[0] for row in rows]

    def now(self) -> datetime:
        """The wall clock."""
        return to_datetime(time.time_ns() // 1_000_000)
