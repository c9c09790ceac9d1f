"""A door's webhooks on a clock of the test, with one receiver; notices that arrive there."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from casebus_consumers.door.addresses import read_networks
from casebus_consumers.door.outbound import Outbound
from casebus_consumers.door.webhooks.store import EVENTS, WebhookStore, webhooks_file
from casebus_consumers.door.webhooks.telling import Webhooks
from casebus_consumers.own.store import NOTICE, Entry, OwnStore
from support.events.signed_events import chain
from support.scenes.door_scene import DoorScene
from support.scenes.webhook_receiver import Receiver

LOOPBACK = read_networks(["127.0.0.0/8"])
DAY_S = 86_400


class WebhookScene:
    """A door's webhooks on a clock of the test, with one receiver."""

    def __init__(self, folder: Path, receiver: Receiver) -> None:
        self.scene = DoorScene(folder)
        self.heard = self.scene.store
        self.receiver = receiver
        self.now_s = time.time()
        self.store = WebhookStore(webhooks_file(folder), self.clock_ms)
        self.webhooks = Webhooks(
            "webhooks",
            Event(),
            webhooks_file(folder),
            self.heard,
            self.scene.door.said,
            Outbound(LOOPBACK),
            clock_ms=self.clock_ms,
        )

    def clock_ms(self) -> int:
        """The time of the test."""
        return int(self.now_s * 1_000)

    def add(self, name: str = "desk", *events: str, asymmetric: bool = False) -> str:
        """An address that is told all from the start; its secret."""
        url, wanted = self.receiver.url, events or EVENTS
        return self.store.add(name, url, wanted, asymmetric=asymmetric, places=(-1, None, -1))

    def hear(self, *numbers: int) -> None:
        """Notices arrive."""
        hear(self.heard, *numbers)

    def tell(self) -> None:
        """Takes and tells all that is due now."""
        with ThreadPoolExecutor(2) as pool:
            for _ in range(3):
                self.webhooks.step(self.store, pool)
                for run in list(self.webhooks._runs.values()):
                    run.result()


def notice_id(number: int) -> str:
    """Id of a notice."""
    return f"0190163d-0000-7000-8000-{number:012d}"


def hear(store: OwnStore, *numbers: int) -> None:
    """Notices at these numbers of the inbox, as they are kept."""
    entries = [
        Entry(
            number,
            NOTICE,
            notice_id(number),
            chain(1),
            "mps",
            "referral.filed",
            b"d" * 32,
            1_700_000_000_000,
            "{}",
        )
        for number in numbers
    ]
    store.add("inbox.csrc", entries, max(numbers) + 1)
