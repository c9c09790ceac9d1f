"""Stands for many events that a finding rests on, so that nobody has to keep or read all of them."""

from collections.abc import Iterator

from .chain import ChainEvent


class Basis:
    """Stands for many events that a finding rests on: a few of them from which the same follows.

    Of those of one agency for one audience the one that the bus had last and one of the highest level: who
    may see all of it, since when the bus has it and how it is handled depend on no others.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first: ChainEvent | None = None
        self.last: ChainEvent | None = None
        self._latest: dict[tuple[str, frozenset[str]], ChainEvent] = {}
        self._highest: dict[tuple[str, frozenset[str]], ChainEvent] = {}

    def add(self, event: ChainEvent) -> None:
        """Takes one event more."""
        self.count += 1
        self.first, self.last = self.first or event, event
        of = (event.agency, event.audience)
        latest, highest = self._latest.get(of), self._highest.get(of)
        if latest is None or latest.last_said_at < event.last_said_at:
            self._latest[of] = event
        if highest is None or highest.handling < event.handling:
            self._highest[of] = event

    @property
    def ends(self) -> tuple[ChainEvent, ChainEvent]:
        """The first and the last of them. Raises ValueError where there is none."""
        if self.first is None or self.last is None:
            raise ValueError("no event was taken")
        return self.first, self.last

    def __iter__(self) -> Iterator[ChainEvent]:
        """Those events, the first of all first and the last of all last."""
        if self.first is None or self.last is None:
            return
        found = {self.first: None, **dict.fromkeys((*self._highest.values(), *self._latest.values()))}
        found.pop(self.last, None)
        yield from found
        yield self.last
