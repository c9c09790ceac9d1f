"""Which duties an event at the end of a chain may change, found without looking at all of them."""

from collections.abc import Collection, Iterator

from casebus_schemas.law.clocks import RECEIPTS, Clock

from .as_of import receipted
from .chain import ChainEvent, Digest
from .chain_index import ChainIndex
from .endings import ends_matter
from .fold import Folded
from .obligations import Start

Key = tuple[Digest, str]
"""The event that started a clock, and the clock."""


class OpenStarts:
    """The starts of a chain by what their events answer.

    A start is settled once all its duties are met: then only receipts, approvals and standstills of its clock
    can still change it, and whatever shows that two suspects are one. One that is out of reach (`ChainIndex`)
    is only changed by what answers it itself, by an end of the matter, and by those.
    """

    def __init__(self, folded: Folded) -> None:
        self._folded = folded
        self._starts: dict[Key, Start] = {}
        self._changing: dict[Key, frozenset[str]] = {}
        self._open: dict[Digest, dict[Key, None]] = {}
        self._open_of_kind: dict[str, dict[Key, None]] = {}
        self._changing_of_kind: dict[str, set[str]] = {}
        self._of_cause: dict[Digest, list[Key]] = {}
        self._late: dict[str, dict[Key, None]] = {}
        self._far: set[Digest] = set()
        self._unsettled: dict[Key, None] = {}
        self._for_each_suspect: list[Key] = []
        self._before_an_ending: dict[Key, None] = {}
        self._ended: set[Key] = set()

    def add(self, key: Key, start: Start) -> None:
        """Takes a start, open until it is settled."""
        self._starts[key] = start
        self._changing[key] = _changing(start.clock)
        self._changing_of_kind.setdefault(start.cause.type, set()).update(self._changing[key])
        self._of_cause.setdefault(key[0], []).append(key)
        for type in _late_types(start.clock):
            self._late.setdefault(type, {})[key] = None
        if start.clock.for_each_suspect:
            self._for_each_suspect.append(key)
        self.settle(key, settled=False)

    def settle(self, key: Key, *, settled: bool, ended: bool = False) -> None:
        """Says whether all duties of a start are met, and whether all of them ended, whether met or moot."""
        (self._ended.add if ended else self._ended.discard)(key)
        for row in (self._unsettled, *self._rows(key)):
            if settled:
                row.pop(key, None)
            else:
                row[key] = None

    def out_of_reach(self, cause: ChainEvent | None) -> None:
        """Says that what follows belongs to the starts of an event only where it answers the event itself."""
        if cause is None:
            return
        for key in self._of_cause.get(cause.digest, ()):
            for row in self._rows(key)[1:]:
                row.pop(key, None)
            for type in _late_types(self._starts[key].clock):
                self._late[type].pop(key, None)
        self._far.add(cause.digest)

    def touched(
        self, event: ChainEvent, index: ChainIndex, *, tied: Collection[Digest], somebody_else: bool
    ) -> list[Key]:
        """The starts whose duties the event, just added to fold and index, may have changed.

        `tied` is what the index's `add` gave, `somebody_else` says that by the event some suspect is another
        person.
        """
        self.out_of_reach(index.beyond(event.type))
        found = dict.fromkeys(self._candidates(event, index))
        if tied:
            found.update(dict.fromkeys(self._tied(event.type, tied, index)))
        if ends_matter(event) and not self._folded.is_idle(event):
            before = [key for key in self._unsettled if key not in self._ended]
            self._before_an_ending.update(dict.fromkeys(before))
            found.update(dict.fromkeys(before))
        if somebody_else:
            found.update(dict.fromkeys((*self._for_each_suspect, *self._before_an_ending)))
        return list(found)

    def _rows(self, key: Key) -> list[dict[Key, None]]:
        """Where an open start stands: by its own event, and unless that is far, by what it shares."""
        cause = self._starts[key].cause
        rows = [self._open.setdefault(cause.digest, {})]
        if cause.digest not in self._far:
            rows.append(self._open_of_kind.setdefault(cause.type, {}))
            shared = self._folded.thread(cause) - {cause.digest}
            rows.extend(self._open.setdefault(digest, {}) for digest in shared)
        return rows

    def _candidates(self, event: ChainEvent, index: ChainIndex) -> Iterator[Key]:
        if event.type in RECEIPTS:
            for digest, _ in receipted(event, "fetched"):
                yield from self._of_cause.get(digest, ())
        thread = self._folded.thread(event)
        for digest in thread:
            for key in self._open.get(digest, ()):
                if event.type in self._changing[key]:
                    yield key
        for kind, keys in self._open_of_kind.items():
            if keys and index.is_loose(event, kind):
                for key in keys:
                    if event.type in self._changing[key]:
                        yield key
        for key in self._late.get(event.type, ()):
            if index.touches(event, self._starts[key].cause):
                yield key
        for digest in thread & self._far:
            for key in self._of_cause.get(digest, ()):
                if event.type in _late_types(self._starts[key].clock):
                    yield key

    def _tied(self, kind: str, tied: Collection[Digest], index: ChainIndex) -> Iterator[Key]:
        """The starts of a kind to which, as loose, what answers something that it now knows belonged."""
        for place in index.answering(tied, self._changing_of_kind.get(kind, ())):
            for cause in index.reaching(kind, place):
                yield from self._of_cause.get(cause.digest, ())


def _changing(clock: Clock) -> frozenset[str]:
    """Types of events that can change a duty of the clock, beside those that only start another."""
    of = clock.absence.of if clock.absence else ()
    return frozenset((*clock.duty, *clock.moot_by, *clock.restarted_by, *of, *_late_types(clock)))


def _late_types(clock: Clock) -> list[str]:
    """Types of events that change a duty though it is met."""
    approval, suspension = clock.approval, clock.suspension
    return [
        *((approval.type,) if approval else ()),
        *((*suspension.begins, *suspension.ends) if suspension else ()),
    ]
