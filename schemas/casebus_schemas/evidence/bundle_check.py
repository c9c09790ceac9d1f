"""Judges a bundle under the reader's own policy: paths, digests, keys, signatures; needs no network."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from casebus_schemas.admission.verdict import BUS_HEADERS, SaidVerdict, counts_now, said_in
from casebus_schemas.errors import BusError
from casebus_schemas.wire.base64url import canonical_bytes
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

from .bundle_coverage import ADMISSION_TOPIC, Coverage, coverage, first_times
from .bundle_file import Bundle
from .bundle_page import LAYOUT, page
from .bundle_reader import BundleReader, ShownEntry, is_key_log
from .epoch import EpochLeaf
from .genesis import Genesis
from .key_history import BUS, KeyHistory
from .trust_policy import TrustPolicy, Verdict


@dataclass
class BundleReport:
    """What came of it: `failed` is empty if everything that the bundle claims holds.

    `not_covered` says what the bundle does not show, in sentences. `entries` and `key_entries` are those
    whose proofs hold, the latter on key topics; `verdicts` are the router's, by the place of what it judged.
    `covered` says of which topics of the bus nothing of the chain is left out.
    """

    about: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
    epoch: EpochLeaf | None = None
    entries: list[ShownEntry] = field(default_factory=list)
    key_entries: list[ShownEntry] = field(default_factory=list)
    verdicts: dict[str, SaidVerdict] = field(default_factory=dict)
    covered: list[Coverage] = field(default_factory=list)
    signatures: int = 0
    failed: list[str] = field(default_factory=list)
    not_covered: list[str] = field(default_factory=list)

    @property
    def all_verdicts(self) -> bool:
        """Whether no verdict of the bus on what is shown of the chain can have been left out."""
        return any(one.topic == ADMISSION_TOPIC and one.problem is None for one in self.covered)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failed


class Signature(NamedTuple):
    """What is left to be checked of an entry: its signature."""

    place: str
    public: bytes
    block: SignatureBlock
    message: bytes
    prev: bytes | None = None
    """Of a verdict of the bus: the digest of the one before in its stream, which it vouches for."""

    def holds(self) -> bool:
        """Whether it is the key's signature of the message."""
        return verify(self.block, self.message, self.public)


VerifyAll = Callable[[Sequence[Signature]], Iterable[bool]]
"""Gives an answer for each signature; it may begin at once and be asked for the answers later."""

EMPTY_DIGEST = sha256(b"").digest()
_RUN = 250
"""Signatures that are handed over at once."""


def one_by_one(signatures: Sequence[Signature]) -> Iterable[bool]:
    """Verifies signatures in turn; a caller may hand in something that uses more processors."""
    return map(Signature.holds, signatures)


def check_bundle(
    raw: bytes,
    policy: TrustPolicy,
    *,
    genesis: Genesis | None = None,
    signatures: bool = True,
    verify_all: VerifyAll = one_by_one,
) -> BundleReport:
    """Reads and judges a bundle. Never raises ValueError.

    With `genesis` the history of keys must begin as that file says; else each first key is believed. Without
    `signatures` those of events and admissions are left aside, and headers and keys are not read.
    """
    with uncollected():
        try:
            bundle = Bundle.parse(raw)
        except ValueError as error:
            return BundleReport(failed=[f"the file: {error}"])
        check = _Check(bundle, policy, genesis)
        check.run(verify_all if signatures else None)
        return check.report


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the search for reference cycles: there are none, and it costs a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


Judge = Callable[[ShownEntry, KeyHistory], Signature]


