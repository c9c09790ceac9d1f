"""The events of a folded chain by type and by what they answer, so that a duty finds its own at once."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from heapq import merge

from casebus_schemas.agencies import Members
from casebus_schemas.law.calendar import Calendar, published
from casebus_schemas.law.clocks import RECEIPTS, ClockTable, clock_table

from .as_of import receipted
from .chain import ChainEvent, Digest
from .endings import ends_matter
from .fold import Folded

MOST_LATER = 20
"""An event that does not answer a start itself belongs to it if no more starts of its kind lie between."""

_Row = list[tuple[int, ChainEvent]]


class ChainIndex:
    """Finds what belongs to a start in time proportional to what is found, however long the chain is.

    An event belongs to a start if following its `in_reply_to` meets the start or what the start itself
    answers; one that meets another start of the same kind does not; one that is tied to no start of the kind
    does (it is *loose*). Unless it answers the start itself, it belongs to the last `MOST_LATER` of a kind
    only: no matter has so many that wait at once. With each event by which the fold grows, `add` makes it
    equal to an index made anew.
    `table` and `members` are the law and the agencies under which the chain is read, `calendar` the holidays.
    """

    def __init__(
        self,
        folded: Folded,
        table: ClockTable | None = None,
        members: Members | None = None,
        calendar: Calendar | None = None,
    ) -> None:
        self.folded = folded
        self.calendar = calendar or published()
        self.table = table or clock_table()
        self.members = members or Members.load()
        self._receipts: dict[Digest, list[tuple[ChainEvent, datetime]]] = {}
        self._seen: dict[str, int] = {}
        self._endings: _Row = []
        self._said = _Rows()
        self._standing = _Rows()
        self._touched: dict[str, set[Digest]] = {}
        self._speaking: dict[Digest, ChainEvent] = {}
        self._counted: dict[str, tuple[dict[str, int], list[int]]] = {}
        standing = {event.digest: event for event in folded.standing}
        for event in folded.order:
            if not folded.belonging.is_outside(event):
                self._add(event, standing.get(event.digest))

    def add(self, event: ChainEvent) -> frozenset[Digest]:
        """Takes the event by which its fold has grown.

        What it answers that no event of its kind had answered before: whatever else answers these was loose
        for the kind, and is tied to it now.
        """
        return self._add(event, None if self.folded.is_idle(event) else event)

    def is_loose(self, event: ChainEvent, kind: str) -> bool:
        """Whether an event is tied to no start of a kind."""
        return self._thread(event).isdisjoint(self._touched.get(kind, ()))

    def place(self, event: ChainEvent) -> int:
        """Where the event stands in the chain's order."""
        return self.folded.place[event.digest]

    def receipts_of(self, event: ChainEvent) -> list[tuple[ChainEvent, datetime]]:
        """The receipts of an event, each with the time at which it says that its speaker had it."""
        return self._receipts.get(event.digest, [])

    def seen_by(self, event: ChainEvent, agencies: Iterable[str]) -> tuple[str, ...]:
        """Those of the agencies that have spoken or been addressed in the chain up to an event."""
        place = self.folded.place[event.digest]
        return tuple(agency for agency in agencies if self._seen.get(agency, place + 1) <= place)

    def starts_before(self, event: ChainEvent, types: Iterable[str]) -> Iterator[ChainEvent]:
        """The events of these types that still speak before one that may belong to them."""
        place, thread = self.folded.place[event.digest], self._thread(event)
        wanted = dict.fromkeys(types)
        near = {said.digest for type in wanted for said in self.reaching(type, place)}
        there = {digest for digest in thread if self.folded.by_digest[digest].type in wanted}
        for digest in sorted(near | there, key=self.folded.place.__getitem__):
            standing = self._speaking.get(digest)
            if standing is not None and self.folded.place[digest] < place:
                yield standing

    def counted(
        self,
        what: str,
        types: Iterable[str],
        place: int,
        counts: Callable[[ChainEvent, "ChainIndex"], bool],
    ) -> int:
        """How many events of these types that still speak count before a place; each is asked once."""
        read, places = self._counted.setdefault(what, ({}, []))
        for type in dict.fromkeys(types):
            row = self._standing.of_type.get(type, [])
            for at, event in row[read.get(type, 0) :]:
                if counts(event, self):
                    insort(places, at)
            read[type] = len(row)
        return bisect_left(places, place)

    def belonging(
        self, cause: ChainEvent, types: Iterable[str], *, as_said: bool = False
    ) -> Iterator[ChainEvent]:
        """Events of these types that belong to the cause and stand behind it, in the chain's order.

        Those that still speak, with their facts as corrected; `as_said` all, withdrawn ones too.
        """
        rows = self._said if as_said else self._standing
        after = self.folded.place[cause.digest]
        if after == len(self.folded.place) - 1:
            return  # nothing stands behind it
        until = self.reaches(cause)
        shared = [digest for digest in self.folded.thread(cause) if digest != cause.digest]
        found: list[Iterator[tuple[int, ChainEvent]]] = []
        for type in types:
            if own := rows.in_thread.get((cause.digest, type)):
                found.append(_behind(own, after))
            for digest in shared:
                if row := rows.in_thread.get((digest, type)):
                    found.append(_behind(row, after, until))
            if row := self._loose(rows, cause.type, type):
                found.append(_behind(row, after, until))
        last = after
        for place, event in merge(*found, key=_by_place) if len(found) != 1 else found[0]:
            if place > last:  # one that meets several of the thread comes once
                last = place
                yield event

    def reaches(self, cause: ChainEvent) -> int:
        """The last place at which an event may belong to a cause that does not answer it itself."""
        row = self._said.of_type[cause.type]
        at = bisect_right(row, self.folded.place[cause.digest], key=_by_place) + MOST_LATER
        return row[at - 1][0] if at <= len(row) else len(self.folded.place)

    def reaching(self, kind: str, place: int) -> list[ChainEvent]:
        """The events of a kind before a place that reach it, as they were said, in the chain's order."""
        row = self._said.of_type.get(kind, [])
        end = bisect_right(row, place - 1, key=_by_place)
        return [event for _, event in row[max(0, end - MOST_LATER) : end]]

    def beyond(self, kind: str) -> ChainEvent | None:
        """The event of a kind that the last one of that kind has put out of reach of what follows."""
        row = self._said.of_type[kind]
        return row[-MOST_LATER - 2][1] if len(row) > MOST_LATER + 1 else None

    def all_beyond(self) -> Iterator[ChainEvent]:
        """All events that are out of reach of what follows."""
        for row in self._said.of_type.values():
            yield from (event for _, event in row[: -MOST_LATER - 1])

    def answering(self, digests: Iterable[Digest], types: Iterable[str]) -> Iterator[int]:
        """Places of the events of these types that answer one of these events, or are one of them."""
        wanted = tuple(types)
        for digest in digests:
            for type in wanted:
                yield from (place for place, _ in self._said.in_thread.get((digest, type), ()))

    def touches(self, event: ChainEvent, cause: ChainEvent) -> bool:
        """Whether an event may belong to a cause: in its thread, or loose, or its receipt."""
        if event.type in RECEIPTS:
            return any(digest == cause.digest for digest, _ in receipted(event, "fetched"))
        thread = self._thread(event)
        if cause.digest in thread:
            return True
        if self.folded.place[event.digest] > self.reaches(cause):
            return False
        return not thread.isdisjoint(self.folded.thread(cause)) or thread.isdisjoint(
            self._touched.get(cause.type, ())
        )

    def endings(self, cause: ChainEvent) -> Iterator[ChainEvent]:
        """The events behind a cause that end the matter, in the chain's order."""
        return (event for _, event in _behind(self._endings, self.folded.place[cause.digest]))

    def _loose(self, rows: "_Rows", kind: str, type: str) -> _Row:
        """Events of a type that are tied to no event of the kind."""
        rows_of_type = rows.loose.setdefault(type, {})
        row = rows_of_type.get(kind)
        if row is None:
            touched = self._touched.get(kind, set())
            row = [
                (place, event)
                for place, event in rows.of_type.get(type, [])
                if self._thread(event).isdisjoint(touched)
            ]
            rows_of_type[kind] = row
        return row

    def _add(self, event: ChainEvent, standing: ChainEvent | None) -> frozenset[Digest]:
        place = self.folded.place[event.digest]
        for address in (event.agency, *(event.envelope.get("to") or ())):
            self._seen.setdefault(address.partition("/")[0], place)
        if standing is not None and event.type in RECEIPTS:
            for digest, had in receipted(standing, "fetched"):
                self._receipts.setdefault(digest, []).append((standing, had))
        if standing is not None and ends_matter(standing):
            self._endings.append((place, standing))
        touched = self._touched.setdefault(event.type, set())
        new = self.folded.thread(event) - touched
        touched |= new
        for rows in (self._said, self._standing):
            rows.tie(new, event.type)
        thread = self._thread(event)
        self._enter(self._said, place, event, thread)
        if standing is not None:
            self._speaking[standing.digest] = standing
            self._enter(self._standing, place, standing, thread)
        return new - {event.digest}

    def _enter(self, rows: "_Rows", place: int, event: ChainEvent, thread: frozenset[Digest]) -> None:
        rows.of_type.setdefault(event.type, []).append((place, event))
        for digest in thread:
            rows.in_thread.setdefault((digest, event.type), []).append((place, event))
        for kind, row in rows.loose.get(event.type, {}).items():
            if thread.isdisjoint(self._touched.get(kind, ())):
                row.append((place, event))

    def _thread(self, event: ChainEvent) -> frozenset[Digest]:
        thread = self.folded.thread(event)
        if event.withdraws is not None:
            thread |= {self.folded.origin_of(event.withdraws)}
        return thread


class _Rows:
    """Events with their places: by type, by what their thread holds, and those loose for a kind of start."""

    def __init__(self) -> None:
        self.of_type: dict[str, _Row] = {}
        self.in_thread: dict[tuple[Digest, str], _Row] = {}
        self.loose: dict[str, dict[str, _Row]] = {}

    def tie(self, digests: Iterable[Digest], kind: str) -> None:
        """What has one of these in its thread is loose for a kind of start no more."""
        for type, of_kind in self.loose.items():
            if kind not in of_kind:
                continue
            for digest in digests:
                tied = {place for place, _ in self.in_thread.get((digest, type), ())}
                if tied:
                    of_kind[kind] = [entry for entry in of_kind[kind] if entry[0] not in tied]


def _by_place(entry: tuple[int, ChainEvent]) -> int:
    return entry[0]


def _behind(row: _Row, after: int, until: int | None = None) -> Iterator[tuple[int, ChainEvent]]:
    for index in range(bisect_right(row, after, key=_by_place), len(row)):
        if until is not None and row[index][0] > until:
            return
        yield row[index]
