"""Makes a proof of absence out of the ledger's tables."""

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.absence_check import STREAM_HEAD, Claim
from casebus_schemas.evidence.bundle_file import ABSENCE, Bundle, BundledLog, bundled_log
from casebus_schemas.evidence.epoch import EpochLeaf, EpochTree, LogHead
from casebus_schemas.evidence.leaf import decode_headers
from casebus_schemas.evidence.merkle import inclusion_proof
from casebus_schemas.evidence.tlog_proof import TlogProof

from .proof_rows import ProofRows, Suffices, size_of
from .proving_contents import ShownContents
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
    contents, chain = ShownContents(), claim.chain.encode()
    logs: dict[str, BundledLog] = {}
    for log_id, head in heads.items():
        name = head.origin.removeprefix(f"{rows.origin}/")
        topic = name.split("/")[0]
        if topic.endswith(_KEYS) or topic.startswith(f"{claim.agency}."):
            entries = _taken(rows, log_id, head, contents, chain, whole=topic.endswith(_KEYS))
            logs[name] = bundled_log(entries, head.size, rows.hashes(log_id, head.size))
    path = inclusion_proof(epoch.number - 1, size, rows.hashes(rows.head_log, size))
    proof = TlogProof(epoch.number - 1, tuple(path), note, epoch.pack())
    payloads, schemas = contents.payloads(), contents.schemas()
    made = Bundle(claim.to_json(), proof, tree.heads, logs, payloads, schemas, ABSENCE)
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


def _taken(
    rows: ProofRows, log_id: int, head: LogHead, contents: ShownContents, chain: bytes, *, whole: bool
) -> dict[int, tuple[bytes, bytes]]:
    """Leaf of each entry of a log, headers of those that are opened; shows keys and statements of ends."""
    found = {}
    for entry in rows.of_log(log_id, head.size):
        headers = dict(reversed(decode_headers(bytes(entry.headers))))
        states = headers.get("ce_type") == STREAM_HEAD.encode()
        opened = whole or states or entry.key == chain
        found[entry.idx] = bytes(entry.leaf), bytes(entry.headers) if opened else b""
        if whole or states:
            contents.show(entry, headers)
    return found
