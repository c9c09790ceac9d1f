"""Says key events from an agency's outbox, and waits until they show their effect on its key topic."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import BUS_KEY
from casebus_schemas.errors import RetryLater, UsageError
from casebus_schemas.wire.cloud_event import cloud_event
from casebus_schemas.wire.ids import bus_id, uuid7

from ..config import AgencySettings
from ..connector import Connector
from ..outbox.outbox import Outbox
from ..outbox.publisher import Publisher
from .keys_reader import read_keyring

_POLL_S = 0.3


class KeyEvents:
    """The voice of one agency on its key topic, until a deadline."""

    def __init__(self, settings: AgencySettings, timeout_s: float) -> None:
        self._settings = settings
        self._catalog = Catalog.load()
        self._topic = f"{settings.agency}.key"
        self._deadline = time.monotonic() + timeout_s

    def say(self, type: str | None, facts: dict[str, Any]) -> int | None:
        """Queues a key event under the key that signs now, and sends all that waits; gives its offset.

        Raises RetryLater if Kafka does not take it in time.
        """
        outbox = Outbox(
            self._settings.outbox_file,
            agency=self._settings.agency,
            key=self._settings.signing_key(),
            partitions=self._settings.partitions,
            instance=self._settings.instance,
        )
        position = None
        try:
            if type is not None:
                connector = Connector(outbox, self._catalog, self._settings.chain_secret)
                event = _event(self._settings.agency, self._topic, type, facts)
                position = connector.submit(event).position
            publisher = Publisher(outbox, self._settings)
            publisher.run(lambda: outbox.status().pending == 0 or time.monotonic() > self._deadline)
            if left := outbox.status().pending:
                raise RetryLater(
                    f"{left} events still wait in the outbox",
                    found=publisher.state().error or "no acknowledgement in time",
                    remedy="see whether Kafka runs, then give the same command again",
                )
            return None if position is None else outbox.rows([position])[0].offset
        finally:
            outbox.close()

    def until(self, offset: int | None, holds: Callable[[Keyring], bool]) -> None:
        """Waits for the effect of what was said. Raises UsageError if it has none, RetryLater in time."""
        while not holds(keys := self.keyring()):
            if why := next((one.reason for one in keys.ignored if one.offset == offset), None):
                raise UsageError("the key event changes nothing", found=why, expected="its effect")
            if time.monotonic() > self._deadline:
                raise RetryLater(
                    "the key event shows no effect in time",
                    expected=f"its effect on {self._topic}",
                    remedy="give the same command again; casebus keys list shows the keys",
                )
            time.sleep(_POLL_S)

    def keyring(self) -> Keyring:
        """The agency's keys as they stand now."""
        return read_keyring(self._settings, self._catalog, [self._topic, BUS_KEY])


def _event(agency: str, topic: str, type: str, facts: dict[str, Any]) -> dict[str, Any]:
    return cloud_event(
        type,
        source=f"/{agency}",
        id=uuid7(time.time_ns() // 1_000_000, secrets.token_bytes(10)),
        time=datetime.now(UTC).replace(microsecond=0).isoformat(),
        subject=str(bus_id("thread", topic)),
        facts={"holder": agency, **facts},
    )
