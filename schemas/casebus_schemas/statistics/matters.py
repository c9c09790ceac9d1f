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
        if digest in self._correcting:
            return "corrects"
        if digest in self._withdrawing:
            return "withdraws"
        event = self.folded.by_digest[digest]
        if mends(event):
            return "rival" if digest in self._rivals else "no effect"
        return "takes back" if event.type == INDICTMENT_WITHDRAWN else "counted"

    def touching(self, digest: Digest) -> set[Digest]:
        """Its speaker's corrections and withdrawals of an event and of these, in effect or not; repeats."""
        agency = self.event(digest).agency
        found: set[Digest] = set()
        waiting = [digest]
        while waiting:
            more = [one for one in self._pointing.get((waiting.pop(), agency), ()) if one not in found]
            found.update(more)
            waiting.extend(more)
        return found.union(*(self._repeats.get(one, ()) for one in (digest, *found)))

    @cached_property
    def _rivals(self) -> frozenset[Digest]:
        return frozenset(event.digest for rivals in self.folded.rivals for event in rivals)

    @cached_property
    def _correcting(self) -> frozenset[Digest]:
        return frozenset(one for corrections in self.folded.superseded.values() for one in corrections)

    @cached_property
    def _withdrawing(self) -> frozenset[Digest]:
        return frozenset(self.folded.withdrawn.values())

    @cached_property
    def _pointing(self) -> dict[tuple[Digest, str], list[Digest]]:
        """By what they point at, and who says so, the corrections and withdrawals."""
        found: dict[tuple[Digest, str], list[Digest]] = {}
        for event in self.folded.order:
            if mends(event):
                for target in {event.corrects, event.withdraws}:
                    if target is not None:
                        found.setdefault((target, event.agency), []).append(event.digest)
        return found

    @cached_property
    def _repeats(self) -> dict[Digest, list[Digest]]:
        found: dict[Digest, list[Digest]] = {}
        for repeat, original in self.folded.repeats.of.items():
            found.setdefault(original, []).append(repeat)
        return found

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
