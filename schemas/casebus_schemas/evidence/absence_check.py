"""Judges a proof of absence: that an agency said nothing of some types in a case until a deadline.

All leaves of all its logs are there, up to an epoch after the deadline; those of the chain are opened.
docs/adr/0019-proof-of-absence.md says what this does not show.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from casebus_schemas.errors import BusError
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import event_message, parse_block, verify

from .avro_values import Schemas
from .bundle_file import ABSENCE, Bundle, BundledLog
from .bundle_reader import BundleReader, is_key_log
from .epoch import EpochLeaf, LogHead
from .event_proof import misplaced
from .genesis import Genesis
from .key_history import KeyHistory
from .leaf import NO_PRODUCER, NO_SEQ, LeafFields, decode_headers, leaf_hash, parse_leaf
from .merkle import root_of
from .trust_policy import TrustPolicy, Verdict

STREAM_HEAD = "statement.stream_head"
_LOG_APPEND_TIME = 1
_SHOWN_GAPS = 20

Finding = Literal["proven", "tail not confirmed", "not proven"]


class Claim(NamedTuple):
    """What is claimed: `agency` said none of `types` in `chain` before `until_ms` (since 1970 UTC)."""

    chain: str
    agency: str
    types: tuple[str, ...]
    until_ms: int

    def to_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return {
            "agency": self.agency,
            "chain": self.chain,
            "types": sorted(self.types),
            "until": self.until_ms,
        }

    @classmethod
    def parse(cls, about: Any) -> "Claim":
        """Reads a manifest. Raises ValueError."""
        try:
            claim = cls(about["chain"], about["agency"], tuple(about["types"]), about["until"])
        except (KeyError, TypeError) as error:
            raise ValueError("the manifest does not say chain, agency, types and until") from error
        texts = (claim.chain, claim.agency, *claim.types)
        if not claim.types or not all(isinstance(one, str) and one for one in texts):
            raise ValueError("the manifest's chain, agency and types are not texts")
        if type(claim.until_ms) is not int or claim.to_json() != about or "." in claim.agency:
            raise ValueError("the manifest is not as the format says")
        return claim


@dataclass
class AbsenceReport:
    """`finding` and why: `problems` if it is not proven, `tail` if the agency's own end is not confirmed.

    `said` are places of events of the types before the deadline, `later` of those from it on; `opened` counts
    entries of the chain, `entries` all that were looked at.
    """

    claim: Claim | None = None
    verdict: Verdict | None = None
    epoch: EpochLeaf | None = None
    entries: int = 0
    opened: int = 0
    logs: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What the reader's genesis file does not pin."""

    @property
    def finding(self) -> Finding:
        """What is shown."""
        if self.problems or self.said:
            return "not proven"
        return "tail not confirmed" if self.tail else "proven"


def check_absence(raw: bytes, policy: TrustPolicy, genesis: Genesis | None = None) -> AbsenceReport:
    """Reads and judges a proof of absence. Never raises ValueError.

    With `genesis` the history of keys must begin as that file says; else each first key is believed.
    """
    try:
        bundle = Bundle.parse(raw, ABSENCE)
        claim = Claim.parse(bundle.about)
    except ValueError as error:
        return AbsenceReport(problems=[f"the file: {error}"])
    check = _Absence(bundle, claim, policy, genesis)
    check.run()
    return check.report


