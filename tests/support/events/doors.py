"""The doors of all members over files in which nothing stands, and the router's word on the same events."""

from pathlib import Path

from casebus_producers.connector import Connector
from casebus_producers.outbox.outbox import Outbox
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.agencies import BUS, MEMBERS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.door import DoorEvent, DoorProblem, parse_event
from casebus_schemas.wire.ids import message_uuid
from casebus_services.router.judgement import Judgement, judge
from support.events.signed_events import Speaker, keyring_of, stored

CATALOG = Catalog.load()
NOW_MS = 1_795_838_400_000
"""2026-11-28, on the bus's clock."""


class Doors:
    """The connector of each speaker, over an own file in which nothing stands."""

    def __init__(self, folder: Path) -> None:
        self._outboxes: dict[str, Outbox] = {}
        self._folder = folder
        self.speakers = {agency: Speaker(agency) for agency in (*MEMBERS, BUS)}
        self.keyring: Keyring = keyring_of(*self.speakers.values())

    def problems(self, event: object, agency: str) -> list[DoorProblem]:
        """What the door of an agency finds wrong; nothing is queued."""
        if agency not in self._outboxes:
            key = self.speakers[agency].key
            assert key is not None
            self._outboxes[agency] = Outbox(
                self._folder / f"{agency}.db", agency=agency, key=key, partitions=4
            )
        outbox = self._outboxes[agency]
        connector = Connector(outbox, CATALOG, lambda: b"a secret of at least thirty-two bytes")
        try:
            with outbox.writing() as writing:
                connector.prepare(writing, parse_event(event, CATALOG))
        except DoorProblem as problem:
            return list(problem.every)
        return []

    def say(self, event: DoorEvent) -> Composed:
        """The event, rightly signed by its speaker."""
        return self.speakers[event.agency].say(
            event.type,
            event.data,
            event.subject,
            source=event.source,
            id=event.id or message_uuid(event.agency, event.data["envelope"]["message_no"]),
        )

    def judged(self, event: DoorEvent) -> Judgement:
        """What the router says of the event."""
        return judge(stored(self.say(event)), CATALOG, self.keyring, 4, NOW_MS)

    def close(self) -> None:
        """Closes the files."""
        for outbox in self._outboxes.values():
            outbox.close()
