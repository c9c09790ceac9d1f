"""Judges a bundle under the reader's own policy: paths, digests, keys, signatures; needs no network."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from casebus_schemas.admission.verdict import BUS_HEADERS, Admission
from casebus_schemas.errors import BusError
from casebus_schemas.wire.base64url import from_base64url
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import (
    BLOCK_LENGTH,
    SignatureBlock,
    admission_message_of,
    event_message,
    parse_block,
    verify,
)

from .avro_values import Schemas
from .bundle_file import Bundle, BundledLog
from .epoch import EpochLeaf, EpochTree, LogHead
from .event_proof import misplaced
from .key_history import BUS, KeyHistory
from .leaf import LeafFields, decode_headers, leaf_hash, parse_leaf
from .range_proof import verify_ranges
from .trust_policy import TrustPolicy, Verdict

ADMISSION_TOPIC = "bus.admission"
KEY_CHANNEL = ".key"


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry whose leaf and headers hold; `record.value` is None where the bundle gives only its hash."""

    leaf: LeafFields
    record: Record
    withheld: bool

    @property
    def place(self) -> str:
        """`topic/partition/offset`."""
        return f"{self.leaf.topic}/{self.leaf.partition}/{self.leaf.offset}"


@dataclass
class BundleReport:
    """What came of it: `failed` is empty if everything that the bundle claims holds.

    `not_covered` says what the bundle does not show, in sentences. `entries` and `key_entries` are those
    whose proofs hold, the latter on key topics; `verdicts` are the router's, by the place of what it judged.
    """

    about: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
    epoch: EpochLeaf | None = None
    entries: list[ShownEntry] = field(default_factory=list)
    key_entries: list[ShownEntry] = field(default_factory=list)
    verdicts: dict[str, Admission] = field(default_factory=dict)
    signatures: int = 0
    failed: list[str] = field(default_factory=list)
    not_covered: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failed


def check_bundle(raw: bytes, policy: TrustPolicy, *, signatures: bool = True) -> BundleReport:
    """Reads and judges a bundle. Never raises ValueError; without `signatures` the events' are left aside."""
    try:
        bundle = Bundle.parse(raw)
    except ValueError as error:
        return BundleReport(failed=[f"the file: {error}"])
    check = _Check(bundle, policy)
    check.run(signatures)
    return check.report


