"""Takes arrivals and time into the books of their chains, whether for the live service or a rebuild."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from math import inf
from typing import NamedTuple, Protocol
from uuid import UUID

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater, StopService
from casebus_schemas.law.calendars import PUBLISHED, Calendars
from casebus_schemas.rules.chain import r09
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.running import made_at_arrival, watch
from casebus_schemas.wire.stream_head import Stream, StreamHead

from .announce import Said, said
from .arrivals import Arrival, met, met_again
from .book import ChainBook
from .hearing import Announcement
from .processor_time import ProcessorTime
from .rows import Entries, entries_of, finding_row
from .set_aside import (
    HeldBook,
    Kept,
    OverBudget,
    SetAside,
    computed_again_said,
    program_of,
    reason_of,
    set_aside_said,
)
from .shelf import Shelf

log = logging.getLogger(__name__)


class Ground(Kept, Protocol):
    """What the intake needs to know and to keep: the store's transaction, or a rebuild's memory."""

    def add_admissions(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Keeps the admissions and gives the first of each (origin, attempt), in order."""

    def add_events(self, arrivals: Sequence[Arrival]) -> None:
        """Keeps admitted events."""

    def was_refused(self, stream: Stream, digest: Digest) -> bool:
        """Whether a refused record with this digest stands on the stream's topic and partition."""

    def heads(self, streams: Iterable[Stream]) -> dict[Stream, StreamHead]:
        """Last admitted event of agencies' streams."""

    def save_heads(self, heads: dict[Stream, StreamHead]) -> None:
        """Moves the heads."""

    def held(self, chains: Sequence[str]) -> set[str]:
        """Those of these chains that are set aside."""

    def leave_admissions(self, arrivals: Sequence[Arrival]) -> None:
        """Gives back the admissions that this transaction added: they are left to the next one."""

    def books(self, chains: Sequence[str]) -> Mapping[str, Callable[[], ChainBook]]:
        """What opens the book of each of these chains; it raises where the chain cannot be computed."""

    def agencies(self, chain: str) -> set[str]:
        """Who spoke in a chain or was told of an event of it."""

    def last_event(self, chain: str) -> Digest:
        """The event of a chain that was admitted last."""


class Budget(NamedTuple):
    """Processor time, in seconds, that a chain may take beyond 20 ms an event, and a transaction."""

    chain_s: float = inf
    transaction_s: float = inf


EVENT_S = 0.02
"""What each event of a chain adds to the chain's budget: some forty times what an ordinary one takes."""


NO_LIMIT = Budget()


