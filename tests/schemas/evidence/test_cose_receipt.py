"""COSE receipts: another's program verifies them, ours needs more than they, and no byte can be another."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import cbor2
import pytest
import scitt_cose

from casebus_schemas.evidence import cbor
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.cose_receipt import (
    CoseReceipt,
    ReceiptKey,
    ReceiptSigner,
    is_receipt,
    signed_bytes,
)
from casebus_schemas.evidence.ed25519 import PrivateKey
from casebus_schemas.evidence.merkle import LeafHashes, consistency_proof, root_of
from casebus_schemas.evidence.receipt_check import judge_consistency, judge_inclusion
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.submission import Submission
from support.ledger import sealed_ledger as made
from support.ledger.sealed_ledger import LEDGER, SIGNER, SealedLedger, policy

THREE = ("mps", "csrc", "audit")
RECEIPTS = ReceiptSigner(made.seed("receipts"))
OTHER = ReceiptSigner(made.seed("other receipts"))


@pytest.fixture(scope="module")
def ledger() -> SealedLedger:
    """Five logs in five epochs."""
    return made.example()


def receipt(ledger: SealedLedger, signer: ReceiptSigner = RECEIPTS, index: int = 20) -> tuple[bytes, bytes]:
    """A receipt of an entry of csrc.referral/0, and the entry's leaf."""
    proof = ledger.prove("csrc.referral", 0, index, ledger.note(*THREE))
    return signer.inclusion(proof), proof.leaf


def growth(ledger: SealedLedger, old: int) -> tuple[SignedNote, SignedNote, list[bytes]]:
    """The checkpoint of an older size, the newest one, and the proof between them."""
    hashes = [epoch.hash() for epoch in ledger.epochs]
    older = SIGNER.signed(str(Checkpoint(LEDGER, old, root_of(hashes[:old]))))
    return older, ledger.note(*THREE), consistency_proof(old, len(hashes), LeafHashes(hashes))


def test_another_program_verifies_every_receipt(ledger: SealedLedger) -> None:
    """A package that knows RFC 9942 and nothing of casebus finds each entry in its log, by the key."""
    for index in range(21):
        raw, leaf = receipt(ledger, index=index)
        found = scitt_cose.verify_receipt(
            raw, leaf_entry_hex=leaf.hex(), log_public_key_pem=str(RECEIPTS.key)
        )
        assert found.errors == []
        assert (found.ok, found.leaf_index) == (True, index)
        assert (found.issuer, found.subject) == (LEDGER, f"{LEDGER}/csrc.referral/0/1")
        assert found.iat == made.SEALED_MS // 1000
        assert found.protected_header_ext == {4: RECEIPTS.key.key_id}
        assert judge_inclusion(raw, policy(), RECEIPTS.key).proven


def test_another_program_refuses_what_does_not_hold(ledger: SealedLedger) -> None:
    """It refuses another entry, and the receipt of another key."""
    raw, leaf = receipt(ledger)
    _, other_leaf = receipt(ledger, index=19)
    for entry, key in ((other_leaf, RECEIPTS.key), (leaf, OTHER.key)):
        found = scitt_cose.verify_receipt(raw, leaf_entry_hex=entry.hex(), log_public_key_pem=str(key))
        assert not found.ok


def test_another_program_verifies_growth(ledger: SealedLedger) -> None:
    """Its check of COSE_Sign1 and of consistency proofs agree with ours for every older size."""
    for old in range(1, 5):
        older, newer, path = growth(ledger, old)
        raw = RECEIPTS.consistency(newer, old, path, ledger.epochs[-1].sealed_at_ms)
        first, second = Checkpoint.parse(older.text), Checkpoint.parse(newer.text)
        signed = scitt_cose.verify_sign1(
            raw,
            public_key_pem=str(RECEIPTS.key),
            detached_payload=second.root,
            understood_labels=frozenset({1, 4, 15, 395}),
        )
        assert signed.protected[395] == 1
        sizes, proof = (found := cbor2.loads(signed.unprotected[396][-2][0]))[:2], found[2]
        assert list(sizes) == [old, 5]
        hexes = [one.hex() for one in proof]
        assert scitt_cose.verify_consistency(first.root.hex(), second.root.hex(), old, 5, hexes)
        shown = judge_consistency(raw, older.to_bytes(), policy(), RECEIPTS.key)
        assert (shown.problem, shown.signed) == (None, True)


