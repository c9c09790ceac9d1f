"""Checks the roots of a log's batch rows, and tells a changed batch row from changed entries."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from casebus_schemas.evidence.merkle import Frontier
from casebus_services.ledger.appending import BatchRow

Note = Callable[[str, str, str, str], None]
"""Takes table, row, what was found and what was expected."""

_UNSETTLED = bytes(32)


@dataclass(frozen=True, slots=True)
class _Quarrel:
    """A batch row whose root its entries do not give."""

    start: int
    end: int
    by_row: bytes
    by_entries: bytes


class RootCheck:
    """Grows the tree entry by entry and compares it at each batch row.

    If a batch row and its entries disagree, two trees go on: the entries' and the batch row's. The batch row
    that comes next fits one of them, and so says who was changed.
    """

    def __init__(self, note: Note) -> None:
        self._note = note
        self._tree = Frontier()
        self._rival: Frontier | None = None
        self._settled = True
        self._quarrels: list[_Quarrel] = []
        self._at_fault: list[_Quarrel] = []

    def grow(self, leaf_hash: bytes | None) -> None:
        """One more entry; None if it does not say its hash: the tree is then unknown up to a batch row."""
        if leaf_hash is None:
            self._settled = False
        leaf = (leaf_hash or _UNSETTLED,)
        self._tree.extend(leaf)
        if self._rival is not None:
            self._rival.extend(leaf)

    def extend(self, leaf_hashes: Sequence[bytes]) -> None:
        """More entries that say their hashes."""
        self._tree.extend(leaf_hashes)
        if self._rival is not None:
            self._rival.extend(leaf_hashes)

    def check(self, batch: BatchRow, end: int) -> None:
        """Compares the tree with a batch row that ends at entry `end`."""
        row = f"start_index {batch.start_index}"
        root = self._tree.root()
        try:
            stated = Frontier.from_bytes(end, batch.frontier)
        except ValueError as error:
            self._note("batch", row, f"frontier of {error}", "one hash for each bit of end_index")
            self._check_root_alone(batch, row, root)
            return
        if stated.root() != batch.root:
            wrong = "root or frontier"
            if self._settled:
                names = {"root": batch.root == root, "frontier": stated.nodes == self._tree.nodes}
                wrong = " and ".join(name for name, right in names.items() if not right)
            self._note("batch", row, f"{wrong} that does not fit", f"root {root.hex()} by the entries")
        elif not self._settled:
            self._go_on_from(stated)
        elif stated.nodes == self._tree.nodes:
            self._decide(entries_are_right=True)
        elif self._rival is not None and stated.nodes == self._rival.nodes:
            self._decide(entries_are_right=False)
            self._tree = stated
        else:
            self._quarrels.append(_Quarrel(batch.start_index, end, batch.root, root))
            self._rival = stated

    def root(self) -> bytes | None:
        """The tree's root as the entries give it; None where they do not settle it."""
        return self._tree.root() if self._settled else None

    def finish(self) -> None:
        """Quarrels that no later batch row has decided: the entries are at fault as far as can be said."""
        self._at_fault += self._quarrels
        self._quarrels = []

    def run_at_fault(self, index: int) -> tuple[int, int] | None:
        """The run of entries, if any, that holds this index and does not give its batch's root."""
        for quarrel in self._at_fault:
            if quarrel.start <= index < quarrel.end:
                return quarrel.start, quarrel.end
        return None

    def name_runs_at_fault(self, but: Collection[tuple[int, int]]) -> None:
        """Names the runs at fault, but for those of which single entries are named already."""
        for quarrel in self._at_fault:
            if (quarrel.start, quarrel.end) not in but:
                where = f"index {quarrel.start} to {quarrel.end - 1}"
                found = f"entries that give root {quarrel.by_entries.hex()}"
                self._note("entry", where, found, f"{quarrel.by_row.hex()} by batch {quarrel.start}")

    def _check_root_alone(self, batch: BatchRow, row: str, root: bytes) -> None:
        if self._settled and batch.root != root:
            self._note("batch", row, f"root {batch.root.hex()}", f"{root.hex()} by the entries")

    def _go_on_from(self, stated: Frontier) -> None:
        self._tree, self._rival, self._settled = stated, None, True

    def _decide(self, *, entries_are_right: bool) -> None:
        if entries_are_right:
            for quarrel in self._quarrels:
                found = f"root {quarrel.by_row.hex()}"
                self._note(
                    "batch",
                    f"start_index {quarrel.start}",
                    found,
                    f"{quarrel.by_entries.hex()} by the entries",
                )
        else:
            self._at_fault += self._quarrels
        self._quarrels, self._rival = [], None
