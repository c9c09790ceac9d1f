"""What a COSE receipt shows under what the reader brought: his policy, and the ledger's receipt key."""

from dataclasses import dataclass

from .checkpoint import Checkpoint
from .cose_receipt import ConsistencyProof, CoseReceipt, InclusionProof, ReceiptKey
from .event_proof import EventProof, ProvenEvent
from .leaf import leaf_hash
from .merkle import verify_consistency, verify_inclusion
from .signed_note import SignedNote
from .submission import Submission
from .trust_policy import TrustPolicy, Verdict


def judge_inclusion(raw: bytes, policy: TrustPolicy, key: ReceiptKey) -> ProvenEvent:
    """What a receipt of an entry shows: that the key signed its log, and all that the proof in it shows.

    Raises ValueError for what is no such receipt, or does not bring the proof.
    """
    receipt = CoseReceipt.parse(raw)
    if not isinstance(receipt.proof, InclusionProof) or receipt.carried is None:
        raise ValueError("a receipt without the way of an entry to the checkpoint, expected both")
    shown = EventProof.parse(receipt.carried).judge(policy)
    if shown.problem is not None:
        return shown
    problem = _same_key(policy, key) or _same_tree(receipt, receipt.proof, shown.proof, key)
    return ProvenEvent(shown.proof, shown.verdict, shown.leaf, problem)


def _same_tree(receipt: CoseReceipt, proof: InclusionProof, shown: EventProof, key: ReceiptKey) -> str | None:
    head, ledger = shown.head, Checkpoint.parse(shown.note.text).origin
    if (receipt.claims.issuer, receipt.claims.subject) != (ledger, head.origin):
        return (
            f"a receipt of {receipt.claims.subject} by {receipt.claims.issuer} for an entry of {head.origin}"
        )
    if (receipt.claims.size, proof.size, proof.index) != (head.size, head.size, shown.index):
        return f"a receipt of entry {proof.index} of {proof.size} for entry {shown.index} of {head.size}"
    if receipt.claims.sealed_at_s != shown.epoch.sealed_at_ms // 1000:
        return "a receipt of another time than that of the epoch"
    if not verify_inclusion(leaf_hash(shown.leaf), proof.index, proof.size, proof.path, head.root):
        return f"the receipt does not lead from the entry to the root of {head.origin}"
    if not receipt.signs(key, head.root):
        return f"the receipt is not signed by the key {key.key_id.hex()[:16]}…"
    return None


@dataclass(frozen=True, slots=True)
class ProvenGrowth:
    """What a proof of consistency shows; it does if `problem` is None. `old` is what the reader had kept."""

    old: Checkpoint | None
    verdict: Verdict
    signed: bool
    """Whether a receipt was signed by the ledger's receipt key, too."""
    problem: str | None


def judge_consistency(
    raw: bytes, since: bytes, policy: TrustPolicy, key: ReceiptKey | None = None
) -> ProvenGrowth:
    """Whether the ledger of a newer checkpoint extends that of the older one that the reader has kept.

    `raw` is an `add-checkpoint` body or, with a key, a receipt. Raises ValueError for what is neither.
    """
    receipt = None
    if key is None:
        given = Submission.parse(raw)
        note, old_size, path = given.note, given.old_size, given.proof
    else:
        receipt = CoseReceipt.parse(raw)
        if not isinstance(receipt.proof, ConsistencyProof) or receipt.carried is None:
            raise ValueError("a receipt without consistency and checkpoint, expected both")
        note, old_size, path = SignedNote.parse(receipt.carried), receipt.proof.old, receipt.proof.path
    verdict = policy.judge(note)
    kept = policy.judge(SignedNote.parse(since))
    old, new = kept.checkpoint, verdict.checkpoint
    problem = verdict.problem
    if problem is None and (old is None or kept.log is None):
        problem = f"the older checkpoint: {kept.problem}"
    if problem is None and old is not None and new is not None:
        problem = _not_grown(old, new, old_size, path)
        if problem is None and receipt is not None and key is not None:
            problem = _same_key(policy, key) or _not_of(receipt, new, key)
    return ProvenGrowth(old, verdict, receipt is not None and problem is None, problem)


def _not_grown(old: Checkpoint, new: Checkpoint, old_size: int, path: tuple[bytes, ...]) -> str | None:
    if old.origin != new.origin:
        return f"checkpoints of {old.origin} and {new.origin}, expected one ledger"
    if old_size != old.size:
        return f"a proof from size {old_size}, the older checkpoint has {old.size}"
    if not verify_consistency(old.size, new.size, path, old.root, new.root):
        return f"the ledger at size {new.size} does not extend what it was at size {old.size}"
    return None


def _not_of(receipt: CoseReceipt, new: Checkpoint, key: ReceiptKey) -> str | None:
    claims, proof = receipt.claims, receipt.proof
    if (claims.issuer, claims.subject, claims.size, proof.size) != (
        new.origin,
        new.origin,
        new.size,
        new.size,
    ):
        return f"a receipt of {claims.subject} at size {claims.size}, expected {new.origin} at {new.size}"
    if not receipt.signs(key, new.root):
        return f"the receipt is not signed by the key {key.key_id.hex()[:16]}…"
    return None


def _same_key(policy: TrustPolicy, key: ReceiptKey) -> str | None:
    """One key for one purpose: what signs checkpoints, or cosigns them, signs no receipts."""
    taken = {one.key.public for one in (*policy.logs, *policy.witnesses.values())}
    return "the receipt key is one of the policy's: a key has one purpose" if key.public in taken else None
