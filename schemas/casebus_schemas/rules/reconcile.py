"""What a chain's events mean: accounts, duties and findings at a time, carried on event by event; pure."""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from casebus_schemas.case.accounts import ABOUT_THE_BUS, Tracks, accounts, status_of
from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.chain_index import ChainIndex
from casebus_schemas.case.fold import Folded, fold
from casebus_schemas.case.obligations import Obligation, Start, duties_of, starts_of
from casebus_schemas.case.open_starts import OpenStarts
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law.calendar import Calendar, published
from casebus_schemas.small_types import RuleId
from casebus_schemas.times import in_beijing

from .asked import asked
from .chain import r20, r49
from .chain_hash import ChainHash
from .content import WHOLE, Content, Key
from .finding import Finding
from .folded_case import Case
from .looks import outside_touches, rules_touched, rules_touched_by
from .register import CHAIN_RULES
from .rule import Rule
from .running import in_order, run_content, run_rule, run_rule_at
from .sight import spoken
from .word import Words, finding_spoken_of, word_of

QUIET: Key = (b"", "quiet")
"""The time since the last event of the chain."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What an event or the time may have moved: keys of duties, findings before and after.

    `all` says that everything was made anew.
    """

    keys: Collection[Key] = ()
    before: Collection[Finding] = ()
    after: Collection[Finding] = ()
    all: bool = False


