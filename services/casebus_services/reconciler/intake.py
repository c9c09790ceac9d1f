"""Takes arrivals and time into the books of their chains, whether for the live service or a rebuild."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from casebus_schemas.case.chain import Digest
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.running import watch
from casebus_schemas.wire.stream_head import Stream, StreamHead

from .arrivals import Arrival, met, met_again
from .book import Announcement, ChainBook

MAX_CACHED_EVENTS = 5000
"""Events held in memory between batches, about 6 KiB each."""


class Ground(Protocol):
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

    def books(self, chains: Iterable[str]) -> dict[str, ChainBook]:
        """The books of these chains."""


class Numbered(Protocol):
    """A fence as far as the shelf needs it."""

    @property
    def partition(self) -> int:
        """The admission partition."""

    @property
    def revision(self) -> int:
        """How often it was written."""


class Shelf:
    """Books kept between transactions, while nobody else has written their partition."""

    def __init__(self) -> None:
        self._books: OrderedDict[str, tuple[int, ChainBook]] = OrderedDict()
        self._revisions: dict[int, int] = {}

    def check(self, fences: Iterable[Numbered]) -> None:
        """Drops the books of partitions that another worker has written since."""
        stale = {f.partition for f in fences if self._revisions.get(f.partition) != f.revision}
        if stale:
            self.keep_only(self._revisions.keys() - stale)

    def written(self, fences: Iterable[Numbered]) -> None:
        """This worker has written the partitions so far. Drops the oldest books over the limit."""
        self._revisions.update((fence.partition, fence.revision) for fence in fences)
        held = sum(len(book.folded.order) for _, book in self._books.values())
        while held > MAX_CACHED_EVENTS and len(self._books) > 1:
            _, (_, book) = self._books.popitem(last=False)
            held -= len(book.folded.order)

    def find(self, chain: str) -> ChainBook | None:
        """The book, if it is on the shelf."""
        found = self._books.get(chain)
        if found is None:
            return None
        self._books.move_to_end(chain)
        return found[1]

    def put(self, partition: int, book: ChainBook) -> None:
        """Keeps a book."""
        self._books[book.chain] = (partition, book)
        self._books.move_to_end(book.chain)

    def keep_only(self, partitions: Iterable[int]) -> None:
        """Drops the books of all other partitions."""
        kept = set(partitions)
        self._revisions = {p: revision for p, revision in self._revisions.items() if p in kept}
        for chain in [chain for chain, (partition, _) in self._books.items() if partition not in kept]:
            del self._books[chain]

    def clear(self) -> None:
        """Drops everything."""
        self.keep_only(())


class Intake:
    """One step: which books it touched, and what it made the bus say, by admission partition."""

    def __init__(self, ground: Ground, catalog: Catalog, shelf: Shelf) -> None:
        self._ground = ground
        self._catalog = catalog
        self._shelf = shelf
        self._touched: dict[str, tuple[int, ChainBook]] = {}
        self.said: dict[int, list[Announcement]] = {}

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Takes admission records in their order: refused ones only count, repeats have no second effect."""
        new = [a for a in self._ground.add_admissions(arrivals) if a.admission.admitted]
        self._open((a.partition, a.event_headers.subject) for a in new)
        heads = self._ground.heads({stream for a in new if (stream := a.stream)})
        fresh = []
        for arrived in new:
            book = self._touched[arrived.event_headers.subject][1]
            known = book.folded.by_digest.get(arrived.digest or b"")
            if known is not None:
                for finding in watch(met_again(known)):
                    self._say(arrived.partition, book.add(finding))
                continue
            fresh.append(arrived)
            self._enter(arrived, book, heads)
        self._ground.add_events(fresh)
        self._ground.save_heads(heads)

    def pass_time(self, chains: Sequence[tuple[int, str]], now: datetime) -> None:
        """Lets time pass to `now` in (admission partition, chain)."""
        self._open(chains)
        for partition, chain in chains:
            self._say(partition, self._touched[chain][1].advance(now))

    def touched(self) -> Iterator[tuple[int, ChainBook]]:
        """(admission partition, book) of every chain of this step."""
        yield from self._touched.values()

    def _enter(self, arrived: Arrival, book: ChainBook, heads: dict[Stream, StreamHead]) -> None:
        event = arrived.event(self._catalog)
        stream = arrived.stream
        head = heads.get(stream) if stream is not None else None
        shown = watch(met(arrived, event, head, self._ground.was_refused))
        if stream is not None and (head is None or event.seq > head.seq):
            heads[stream] = StreamHead(event.seq, event.digest)
        self._say(arrived.partition, book.take(event))
        for finding in shown:
            self._say(arrived.partition, book.add(finding))

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
        for chain, book in self._ground.books(missing).items():
            self._touched[chain] = (missing[chain], book)
            self._shelf.put(missing[chain], book)

    def _say(self, partition: int, announcements: list[Announcement]) -> None:
        if announcements:
            self.said.setdefault(partition, []).extend(announcements)