class _Check:
    def __init__(self, bundle: Bundle, policy: TrustPolicy) -> None:
        self._bundle = bundle
        self._policy = policy
        self.report = BundleReport(about=bundle.about)
        self._heads: dict[str, LogHead] = {}

    def run(self, signatures: bool) -> None:
        if not self._anchored():
            return
        shown = {name: self._shown(name, log) for name, log in self._bundle.logs.items()}
        for name, entries in shown.items():
            kept = self.report.key_entries if _is_key_log(name) else self.report.entries
            kept.extend(entries)
        self._payloads_used()
        self._of_the_chain()
        if signatures:
            self._signatures()
        else:
            self.report.not_covered.append("signatures of events and admissions were not looked at")
        withheld = sum(entry.withheld for entry in self.report.entries)
        if withheld:
            self.report.not_covered.append(f"the contents of {withheld} entries: only their SHA-256 is shown")
        shown_schemas = {f"sha256:{one.hex()}".encode() for one in self._bundle.schemas}
        unread = sum(
            entry.record.value is not None and entry.record.header("ce_dataschema") not in shown_schemas
            for entry in self.report.entries
        )
        if unread:
            self.report.not_covered.append(f"how to read {unread} contents: their schema is not there")
        self.report.not_covered.append("whether more was said: absence needs a proof of its own")

    def _fail(self, what: str) -> None:
        self.report.failed.append(what)

    def _anchored(self) -> bool:
        """Whether the heads are those of an epoch in a checkpoint that the policy accepts."""
        proof, report = self._bundle.epoch, self.report
        report.verdict = self._policy.judge(proof.note)
        if report.verdict.problem is not None or report.verdict.checkpoint is None:
            self._fail(f"the checkpoint: {report.verdict.problem}")
            return False
        try:
            epoch = EpochLeaf.parse(proof.extra or b"")
            tree = EpochTree(self._bundle.heads)
        except ValueError as error:
            self._fail(f"the epoch: {error}")
            return False
        if epoch.number != proof.index + 1 or not proof.holds_for(epoch.hash()):
            self._fail(f"the epoch: number {epoch.number} is not in the checkpoint")
        elif (len(tree.heads), tree.root) != (epoch.head_count, epoch.heads_root):
            self._fail(f"the heads: they are not those of epoch {epoch.number}")
        else:
            report.epoch = epoch
            prefix = report.verdict.checkpoint.origin + "/"
            self._heads = {head.origin.removeprefix(prefix): head for head in tree.heads}
            return True
        return False

    def _shown(self, name: str, log: BundledLog) -> list[ShownEntry]:
        """The entries of a log whose leaves are in its head."""
        head = self._heads.get(name)
        if head is None:
            self._fail(f"{name}: the epoch has no such log")
            return []
        hashes = [leaf_hash(leaf) for leaf in log.leaves]
        if not verify_ranges(log.ranges, hashes, head.size, log.proof, head.root):
            self._fail(f"{name}: its leaves are not in the head of size {head.size}")
            return []
        return list(self._entries(name, head, log))

    def _entries(self, name: str, head: LogHead, log: BundledLog) -> Iterator[ShownEntry]:
        assert self.report.verdict is not None
        assert self.report.verdict.checkpoint is not None
        ledger, last = self.report.verdict.checkpoint.origin, -1
        payloads = self._bundle.payloads
        for raw, headers in zip(log.leaves, log.headers, strict=True):
            try:
                leaf = parse_leaf(raw)
                if problem := misplaced(leaf, head, ledger):
                    raise ValueError(problem)
                if leaf.offset <= last:
                    raise ValueError(f"offset {leaf.offset} after {last}")
                last = leaf.offset
                if sha256(headers).digest() != leaf.headers_sha256:
                    raise ValueError(f"offset {leaf.offset}: the headers are not those of the leaf")
                decoded = decode_headers(headers)
                value = None if leaf.value_sha256 is None else payloads.get(leaf.value_sha256)
                if value is not None and len(value) != leaf.value_length:
                    raise ValueError(f"offset {leaf.offset}: {len(value)} bytes, not {leaf.value_length}")
            except ValueError as error:
                self._fail(f"{name}: {error}")
                continue
            key = next((value for header, value in decoded if header == "ce_subject"), None)
            if leaf.key_sha256 is None or key is None or sha256(key).digest() != leaf.key_sha256:
                key = None
            place = leaf.topic, leaf.partition, leaf.offset, leaf.timestamp_ms, leaf.timestamp_type
            withheld = value is None and leaf.value_sha256 is not None
            yield ShownEntry(leaf, Record(*place, key, value, decoded), withheld)

    def _payloads_used(self) -> None:
        """Each content has its digest, and an entry."""
        entries = (*self.report.entries, *self.report.key_entries)
        wanted = {entry.leaf.value_sha256 for entry in entries}
        for digest, content in self._bundle.payloads.items():
            if sha256(content).digest() != digest:
                self._fail(f"payloads/{digest.hex()}: its SHA-256 is another")
            elif digest not in wanted:
                self._fail(f"payloads/{digest.hex()}: no entry of the bundle has this content")

    def _of_the_chain(self) -> None:
        """The bundle is of the chain that it names, and of nothing else."""
        about = self._bundle.about
        chain = about.get("chain")
        if about.keys() != {"chain"} or not isinstance(chain, str):
            self._fail(f"the manifest: {sorted(about)}, expected 'chain' alone")
            return
        digest = sha256(chain.encode("utf-8", "replace")).digest()
        for entry in self.report.entries:
            if entry.leaf.key_sha256 != digest:
                self._fail(f"{entry.place}: not of the chain {chain}")

    def _signatures(self) -> None:
        keys = self._keys()
        for entry in self.report.entries:
            if entry.leaf.topic == ADMISSION_TOPIC:
                self._try(entry, self._admission, keys)
        for entry in self.report.entries:
            if entry.leaf.topic != ADMISSION_TOPIC:
                self._try(entry, self._event, keys)

    def _try(self, entry: ShownEntry, judge: Any, keys: KeyHistory) -> None:
        self.report.signatures += 1
        try:
            judge(entry, keys)
        except (BusError, ValueError) as error:
            self._fail(f"{entry.place}: {error}")

    def _keys(self) -> KeyHistory:
        """The keys, from key topics that the bundle holds whole."""
        for name, head in self._heads.items():
            if _is_key_log(name):
                log = self._bundle.logs.get(name)
                if log is None or list(log.ranges) != [(0, head.size)]:
                    self._fail(f"{name}: the history of keys is not whole, expected {head.size} entries")
        try:
            history = KeyHistory(Schemas(self._bundle.schemas))
        except ValueError as error:
            self._fail(str(error))
            return KeyHistory(Schemas({}))
        history.read(entry.record for entry in self.report.key_entries)
        for entry in self.report.key_entries:
            if entry.withheld:
                self._fail(f"{entry.place}: the content of a key event is withheld, it may end a key")
        for place in history.unread:
            self._fail(f"{place}: the schema of a signed key event is withheld, it may end a key")
        self.report.not_covered += [f"a key event without effect: {why}" for why in history.ignored]
        return history

    def _admission(self, entry: ShownEntry, keys: KeyHistory) -> None:
        """An admission is the router's; kept by the place of what it judged."""
        record = entry.record
        ours = record.headers[-len(BUS_HEADERS) :]
        if tuple(name for name, _ in ours) != BUS_HEADERS:
            raise ValueError("the last headers are not those of the bus")
        said, producer, seq, prev, sig = (value or b"" for _, value in ours)
        message = admission_message_of(
            producer=producer.decode("ascii"),
            seq=int(seq.decode("ascii")),
            prev=from_base64url(prev.decode("ascii"), 32),
            topic=record.topic,
            partition=record.partition,
            key_sha256=entry.leaf.key_sha256,
            value_sha256=entry.leaf.value_sha256,
            admission=said,
        )
        block = parse_block(from_base64url(sig.decode("ascii"), BLOCK_LENGTH))
        _signed(keys, BUS, block, record, record.timestamp_ms, message)
        admission = Admission.from_json(said)
        self.report.verdicts.setdefault(str(admission.origin), admission)

    def _event(self, entry: ShownEntry, keys: KeyHistory) -> None:
        """An event is by the agency whose topic it stands on, as the router judged it where that is shown."""
        record = entry.record
        headers = EventHeaders.parse(record.headers)
        agency = record.topic.partition(".")[0]
        verdict = self.report.verdicts.get(entry.place)
        if agency != BUS and verdict is None:
            self.report.not_covered.append(f"{entry.place}: no verdict of the bus on it")
        if agency != BUS and verdict is not None and not verdict.admitted:
            return  # it was refused, whoever wrote it
        if headers.source.split("/")[1] != agency or record.key != headers.subject.encode():
            raise ValueError(f"in the name of {headers.source}, or with another key than its chain")
        digest = entry.leaf.value_sha256 or sha256(b"").digest()
        fields = headers.signed_fields(record.topic, record.partition, None)._replace(value_sha256=digest)
        message = event_message(fields)
        if verdict is not None and verdict.digest != sha256(message).digest():
            raise ValueError("the bus's verdict names another event")
        now_ms = verdict.admitted_at_ms if verdict else None
        _signed(keys, agency, parse_block(headers.sig), record, now_ms, message)


def _signed(
    keys: KeyHistory, agency: str, block: SignatureBlock, record: Record, now_ms: int | None, message: bytes
) -> None:
    """Raises ValueError unless a key of the agency that was valid then has signed the message."""
    key = keys.find(agency, block.key_id)
    if key is None:
        raise ValueError(f"signed by {block.key_id.hex()[:16]}…, which is no key of {agency}")
    if reason := key.why_not(record, now_ms):
        raise ValueError(f"signed by {reason}")
    if not verify(block, message, key.public):
        raise ValueError("the signature does not fit the content")


def _is_key_log(name: str) -> bool:
    return name.split("/", 1)[0].endswith(KEY_CHANNEL)
