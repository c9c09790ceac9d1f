"""Books kept in memory between transactions, as many as their estimated size allows."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Protocol

from .book import ChainBook

MAX_CACHED_BYTES = 64 * 1024 * 1024
"""Estimated memory of the books that are kept between transactions."""
_EVENT_BYTES = 6 * 1024
_VALUE_TIMES = 20
"""What an event takes in memory: so much, and its value decoded, many times as long as its bytes."""


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
        self._sizes: dict[str, int] = {}
        self._held = 0
        self._asked: set[str] = set()
        """Whose books may have grown since they were last written."""

    def check(self, fences: Iterable[Numbered]) -> None:
        """Drops the books of partitions that another worker has written since."""
        stale = {f.partition for f in fences if self._revisions.get(f.partition) != f.revision}
        if stale:
            self.keep_only(self._revisions.keys() - stale)

    def written(self, fences: Iterable[Numbered]) -> None:
        """This worker has written the partitions so far. Drops the oldest books over the limit."""
        self._revisions.update((fence.partition, fence.revision) for fence in fences)
        for chain in self._asked:
            if (found := self._books.get(chain)) is not None:
                size = _memory(found[1])
                self._held += size - self._sizes.get(chain, 0)
                self._sizes[chain] = size
        self._asked.clear()
        while self._held > MAX_CACHED_BYTES and len(self._books) > 1:
            chain, _ = self._books.popitem(last=False)
            self._held -= self._sizes.pop(chain, 0)

    def find(self, chain: str) -> ChainBook | None:
        """The book, if it is on the shelf."""
        found = self._books.get(chain)
        if found is None:
            return None
        self._books.move_to_end(chain)
        self._asked.add(chain)
        return found[1]

    def put(self, partition: int, book: ChainBook) -> None:
        """Keeps a book."""
        self._books[book.chain] = (partition, book)
        self._books.move_to_end(book.chain)
        self._asked.add(book.chain)

    def drop(self, chain: str) -> None:
        """Drops a book."""
        self._books.pop(chain, None)
        self._held -= self._sizes.pop(chain, 0)

    def keep_only(self, partitions: Iterable[int]) -> None:
        """Drops the books of all other partitions."""
        kept = set(partitions)
        self._revisions = {p: revision for p, revision in self._revisions.items() if p in kept}
        for chain in [chain for chain, (partition, _) in self._books.items() if partition not in kept]:
            self.drop(chain)

    def clear(self) -> None:
        """Drops everything."""
        self.keep_only(())


def _memory(book: ChainBook) -> int:
    return _EVENT_BYTES * len(book.folded.order) + _VALUE_TIMES * book.bytes