class _Absence:
    def __init__(self, bundle: Bundle, claim: Claim, policy: TrustPolicy, genesis: Genesis | None) -> None:
        self._reader = BundleReader(bundle, policy, genesis=genesis)
        self._read_keys = genesis is not None
        self._logs = bundle.logs
        self._schemas = bundle.schemas
        self._payloads = bundle.payloads
        self._claim = claim
        self._chain = sha256(claim.chain.encode()).digest()
        self._last: dict[tuple[str, int, bytes], int] = {}
        self._statements: list[tuple[LeafFields, Record]] = []
        self.report = AbsenceReport(claim, self._reader.verdict, problems=self._reader.failed)
        self.report.notes = self._reader.notes

    def run(self) -> None:
        reader, report = self._reader, self.report
        if not reader.anchor():
            return
        assert reader.epoch is not None
        report.epoch = reader.epoch
        if reader.epoch.sealed_at_ms < self._claim.until_ms:
            reader.fail(f"epoch {reader.epoch.number} was sealed before the deadline")
        prefix = f"{self._claim.agency}."
        own = {name: head for name, head in reader.heads.items() if name.startswith(prefix)}
        for name, head in own.items():
            if not is_key_log(name):
                report.logs.append(name)
                self._look_through(name, head)
        # An agency that has announced its keys and never said anything has no log but that of its keys.
        if not own:
            reader.fail(f"the ledger has no log of {self._claim.agency}: is it an agency of this bus?")
        if not report.problems:
            self._confirm_tail(self._keys())

    def _look_through(self, name: str, head: LogHead) -> None:
        """All entries of one of the agency's logs."""
        log = self._logs.get(name)
        if log is None or list(log.ranges) != [(0, head.size)]:
            self._reader.fail(f"{name}: not all of its {head.size} entries are there")
        elif root_of([leaf_hash(raw) for raw in log.leaves]) != head.root:
            self._reader.fail(f"{name}: its leaves do not give the root of its head")
        elif head.next_offset != head.end_offset:
            found = f"up to {head.next_offset} of {head.end_offset}"
            self._reader.fail(f"{name}: the ledger had not taken up all that Kafka held, {found}")
        else:
            for leaf, headers in self._leaves(name, head, log):
                self._entry(leaf, headers)

    def _leaves(self, name: str, head: LogHead, log: BundledLog) -> Iterator[tuple[LeafFields, bytes]]:
        assert self._reader.verdict.checkpoint is not None
        ledger, last = self._reader.verdict.checkpoint.origin, -1
        for raw, headers in zip(log.leaves, log.headers, strict=True):
            try:
                leaf = parse_leaf(raw)
                problem = misplaced(leaf, head, ledger)
                if problem is None and leaf.offset <= last:
                    problem = f"offset {leaf.offset} after {last}"
                if problem is None and headers and sha256(headers).digest() != leaf.headers_sha256:
                    problem = f"offset {leaf.offset}: the headers are not those of the leaf"
                if problem is not None:
                    raise ValueError(problem)
            except ValueError as error:
                self._reader.fail(f"{name}: {error}")
                return
            last = leaf.offset
            yield leaf, headers

    def _entry(self, leaf: LeafFields, headers: bytes) -> None:
        self.report.entries += 1
        self._number(leaf)
        place = f"{leaf.topic}/{leaf.partition}/{leaf.offset}"
        of_chain = leaf.key_sha256 == self._chain
        if not headers:
            if of_chain:
                self._reader.fail(f"{place}: of the chain, and not opened")
            return
        try:
            record = self._record(leaf, headers)
        except ValueError as error:
            if of_chain:
                self._reader.fail(f"{place}: {error}")
            return
        type = (record.header("ce_type") or b"").decode("utf-8", "replace")
        if of_chain:
            self.report.opened += 1
            if type in self._claim.types:
                # Only the broker's own time is believed to be after the deadline.
                late = leaf.timestamp_type == _LOG_APPEND_TIME and leaf.timestamp_ms >= self._claim.until_ms
                (self.report.later if late else self.report.said).append(place)
        if type == STREAM_HEAD:
            self._statements.append((leaf, record))

    def _number(self, leaf: LeafFields) -> None:
        """Numbers of a producer follow each other: a gap is a loss before the ledger. Repeats are none."""
        if leaf.producer_tag == NO_PRODUCER or leaf.seq == NO_SEQ:
            return
        stream = leaf.topic, leaf.partition, leaf.producer_tag
        last = self._last.get(stream, 0)
        if leaf.seq > last + 1 and len(self.report.problems) < _SHOWN_GAPS:
            place = f"{leaf.topic}/{leaf.partition}/{leaf.offset}"
            self._reader.fail(f"{place}: number {leaf.seq} after {last}, what lies between never came")
        self._last[stream] = max(last, leaf.seq)

    def _record(self, leaf: LeafFields, headers: bytes) -> Record:
        decoded = decode_headers(headers)
        key = next((value for name, value in decoded if name == "ce_subject"), None)
        value = None if leaf.value_sha256 is None else self._payloads.get(leaf.value_sha256)
        if value is not None and sha256(value).digest() != leaf.value_sha256:
            raise ValueError("the content has another digest")
        place = leaf.topic, leaf.partition, leaf.offset, leaf.timestamp_ms, leaf.timestamp_type
        return Record(*place, key, value, decoded)

    def _keys(self) -> KeyHistory:
        shown = [
            entry
            for name, log in self._logs.items()
            if is_key_log(name)
            for entry in self._reader.entries(name, log)
        ]
        if not self._statements and not self._read_keys:
            return KeyHistory(Schemas({}))
        return self._reader.keys(shown)

    def _confirm_tail(self, keys: KeyHistory) -> None:
        """Whether the agency itself said, after the deadline, where its streams end, and no more was sent.

        Each of its outboxes speaks for itself: of each the last statement counts, and all must agree.
        """
        why = [f"{self._claim.agency} has not said after the deadline where its streams end"]
        last: dict[str, tuple[int, list[str]]] = {}
        for leaf, record in self._statements:
            try:
                outbox, as_of_ms, heads = self._statement(leaf, record, keys)
                if as_of_ms >= last.get(outbox, (0, []))[0]:
                    last[outbox] = as_of_ms, self._missing(heads)
            except (BusError, ValueError, LookupError, TypeError) as error:
                why = [f"{leaf.topic}/{leaf.partition}/{leaf.offset}: {error}"]
        self.report.tail = [one for _, missing in last.values() for one in missing] if last else why

    def _statement(
        self, leaf: LeafFields, record: Record, keys: KeyHistory
    ) -> tuple[str, int, Sequence[dict[str, Any]]]:
        """Which of its outboxes states it, as of when, and the ends that it names.

        Raises ValueError unless it is the agency's, and late enough.
        """
        headers = EventHeaders.parse(record.headers)
        if headers.source.split("/")[1] != self._claim.agency:
            raise ValueError(f"in the name of {headers.source}")
        block = parse_block(headers.sig)
        key = keys.find(self._claim.agency, block.key_id)
        if key is None or self._reader.why_not(key, record, None) or key.doubt(record, self._reader.order):
            raise ValueError("not signed by a valid key of the agency")
        message = event_message(headers.signed_fields(record.topic, record.partition, record.value))
        if not verify(block, message, key.public):
            raise ValueError("the signature does not fit the content")
        _, body = Schemas(self._schemas).decode(record)
        if leaf.timestamp_type != _LOG_APPEND_TIME or leaf.timestamp_ms < self._claim.until_ms:
            raise ValueError("the statement came before the deadline")
        if body["as_of"] < self._claim.until_ms:
            raise ValueError("the statement speaks of a time before the deadline")
        return headers.producer.rpartition(".")[0], body["as_of"], body["heads"]

    def _missing(self, heads: Sequence[dict[str, Any]]) -> list[str]:
        """Streams of the agency that, by its own statement, go on beyond what the ledger holds."""
        missing = []
        for head in heads:
            topic, partition = head["topic"], head["partition"]
            if not topic.startswith(f"{self._claim.agency}.") or topic.endswith(".key"):
                continue
            tag = sha256(head["producer"].encode()).digest()[:8]
            if self._last.get((topic, partition, tag), 0) < head["seq"]:
                said = f"{head['producer']} sent number {head['seq']} to {topic}/{partition}"
                missing.append(f"by its own statement {said}, which the ledger does not have")
        return missing