def test_the_text_form_shows_growth_without_a_receipt(ledger: SealedLedger) -> None:
    """The body of C2SP's add-checkpoint shows the same under the policy alone."""
    older, newer, path = growth(ledger, 3)
    raw = Submission(3, tuple(path), newer).to_bytes()
    shown = judge_consistency(raw, older.to_bytes(), policy())
    assert (shown.problem, shown.signed) == (None, False)
    assert shown.old is not None
    assert shown.old.size == 3


def test_a_rewritten_ledger_does_not_extend_what_was_kept(ledger: SealedLedger) -> None:
    """The reader's own older checkpoint decides: one that another history continues is refused."""
    older, newer, path = growth(ledger, 3)
    other = SIGNER.signed(str(Checkpoint(LEDGER, 3, bytes(32))))
    foreign = replace(older, signatures=())
    for since, path_given, why in (
        (other, path, "does not extend"),
        (older, path[:-1], "does not extend"),
        (growth(ledger, 2)[0], path, "from size 3, the older checkpoint has 2"),
        (foreign, path, "a note is a text"),
    ):
        raw = Submission(3, tuple(path_given), newer).to_bytes()
        try:
            problem = judge_consistency(raw, since.to_bytes(), policy()).problem
        except ValueError as error:
            problem = str(error)
        assert problem is not None
        assert why in problem
    few = Submission(3, tuple(path), ledger.note("spp")).to_bytes()
    assert "quorum" in (judge_consistency(few, older.to_bytes(), policy()).problem or "")


def test_every_byte_counts(ledger: SealedLedger) -> None:
    """Whatever one byte of a receipt is changed to, ours refuses it."""
    raw, _ = receipt(ledger)
    inner = CoseReceipt.parse(raw).carried
    assert inner is not None
    begin = raw.index(inner)
    # Every byte of the proof that it carries is changed in test_event_proof.py.
    carried = range(begin, begin + len(inner))
    for at in [*range(begin), *carried[::9], *range(carried.stop, len(raw))]:
        changed = bytearray(raw)
        changed[at] ^= 1 if at % 2 else 2
        try:
            shown = judge_inclusion(bytes(changed), policy(), RECEIPTS.key)
        except ValueError:
            continue
        assert shown.problem is not None, f"byte {at}"


def test_one_key_has_one_purpose(ledger: SealedLedger) -> None:
    """A receipt under the key that signs checkpoints, or under a witness's, shows nothing."""
    for name in ("log", *THREE):
        signer = ReceiptSigner(made.seed(name))
        raw, _ = receipt(ledger, signer)
        problem = judge_inclusion(raw, policy(), signer.key).problem
        assert problem == "the receipt key is one of the policy's: a key has one purpose"


def test_the_bus_alone_is_not_believed(ledger: SealedLedger) -> None:
    """Where too few witnesses cosigned, ours refuses a receipt that another program takes."""
    proof = ledger.prove("csrc.referral", 0, 20, ledger.note("mps"))
    raw = RECEIPTS.inclusion(proof)
    key = str(RECEIPTS.key)
    assert scitt_cose.verify_receipt(raw, leaf_entry_hex=proof.leaf.hex(), log_public_key_pem=key).ok
    assert judge_inclusion(raw, policy(), RECEIPTS.key).problem == (
        "the quorum 'witnesses' is not reached: cosigned by mps"
    )


def test_a_receipt_under_another_key_is_named(ledger: SealedLedger) -> None:
    """The key is the reader's: a receipt of another one does not hold, though its proof does."""
    raw, _ = receipt(ledger, OTHER)
    problem = judge_inclusion(raw, policy(), RECEIPTS.key).problem
    assert problem == f"the receipt is not signed by the key {RECEIPTS.key.key_id.hex()[:16]}…"


