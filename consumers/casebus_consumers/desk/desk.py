"""One agency's desk without HTTP: its officers, what they may see of the own view, what they say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher

from casebus_consumers.door.door import Door
from casebus_consumers.door.taken import Taken
from casebus_producers.config import AgencySettings
from casebus_producers.outbox.outbox_events import Queued
from casebus_producers.own_events import own_events
from casebus_schemas.agencies import BUS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.door import DoorProblem, to_json

from .background import Looked
from .board import Board, Cases
from .compose.approving import Approvals
from .compose.draft_keys import DraftKeys, draft_keys_folder
from .compose.drafts import Drafts
from .evidence import Evidence, Sources
from .jobs import Jobs
from .ledger_state import ledger_state
from .notices import Notices
from .office import Office
from .own_letters import OwnLetters
from .own_operation import OwnOperation
from .own_tally import OwnTally
from .search_index import SearchIndex
from .store import desk_file

EVIDENCE = "evidence"
"""The folder of what was proven, below the agency's own."""
_LEDGER_FRESH_S, _TALLY_FRESH_S = 5.0, 2.0


@dataclass(frozen=True)
class Glance:
    """What every page tells: how much is new, due and unanswered, and every case by chain."""

    now: datetime
    cases: Cases
    unread: Mapping[str, int]
    seq: int
    """The last notice of which it knows, read before all else: what comes later is told to the page."""

    @property
    def duties(self) -> list[dict[str, Any]]:
        """Every duty that the agency owes or is owed."""
        return self.cases.duties

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Every finding that is known."""
        return self.cases.findings


class Desk(Office):
    """Stands on the agency's door: the same outbox, key, inbox and own view. For several threads."""

    def __init__(
        self,
        door: Door,
        settings: AgencySettings,
        catalog: Catalog,
        *,
        simulated_clock: bool = False,
        hasher: PasswordHasher | None = None,
        ledger: Sources | None = None,
    ) -> None:
        super().__init__(
            door.agency, desk_file(settings.data_dir), simulated_clock=simulated_clock, hasher=hasher
        )
        self.door = door
        self.settings = settings
        self.catalog = catalog
        self.drafts = Drafts(self.store, DraftKeys(draft_keys_folder(settings.data_dir)))
        self.approvals = Approvals.read(self.agency, settings.data_dir, catalog)
        self.notices = Notices(self.store, door.store, door.outbox, catalog)
        self.view = door.view
        self.index = SearchIndex(self.store, door.view, door.store, door.outbox)
        self.evidence = Evidence(ledger or Sources(), door.view, door.store, door.outbox)
        self.ledger_state = Looked(lambda: ledger_state(self.evidence.sources), _LEDGER_FRESH_S)
        self.tally = Looked(OwnTally(door.view, door.store, door.outbox).now, _TALLY_FRESH_S)
        self.jobs = Jobs(self.store, settings.data_dir / EVIDENCE, self.evidence.works())
        self.letters = OwnLetters(door, settings.data_dir, self.store, catalog)
        self.operation = OwnOperation(door, settings.data_dir)
        self._board = Board(door.view, door.store, door.outbox)

    def now(self) -> datetime:
        """The wall clock; on a bus with a simulated clock the last admission that the agency knows of."""
        return self.view.now(simulated=self.simulated_clock)

    def cases(self, now: datetime) -> Cases:
        """Every case by chain, as it stands at `now`."""
        return self._board.cases(now)

    def glance(self) -> Glance:
        """How things stand now."""
        seq, now = self.door.store.last_seq(), self.now()
        self.notices.take()
        return Glance(now, self._board.cases(now), self.notices.counts(), seq)

    def event(self, chain: str, digest: str) -> dict[str, Any] | None:
        """An event of a chain as JSON of the door; None if the agency neither said nor heard it."""
        for entry in self.door.store.of_chain(chain):
            if entry.digest is not None and entry.digest.hex() == digest:
                heard: dict[str, Any] = json.loads(entry.body)["event"]
                return heard
        for own in own_events(self.door.outbox, digest):
            if own.digest.hex() == digest and own.headers.subject == chain:
                return to_json(own.headers, own.data(self.catalog), self.catalog)
        return None

    def heard_of_bus(self, chain: str) -> list[dict[str, Any]]:
        """What the bus told of a chain: notices as JSON, each with the `digest` of its event, in order."""
        return [
            {**json.loads(entry.body), "digest": entry.digest.hex() if entry.digest else None}
            for entry in self.door.store.of_speaker(BUS, chain)
        ]

    def say(self, event: Mapping[str, Any], *, approved: bool = False) -> Queued:
        """Says an event through the agency's own outbox and key: on disk when it returns.

        Raises DoorProblem with all that is wrong, and UsageError where a second officer must approve such an
        event and none has (`approved`); then nothing is said.
        """
        if not approved and self.approvals.of(str(event["type"]), self.now()) is not None:
            raise UsageError(
                "an event that a second officer must approve",
                found=event["type"],
                expected="handed in, and approved by a head who did not write it",
            )
        (found,) = self.door.say([event])
        if isinstance(found, DoorProblem):
            raise found
        assert isinstance(found, Taken)
        return found.queued
