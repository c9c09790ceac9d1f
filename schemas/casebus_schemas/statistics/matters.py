"""A chain made ready for counting: repeats set aside, corrections and withdrawals in effect."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from casebus_schemas.case.chain import ChainEvent, Digest, distinct
from casebus_schemas.case.effects import mends
from casebus_schemas.case.fold import Folded, fold

from .measures import INDICTMENT_WITHDRAWN

Role = Literal[
    "counted", "repeat", "corrected", "corrects", "withdrawn", "withdraws", "rival", "takes back", "no effect"
]


@dataclass(frozen=True)
class Matter:
    """A folded chain, and what each of its events does to the figures."""

    chain: str
    folded: Folded

    def role(self, digest: Digest) -> Role:
        """What an event does to the figures of the chain."""
        if digest in self.folded.repeats.said:
            return "repeat"
        if digest in self.folded.withdrawn:
            return "withdrawn"
        if digest in self.folded.superseded:
            return "corrected"
        if any(digest in corrections for corrections in self.folded.superseded.values()):
            return "corrects"
        if digest in self.folded.withdrawn.values():
            return "withdraws"
        event = self.folded.by_digest[digest]
        if mends(event):
            return "rival" if digest in self._rivals else "no effect"
        return "takes back" if event.type == INDICTMENT_WITHDRAWN else "counted"

    def touching(self, digest: Digest) -> set[Digest]:
        """Its speaker's corrections and withdrawals of an event and of these, in effect or not; repeats."""
        agency = self.event(digest).agency
        found: set[Digest] = set()
        while more := {
            event.digest
            for event in self._pointing
            if {event.corrects, event.withdraws} & {digest, *found}
            and event.agency == agency
            and event.digest not in found
        }:
            found |= more
        repeats = self.folded.repeats.of.items()
        return found | {repeat for repeat, original in repeats if original in {digest, *found}}

    @cached_property
    def _rivals(self) -> frozenset[Digest]:
        return frozenset(event.digest for rivals in self.folded.rivals for event in rivals)

    @cached_property
    def _pointing(self) -> list[ChainEvent]:
        return [event for event in self.folded.order if mends(event)]

    def event(self, digest: Digest) -> ChainEvent:
        """An event of the chain, repeats too."""
        return self.folded.repeats.said.get(digest) or self.folded.by_digest[digest]


def matters(
    events: Iterable[ChainEvent], types: Set[str], known_at: datetime | None = None
) -> dict[str, Matter]:
    """The chains that hold an event of these types, as known at a time, whatever the order and repetition."""
    chains: dict[str, list[ChainEvent]] = {}
    for event in distinct(events).values():
        if known_at is None or event.admitted_at <= known_at:
            chains.setdefault(event.chain, []).append(event)
    wanted = (chain for chain, said in chains.items() if any(event.type in types for event in said))
    return {chain: Matter(chain, fold(chains[chain])) for chain in sorted(wanted)}