class Intake:
    """One step: which books it touched, and what it made the bus say.

    A chain whose events cannot be read, folded, ruled on or announced is set aside: what the step did to it
    is dropped, but for the events themselves, and all other chains go on.
    """

    def __init__(
        self,
        ground: Ground,
        catalog: Catalog,
        shelf: Shelf,
        budget: Budget = NO_LIMIT,
        calendars: Calendars = PUBLISHED,
    ) -> None:
        self._budget = budget
        self._calendars = calendars
        self._time = ProcessorTime()
        self._spent_s = 0.0
        self._openers: dict[str, Callable[[], ChainBook]] = {}
        self._ground = ground
        self._catalog = catalog
        self._shelf = shelf
        self._program = program_of(catalog)
        self._touched: dict[str, tuple[int, ChainBook | HeldBook]] = {}
        self._said: dict[str, list[Announcement]] = {}
        self._noted: dict[str, dict[Digest, ChainEvent]] = {}
        self._watched: dict[str, list[Finding]] = {}
        self._since: dict[str, datetime] = {}
        self.set_aside: dict[str, SetAside] = {}
        """Chains that this step has set aside."""
        self.taken_back: list[str] = []
        """Chains that it could compute again."""
        self.entries: list[Entries] = []
        """The rows that it writes, once it is closed."""
        self.said: dict[int, list[Said]] = {}
        """What it makes the bus say, by admission partition, once it is closed."""
        self.traces: dict[Digest, str] = {}
        """Trace contexts of the events that it took, by digest."""

    def take(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        """Takes admission records in their order: refused ones only count, repeats have no second effect.

        Gives those that it leaves to the next transaction, since this one has used up its time.
        """
        first = self._ground.add_admissions(arrivals)
        new = [arrived for arrived in first if arrived.admission.admitted]
        for arrived in new:
            self._since.setdefault(arrived.event_headers.subject, arrived.admitted_at)
        self._open((a.partition, a.event_headers.subject) for a in new)
        heads = self._ground.heads({stream for a in new if (stream := a.stream)})
        fresh: list[Arrival] = []
        left: Sequence[Arrival] = ()
        for number, arrived in enumerate(new):
            if number and self._is_over():
                left = arrivals[next(at for at, one in enumerate(arrivals) if one is arrived) :]
                self._ground.leave_admissions(left)
                break
            chain = arrived.event_headers.subject
            book = self._book(chain)
            known = self._known(book, arrived.digest or b"")
            if known is not None:
                for finding in watch(met_again(known)):
                    self._notice(chain, finding)
                continue
            fresh.append(arrived)
            if arrived.digest and (trace := arrived.event_headers.traceparent):
                self.traces[arrived.digest] = trace
            self._enter(chain, arrived, heads)
        self._ground.add_events(fresh)
        self._ground.save_heads(heads)
        self._close()
        return left

    def pass_time(self, chains: Sequence[tuple[int, str]], now: datetime) -> None:
        """Lets time pass to `now` in (admission partition, chain)."""
        self._since.update((chain, now) for _, chain in chains)
        self._open(chains)
        for number, (_, chain) in enumerate(chains):
            if number and self._is_over():
                break
            self._tried(chain, partial(self._advance, chain, now))
        self._close()

    def compute_again(
        self, held: SetAside, events: Callable[[], Iterable[ChainEvent]], findings: Iterable[Finding]
    ) -> None:
        """Computes a chain that is set aside from all its events; it stays so if this program cannot either.

        `findings` are those entered so far. What was said before it was set aside is not said again: the same
        announcement has the same id.
        """
        chain, known = held.chain, {finding.id: finding for finding in findings}
        self._since[chain] = held.since
        self._touched[chain] = (held.partition, HeldBook(chain, self._ground))
        self._tried(chain, partial(self._take_all, held, events, known))
        self._close()
        if chain in self.set_aside:
            self.set_aside[chain] = self.set_aside[chain]._replace(ordered=held.ordered)
        else:
            self.taken_back.append(chain)

    def _take_all(
        self, held: SetAside, events: Callable[[], Iterable[ChainEvent]], known: Mapping[UUID, Finding]
    ) -> None:
        book = ChainBook(held.chain, calendars=self._calendars)
        self._touched[held.chain] = (held.partition, book)
        for finding in known.values():
            if made_at_arrival(finding):
                book.enter(finding)
        last = b""
        for event in events():
            self._lap()
            self._say(held.chain, book.take(event))
            self._charge(book)
            last = event.digest
        told = known.get(r09.set_aside_id(held.chain))
        if told is not None and told.state != "closed":
            book.enter(replace(told, state="closed"))
            self._say(held.chain, computed_again_said(told, last, book.told_until))
        self._shelf.put(held.partition, book)

    def books(self) -> Iterable[tuple[int, ChainBook | HeldBook]]:
        """(admission partition, book) of every chain of this step."""
        return self._touched.values()

    # --- chain by chain -------------------------------------------------------------------------------

    def _advance(self, chain: str, now: datetime) -> None:
        book = self._book(chain)
        if isinstance(book, ChainBook):
            self._lap()
            self._say(chain, book.advance(now))
            self._charge(book)

    def _is_over(self) -> bool:
        self._lap()
        return self._spent_s > self._budget.transaction_s

    def _lap(self) -> float:
        """What was spent since this was last asked."""
        spent_s = self._time.lap()
        self._spent_s += spent_s
        return spent_s

    def _charge(self, book: ChainBook) -> None:
        """Counts the last lap to a chain. Raises OverBudget if it took too much."""
        book.spent_s += self._lap()
        if book.spent_s > self._budget.chain_s + EVENT_S * len(book.folded.order):
            raise OverBudget

    def _known(self, book: ChainBook | HeldBook, digest: Digest) -> ChainEvent | None:
        known = book.known(digest)
        if known is None and isinstance(book, ChainBook) and book.is_full:
            noted = self._noted.get(book.chain, {}).get(digest)
            return noted or self._ground.known_event(digest)
        return known

    def _enter(self, chain: str, arrived: Arrival, heads: dict[Stream, StreamHead]) -> None:
        outline = arrived.outline()
        self._noted.setdefault(chain, {})[outline.digest] = outline
        stream = arrived.stream
        head = heads.get(stream) if stream is not None else None
        shown = watch(met(arrived, outline, head, self._ground.was_refused))
        if stream is not None and (head is None or outline.seq > head.seq):
            heads[stream] = StreamHead(outline.seq, outline.digest)
        book = self._book(chain)
        if isinstance(book, HeldBook):
            book.note(outline)
        else:
            self._tried(chain, partial(self._take, book, arrived))
        for finding in shown:
            self._notice(chain, finding)

    def _take(self, book: ChainBook, arrived: Arrival) -> None:
        self._lap()
        self._say(book.chain, book.take(arrived.event(self._catalog)))
        self._charge(book)

    def _notice(self, chain: str, finding: Finding) -> None:
        """Enters what the arrival of an event shows."""
        self._watched.setdefault(chain, []).append(finding)
        self._say(chain, self._touched[chain][1].add(finding))

    def _say(self, chain: str, announcements: list[Announcement]) -> None:
        if announcements:
            self._said.setdefault(chain, []).extend(announcements)

    def _open(self, chains: Iterable[tuple[int, str]]) -> None:
        missing: dict[str, int] = {}
        for partition, chain in chains:
            if chain in self._touched or chain in missing:
                continue
            book = self._shelf.find(chain)
            if book is None:
                missing[chain] = partition
            else:
                self._touched[chain] = (partition, book)
        if not missing:
            return
        held = self._ground.held(list(missing))
        self._openers.update(self._ground.books([chain for chain in missing if chain not in held]))
        for chain, partition in missing.items():
            self._touched[chain] = (partition, HeldBook(chain, self._ground))

    def _book(self, chain: str) -> ChainBook | HeldBook:
        opener = self._openers.pop(chain, None)
        if opener is not None:
            self._tried(chain, partial(self._opened, chain, self._touched[chain][0], opener))
        return self._touched[chain][1]

    def _opened(self, chain: str, partition: int, opener: Callable[[], ChainBook]) -> None:
        book = opener()
        self._touched[chain] = (partition, book)
        self._shelf.put(partition, book)

    # --- what cannot be computed ----------------------------------------------------------------------

    def _tried(self, chain: str, step: Callable[[], None]) -> bool:
        """Whether a step of one chain could be done; if not, the chain is set aside."""
        try:
            step()
        except (StopService, RetryLater):
            raise  # the evidence or the database: no matter of this chain
        except Exception as error:  # noqa: BLE001 - whatever it is: all other chains go on
            self._put_aside(chain, reason_of(error))
            return False
        return True

    def _put_aside(self, chain: str, reason: str) -> None:
        partition = self._touched[chain][0]
        log.error("chain %s is set aside: %s", chain, reason)
        self._shelf.drop(chain)
        self._said.pop(chain, None)
        held = HeldBook(chain, self._ground)
        for outline in self._noted.get(chain, {}).values():
            held.note(outline)
        self._touched[chain] = (partition, held)
        for finding in self._watched.get(chain, ()):
            self._say(chain, held.add(finding))
        self.set_aside[chain] = SetAside(chain, partition, self._since[chain], reason, self._program)

    # --- what is written and said ---------------------------------------------------------------------

    def _close(self) -> None:
        """Makes rows and values of what was entered; a chain of which they cannot be made is set aside."""
        for chain in [chain for chain in self._touched if chain not in self._openers]:
            if not self._tried(chain, partial(self._write, chain)):
                self._write(chain)
        for held in self.set_aside.values():
            agencies = self._ground.agencies(held.chain)
            finding = r09.set_aside(held.chain, agencies, held.kind, held.since)
            self.entries.append(Entries(None, [], [finding_row(finding)]))
            announcements = set_aside_said(finding, self._ground.last_event(held.chain))
            values = [one for announcement in announcements for one in said(announcement, self._catalog)]
            self.said.setdefault(held.partition, []).extend(values)

    def _write(self, chain: str) -> None:
        partition, book = self._touched[chain]
        values = [one for words in self._said.get(chain, ()) for one in said(words, self._catalog)]
        self.entries.append(entries_of(partition, book))
        if values:
            self.said.setdefault(partition, []).extend(values)
