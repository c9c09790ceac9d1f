"""The regulator's door, which has a document, and the police's thread that fetches it."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from casebus_consumers.door.attachments.fetching import Attachments
from casebus_consumers.door.attachments.store import Annex
from casebus_consumers.door.http import create_app
from casebus_schemas.wire.signing import SigningKey
from support.cases.chains import at
from support.cases.members import door_event
from support.events import receipts
from support.events.admissions import Admitter
from support.events.signed_events import chain, seed_of, stored
from support.scenes.door_children import fetching
from support.scenes.door_scene import DoorScene
from support.scenes.kept import keep

DOCUMENT = bytes(range(256)) * 1024 * 12
"""3 MiB."""
DIGEST = sha256(DOCUMENT).hexdigest()
PIECE = 1024 * 1024
MPS = SigningKey(seed_of("mps"))


class Sender:
    """The regulator's door, which has said an event that names the document, to the police."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.scene = DoorScene(folder)
        self.scene.door.keyring = lambda: Admitter().keyring  # type: ignore[method-assign]  # no Kafka here
        self.app = create_app(self.scene.door, self.scene.clients, hosts=frozenset({"127.0.0.1"}))

    def say(self, document: bytes = DOCUMENT, *told: str) -> None:
        """Stores a document, says an event that names it, and has it admitted."""
        digest = sha256(document).hexdigest()
        self.put(document)
        annex = {
            "kind": "other",
            "title": "t",
            "sha256": digest,
            "size": len(document),
            "media_type": "text/plain",
        }
        event = door_event(id="0190163d-8694-739b-aea5-966c26f8ad01", data={"annexes": [annex]})
        answer = self.scene.post("/v1/events", event)
        assert answer.status_code == 202, answer.text
        (row,) = self.scene.door._outbox.pending(0, 10, 10**8)
        receipt = receipts.admitted(stored(row.record, 7), at("2016-10-19"), *(told or ("mps",)))
        keep(self.scene.door, receipt)
        self.scene.door._threads["attachments"].look()  # type: ignore[attr-defined]  # an Attachments

    def put(self, document: bytes, digest: str | None = None) -> Any:
        """Uploads a document as the agency's own system does."""
        path = f"/v1/attachments/{digest or sha256(document).hexdigest()}"
        headers = {"content-type": "application/octet-stream"}
        return self.scene.client.put(path, content=document, headers=headers)


def receiver(folder: Path, url: str, document: bytes = DOCUMENT, **more: Any) -> Attachments:
    """The police's thread that fetches; it has heard that the regulator names a document."""
    folder.mkdir(exist_ok=True)
    found = fetching(folder, url, piece=PIECE, **more)
    annex = Annex("ab" * 32, sha256(document).hexdigest(), chain(1), "csrc", len(document), None, False)
    found._store.note("inbox", 0, [annex])
    return found


def state(of: Attachments) -> tuple[str, str | None]:
    """State and problem of the one document."""
    (listed,) = of._store.listed()
    return listed["state"], listed["problem"]


def again(of: Attachments) -> None:
    """As if the pause were over."""
    of._store.fetch_again()
    assert of.fetch_one()
