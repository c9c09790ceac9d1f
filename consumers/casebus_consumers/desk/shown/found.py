"""What a search has found, by case: which events, and by which of their identifiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from casebus_consumers.desk.board import CaseLine
from casebus_consumers.desk.masking import masked_name
from casebus_consumers.desk.search_index import Hit

if TYPE_CHECKING:
    from casebus_consumers.desk.asked import Asked

_MOST_EVENTS = 4


@dataclass(frozen=True, slots=True)
class Found:
    """A case: some of its events that were found, how many there are besides, and by what."""

    case: CaseLine
    events: Sequence[Hit]
    more: int
    by: str | None


def found_of(hits: Sequence[Hit], asked: "Asked") -> list[Found]:
    """Hits by case, the case of the newest one first; of each the newest events."""
    cases = asked.glance.cases
    by_chain: dict[str, list[Hit]] = {}
    for hit in hits:
        if hit.chain in cases:
            by_chain.setdefault(hit.chain, []).append(hit)
    return [
        Found(cases[chain], found[:_MOST_EVENTS], max(len(found) - _MOST_EVENTS, 0), by_of(found[0], asked))
        for chain, found in by_chain.items()
    ]


def by_of(hit: Hit, asked: "Asked") -> str | None:
    """By what an event was found, in words; names of persons masked unless their case is open."""
    if hit.kind is None:
        return None
    shown = hit.shown or ""
    if hit.kind == "suspect" and not asked.open(hit.chain):
        shown = masked_name(shown)
    if hit.kind in ("digest", "token"):
        shown = shown[:16]
    return asked.words.gap.join((asked.words(f"search.kind_{hit.kind}"), shown))
