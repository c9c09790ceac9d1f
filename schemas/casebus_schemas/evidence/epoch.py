"""Epochs: a small tree over the heads of all partition logs, and its leaf in the head log.

The bytes are pinned in docs/records.md. A head's text is a C2SP checkpoint body with two extension lines.
"""

import binascii
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from struct import Struct
from typing import NamedTuple

from casebus_schemas.wire.base64url import from_base64url, to_base64url
from casebus_schemas.wire.records import Headers

from .leaf import leaf_hash
from .merkle import HASH_LENGTH, LeafHashes, inclusion_proof, root_of

VERSION = 1
LEAF_LENGTH = 85
LONGEST_ORIGIN_BYTES = 100
"""Of a ledger's own origin; the origin of a partition's log is longer by topic, partition and generation."""

EPOCH_HEADER = "casebus-epoch"
"""On a record of bus.checkpoint: the epoch's leaf, base64url without padding."""
HEADS_HEADER = "casebus-heads"
"""Beside it: the texts of the heads that are not as the epoch before has them, in order of origin, joined."""

_LEAF = Struct(">BQq32sI32s")
_LINES = 5
_NUMBER = r"(0|[1-9][0-9]{0,18})"
_HEAD = re.compile(rf"([^\s+]+)\n{_NUMBER}\n([A-Za-z0-9+/]{{43}}=)\nnext {_NUMBER}\nend {_NUMBER}\n\Z")
_ORIGIN = re.compile(r"[!-*,-~]+\Z")


class EpochLeaf(NamedTuple):
    """What an epoch says: entry `number` - 1 of the head log.

    `sealed_at_ms` is milliseconds since 1970 UTC, `previous_root` the head log's root over the epochs before
    (SHA-256 of nothing for the first), `head_count` and `heads_root` the epoch's tree.
    """

    number: int
    sealed_at_ms: int
    previous_root: bytes
    head_count: int
    heads_root: bytes

    def pack(self) -> bytes:
        """The leaf's 85 bytes: u8 version, u64 number, i64 time, 32 root, u32 count, 32 root."""
        return _LEAF.pack(VERSION, *self)

    @classmethod
    def parse(cls, raw: bytes) -> "EpochLeaf":
        """Reads what `pack` wrote. Raises ValueError for other bytes, and for an epoch without head."""
        if len(raw) != LEAF_LENGTH or raw[0] != VERSION:
            raise ValueError(f"{len(raw)} bytes {raw[:1].hex()}…, expected an epoch of version 1 in 85 bytes")
        found = cls._make(_LEAF.unpack(raw)[1:])
        if found.number < 1 or found.head_count < 1:
            raise ValueError(f"epoch {found.number} of {found.head_count} heads, expected both from 1")
        return found

    def hash(self) -> bytes:
        """Its leaf hash in the head log."""
        return leaf_hash(self.pack())


class LogHead(NamedTuple):
    """Where a partition's log stood when an epoch was sealed.

    `next_offset` is the Kafka offset that the log expects next, `end_offset` where Kafka's partition ended:
    equal, if everything that was said by then is in the log.
    """

    origin: str
    size: int
    root: bytes
    next_offset: int
    end_offset: int

    def text(self) -> str:
        """Five lines: origin, size, root, next, end; the leaf of the epoch's tree."""
        root = binascii.b2a_base64(self.root, newline=False).decode()
        return f"{self.origin}\n{self.size}\n{root}\nnext {self.next_offset}\nend {self.end_offset}\n"

    def body(self) -> str:
        """The first three lines: the partition's own checkpoint body, without extension lines."""
        return "".join(self.text().splitlines(keepends=True)[:3])

    @classmethod
    def parse(cls, text: str) -> "LogHead":
        """Reads what `text` wrote. Raises ValueError for any other spelling of it, or an empty log."""
        found = _HEAD.match(text)
        if found is None:
            raise ValueError(f"{text[:200]!r}, expected a head in five lines")
        origin, size, root, following, end = found.groups()
        head = cls(origin, int(size), binascii.a2b_base64(root), int(following), int(end))
        head.check()
        if head.text() != text:  # the last character of base64 may carry bits that say nothing
            raise ValueError(f"root {root}, expected the base64 of 32 bytes")
        return head

    def check(self) -> None:
        """Raises ValueError for what no log can say of itself."""
        if not is_origin(self.origin):
            raise ValueError(f"origin {self.origin[:200]!r}, expected printable ASCII without blank and plus")
        if self.size < 1 or len(self.root) != HASH_LENGTH:
            raise ValueError(f"size {self.size}, root of {len(self.root)} bytes; expected from 1, and 32")
        if not self.size <= self.next_offset <= self.end_offset:
            raise ValueError(
                f"size {self.size}, next {self.next_offset}, end {self.end_offset}; expected rising numbers"
            )

    def hash(self) -> bytes:
        """Its leaf hash in the epoch's tree."""
        return leaf_hash(self.text().encode())


