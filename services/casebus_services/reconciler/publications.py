"""The pass over published figures: what the events do not give, by who owns partition 0 of bus.admission."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.shares import computed
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater, StopService
from casebus_schemas.statistics.comparison import compare_stated
from casebus_schemas.statistics.in_parts import InParts
from casebus_schemas.statistics.published import Stated, StatedFigures
from casebus_services.streams.patience import PATIENCE_S, patiently

from .accounts_database import Database, Transaction
from .announce import Announcer
from .chain_events import events_of
from .compared import MOST_FIGURES, MOST_STATED, entered, versions_of
from .fence import FIGURES
from .rows import (
    CHAINS_COUNTED,
    CHAINS_PUBLISHED,
    PUBLISHED,
)
from .set_aside import reason_of
from .whole_look import WholeLook, enter

log = logging.getLogger(__name__)

_LOOK = WholeLook(FIGURES, PUBLISHED, "recon_published")
_EVERY_S = 60.0
_REST = 10
"""A comparison is followed by ten times the time that it took, if that is more."""
_EVENTS_AT_ONCE = 2000
_LONGEST_S = 0.25
"""After that many events, or that time, the next chains wait for the next tick: events go first."""

_DONE = object()

Ends = Callable[[], Mapping[int, int]]
"""Where the partitions of bus.admission end now. Raises RetryLater."""


@dataclass(slots=True)
class _Walk:
    """A comparison on its way through the chains, of what stood before `ends`."""

    ends: Mapping[int, int]
    counts: InParts
    published: StatedFigures = field(default_factory=lambda: StatedFigures(MOST_STATED))
    stated: list[Stated] | None = None
    """All that is compared, once it was read."""
    chain: str = ""
    counting: Iterator[None] = field(default_factory=lambda: iter(()))
    """The rest of the chain that is being counted."""
    latest: datetime | None = None
    spent_s: float = 0.0


class Publications:
    """Holds every published figure against the events, enters and announces what is found and what is mended.

    Chain by chain, at most once a minute: what is compared is all that stood in bus.admission when it began,
    whichever partition was read first, and it begins when all of that is entered. Its fence, streams and
    outbox are its own. A chain that cannot be counted leaves all as it was.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        announcer: Announcer,
        incarnation: int,
        ends: Ends | None = None,
    ) -> None:
        """Without `ends` all that is entered is compared."""
        self._database = database
        self._catalog = catalog
        self._announcer = announcer
        self._incarnation = incarnation
        self._ends = ends
        self._next_s = 0.0
        self._walk: _Walk | None = None
        self._last: Mapping[int, int] | None = None

    def look(self) -> bool:
        """Goes on for a short while; whether something waits in its outbox since."""
        began_s = time.monotonic()
        walk = self._walk or self._begin(began_s)
        if walk is None:
            return False
        try:
            counted = patiently(lambda: self._go_on(walk, began_s + _LONGEST_S), PATIENCE_S)
            spoke = counted and patiently(lambda: self._enter(walk), PATIENCE_S)
        except (StopService, RetryLater):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is: events and time go on
            log.error("published figures are not compared: %s", reason_of(error))
            counted, spoke = True, False
        walk.spent_s += time.monotonic() - began_s
        if counted:
            self._walk, self._last = None, walk.ends
            self._next_s = time.monotonic() + max(_EVERY_S, _REST * walk.spent_s)
        return spoke

    def _begin(self, now_s: float) -> _Walk | None:
        """Where a comparison is due and a figure was ever published: where it ends."""
        if now_s < self._next_s:
            return None
        with self._database.reading() as transaction:
            if not transaction.rows(f"{CHAINS_PUBLISHED} LIMIT 1"):
                return None
            so_far = entered(transaction)
        try:
            ends = so_far if self._ends is None else self._ends()
        except RetryLater as error:
            log.warning("published figures are compared later: %s", error)
            self._next_s = now_s + _EVERY_S
            return None
        if ends == self._last:
            self._next_s = now_s + _EVERY_S
            return None
        self._walk = _Walk(ends, InParts(versions_of(self._catalog)))
        return self._walk

    def _go_on(self, walk: _Walk, until_s: float) -> bool:
        """Counts some chains; whether all are counted."""
        with self._database.reading() as transaction:
            if walk.stated is None and not self._read_stated(transaction, walk, until_s):
                return False
            read = 0
            while _counted(walk, until_s) and read < _EVENTS_AT_ONCE:
                chains = [chain for (chain,) in transaction.rows(CHAINS_COUNTED, (walk.chain,))]
                if not chains:
                    return True
                for chain in chains:
                    events = list(self._events(transaction, walk, [chain]))
                    walk.counting, walk.chain = walk.counts.steps(events), chain
                    read += len(events)
                    if not _counted(walk, until_s) or read >= _EVENTS_AT_ONCE:
                        break
        return False

    def _read_stated(self, transaction: Transaction, walk: _Walk, until_s: float) -> bool:
        """Reads what is published, chain by chain; whether all of it is read, and the counting may begin."""
        if not walk.chain:
            so_far = entered(transaction)
            if any(so_far.get(partition, 0) < end for partition, end in walk.ends.items()):
                return False
        while time.monotonic() < until_s:
            rows = transaction.rows(f"{CHAINS_PUBLISHED} AND chain > ? ORDER BY chain LIMIT 1", (walk.chain,))
            if not rows:
                walk.stated, walk.chain = walk.published.all(), ""
                compare_stated(walk.stated, walk.counts, most=MOST_FIGURES)
                return True
            walk.chain = rows[0][0]
            events = self._events(transaction, walk, [walk.chain])
            walk.published.take(event for event in events if event.family == "publication")
        return False

    def _events(self, transaction: Transaction, walk: _Walk, chains: Iterable[str]) -> Iterator[ChainEvent]:
        """The events of these chains before the ends."""
        for chain in chains:
            for event in computed(events_of(transaction, self._catalog, chain, walk.ends)):
                walk.latest = max(walk.latest or event.admitted_at, event.admitted_at)
                yield event

    def _enter(self, walk: _Walk) -> bool:
        """Enters what is found, and that the rest is mended; whether something is to be said of it."""
        found = compare_stated(walk.stated or (), walk.counts, most=MOST_FIGURES).findings
        return enter(
            _LOOK,
            self._database,
            self._catalog,
            self._announcer,
            self._incarnation,
            found,
            walk.ends,
            walk.latest,
        )


def _counted(walk: _Walk, until_s: float) -> bool:
    """Counts the chain that was begun; whether it is done before the time is up."""
    while time.monotonic() < until_s:
        if next(walk.counting, _DONE) is _DONE:
            return True
    return False
