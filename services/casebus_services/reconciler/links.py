"""The one pass over what chains have in common, in short steps by who owns partition 0 of bus.admission."""

import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from casebus_schemas.case.chain_keys import Key, Linked
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater, StopService
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.running import run_linked
from casebus_services.streams.faults import fault_point
from casebus_services.streams.patience import PATIENCE_S, patiently

from .accounts_database import Database
from .announce import Announcer, Said, said
from .fence import LINKS
from .hearing import Announcement, Turn, findings_said
from .rows import finding_row
from .set_aside import reason_of
from .store import Work

log = logging.getLogger(__name__)

_KEYS_AT_ONCE = 500
_EVENTS_AT_ONCE = 2000
_LONGEST_S = 0.25
"""After that the next step waits for the next tick: events go first."""


class _Step(NamedTuple):
    more: bool
    spoke: bool


class Links:
    """Looks at the keys of new events, finds what several chains show together, enters and announces it.

    Its fence, streams and outbox are its own: what it finds depends on the set of events only, not on which
    chain, partition or worker came first. A key is marked as looked at in the transaction that enters what
    was found; one that cannot be computed is logged and left behind, all others go on.
    """

    def __init__(self, database: Database, catalog: Catalog, announcer: Announcer, incarnation: int) -> None:
        self._database = database
        self._catalog = catalog
        self._announcer = announcer
        self._incarnation = incarnation

    def look(self) -> bool:
        """Takes steps for a short while; whether something waits in its outbox since."""
        until = time.monotonic() + _LONGEST_S
        spoke = False
        while True:
            step = patiently(self._step, PATIENCE_S)
            spoke = spoke or step.spoke
            if not step.more or time.monotonic() > until:
                return spoke

    def _step(self) -> _Step:
        with self._database.reading() as transaction:
            if not Work(transaction, self._catalog).new_keys(1):
                return _Step(more=False, spoke=False)
        with self._database.writing() as transaction:
            work = Work(transaction, self._catalog)
            fence = work.fences([LINKS], self._incarnation)[LINKS]
            new = work.new_keys(_KEYS_AT_ONCE)
            looked, read, announced = [], 0, []
            known: set[Key] = set()
            for row in new:
                if read >= _EVENTS_AT_ONCE:
                    break
                if row.shared and row.key not in known:
                    known.add(row.key)
                    sharing = work.linked(row.key)
                    if sharing is not None:
                        read += len(sharing.events)
                        announced.extend(self._found(work, sharing))
                looked.append(row)
            work.looked(looked)
            waiting = work.say(fence, self._announcer, announced)
            work.release([fence])
            fault_point("reconciler.before-commit", len(looked))
        return _Step(more=len(new) == _KEYS_AT_ONCE or len(looked) < len(new), spoke=bool(waiting))

    def _found(self, work: Work, sharing: Linked) -> list[Said]:
        """Enters what is found of a key; what is to be said of it."""
        try:
            found = run_linked(sharing)
            before = work.found_before(finding.id for finding in found)
            changed = [
                finding
                for finding in found
                if (known := before.get(finding.id)) is None or known.to_row() != finding.to_row()
            ]
            values = [
                one
                for finding in changed
                for words in _announcements(before.get(finding.id), finding)
                for one in said(words, self._catalog)
            ]
            rows = [finding_row(finding, sharing.key) for finding in changed]
        except (StopService, RetryLater):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is: all other keys go on
            log.error("what chains have in common by their %s: %s", sharing.key.kind, reason_of(error))
            return []
        work.save_links(rows)
        return values


def _announcements(before: Finding | None, now: Finding) -> Iterable[Announcement]:
    """Each is made once for its hearers, however the events grow by which it was found."""
    for one in findings_said([Turn(before, now)], now.chain, None, now.opened_at):
        yield replace(one, subject=f"{one.subject}\nto {','.join(one.to)}", causes=())
