"""Proof of one ledger entry: leaf, partition log, epoch, head log, cosigned checkpoint, in one text file.

The file is a C2SP tlog-proof of the epoch in the head log. Its `extra` holds what leads from the entry to the
epoch, as lines (docs/records.md): any tool for tlog-proofs can check the outer half.
"""

from dataclasses import dataclass
from hashlib import sha256

from .checkpoint import Checkpoint
from .epoch import EpochLeaf, LogHead, log_origin
from .leaf import LeafFields, decode_headers, leaf_hash, parse_leaf
from .merkle import verify_inclusion
from .signed_note import SignedNote, base64_bytes, base64_text
from .tlog_proof import TlogProof, path_lines, read_path
from .trust_policy import TrustPolicy, Verdict

FIRST_LINE = "casebus/event-proof/v1"
_HEAD_LINES = 5


@dataclass(frozen=True, slots=True)
class EventProof:
    """An entry and its way to a checkpoint; nothing of it counts before `judge`.

    `headers` are the record's encoded headers, where the proof tells them; the leaf holds their digest.
    """

    leaf: bytes
    headers: bytes | None
    index: int
    path: tuple[bytes, ...]
    head: LogHead
    head_index: int
    head_path: tuple[bytes, ...]
    epoch: EpochLeaf
    epoch_path: tuple[bytes, ...]
    note: SignedNote

    def to_bytes(self) -> bytes:
        """The proof file."""
        lines = [FIRST_LINE, f"leaf {base64_text(self.leaf)}"]
        if self.headers is not None:
            lines.append(f"headers {base64_text(self.headers)}")
        inner = "".join(f"{line}\n" for line in [*lines, *path_lines(self.index, self.path)])
        inner += "\n" + self.head.text()
        inner += "".join(f"{line}\n" for line in path_lines(self.head_index, self.head_path))
        inner += f"\nepoch {base64_text(self.epoch.pack())}\n"
        proof = TlogProof(self.epoch.number - 1, self.epoch_path, self.note, inner.encode())
        return proof.to_bytes()

    @classmethod
    def parse(cls, raw: bytes) -> "EventProof":
        """Reads a proof file strictly. Raises ValueError saying what was expected."""
        outer = TlogProof.parse(raw)
        if outer.extra is None:
            raise ValueError("a tlog-proof without extra, expected the way from entry to epoch in it")
        try:
            sections = outer.extra.decode("ascii").split("\n\n")
        except UnicodeDecodeError as error:
            raise ValueError("the proof's extra is not ASCII") from error
        if len(sections) != 3 or not sections[2].endswith("\n"):
            raise ValueError(f"{len(sections)} sections in the proof's extra, expected entry, head, epoch")
        entry, head, last = sections[0].split("\n"), sections[1].split("\n"), sections[2][:-1]
        if entry.pop(0) != FIRST_LINE:
            raise ValueError(f"the proof's extra does not begin with {FIRST_LINE!r}")
        leaf = _word(entry.pop(0) if entry else "", "leaf")
        headers = _word(entry.pop(0), "headers") if entry and entry[0].startswith("headers ") else None
        index, path = read_path(entry)
        head_index, head_path = read_path(head[_HEAD_LINES:])
        epoch = EpochLeaf.parse(_word(last, "epoch"))
        if outer.index != epoch.number - 1:
            raise ValueError(
                f"epoch {epoch.number} at index {outer.index} of the head log, expected one less"
            )
        return cls(
            leaf,
            headers,
            index,
            path,
            LogHead.parse("".join(f"{line}\n" for line in head[:_HEAD_LINES])),
            head_index,
            head_path,
            epoch,
            outer.path,
            outer.note,
        )

    def judge(self, policy: TrustPolicy) -> "ProvenEvent":
        """What the proof shows under a policy that the reader brought. Never raises ValueError."""
        verdict = policy.judge(self.note)
        problem = verdict.problem or self._broken(verdict.checkpoint)
        try:
            fields = parse_leaf(self.leaf)
        except ValueError as error:
            return ProvenEvent(self, verdict, None, problem or str(error))
        return ProvenEvent(self, verdict, fields, problem or self._misplaced(fields, verdict.checkpoint))

    def _broken(self, checkpoint: Checkpoint | None) -> str | None:
        """Which path does not lead where it should."""
        head, epoch = self.head, self.epoch
        if checkpoint is None:
            return "no checkpoint"
        if not verify_inclusion(leaf_hash(self.leaf), self.index, head.size, self.path, head.root):
            return f"the entry is not at index {self.index} of {head.origin}"
        if not verify_inclusion(
            head.hash(), self.head_index, epoch.head_count, self.head_path, epoch.heads_root
        ):
            return f"the head of {head.origin} is not in epoch {epoch.number}"
        if not verify_inclusion(
            epoch.hash(), epoch.number - 1, checkpoint.size, self.epoch_path, checkpoint.root
        ):
            return f"epoch {epoch.number} is not in {checkpoint.origin} at size {checkpoint.size}"
        return None

    def _misplaced(self, fields: LeafFields, checkpoint: Checkpoint | None) -> str | None:
        """Whether leaf, headers, head and checkpoint speak of one place in one ledger."""
        if problem := misplaced(fields, self.head, "" if checkpoint is None else checkpoint.origin):
            return problem
        if self.headers is not None:
            if sha256(self.headers).digest() != fields.headers_sha256:
                return "the headers given are not those of the entry"
            try:
                decode_headers(self.headers)
            except ValueError as error:
                return f"the headers given cannot be read: {error}"
        return None


@dataclass(frozen=True, slots=True)
class ProvenEvent:
    """What a proof shows: it does if `problem` is None, which else says what does not hold."""

    proof: EventProof
    verdict: Verdict
    leaf: LeafFields | None
    problem: str | None

    @property
    def proven(self) -> bool:
        """Whether every step holds and the checkpoint is accepted by the policy."""
        return self.problem is None


def misplaced(leaf: LeafFields, head: LogHead, ledger: str) -> str | None:
    """Why a leaf cannot stand in the log of this head in the ledger of this origin; None if it can."""
    generation = head.origin.rpartition("/")[2]
    place = f"{leaf.topic}/{leaf.partition}"
    if not generation.isdecimal() or head.origin != log_origin(
        ledger, leaf.topic, leaf.partition, int(generation)
    ):
        return f"an entry of {place} in the log {head.origin} of the ledger {ledger}"
    if leaf.offset >= head.next_offset:
        return f"offset {leaf.offset} in a log of {place} that ends before {head.next_offset}"
    return None


def _word(line: str, word: str) -> bytes:
    found, _, encoded = line.partition(" ")
    if found != word:
        raise ValueError(f"{found[:40]!r} in the proof's extra, expected {word!r}")
    return base64_bytes(encoded)
