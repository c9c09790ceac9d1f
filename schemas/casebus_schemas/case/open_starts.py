"""Which duties an event at the end of a chain may change, found without looking at all of them."""

from collections.abc import Iterator

from .chain import ChainEvent, Digest
from .chain_index import ChainIndex
from .fold import Folded
from .obligations import Start

Key = tuple[Digest, str]
"""The event that started a clock, and the clock."""


class OpenStarts:
    """The starts of a chain by what their events answer.

    A start is settled once all its duties are met: then only an approval of its clock can still change it.
    """

    def __init__(self, folded: Folded) -> None:
        self._folded = folded
        self._starts: dict[Key, Start] = {}
        self._open: dict[Digest, dict[Key, None]] = {}
        self._open_of_kind: dict[str, dict[Key, None]] = {}
        self._with_approval: dict[str, dict[Key, None]] = {}

    def add(self, key: Key, start: Start) -> None:
        """Takes a start, open until it is settled."""
        self._starts[key] = start
        if start.clock.approval is not None:
            self._with_approval.setdefault(start.clock.approval, {})[key] = None
        self.settle(key, settled=False)

    def settle(self, key: Key, *, settled: bool) -> None:
        """Says whether all duties of a start are met."""
        start = self._starts[key]
        rows = [self._open_of_kind.setdefault(start.cause.type, {})]
        rows.extend(self._open.setdefault(digest, {}) for digest in self._folded.thread(start.cause))
        for row in rows:
            if settled:
                row.pop(key, None)
            else:
                row[key] = None

    def touched(self, event: ChainEvent, index: ChainIndex, *, tied: bool) -> list[Key]:
        """The starts whose duties the event, just added to fold and index, may have changed.

        `tied` says that it ties to its own kind what was tied to none before.
        """
        found = dict.fromkeys(self._candidates(event, index))
        if tied:
            found.update((key, None) for key, start in self._starts.items() if start.cause.type == event.type)
        return list(found)

    def _candidates(self, event: ChainEvent, index: ChainIndex) -> Iterator[Key]:
        for digest in self._folded.thread(event):
            for key in self._open.get(digest, ()):
                if event.type in self._starts[key].clock.touched_by:
                    yield key
        for kind, keys in self._open_of_kind.items():
            if keys and index.is_loose(event, kind):
                for key in keys:
                    if event.type in self._starts[key].clock.touched_by:
                        yield key
        for key in self._with_approval.get(event.type, ()):
            if index.touches(event, self._starts[key].cause):
                yield key
