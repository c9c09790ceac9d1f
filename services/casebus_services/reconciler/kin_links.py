"""The pass over chains that are kin: parts of a case, cases merged, one security, one party."""

import logging
import time
from dataclasses import replace
from datetime import datetime

from casebus_schemas.case.kin import Kin, KinKey
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater, StopService
from casebus_schemas.rules.running import run_kin
from casebus_services.streams.faults import fault_point
from casebus_services.streams.patience import PATIENCE_S, patiently

from .accounts_database import Database
from .announce import Announcer, Said
from .fence import LINKS
from .hearing import Turn
from .kin_store import KinWork, Place
from .rows import finding_row
from .set_aside import reason_of
from .store import Work
from .turns import turns_said

log = logging.getLogger(__name__)

_LONGEST_S = 0.25
"""After that the next key waits for the next tick: events go first."""


class KinLinks:
    """Compares a chain with its kin once it has moved, one key a transaction, all chains in a circle.

    It speaks under the fence, streams and outbox of what is found across chains. What it finds follows from
    the set of events only: who came first, in which order and in how many steps does not matter. What holds
    no more is closed and kept as closed. A key that cannot be computed is logged and left as it was until one
    of its chains moves again.
    """

    def __init__(self, database: Database, catalog: Catalog, announcer: Announcer, incarnation: int) -> None:
        self._database = database
        self._catalog = catalog
        self._announcer = announcer
        self._incarnation = incarnation
        self._last = ""
        self._places: dict[str, Place] = {}
        """How far the keys of chains are looked through, of those of which only some are."""

    def look(self) -> bool:
        """Compares for a short while; whether something waits in the outbox since."""
        until = time.monotonic() + _LONGEST_S
        spoke = False
        while patiently(self._moved, PATIENCE_S):
            spoke = patiently(self._step, PATIENCE_S) or spoke
            if time.monotonic() > until:
                break
        return spoke

    def _moved(self) -> bool:
        with self._database.reading() as transaction:
            return KinWork(transaction, self._catalog).next_moved("") is not None

    def _step(self) -> bool:
        """Looks through keys of the next chain until one is compared; whether something is to be said."""
        with self._database.writing() as transaction:
            work, kin_work = Work(transaction, self._catalog), KinWork(transaction, self._catalog)
            fence = work.fences([LINKS], self._incarnation)[LINKS]
            chain = kin_work.next_moved(self._last)
            if chain is None:
                return False
            place = self._places.get(chain) or kin_work.begin(chain)
            keys = kin_work.keys(chain, place)
            announced: list[Said] | None = None
            for key, behind in keys.found:
                place = behind
                announced = self._found(work, kin_work, key)
                if announced is not None:
                    break
            done = not keys.more and (not keys.found or place == keys.found[-1][1])
            if done:
                kin_work.looked(chain, place)
            waiting = work.say(fence, self._announcer, announced or [])
            work.release([fence])
            fault_point("reconciler.before-commit", len(keys.found))
        self._last = chain
        self._places.pop(chain, None)
        if not done:
            self._places[chain] = place
        return bool(waiting)

    def _found(self, work: Work, kin_work: KinWork, key: KinKey) -> list[Said] | None:
        """Enters what is found of a key and what holds no more; what is said, None if nobody is kin by it."""
        try:
            kin = kin_work.kin(key)
            if kin is None:
                return None
            now = {finding.id: finding for finding in (run_kin(kin))}
            before = {
                **work.found_before(now),
                **{known.id: known for known in kin_work.open_findings(key)},
            }
            gone = {id: replace(known, state="closed") for id, known in before.items() if id not in now}
            turns = [
                Turn(known, finding)
                for id, finding in sorted({**now, **gone}.items())
                if (known := before.get(id)) is None or known.to_row() != finding.to_row()
            ]
            announced = turns_said(turns, self._catalog, _latest(kin))
            rows = [finding_row(turn.now, key) for turn in turns]
        except (StopService, RetryLater):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is: all other keys go on
            log.error("chains that are kin by their %s are not compared: %s", key.kind, reason_of(error))
            return []
        work.save_links(rows)
        return announced


def _latest(kin: Kin) -> datetime | None:
    """When the last event of any of them came."""
    events = (event for folded in kin.chains.values() for event in folded.order)
    return max((event.admitted_at for event in events), default=None)