def resigned(change: Callable[[dict[int | str, cbor.Value], dict[int | str, cbor.Value]], None]) -> bytes:
    """A receipt whose headers were changed and which its own key signed again: a bus that lies."""
    ledger = made.example()
    proof = ledger.prove("csrc.referral", 0, 20, ledger.note(*THREE))
    whole = cbor.decode(RECEIPTS.inclusion(proof))
    assert isinstance(whole, cbor.Tagged)
    assert isinstance(whole.value, list)
    protected, headers = cbor.decode(whole.value[0]), whole.value[1]  # type: ignore[arg-type]
    assert isinstance(protected, dict)
    assert isinstance(headers, dict)
    change(protected, headers)
    raw = cbor.encode(protected)
    signature = PrivateKey(made.seed("receipts")).sign(signed_bytes(raw, proof.head.root))
    return cbor.encode(cbor.Tagged(18, [raw, headers, None, signature]))


CLAIMS: dict[int | str, cbor.Value] = {
    1: LEDGER,
    2: f"{LEDGER}/csrc.referral/0/1",
    6: made.SEALED_MS // 1000,
    "casebus/tree-size": 21,
}


@pytest.mark.parametrize(
    ("protected", "why"),
    [
        ({1: -7}, "algorithm -7, expected -8"),
        ({395: 2}, "tree 2, expected 1"),
        ({2: [395]}, "protected headers"),
        ({4: "text"}, "key id or claims"),
        ({15: CLAIMS | {1: "ledger.example/other"}}, "a receipt of"),
        ({15: CLAIMS | {2: f"{LEDGER}/mps.record/3/1"}}, "a receipt of"),
        ({15: CLAIMS | {"casebus/tree-size": 22}}, "of entry 20 of 21"),
        ({15: CLAIMS | {6: 1}}, "another time"),
        ({15: CLAIMS | {6: -1}}, "expected a number"),
        ({15: {1: LEDGER}}, "claims, expected"),
        ({15: CLAIMS | {2: 7}}, "issuer or subject"),
        ({15: CLAIMS | {2: "two words"}}, "origins of logs"),
    ],
)
def test_what_the_signature_says_must_fit(protected: dict[int | str, cbor.Value], why: str) -> None:
    """A rightly signed receipt that says another ledger, log, size, time, algorithm or tree is refused."""
    raw = resigned(lambda headers, _: headers.update(protected))
    try:
        problem = judge_inclusion(raw, policy(), RECEIPTS.key).problem
    except ValueError as error:
        problem = str(error)
    assert problem is not None
    assert why in problem


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({396: {}}, "one proof"),
        ({396: {-1: []}}, "one proof"),
        ({396: {-3: [b""]}}, "one proof"),
        ({396: {-1: ["x"]}}, "two numbers and a path"),
        ({396: {-1: [cbor.encode([21, 20, []])]}}, "a path of 0"),
        ({396: {-1: [cbor.encode([21, 20, [bytes(31)]])]}}, "hashes of 32 bytes"),
        ({396: {-1: [cbor.encode([21, 20, [bytes(32)]])]}}, "does not lead"),
        ({396: {-1: [cbor.encode([24, 20, [bytes(32)]])]}}, "of entry 20 of 24"),
        ({396: {-2: [cbor.encode([20, 21, [bytes(32)]])]}}, "headers that no receipt"),
        ({7: b""}, "headers that no receipt"),
        ({"casebus/event-proof/v1": None}, "without the way"),
        ({"casebus/event-proof/v1": 7}, "headers that no receipt"),
    ],
)
def test_the_proof_must_fit(headers: dict[int | str, cbor.Value], why: str) -> None:
    """A receipt with no, foreign or broken proofs, or without the way to the witnesses, is refused."""
    raw = resigned(lambda _, found: found.update(headers))
    try:
        problem = judge_inclusion(raw, policy(), RECEIPTS.key).problem
    except ValueError as error:
        problem = str(error)
    assert problem is not None
    assert why in problem


