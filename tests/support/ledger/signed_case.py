"""A sealed ledger of really signed events: keys announced, matters said and admitted, in several epochs."""

from dataclasses import dataclass, field

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.evidence.bundle_coverage import ADMISSION_TOPIC
from casebus_schemas.evidence.bundle_file import Bundle, BundledLog, bundled_log
from casebus_schemas.evidence.leaf import encode_headers, leaf
from casebus_schemas.evidence.merkle import LeafHashes, inclusion_proof
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.tlog_proof import TlogProof
from casebus_schemas.wire.canonical import canonical_json
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_schemas.wire.signing import SigningKey
from support.events.admissions import Admitter
from support.events.signed_events import Speaker, chain, seed_of, stored
from support.ledger.sealed_ledger import LEDGER, SealedLedger

THREE = ("mps", "csrc", "audit")


@dataclass
class SignedCase:
    """Says, admits and seals."""

    ledger: SealedLedger = field(default_factory=SealedLedger)
    admitter: Admitter = field(default_factory=Admitter)
    genesis: bytes | None = None
    """What the bus's first key event names."""

    def __post_init__(self) -> None:
        for speaker in self.admitter.speakers:
            self.store(speaker.announce())
        self.store(Speaker("bus", key=SigningKey(seed_of("router"))).announce(genesis=self.genesis))

    def store(self, event: Composed) -> None:
        """Appends an event to the log of its place."""
        place = TopicPartition(event.record.topic, event.record.partition)
        run = self.ledger.records.setdefault(place, [])
        run.append(stored(event, len(run)))

    def say(self, event: Composed) -> None:
        """Stores an event and the router's verdict on it."""
        self.store(event)
        admission = self.admitter.admit(event)
        place = TopicPartition(admission.topic, admission.partition)
        self.ledger.records.setdefault(place, []).append(admission)

    def note(self) -> SignedNote:
        """The newest checkpoint with three cosignatures."""
        return self.ledger.note(*THREE)


def example(matters: int = 12, events: int = 3, *, distinct: bool = False) -> SignedCase:
    """As many matters, each of as many referrals of csrc, sealed twice; `distinct` are their contents."""
    case = SignedCase()
    csrc = case.admitter.speaker("csrc")
    for turn in range(events):
        for number in range(matters):
            of_its_own = {"message_no": f"{turn}/{number}"} if distinct else {}
            case.say(csrc.refer(number, **of_its_own))
        if (turn in (0, events - 1) and events > 3) or (events <= 3 and turn != events - 2):
            case.ledger.seal()
    return case


def bundle_of(
    case: SignedCase, number: int, *, withheld: bool = False, covered_from: int | None = None
) -> Bundle:
    """The bundle of the n-th matter as of the newest epoch.

    From `covered_from` on all leaves of its log of verdicts are there, closed where they are of others.
    """
    ledger, wanted = case.ledger, chain(number).encode()
    tree, epoch = ledger.heads[-1], ledger.epochs[-1]
    logs: dict[str, BundledLog] = {}
    shown: list[Record] = []
    for place, records in ledger.records.items():
        key_log = place.topic.endswith(".key")
        own = {at: one for at, one in enumerate(records) if key_log or one.key == wanted}
        if own:
            entries = {at: (leaf(one), encode_headers(one.headers)) for at, one in own.items()}
            if place.topic == ADMISSION_TOPIC and covered_from is not None:
                closed = enumerate(records[covered_from:], start=covered_from)
                entries = {at: (leaf(one), b"") for at, one in closed} | entries
            name = f"{place.topic}/{place.partition}/1"
            logs[name] = bundled_log(entries, len(records), LeafHashes(ledger.hashes(place)))
            shown += [one for one in own.values() if key_log or not withheld]
    hashes = LeafHashes([one.hash() for one in ledger.epochs])
    path = inclusion_proof(epoch.number - 1, len(ledger.epochs), hashes)
    schemas = {one.fingerprint: canonical_json(one.schema) for one in Catalog.load().schemas()}
    used = {bytes.fromhex((one.header("ce_dataschema") or b"")[7:].decode()) for one in shown}
    return Bundle(
        {"chain": chain(number)},
        TlogProof(epoch.number - 1, tuple(path), case.note(), epoch.pack()),
        tree.heads,
        logs,
        {leaf(one)[-80:-48]: one.value for one in shown if one.value is not None},
        {fingerprint: schemas[fingerprint] for fingerprint in used},
    )


__all__ = ["LEDGER", "SignedCase", "bundle_of", "example"]