class _Check:
    def __init__(self, bundle: Bundle, policy: TrustPolicy, genesis: Genesis | None) -> None:
        chain = bundle.about.get("chain")
        self._with_genesis = genesis is not None
        self._chain = sha256(str(chain).encode("utf-8", "replace")).digest()
        self._reader = BundleReader(bundle, policy, self._chain, genesis)
        self._bundle = bundle
        self.report = BundleReport(bundle.about, self._reader.verdict, failed=self._reader.failed)
        self._pending: list[Signature] = []
        self._run: list[Signature] = []
        self._vouched: dict[str, Sequence[Signature]] = {}
        self._asked: list[tuple[list[Signature], Iterable[bool]]] = []

    def run(self, verify_all: VerifyAll | None) -> None:
        if not self._reader.anchor():
            return
        report = self.report
        report.epoch = self._reader.epoch
        for name, log in self._bundle.logs.items():
            kept = report.key_entries if is_key_log(name) else report.entries
            kept.extend(self._reader.entries(name, log))
        self._reader.check_payloads((*report.entries, *report.key_entries))
        self._of_the_chain()
        times = first_times(entry.leaf for entry in report.entries)
        report.covered = coverage(self._reader.heads, self._bundle.logs, times) if report.ok else []
        if verify_all is None:
            self.report.not_covered.append("signatures of events and admissions were not looked at")
        else:
            self._signatures(verify_all)
            self._all_judged()
        if report.ok and self._bundle.page is not None:
            self._check_page(self._bundle.page)
        withheld = sum(entry.withheld for entry in self.report.entries)
        if withheld:
            self.report.not_covered.append(f"the contents of {withheld} entries: only their SHA-256 is shown")
        self.report.not_covered += self._beyond()

    def _of_the_chain(self) -> None:
        """The bundle is of the chain that it names, and of nothing else."""
        about = self._bundle.about
        chain = about.get("chain")
        if about.keys() != {"chain"} or not isinstance(chain, str):
            self._reader.fail(f"the manifest: {sorted(about)}, expected 'chain' alone")
            return
        for entry in self.report.entries:
            if entry.leaf.key_sha256 != self._chain:
                self._reader.fail(f"{entry.place}: not of the chain {chain}")

    def _signatures(self, verify_all: VerifyAll) -> None:
        report = self.report
        report.entries = [entry for entry in report.entries if self._is_read(entry)]
        report.key_entries = [entry for entry in report.key_entries if self._is_read(entry)]
        keys = self._reader.keys(report.key_entries)
        report.not_covered += [f"a key event without effect: {why}" for why in keys.ignored]
        report.not_covered += self._reader.notes
        # An event is judged by the verdict on it.
        ordered = sorted(report.entries, key=lambda entry: entry.leaf.topic != ADMISSION_TOPIC)
        for entry in ordered:
            judge = self._admission if entry.leaf.topic == ADMISSION_TOPIC else self._event
            self._try(entry, judge, keys)
            if len(self._pending) >= _RUN:
                self._ask(verify_all)
        self._end_run()
        self._ask(verify_all)
        for signatures, answers in self._asked:
            for signature, holds in zip(signatures, answers, strict=True):
                vouched = () if holds else self._vouched.get(signature.place, ())
                wrong = [one for one in vouched if not one.holds()]
                for one in wrong if holds else (*wrong, signature):
                    self._reader.fail(f"{one.place}: the signature does not fit the content")
        known = {f"sha256:{one.hex()}".encode() for one in self._bundle.schemas}
        unread = sum(
            entry.value is not None and entry.record.header("ce_dataschema") not in known
            for entry in report.entries
        )
        if unread:
            report.not_covered.append(f"how to read {unread} contents: their schema is not there")

    def _all_judged(self) -> None:
        """Each verdict has the event that it is on, each event its verdict, as far as that can be told."""
        report, heads = self.report, self._reader.heads
        shown = {entry.place for entry in report.entries}
        for place, verdict in report.verdicts.items():
            if place in shown:
                continue
            log, _, offset = place.rpartition("/")
            ends = [head.next_offset for name, head in heads.items() if name.startswith(f"{log}/")]
            if any(int(offset) < end for end in ends):
                self._reader.fail(f"{place}: {verdict.verdict} by the bus, and left out of the bundle")
            else:
                report.not_covered.append(f"{place}: {verdict.verdict}, and not in the ledger at this epoch")
        for entry in report.entries:
            if not entry.leaf.topic.startswith(f"{BUS}.") and entry.place not in report.verdicts:
                why = "none by this epoch" if report.all_verdicts else "it may have been left out"
                report.not_covered.append(f"{entry.place}: no verdict of the bus on it, {why}")

    def _beyond(self) -> Iterator[str]:
        """What the bundle would not show if there were more."""
        for one in self.report.covered:
            if one.problem is not None:
                yield f"whether more stands on {one.topic}: {one.problem}"
            elif one.since_ms is not None and one.topic == ADMISSION_TOPIC:
                yield f"what the bus admitted in this chain before {one.since_ms} ms since 1970"
        if self.report.all_verdicts:
            yield "what was sent and not judged by the bus: absence needs a proof of its own"
        else:
            yield "whether more was said: absence needs a proof of its own"
        if not self._with_genesis:
            yield "with which keys the bus began: no genesis was brought, each first key is believed"

    def _check_page(self, given: bytes) -> None:
        """The page for people is what the content gives, or of a layout that this reader does not know."""
        if given == page(self._bundle):
            return
        if given.startswith(LAYOUT):
            self._reader.fail("report.html: it is not what the bundle's content gives")
        else:
            self.report.not_covered.append("report.html: of another layout, make it anew with --page")

    def _ask(self, verify_all: VerifyAll) -> None:
        self._asked.append((self._pending, verify_all(self._pending)))
        self._pending = []

    def _next(self, signature: Signature) -> None:
        """Hands a signature over; of verdicts of the bus that follow each other the last one of the run.

        A right signature vouches for the verdicts before it, since each holds the digest of the one before.
        """
        if signature.prev is None:
            self._pending.append(signature)
            return
        if self._run and sha256(self._run[-1].message).digest() != signature.prev:
            self._end_run()
        self._run.append(signature)

    def _end_run(self) -> None:
        if self._run:
            *before, last = self._run
            self._vouched[last.place] = before
            self._pending.append(last)
            self._run = []

    def _is_read(self, entry: ShownEntry) -> bool:
        try:
            return entry.record is not None
        except ValueError as error:
            self._reader.fail(f"{entry.place}: {error}")
            return False

    def _try(self, entry: ShownEntry, judge: Judge, keys: KeyHistory) -> None:
        self.report.signatures += 1
        try:
            self._next(judge(entry, keys))
        except _NotJudged:
            pass
        except (BusError, ValueError) as error:
            self._reader.fail(f"{entry.place}: {error}")

    def _admission(self, entry: ShownEntry, keys: KeyHistory) -> Signature:
        """An admission is the router's; kept by the place of what it judged."""
        record = entry.record
        ours = record.headers[-len(BUS_HEADERS) :]
        if tuple(name for name, _ in ours) != BUS_HEADERS:
            raise ValueError("the last headers are not those of the bus")
        said, producer, seq, prev, sig = (value or b"" for _, value in ours)
        before = _bytes_of(prev, 32)
        message = admission_message_of(
            producer=producer.decode("ascii"),
            seq=int(seq.decode("ascii")),
            prev=before,
            topic=record.topic,
            partition=record.partition,
            key_sha256=entry.leaf.key_sha256,
            value_sha256=entry.leaf.value_sha256,
            admission=said,
        )
        block = parse_block(_bytes_of(sig, BLOCK_LENGTH))
        counts_now(self.report.verdicts, said_in(said))
        found = self._signed(keys, BUS, block, record, record.timestamp_ms, message)
        return found._replace(prev=before)

    def _event(self, entry: ShownEntry, keys: KeyHistory) -> Signature:
        """An event is by the agency whose topic it stands on, as the router judged it where that is shown."""
        record = entry.record
        headers = EventHeaders.parse(record.headers)
        agency = record.topic.partition(".")[0]
        verdict = self.report.verdicts.get(entry.place)
        if agency != BUS and verdict is not None and not verdict.admitted:
            raise _NotJudged  # it was refused, whoever wrote it
        if headers.source.split("/")[1] != agency or record.key != headers.subject.encode():
            raise ValueError(f"in the name of {headers.source}, or with another key than its chain")
        digest = entry.leaf.value_sha256 or EMPTY_DIGEST
        message = event_message(headers.signed_at(record.topic, record.partition, digest))
        if verdict is not None and verdict.digest != sha256(message).digest():
            raise ValueError("the bus's verdict names another event")
        now_ms = verdict.admitted_at_ms if verdict else None
        return self._signed(keys, agency, parse_block(headers.sig), record, now_ms, message)

    def _signed(
        self,
        keys: KeyHistory,
        agency: str,
        block: SignatureBlock,
        record: Record,
        now_ms: int | None,
        message: bytes,
    ) -> Signature:
        """The signature to be checked. Raises ValueError unless the agency had that key, valid there."""
        key = keys.find(agency, block.key_id)
        if key is None:
            raise ValueError(f"signed by {block.key_id.hex()[:16]}…, which is no key of {agency}")
        if reason := self._reader.why_not(key, record, now_ms):
            raise ValueError(f"signed by {reason}")
        place = f"{record.topic}/{record.partition}/{record.offset}"
        if doubt := key.doubt(record, self._reader.order):
            self.report.not_covered.append(f"{place}: in doubt, {doubt}")
        return Signature(place, key.public, block, message)


def _bytes_of(text: bytes, length: int) -> bytes:
    raw = canonical_bytes(text, length)
    if raw is None:
        raise ValueError(f"{text[:140]!r} is not the base64url of {length} bytes")
    return raw


class _NotJudged(Exception):
    """An event whose signature does not matter."""
