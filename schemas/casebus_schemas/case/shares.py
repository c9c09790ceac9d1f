"""How much of what each agency says in a chain is computed: nobody can use up the share of another."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from .chain import ChainEvent, Digest
from .effects import MOST_CORRECTIONS
from .fold import pointers_of
from .persons import Entry, entry_of
from .repeats import Repeats

MOST_EVENTS = 4_000
MOST_BYTES = 3 * 1024 * 1024
"""What is computed of one agency's words in a chain: events, bytes of their values. The rest is kept only."""
MOST_WORK = 10_000
WORK_AN_EVENT = 25
"""How many of its own events an agency may have folded anew, and so many more for each of them.

An ordinary event is no such work: 150 events of a chain may be said by one agency from its end backwards.
That others said more in the chain makes it dearer for the bus, and spends nobody's share but theirs.
"""
_ENTRIES_OF_AN_EVENT = 12
"""So many of its entries of suspects are looked at again in the time in which an event is folded anew."""


class Shares:
    """What each agency has said in a chain so far, of all its events in the order of their admission.

    `full` are the agencies of which an event came that is no longer computed; then none of theirs is.
    """

    def __init__(self) -> None:
        self.full: set[str] = set()
        self._said: dict[str, tuple[int, int, int]] = {}
        self._chain = _Work()

    def takes(self, event: ChainEvent) -> bool:
        """Whether the next event is computed; it counts as said."""
        agency = event.agency
        if agency in self.full:
            return False
        events, size, work = self._said.get(agency, (0, 0, 0))
        entries, original = _entries(event), self._chain.original_of(event)
        anew = self._chain.of(event, events, entries, is_repeat=original is not None)
        size, work = size + event.size, work + anew
        self._said[agency] = (events + 1, size, work)
        most_work = MOST_WORK + WORK_AN_EVENT * events
        if events >= MOST_EVENTS or size > MOST_BYTES or work > most_work:
            self.full.add(agency)
            return False
        self._chain.add(event, entries, original)
        return True


class _Work:
    """What an event makes be computed again of what was said before, known without folding it."""

    def __init__(self) -> None:
        self._repeats = Repeats()
        self._last: tuple[datetime, Digest] | None = None
        self._awaited: set[UUID | Digest] = set()
        self._answered: set[tuple[UUID, str | None]] = set()
        self._origins: dict[Digest, Digest] = {}
        self._changed: Counter[Digest] = Counter()
        self._entries: dict[str, set[Entry]] = {}

    def original_of(self, event: ChainEvent) -> ChainEvent | None:
        """The event that said the same before."""
        return self._repeats.original_of(event)

    def of(self, event: ChainEvent, events: int, entries: Sequence[Entry], *, is_repeat: bool) -> int:
        """How many of its agency's events are folded anew by the next one, entries looked at among them.

        `events` are those that the agency has said before, `entries` whom this one lists.
        """
        work = events if self._is_folded_anew(event, is_repeat=is_repeat) else 0
        listed = self._entries.get(event.agency, set())
        if entries and not listed.issuperset(entries):
            work += len(listed) // _ENTRIES_OF_AN_EVENT
        return work

    def add(self, event: ChainEvent, entries: Sequence[Entry], original: ChainEvent | None) -> None:
        """Takes an event that is computed."""
        if original is not None:
            self._repeats.drop(event, original)
            return
        self._repeats.keep(event)
        self._last = event.sort_key if self._last is None else max(self._last, event.sort_key)
        self._awaited.update(pointers_of(event))
        self._answered.update(_answerers(event))
        if entries:
            self._entries.setdefault(event.agency, set()).update(entries)
        if event.corrects is not None:
            self._origins[event.digest] = self._origins.get(event.corrects, event.corrects)
        if targets := self._targets(event):
            self._changed.update(targets)

    def _is_folded_anew(self, event: ChainEvent, *, is_repeat: bool) -> bool:
        if event.digest in self._awaited:
            return True
        if event.id in self._awaited and not self._answered.issuperset(_answerers(event)):
            return True
        if is_repeat:
            return False
        if event.in_reply_to == event.id or (self._last is not None and event.sort_key < self._last):
            return True
        return any(self._changed[target] <= MOST_CORRECTIONS for target in self._targets(event))

    def _targets(self, event: ChainEvent) -> list[Digest]:
        return [
            self._origins.get(target, target)
            for target in (event.corrects, event.withdraws)
            if target is not None
        ]


def _answerers(event: ChainEvent) -> list[tuple[UUID, str | None]]:
    return [(event.id, None), *((event.id, agency) for agency in event.audience)]


def _entries(event: ChainEvent) -> list[Entry]:
    return [entry_of(event.agency, suspect) for suspect in event.data.get("suspects") or ()]


def computed(events: Iterable[ChainEvent]) -> list[ChainEvent]:
    """Those events of a chain that are computed, of all in the order of their admission."""
    shares = Shares()
    return [event for event in events if shares.takes(event)]