def test_a_receipt_without_a_path_is_not_made(ledger: SealedLedger) -> None:
    """A log of one entry has no path and an unchanged ledger no growth, for which RFC 9942 has no receipt."""
    small = SealedLedger()
    small.add("csrc.key", 0, 1)
    small.seal()
    with pytest.raises(ValueError, match="held one entry"):
        RECEIPTS.inclusion(small.prove("csrc.key", 0, 0, small.note(*THREE)))
    with pytest.raises(ValueError, match="no path from size 5 to 5"):
        RECEIPTS.consistency(ledger.note(*THREE), 5, [], 0)


def test_what_is_no_receipt(ledger: SealedLedger) -> None:
    """Other bytes, another tag, a root brought along are refused with a reason."""
    raw, _ = receipt(ledger)
    assert is_receipt(raw)
    assert not is_receipt(b"c2sp.org/tlog-proof@v1\n")
    whole = cbor.decode(raw)
    assert isinstance(whole, cbor.Tagged)
    parts = whole.value
    assert isinstance(parts, list)
    for changed, why in (
        (cbor.encode(cbor.Tagged(98, parts)), "tag 18"),
        (cbor.encode(cbor.Tagged(18, parts[:3])), "four parts"),
        (cbor.encode(cbor.Tagged(18, [*parts[:2], bytes(32), parts[3]])), "brings its own root"),
        (cbor.encode(cbor.Tagged(18, [*parts[:3], "x"])), "no byte strings"),
        (bytes((1 << 20) + 1), "expected at most"),
    ):
        with pytest.raises(ValueError, match=why):
            CoseReceipt.parse(changed)
    older, newer, path = growth(ledger, 3)
    consistent = RECEIPTS.consistency(newer, 3, path, 0)
    with pytest.raises(ValueError, match="expected both"):
        judge_inclusion(consistent, policy(), RECEIPTS.key)
    with pytest.raises(ValueError, match="expected both"):
        judge_consistency(raw, older.to_bytes(), policy(), RECEIPTS.key)


def test_the_key_is_a_pem_file_that_others_read(ledger: SealedLedger) -> None:
    """The key is written as SubjectPublicKeyInfo; another kind of key, or text, is refused."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    key = load_pem_public_key(str(RECEIPTS.key).encode())
    assert key.public_bytes(Encoding.Raw, PublicFormat.Raw) == RECEIPTS.key.public
    written = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert ReceiptKey.parse(written) == RECEIPTS.key
    assert str(RECEIPTS.key) == written
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    p256 = generate_private_key(SECP256R1()).public_key()
    foreign = p256.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    small = written.replace(written.splitlines()[1], "MCowBQYDK2VwAyEA" + "A" * 43 + "=")
    for text, why in ((foreign, "another kind"), ("", "no public key"), (small, "no canonical point")):
        with pytest.raises(ValueError, match=why):
            ReceiptKey.parse(text)


def test_pinned_bytes() -> None:
    """The vector of docs/records.md: protected headers and signature of a receipt, byte for byte."""
    seed, root = sha256(b"casebus test receipt key").digest(), sha256(b"example root").digest()
    claims: dict[int | str, cbor.Value] = {
        1: "bus.example/ledger",
        2: "bus.example/ledger/csrc.referral/3/1",
        6: 1669000000,
        "casebus/tree-size": 2,
    }
    key = ReceiptSigner(seed).key
    protected = cbor.encode({1: -8, 4: key.key_id, 15: claims, 395: 1})
    assert protected.hex() == PROTECTED
    message = signed_bytes(protected, root)
    assert message == cbor2.dumps(["Signature1", protected, b"", root])
    assert PrivateKey(seed).sign(message).hex() == SIGNATURE


PROTECTED = (
    "a40127045820d552c4357d8d15e9258d2491877439441fa52407916d3c9f9a550bd2d33ff19b0fa401726275732e6578"
    "616d706c652f6c65646765720278246275732e6578616d706c652f6c65646765722f637372632e726566657272616c2f"
    "332f31061a637aeb4071636173656275732f747265652d73697a650219018b01"
)
SIGNATURE = (
    "d7709f4f446afde426cebcd9eba82ddfd47422d73c6e3366cb7aee460e592012649995e6b9fa88473b0061a25aac68fa"
    "d68a8ca39a8f31a036683afa2a800207"
)
