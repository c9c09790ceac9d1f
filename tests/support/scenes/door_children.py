"""Threads of a door as processes of their own, that tests kill."""

import itertools
import json
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

from casebus_consumers.door.addresses import read_networks
from casebus_consumers.door.attachments.fetching import Attachments
from casebus_consumers.door.attachments.store import AttachmentStore
from casebus_consumers.door.door import Door
from casebus_consumers.door.files.folder import QUIET_S, DropFolder
from casebus_consumers.door.files.store import DropStore, folder_file
from casebus_consumers.door.outbound import Outbound
from casebus_consumers.door.said import Said
from casebus_consumers.door.settings import TableSettings
from casebus_consumers.door.table.taking import OutboxTable
from casebus_consumers.door.webhooks.store import webhooks_file
from casebus_consumers.door.webhooks.telling import Webhooks
from casebus_consumers.own.store import OwnStore
from casebus_producers.config import AgencySettings
from casebus_producers.faults import PublisherFaults
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.private_files import write_private
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import seed_of


def take_rows(folder: Path, url_file: Path, kill_at: Mapping[str, int]) -> None:
    """Takes the rows of an outbox table without end."""
    outbox_table(door_of(folder), url_file, PublisherFaults(kill_at)).follow()


def door_of(folder: Path) -> Door:
    """The regulator's door on files of a folder, not started."""
    settings = AgencySettings(
        bootstrap_servers="127.0.0.1:1",
        sasl_username="csrc",
        sasl_password_file=folder / "password",
        agency="csrc",
        signing_key_file=folder / "key",
        chain_secret_file=folder / "secret",
        data_dir=folder,
    )
    _write_secrets(folder)
    door = Door(settings, Catalog.load())
    door._inbox.ready.set()  # nothing is to be waited for
    return door


def _write_secrets(folder: Path) -> None:
    for name, text in (("key", "5" * 64), ("secret", "s" * 40), ("password", "secret")):
        write_private(folder / name, text)


def outbox_table(door: Door, url_file: Path, faults: PublisherFaults | None = None) -> OutboxTable:
    """The thread that takes the rows of a table."""
    return OutboxTable("csrc-table", Event(), door, TableSettings(url_file), faults)


def take_files(folder: Path, dropped: Path, kill_at: Mapping[str, int]) -> None:
    """Takes the files of a folder without end."""
    drop_folder(door_of(folder), folder, dropped, PublisherFaults(kill_at)).follow()


def drop_folder(
    door: Door, folder: Path, dropped: Path, faults: PublisherFaults | None = None, clock_s: Any = None
) -> DropFolder:
    """The thread that takes the files of a folder; each is whole at once unless a clock is given."""
    started = time.monotonic()
    ticks = itertools.count()
    clock = clock_s or (lambda: started + 2 * QUIET_S * next(ticks))
    return DropFolder("csrc-folder", Event(), door, dropped, DropStore(folder_file(folder)), faults, clock)


def fetch_documents(folder: Path, url: str, piece: int, kill_at: Mapping[str, int]) -> None:
    """Fetches the documents of the regulator's door without end."""
    thread = fetching(folder, url, piece=piece, faults=PublisherFaults(kill_at))
    thread._store.fetch_again()
    thread.follow()


def fetching(folder: Path, url: str, **more: Any) -> Attachments:
    """The thread of the police that fetches documents from the regulator's door at this address."""
    key = SigningKey(seed_of("mps"))
    outbox = Outbox(folder / "outbox.db", agency="mps", key=key, partitions=4)
    given = {"doors": {"csrc": url}, "outbound": Outbound(read_networks(["127.0.0.0/8"])), **more}
    outbound = given.pop("outbound")
    store, heard = AttachmentStore(folder / "attachments"), OwnStore(folder / "own.db")
    return Attachments(
        "mps-attachments", Event(), store, outbox, heard, Catalog.load(), key, outbound, **given
    )


def connection_of(folder: Path) -> Path:
    """A connection.json of the regulator's, without a broker."""
    _write_secrets(folder)
    entry = {
        "username": "csrc",
        "password_file": str(folder / "password"),
        "signing_key_file": str(folder / "key"),
        "data_dir": str(folder),
    }
    body = {
        "bootstrap_servers": "127.0.0.1:1",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "partitions": 4,
        "principals": {"csrc": entry},
    }
    file = folder / "connection.json"
    file.write_text(json.dumps(body))
    return file


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
