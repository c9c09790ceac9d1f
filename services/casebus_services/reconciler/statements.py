"""The pass over statements of account: what agencies state that they hold, against what the bus has."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from casebus_schemas.agencies import BUS
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.statements import Comparison, last_statements
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater, StopService
from casebus_schemas.rules.across import r66
from casebus_services.streams.patience import PATIENCE_S, patiently

from .accounts_database import Database, Transaction
from .announce import Announcer
from .compared import entered, stated_until
from .fence import LINKS
from .rows import (
    EVENTS_STATED,
    HEARD,
    STATED,
    STATED_BEHIND,
    heard,
    stored_event,
)
from .set_aside import reason_of
from .whole_look import WholeLook, enter

log = logging.getLogger(__name__)

_LOOK = WholeLook(LINKS, STATED, "recon_stated")
_EVERY_S = 60.0
_REST = 10
"""A comparison is followed by ten times the time that it took, if that is more."""
_LONGEST_S = 0.25
_ROWS_AT_ONCE = 1000
"""After that time, or that many events, the next wait for the next tick: events go first."""

Ends = Mapping[int, int]


@dataclass(slots=True)
class _Walk:
    """A comparison on its way through the chains, of what stood before `ends`."""

    ends: Ends
    comparison: Comparison
    place: tuple[str, int] = ("", -1)
    spent_s: float = 0.0


class Statements:
    """Compares the last statement of each agency with every chain, once there is a new one.

    In short steps and at most once a minute; of events only the headers are read. It begins when all is
    entered that stood in bus.admission, so that a partition that lags accuses nobody. It speaks under the
    fence, streams and outbox of what is found across chains.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        announcer: Announcer,
        incarnation: int,
        ends: Callable[[], Ends] | None = None,
    ) -> None:
        """Without `ends` all that is entered is compared."""
        self._database = database
        self._catalog = catalog
        self._announcer = announcer
        self._incarnation = incarnation
        self._ends = ends
        self._next_s = 0.0
        self._walk: _Walk | None = None

    def look(self) -> bool:
        """Goes on for a short while; whether something waits in the outbox since."""
        began_s = time.monotonic()
        if self._walk is None and began_s < self._next_s:
            return False
        try:
            walk = self._walk or patiently(self._begin, PATIENCE_S)
            if walk is None:
                return False
            return self._look(walk, began_s)
        except (StopService, RetryLater):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is: events and time go on
            log.error("statements of account are not compared: %s", reason_of(error))
            self._end(self._walk)
            return False

    def _look(self, walk: _Walk, began_s: float) -> bool:
        read = patiently(lambda: self._go_on(walk, began_s + _LONGEST_S), PATIENCE_S)
        spoke = read and patiently(lambda: self._enter(walk), PATIENCE_S)
        walk.spent_s += time.monotonic() - began_s
        if read:
            self._end(walk)
        return spoke

    def _end(self, walk: _Walk | None) -> None:
        self._walk = None
        self._next_s = time.monotonic() + max(_EVERY_S, _REST * (walk.spent_s if walk else 0.0))

    def _begin(self) -> _Walk | None:
        """A comparison, if there is a statement that was not looked at and all is entered before it."""
        with self._database.reading() as transaction:
            if not _is_new(transaction):
                return None
        ends = _entered_of(self._database) if self._ends is None else self._ends()
        with self._database.reading() as transaction:
            so_far = entered(transaction)
            if any(so_far.get(partition, 0) < end for partition, end in ends.items()):
                return None
            statements = last_statements(stated(transaction, self._catalog, ends))
        self._walk = _Walk(ends, Comparison(statements))
        return self._walk

    def _go_on(self, walk: _Walk, until_s: float) -> bool:
        """Takes some events; whether all are taken."""
        with self._database.reading() as transaction:
            while time.monotonic() < until_s:
                rows = transaction.rows(HEARD, (*walk.place, _ROWS_AT_ONCE))
                for row in rows:
                    chain, event = heard(row)
                    if event.agency != BUS and row[6] < walk.ends.get(row[5], 0):
                        walk.comparison.take(chain, event)
                if len(rows) < _ROWS_AT_ONCE:
                    return True
                walk.place = (rows[-1][0], rows[-1][6])
        return False

    def _enter(self, walk: _Walk) -> bool:
        """Enters what is found, and that the rest is mended; whether something is to be said of it."""
        return enter(
            _LOOK,
            self._database,
            self._catalog,
            self._announcer,
            self._incarnation,
            r66.compared(walk.comparison.finish()),
            walk.ends,
            _latest(walk),
        )


def stated(transaction: Transaction, catalog: Catalog, ends: Ends) -> Iterable[ChainEvent]:
    """The last events of statements of every agency, of those that stood before `ends`."""
    for agency in catalog.members.all:
        for row in transaction.rows(EVENTS_STATED, (f"/{agency}", f"/{agency}/%")):
            if row[12] < ends.get(row[11], 0):
                yield stored_event(catalog, row)


def _is_new(transaction: Transaction) -> bool:
    """Whether a statement stands behind what was looked at: by an index, however many there are."""
    looked = stated_until(transaction)
    return any(
        transaction.rows(STATED_BEHIND, (partition, looked.get(partition, 0)))
        for partition in entered(transaction)
    )


def _entered_of(database: Database) -> dict[int, int]:
    with database.reading() as transaction:
        return entered(transaction)


def _latest(walk: _Walk) -> datetime | None:
    events = (event for statement in walk.comparison.statements.values() for event in statement.events)
    return max((event.admitted_at for event in events), default=None)
