"""Makes a proof of absence out of the ledger's tables."""

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.absence_check import STREAM_HEAD, Claim
from casebus_schemas.evidence.bundle_file import ABSENCE, Bundle, BundledLog, bundled_log
from casebus_schemas.evidence.epoch import EpochLeaf, EpochTree, LogHead
from casebus_schemas.evidence.leaf import decode_headers
from casebus_schemas.evidence.merkle import inclusion_proof
from casebus_schemas.evidence.tlog_proof import TlogProof
from casebus_schemas.wire.canonical import canonical_json

from .proof_rows import ChainEntry, ProofRows, Suffices, size_of
from .proving_positions import with_positions

_LOOKED_BACK = 1000
_KEYS = ".key"


def absence(rows: ProofRows, claim: Claim, suffices: Suffices) -> Bundle:
    """The proof that an agency said nothing of some types in a chain before a deadline.

    It holds every leaf of every log of that agency, opened only where it is of the chain. Raises UsageError
    if no epoch after the deadline, under a good checkpoint, has all that Kafka held of the agency.
    """
    note = rows.checkpoint(1, suffices)
    size = size_of(note)
    epoch, heads = _caught_up(rows, claim, size)
    tree = EpochTree(heads.values())
    collected = _Collected(claim.chain.encode())
    logs: dict[str, BundledLog] = {}
    for log_id, head in heads.items():
        name = head.origin.removeprefix(f"{rows.origin}/")
        topic = name.split("/")[0]
        if topic.endswith(_KEYS) or topic.startswith(f"{claim.agency}."):
            entries = collected.take(rows, log_id, head, whole=topic.endswith(_KEYS))
            logs[name] = bundled_log(entries, head.size, rows.hashes(log_id, head.size))
    path = inclusion_proof(epoch.number - 1, size, rows.hashes(rows.head_log, size))
    proof = TlogProof(epoch.number - 1, tuple(path), note, epoch.pack())
    schemas = collected.schemas()
    made = Bundle(claim.to_json(), proof, tree.heads, logs, collected.payloads, schemas, ABSENCE)
    return with_positions(rows, made, size)


def _caught_up(rows: ProofRows, claim: Claim, size: int) -> tuple[EpochLeaf, dict[int, LogHead]]:
    """The newest epoch whose heads of the agency hold all that Kafka held."""
    prefix = f"{rows.origin}/{claim.agency}."
    for number in range(size, max(0, size - _LOOKED_BACK), -1):
        epoch, heads = rows.epoch(number), rows.heads(number)
        if epoch.sealed_at_ms < claim.until_ms:
            break
        own = [head for head in heads.values() if head.origin.startswith(prefix)]
        if all(head.next_offset == head.end_offset for head in own):
            return epoch, heads
    raise UsageError(
        f"no epoch after the deadline holds all that Kafka held of {claim.agency}",
        found=f"{size} epochs under the checkpoint",
        expected="one sealed after the deadline whose logs of the agency are caught up",
        remedy="wait for the deadline, the next epoch and its cosignatures; anybody's record makes an epoch",
    )


class _Collected:
    """Contents and schemas that are shown: of key topics, and of statements of streams' ends."""

    def __init__(self, chain: bytes) -> None:
        self._chain = chain
        self._fingerprints: set[bytes] = set()
        self.payloads: dict[bytes, bytes] = {}

    def take(
        self, rows: ProofRows, log_id: int, head: LogHead, *, whole: bool
    ) -> dict[int, tuple[bytes, bytes]]:
        """Leaf of each entry, and headers of those that are opened."""
        found = {}
        for entry in rows.of_log(log_id, head.size):
            headers = dict(reversed(decode_headers(bytes(entry.headers))))
            states = headers.get("ce_type") == STREAM_HEAD.encode()
            opened = whole or states or entry.key == self._chain
            found[entry.idx] = bytes(entry.leaf), bytes(entry.headers) if opened else b""
            if whole or states:
                self._show(entry, headers)
        return found

    def schemas(self) -> dict[bytes, bytes]:
        """Canonical JSON of the schemas of what is shown, as far as the catalogue has them."""
        known = {schema.fingerprint: schema.schema for schema in Catalog.load().schemas()}
        return {one: canonical_json(known[one]) for one in self._fingerprints if one in known}

    def _show(self, entry: ChainEntry, headers: dict[str, bytes | None]) -> None:
        if entry.value is None or entry.value_sha256 is None:
            return
        self.payloads[bytes(entry.value_sha256)] = bytes(entry.value)
        name = (headers.get("ce_dataschema") or b"").decode("ascii", "replace")
        if name.startswith("sha256:"):
            self._fingerprints.add(bytes.fromhex(name[7:]))
