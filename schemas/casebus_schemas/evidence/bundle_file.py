"""The file of a bundle: a zip without compression whose bytes follow from its content (docs/records.md)."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from struct import error as struct_error
from typing import Any

from .bundle_positions import Position
from .epoch import LogHead, read_heads
from .merkle import Subtree
from .range_proof import Range, range_proof, ranges_of
from .stored_zip import read_stored, write_stored
from .tiles import entry_bundle, read_entry_bundle
from .tlog_proof import TlogProof

CASE, ABSENCE = "casebus/bundle/v1", "casebus/absence/v1"
MANIFEST, EPOCH, HEADS, PAGE = "manifest.json", "epoch.tlog-proof", "heads.txt", "report.html"
_HASH = 32
_LENGTH = Struct(">I").unpack_from
_LOG = re.compile(r"logs/([a-z0-9.-]{1,120}/[0-9]{1,9}/[0-9]{1,9})/(ranges|leaves|headers|proof)")
_POSITION = re.compile(r"positions/([1-9][0-9]{0,18})/(epoch|heads|path)")
_NAMED = re.compile(r"(payloads|schemas)/([0-9a-f]{64})")
_RANGE = re.compile(r"(0|[1-9][0-9]{0,18}) ([1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class BundledLog:
    """Entries of one log: their ranges, leaves and encoded headers in order, and the proof of the ranges.

    Headers of no bytes are not shown: a proof of absence opens only what is of its chain.
    """

    ranges: Sequence[Range]
    leaves: Sequence[bytes]
    headers: Sequence[bytes]
    proof: Sequence[bytes]


def bundled_log(entries: Mapping[int, tuple[bytes, bytes]], size: int, subtree: Subtree) -> BundledLog:
    """Entries of a log of this size, leaf and encoded headers by index, with the proof of their ranges."""
    ranges, ordered = ranges_of(entries), [entries[index] for index in sorted(entries)]
    leaves, headers = [leaf for leaf, _ in ordered], [headers for _, headers in ordered]
    return BundledLog(tuple(ranges), leaves, headers, range_proof(ranges, size, subtree))


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle holds. Nothing of it counts before `bundle_check` has judged it.

    `about` says what it is of, for a case `{"chain": id}`; `epoch` proves the epoch's leaf, its extra, in the
    head log; `heads` are all heads of that epoch; `logs` are named `topic/partition/generation`; `payloads`
    and `schemas` stand by their SHA-256; `page` is for people, and follows from the rest. `positions` are
    the epochs before and at the end of keys, by number.
    """

    about: Mapping[str, Any]
    epoch: TlogProof
    heads: Sequence[LogHead]
    logs: Mapping[str, BundledLog]
    payloads: Mapping[bytes, bytes] = field(default_factory=dict)
    schemas: Mapping[bytes, bytes] = field(default_factory=dict)
    format: str = CASE
    page: bytes | None = None
    positions: Mapping[int, Position] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The file: entries sorted by name, stored, of one fixed time: equal content is equal bytes."""
        return write_stored(dict(self._files()))

    def _manifest(self) -> bytes:
        about = {"format": self.format, **self.about}
        return json.dumps(about, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"

    def _files(self) -> Iterator[tuple[str, bytes]]:
        yield MANIFEST, self._manifest()
        if self.page is not None:
            yield PAGE, self.page
        yield EPOCH, self.epoch.to_bytes()
        yield HEADS, "".join(head.text() for head in self.heads).encode()
        for name, log in self.logs.items():
            yield f"logs/{name}/ranges", "".join(f"{begin} {end}\n" for begin, end in log.ranges).encode()
            yield f"logs/{name}/leaves", entry_bundle(log.leaves)
            yield f"logs/{name}/headers", b"".join(len(one).to_bytes(4, "big") + one for one in log.headers)
            yield f"logs/{name}/proof", b"".join(log.proof)
        for number, shown in self.positions.items():
            yield f"positions/{number}/epoch", shown.leaf
            yield f"positions/{number}/heads", "".join(head.text() for head in shown.heads).encode()
            yield f"positions/{number}/path", b"".join(shown.path)
        for folder, named in (("payloads", self.payloads), ("schemas", self.schemas)):
            yield from ((f"{folder}/{digest.hex()}", content) for digest, content in named.items())

    @classmethod
    def parse(cls, raw: bytes, format: str = CASE) -> "Bundle":
        """Reads a file of a format strictly. Raises ValueError saying what was found and expected.

        A file that the format does not know, a key or a policy above all, makes the bundle refused.
        """
        files = read_stored(raw)
        logs: dict[str, dict[str, bytes]] = {}
        named: dict[str, dict[bytes, bytes]] = {"payloads": {}, "schemas": {}}
        positions: dict[int, dict[str, bytes]] = {}
        for name, content in files.items():
            if found := _NAMED.fullmatch(name):  # most are
                named[found[1]][bytes.fromhex(found[2])] = content
            elif found := _LOG.fullmatch(name):
                logs.setdefault(found[1], {})[found[2]] = content
            elif found := _POSITION.fullmatch(name):
                positions.setdefault(int(found[1]), {})[found[2]] = content
            elif name not in (MANIFEST, EPOCH, HEADS, PAGE):
                raise ValueError(f"the bundle holds {name[:80]!r}, which is not of its format")
        for name in (MANIFEST, EPOCH, HEADS):
            if name not in files:
                raise ValueError(f"the bundle has no {name}")
        try:
            about = json.loads(files[MANIFEST])
            heads = tuple(read_heads(files[HEADS].decode("ascii")))
        except (UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"{MANIFEST} or {HEADS} cannot be read") from error
        if not isinstance(about, dict) or about.pop("format", None) != format:
            raise ValueError(f"{MANIFEST} does not say format {format!r}")
        bundle = cls(
            about,
            TlogProof.parse(files[EPOCH]),
            heads,
            {name: _log(name, parts) for name, parts in sorted(logs.items())},
            named["payloads"],
            named["schemas"],
            format,
            files.get(PAGE),
            {number: _position(number, parts) for number, parts in sorted(positions.items())},
        )
        # All other files have one spelling, which their readers insist on.
        if bundle._manifest() != files[MANIFEST]:
            raise ValueError(f"{MANIFEST} has other bytes than the format gives to its content")
        return bundle


def _log(name: str, parts: Mapping[str, bytes]) -> BundledLog:
    missing = {"ranges", "leaves", "headers", "proof"} - parts.keys()
    if missing:
        raise ValueError(f"logs/{name} has no {', '.join(sorted(missing))}")
    proof = parts["proof"]
    if len(proof) % _HASH:
        raise ValueError(f"logs/{name}/proof of {len(proof)} bytes, expected a multiple of {_HASH}")
    log = BundledLog(
        tuple(_ranges(name, parts["ranges"])),
        read_entry_bundle(parts["leaves"]),
        list(_lengths(name, parts["headers"])),
        [proof[at : at + _HASH] for at in range(0, len(proof), _HASH)],
    )
    count = sum(end - begin for begin, end in log.ranges)
    if not count == len(log.leaves) == len(log.headers):
        found = f"{count} places, {len(log.leaves)} leaves, {len(log.headers)} headers"
        raise ValueError(f"logs/{name} has {found}, expected as many of each")
    return log


def _position(number: int, parts: Mapping[str, bytes]) -> Position:
    missing = {"epoch", "heads", "path"} - parts.keys()
    if missing or len(parts["path"]) % _HASH:
        raise ValueError(f"positions/{number} has no {', '.join(sorted(missing)) or 'path of whole hashes'}")
    path = [parts["path"][at : at + _HASH] for at in range(0, len(parts["path"]), _HASH)]
    try:
        heads = tuple(read_heads(parts["heads"].decode("ascii")))
    except UnicodeDecodeError as error:
        raise ValueError(f"positions/{number}/heads cannot be read") from error
    return Position(parts["epoch"], heads, tuple(path))


def _ranges(name: str, raw: bytes) -> Iterator[Range]:
    lines = raw.decode("ascii", "replace").split("\n")
    if lines.pop():
        raise ValueError(f"logs/{name}/ranges does not end in a newline")
    for line in lines:
        found = _RANGE.fullmatch(line)
        if found is None:
            raise ValueError(f"logs/{name}/ranges: {line[:60]!r}, expected two numbers")
        yield int(found[1]), int(found[2])


def _lengths(name: str, raw: bytes) -> Iterator[bytes]:
    at, whole = 0, len(raw)
    try:
        while at < whole:
            (length,) = _LENGTH(raw, at)
            begin, at = at + 4, at + 4 + length
            yield raw[begin:at]
    except struct_error:
        at = whole + 1
    if at != whole:
        raise ValueError(f"logs/{name}/headers ends within an entry")