class Reconciled:
    """What a chain's events mean: nothing in it depends on the order or repetition of their arrival.

    `take` carries it on with one more event, `look` with the time: an event that sorts last costs what it
    touches, however long the chain is; any other makes everything anew. Equal to the meaning of all events at
    once in every case (a property test holds it).
    """

    _tracked: int | None

    def __init__(
        self,
        folded: Folded,
        law_of: date | None = None,
        rules: Mapping[RuleId, Rule] = CHAIN_RULES,
        catalog: Catalog | None = None,
        calendar: Calendar | None = None,
    ) -> None:
        self._law_of = law_of
        self._calendar = calendar or published()
        self._catalog = catalog or Catalog.load()
        self.rules = rules
        self._asked = asked(rules)
        self._begin(folded)

    # --- what it says ---------------------------------------------------------------------------------

    @property
    def duties(self) -> tuple[Obligation, ...]:
        """Every duty of the chain, in the order of the events that started them."""
        return tuple(duty for duties in self._duties.values() for duty in duties)

    def duties_at(self, key: Key) -> tuple[Obligation, ...]:
        """The duties of one start."""
        return self._duties.get(key, ())

    @property
    def content(self) -> tuple[Finding, ...]:
        """The findings that the events alone decide."""
        return tuple(self._content)

    def findings(self, now: datetime) -> tuple[Finding, ...]:
        """Every finding of the chain at `now`, with what agencies have said to it, in a fixed order."""
        timed = (finding for key in self._timed_keys() for finding in self._timed_of(key, now))
        return in_order(self.answered(finding) for finding in (*self.content, *timed))

    def answered(self, finding: Finding) -> Finding:
        """The finding with what agencies have said to it."""
        words = self._words.get(finding.id)
        return finding if words is None else spoken(finding, words.all())

    @property
    def accounts(self) -> dict[str, Any]:
        """The accounts side by side, as JSON values."""
        return accounts(self.folded)

    @property
    def status(self) -> str | None:
        """The furthest state that any suspect and charge has reached."""
        suspects = self.folded.suspects
        if self._tracked != suspects.revision:
            self._tracks = Tracks(suspects, self._catalog, histories=False)
            self._tracked = suspects.revision
            for event in self.folded.standing:
                self._track(event)
        return status_of(self.folded, self._tracks)

    @property
    def hash(self) -> bytes:
        """SHA-256 of what the signed events alone decide (docs/records.md 5)."""
        self._hash.duties(self._unhashed, self._duties)
        self._unhashed.clear()
        return self._hash.digest()

    def wakes_at(self, after: datetime) -> datetime | None:
        """The next instant after `after` at which time alone may change something; None if never."""
        after = in_beijing(after)  # as the turns: times of one zone are compared in a tenth of the time
        while self._heap:
            at, key = self._heap[0]
            if at > after and at in self._turns.get(key, ()):
                return at
            heapq.heappop(self._heap)
            self._push(key, max(at, after))
        return None

    # --- how it goes on -------------------------------------------------------------------------------

    def take(self, event: ChainEvent) -> Moved:
        """One more event; one that it holds already changes nothing unless it was admitted earlier."""
        known = self.folded.known(event.digest)
        if known is not None and known.admitted_at <= event.admitted_at:
            return Moved()
        revision = self.folded.suspects.revision
        if known is not None or not self.folded.grow(event):
            self._begin(fold((*self.folded.events, event)))
            return Moved(all=True)
        if event.digest in self.folded.repeats.said:
            return Moved((), *self._grow_content(event, (), rules_touched_by("", (), ("arrivals",))))
        event = self.folded.by_digest[event.digest]
        self._hash.event(event)
        if self.folded.belonging.is_outside(event):
            return Moved((), *self._grow_content(event, (), outside_touches(event, self.folded)))
        tied = self._index.add(event)
        idle = self.folded.is_idle(event)
        if self._tracked == self.folded.suspects.revision and not idle:
            self._track(event)
        somebody_else = revision != self.folded.suspects.revision
        keys = self._grow_duties(event, tied=tied, somebody_else=somebody_else)
        if self._stirs(event) and QUIET in self._timed:
            keys.append(QUIET)
        touched = rules_touched(event, self.folded)
        before, after = self._grow_content(
            event, keys, touched | self._asked.about_persons if somebody_else else touched
        )
        about = None if idle else self._word(event)
        if about is not None:
            # Whatever part holds it: its state is looked up anew.
            said = [finding for finding in self._where(about) if finding.id == about]
            before, after = [*before, *said], [*after, *said]
        if r20.may_wait(event, self.folded):
            self._wait(event)
            keys = [*keys, (event.digest, "")]
        return Moved(keys, before, after)

    def count_by(self, calendar: Calendar) -> Moved:
        """Makes everything anew by another calendar."""
        self._calendar = calendar
        self._begin(self.folded)
        return Moved(all=True)

    def look(self, keys: Iterable[Key], now: datetime) -> tuple[list[Finding], list[Finding]]:
        """What the time decides about starts and answers: (before, now)."""
        before: list[Finding] = []
        after: list[Finding] = []
        for key in keys:
            before.extend(self._timed.get(key, ()))
            found = self._timed_of(key, now)
            if found:
                self._timed[key] = found
                self._key_of.update((finding.id, key) for finding in found)
            else:
                self._timed.pop(key, None)
            after.extend(found)
        return before, after

    def turning(self, now: datetime) -> set[Key]:
        """The starts and answers about which time changes something by `now`; they turn only once."""
        found, now = set(), in_beijing(now)
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if at in self._turns.get(key, ()):
                found.add(key)
            self._push(key, now)
        return found

    def everything(self) -> list[Key]:
        """All starts and answers about which the time may say something."""
        return list(self._timed_keys())

    # --- inside ---------------------------------------------------------------------------------------

    def _begin(self, folded: Folded) -> None:
        self.folded = folded
        self._index = ChainIndex(folded, calendar=self._calendar)
        self._starts: dict[Key, Start] = {}
        self._duties: dict[Key, tuple[Obligation, ...]] = {}
        self._open = OpenStarts(folded)
        self._waiting: dict[Key, ChainEvent] = {}
        self._timed: dict[Key, tuple[Finding, ...]] = {}
        self._turns: dict[Key, tuple[datetime, ...]] = {}
        self._quiet_waits = False
        self._heap: list[tuple[datetime, Key]] = []
        self._words: dict[UUID, Words] = {}
        self._last_at: datetime | None = None
        self._tracked = None
        self._tracks = Tracks(folded.suspects, self._catalog, histories=False)
        self._hash = ChainHash(folded)
        self._unhashed: set[Key] = set()
        standing = {event.digest: event for event in folded.standing}
        for said in folded.order:
            if folded.belonging.is_outside(said):
                continue
            self._stirs(said)
            # A withdrawn cause keeps its duties, as moot: what was announced must not vanish.
            if said.digest in standing or said.digest in folded.withdrawn:
                self._start(standing.get(said.digest, said))
            if r20.may_wait(said, folded):
                self._wait(said)
        for far in self._index.all_beyond():
            self._open.out_of_reach(far)
        for event in folded.standing:
            self._word(event)
        self._content = Content(self._hash)
        self._key_of: dict[UUID, Key] = {}
        if folded.order:
            case = Case(folded, tuple(self._starts.values()), self.duties, self._catalog)
            found = run_content(self.rules.values(), case)
            for id, of in found.items():
                self._content.set((id, WHOLE), self._kept(of))

    def _start(self, event: ChainEvent) -> list[Key]:
        keys = []
        for start in starts_of(event, self._index, self._law_of):
            key = (event.digest, start.clock.id)
            self._starts[key] = start
            self._open.add(key, start)
            self._count(key)
            keys.append(key)
        return keys

    def _count(self, key: Key) -> None:
        """Makes the duties of a start anew."""
        start = self._starts[key]
        duties = duties_of(start, self._index)
        self._duties[key] = duties
        self._unhashed.add(key)
        left = [duty for duty in duties if duty.met_by is None]
        waiting = [duty for duty in left if duty.moot_by is None]  # only these a later end of the matter ends
        self._open.settle(key, settled=not left, ended=not waiting)
        self._set_turns(key, {turn for duty in duties for turn in duty.turns()})

    def _wait(self, event: ChainEvent) -> None:
        key = (event.digest, "")
        self._waiting[key] = event
        self._set_turns(key, r20.turns(event, self.folded))

    def _stirs(self, event: ChainEvent) -> bool:
        """Counts the chain's silence anew from an event of its matter; whether it is one."""
        if not self._asked.about_silence or not r49.stirs(event):
            return False
        last = self._last_at
        if last is None or last < event.admitted_at:
            self._last_at = event.admitted_at
            # An earlier turn that waits in the heap is pushed anew there: turns move on only.
            self._turns[QUIET] = r49.turns(in_beijing(event.admitted_at), self._catalog)
            if not self._quiet_waits and self._turns[QUIET]:
                heapq.heappush(self._heap, (self._turns[QUIET][0], QUIET))
                self._quiet_waits = True
        return True

    def _set_turns(self, key: Key, turns: Iterable[datetime]) -> None:
        found = tuple(sorted(map(in_beijing, turns)))
        if found:
            self._turns[key] = found
            heapq.heappush(self._heap, (found[0], key))
        else:
            self._turns.pop(key, None)

    def _push(self, key: Key, after: datetime) -> None:
        at = next((turn for turn in self._turns.get(key, ()) if turn > after), None)
        if at is not None:
            heapq.heappush(self._heap, (at, key))
        elif key == QUIET:
            self._quiet_waits = False  # it slept through all its turns: the next event begins anew

    def _grow_duties(self, event: ChainEvent, *, tied: Collection[Digest], somebody_else: bool) -> list[Key]:
        touched = self._open.touched(event, self._index, tied=tied, somebody_else=somebody_else)
        for key in touched:
            self._count(key)
        return [*touched, *self._start(event)]

    def _grow_content(
        self, event: ChainEvent, keys: Iterable[Key], touched: Iterable[RuleId]
    ) -> tuple[list[Finding], list[Finding]]:
        before: list[Finding] = []
        after: list[Finding] = []
        digest, content, over_case = event.digest, self._content, self._asked.over_case
        narrow = self._narrow(event, [key for key in keys if key[0] == digest])
        whole = self._whole()
        for id in touched:
            rule = over_case.get(id)
            if rule is None:
                continue
            case, key = (whole, WHOLE) if rule.each is None else (narrow, (digest, ""))
            part, found = (id, key), run_rule(rule, case)
            if not found and not content.holds(part):
                continue
            gone, new = content.set(part, self._kept(found))
            before.extend(gone)
            after.extend(new)
        return before, after

    def _whole(self) -> Case:
        # Rules about the whole chain look at no duties (the register holds them to it).
        return Case(self.folded, (), (), self._catalog)

    def _narrow(self, event: ChainEvent, keys: Iterable[Key]) -> Case:
        starts = tuple(self._starts[key] for key in keys if key in self._starts)
        duties = tuple(duty for key in keys for duty in self._duties.get(key, ()))
        return Case(self.folded, starts, duties, self._catalog, event)

    def _timed_keys(self) -> Iterator[Key]:
        yield from self._duties
        yield from self._waiting
        if self._last_at is not None:
            yield QUIET

    def _timed_of(self, key: Key, now: datetime) -> tuple[Finding, ...]:
        if key == QUIET:
            return self._kept(
                [f for rule in self._asked.about_silence for f in run_rule_at(rule, self._whole(), now)]
            )
        waiting = self._waiting.get(key)
        if waiting is None:
            start = self._starts[key]
            about, rules = start.cause, self._asked.about_duties[start.clock.found_by]
        else:
            about, rules = waiting, self._asked.about_answers
        case = self._narrow(about, (key,))
        return self._kept([finding for rule in rules for finding in run_rule_at(rule, case, now)])

    def _kept(self, found: Collection[Finding]) -> tuple[Finding, ...]:
        """Without those of a rule that is switched off (R09 for another's failure)."""
        return tuple([finding for finding in found if finding.rule in self.rules]) if found else ()

    def _where(self, finding: UUID) -> tuple[Finding, ...]:
        """Those among which a finding stands, if it is found now."""
        key = self._key_of.get(finding)
        return self._content.beside(finding) if key is None else self._timed.get(key, ())

    def _word(self, event: ChainEvent) -> UUID | None:
        """Takes what an agency says to a finding; which one."""
        about = finding_spoken_of(event)
        if about is not None:
            self._words.setdefault(about, Words()).add(word_of(event))
        return about

    def _track(self, event: ChainEvent) -> None:
        if event.family not in ABOUT_THE_BUS:
            self._tracks.apply(event)


def reconcile(
    events: Iterable[ChainEvent] | Folded,
    law_of: date | None = None,
    *,
    rules: Mapping[RuleId, Rule] = CHAIN_RULES,
    catalog: Catalog | None = None,
    calendar: Calendar | None = None,
) -> Reconciled:
    """Applies every rule to the admitted events of one chain (a set: order and repetition do not matter).

    Clocks run under the texts in force when they started, or under those of the day `law_of`; what types
    mean says `catalog`, by default that of this package. `calendar` says which days are worked, by default
    the notices of this package do.
    """
    folded = events if isinstance(events, Folded) else fold(events)
    return Reconciled(folded, law_of, rules, catalog, calendar)
