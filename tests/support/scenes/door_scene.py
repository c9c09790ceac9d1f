"""A door without a broker: the agency's own files, fed by an `OwnScene`, and a client with a key."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from casebus_consumers.door.clients import Clients, add_client
from casebus_consumers.door.door import Door
from casebus_consumers.door.http import create_app
from casebus_consumers.door.rates import Rates
from casebus_consumers.own.opening import own_file
from casebus_consumers.own.store import OwnStore
from casebus_producers.private_files import write_private
from casebus_schemas.catalogue.catalog import Catalog
from support.events.signed_events import seed_of
from support.scenes.own_scene import OwnScene, ProvenInbox


class DoorScene(OwnScene):
    """What the regulator's systems meet: nothing is sent, what is heard is what the scene delivers."""

    def __init__(self, folder: Path, rates: Rates | None = None) -> None:
        super().__init__(folder)
        write_private(folder / "key", seed_of("csrc").hex())
        write_private(folder / "secret", "s" * 40)
        (folder / "password").write_text("secret")
        settings = replace(self.settings(), chain_secret_file=folder / "secret")
        self.store = OwnStore(own_file(settings))
        self.door = Door(settings, Catalog.load())
        self.door._inbox.ready.set()  # nothing is to be waited for
        self.key = add_client(folder, "ledger-system")
        self.clients = Clients(folder)
        self.app = create_app(self.door, self.clients, hosts=frozenset({"testserver"}), rates=rates)
        self.client = TestClient(self.app, headers={"authorization": f"Bearer {self.key}"})

    def limited(self, rates: Rates) -> Any:
        """The same door as an application with other rates, for loopback."""
        return create_app(self.door, self.clients, rates=rates)

    def close(self) -> None:
        """Closes the files."""
        self.outbox.close()
        self.door._outbox.close()

    def arrive(self) -> None:
        """The inbox comes into the door's own view."""
        start = self.store.left_at(f"inbox.{self.agency}")
        if records := self.inbox[start:]:
            self.intake(self.store).take(ProvenInbox(), records)
            self.door.inbox_bell.ring()

    def post(self, path: str, body: Any, kind: str = "application/json", **more: Any) -> Any:
        """A POST with a body of JSON."""
        return self.client.post(
            path, json=body, headers={"content-type": kind, **more.pop("headers", {})}, **more
        )

    def another_client(self, name: str) -> str:
        """The key of one more client, known at once."""
        key = add_client(self.folder, name)
        self.door_clients_look_again()
        return key

    def door_clients_look_again(self) -> None:
        """As a second later."""
        self.clients._looked_at = 0.0
