"""A chain made ready for counting: repeats set aside, corrections and withdrawals in effect."""

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from casebus_schemas.case.chain import ChainEvent, Digest, distinct
from casebus_schemas.case.fold import Folded, fold

from .measures import INDICTMENT_WITHDRAWN

Role = Literal[
    "counted", "repeat", "corrected", "corrects", "withdrawn", "withdraws", "rival", "takes back", "no effect"
]

_NO_FACTS = ("sealed",)
"""Fields whose bytes differ although the same is said: each sealing is another."""


@dataclass(frozen=True)
class Matter:
    """A folded chain, and which events say again what another one said (repeat -> original)."""

    chain: str
    folded: Folded
    repeats: Mapping[Digest, ChainEvent]
    originals: Mapping[Digest, Digest]

    def role(self, digest: Digest) -> Role:
        """What an event does to the figures of the chain."""
        if digest in self.originals:
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
        if points(event):
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
        return found | {repeat for repeat, original in self.originals.items() if original in {digest, *found}}

    @cached_property
    def _rivals(self) -> frozenset[Digest]:
        return frozenset(event.digest for rivals in self.folded.rivals for event in rivals)

    @cached_property
    def _pointing(self) -> list[ChainEvent]:
        return [event for event in self.folded.order if points(event)]

    def event(self, digest: Digest) -> ChainEvent:
        """An event of the chain, repeats too."""
        return self.repeats.get(digest) or self.folded.by_digest[digest]


def points(event: ChainEvent) -> bool:
    """Whether the event only changes another one: it never counts by itself."""
    return event.corrects is not None or event.withdraws is not None


def matters(
    events: Iterable[ChainEvent], types: Set[str], known_at: datetime | None = None
) -> dict[str, Matter]:
    """The chains that hold an event of these types, as known at a time, whatever the order and repetition."""
    chains: dict[str, list[ChainEvent]] = {}
    for event in distinct(events).values():
        if known_at is None or event.admitted_at <= known_at:
            chains.setdefault(event.chain, []).append(event)
    wanted = (chain for chain, said in chains.items() if any(event.type in types for event in said))
    return {chain: _matter(chain, chains[chain]) for chain in sorted(wanted)}


def _matter(chain: str, events: list[ChainEvent]) -> Matter:
    ordered = sorted(events, key=lambda event: (event.admitted_at, event.digest))
    originals = _originals(ordered)
    ids = {event.id: event for event in ordered if event.digest not in originals}
    of_repeat = {event.id: originals[event.digest] for event in ordered if event.digest in originals}
    by_digest = {event.digest: event for event in ordered}
    answered = {id: by_digest[original].id for id, original in of_repeat.items() if id not in ids}
    kept = [_repointed(event, originals, answered) for event in ordered if event.digest not in originals]
    repeats = {event.digest: event for event in ordered if event.digest in originals}
    return Matter(chain, fold(kept), repeats, originals)


def _originals(ordered: list[ChainEvent]) -> dict[Digest, Digest]:
    """Each event that says again what an earlier one said, with the earlier one.

    Corrections name digests, so one of a repeat is read as one of its original: that may in turn make two
    corrections the same, until nothing more falls together.
    """
    if len(ordered) < 2:
        return {}
    said = {event.digest: _said(event) for event in ordered}
    taken_back = {event.withdraws: event.admitted_at for event in reversed(ordered)}
    originals: dict[Digest, Digest] = {}
    for _ in ordered:
        first: dict[tuple[str, Digest | None, Digest | None], Digest] = {}
        found: dict[Digest, Digest] = {}
        for event in ordered:
            named = (_named(event.corrects, originals), _named(event.withdraws, originals))
            key = (said[event.digest], *named)
            same = first.setdefault(key, event.digest)
            if same in taken_back and same != event.digest and taken_back[same] <= event.admitted_at:
                first[key] = event.digest  # said anew after it was withdrawn
            elif same != event.digest:
                found[event.digest] = same
        if found == originals:
            break
        originals = found
    return originals


def _named(digest: Digest | None, originals: Mapping[Digest, Digest]) -> Digest | None:
    return None if digest is None else originals.get(digest, digest)


def _said(event: ChainEvent) -> str:
    facts = {name: value for name, value in event.data.items() if name not in _NO_FACTS}
    said = [event.type, event.agency, event.occurred_at, facts]
    return json.dumps(said, default=_text, sort_keys=True, ensure_ascii=False)


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _repointed(
    event: ChainEvent, originals: Mapping[Digest, Digest], answered: Mapping[UUID, UUID]
) -> ChainEvent:
    changes: dict[str, Any] = {}
    for name, named in (("corrects", event.corrects), ("withdraws", event.withdraws)):
        if named is not None and named in originals:
            changes[name] = originals[named]
    request = event.in_reply_to
    if request is not None and request in answered:
        changes["in_reply_to"] = answered[request]
    return replace(event, envelope={**event.envelope, **changes}) if changes else event
