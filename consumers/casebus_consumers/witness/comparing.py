"""Gossip: a witness compares the heads that others cosigned with those that it was shown itself."""

import logging
from collections.abc import Mapping

from casebus_schemas.evidence.cosignature import cosigned_times
from casebus_schemas.evidence.signed_note import SignedNote, VerifierKey
from casebus_schemas.evidence.witness import NEVER, Accepted, Declined, LogKeys, read_signed

from .state import Tables

log = logging.getLogger(__name__)

SPLIT = "split-view"
_MOST_AHEAD = 10_000
"""Heads kept that were heard of before they were shown here."""


class Comparing:
    """Compares within the caller's transaction; keeps both notes of two heads that no one log can have."""

    def __init__(self, keys: LogKeys, others: Mapping[str, VerifierKey]) -> None:
        self._keys = keys
        self._others = others
        self._ahead: dict[int, list[tuple[str, Accepted]]] = {}

    def hear(self, tables: Tables, raw: bytes) -> None:
        """A record of a cosignature topic. What no other witness of the policy signed is passed over."""
        try:
            note = SignedNote.parse(raw)
            who = [name for name, key in self._others.items() if cosigned_times(key, note)]
        except ValueError as error:
            log.warning("a cosignature that cannot be read: %s", error)
            return
        found = read_signed(note, self._keys)
        if not who or isinstance(found, Declined):
            return
        size = found.checkpoint.size
        if not self.compare(tables, who[0], found) and size > (tables.followed() or NEVER).size:
            if len(self._ahead) >= _MOST_AHEAD:
                self._ahead.pop(min(self._ahead))
            self._ahead.setdefault(size, []).append((who[0], found))

    def reached(self, tables: Tables, size: int) -> None:
        """Compares what others cosigned before this size was shown here."""
        for ahead in [one for one in self._ahead if one <= size]:
            for who, found in self._ahead.pop(ahead):
                self.compare(tables, who, found)

    def compare(self, tables: Tables, who: str, found: Accepted) -> bool:
        """Whether the size was seen before; if its root was another one, both are kept as evidence."""
        size, root = found.checkpoint.size, found.checkpoint.root
        seen = tables.seen(size)
        if seen is not None and seen[0] != root:
            detail = f"size {size}: root {seen[0].hex()} here, {root.hex()} from {who}"
            log.critical("two heads of one size, both signed by the log: %s", detail)
            tables.keep(SPLIT, detail, seen[1], found.note)
        return seen is not None
