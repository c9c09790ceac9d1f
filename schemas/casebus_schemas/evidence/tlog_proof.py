"""Proofs of logging as text (C2SP tlog-proof): an entry's index, its audit path, a cosigned checkpoint."""

from collections.abc import Iterable
from dataclasses import dataclass

from .checkpoint import Checkpoint, base64_hash, decimal
from .merkle import verify_inclusion
from .signed_note import SignedNote, base64_bytes, base64_text

FIRST_LINE = "c2sp.org/tlog-proof@v1"
LONGEST_PATH = 63
"""Hashes: of a tree of as many entries as a checkpoint can say."""


def path_lines(index: int, path: Iterable[bytes]) -> list[str]:
    """`index N`, then a hash in base64 a line, from the leaf's sibling up."""
    return [f"index {index}", *map(base64_text, path)]


def read_path(lines: list[str]) -> tuple[int, tuple[bytes, ...]]:
    """Reads what `path_lines` wrote. Raises ValueError."""
    word, _, number = lines[0].partition(" ") if lines else ("", "", "")
    if word != "index":
        raise ValueError(f"{word[:40]!r}, expected 'index' and a number")
    if len(lines) > 1 + LONGEST_PATH:
        raise ValueError(f"a path of {len(lines) - 1} hashes, expected at most {LONGEST_PATH}")
    return decimal(number, "index"), tuple(base64_hash(line, "hash of a path") for line in lines[1:])


@dataclass(frozen=True, slots=True)
class TlogProof:
    """What a proof file says; nothing of it counts before `policy.judge(note)` and `holds_for`.

    `extra` is for the application and not authenticated by itself.
    """

    index: int
    path: tuple[bytes, ...]
    note: SignedNote
    extra: bytes | None = None

    @classmethod
    def parse(cls, raw: bytes) -> "TlogProof":
        """Reads a proof strictly. Raises ValueError saying what was expected."""
        head, empty_line, note = raw.partition(b"\n\n")
        if not empty_line:
            raise ValueError("no empty line, expected one between the path and the checkpoint")
        try:
            first, *lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise ValueError("the lines before the checkpoint are not ASCII") from error
        if first != FIRST_LINE:
            raise ValueError(f"first line {first[:60]!r}, expected {FIRST_LINE!r}")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = base64_bytes(lines.pop(0).removeprefix("extra "))
        return cls(*read_path(lines), SignedNote.parse(note), extra)

    def __str__(self) -> str:
        extra = [] if self.extra is None else [f"extra {base64_text(self.extra)}"]
        lines = (FIRST_LINE, *extra, *path_lines(self.index, self.path))
        return "".join(f"{line}\n" for line in lines) + f"\n{self.note}"

    def to_bytes(self) -> bytes:
        """The file; the inverse of `parse`."""
        return str(self).encode()

    def holds_for(self, leaf_hash: bytes) -> bool:
        """Whether the path leads from this leaf hash to the checkpoint's root; signatures are not looked at.

        Raises ValueError if the note is no checkpoint.
        """
        checkpoint = Checkpoint.parse(self.note.text)
        return verify_inclusion(leaf_hash, self.index, checkpoint.size, self.path, checkpoint.root)
