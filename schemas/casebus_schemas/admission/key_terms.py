"""Which keys end soon, or have ended with none to follow: said weeks before nothing is admitted any more."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from casebus_schemas.agencies import BUS
from casebus_schemas.times import beijing_text, to_datetime

if TYPE_CHECKING:
    from casebus_schemas.evidence.key_entry import KeyEntry

    from .keyring import Keyring

DAY_MS = 86_400_000
WARNED_MS = 42 * DAY_MS
"""Six weeks: a successor is announced with the old key, and people go on leave."""
REMEDY = "casebus keys rotate"


@dataclass(frozen=True, slots=True)
class KeyTerm:
    """A key after which its holder has none, and when it ends (or ended)."""

    holder: str
    key_id: bytes
    ends_ms: int
    over: bool
    days: int

    @property
    def text(self) -> str:
        """For a person, zh and en."""
        key, at = f"{self.key_id.hex()[:16]}…", beijing_text(to_datetime(self.ends_ms))
        if self.over:
            return f"{self.holder}: 已无有效密钥 no valid key any more: the last one, {key}, ended at {at}"
        left = f"还剩{self.days}天 in {self.days} days"
        return f"{self.holder}: 密钥将到期 its last key {key} ends at {at}, {left}"


def ending_keys(keyring: "Keyring", now_ms: int) -> list[KeyTerm]:
    """Of each agency its last key, if that ends within six weeks or has ended; of the bus every such key.

    The bus's services sign with a key each, so that one does not stand in for another. Nothing is said of
    holders without any key.
    """
    found: list[KeyTerm | None] = []
    for holder in sorted({agency for agency, _ in keyring.entries}):
        keys = [entry for entry in keyring.of(holder) if entry.role == "event"]
        open_keys = [entry for entry in keys if entry.ended_ms is None]
        if holder == BUS:
            found.extend(_term(entry, now_ms) for entry in open_keys)
        elif keys:
            found.append(_term(max(open_keys or keys, key=_ends), now_ms))
    return [term for term in found if term is not None]


def _term(entry: "KeyEntry", now_ms: int) -> KeyTerm | None:
    ends_ms = _ends(entry)
    if ends_ms - now_ms > WARNED_MS:
        return None
    left = ends_ms - now_ms
    return KeyTerm(entry.agency, entry.key_id, int(ends_ms), left <= 0, max(0, int(left // DAY_MS)))


def _ends(entry: "KeyEntry") -> float:
    ends = [moment for moment in (entry.not_after_ms, entry.ended_ms) if moment is not None]
    return min(ends, default=float("inf"))