def is_origin(text: str) -> bool:
    """Whether a text can be a log's origin, which is the name of its key, too."""
    return _ORIGIN.match(text) is not None


def log_origin(ledger: str, topic: str, partition: int, generation: int = 1) -> str:
    """Origin of a partition's log in the ledger of this origin."""
    return f"{ledger}/{topic}/{partition}/{generation}"


class EpochTree:
    """The tree of one epoch: over the texts of all heads, in order of their origins' bytes."""

    def __init__(self, heads: Iterable[LogHead]) -> None:
        """Raises ValueError if there is none, one is impossible, or two have one origin."""
        self.heads: Sequence[LogHead] = sorted(heads, key=_by_origin)
        if not self.heads:
            raise ValueError("no head, expected at least one log that holds entries")
        for head in self.heads:
            head.check()
        for one, other in pairwise(self.heads):
            if one.origin == other.origin:
                raise ValueError(f"two heads of {one.origin}, expected one")
        self._hashes = LeafHashes([head.hash() for head in self.heads])
        self._origins = [_by_origin(head) for head in self.heads]

    @property
    def root(self) -> bytes:
        """The tree's root."""
        return root_of(self._hashes.hashes)

    def index(self, origin: str) -> int:
        """Where a log's head stands. Raises ValueError if it has none in this epoch."""
        raw = origin.encode()
        at = bisect_left(self._origins, raw)
        if at == len(self._origins) or self._origins[at] != raw:
            raise ValueError(f"no head of {origin} in this epoch")
        return at

    def inclusion(self, origin: str) -> list[bytes]:
        """Audit path of a log's head. Raises ValueError if it has none in this epoch."""
        return inclusion_proof(self.index(origin), len(self.heads), self._hashes)


def epoch_of(number: int, previous_root: bytes, heads: Iterable[LogHead], sealed_at_ms: int) -> EpochLeaf:
    """The leaf of an epoch over these heads. Raises ValueError as `EpochTree` does."""
    tree = EpochTree(heads)
    return EpochLeaf(number, sealed_at_ms, previous_root, len(tree.heads), tree.root)


def changed_heads(before: Iterable[LogHead], now: Iterable[LogHead]) -> list[LogHead]:
    """Heads of an epoch that the one before does not have in the same words, in order of origin."""
    known = set(before)
    return sorted((head for head in now if head not in known), key=_by_origin)


def with_changes(before: Iterable[LogHead], changed: Iterable[LogHead]) -> list[LogHead]:
    """All heads of an epoch, from those of the one before and what has changed.

    Raises ValueError if a log would become shorter, or go back in Kafka.
    """
    heads = {head.origin: head for head in before}
    for head in changed:
        old = heads.get(head.origin)
        if old is not None and (head.size < old.size or head.next_offset < old.next_offset):
            raise ValueError(f"{head.origin} of size {head.size} after {old.size}, expected no less")
        heads[head.origin] = head
    return sorted(heads.values(), key=_by_origin)


def epoch_headers(leaf: EpochLeaf, changed: Sequence[LogHead]) -> Headers:
    """Headers of the epoch's record on bus.checkpoint."""
    texts = "".join(head.text() for head in sorted(changed, key=_by_origin))
    return ((EPOCH_HEADER, to_base64url(leaf.pack()).encode()), (HEADS_HEADER, texts.encode()))


def read_epoch_headers(headers: Headers) -> tuple[EpochLeaf, list[LogHead]]:
    """Leaf and changed heads from a record's headers. Raises ValueError if they do not hold them."""
    first = {name: value or b"" for name, value in reversed(headers)}
    try:
        leaf = EpochLeaf.parse(from_base64url(first[EPOCH_HEADER].decode("ascii"), LEAF_LENGTH))
        texts = first[HEADS_HEADER].decode("ascii")
    except KeyError as error:
        raise ValueError(f"no header {error.args[0]}") from error
    return leaf, list(read_heads(texts))


def read_heads(texts: str) -> Iterator[LogHead]:
    """Reads texts of heads that stand one behind the other. Raises ValueError."""
    lines = texts.split("\n")
    if lines.pop() or len(lines) % _LINES:
        raise ValueError(f"{len(lines)} whole lines of heads, expected a multiple of {_LINES}")
    for at in range(0, len(lines), _LINES):
        yield LogHead.parse("".join(f"{line}\n" for line in lines[at : at + _LINES]))


def _by_origin(head: LogHead) -> bytes:
    return head.origin.encode()
