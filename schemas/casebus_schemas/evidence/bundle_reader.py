"""Reads what a bundle shows: its epoch under a policy, entries of its logs, the history of keys."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import sha256

from casebus_schemas.wire.records import Record

from .avro_values import Schemas
from .bundle_file import Bundle, BundledLog
from .bundle_positions import ShownHeads
from .checkpoint import Checkpoint
from .epoch import EpochLeaf, EpochTree, LogHead
from .event_proof import misplaced
from .genesis import Genesis
from .key_entry import KeyEntry
from .key_history import BUS, KeyHistory
from .leaf import LeafFields, decode_headers, digest_of_key, leaf_hash, parse_leaf
from .purposes import announced_by_two, shared_keys
from .range_proof import verify_ranges
from .sealed_order import SealedOrder
from .trust_policy import TrustPolicy, Verdict

_KEY_CHANNEL = ".key"


class ShownEntry:
    """An entry whose leaf, headers and content hold; `value` is None where the bundle gives only its hash."""

    def __init__(self, leaf: LeafFields, headers: bytes, value: bytes | None) -> None:
        self.leaf = leaf
        self.value = value
        self._headers = headers

    @property
    def withheld(self) -> bool:
        """Whether there is a content that the bundle does not give."""
        return self.value is None and self.leaf.value_sha256 is not None

    @property
    def place(self) -> str:
        """`topic/partition/offset`."""
        return f"{self.leaf.topic}/{self.leaf.partition}/{self.leaf.offset}"

    @cached_property
    def record(self) -> Record:
        """As it stood in Kafka; without key where that is not the chain that its headers name.

        Raises ValueError if the headers cannot be read.
        """
        leaf, headers = self.leaf, decode_headers(self._headers)
        key = None
        for name, value in headers:
            if name == "ce_subject":
                key = value
                break
        if leaf.key_sha256 is None or key is None or digest_of_key(key) != leaf.key_sha256:
            key = None
        place = leaf.topic, leaf.partition, leaf.offset, leaf.timestamp_ms, leaf.timestamp_type
        return Record(*place, key, self.value, headers)


class BundleReader:
    """A bundle under the reader's policy. What does not hold is added to `failed`, in sentences.

    `verdict` is the policy's; `epoch` and `heads`, by `topic/partition/generation`, are there after `anchor`.
    `notes` is what else there is to be said of keys.
    """

    def __init__(
        self,
        bundle: Bundle,
        policy: TrustPolicy,
        closed_but: bytes | None = None,
        genesis: Genesis | None = None,
    ) -> None:
        """`closed_but` is the digest of the chain: leaves of other keys may be shown without headers."""
        self.bundle = bundle
        self._closed_but = closed_but
        self.verdict: Verdict = policy.judge(bundle.epoch.note)
        known = (*policy.logs, *policy.witnesses.values())
        self._other_purposes = {one.key.public: f"{one.name} in the policy" for one in known}
        self.epoch: EpochLeaf | None = None
        self.heads: dict[str, LogHead] = {}
        self.failed: list[str] = []
        self.notes: list[str] = [] if genesis is None else [*genesis.beyond(policy)]
        self._genesis = genesis
        self._shown = ShownHeads({}, "")
        self.order = SealedOrder(self._shown)

    def fail(self, what: str) -> None:
        """Notes what does not hold."""
        self.failed.append(what)

    def anchor(self) -> bool:
        """Whether the heads are those of an epoch in a checkpoint that the policy accepts."""
        proof, verdict = self.bundle.epoch, self.verdict
        if verdict.problem is not None or verdict.checkpoint is None:
            self.fail(f"the checkpoint: {verdict.problem}")
            return False
        try:
            epoch = EpochLeaf.parse(proof.extra or b"")
            tree = EpochTree(self.bundle.heads)
        except ValueError as error:
            self.fail(f"the epoch: {error}")
            return False
        if epoch.number != proof.index + 1 or not proof.holds_for(epoch.hash()):
            self.fail(f"the epoch: number {epoch.number} is not in the checkpoint")
        elif (len(tree.heads), tree.root) != (epoch.head_count, epoch.heads_root):
            self.fail(f"the heads: they are not those of epoch {epoch.number}")
        else:
            self.epoch = epoch
            prefix = verdict.checkpoint.origin + "/"
            self.heads = {head.origin.removeprefix(prefix): head for head in tree.heads}
            return self._place(epoch, tree.heads, verdict.checkpoint)
        return False

    def _place(self, epoch: EpochLeaf, heads: Sequence[LogHead], checkpoint: Checkpoint) -> bool:
        """Whether the epochs that are shown for the ends of keys are in the checkpoint."""
        epochs = {epoch.number: heads}
        for number, position in self.bundle.positions.items():
            try:
                epochs[number] = position.checked(number, checkpoint)
            except ValueError as error:
                self.fail(f"positions/{number}: {error}")
                return False
        self._shown = ShownHeads(epochs, checkpoint.origin)
        self.order = SealedOrder(self._shown)
        return True

    def why_not(self, key: KeyEntry, record: Record, now_ms: int | None) -> str | None:
        """Why a key does not sign a record, by the epochs that are shown; None if it does."""
        end = key.end
        if end is not None and end.topic != record.topic and self._shown.first_with(*end[:2]) is None:
            return f"a key {key.ended} in an epoch that is not shown"
        return key.why_not(record, now_ms, self.order)

    def entries(self, name: str, log: BundledLog) -> list[ShownEntry]:
        """The entries of a log, if their leaves are in its head."""
        head = self.heads.get(name)
        if head is None:
            self.fail(f"{name}: the epoch has no such log")
            return []
        hashes = [leaf_hash(leaf) for leaf in log.leaves]
        if not verify_ranges(log.ranges, hashes, head.size, log.proof, head.root):
            self.fail(f"{name}: its leaves are not in the head of size {head.size}")
            return []
        return list(self._entries(name, head, log))

    def _entries(self, name: str, head: LogHead, log: BundledLog) -> Iterator[ShownEntry]:
        assert self.verdict.checkpoint is not None
        ledger, last = self.verdict.checkpoint.origin, -1
        payloads = self.bundle.payloads
        place: tuple[object, ...] = ()
        for raw, headers in zip(log.leaves, log.headers, strict=True):
            try:
                leaf = parse_leaf(raw)
                if leaf[:2] != place:
                    if problem := misplaced(leaf, head, ledger):
                        raise ValueError(problem)
                    place = leaf[:2]
                if not last < leaf.offset < head.next_offset:
                    raise ValueError(f"offset {leaf.offset} after {last}, before {head.next_offset}")
                last = leaf.offset
                if not headers and self._may_stay_closed(name, leaf):
                    continue
                if sha256(headers).digest() != leaf.headers_sha256:
                    raise ValueError(f"offset {leaf.offset}: the headers are not those of the leaf")
                value = None if leaf.value_sha256 is None else payloads.get(leaf.value_sha256)
                if value is not None and len(value) != leaf.value_length:
                    raise ValueError(f"offset {leaf.offset}: {len(value)} bytes, not {leaf.value_length}")
            except ValueError as error:
                self.fail(f"{name}: {error}")
                continue
            yield ShownEntry(leaf, headers, value)

    def _may_stay_closed(self, name: str, leaf: LeafFields) -> bool:
        return self._closed_but not in (None, leaf.key_sha256) and not is_key_log(name)

    def check_payloads(self, entries: Iterable[ShownEntry]) -> None:
        """Each content has its digest, and one of these entries."""
        wanted = {entry.leaf.value_sha256 for entry in entries}
        for digest, content in self.bundle.payloads.items():
            if sha256(content).digest() != digest:
                self.fail(f"payloads/{digest.hex()}: its SHA-256 is another")
            elif digest not in wanted:
                self.fail(f"payloads/{digest.hex()}: no entry of the bundle has this content")

    def keys(self, entries: Iterable[ShownEntry]) -> KeyHistory:
        """The history of keys from the entries of key topics, which the bundle must hold whole."""
        entries = list(entries)
        for name, head in self.heads.items():
            if is_key_log(name):
                log = self.bundle.logs.get(name)
                if log is None or list(log.ranges) != [(0, head.size)]:
                    self.fail(f"{name}: the history of keys is not whole, expected {head.size} entries")
        try:
            history = KeyHistory(Schemas(self.bundle.schemas))
        except ValueError as error:
            self.fail(str(error))
            return KeyHistory(Schemas({}))
        history.read(entry.record for entry in entries)
        for entry in entries:
            if entry.withheld:
                self.fail(f"{entry.place}: the content of a key event is withheld, it may end a key")
        for shared in list(shared_keys(history.keys.values(), self._other_purposes)):
            if shared.key.agency == BUS:
                self.fail(str(shared))
            else:  # it signs nothing: whoever announces another's key must not spoil everybody's bundles
                del history.keys[shared.key.agency, shared.key.key_id]
                self.notes.append(str(shared))
        self.notes += announced_by_two(history.keys.values())
        for place in history.unread:
            self.fail(f"{place}: the schema of a signed key event is withheld, it may end a key")
        self._begins(history)
        return history

    def _begins(self, history: KeyHistory) -> None:
        """The history of keys begins as the reader's genesis file says, if he brings one."""
        if self._genesis is None:
            return
        checkpoint = self.verdict.checkpoint
        origin = None if checkpoint is None else checkpoint.origin
        problems, notes = self._genesis.judge(history.keys.values(), origin)
        self.failed += [f"the genesis: {one}" for one in problems]
        self.notes += notes


def is_key_log(name: str) -> bool:
    """Whether a log, by `topic/partition/generation`, is that of a key topic."""
    return name.split("/", 1)[0].endswith(_KEY_CHANNEL)
