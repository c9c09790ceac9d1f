"""Checks what epochs say of a log against its entries, while they are walked."""

from collections.abc import Callable, Iterator

from .ledger_queries import EpochHeadRow

Note = Callable[[str, str, str, str], None]
"""Takes table, row, what was found and what was expected."""

_NONE = -1


class CutCheck:
    """The heads of one log, in order of the epochs. `size` is the next one that the walk will reach."""

    def __init__(self, heads: Iterator[EpochHeadRow], note: Note) -> None:
        self._heads = heads
        self._note = note
        self._next = next(heads, None)
        self.open: list[EpochHeadRow] = []
        """Heads of the size reached last: the next entry, `follow`, must lie behind their next offset."""
        self.size = self._next.size if self._next is not None else _NONE

    def reach(self, root: bytes | None, last_offset: int) -> None:
        """The walk has reached `size`: what the entries give there, and the offset of the last one."""
        size, self.open = self.size, []
        while self._next is not None and self._next.size == size:
            head, self._next = self._next, next(self._heads, None)
            row = f"epoch {head.epoch}"
            if root is not None and head.root != root:
                self._note("epoch_head", row, f"root {head.root.hex()}", f"{root.hex()} by the entries")
            if head.next_offset <= last_offset:
                self._note("epoch_head", row, f"next_offset {head.next_offset}", f"more than {last_offset}")
            self._check_order(head)
            self.open.append(head)
        self.size = self._next.size if self._next is not None else _NONE

    def follow(self, index: int, koffset: int) -> None:
        """The entry at `index` stands at this offset of Kafka."""
        for head in self.open:
            if index == head.size and koffset < head.next_offset:
                row = f"epoch {head.epoch}"
                self._note("epoch_head", row, f"next_offset {head.next_offset}", f"at most {koffset}")
        self.open = []

    def finish(self, size: int) -> None:
        """The walk ends with so many entries: heads that are left are of no size that it had."""
        while self._next is not None:
            head, self._next = self._next, next(self._heads, None)
            expected = f"at most {size}, and no less than in epochs before"
            self._note("epoch_head", f"epoch {head.epoch}", f"size {head.size}", expected)

    def _check_order(self, head: EpochHeadRow) -> None:
        last = self.open[-1] if self.open else None
        if last is not None and head.next_offset < last.next_offset:
            found = f"next_offset {head.next_offset}"
            self._note("epoch_head", f"epoch {head.epoch}", found, f"at least {last.next_offset}")
