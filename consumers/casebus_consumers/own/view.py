"""Cases, duties and findings of one agency by what it said and heard itself, from its own files."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from casebus_consumers.case_names import CaseNames, names_of
from casebus_consumers.case_reader import MOST_MEANT
from casebus_consumers.event_texts import in_words
from casebus_consumers.unshowable import reason_of
from casebus_producers.outbox.outbox import Outbox
from casebus_schemas.agencies import BUS
from casebus_schemas.case.as_of import AsOf, sight
from casebus_schemas.case.belonging import parties_of
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import fold
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.law.calendar import Calendar, published
from casebus_schemas.rules.case_view import EVERYTHING, case_view
from casebus_schemas.rules.reconcile import reconcile
from casebus_schemas.times import beijing_text, to_datetime, to_moment

from .announced import beside, duties_announced, findings_announced
from .events import OwnChain, OwnEvents
from .store import Kept, OwnStore


class OwnView:
    """Answers what `casebus case`, `obligations` and `findings` ask, for one agency, from its own files.

    It knows what the agency had, by construction. A case is folded by the code of the bus, and kept folded
    until one of its events or the time changes something. Where the bus announced a finding or a duty that
    the own fold does not give (it rests on what others said to others), it stands beside, `from` the bus.
    """

    def __init__(
        self, agency: str, outbox: Outbox, store: OwnStore, catalog: Catalog, calendar: Calendar | None = None
    ) -> None:
        self.agency = agency
        self._store = store
        self._events = OwnEvents(outbox, store, catalog)
        self._calendar = calendar or published()

    def close(self) -> None:
        """Nothing stays open."""

    # --- cases -------------------------------------------------------------------------------------------

    def chains(self, agency: str | None = None) -> list[dict[str, Any]]:
        """Every chain of which the agency said or heard something, with its state and its events' number."""
        self._own(agency)
        now = self.now()
        return [self._listed(chain, now) for chain in self._events.chains()]

    def chain_ids(self) -> list[str]:
        """Every chain of which the agency said or heard something, in order."""
        return self._events.chains()

    def concerns(self, duty: dict[str, Any]) -> bool:
        """Whether the agency owes a duty, or is owed it."""
        parties = (duty["owed_by"], *duty["owed_to"])
        return self.agency in {party.partition("/")[0] for party in parties}

    def events(self, chain: str) -> list[ChainEvent]:
        """What the agency knows of a chain, in the order of admission."""
        return self._events.of_chain(chain).events

    def case(
        self, chain: str, now: datetime, *, asked: AsOf = EVERYTHING, why: bool = False
    ) -> dict[str, Any]:
        """`case_view` of a chain, with what the bus announced of it. Raises UsageError if it is unknown."""
        self._own(asked.known_by)
        known = self._events.of_chain(chain)
        heard = self._store.of_speaker(BUS, chain)
        if not known.events and not heard:
            raise UsageError("no such chain", found=chain, remedy="`casebus case` lists all cases")
        if asked == EVERYTHING and not why:
            view = self._folded(chain, known, now)
        else:
            view = self._computed(chain, known, now, asked, why)
        view["waiting"] = known.waiting
        view["set_aside"] = None
        view["events"] = in_words(known.events, view["events"])
        view["names"] = names_of(known.events).to_json()
        if asked in (EVERYTHING, AsOf(known_by=self.agency)):
            view["obligations"] = _by_due(beside(duties_announced(heard, now), view["obligations"]))
            view["findings"] = beside(findings_announced(heard), view["findings"])
        return view

    def chains_like(self, beginning: str, agency: str | None = None) -> list[str]:
        """The ids of chains that begin so, at most `MOST_MEANT`."""
        self._own(agency)
        plain = beginning.lower()
        return [chain for chain in self._events.chains() if plain and chain.startswith(plain)][:MOST_MEANT]

    def chains_saying(self, text: str, agency: str | None = None) -> list[str]:
        """The ids of chains of which some event calls the case so, at most `MOST_MEANT`."""
        self._own(agency)
        found = []
        for chain in self._events.chains():
            if text and any(text in name for name in names_of(self.events(chain)).every()):
                found.append(chain)
            if len(found) == MOST_MEANT:
                break
        return found

    # --- lists -------------------------------------------------------------------------------------------

    def obligations(
        self,
        now: datetime,
        *,
        agency: str | None = None,
        chain: str | None = None,
        states: Sequence[str] = (),
        due_before: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """Duties (docs/records.md 5) that the agency owes or is owed, the earliest due first.

        `from` says who says it: `own`, `bus`, `both`.
        """
        self._own(agency)
        own = self._lists("obligations", chain, now)
        heard = self._store.of_speaker(BUS, chain)
        found = beside(duties_announced(heard, now), [duty for duty in own if self.concerns(duty)])
        return [
            duty
            for duty in _by_due(found)
            if (not states or duty["state"] in states)
            and (due_before is None or datetime.fromisoformat(duty["due_earliest"]) < due_before)
        ]

    def findings(
        self,
        *,
        agency: str | None = None,
        chain: str | None = None,
        states: Sequence[str] = (),
        rule: str | None = None,
        now: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """Findings (docs/records.md 5) of what the agency knows, and those that the bus announced to it, the
        oldest first; `from` says which. `now` is the wall clock by default."""
        self._own(agency)
        own = self._lists("findings", chain, now or self.now())
        found = beside(findings_announced(self._store.of_speaker(BUS, chain)), own)
        found.sort(key=lambda one: (datetime.fromisoformat(one["opened_at"]), one["id"]))
        return [
            one
            for one in found
            if (not states or one["state"] in states) and (rule is None or rule == one["rule"])
        ]

    def latest(self) -> datetime | None:
        """When the bus admitted what the agency heard or said last; None where there is no such thing."""
        return self._events.latest()

    def now(self, *, simulated: bool = False) -> datetime:
        """The wall clock; on a bus with a simulated clock what the agency knows of it: the last admission."""
        wall = to_datetime(time.time_ns() // 1_000_000)
        return (self.latest() or wall) if simulated else wall

    # --- within ------------------------------------------------------------------------------------------

    def _own(self, agency: str | None) -> None:
        if agency not in (None, self.agency):
            raise UsageError(
                f"this is the view of {self.agency}: it holds what {self.agency} said and heard",
                found=agency,
                expected=self.agency,
            )

    def _lists(self, name: str, chain: str | None, now: datetime) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for one in self._events.chains() if chain is None else [chain]:
            found.extend(self._folded(one, self._events.of_chain(one), now)[name])
        return found

    def _listed(self, chain: str, now: datetime) -> dict[str, Any]:
        known = self._events.of_chain(chain)
        view = self._folded(chain, known, now)
        return {
            "chain": chain,
            "status": view["status"],
            "events": len(known.events),
            "hash": view["hash"],
            "set_aside": None,
        }

    def _folded(self, chain: str, known: OwnChain, now: datetime) -> dict[str, Any]:
        """The case at `now`: as it was kept if that still holds, else folded and kept."""
        if not known.events:
            return _nothing(chain, now)
        inputs, now_ms = known.inputs, to_moment(now)
        kept = self._store.folded(chain)
        if (
            kept is None
            or kept.inputs != inputs
            or now_ms < kept.from_ms
            or (kept.until_ms is not None and now_ms >= kept.until_ms)
        ):
            view = self._computed(chain, known, now, EVERYTHING, False)
            until = self._changes_at(known.events, now)
            text = json.dumps(view, ensure_ascii=False)
            kept = Kept(inputs, now_ms, None if until is None else to_moment(until), text)
            self._store.keep_folded([(chain, kept)])
        found: dict[str, Any] = json.loads(kept.view)
        return {**found, "at": beijing_text(now)}

    def _computed(self, chain: str, known: OwnChain, now: datetime, asked: AsOf, why: bool) -> dict[str, Any]:
        asked = replace(asked, known_by=self.agency)
        try:
            view = case_view(known.events, now, asked=asked, why=why, calendar=self._calendar)
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is: an officer is told, not a programmer
            return {**_nothing(chain, now), "not_computed": reason_of(error)}
        return view

    def _changes_at(self, events: list[ChainEvent], now: datetime) -> datetime | None:
        """The next instant at which time alone changes something."""
        try:
            seen = sight(events, AsOf(known_by=self.agency)).seen
            meaning = reconcile(fold(seen, parties_of(events)), None, calendar=self._calendar)
            return meaning.wakes_at(now)
        except Exception:  # noqa: BLE001 - a case that cannot be computed is looked at anew each time
            return now


def _nothing(chain: str, now: datetime) -> dict[str, Any]:
    """A chain of which nothing can be folded, in the form of `case_view`."""
    return {
        "chain": chain,
        "status": None,
        "security": None,
        "suspects": [],
        "agencies": {},
        "amounts": [],
        "tracks": {},
        "events": [],
        "at": beijing_text(now),
        "obligations": [],
        "findings": [],
        "hash": "",
        "set_aside": None,
        "names": CaseNames().to_json(),
    }


def _by_due(duties: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(duties, key=lambda duty: (datetime.fromisoformat(duty["due_earliest"]), duty["id"]))
