"""All cases of an agency at a glance: names, duties and findings, kept up as events and time come."""

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from casebus_consumers.own.store import OwnStore
from casebus_consumers.own.view import OwnView
from casebus_producers.outbox.outbox import Outbox
from casebus_schemas.errors import UsageError
from casebus_schemas.times import BEIJING, in_beijing, to_datetime

from .changed import Ends, chains_between, ends_of

T = TypeVar("T")
RUNNING = ("waiting", "open", "due", "contested", "overdue")
"""States of a duty that is neither met nor over."""
_OVER = ("met", "moot", "lapsed")


def is_running(duty: dict[str, Any]) -> bool:
    """Whether somebody still has to do something about a duty; one that was met late is done."""
    return duty["state"] in RUNNING and not duty["met"]


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case; `names` as `casebus case` shows them, `last` the time of its last event, if any."""

    chain: str
    names: dict[str, list[str]]
    status: str | None
    events: int
    last: datetime | None
    duties: Sequence[dict[str, Any]]
    findings: Sequence[dict[str, Any]]
    changes_at: datetime | None

    @property
    def called(self) -> str:
        """How people call it: its suspects, else its number, else the beginning of its chain id."""
        suspects = self.names["suspects"]
        if suspects:
            return "、".join(suspects[:2]) + ("…" if len(suspects) > 2 else "")
        return (self.names["securities"] or self.names["numbers"] or [self.chain[:8]])[0]


class Cases(dict[str, CaseLine]):
    """Every case by chain, as all of them stand until one changes; what is made of all is made once for that.

    For several threads: at worst two make the same.
    """

    def __init__(self, cases: Mapping[str, CaseLine] | None = None) -> None:
        super().__init__(cases or {})
        self._made: dict[Hashable, Any] = {}

    def once(self, name: Hashable, make: Callable[[], T]) -> T:
        """What was made under this name, else what `make` gives."""
        if name not in self._made:
            self._made[name] = make()
        found: T = self._made[name]
        return found

    @property
    def duties(self) -> list[dict[str, Any]]:
        """Every duty that the agency owes or is owed."""
        return self.once("duties", lambda: [duty for line in self.values() for duty in line.duties])

    @property
    def running(self) -> list[dict[str, Any]]:
        """Those that are neither met nor over."""
        return self.once("running", lambda: [duty for duty in self.duties if is_running(duty)])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Every finding that is known."""
        return self.once("findings", lambda: [one for line in self.values() for one in line.findings])


@dataclass(slots=True)
class Board:
    """Kept in memory: a case is looked at again when something was said or heard of it, or its time comes.

    For several threads.
    """

    view: OwnView
    store: OwnStore
    outbox: Outbox
    _cases: Cases = field(default_factory=Cases)
    _seen: Ends | None = None
    _at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cases(self, now: datetime) -> Cases:
        """Every case by chain, as it stands at `now`; not to be changed."""
        with self._lock:
            if stale := self._stale(now):
                cases = Cases(self._cases)
                for chain in stale:
                    try:
                        cases[chain] = self._look(chain, now)
                    except UsageError:  # all that was said of it waits for the bus, or was refused
                        cases.pop(chain, None)
                self._cases = cases
            self._at = now
            return self._cases

    def _stale(self, now: datetime) -> list[str]:
        seen, before = ends_of(self.store, self.outbox), self._seen
        if before is None or seen.inbox < before.inbox or (self._at is not None and now < self._at):
            self._cases = Cases()
            found = set(self.view.chain_ids())
        else:
            found = chains_between(self.store, self.outbox, before, seen)
        found |= {
            chain
            for chain, line in self._cases.items()
            if line.changes_at is not None and line.changes_at <= now
        }
        self._seen = seen
        return sorted(found)

    def _look(self, chain: str, now: datetime) -> CaseLine:
        case = self.view.case(chain, now)
        duties = [duty for duty in case["obligations"] if self.view.concerns(duty)]
        events = case["events"]
        last = max((datetime.fromisoformat(event["time"]) for event in events), default=None)
        return CaseLine(
            chain=chain,
            names=case["names"],
            status=case["status"],
            events=len(events),
            last=last,
            duties=duties,
            findings=case["findings"],
            changes_at=_earlier(_changes_at(duties, now), self._folded_until(chain)),
        )

    def _folded_until(self, chain: str) -> datetime | None:
        kept = self.store.folded(chain)
        return None if kept is None or kept.until_ms is None else to_datetime(kept.until_ms)


def _changes_at(duties: Sequence[dict[str, Any]], now: datetime) -> datetime | None:
    """When a duty may stand otherwise: at a reading's end, or the morning of its day."""
    found = None
    for duty in duties:
        if duty["state"] in _OVER:
            continue
        for name in ("due_earliest", "due_latest", "latest_possible"):
            end = datetime.fromisoformat(duty[name])
            morning = in_beijing(end - timedelta(milliseconds=1)).replace(
                hour=0, minute=0, second=0, microsecond=0, tzinfo=BEIJING
            )
            for moment in (morning, end):
                if moment > now:
                    found = _earlier(found, moment)
    return found


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)
