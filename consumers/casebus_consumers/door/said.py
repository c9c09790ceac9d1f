"""What became of the events that an agency said: its outbox's rows and the receipts that it kept."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import Queued
from casebus_producers.outbox.publication import published
from casebus_producers.outbox.writing import QUEUED, queued_of
from casebus_producers.received.sealed_receipts import with_epoch
from casebus_schemas.admission.receipts import receipt_json
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode

Stage = Literal["published", "admitted", "ledgered"]
_OF_DIGEST = "SELECT value FROM receipt WHERE digest = ? AND seq >= 0 ORDER BY seq"
_AFTER = "SELECT seq, value FROM receipt WHERE seq > ? ORDER BY seq LIMIT ?"
_FURTHEST = ("ledgered", "refused", "admitted", "published")


class Said:
    """Looks events up in the agency's own file."""

    def __init__(self, outbox: Outbox, catalog: Catalog) -> None:
        self._outbox = outbox
        self._catalog = catalog

    def of_id(self, id: UUID) -> dict[str, Any] | None:
        """The event of that id with its receipts (docs/records.md 4) and the furthest stage it has reached:
        `queued`, `published`, `admitted`, `refused`, `ledgered`; None if the agency never said it."""
        with self._outbox.reading() as connection:
            row = connection.execute(f"{QUEUED} WHERE id = ?", (str(id),)).fetchone()
        return None if row is None else self.standing(queued_of(row))

    def rows(self, queued: Sequence[Queued]) -> list[Queued]:
        """These rows as they stand now."""
        return self._outbox.rows([one.position for one in queued])

    def standing(self, row: Queued) -> dict[str, Any]:
        """An event as it stands."""
        receipts = [published(row)] if row.sent else []
        with self._outbox.reading() as connection:
            values = connection.execute(_OF_DIGEST, (row.digest,)).fetchall()
        seen = set()
        for (value,) in values:
            said = self._receipt(bytes(value))
            if said["stage"] not in seen:  # the router may say one again after a crash
                seen.add(said["stage"])
                receipts.append(said)
        stages = {one["stage"] for one in receipts}
        return {
            "event": event_of(row),
            "stage": next((stage for stage in _FURTHEST if stage in stages), "queued"),
            "receipts": receipts,
        }

    def after(self, seq: int, limit: int) -> list[dict[str, Any]]:
        """Receipts behind a number, in their order, each with its number under `seq`."""
        with self._outbox.reading() as connection:
            rows = connection.execute(_AFTER, (seq, limit)).fetchall()
        return [{"seq": row[0], **self._receipt(bytes(row[1]))} for row in rows]

    def told_of(self, digest: bytes) -> set[str]:
        """The agencies to which the bus has delivered an own event."""
        with self._outbox.reading() as connection:
            values = connection.execute(_OF_DIGEST, (digest,)).fetchall()
        said = [self._receipt(bytes(value)) for (value,) in values]
        return {one["agency"] for receipt in said for one in receipt.get("notices", ())}

    def last_receipt(self) -> int:
        """The number of the receipt that came last, -1 where none has come."""
        with self._outbox.reading() as connection:
            (found,) = connection.execute(
                "SELECT coalesce(max(seq), -1) FROM receipt WHERE seq >= 0"
            ).fetchone()
        return int(found)

    def _receipt(self, value: bytes) -> dict[str, Any]:
        return with_epoch(self._outbox, receipt_json(self._catalog, decode(self._catalog, value)[1]))


def reached(standing: dict[str, Any], stage: Stage) -> bool:
    """Whether an event has come as far as somebody waits for; a refused one comes no further."""
    if standing["stage"] == "refused":
        # The ledger records what was refused too.
        return stage != "ledgered" or any(one["stage"] == "ledgered" for one in standing["receipts"])
    order = ("queued", "published", "admitted", "ledgered")
    return order.index(standing["stage"]) >= order.index(stage)


def event_of(row: Queued) -> dict[str, Any]:
    """An event as receipts name it."""
    return {"id": str(row.id), "type": row.type, "chain": row.chain, "digest": row.digest.hex()}
