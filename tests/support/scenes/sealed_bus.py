"""Four members on one machine of files alone: csrc seals, the others open."""

import copy
from pathlib import Path
from typing import Any

from casebus_producers.connector import Connector
from casebus_producers.outbox.outbox_events import Queued
from casebus_producers.sealing.data_keys import DataKeys
from casebus_producers.sealing.opener import Opened, Opener
from casebus_producers.sealing.sealer import Sealer
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.sealed.cipher import DecryptionKey
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from support.cases.members import door_event, encryption_seed, outbox_of, settings_of, write_connection
from support.events.mutated_events import CHAIN
from support.events.signed_events import Speaker, keyring_of, stored

CATALOG = Catalog.load()
NAME = "姜某某甲乙丙"
PERSON = {"ref": "S1", "name": NAME, "addresses": ["上海市某路1号"]}
SUSPECT: dict[str, Any] = {"ref": "S1", "kind": "natural", "name": "姜某", "role": None, "tokens": []}
GRANT = {"sealed": None, "grantee": "法院刑二庭", "purpose": "审理"}


class SealedBus:
    """The four members on one machine; csrc speaks, what it said is handed to the others' openers."""

    def __init__(self, folder: Path) -> None:
        self.connection = write_connection("127.0.0.1:1", folder, folder)
        speakers = [Speaker(agency) for agency in ("csrc", "mps", "spp", "court")]
        keys = {one.agency: DecryptionKey(encryption_seed(one.agency)).public for one in speakers}
        announced = [stored(one.announce_encryption(keys[one.agency]), 1) for one in speakers]
        self.keyring: Keyring = keyring_of(*speakers).extend(announced)
        self.settings = settings_of(self.connection, "csrc")
        self.outbox = outbox_of(self.settings)
        self.data_keys = DataKeys(self.settings.data_keys_dir)
        sealer = Sealer(self.data_keys, lambda: self.keyring, lambda year: [])
        self.connector = Connector(self.outbox, CATALOG, lambda: b"s" * 32, sealer)

    def refer(self, number: int = 1) -> Queued:
        """A referral to mps, told to spp, with a sealed name."""
        data = {"suspects": [SUSPECT], "sealed": {"persons": [copy.deepcopy(PERSON)]}}
        return self.connector.submit(
            door_event(id=f"0190163d-8694-739b-aea5-966c26f8ad{number:02}", subject=CHAIN, data=data)
        )

    def grant(self, *digests: bytes, number: int = 50) -> Queued:
        """What csrc lets the court read: the events of these digests, or all."""
        data = {**GRANT, "events": [digest.hex() for digest in digests]}
        return self.connector.submit(
            door_event(
                type="access.granted",
                id=f"0190163d-8694-739b-aea5-966c26f8ad{number:02}",
                subject=CHAIN,
                envelope={"to": ["court"], "cc": ["spp"]},
                data=data,
            )
        )

    def opened(self, agency: str, queued: Queued) -> Opened:
        """What an agency makes of the sealed part of an event of csrc."""
        (row,) = [row for row in self.outbox.pending(0, 100, 1 << 30) if row.position == queued.position]
        headers = EventHeaders.parse(row.record.headers)
        opener = Opener(settings_of(self.connection, agency), CATALOG)
        found = opener.of_event(headers, decode(CATALOG, row.record.value)[1])
        assert found is not None
        return found
