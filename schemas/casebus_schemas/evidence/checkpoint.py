"""Checkpoints (C2SP tlog-checkpoint 1.0.0): origin, size and root of a log as the text of a signed note."""

import re
from dataclasses import dataclass

from .merkle import EMPTY_ROOT, HASH_LENGTH
from .signed_note import base64_bytes, base64_text, check_note_text

MAX_SIZE = 2**63 - 1
"""Of a tree; what a database's integers hold."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


def decimal(text: str, what: str) -> int:
    """A number in ASCII decimal without leading zeros, up to `MAX_SIZE`. Raises ValueError."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise ValueError(f"{what} {text[:40]!r}, expected a decimal number up to {MAX_SIZE}")
    return int(text)


def base64_hash(text: str, what: str) -> bytes:
    """A hash of 32 bytes in base64. Raises ValueError."""
    raw = base64_bytes(text)
    if len(raw) != HASH_LENGTH:
        raise ValueError(f"{what} of {len(raw)} bytes, expected {HASH_LENGTH}")
    return raw


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Head of a log. `extensions` are lines that a witness cosigns and does not judge; ours have none."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError if a line is empty or holds a newline, or size or root cannot be."""
        for line in (self.origin, *self.extensions):
            if not line or "\n" in line:
                raise ValueError(f"line {line[:40]!r} of a checkpoint, expected one line with some text")
            check_note_text(line + "\n")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_LENGTH:
            raise ValueError(
                f"a tree of {self.size} with a root of {len(self.root)} bytes, "
                f"expected 0 to {MAX_SIZE} and {HASH_LENGTH} bytes"
            )
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise ValueError(f"root {self.root.hex()} of an empty tree, expected SHA-256 of nothing")

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Reads the text of a note, to its last newline. Raises ValueError saying what was expected."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1]:
            raise ValueError("a checkpoint is lines that end in a newline: origin, size, root")
        origin, size, root = lines[:3]
        return cls(origin, decimal(size, "tree size"), base64_hash(root, "root hash"), tuple(lines[3:-1]))

    def __str__(self) -> str:
        head = (self.origin, str(self.size), base64_text(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in head)
