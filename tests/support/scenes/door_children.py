"""Threads of a door as processes of their own, that tests kill."""

from collections.abc import Mapping
from pathlib import Path
from threading import Event

from casebus_consumers.door.addresses import read_networks
from casebus_consumers.door.outbound import Outbound
from casebus_consumers.door.said import Said
from casebus_consumers.door.webhooks.store import webhooks_file
from casebus_consumers.door.webhooks.telling import Webhooks
from casebus_consumers.own.store import OwnStore
from casebus_producers.faults import PublisherFaults
from casebus_producers.outbox.outbox import Outbox
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.signing import SigningKey


def tell_webhooks(folder: Path, kill_at: Mapping[str, int]) -> None:
    """Tells the webhooks of a folder without end."""
    webhooks(folder, PublisherFaults(kill_at)).follow()


def webhooks(folder: Path, faults: PublisherFaults | None = None) -> Webhooks:
    """The thread that tells the webhooks of a folder to receivers on loopback."""
    outbox = Outbox(folder / "outbox.db", agency="csrc", key=SigningKey(bytes(32)), partitions=4)
    said = Said(outbox, Catalog.load())
    reach = Outbound(read_networks(["127.0.0.0/8"]))
    store = OwnStore(folder / "own.db")
    return Webhooks("csrc-webhooks", Event(), webhooks_file(folder), store, said, reach, faults=faults)
