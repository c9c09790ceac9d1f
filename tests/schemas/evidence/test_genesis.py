"""The genesis file: its bytes, and whether a history of keys begins as it says."""

from dataclasses import replace

import pytest

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.bundle_check import check_bundle
from casebus_schemas.evidence.genesis import Genesis, PinnedKey
from casebus_schemas.evidence.trust_policy import TrustPolicy, policy_text
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import Speaker, seed_of, stored
from support.ledger.sealed_ledger import COSIGNERS, LEDGER, SIGNER, policy
from support.ledger.signed_case import SignedCase, bundle_of

AGENCIES = ("csrc", "mps", "spp", "court")
ROUTER = SigningKey(seed_of("router"))


def pinned(holder: str, key: SigningKey | None = None) -> PinnedKey:
    """The key by which a test's holder begins."""
    return PinnedKey(holder, "ed25519", (key or SigningKey(seed_of(holder))).public)


def genesis(*keys: PinnedKey) -> Genesis:
    """Of the tests' ledger; without keys those of all who speak."""
    own = keys or (pinned("bus", ROUTER), *map(pinned, AGENCIES))
    return Genesis.of(LEDGER, [SIGNER.key], {name: one.key for name, one in COSIGNERS.items()}, own)


def said_under(digest: bytes | None) -> bytes:
    """The bundle of a matter on a bus whose first key names that digest."""
    case = SignedCase(genesis=digest)
    case.say(case.admitter.speaker("csrc").refer(5))
    case.ledger.seal()
    return bundle_of(case, 5).to_bytes()


def test_equal_contents_have_equal_bytes() -> None:
    """Whatever the order of the keys, the file is the same, and reads as it was written."""
    one = genesis()
    assert genesis(*reversed(one.keys)).to_bytes() == one.to_bytes()
    assert Genesis.parse(one.to_bytes()) == one
    lines = one.to_bytes().decode().splitlines()
    assert lines[:3] == ["casebus genesis v1", f"ledger {LEDGER}", f"log {SIGNER.key}"]
    assert lines[-1] == f"key spp ed25519 {SigningKey(seed_of('spp')).public.hex()}"


def test_a_file_at_fault_is_refused_by_line() -> None:
    """Another order, a key of two purposes, a weak key, a line cut off: each is named."""
    lines = genesis().to_bytes().decode().splitlines()
    witness = f"key mps ed25519 {next(iter(COSIGNERS.values())).key.public.hex()}"
    faults = {
        "no genesis file": ["casebus genesis v2", *lines[1:]],
        "line 8": [*lines[:7], "key csrc ed25519 01" + "00" * 31, *lines[8:]],
        f"line {len(lines) + 1}": [*lines, witness],
        "not as it is written": [*lines[:-2], lines[-1], lines[-2]],
        "not whole": [line for line in lines if not line.startswith("key bus ")],
        "line 2": [lines[0], "ledger  two spaces", *lines[2:]],
    }
    for where, changed in faults.items():
        with pytest.raises(UsageError, match=where):
            Genesis.parse(("\n".join(changed) + "\n").encode())
    with pytest.raises(UsageError, match="no genesis file"):
        Genesis.parse(genesis().to_bytes()[:-1])


def test_a_bundle_begins_as_the_readers_genesis_says() -> None:
    """The right file: nothing failed, and nothing is said to be believed."""
    report = check_bundle(said_under(genesis().digest), policy(), genesis=genesis())
    assert report.failed == []
    assert not any("genesis" in one for one in report.not_covered)


def test_a_bus_begun_with_another_genesis_is_named() -> None:
    """Whoever makes a second history with keys of his own cannot name the members' file."""
    expected = f"expected the genesis {genesis().digest.hex()}"
    for digest, found in ((None, "no genesis"), (bytes(32), f"the genesis {'00' * 32}")):
        report = check_bundle(said_under(digest), policy(), genesis=genesis())
        assert report.failed == [f"the genesis: bus.key begins with {found}, {expected}"]


def test_a_first_key_that_is_not_pinned_is_named() -> None:
    """A first key of another than the member fails; a member that the file does not name is shown."""
    other = genesis(
        pinned("bus", ROUTER), *map(pinned, ("mps", "spp")), pinned("csrc", SigningKey(b"x" * 32))
    )
    report = check_bundle(said_under(other.digest), policy(), genesis=other)
    mine = SigningKey(seed_of("csrc")).key_id.hex()[:16]
    assert report.failed == [f"the genesis: csrc: its first key {mine}… is not one that the genesis pins"]
    (note,) = [one for one in report.not_covered if "genesis" in one]
    assert note.startswith("court: the genesis pins no key, ")


def test_an_operators_key_for_an_agency_is_shown() -> None:
    """A key that the operator admitted before the agency had one does not count as its beginning."""
    file = genesis()
    bus = Speaker("bus", key=ROUTER)
    said = [bus.announce(genesis=file.digest), bus.announce(SigningKey(b"y" * 32), by=ROUTER, holder="csrc")]
    keyring = Keyring(Catalog.load()).extend(stored(one, at) for at, one in enumerate(said))
    problems, notes = file.judge(keyring.entries.values(), None)
    assert problems == ()
    assert [note for note in notes if note.startswith("csrc: its key ")] != []
    assert "csrc: pinned by the genesis, and has announced no key" in notes


def test_another_ledger_and_exchanged_keys_of_a_policy() -> None:
    """A ledger under another name, and a policy's key that is not one of the beginning, are shown."""
    file = replace(genesis(), ledger="ledger.example/other")
    report = check_bundle(said_under(file.digest), policy(), genesis=file)
    assert report.failed == []
    assert f"the bus began with the ledger ledger.example/other, this is {LEDGER}" in report.not_covered
    keys = {name: one.key for name, one in COSIGNERS.items()}
    changed = {**keys, "mps": replace(keys["mps"], public=SigningKey(b"z" * 32).public)}
    trusted = TrustPolicy.parse(policy_text([SIGNER.key], changed, 2).encode())
    assert genesis().beyond(trusted) == (
        "the policy's key of mps is not one of the genesis: was it exchanged since?",
    )
    assert genesis().beyond(policy()) == ()
