"""What is said again: one content of an agency in a chain is one event, whatever number or id it bears."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from .chain import ChainEvent, Digest

_Head = tuple[str, str, datetime]
_NO_FACTS = ("sealed",)
"""Fields whose bytes differ although the same is said: each sealing is another."""
_NO_WORDS = ("message_no", "corrects", "withdraws", "in_reply_to", "in_reply_to_hash")
"""Of the envelope: a number, and what names other events, which is compared as the event that is meant."""


class Repeats:
    """Which events of a chain say again what an earlier one said, taken in the order of their admission.

    Two say the same if agency, type, time and content agree: an older outbox or a second host says it under
    another producer, number and perhaps id. A repeat is no event of its own: who names it means the first.
    Said anew under another id after it was withdrawn, it is an event again.
    `said` are the repeats as they came, `of` their originals.
    """

    def __init__(self, events: Iterable[ChainEvent] = ()) -> None:
        self.said: dict[Digest, ChainEvent] = {}
        self.of: dict[Digest, Digest] = {}
        self._as_said: dict[Digest, ChainEvent] = {}
        self._first: dict[Digest, Digest] = {}
        self._heads: dict[_Head, ChainEvent | dict[str, ChainEvent]] = {}
        self._ids: dict[UUID, UUID] = {}
        self._withdrawn: set[tuple[Digest, str]] = set()
        self._last: tuple[datetime, Digest] | None = None
        for event in sorted(events, key=_had):
            original = self.original_of(event)
            if original is None:
                self.keep(event)
            else:
                self.drop(event, original)

    def is_early(self, event: ChainEvent) -> bool:
        """Whether the bus had it before another that may say the same: then all are looked at anew."""
        return self._last is not None and _had(event) < self._last and _head(event) in self._heads

    def original_of(self, event: ChainEvent) -> ChainEvent | None:
        """The event that said the same before."""
        head = _head(event)
        known = self._heads.get(head)
        if known is None:
            return None
        if isinstance(known, ChainEvent):
            known = self._heads[head] = {self._content(known): known}
        original = known.get(self._content(event))
        if original is None:
            return None
        withdrawn = (original.digest, original.agency) in self._withdrawn
        return None if withdrawn and original.id != event.id else original

    def keep(self, event: ChainEvent) -> None:
        """Takes the next event, which says something new."""
        self._taken(event)
        head = _head(event)
        known = self._heads.setdefault(head, event)
        if isinstance(known, dict):
            known[self._content(event)] = event
        if event.withdraws is not None:
            self._withdrawn.add((self._original(event.withdraws), event.agency))

    def drop(self, event: ChainEvent, original: ChainEvent) -> None:
        """Takes the next event, which only says again what another one said."""
        self._taken(event)
        self.said[event.digest] = event
        self.of[event.digest] = original.digest
        self._first.setdefault(original.digest, event.digest)
        if event.id != original.id:
            self._ids[event.id] = original.id

    def is_first(self, digest: Digest) -> bool:
        """Whether a repeat is the first of its original."""
        return self._first[self.of[digest]] == digest

    def meaning(self, event: ChainEvent) -> ChainEvent:
        """The event with the originals in place of the repeats that it names."""
        changes: dict[str, Digest] = {}
        for name in ("corrects", "withdraws", "in_reply_to_hash"):
            named = getattr(event, name)
            if named in self.of:
                changes[name] = self.of[named]
        if not changes:
            return event
        self._as_said[event.digest] = event
        return replace(event, envelope={**event.envelope, **changes})

    def as_said(self, event: ChainEvent) -> ChainEvent:
        """The event as it came."""
        return self._as_said.get(event.digest, event)

    def _taken(self, event: ChainEvent) -> None:
        if self._last is None or self._last < _had(event):
            self._last = _had(event)

    def _original(self, digest: Digest) -> Digest:
        return self.of.get(digest, digest)

    def _content(self, event: ChainEvent) -> str:
        envelope = {name: value for name, value in event.envelope.items() if name not in _NO_WORDS}
        facts = {name: value for name, value in event.data.items() if name not in _NO_FACTS}
        digests = (event.corrects, event.withdraws, event.in_reply_to_hash)
        named = [None if digest is None else self._original(digest) for digest in digests]
        request = event.in_reply_to
        answers = None if request is None else self._ids.get(request, request)
        said: list[Any] = [envelope, facts, named, answers]
        return json.dumps(said, default=_text, sort_keys=True, ensure_ascii=False)


def _head(event: ChainEvent) -> _Head:
    return (event.agency, event.type, event.occurred_at)


def _had(event: ChainEvent) -> tuple[datetime, Digest]:
    return (event.admitted_at, event.digest)


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
