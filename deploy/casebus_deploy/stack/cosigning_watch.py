"""How the ledger's heads stand, for page and doctor: final, withheld, or shown in two histories."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from casebus_consumers.auditor.cosigned_heads import witnesses_in_words
from casebus_consumers.auditor.gossip import Gossip
from casebus_producers.config import KafkaLogin
from casebus_schemas.catalogue.topology import OPERATOR
from casebus_schemas.connection import Connection
from casebus_schemas.errors import BusError

from .examined import Examined

NEWEST = 500
"""Heads that are looked at: the newest, of each topic."""


class CosigningWatch:
    """Looks again and again through one reader, for the status page. Used by one thread at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._gossip: Gossip | None = None

    def look(self) -> Mapping[str, Any] | None:
        """As JSON; None where there is no policy, or the broker does not answer. Never raises BusError."""
        try:
            if self._gossip is None:
                self._gossip = _open(self._connection)
            return None if self._gossip is None else self._gossip.look().to_json()
        except BusError:  # the page shows the broker itself as down
            if self._gossip is not None:
                self._gossip.close()
                self._gossip = None
            return None


def _open(connection: Connection) -> Gossip | None:
    file = connection.policy_file
    if file is None or not file.exists():
        return None
    return Gossip(KafkaLogin.read(OPERATOR, connection), file, NEWEST)


def cosigning_examined(connection: Connection, folder: Path) -> Iterator[Examined]:
    """What the doctor says of the heads, and of the witnesses that run in this folder."""
    from casebus_deploy.status_page.folder import read_json

    beat = read_json(folder / "services" / "witness" / "heartbeat.json")
    for one in beat.get("witnesses", ()):
        if one.get("waits"):
            yield Examined("witness", "warn", f"{one['witness']} does not cosign: {one['waits']}")
    try:
        gossip = _open(connection)
        if gossip is None:
            return
        with gossip:
            standing = gossip.look()
    except BusError as error:
        yield Examined("heads", "warn", error.detail)
        return
    for split in standing.splits:
        found = f"two histories: size {split.size} has two roots, shown by {' and '.join(split.shown_by)}"
        yield Examined("heads", "bad", found, "keep both notes: casebus ledger gossip --json > FILE")
    for name, words in witnesses_in_words(standing).items():
        yield Examined("heads", "warn", f"{name}: {words}", "ask its agency: casebus run witness")
    if not standing.splits and not standing.withheld:
        yield Examined("heads", "ok", f"size {standing.size}, final {standing.final}")
